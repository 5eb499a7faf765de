#!/usr/bin/env python3
"""What the commands promise: states, exit statuses, clear errors, a clean environment for children."""
import grp, pwd, resource

from lib_thrum import *

SHOW = """#!/usr/bin/env python3
import os, json, resource
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
fds = sorted(int(f) for f in os.listdir("/proc/self/fd"))
print(json.dumps({"fds": [f for f in fds if f < 3 or os.path.exists(f"/proc/self/fd/{f}")], "ignored": int(status["SigIgn"], 16),
    "blocked": int(status["SigBlk"], 16), "umask": status["Umask"].strip(), "session": os.getsid(0) == os.getpid() == os.getpgid(0),
    "stdin": os.readlink("/proc/self/fd/0"), "cwd": os.getcwd(), "nice": os.nice(0), "env": dict(os.environ),
    "nofile": resource.getrlimit(resource.RLIMIT_NOFILE), "core": resource.getrlimit(resource.RLIMIT_CORE), "oom": int(open("/proc/self/oom_score_adj").read())}))
"""


def children_get_what_is_meant_for_them_and_nothing_else():
    project = Project("hygiene", {"show": {"command": ["python3", "-S", "show.py"], "umask": "027", "nice": 3,
                                           "environment": {"MINE": "yes"}, "rlimits": {"nofile": [77, 99], "core": 0}, "oom_score_adj": 321, "availability": {"restart": "no"}}})
    try:
        project.write("show.py", SHOW)
        project.env["NODE_CHANNEL_FD"] = "9"
        project.run("up", "-d", check=0)
        project.run("wait", "show", "--for", "completed", "--timeout", "60s", check=0)
        shown = json.loads(project.log("show/0"))
        expect(set(shown["fds"]) <= {0, 1, 2}, f"descriptors {shown['fds']}")
        # python itself ignores SIGPIPE (13) and SIGXFSZ (25)
        expect(shown["ignored"] & ~(1 << 12 | 1 << 24) == 0 and shown["blocked"] == 0, f"signals {shown}")
        expect(shown["umask"] == "0027" and shown["nice"] == 3 and shown["session"], f"attributes {shown}")
        expect(shown["nofile"] == [77, 99] and shown["core"] == [0, 0] and shown["oom"] == 321, f"limits {shown}")
        expect(shown["stdin"] == "/dev/null" and shown["cwd"] == project.dir, f"stdin, folder {shown}")
        env = shown["env"]
        expect(env["MINE"] == "yes" and env["THRUM_SERVICE"] == "show" and env["NODE_APP_INSTANCE"] == "0", "environment")
        expect("NODE_CHANNEL_FD" not in env and "THRUM_KEEPER_FDS" not in env, "something was inherited")
    finally:
        project.close()


def who_rests_is_not_waited_for():
    project = Project("rests", {"job": {"command": "true", "availability": {"restart": "no"}}, "web": {"command": "sleep 600"},
                                "cron": {"command": "true", "schedule": {"interval": "1h"}}, "off": {"command": "true", "disabled": True}})
    try:
        project.run("up", "-d", check=0)
        project.run("wait", "all", "--timeout", "60s", check=0)
        found = states(project)
        expect(found == {"job/0": "completed", "web/0": "running", "cron/0": "scheduled", "off/0": "disabled"}, f"{found}")
        refused = project.run("wait", "job", check=1)
        expect("job/0 is completed, and will not be ready" in refused.stderr, refused.stderr)
        expect("not within the time" in project.run("wait", "cron", "--timeout", "100ms", check=1).stderr, "by its name it is waited for")
        project.run("stop", "web", check=0)
        project.run("wait", "web", "--for", "stopped", "--timeout", "60s", check=0)
        project.run("wait", "w*", "j*", "--timeout", "60s", check=0)
    finally:
        project.close()


def a_service_runs_as_another_user():
    if os.getuid() != 0:
        return
    show = ["/bin/sh", "-c", "id -u; id -g; id -G; grep NoNewPrivs /proc/self/status"]
    project = Project("user", {"user": {"command": show, "user": "nobody", "working_dir": "/", "availability": {"restart": "no"}},
                               "group": {"command": show, "user": "nobody", "group": "daemon", "working_dir": "/", "availability": {"restart": "no"}},
                               "path": {"command": ["id", "-u"], "user": "nobody", "working_dir": "/", "availability": {"restart": "no"}, "environment": {"PATH": "/DIR/root:/usr/bin:/bin"}}})
    try:
        os.mkdir(project.dir + "/root", 0o700)
        project.write("root/id", "#!/bin/sh\necho mine\n", 0o755)
        project.write("thrum.yaml", open(project.dir + "/thrum.yaml").read().replace("/DIR", project.dir))
        project.run("up", "-d", check=0)
        for name in ("user", "group", "path"):
            project.run("wait", name, "--for", "completed", "--timeout", "60s", check=0)
        nobody, daemon = pwd.getpwnam("nobody"), grp.getgrnam("daemon").gr_gid
        shown = project.log("user/0").decode().split()
        expect(shown == [str(nobody.pw_uid), str(nobody.pw_gid), str(nobody.pw_gid), "NoNewPrivs:", "1"], f"and cannot get rights back: {shown}")
        expect(project.log("group/0").decode().split()[:2] == [str(nobody.pw_uid), str(daemon)], f"and as another group: {project.log('group/0')}")
        expect(project.log("path/0").decode().split() == [str(nobody.pw_uid)], f"a program that it may run is found: {project.log('path/0')}")
    finally:
        project.close()


def unless_stopped_means_it():
    project = Project("unless", {"a": {"command": "sleep 0.2", "availability": {"restart": "unless_stopped", "min_uptime": 0}},
                                 "b": {"command": "sleep 0.2", "availability": {"restart": "no"}}})
    try:
        project.run("up", "-d", check=0)
        until(lambda: project.rows()["a/0"]["restarts"]["crash"] >= 2, "a good end is no reason to stay down")
        project.run("stop", "a", check=0)
        until(lambda: project.rows()["a/0"]["state"] == "stopped", "a stop is")
        restarts = project.rows()["a/0"]["restarts"]
        kill_engine(project)
        comes_to(project, "b/0", "completed")
        row = comes_to(project, "a/0", "stopped")  # also for another engine
        expect(row["restarts"] == restarts, f"{row}")
    finally:
        project.close()


def errors_are_one_clear_sentence_with_a_status():
    project = Project("errors", {"a": {"command": "sleep 600"}})
    try:
        def check(status, words, *args):
            done = project.run(*args)
            expect(done.returncode == status, f"thrum {' '.join(args)}: status {done.returncode}, not {status}: {done.stderr}")
            expect(words in done.stderr, f"thrum {' '.join(args)}: no '{words}' in {done.stderr!r}")
        check(2, "did you mean 'restart'", "restrat", "a")
        check(2, "no such option", "ps", "--nonsense")
        check(3, "no engine runs for project 'errors'", "ps")
        check(2, "No such file", "check", "-f", "gone.yaml")
        project.write("bad.yaml", "processes:\n  a: {command: x\n")
        check(2, "bad.yaml:3:1:", "check", "-f", "bad.yaml")
        project.run("up", "-d", check=0)
        check(4, "there are: a", "stop", "nobody")
        check(2, "scale takes a number", "scale", "a", "many")
        check(2, "--grep:", "logs", "--grep", "(")
        check(1, "from 1 to 1000", "scale", "a", "0")
        check(2, "runs already", "up", "--headless")
        project.write("thrum.yaml", json.dumps({"name": "errors", "processes": {"b": {"command": "sleep 5"}}}))
        check(2, "different configuration", "up", "-d")
    finally:
        project.close()


def the_examples_are_valid():
    folder = os.path.join(os.environ["SRCDIR"], "examples")
    for name in ("demo.yaml", "process-compose.yaml", "Procfile"):
        done = subprocess.run([THRUM, "check", "-f", os.path.join(folder, name)], capture_output=True, text=True, timeout=60)
        expect(done.returncode == 0, f"{name}: {done.stderr}")


def a_failed_exec_says_which_step_and_why():
    project = Project("exec", {"a": {"command": ["./nothing"], "availability": {"restart": "no"}}})
    try:
        front = project.headless()
        expect(front.wait(60) == 1, f"status {front.returncode}")
        exited = [r for r in project.records() if r.get("event") == "exited"]
        expect(exited[0]["code"] == 127 and exited[0]["detail"] == "exec ./nothing: No such file or directory", str(exited))
    finally:
        project.close()


def order_and_status_follow_the_dependencies():
    project = Project("order", {
        "web": {"command": "sleep 600", "depends_on": {"migrate": {"condition": "process_completed_successfully"}}},
        "migrate": {"command": "exit 0", "availability": {"restart": "no"}},
        "broken": {"command": "exit 1", "availability": {"restart": "no"}},
        "never": {"command": "sleep 600", "depends_on": {"broken": {"condition": "process_completed_successfully"}}},
    })
    try:
        front = project.headless("--exit-when", "never")
        until(lambda: project.rows().get("web/0", {}).get("state") == "running" and project.rows()["never/0"]["state"] == "skipped", "web runs, never is skipped")
        front.terminate()
        expect(front.wait(60) == 1, f"status {front.returncode}")
        told = [(r["event"], r["service"]) for r in project.records() if r["kind"] == "event"]
        expect(told.index(("completed", "migrate")) < told.index(("started", "web")), f"order {told}")
        expect(("started", "never") not in told, "it was started all the same")
    finally:
        project.close()


def a_run_ends_as_it_is_told_to():
    project = Project("ends", {"one": {"command": "exit 7", "availability": {"restart": "no"}}, "two": {"command": "sleep 600"}})
    try:
        expect(project.headless("--exit-when", "one").wait(60) == 7, "the status of `one` is passed on")
        expect(project.headless("--exit-when", "any-failure").wait(60) == 1, "any-failure")
    finally:
        project.close()


def a_run_waits_for_the_end_of_the_one_before():
    """An engine whose work is over answers for a while still: here to a client that stays."""
    project = Project("follows", {"one": {"command": "true", "availability": {"restart": "no"}}, "gate": {"command": "read x < gate", "availability": {"restart": "no"}}})
    try:
        os.mkfifo(project.dir + "/gate")
        with socket.socket(socket.AF_UNIX) as client:
            front = project.headless()
            comes_to(project, "gate/0", "running")
            former = project.engine()
            client.connect(f"{project.dir}/run/follows/control")
            with open(project.dir + "/gate", "w") as gate:
                gate.write("go\n")
            expect(front.wait(60) == 0, "the first run")
            expect(hello(project) and hello(project)["over"], "its engine answers still")
            project.write("thrum.yaml", json.dumps({"name": "follows", "processes": {"two": {"command": "true", "availability": {"restart": "no"}}}}))
            expect("two/0" in project.run("up", "--headless", check=0).stdout, "the second run")
        expect(not is_alive(former), "which waited for the end of the first")
    finally:
        project.close()


def the_owner_is_lost_and_everything_stops():
    project = Project("owner", {"a": {"command": "sleep 600", "instances": 3}})
    try:
        front = project.headless("--exit-when", "never")
        pids = until(lambda: [r["pid"] for r in project.rows().values() if r["pid"]] if len(project.rows()) == 3 else None, "all run")
        front.kill()
        front.wait()
        until(lambda: not any(map(is_alive, pids)), "all are stopped")
        until(lambda: project.engine() is None, "the engine ended")
    finally:
        project.close()


def down_and_up_follow_each_other():
    project = Project("again", {"a": {"command": "sleep 600"}})
    try:
        for _ in range(12):
            project.run("up", "-d", check=0)
            project.run("down", check=0)
    finally:
        project.close()


def a_shell_that_names_the_project_is_no_part_of_it():
    """THRUM_PROJECT and the folders in one's own environment are no sign of a process left over."""
    project = Project("named", {"a": {"command": "sleep 1000"}})
    project.env["THRUM_PROJECT"] = "named"
    try:
        project.run("up", "-d", check=0)
        comes_to(project, "a/0", "running")
    finally:
        project.close()


def without_descriptors_clients_wait_and_the_engine_rests():
    project = Project("descriptors", {"a": {"command": "sleep 600"}})
    clients = []
    try:
        project.run("up", "-d", check=0)
        engine = project.engine()
        soft, hard = resource.prlimit(engine, resource.RLIMIT_NOFILE)
        resource.prlimit(engine, resource.RLIMIT_NOFILE, (lowest_free(engine), hard))
        for _ in range(3):
            clients.append(control(project))
        before, began = ticks_of(engine), time.monotonic()
        time.sleep(1)  # what is measured is how much it works in that time
        used, seconds = ticks_of(engine) - before, time.monotonic() - began
        resource.prlimit(engine, resource.RLIMIT_NOFILE, (soft, hard))
        expect(used < 20 * seconds, f"{used} ticks in {seconds:.1f} s in which nothing could be done")
        expect(until(project.engine, "it answers again") == engine, "it is another engine")
    finally:
        for client in clients:
            client.close()
        project.close()


def a_full_disk_loses_nothing():
    project = Project("full", {"w": {"command": [WORKER + "/counter", "started", "w", "200000", "50", "0", "0"], "availability": {"restart": "no"}}},
                      log={"dir": "small"})
    folder = project.dir + "/small"
    try:
        os.mkdir(folder)
        if not project.mount(folder, "-t", "tmpfs", "-o", "size=1m,mode=700", "none"):
            print("# skipped: no right to mount a small disk")
            return
        project.run("up", "-d", check=0)
        until(lambda: any("No space left" in (e["detail"] or "") for e in map(json.loads, project.run("events", "--json").stdout.splitlines())), "the full disk is told")
        expect(state(project, "w/0") == "running", "the child waits")
        subprocess.run(["mount", "-o", "remount,size=64m", folder], check=True)
        project.run("wait", "w", "--for", "completed", "--timeout", "60s", check=0)
        with open(folder + "/w-0.out.log", "rb") as f:
            wrong = numbered(f.read(), "w", 200000)
        expect(not wrong, str(wrong))
    finally:
        project.close()


main(children_get_what_is_meant_for_them_and_nothing_else,
     a_service_runs_as_another_user, who_rests_is_not_waited_for,
     unless_stopped_means_it,
     errors_are_one_clear_sentence_with_a_status,
     the_examples_are_valid,
     a_failed_exec_says_which_step_and_why, order_and_status_follow_the_dependencies, a_run_ends_as_it_is_told_to,
     a_run_waits_for_the_end_of_the_one_before, the_owner_is_lost_and_everything_stops, down_and_up_follow_each_other,
     a_shell_that_names_the_project_is_no_part_of_it, without_descriptors_clients_wait_and_the_engine_rests, a_full_disk_loses_nothing)
