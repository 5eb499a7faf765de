#!/usr/bin/env python3
"""The keeper is killed: the engine takes its place, and nobody notices."""
import json, os, random, shutil, signal, struct, subprocess, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, WORKER, Project, expect, hello, is_alive, kill_both, kill_engine, kill_keeper, main, marked, numbered, parent_of, pids_of, state, until


# the kernel tells how a process that is not our child has ended
TELLS_ENDS = tuple(int(n) for n in os.uname().release.split("-")[0].split(".")[:2]) >= (6, 15)


def keeper(p):
    now = hello(p)
    return now and now["keeper_pid"]


def read_page(keeper_pid):
    """Where the keeper's page is in its own memory, and what is in it."""
    with open(f"/proc/{keeper_pid}/maps") as f:
        line = next(line for line in f if "thrum-keeper-page" in line)
    begin, end = (int(n, 16) for n in line.split()[0].split("-"))
    with open(f"/proc/{keeper_pid}/mem", "rb", buffering=0) as f:
        f.seek(begin)
        return begin, f.read(end - begin)


def it_knows_to_whom_the_processes_fell():
    """The engine hears of the end of its keeper before that has given its children away: it waits for that."""
    p = Project("fell", {"a": {"command": "sleep 1000", "instances": 150}})
    try:
        p.run("up", "-d", check=0)
        pid = until(lambda: (rows := p.rows()) and all(r["pid"] for r in rows.values()) and rows["a/0"]["pid"], "all run")
        for _ in range(40):
            new = kill_keeper(p)
            reaper = struct.unpack_from("<i", read_page(new)[1], 12)[0]
            expect(reaper == parent_of(pid), f"its parent is {parent_of(pid)}, not {reaper}")
    finally:
        p.close()


def the_engine_takes_the_place_of_its_keeper():
    p = Project("kill", {"a": {"command": ["sh", "-c", "while :; do read x < gate && echo got $x; done"]},
                         "b": {"command": "sleep 1000", "environment": {"X": "1"}},
                         "code": {"command": ["sh", "-c", "read x < end; exit 7"], "availability": {"restart": "no"}},
                         "sig": {"command": "sleep 1000", "availability": {"restart": "no"}},
                         "ch": {"command": ["python3", "-u", "-c", "import os\nf=os.fdopen(int(os.environ['THRUM_CHANNEL_FD']),'r+b',buffering=0)\nfor l in f: print(l)"], "ipc": "json"}})

    def say(x):
        with open(p.dir + "/gate", "w") as f:
            f.write(x + "\n")
    try:
        os.mkfifo(p.dir + "/gate")
        os.mkfifo(p.dir + "/end")
        p.run("up", "-d", check=0)
        until(lambda: len(p.rows()) == 5 and all(r["pid"] for r in p.rows().values()), "all run")
        before = {n: r["pid"] for n, r in p.rows().items()}
        say("one")
        engine = p.engine()
        new = kill_keeper(p)
        expect(new == engine, f"the engine ({engine}) is the keeper now ({new})")
        say("two")
        until(lambda: p.log("a/0") == b"got one\ngot two\n", "its output goes on")
        now = {n: r["pid"] for n, r in p.rows().items()}
        expect(now == before, f"nobody was restarted: {before} {now} {p.run('events').stdout}")
        expect("this engine takes its place" in p.run("events").stdout, "it is told")
        p.run("send", "ch", "5", check=0)
        until(lambda: b"5" in p.log("ch/0"), "its channel goes on")
        with open(p.dir + "/end", "w") as f:
            f.write("x\n")
        os.kill(before["sig/0"], signal.SIGKILL)
        until(lambda: p.rows()["code/0"]["state"] == "failed" and p.rows()["sig/0"]["state"] == "failed", "their ends are noticed")
        died = {d["service"]: d for d in p.json("history")}
        for name, code, sig in (("code", 7, None), ("sig", None, "KILL")):
            d = died[name]
            expect((d["code"], d["signal"] and str(d["signal"]).removeprefix("SIG")) == (code, sig) or (not TELLS_ENDS and "nobody knows" in (d["detail"] or "")), f"{d}")
        kill_engine(p)  # and the new keeper starts another engine
        os.kill(before["b/0"], signal.SIGKILL)
        until(lambda: p.rows().get("b/0", {}).get("pid") not in (None, before["b/0"]), "a restart under the new keeper")
        kill_keeper(p)  # again, now with both kinds of children
        say("three")
        until(lambda: p.log("a/0").endswith(b"got three\n"), "its output goes on")
        p.run("restart", "all", check=0)
        until(lambda: all(p.rows()[n]["pid"] not in (None, before[n]) for n in before), "all restarted")
        p.run("down", check=0)
        expect(not [pid for pid in before.values() if is_alive(pid)], "all are gone")
    finally:
        p.close()


def keepers_and_engines_die_at_random_and_nothing_is_lost():
    lines = 20000
    names = [f"s{i}" for i in range(6)]
    p = Project("random", {n: {"command": [WORKER + "/counter", f"pids-{n}", n, str(lines), "3", "300", "0"], "availability": {"restart": "no"}} for n in names})
    luck = random.Random(int(os.environ.get("THRUM_SEED", "1")))
    try:
        p.run("up", "-d", check=0)
        kills = 0
        end = time.monotonic() + 20
        while time.monotonic() < end and any(r["state"] in ("running", "starting") for r in until(p.rows, "all instances").values()):
            kill_keeper(p) if luck.random() < 0.5 else kill_engine(p)
            kills += 1
        until(lambda: p.rows() and all(r["state"] == "completed" for r in p.rows().values()), "all have completed")
        for n in names:
            wrong = numbered(p.log(n + "/0"), n, lines)
            expect(not wrong, wrong)
            with open(f"{p.dir}/pids-{n}") as f:
                pids = f.read().splitlines()
            expect(len(pids) == 1, f"{n}: one life: {pids} {p.run('events').stdout}")
        expect(kills >= 3, f"{kills} kills")
        print(f"# {kills} kills, {lines * len(names)} lines", flush=True)
    finally:
        p.close()


def an_engine_that_hangs_is_replaced():
    os.environ["THRUM_WATCHDOG_MS"] = "1000"
    try:
        p = Project("hang", {"a": {"command": "sleep 1000"}, "b": {"command": ["sh", "-c", "read x < gate; exit 3"], "availability": {"restart": "no"}}})
    finally:
        del os.environ["THRUM_WATCHDOG_MS"]
    try:
        os.mkfifo(p.dir + "/gate")
        p.run("up", "-d", check=0)
        pid = until(lambda: p.rows()["a/0"]["pid"], "it runs")
        stopped = until(p.engine, "an engine")
        os.kill(stopped, signal.SIGSTOP)  # has nothing to do, until somebody ends
        with open(p.dir + "/gate", "w") as f:
            f.write("x\n")
        until(lambda: not is_alive(stopped), "the hung engine is killed")
        until(lambda: p.rows().get("b/0", {}).get("state") == "failed", "the end of b is known")
        expect(until(p.rows, "it answers")["a/0"]["pid"] == pid and p.json("history")[0]["code"] == 3, "nothing is lost")
        stopped = until(p.engine, "an engine")
        os.kill(stopped, signal.SIGSTOP)  # … or somebody asks
        p.run("ps")
        until(lambda: p.engine() not in (None, stopped), "another engine")
        expect(until(p.rows, "it answers")["a/0"]["pid"] == pid, "nobody noticed")
    finally:
        p.close()


def both_are_killed_and_the_next_start_takes_over_who_runs():
    lines = 4000
    p = Project("adopt", {"count": {"command": [WORKER + "/counter", "pids", "count", str(lines), "1", "1000", "7"], "availability": {"restart": "no"}},
                          "tree": {"command": ["sh", "-c", "(setsid sleep 4716 &) ; sleep 4716 & wait"]},
                          "ends": {"command": "sleep 1000", "availability": {"restart": "no"}},
                          "crashy": {"command": ["sh", "-c", "echo >> starts; [ $(wc -l < starts) -gt 2 ] && exec sleep 1000; exit 1"],
                                     "availability": {"restart": "always", "backoff": {"initial": "10ms"}}},
                          "said": {"command": ["sh", "-c", "echo hello; exec sleep 1000"], "ready": {"log": "hello"}},
                          "after": {"command": "sleep 1000", "depends_on": {"said": {"condition": "process_healthy"}}},
                          "quiet": {"command": ["sh", "-c", "exec sleep 1000 2>&1"]}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: all(p.rows()[f"{n}/0"]["state"] in ("running", "ready") for n in ("count", "tree", "ends", "crashy", "said", "after", "quiet")) and p.rows()["crashy/0"]["restarts"]["crash"] == 2, "all run")
        former = {n: r["pid"] for n, r in p.rows().items()}
        for _ in range(2):  # and so is whoever was taken over before
            kill_both(p)
            expect(all(is_alive(pid) for n, pid in former.items() if n not in ("ends/0", "count/0")), "children live on")
            if is_alive(former["ends/0"]):
                os.kill(former["ends/0"], signal.SIGKILL)
                until(lambda: not is_alive(former["ends/0"]), "its end")
            p.run("up", "-d", check=0)
            until(lambda: p.rows()["after/0"]["state"] == "running", "all are known")
            rows = p.rows()
            expect({n: r["pid"] for n, r in rows.items() if n not in ("ends/0", "count/0")} == {n: pid for n, pid in former.items() if n not in ("ends/0", "count/0")},
                   f"the same processes: {former} {rows} {p.run('events').stdout}")
            expect(rows["crashy/0"]["restarts"]["crash"] == 2, "its counters go on")
            expect(rows["said/0"]["state"] == "ready", "it is as ready as it was")
            expect("have been taken over" in p.run("events").stdout, "it is told")
        died = [d for d in p.json("history") if d["service"] == "ends" and d["pid"] == former["ends/0"]]
        expect(len(died) == 1 and "nobody knows" in died[0]["detail"], f"an end that nobody saw: {died}")
        until(lambda: p.rows()["count/0"]["state"] == "failed", "the counter is done")
        died = [d for d in p.json("history") if d["service"] == "count"]
        expect(len(died) == 1 and died[0]["pid"] == former["count/0"] and (died[0]["code"] == 7 or not TELLS_ENDS), f"how it ended: {died}")
        wrong = numbered(p.log("count/0"), "count", lines)
        expect(not wrong, wrong)
        expect(len(p.log_at("pids").splitlines()) == 1, "it ran once")
        kill_engine(p)
        kill_keeper(p)
        expect(until(p.rows, "it answers")["tree/0"]["pid"] == former["tree/0"], "and whatever is killed next")
        p.run("stop", "tree", check=0)
        until(lambda: p.rows()["tree/0"]["state"] == "stopped", "it is stopped with all of its tree")
        os.kill(former["crashy/0"], signal.SIGKILL)
        until(lambda: p.rows()["crashy/0"]["restarts"]["crash"] == 3, "a crash is noticed")
        p.run("down", check=0)
        expect(not [pid for pid in former.values() if is_alive(pid)], "all are gone")
        expect(not marked(p), f"of the tree too: {marked(p)}")
        p.run("up", "-d", check=0)
        expect("former run" not in p.run("events").stdout, "after an end in order there is nobody to be found")
    finally:
        p.close()


def both_are_killed_and_there_is_never_a_second_copy():
    stubborn = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nopen('copies', 'a').write('x')\ntime.sleep(1000)"
    p = Project("both", {"a": {"command": ["python3", "-c", stubborn], "ipc": "json"},
                         "b": {"command": ["sh", "-c", "setsid sleep 4713 & sleep 4713"]}})
    other = Project("both", {"a": {"command": "sleep 4714"}})  # the same name in another place
    try:
        other.run("up", "-d", check=0)
        p.run("up", "-d", check=0)
        until(lambda: p.log_at("copies") == b"x", "a runs")
        former = pids_of(p)
        kill_both(p)
        expect(is_alive(former["a/0"]), "children live on")
        p.write("thrum.yaml", json.dumps({"name": "both", "processes": {"a": {"command": ["python3", "-c", stubborn], "ipc": "json"}, "b": {"command": "sleep 4713"}}}))
        p.run("up", "-d", check=0)
        until(lambda: p.log_at("copies") == b"xx", "the second run of a")
        expect(not is_alive(former["a/0"]), "nothing is there twice")
        until(lambda: not is_alive(former["b/0"]) and state(p, "b/0") == "running", "nor is b")
        told = p.run("events").stdout
        expect("of a former run: its channel is gone" in told and "of a former run: it was started with another configuration" in told, f"it is told: {told}")
        expect(state(other, "a/0") == "running" and other.rows()["a/0"]["restarts"]["crash"] == 0, "a project of another place is not touched")
    finally:
        p.close()
        other.close()


def erase_record(keeper_pid, pid):
    """In the keeper's own memory: as if it had been cut off before it wrote an end down."""
    begin, page = read_page(keeper_pid)
    at = page.find(struct.pack("<iii", pid, os.CLD_KILLED, signal.SIGKILL))
    expect(at > 0, "the keeper wrote the end down")
    with open(f"/proc/{keeper_pid}/mem", "r+b", buffering=0) as f:
        f.seek(begin + at)
        f.write(struct.pack("<i", 0))


def an_end_that_nobody_wrote_down_holds_nothing_up():
    p = Project("lost", {"a": {"command": "sleep 1000", "shutdown": {"timeout": "50ms"}}})
    try:
        p.run("up", "-d", check=0)
        pid, k, e = until(lambda: p.rows()["a/0"]["pid"], "it runs"), keeper(p), p.engine()
        os.kill(e, signal.SIGSTOP)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{pid}"), "it is reaped")
        erase_record(k, pid)
        os.kill(e, signal.SIGCONT)
        expect(p.rows()["a/0"]["state"] == "running", "nobody knows of it")
        p.run("stop", "a")
        until(lambda: p.rows()["a/0"]["state"] == "stopped", "the stop is over")
        expect("nobody knows" in p.json("history")[0]["detail"], f"{p.json('history')}")
        p.run("start", "a", check=0)
        until(lambda: p.rows()["a/0"]["state"] == "running", "it runs again")
    finally:
        p.close()


def who_ended_before_the_new_keeper_looked_is_noticed_at_once():
    p = Project("early", {"a": {"command": "sleep 1000", "availability": {"restart": "no"}}, "b": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        pid, k, e = until(lambda: p.rows()["a/0"]["pid"], "it runs"), keeper(p), p.engine()
        os.kill(e, signal.SIGSTOP)
        os.kill(k, signal.SIGKILL)
        until(lambda: not is_alive(k), "the keeper is gone")
        os.kill(pid, signal.SIGKILL)
        until(lambda: not os.path.exists(f"/proc/{pid}"), "whoever is above us reaps it")
        os.kill(e, signal.SIGCONT)
        # no client asks: that would wake the keeper
        until(lambda: b'"pid":%d' % pid in p.log_at("state/early/history.jsonl").replace(b" ", b""), "its death is in the history")
    finally:
        p.close()


def another_program_takes_over():
    p = Project("upgrade", {"a": {"command": "sleep 1000"}, "b": {"command": "sleep 1000"}})
    program = p.dir + "/bin/thrum"

    def install(what):
        shutil.copy2(what, program + ".new")
        os.rename(program + ".new", program)
    try:
        os.mkdir(p.dir + "/bin")
        install(THRUM)
        shutil.copy2(os.path.join(os.path.dirname(THRUM), "thrum-keeper"), p.dir + "/bin/thrum-keeper")
        subprocess.run([program, "up", "-d"], cwd=p.dir, env=p.env, check=True, capture_output=True)
        before, engine = pids_of(p), p.engine()
        p.write("broken", "#!/bin/sh\nexit 1\n", 0o755)
        install(p.dir + "/broken")
        done = p.run("upgrade")
        expect(done.returncode == 1 and "does not run as an engine; nothing was changed" in done.stderr, f"{done}")
        p.write("other", "#!/bin/sh\necho keeper 1 store 99\n", 0o755)
        install(p.dir + "/other")
        done = p.run("upgrade")
        expect(done.returncode == 1 and "thrum down, then up" in done.stderr and p.engine() == engine, f"{done}")
        install(THRUM)
        done = p.run("upgrade", check=0)
        expect("what runs was not touched" in done.stdout and p.engine() != engine, f"{done}")
        expect({n: r["pid"] for n, r in p.rows().items()} == before, "the same processes")
        expect(os.readlink(f"/proc/{p.engine()}/exe") == program, "the new file, not the old one")
    finally:
        p.close()


main(the_engine_takes_the_place_of_its_keeper,
     it_knows_to_whom_the_processes_fell,
     an_engine_that_hangs_is_replaced,
     another_program_takes_over,
     an_end_that_nobody_wrote_down_holds_nothing_up,
     who_ended_before_the_new_keeper_looked_is_noticed_at_once,
     both_are_killed_and_the_next_start_takes_over_who_runs,
     both_are_killed_and_there_is_never_a_second_copy,
     keepers_and_engines_die_at_random_and_nothing_is_lost)
