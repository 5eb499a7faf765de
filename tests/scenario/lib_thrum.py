"""What the scenarios share: a project in a folder of its own, driven as a user would."""
import json, os, random, shutil, signal, socket, subprocess, sys, tempfile, threading, time, traceback

THRUM = os.environ["THRUM"]
if os.environ.get("THRUM_NODE"):  # another Node than the one that is installed
    os.environ["PATH"] = os.path.dirname(os.environ["THRUM_NODE"]) + os.pathsep + os.environ["PATH"]
WORKER = os.path.join(os.environ.get("BUILDDIR", "."), "tests", "worker")


class Failure(Exception):
    pass


class Project:
    def __init__(self, name, processes, **top):
        self.name = name
        self.dir = tempfile.mkdtemp(prefix="thrum-test-")
        self.env = dict(os.environ, THRUM_RUNTIME_DIR=self.dir + "/run", THRUM_STATE_DIR=self.dir + "/state", LC_ALL="C.UTF-8")
        os.mkdir(self.dir + "/run", 0o700)
        os.mkdir(self.dir + "/state")
        self.front, self.mounts = None, []
        self.write("thrum.yaml", json.dumps(dict(top, name=name, processes=processes)))

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def run(self, *args, timeout=60, check=None):
        done = subprocess.run([THRUM, *args], cwd=self.dir, env=self.env, capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL, errors="replace")
        if check is not None and done.returncode != check:
            raise Failure(f"thrum {' '.join(args)}: status {done.returncode}, not {check}: {done.stdout}{done.stderr}")
        return done

    def json(self, *args):
        done = self.run(*args, "--json")
        try:
            return json.loads(done.stdout)
        except ValueError:
            raise Failure(f"thrum {' '.join(args)} --json: status {done.returncode}: {done.stdout[:200]}{done.stderr[:200]}")

    def headless(self, *args):
        self.front = subprocess.Popen([THRUM, "up", "--headless", "--format", "json", *args], cwd=self.dir, env=self.env,
                                      stdin=subprocess.DEVNULL, stdout=open(self.dir + "/out", "w"), stderr=open(self.dir + "/err", "w"))
        return self.front

    def records(self):
        with open(self.dir + "/out", errors="replace") as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    def rows(self):
        try:
            return {f"{r['service']}/{r['instance']}": r for r in self.json("ps")}
        except Failure:
            return {}  # no engine answers at this moment

    def engine(self):
        """The pid of the engine that answers now, or None. (Between clone and exec a child looks the same in ps.)"""
        now = hello(self)
        return now and now["engine_pid"]

    def log(self, name, stream="out"):
        """All bytes of a stream, from the oldest segment on."""
        base = f"{self.dir}/state/{self.name}/logs/{name.replace('/', '-')}.{stream}.log"
        data, number = b"", 0
        while os.path.exists(f"{base}.{number + 1}"):
            number += 1
        for path in [f"{base}.{i}" for i in range(number, 0, -1)] + [base]:
            if os.path.exists(path):  # it is made with the first byte
                with open(path, "rb") as f:
                    data += f.read()
        return data

    def log_at(self, path):
        try:
            with open(os.path.join(self.dir, path), "rb") as f:
                return f.read()
        except OSError:
            return b""

    def mount(self, folder, *args):
        """`mount ARGS FOLDER`, until the project is closed. False: that may not be done here."""
        is_done = subprocess.run(["mount", *args, folder], capture_output=True).returncode == 0
        self.mounts += [folder] if is_done else []
        return is_done

    def close(self):
        try:
            self.run("down", "--timeout", "1s")
        except Exception:
            pass
        if self.front and self.front.poll() is None:
            self.front.terminate()
            try:
                self.front.wait(60)
            except subprocess.TimeoutExpired:
                self.front.kill()
        for folder in reversed(self.mounts):
            subprocess.run(["umount", "-l", folder], capture_output=True)
        if not os.environ.get("THRUM_KEEP"):  # to be looked at
            shutil.rmtree(self.dir, ignore_errors=True)


def lowest_of_the_kernel():
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        return int(f.read().split()[0])


# Not those that the kernel gives to clients, and to whoever takes any: such a one may have another owner in a moment.
PORTS = range(max(1024, lowest_of_the_kernel() - 12000), lowest_of_the_kernel()) or range(20000, 32000)
taken = []


def take_port(port):
    """Whether nobody has it; no other test gets it then while this one runs. A socket without a file says so."""
    mark = socket.socket(socket.AF_UNIX)
    try:
        mark.bind(f"\0thrum-test-port-{port}")
        with socket.socket() as s:
            s.bind(("", port))
    except OSError:
        mark.close()
        return False
    taken.append(mark)
    return True


def free_port():
    return next(port for port in random.sample(PORTS, len(PORTS)) if take_port(port))


class Load:
    """Clients that each make one connection a request, until they are told to stop. ask(port) raises when that fails."""

    def __init__(self, port, ask, clients=6):
        self.port, self.ask, self.is_over, self.done, self.failed = port, ask, False, 0, []
        self.threads = [threading.Thread(target=self.work) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def work(self):
        while not self.is_over:
            try:
                self.ask(self.port)
                self.done += 1
            except Exception as why:
                self.failed.append(repr(why))

    def wait_for(self, more):
        goal = self.done + more
        until(lambda: self.done >= goal or len(self.failed) > 50, f"{more} further requests")

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()
        return self.failed


def until(test, what, seconds=60):
    """
    Wait for a condition, not for time to pass. What the condition looks at may not be there yet. What is waited for is a text, or a
    function that makes one when it did not come.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            got, why = test(), ""
        except (LookupError, OSError) as not_there:
            got, why = None, f", {not_there!r}"
        if got:
            return got
        if time.monotonic() > end:
            raise Failure(f"{what() if callable(what) else what}: not within {seconds} s{why}")
        time.sleep(0.02)


def seldom(deed, state={"at": 0.0}):
    """For what is to be done again until it has its effect: not oftener than each half second. True, for use in a condition."""
    if time.monotonic() > state["at"] + 0.5:
        state["at"] = time.monotonic()
        deed()
    return True


def stat_of(pid):
    """The fields of /proc/PID/stat from the state on; none: there is no such process."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()
    except OSError:
        return []


def is_alive(pid):
    return (stat_of(pid) or "X")[0] not in "ZX"


def parent_of(pid):
    return int((stat_of(pid) or [0, -1])[1])


def children_of(parent):
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and parent_of(name) == parent]


def lowest_free(pid):
    """Of its numbers, as often as it takes to see what is open for a moment only."""
    return min(min(set(range(1024)) - set(map(int, os.listdir(f"/proc/{pid}/fd")))) for _ in range(50))


def field(pid, name):
    """What the kernel says of a process' status."""
    with open(f"/proc/{pid}/status") as f:
        return next(line.split()[1] for line in f if line.startswith(name + ":"))


def rss_kb(pid):
    return int(field(pid, "VmRSS"))


def ticks_of(pid):
    """How long it has worked, in hundredths of a second."""
    return sum(map(int, stat_of(pid)[11:13]))


def anonymous_kb(pid):
    """The memory that is its own."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss_Anon:"))


def states(p):
    return {name: row["state"] for name, row in p.rows().items()}


def state(p, name):
    return states(p).get(name)


def comes_to(p, name, wanted):
    """Its row, as soon as it has this state."""
    return until(lambda: (row := p.rows()[name])["state"] == wanted and row, lambda: f"{name} is {wanted}, and it is {state(p, name)}")


def pids_of(p):
    """The process of each instance, as soon as all have one."""
    def look():
        rows = p.rows()
        return rows and all(row["pid"] for row in rows.values()) and {name: row["pid"] for name, row in rows.items()}
    return until(look, lambda: f"all run: {states(p)}")


def events_of(p, service, *kinds):
    """Those that a run in front has printed."""
    return [r for r in p.records() if r["kind"] == "event" and r["service"] == service and (not kinds or r["event"] in kinds)]


class Marked:
    """One process of a project, as its environment and /proc/PID/stat tell it."""

    def __init__(self, pid, mark, env, stat, command):
        self.pid, self.mark, self.command = pid, mark, command
        self.service, self.instance = env[b"THRUM_SERVICE"].decode(), int(env[b"THRUM_INSTANCE"])
        self.state, self.parent, self.session = stat[0], int(stat[1]), int(stat[3])

    def __repr__(self):
        return f"<{self.service}/{self.instance} {self.mark} {self.state} parent {self.parent} session {self.session} {self.command}>"


def marked(p):
    """All that runs of a project, by the marks in their environment: pid -> Marked. (Zombies have none.)"""
    found = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/environ", "rb") as f:
                env = dict(e.split(b"=", 1) for e in f.read().split(b"\0") if b"=" in e)
            stat = stat_of(name)
            with open(f"/proc/{name}/cmdline", "rb") as f:
                command = f.read()
        except OSError:
            continue
        if stat and env.get(b"THRUM_STATE_DIR") == (p.dir + "/state").encode() and b"THRUM_LIFE_ID" in env:
            found[int(name)] = Marked(int(name), env[b"THRUM_LIFE_ID"].decode(), env, stat, command)
    return found


def control(p, seconds=60):
    """A connection to its engine, past the command line."""
    client = socket.socket(socket.AF_UNIX)
    try:
        client.settimeout(seconds)
        client.connect(f"{p.dir}/run/{p.name}/control")
        return client
    except OSError:
        client.close()
        raise


def hello(p):
    """What the engine that answers now says of itself and its keeper, or None."""
    try:
        with control(p) as s:
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
            return json.loads(s.makefile().readline())["result"]
    except (OSError, ValueError):
        return None


def kill_engine(p, number=signal.SIGKILL):
    """And wait for the next one: its pid."""
    former = until(p.engine, "an engine")
    os.kill(former, number)
    return until(lambda: (now := p.engine()) != former and now, "another engine")


def kill_keeper(p):
    """And wait for the next one: its pid. To kill an engine that has not heard of it yet would be to kill both."""
    former = until(lambda: hello(p), "an engine")["keeper_pid"]
    os.kill(former, signal.SIGKILL)
    return until(lambda: (now := hello(p)) and now["keeper_pid"] != former and now["keeper_pid"], "another keeper")


def kill_both(p):
    """Keeper and engine at one instant: neither can take the other's place."""
    now = until(lambda: hello(p), "an engine")
    pids = now["engine_pid"], now["keeper_pid"]
    os.kill(pids[0], signal.SIGSTOP)
    for pid in reversed(pids):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(is_alive(pid) for pid in pids), "both are gone")


def points(most, stride):
    """The system calls at which something is killed: every so-many-th (THRUM_POINTS), THRUM_SEED says which; the same in each run."""
    stride = int(os.environ.get("THRUM_POINTS", stride))
    return list(range(1 + int(os.environ.get("THRUM_SEED", "0")) % stride, most + 1, stride))


def write_traced_keeper(folder):
    """A keeper whose first engine is killed by killat. Once, before there are threads: a script that is still open in a
    process just forked cannot be executed."""
    path = folder + "/keeper"
    with open(path, "w") as f:
        f.write(f'#!/bin/sh\nexec "{os.path.dirname(THRUM)}/thrum-keeper" "$1" "{WORKER}/killat"\n')
    os.chmod(path, 0o755)
    return path


def expect(condition, what):
    if not condition:
        raise Failure(what)


def numbered(data, name, count):
    """None when data is exactly the lines 1 to count of this name, else what is wrong."""
    want = b"".join(b"%s:%d the quick brown fox\n" % (name.encode(), i) for i in range(1, count + 1))
    if data == want:
        return None
    got, lines = data.split(b"\n"), want.split(b"\n")
    for i, (a, b) in enumerate(zip(got, lines)):
        if a != b:
            return f"{name}: line {i + 1} is {a[:60]!r}, not {b[:60]!r}; {len(got) - 1} lines of {count}"
    return f"{name}: {len(got) - 1} lines of {count}"


def main(*tests):
    """All of them, or those that the command line names."""
    failed = 0
    for test in [test for test in tests if not sys.argv[1:] or test.__name__ in sys.argv[1:]]:
        try:
            test()
            print(f"ok {test.__name__}")
        except Failure as why:
            failed += 1
            print(f"not ok {test.__name__}: {why}")
        except Exception:
            failed += 1
            print(f"not ok {test.__name__}: {traceback.format_exc()}")
    sys.exit(1 if failed else 0)
