#!/usr/bin/env python3
"""
Everything that can be killed is killed at random, keeper and engine together too, clients are stopped, the disk fills up; all the while
and at the end what must hold is looked at: no second copy, no zombie, no orphan, no lost or doubled line, every death in the
history. THRUM_SECONDS (10), THRUM_SEED (1). bothpoints.py and adoption.py kill both at each of their steps.
"""
import random
from lib_thrum import *

SECONDS = float(os.environ.get("THRUM_SECONDS", "10"))
LINES = int(SECONDS * 600)
NEAR_THE_END = 3000  # lines; a pipe holds 2000 of them
SLEEPER = "4715"
TREE = ["sh", "-c", f"sleep {SLEEPER} & (setsid sleep {SLEEPER} &) ; wait"]
DISK = 16 * 1024 * 1024  # bytes of the disk that fills up; the logs are smaller


def check_now(p):
    leaders = {}
    for pid, found in marked(p).items():
        first = found.command.split(b"\0")[0]  # none: it has just ended
        if found.session == pid and found.state not in "ZX" and first not in (b"", b"sleep", b"setsid"):
            leaders.setdefault(found.service, []).append(pid)
    # of two that were seen one after the other the former may have gone before the other came: not when it is there even now
    still = marked(p) if any(pids[1:] for pids in leaders.values()) else {}
    for name, pids in leaders.items():
        expect(not any(pid in still and still[pid].state not in "ZX" for pid in pids[:-1]), f"two copies of {name}: {pids} of {still}")


def zombies_of(parent):
    return [pid for pid in children_of(parent) if stat_of(pid)[:1] == ["Z"]]


def state_of(pid):
    """None: it has ended, or there never was one."""
    state = stat_of(pid)[:1]
    return None if not state or state[0] in "ZX" else state[0]


class Disk:
    """A small one of its own under the state folder, where we may mount one."""

    def __init__(self, project, folder):
        self.folder = folder
        self.is_mounted = project.mount(folder, "-t", "tmpfs", "-o", f"size={DISK},mode=700", "none")

    def fill(self):
        with open(self.folder + "/filler", "wb", buffering=0) as f:
            try:
                while f.write(b"x" * 65536):
                    pass
            except OSError:
                pass

    def free(self):
        try:
            os.unlink(self.folder + "/filler")
        except FileNotFoundError:
            pass


class Chaos:
    def __init__(self, p, luck, counters, disk):
        self.p, self.luck, self.counters, self.disk, self.counts, self.readers = p, luck, counters, disk, {}, []
        self.deeds = [self.both, self.engine, self.engine, self.keeper, self.child, self.grandchild, self.restart, self.stop_and_start, self.client, self.full_disk]

    def signal(self, pid, number):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass

    def kill(self, pid):
        self.signal(pid, signal.SIGKILL)

    def lines_of(self, counter):
        return self.p.log(counter + "/0").count(b"\n")

    def engine(self):
        self.kill(until(lambda: hello(self.p), "an engine")["engine_pid"])

    def keeper(self):
        kill_keeper(self.p)

    def both(self):
        """
        Whatever the others do; but no counter ends while nobody is there, since what is in its pipe then is gone, nor has one ended of
        whom something is still there, for the disk was full. At the instant they stand still, and only who has more to write than a
        pipe holds goes on before there is an engine again.
        """
        rows = until(self.p.rows, "all instances")
        pids = {n: rows[n + "/0"]["pid"] for n in self.counters if rows[n + "/0"]["state"] != "completed"}
        if any(self.lines_of(name) < LINES for name in self.counters if name not in pids):
            return False
        for pid in filter(None, pids.values()):
            self.signal(pid, signal.SIGSTOP)
        try:
            until(lambda: all(state_of(pid) in ("T", None) for pid in pids.values()), "they stand still, or have ended")
            if not all(state_of(pid) == "T" for pid in pids.values()):
                return False
            kill_both(self.p)
            for name, pid in pids.items():
                if self.lines_of(name) < LINES - NEAR_THE_END:
                    self.signal(pid, signal.SIGCONT)
            self.p.run("up", "-d", check=0)
            return True
        finally:
            for pid in filter(None, pids.values()):
                self.signal(pid, signal.SIGCONT)

    def child(self):
        rows = [r for n, r in self.p.rows().items() if n.startswith("tree") and r["pid"]]
        if rows:
            self.kill(self.luck.choice(rows)["pid"])

    def grandchild(self):
        pids = [pid for pid, found in marked(self.p).items() if found.command.startswith(b"sleep\0" + SLEEPER.encode())]
        if pids:
            self.kill(self.luck.choice(pids))

    def restart(self):
        self.p.run("restart", f"tree{self.luck.randrange(3)}")

    def stop_and_start(self):
        name = f"tree{self.luck.randrange(3)}"
        self.p.run("stop", name)
        self.p.run("start", name)

    def client(self):
        """One that follows and stops reading."""
        reader = subprocess.Popen([THRUM, "logs", "-f", "count0"], cwd=self.p.dir, env=self.p.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.readers.append(reader)
        os.kill(reader.pid, signal.SIGSTOP)
        if len(self.readers) > 5:
            self.end(self.readers.pop(0))

    def full_disk(self):
        """While it is full somebody dies, and the engine is killed: nothing of that is lost either."""
        if not self.disk.is_mounted:
            return False
        self.disk.fill()
        try:
            self.child()
            self.engine()
            self.grandchild()
            until(lambda: hello(self.p), "an engine")
        finally:
            self.disk.free()

    def end(self, reader):
        reader.kill()
        reader.communicate()

    def step(self):
        deed = self.luck.choice(self.deeds)
        if deed() is not False:
            self.counts[deed.__name__] = self.counts.get(deed.__name__, 0) + 1

    def close(self):
        self.disk.free()
        for reader in self.readers:
            self.end(reader)


def check_history(p):
    lives = {n: r["life"] for n, r in p.rows().items()}
    deaths = p.json("history", "-n", "100000")
    for name, count in lives.items():
        found = sorted(d["life"] for d in deaths if f"{d['service']}/{d['instance']}" == name)
        twice = [d for d in deaths if f"{d['service']}/{d['instance']}" == name and found.count(d["life"]) > 1]
        expect(found == list(range(1, count + 1)), f"{name}: of {count} lives these have a death in the history: {found}; twice: {twice}")
    return sum(lives.values())


def whatever_is_killed_what_must_hold_holds():
    counters = [f"count{i}" for i in range(4)]
    always = {"restart": "always", "max_restarts": "unlimited", "min_uptime": 0, "backoff": {"initial": "20ms"}}
    p = Project("chaos", {**{n: {"command": [WORKER + "/counter", f"pids-{n}", n, str(LINES), "1", "1000", "0"], "availability": {"restart": "no"}} for n in counters},
                          **{f"tree{i}": {"command": TREE, "availability": always, "shutdown": {"timeout": "1s"}} for i in range(3)}})
    disk = Disk(p, p.dir + "/state")
    chaos = Chaos(p, random.Random(int(os.environ.get("THRUM_SEED", "1"))), counters, disk)
    try:
        p.run("up", "-d", check=0)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            chaos.step()
            check_now(p)
        until(lambda: (rows := p.rows()) and all(rows[n + "/0"]["state"] == "completed" for n in counters), "the counters are done", 120)
        for n in counters:
            wrong = numbered(p.log(n + "/0"), n, LINES)
            expect(not wrong, wrong)
            expect(len(p.log_at(f"pids-{n}").splitlines()) == 1, f"{n} ran more than once")
        keeper = until(lambda: hello(p), "an engine")["keeper_pid"]
        until(lambda: not zombies_of(keeper), lambda: f"no zombies: {zombies_of(keeper)}")
        p.run("stop", "all", check=0)
        until(lambda: all(r["state"] in ("stopped", "completed") for r in p.rows().values()), "all is stopped")
        until(lambda: not marked(p), lambda: f"stopped is who is gone with all of its tree: {marked(p)}")
        lives = check_history(p)
        expect(not p.log_at("state/chaos/crash"), "no engine ended by a fault of its own")
        p.run("down", check=0)
        until(lambda: not marked(p), lambda: f"no orphans: {marked(p)}")
        print(f"# {chaos.counts}, {LINES * len(counters)} lines, {lives} lives", flush=True)
    except Failure as why:
        raise Failure(f"{why}; {chaos.counts} {marked(p)} {p.log_at('state/chaos/engine.log')[-3000:].decode(errors='replace')}\n{p.log_at('state/chaos/crash').decode(errors='replace')}")
    finally:
        chaos.close()
        p.close()


main(whatever_is_killed_what_must_hold_holds)
