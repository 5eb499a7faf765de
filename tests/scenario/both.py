#!/usr/bin/env python3
"""Keeper and engine are killed together: what the next start knows of those that do not run, or not yet."""
import ctypes, struct
from lib_thrum import *

NEVER = {"restart": "no"}
FAN_CLASS_CONTENT, FAN_CLOEXEC, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, FAN_ALLOW, AT_FDCWD = 4, 1, 1, 0x40000, 1, -100


def what_rested_rests_on():
    p = Project("rest", {"done": {"command": ["sh", "-c", "echo done >> runs"], "availability": NEVER},
                         "failed": {"command": ["sh", "-c", "echo failed >> runs; exit 3"], "availability": NEVER},
                         "fatal": {"command": ["sh", "-c", "echo fatal >> runs; exit 4"], "availability": {"restart": "always", "max_restarts": 1, "backoff": {"initial": "1ms"}}},
                         "stopped": {"command": ["sh", "-c", "echo stopped >> runs; exec sleep 1000"]},
                         "after": {"command": ["sh", "-c", "echo after >> runs; exec sleep 1000"], "depends_on": {"done": {"condition": "process_completed_successfully"}}},
                         "changed": {"command": ["sh", "-c", "echo changed >> runs"], "availability": NEVER}})
    at_rest = {"done/0": "completed", "failed/0": "failed", "fatal/0": "fatal", "stopped/0": "stopped", "after/0": "running", "changed/0": "completed"}
    try:
        p.run("up", "-d", check=0)
        until(lambda: states(p).get("stopped/0") == "running", "all are started")
        p.run("stop", "stopped", check=0)
        until(lambda: states(p) == at_rest, lambda: f"all rest: {states(p)}")
        before, runs = p.rows(), p.log_at("runs")
        for _ in range(2):
            kill_both(p)
            p.run("up", "-d", check=0)
            until(lambda: states(p) == at_rest, lambda: f"they rest as they did: {states(p)} {p.log_at('runs')}")
            expect(p.log_at("runs") == runs, f"nobody was started again: {p.log_at('runs')}")
            for name, row in p.rows().items():
                for key in "life", "restarts", "pid", "last_exit":
                    expect(row.get(key) == before[name].get(key), f"{name}: {key} is {row.get(key)}, was {before[name].get(key)}")
        expect(len(p.json("history")) == 6, f"each death is in the history once: {p.json('history')}")
        spec = json.loads(open(p.dir + "/thrum.yaml").read())
        spec["processes"]["changed"]["command"][2] += "; true"
        kill_both(p)
        p.write("thrum.yaml", json.dumps(spec))
        p.run("up", "-d", check=0)
        until(lambda: p.log_at("runs").count(b"changed") == 2, "what has another configuration is started")
        p.run("start", "done", "stopped", check=0)
        until(lambda: p.log_at("runs").count(b"done") == 2 and states(p)["stopped/0"] == "running", "and what is asked for by name")
        p.run("down", check=0)
        p.run("up", "-d", check=0)
        until(lambda: p.log_at("runs").count(b"done") == 3, "after an end in order all is started")
    finally:
        p.close()


def a_stop_that_was_under_way_goes_on():
    p = Project("stopping", {"a": {"command": ["sh", "-c", "trap 'echo >> asked' TERM; while :; do sleep 0.05; done"], "shutdown": {"timeout": "60s"}}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: states(p).get("a/0") == "running", "it runs")
        pid = p.rows()["a/0"]["pid"]
        p.run("stop", "a", check=0)
        until(lambda: p.log_at("asked"), "it is asked to stop")
        kill_both(p)
        p.run("up", "-d", check=0)
        until(lambda: states(p).get("a/0") == "stopping", lambda: f"it is still to stop: {states(p)}")
        expect(p.rows()["a/0"]["pid"] == pid, "the same")
        p.run("stop", "a")
        until(lambda: states(p)["a/0"] == "stopped", "a second stop kills now")
    finally:
        p.close()


def who_was_stopped_before_it_ever_ran_stays_so():
    p = Project("waiting", {"before": {"command": "sleep 1000"},
                            "waits": {"command": "sleep 1000", "depends_on": {"before": {"condition": "process_completed_successfully"}}}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: states(p).get("waits/0") == "pending", "it waits")
        engine = p.engine()
        os.kill(engine, signal.SIGKILL)
        until(lambda: p.engine() not in (None, engine), "another engine")
        p.run("stop", "waits", check=0)
        for time in ("first", "second"):
            until(lambda: states(p).get("waits/0") == "stopped", f"the {time} time: {states(p)}")
            kill_both(p)
            p.run("up", "-d", check=0)
        until(lambda: states(p).get("before/0") == "running", "the other goes on")
        expect(states(p)["waits/0"] == "stopped", f"it stays stopped: {states(p)}")
    finally:
        p.close()


class Gate:
    """Whoever is to execute the file waits until it is let through. None: we may not hold anybody."""

    def __init__(self, path):
        libc = ctypes.CDLL(None)
        libc.fanotify_mark.argtypes = [ctypes.c_int, ctypes.c_uint, ctypes.c_uint64, ctypes.c_int, ctypes.c_char_p]
        self.fd = libc.fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, os.O_RDONLY)
        self.may_hold = self.fd >= 0 and libc.fanotify_mark(self.fd, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM, AT_FDCWD, path.encode()) == 0

    def take(self):
        """(descriptor, pid) of who waits."""
        return struct.unpack_from("<ii", os.read(self.fd, 24), 16)

    def let(self, fd):
        os.write(self.fd, struct.pack("<iI", fd, FAN_ALLOW))
        os.close(fd)

    def close(self):
        if self.fd >= 0:
            os.close(self.fd)


def who_is_just_being_born_is_waited_for():
    p = Project("born", {"a": {"command": "./program 1000"}})
    gate = None
    try:
        shutil.copy2(shutil.which("sleep"), p.dir + "/program")
        gate = Gate(p.dir + "/program")
        if not gate.may_hold:
            return
        first = subprocess.Popen([THRUM, "up", "-d"], cwd=p.dir, env=p.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        fd, pid = gate.take()
        keeper = parent_of(pid)
        engine = next(child for child in children_of(keeper) if child != pid)
        os.kill(engine, signal.SIGSTOP)
        for one in keeper, engine:
            os.kill(one, signal.SIGKILL)
        until(lambda: not is_alive(keeper) and not is_alive(engine), "both are gone")
        first.wait(60)
        second = subprocess.Popen([THRUM, "up", "-d"], cwd=p.dir, env=p.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # nobody can find it yet, so nobody may start another one: it has the lock
        expect(subprocess.run(["flock", "-n", p.dir + "/run/born/lock", "true"]).returncode != 0, "it holds the lock")
        gate.let(fd)
        fd, other = gate.take()  # the first has been ended, and another one is started
        expect(not is_alive(pid), f"{pid} and {other} are there")
        gate.let(fd)
        expect(second.wait(60) == 0, f"{second.communicate()}")
        until(lambda: states(p).get("a/0") == "running", "it runs")
        expect([m for m in marked(p)] == [p.rows()["a/0"]["pid"]], f"one copy: {marked(p)}")
    finally:
        if gate:
            gate.close()
        p.close()


main(what_rested_rests_on,
     a_stop_that_was_under_way_goes_on,
     who_was_stopped_before_it_ever_ran_stays_so,
     who_is_just_being_born_is_waited_for)
