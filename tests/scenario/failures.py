#!/usr/bin/env python3
"""Failures that have no file of their own: each is bounded and told, and nothing else is affected. doc/failures.md has them all."""
import fcntl, random, resource
from lib_thrum import *

NEVER = {"restart": "no"}
FIFREEZE, FITHAW = 0xC0045877, 0xC0045878


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, **options)


def who_waits_in_the_kernel_is_told_and_holds_nobody_up():
    """A frozen file system: a write to it cannot be ended by any signal until it is thawed."""
    p = Project("stuck", {"stuck": {"command": ["sh", "-c", "echo > disk/there; while :; do echo x; done > disk/file"], "shutdown": {"timeout": "50ms"}, "availability": NEVER},
                          "other": {"command": "sleep 1000"}})
    disk, is_frozen, fd = p.dir + "/disk", False, -1
    try:
        os.mkdir(disk)
        with open(p.dir + "/image", "wb") as f:
            f.truncate(16 * 1024 * 1024)
        if run("mkfs.ext4", "-q", "-F", p.dir + "/image").returncode or not p.mount(disk, "-o", "loop", p.dir + "/image"):
            print("# skipped: no file system can be made here")
            return
        p.run("up", "-d", check=0)
        until(lambda: os.path.exists(disk + "/there"), "it writes")
        pid = p.rows()["stuck/0"]["pid"]
        fd = os.open(disk, os.O_RDONLY)
        fcntl.ioctl(fd, FIFREEZE, 0)
        is_frozen = True
        until(lambda: stat_of(pid)[0] == "D", "it waits in the kernel")
        p.run("stop", "stuck", check=0)
        detail = until(lambda: (d := p.rows()["stuck/0"]["detail"]) and "in state D" in d and d, "that it cannot be killed is told")
        expect(str(pid) in detail and state(p, "stuck/0") == "stopping", f"{p.rows()}")
        p.run("restart", "other", check=0)
        until(lambda: p.rows()["other/0"]["restarts"]["manual"] == 1 and state(p, "other/0") == "running", "others go on")
        fcntl.ioctl(fd, FITHAW, 0)
        is_frozen = False
        until(lambda: state(p, "stuck/0") == "stopped", "it is stopped when it is gone, not before")
    finally:
        if is_frozen:
            fcntl.ioctl(fd, FITHAW, 0)
        if fd >= 0:
            os.close(fd)
        p.close()


# in a pid namespace of its own, where the next pid can be chosen
REUSE = """
import os, signal, subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from lib_thrum import *
p = Project("reuse", {"a": {"command": "sleep 1000", "availability": {"restart": "no"}}})
try:
    p.run("up", "-d", check=0)
    pid = until(lambda: p.rows()["a/0"]["pid"], "it runs")
    kill_both(p)
    os.kill(pid, signal.SIGKILL)
    until(lambda: not os.path.exists(f"/proc/{pid}"), "it is reaped")
    time.sleep(0.03)  # start times are counted in hundredths of a second
    while True:  # a stranger with that pid
        with open("/proc/sys/kernel/ns_last_pid", "w") as f:
            f.write(str(pid - 1))
        stranger = subprocess.Popen(["sleep", "1000"])
        if stranger.pid == pid:
            break
        stranger.kill(), stranger.wait()
    p.run("up", "-d", check=0)
    until(lambda: p.rows()["a/0"]["state"] == "failed", lambda: "its end is known: %s %s" % (p.rows(), p.run("events").stdout))
    expect(p.json("history")[0]["pid"] == pid and "nobody knows" in p.json("history")[0]["detail"], p.json("history"))
    p.run("stop", "all"), p.run("kill", "all"), p.run("down", check=0)
    expect(stranger.poll() is None, "the stranger was not touched")
    print("held")
finally:
    p.close()
"""


def a_pid_that_is_another_s_by_now_is_never_signalled():
    done = run("unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "python3", "-c",
               "import os, subprocess, sys\npid = os.fork()\nif pid == 0: os.execvp(sys.argv[1], sys.argv[1:])\nstatus = None\n"
               "while status is None:\n  got, s = os.wait()\n  if got == pid: status = s\nsys.exit(os.waitstatus_to_exitcode(status))",
               "python3", "-c", REUSE, os.path.dirname(os.path.abspath(__file__)), timeout=120)
    if "unshare" in done.stderr:
        print("# skipped: no namespace can be had here")
        return
    expect(done.returncode == 0 and "held" in done.stdout, f"{done}")


def what_cannot_be_started_for_want_of_descriptors_is_started_later():
    p = Project("want", {"a": {"command": "sleep 1000"}, "b": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "b/0") == "running", "both run")
        p.run("stop", "b", check=0)
        until(lambda: state(p, "b/0") == "stopped", "one is stopped")
        engine = p.engine()
        soft, hard = resource.prlimit(engine, resource.RLIMIT_NOFILE)
        with control(p) as s:  # a client that is connected before
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
            s.recv(10000)
            resource.prlimit(engine, resource.RLIMIT_NOFILE, (lowest_free(engine), hard))
            s.sendall(b'{"jsonrpc":"2.0","id":2,"method":"start","params":{"names":["b"]}}\n')
            s.recv(10000)
            s.sendall(b'{"jsonrpc":"2.0","id":3,"method":"list","params":{"names":["b"]}}\n')
            row = json.loads(s.makefile().readline())["result"]["instances"][0]
            expect(row["state"] == "backoff" and "Too many open files" in (row["detail"] or ""), f"{row}")
            resource.prlimit(engine, resource.RLIMIT_NOFILE, (soft, hard))
        until(lambda: state(p, "b/0") == "running", "then it is started")
        expect(p.rows()["b/0"]["restarts"]["crash"] == 0 and p.engine() == engine, "that was no crash")
    finally:
        p.close()


def a_log_folder_that_goes_away_or_is_no_folder_stops_nobody():
    p = Project("gone", {"a": {"command": ["sh", "-c", "while read x < gate; do echo said $x; done"], "log": {"dir": "logs"}},
                         "fifo": {"command": ["sh", "-c", "echo x; exec sleep 1000"], "log": {"dir": "pipes"}}})
    try:
        os.mkfifo(p.dir + "/gate")
        os.mkdir(p.dir + "/pipes")
        os.mkfifo(p.dir + "/pipes/fifo-0.out.log")
        os.mkdir(p.dir + "/logs")
        keep = os.open(p.dir + "/gate", os.O_RDWR)
        p.run("up", "-d", check=0)
        until(lambda: state(p, "a/0") == "running" and state(p, "fifo/0") == "running", "both run")
        os.write(keep, b"one\n")
        until(lambda: p.log_at("logs/a-0.out.log") == b"said one\n", "the first line")
        pid = p.rows()["a/0"]["pid"]
        shutil.rmtree(p.dir + "/logs")
        until(lambda: os.write(keep, b"more\n") and b"said more" in p.log_at("logs/a-0.out.log"), "the folder is made again")
        expect(p.rows()["a/0"]["pid"] == pid and state(p, "fifo/0") == "running", "nobody noticed")
        os.close(keep)
    finally:
        p.close()


def clients_that_stop_reading_cost_so_much_and_no_more():
    p = Project("slow", {"yes": {"command": "yes", "log": {"rotate": {"max_size": "1MB", "max_files": 1}}}, "other": {"command": "sleep 1000"}})
    clients = []
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "yes/0") == "running", "it runs")
        before = anonymous_kb(p.engine())
        for _ in range(8):
            s = control(p)
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"samples":true,"logs":true,"sample_ms":100}}\n' + b'{"jsonrpc":"2.0","id":2,"method":"list"}\n' * 200)
            clients.append(s)
        end = (p.json("info", "yes/0")["log"] or {"end": 0})["end"]
        until(lambda: (p.json("info", "yes/0")["log"] or {"end": 0})["end"] > end + 300_000_000, "300 MB pass")
        p.run("restart", "other", check=0)
        until(lambda: p.rows()["other/0"]["restarts"]["manual"] == 1, "others are served")
        after = anonymous_kb(p.engine())
        expect(after < before + 8 * 4096 + 4096, f"{before} KB before, {after} KB after")
    finally:
        for s in clients:
            s.close()
        p.close()


def whoever_goes_in_the_midst_of_a_request_has_asked_once_or_not_at_all():
    p = Project("midst", {"a": {"command": "sleep 1000"}})
    luck = random.Random(int(os.environ.get("THRUM_SEED", "1")))
    request = b'{"jsonrpc":"2.0","id":1,"method":"restart","params":{"names":["a"]}}\n'
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "a/0") == "running", "it runs")
        asked = 0
        for i in range(30):
            size = luck.choice([len(request), luck.randrange(len(request))])
            with control(p) as s:
                s.sendall(request[:size])
            asked += size == len(request)
            until(lambda: state(p, "a/0") == "running" and p.rows()["a/0"]["restarts"]["manual"] == asked, lambda: f"{asked} restarts: {p.rows()}")
    finally:
        p.close()


def two_projects_of_one_name_are_told_apart():
    p = Project("twice", {"a": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        engine, pid = p.engine(), until(lambda: p.rows()["a/0"]["pid"], "it runs")
        done = p.run("up", "--headless")
        expect(done.returncode == 2 and "runs already" in done.stderr, f"{done}")
        p.run("up", "-d", check=0)  # joins it
        expect(p.engine() == engine and p.rows()["a/0"]["pid"] == pid, "there is one engine")
        kill_both(p)  # leaves a socket that nobody listens on
        expect(p.run("ps").returncode == 3, "nobody answers")
        p.run("up", "-d", check=0)
        expect(until(lambda: p.rows()["a/0"]["pid"], "it is known") == pid, "and the place is taken again")
    finally:
        p.close()


def a_terminal_that_goes_away_takes_nobody_along():
    import pty
    p = Project("hangup", {"a": {"command": "sleep 1000"}})
    try:
        child, master = pty.fork()
        if child == 0:
            os.chdir(p.dir)
            os.execve(THRUM, [THRUM, "up"], dict(p.env, TERM="xterm-256color"))
        pid = until(lambda: state(p, "a/0") == "running" and p.rows()["a/0"]["pid"], "it runs")
        engine = p.engine()
        os.close(master)
        os.waitpid(child, 0)
        expect(p.engine() == engine and p.rows()["a/0"]["pid"] == pid, "the engine and its processes go on")
    finally:
        p.close()


def an_end_is_known_though_its_output_is_held_open():
    p = Project("held", {"a": {"command": ["sh", "-c", "echo said; setsid env -i sleep 1000 & echo $! > escaped; sleep 0.2; exit 3"], "availability": NEVER, "shutdown": {"timeout": "200ms"}},
                         "quick": {"command": ["sh", "-c", "sleep 1000 & exit 4"], "availability": {"restart": "always", "max_restarts": 2, "backoff": {"initial": "10ms"}}}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "a/0") == "failed" and p.json("history"), lambda: f"{p.rows()}")
        expect([d["code"] for d in p.json("history") if d["service"] == "a"] == [3], "its status is its own")
        until(lambda: state(p, "quick/0") == "fatal", "restarts are not held up either")
        expect(p.log("a/0") == b"said\n", "what it said is there")
        escaped = int(p.log_at("escaped"))
        p.run("down", check=0)
        expect(not is_alive(escaped), "at the end nobody is left, not even who has no mark and a session of its own")
    finally:
        p.close()


def pipes_of(pid):
    return [link for fd in os.listdir(f"/proc/{pid}/fd") if (link := os.readlink(f"/proc/{pid}/fd/{fd}")).startswith("pipe:")]


def an_output_that_is_closed_is_nobody_elses_later():
    """Its number goes to another one in the next engine, and that one's is what is handed on when the keeper is killed too."""
    wait = "until [ -e {0} ]; do sleep 0.05; done; "
    again = "echo begun; [ -e twice ] || { " + wait.format("end") + "touch twice; exit 1; }; " + wait.format("go") + "echo heard; exec sleep 1000"
    p = Project("numbers", {"half": {"command": ["sh", "-c", wait.format("shut") + "exec 2>&-; exec sleep 1000"]},
                            "again": {"command": ["sh", "-c", again], "availability": {"restart": "always", "backoff": {"initial": "20ms"}}}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "half/0") == "running" and p.log("again/0") == b"begun\n", "both run")
        both = len(pipes_of(p.engine()))
        p.write("shut", "")
        until(lambda: len(pipes_of(p.engine())) == both - 1, "one has one output left")
        kill_engine(p)
        p.write("end", "")  # no client is there any more who could be given the number
        until(lambda: p.log("again/0") == b"begun\nbegun\n", "the other has begun again")
        kill_keeper(p)
        p.write("go", "")
        until(lambda: p.log("again/0") == b"begun\nbegun\nheard\n", "what it says is heard")
        expect(not p.log_at("state/numbers/crash"), p.log_at("state/numbers/crash").decode())
    finally:
        p.close()


def more_clients_than_there_is_room_for_are_turned_away():
    p = Project("crowd", {"a": {"command": "sleep 1000"}})
    clients = []
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "a/0") == "running", "it runs")
        engine = p.engine()
        for _ in range(200):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(60)
            try:
                s.connect(f"{p.dir}/run/crowd/control")
                clients.append(s)
            except OSError:
                s.close()
        until(lambda: len(os.listdir(f"/proc/{engine}/fd")) > 64, "they are let in")
        expect(len(os.listdir(f"/proc/{engine}/fd")) < 64 + 40, f"{len(os.listdir(f'/proc/{engine}/fd'))} descriptors")
        os.kill(next(m.pid for m in marked(p).values()), signal.SIGKILL)
        until(lambda: b"KILL" in p.log_at("state/crowd/history.jsonl"), "supervision goes on")
        for s in clients:
            s.close()
        clients = []
        until(lambda: state(p, "a/0") == "running", "and so do requests")
    finally:
        for s in clients:
            s.close()
        p.close()


CHAIN = """
import os
for _ in range(40):
    if os.fork():
        os._exit(3)
    os.setsid()
os.execvp("sleep", ["sleep", "1000"])
"""


def who_forks_on_while_its_tree_is_taken_for_dead_is_found():
    command = [sys.executable, "-S", "-E", "-c", CHAIN]
    p = Project("chain", {f"a{i}": {"command": command, "availability": NEVER} for i in range(20)})
    try:
        p.run("up", "-d", check=0)
        for ends in 20, 40, 60:
            until(lambda: len(p.json("history")) == ends and {r["state"] for r in p.rows().values()} == {"failed"}, f"{ends} have failed, with their trees")
            left = marked(p)
            expect(not left, f"{len(left)} are left: {left}")
            p.run("start", "all", check=0)
    finally:
        p.close()


def a_second_signal_shortens_the_end():
    p = Project("twofold", {"a": {"command": ["sh", "-c", "trap 'echo >> asked' TERM; while :; do sleep 0.05; done"], "shutdown": {"timeout": "10m"}}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "a/0") == "running", "it runs")
        keeper = hello(p)["keeper_pid"]
        began = time.monotonic()
        os.kill(keeper, signal.SIGTERM)
        until(lambda: p.log_at("asked"), "it is asked")

        def ask_again():
            if is_alive(keeper):
                os.kill(keeper, signal.SIGTERM)
            return not is_alive(keeper)
        until(ask_again, "who asks again does not wait for ten minutes")
        expect(time.monotonic() - began > 0.9, "many at once are one")
        expect(not marked(p), f"nobody is left: {marked(p)}")
    finally:
        p.close()


def who_is_short_of_memory_ends_processes_first():
    p = Project("oom", {"usual": {"command": "sleep 1000"}, "chosen": {"command": "sleep 1000", "oom_score_adj": 500}})

    def score(pid):
        return int(open(f"/proc/{pid}/oom_score_adj").read())
    try:
        p.run("up", "-d", check=0)
        rows = until(lambda: (r := p.rows()) and all(x["pid"] for x in r.values()) and r, "they run")
        now = hello(p)
        ours = max(score(now["engine_pid"]), score(now["keeper_pid"]))
        until(lambda: score(rows["usual/0"]["pid"]) == min(ours + 100, 1000), lambda: f"{score(rows['usual/0']['pid'])}, ours {ours}")
        until(lambda: score(rows["chosen/0"]["pid"]) == 500, "unless it is said otherwise")
    finally:
        p.close()


main(who_waits_in_the_kernel_is_told_and_holds_nobody_up,
     a_pid_that_is_another_s_by_now_is_never_signalled,
     what_cannot_be_started_for_want_of_descriptors_is_started_later,
     a_log_folder_that_goes_away_or_is_no_folder_stops_nobody,
     clients_that_stop_reading_cost_so_much_and_no_more,
     whoever_goes_in_the_midst_of_a_request_has_asked_once_or_not_at_all,
     two_projects_of_one_name_are_told_apart,
     a_terminal_that_goes_away_takes_nobody_along,
     an_end_is_known_though_its_output_is_held_open, an_output_that_is_closed_is_nobody_elses_later,
     more_clients_than_there_is_room_for_are_turned_away,
     who_forks_on_while_its_tree_is_taken_for_dead_is_found,
     a_second_signal_shortens_the_end,
     who_is_short_of_memory_ends_processes_first)
