#!/usr/bin/env python3
"""What happens on occasion: a schedule, files that change, hooks."""
import errno, json, os, re, shutil, signal, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, Project, comes_to, events_of, expect, main, rss_kb, seldom, state, until



def a_schedule_runs_it_again_and_again():
    p = Project("often", {"a": {"command": "echo run", "schedule": {"interval": "300ms"}},
                          "yearly": {"command": "echo never", "schedule": {"cron": "0 0 1 1 *", "timezone": "UTC"}}})
    try:
        p.headless()
        row = comes_to(p, "yearly/0", "scheduled")
        expect(row["deadline"].endswith("-01-01T00:00:00.000000Z") or row["deadline"][5:16] in ("01-01T00:00", "12-31T23:59"), f"{row['deadline']}")
        until(lambda: len(events_of(p, "a", "completed")) >= 3, "three runs")
        started = [r["ts"] for r in events_of(p, "a", "started")]
        expect(len(set(started)) == len(started), "each once")
        os.kill(p.engine(), signal.SIGKILL)
        until(lambda: len(events_of(p, "a", "completed")) >= 6, "runs after the engine was killed")
        p.run("start", "yearly", check=0)  # by hand, now
        until(lambda: events_of(p, "yearly", "completed"), "a run by hand")
        comes_to(p, "yearly/0", "scheduled")
        p.run("stop", "a", check=0)
        comes_to(p, "a/0", "stopped")
        p.run("start", "a", check=0)
        comes_to(p, "a/0", "scheduled")
    finally:
        p.close()


def a_run_that_overlaps_is_left_out_queued_or_replaces():
    sleepy = ["sh", "-c", "echo run; sleep 0.7"]
    commands = {"skip": sleepy, "queue": sleepy, "replace": ["sleep", "1000"]}
    p = Project("overlap", {o: {"command": command, "schedule": {"interval": "300ms", "overlap": o}} for o, command in commands.items()})
    try:
        p.headless()
        until(lambda: len(events_of(p, "skip", "completed")) >= 2 and len(events_of(p, "queue", "completed")) >= 2 and len(events_of(p, "replace", "exited")) >= 2, "runs")
        until(lambda: any("left out" in r["detail"] for r in events_of(p, "skip", "skipped")), "skip says so")
        until(lambda: any("due again" in r["detail"] for r in events_of(p, "queue", "skipped")), "queue says so")
        expect(all(r["cause"] == "reload" for r in events_of(p, "replace", "exited")[:2]), f"{events_of(p, 'replace', 'exited')}")
        for name in ("skip", "queue", "replace"):
            alive = 0
            for r in events_of(p, name, "started", "exited"):
                alive += 1 if r["event"] == "started" else -1
                expect(alive in (0, 1), f"{name}: two at a time")
    finally:
        p.close()


def files_that_change_restart_it():
    p = Project("files", {
        "app": {"command": "sleep 1000", "watch": {"paths": ["src", "one.conf"], "exclude": ["**/test/**", "*.log"], "include": ["**/*.py", "*.py", "one.conf"], "debounce": "100ms", "cascade": True}},
        "web": {"command": "sleep 1000", "depends_on": ["app"]},
        "gone": {"command": "sleep 1000", "watch": "nowhere"}})
    try:
        os.makedirs(p.dir + "/src/deep/test")
        p.write("one.conf", "1")
        p.headless()
        comes_to(p, "web/0", "running")
        until(lambda: "nowhere cannot be watched: No such file" in p.run("events").stdout, "a path that is not there is told")
        pids = lambda: (p.rows()["app/0"]["pid"], p.rows()["web/0"]["pid"])

        def restarts_after(what, change):
            app, web = pids()
            change()
            until(lambda: pids()[0] not in (None, app) and pids()[1] not in (None, web), what)
            until(lambda: all(r["state"] == "running" for n, r in p.rows().items() if n != "gone/0"), "both run")
        # the watch is set up in a thread: until it is, a change is not seen
        app = pids()[0]
        until(lambda: seldom(lambda: p.write("src/a.py", "x")) and p.rows()["app/0"]["pid"] not in (None, app), "the watch is there")
        comes_to(p, "web/0", "running")
        until(lambda: events_of(p, "web", "started")[1:], "the cascade")
        restarts_after("a file that is written", lambda: p.write("src/deep/b.py", "x"))
        restarts_after("a file that is replaced", lambda: os.rename(p.write("new", "2"), p.dir + "/one.conf"))
        restarts_after("a file that is deleted", lambda: os.unlink(p.dir + "/src/deep/b.py"))

        def in_new_folder():
            os.makedirs(p.dir + "/src/fresh/deeper")
            until(lambda: seldom(lambda: p.write("src/fresh/deeper/c.py", "x")) and len(events_of(p, "app", "started")) > count, "a folder made meanwhile")
        count = len(events_of(p, "app", "started"))
        restarts_after("a folder made meanwhile", in_new_folder)
        p.write("src/deep/test/t.py", "x")
        p.write("src/x.log", "x")
        p.write("src/readme.txt", "x")
        p.write("src/.hidden.py", "x")
        restarts_after("what counts after what does not", lambda: p.write("src/a.py", "y"))
        expect(p.rows()["app/0"]["restarts"]["watch"] >= 5, f"{p.rows()['app/0']['restarts']}")
        died = p.json("history", "app")
        expect(died[0]["cause"] == "watch" and "src/a.py" in died[0]["detail"], f"{died[0]}")
        expect(not [d for d in died if any(name in d["detail"] for name in ("t.py", "x.log", "readme", "hidden"))], f"excluded ones restart nothing: {died}")
    finally:
        p.close()


def a_crashed_one_comes_back_when_its_file_is_mended():
    p = Project("mend", {"a": {"command": ["sh", "a.sh"], "watch": {"paths": ["a.sh"], "debounce": "50ms"}, "availability": {"max_restarts": 0}}})
    try:
        p.write("a.sh", "exit 1")
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "fatal")
        until(lambda: seldom(lambda: p.write("a.sh", "exec sleep 1000")) and state(p, "a/0") == "running", "it runs")
    finally:
        p.close()


def many_folders_are_bounded():
    p = Project("many", {"a": {"command": "sleep 1000", "watch": {"paths": ["src"], "debounce": "50ms"}}})
    try:
        for i in range(90):
            for k in range(100):
                os.makedirs(f"{p.dir}/src/{i}/{k}")
        p.run("up", "-d", check=0)
        until(lambda: "more than 8192 folders are to be watched" in p.run("events").stdout, "it says so")
        comes_to(p, "a/0", "running")
    finally:
        p.close()


def a_hundred_thousand_files_are_watched():
    """All of them change at once, more than the kernel tells one by one: one restart, and nobody else feels it."""
    src = tempfile.mkdtemp(prefix="thrum-test-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)  # no disk is tested
    p = Project("files", {"a": {"command": "sleep 1000", "watch": {"paths": [src], "debounce": "400ms"}}, "other": {"command": "sleep 1000"}})
    paths = [f"{src}/{i}/{k}" for i in range(100) for k in range(1000)]
    try:
        for i in range(100):
            os.makedirs(f"{src}/{i}")
        for path in paths:
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
        p.run("up", "-d", check=0)
        until(lambda: seldom(lambda: open(paths[-1], "w").write("x")) and p.rows()["a/0"]["restarts"]["watch"] > 0, "the watch is there")
        before, engine = p.rows(), p.engine()
        memory, began = rss_kb(engine), time.monotonic()
        for path in paths:
            with open(path, "w") as f:
                f.write("y")
        until(lambda: p.rows()["a/0"]["restarts"]["watch"] > before["a/0"]["restarts"]["watch"], "it is restarted")
        until(lambda: p.rows()["a/0"]["state"] == "running", "and runs")
        now = p.rows()
        most = before["a/0"]["restarts"]["watch"] + 2 + (time.monotonic() - began) / 0.4  # a slow machine writes with pauses
        expect(now["a/0"]["restarts"]["watch"] <= most, f"not for each of them: {now['a/0']['restarts']}")
        expect(now["other/0"]["pid"] == before["other/0"]["pid"] and p.engine() == engine, "nobody else is affected")
        expect(rss_kb(engine) < memory + 8192, f"memory is bounded: {memory} kB, now {rss_kb(engine)} kB")
    finally:
        shutil.rmtree(src)
        p.close()


def a_time_that_never_comes_is_refused_and_one_far_away_waits():
    p = Project("never", {"a": {"command": "echo run", "schedule": {"cron": "0 0 29 2 *", "timezone": "UTC"}}, "b": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        row = comes_to(p, "a/0", "scheduled")
        expect("-02-29T00:00" in row["deadline"], f"{row['deadline']}")
        pid = comes_to(p, "b/0", "running")["pid"]
        p.write("thrum.yaml", 'name: never\nprocesses:\n  a: {command: echo run, schedule: "0 0 31 2,4,6 *"}\n  b: {command: sleep 2000}\n')
        for command in ("check", "plan", "apply"):
            said = p.run(command, check=2).stderr
            expect("thrum.yaml:3:36: cron: '0 0 31 2,4,6 *' never comes" in said, said)
        now = p.rows()
        expect(now["a/0"]["deadline"][:19] == row["deadline"][:19] and now["b/0"]["pid"] == pid, f"nothing has changed: {now}, {row}, {pid}")
        done = p.run("run", "--name", "c", "--", "true")
        expect(done.returncode == 0 and p.rows()["a/0"]["state"] == "scheduled", "and all else goes on")
    finally:
        p.close()


HOOK = ["sh", "-c", "cat > $THRUM_EVENT.json; env > $THRUM_EVENT.env"]


def hooks_are_told_what_happened():
    p = Project("hooks", {"a": {"command": ["sh", "-c", "sleep 0.1; exit 3"], "environment": {"MINE": "yes"}, "availability": {"max_restarts": 0},
                                "hooks": {"on_start": HOOK, "on_crash": HOOK, "on_fatal": HOOK}},
                          "b": {"command": "sleep 1000", "hooks": {"on_stop": HOOK, "on_crash": "touch wrong"}}})

    def read(name):
        try:
            with open(f"{p.dir}/{name}") as f:
                return f.read()
        except OSError:
            return ""
    try:
        p.run("up", "-d", check=0)
        until(lambda: all(read(n + ".env").endswith("\n") for n in ("started", "exited", "fatal")), "three hooks")
        told = json.loads(read("exited.json"))
        expect(told["event"] == "exited" and told["code"] == 3 and told["service"] == "a", f"{told}")
        env = dict(line.split("=", 1) for line in read("exited.env").splitlines() if "=" in line)
        expect(env["THRUM_EXIT_CODE"] == "3" and env["THRUM_CAUSE"] == "exit" and env["THRUM_SERVICE"] == "a" and env["MINE"] == "yes", f"{env}")
        p.run("stop", "b", check=0)
        until(lambda: read("stopped.env").endswith("\n"), "the hook of a stop")
        expect(not os.path.exists(p.dir + "/wrong"), "a stop is no crash")
    finally:
        p.close()


def opened(fifo):
    """To write to it; None: nobody reads."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as why:
        expect(why.errno == errno.ENXIO, str(why))


def the_hook_of_the_last_stop_has_its_time():
    p = Project("last", {"a": {"command": "sleep 1000", "hooks": {"on_stop": "cat go > went"}}})
    os.mkfifo(p.dir + "/go")
    try:
        p.run("up", "-d", check=0)
        down = subprocess.Popen([THRUM, "down"], cwd=p.dir, env=p.env)
        go = until(lambda: opened(p.dir + "/go"), "the hook reads")
        expect(p.rows()["a/0"]["state"] == "stopped", "all else has ended, and the engine waits")
        os.write(go, b"done")
        os.close(go)
        expect(down.wait(60) == 0, "then it ends")
        expect(p.log_at("went") == b"done", "the hook was not ended with the rest")
        p.run("up", "-d", check=0)
        p.run("down", "--timeout", "200ms", check=0)
        expect(opened(p.dir + "/go") is None, "the hook is not there any more, for there was no time left")
    finally:
        p.close()


def a_hook_that_fails_hangs_or_forks_changes_nothing_else():
    p = Project("bad", {"fails": {"command": "true", "hooks": {"on_completed": "echo no such table; exit 7"}},
                        "hangs": {"command": "true", "hooks": {"on_completed": "sleep 1000", "timeout": "200ms"}},
                        "forks": {"command": "true", "hooks": {"on_completed": "setsid sleep 4712 >/dev/null 2>&1 </dev/null & echo"}},
                        "none": {"command": "true", "hooks": {"on_completed": "/no/such/program"}},
                        "steady": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        for said in ("fails/0: hook on_completed: exit 7: no such table", r"hangs/0: hook on_completed: no answer within \d+\.\d s",
                     "forks/0: hook on_completed left 1 processes behind, which were killed", "none/0: hook on_completed: exec: No such file or directory"):
            until(lambda: re.search(said, p.run("events").stdout), said)
        expect(p.rows()["steady/0"]["restarts"]["crash"] == 0 and p.rows()["steady/0"]["state"] == "running", "others are not affected")
    finally:
        p.close()


main(a_schedule_runs_it_again_and_again,
     a_run_that_overlaps_is_left_out_queued_or_replaces,
     files_that_change_restart_it,
     a_crashed_one_comes_back_when_its_file_is_mended,
     many_folders_are_bounded,
     a_hundred_thousand_files_are_watched,
     a_time_that_never_comes_is_refused_and_one_far_away_waits,
     hooks_are_told_what_happened,
     the_hook_of_the_last_stop_has_its_time,
     a_hook_that_fails_hangs_or_forks_changes_nothing_else)
