#!/usr/bin/env python3
"""
The state of the engine cannot be used by the next one: another thrum wrote it, it makes no sense, or one engine after
another ends by a fault. It begins anew; processes, their terminals, channels and logs go on.
"""
import random
from lib_thrum import *

LINES = 3000
ECHO = "import os\nf = os.fdopen(int(os.environ['THRUM_CHANNEL_FD']), 'r+b', buffering=0)\nfor l in f: f.write(l)"
NEVER = {"restart": "no"}


def begin(name):
    p = Project(name, {"count": {"command": [WORKER + "/counter", "pids", "count", str(LINES), "1", "1000", "7"], "availability": NEVER},
                       "tree": {"command": ["sh", "-c", "(setsid sleep 4720 &) ; sleep 4720 & wait"]},
                       "term": {"command": "cat", "pty": True},
                       "chan": {"command": ["python3", "-u", "-c", ECHO], "ipc": "json"},
                       "sock": {"command": "sleep 4720", "listen": [f"tcp://127.0.0.1:{free_port()}"]},
                       "said": {"command": ["sh", "-c", "echo hello; exec sleep 4720"], "ready": {"log": "hello"}},
                       "waits": {"command": "sleep 4720", "depends_on": {"stopped": {"condition": "process_completed_successfully"}}},
                       "done": {"command": ["sh", "-c", "echo >> runs"], "availability": NEVER},
                       "stopped": {"command": "sleep 4720"}})
    p.run("up", "-d", check=0)
    until(lambda: states(p).get("said/0") == "ready" and states(p)["done/0"] == "completed" and states(p)["stopped/0"] == "running", lambda: f"all run: {states(p)}")
    p.run("stop", "stopped", check=0)
    until(lambda: states(p)["stopped/0"] == "stopped", "one is stopped")
    return p, {n: r["pid"] for n, r in p.rows().items()}


def goes_on(p, former, why):
    want = {"tree/0": "running", "term/0": "running", "chan/0": "running", "sock/0": "running", "said/0": "ready", "waits/0": "pending", "done/0": "completed", "stopped/0": "stopped"}
    until(lambda: {n: s for n, s in states(p).items() if n != "count/0"} == want, lambda: f"all is as it was: {states(p)} {p.run('events').stdout}")
    now = {n: r["pid"] for n, r in p.rows().items()}
    expect({n: pid for n, pid in now.items() if n not in ("sock/0", "count/0")} == {n: pid for n, pid in former.items() if n not in ("sock/0", "count/0")}, f"the same processes: {former} {now}")
    expect(not is_alive(former["sock/0"]), "one whose socket nobody knows any more was ended first")
    told = p.run("events").stdout
    expect(f"{why}: it begins anew; processes and logs go on" in told, f"it is told: {told}")
    p.run("send-keys", "term", f"typed {why}", "Enter", check=0)
    until(lambda: f"typed {why}".encode() in p.log("term/0"), "its terminal goes on")
    expect(json.loads(p.run("send", "--wait", "chan", '{"x": 5}', check=0).stdout.splitlines()[-1].split(None, 1)[-1])["x"] == 5, "its channel goes on")


def ends(p, former):
    comes_to(p, "count/0", "failed")
    wrong = numbered(p.log("count/0"), "count", LINES)
    expect(not wrong, wrong)
    died = [d for d in p.json("history") if d["service"] == "count"]
    expect(len(died) == 1 and died[0]["code"] == 7 and died[0]["pid"] == former["count/0"], f"how it ended is known: {died}")
    expect(len(p.log_at("pids").splitlines()) == 1 and p.log_at("runs").count(b"\n") == 1, "nobody ran twice")
    p.run("stop", "tree", check=0)
    until(lambda: states(p)["tree/0"] == "stopped", "stopped with all of its tree")
    expect(not [m for m in marked(p).values() if m.service == "tree"], f"{marked(p)}")
    p.run("down", check=0)
    until(lambda: not marked(p), lambda: f"nobody is left: {marked(p)}")


def another_thrum_takes_over():
    os.environ.setdefault("THRUM_KEEPER", os.path.join(os.path.dirname(THRUM), "thrum-keeper"))
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    program = folder + "/thrum"

    def install(what):
        shutil.copy2(what, program + ".new")
        os.rename(program + ".new", program)
    global_thrum = globals()["THRUM"]
    import lib_thrum
    try:
        install(global_thrum)
        lib_thrum.THRUM = program
        p, former = begin("later")
        try:
            install(WORKER + "/later")
            done = p.run("upgrade", check=0)
            expect("what runs was not touched" in done.stdout, f"{done}")
            goes_on(p, former, "another thrum wrote the state of the engine")
            former["sock/0"] = p.rows()["sock/0"]["pid"]
            install(global_thrum)  # and back
            p.run("upgrade", check=0)
            goes_on(p, former, "another thrum wrote the state of the engine")
            ends(p, former)
        finally:
            p.close()
    finally:
        lib_thrum.THRUM = global_thrum
        shutil.rmtree(folder)


def spoil(keeper):
    """What something that wrote where it should not would leave."""
    name = next(n for n in os.listdir(f"/proc/{keeper}/fd") if "thrum-engine-state" in os.readlink(f"/proc/{keeper}/fd/{n}"))
    with open(f"/proc/{keeper}/fd/{name}", "r+b", buffering=0) as f:
        f.seek(12)
        f.write(b"\xff" * 4000)


def a_state_that_makes_no_sense_begins_anew():
    p, former = begin("nonsense")
    luck = random.Random(int(os.environ.get("THRUM_SEED", "1")))
    try:
        now = until(lambda: hello(p), "an engine")
        engine, keeper = now["engine_pid"], now["keeper_pid"]
        os.kill(engine, signal.SIGSTOP)  # it could fall over it itself
        spoil(keeper)
        os.kill(engine, signal.SIGKILL)
        for _ in range(6):  # and the next ones in the midst of it
            time.sleep(luck.uniform(0, 0.02))
            for pid in [pid for pid in children_of(keeper) if name_of(pid) == "thrum"]:
                os.kill(pid, signal.SIGKILL)
        goes_on(p, former, "the state of the engine made no sense")
        ends(p, former)
    finally:
        p.close()


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm") as f:
            return f.read().strip()
    except OSError:
        return None


def fault_after_fault_makes_it_begin_anew():
    p, former = begin("faults")
    try:
        for _ in range(5):
            kill_engine(p, signal.SIGSEGV)
        goes_on(p, former, "one engine after another ended by a fault of its own")
        ends(p, former)
    finally:
        p.close()


main(another_thrum_takes_over,
     a_state_that_makes_no_sense_begins_anew,
     fault_after_fault_makes_it_begin_anew)
