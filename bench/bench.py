#!/usr/bin/env python3
"""
Compares thrum with the floor (the shortest C program that does the same work) in the same run, in turn; the
medians of five rounds. Only the ratios mean something. bench.py [NAME...]; what is over its limit makes the
exit status 1. Started by scripts/bench, which builds what is needed.

BENCH_BUILD: the folder of the programs; THRUM: the program to measure; BENCH_DIR: where logs are written
(default: the temporary folder); BENCH_MB: megabytes of output (300); BENCH_ROUNDS (5).
"""
import contextlib, fcntl, glob, json, mmap, os, pty, select, shutil, signal, socket, statistics, struct, subprocess, sys, tempfile, termios, threading, time, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.update(BUILDDIR=os.environ["BENCH_BUILD"], SRCDIR=ROOT)  # where the scenarios look
sys.path.insert(0, os.path.join(ROOT, "tests", "scenario"))
from lib_npm import npm_folder
from lib_thrum import free_port

PROGRAMS, THRUM = os.environ["BENCH_BUILD"] + "/bench/", os.environ["THRUM"]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
MEGABYTES = int(os.environ.get("BENCH_MB", "300"))
STAMPS_MOST = 100000
STAMPS_SIZE = 8 + 16 * STAMPS_MOST
DEADLINE = 120
failures = 0


@contextlib.contextmanager
def folder():
    path = tempfile.mkdtemp(prefix="thrum-bench-", dir=os.environ.get("BENCH_DIR"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


class Stamps:
    """The file that children stamp (stamp.h): in memory, so that no disk is measured."""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile(prefix="thrum-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.file.truncate(STAMPS_SIZE)
        self.map = mmap.mmap(self.file.fileno(), STAMPS_SIZE)
        return self

    def __exit__(self, *_):
        self.map.close()
        self.file.close()

    @property
    def path(self):
        return self.file.name

    def count(self):
        return min(struct.unpack_from("I", self.map)[0], STAMPS_MOST)

    def lives(self):
        return sorted(struct.unpack_from("QQ", self.map, 8 + 16 * i) for i in range(self.count()))

    def wait(self, count):
        """Until so many have begun."""
        end = time.monotonic() + DEADLINE
        while self.count() < count or any(first == 0 for first, _ in self.lives()[:count]):
            if time.monotonic() > end:
                raise TimeoutError(f"only {self.count()} of {count} children ran")
            time.sleep(0.01)

    def gaps_ms(self):
        """From the last instruction of each to the first of the next."""
        lives = self.lives()
        return sorted((b[0] - a[1]) / 1e6 for a, b in zip(lives, lives[1:]) if a[1] and b[0] > a[1])

    def spread_ms(self):
        """From the first instruction of the first to that of the last."""
        firsts = [first for first, _ in self.lives()]
        return (max(firsts) - min(firsts)) / 1e6

    def seconds(self):
        first, last = self.lives()[0]
        return (last - first) / 1e9


class Project:
    """A project of its own in a folder of its own; all it started is stopped at the end, or killed."""

    def __init__(self, processes, **top):
        self.top = dict(top, name="bench", processes=processes)

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.dir = self.stack.enter_context(folder())
        self.env = dict(os.environ, THRUM_RUNTIME_DIR=self.dir + "/run", THRUM_STATE_DIR=self.dir + "/state")
        os.mkdir(self.dir + "/run", 0o700)
        os.mkdir(self.dir + "/state")
        with open(self.dir + "/thrum.yaml", "w") as f:
            json.dump(self.top, f)
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError, ValueError):
            keeper = self.pids()[1]
            children = children_of(keeper)
            self.run("down", "--timeout", "1s", check=False)
            if os.path.exists(f"/proc/{keeper}"):
                for pid in [keeper, *children]:
                    kill(pid)
        self.stack.close()

    def run(self, *args, check=True):
        done = subprocess.run([THRUM, *args], cwd=self.dir, env=self.env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE)
        if check and done.returncode:
            raise RuntimeError(f"thrum {' '.join(args)}: {done.stderr}")
        return done.stdout

    def hello(self):
        return self.ask("hello", client="cli")

    def ask(self, method, **params):
        """By a connection of its own: a command would take the processor from what is measured."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DEADLINE)
            connection.connect(self.dir + "/run/bench/control")
            connection.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
            with connection.makefile() as answers:
                return next(answer["result"] for answer in map(json.loads, answers) if answer.get("id") == 1)

    def pids(self):
        hello = self.hello()
        return hello["engine_pid"], hello["keeper_pid"]


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as f:
        return [int(word) for word in f.read().split()]


def kill(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def say(text, ok):
    global failures
    failures += not ok
    print(text, "ok" if ok else "OVER THE LIMIT", flush=True)


def report(name, unit, floors, ours, limit, higher_is_better=False):
    """The ratio is the median of those of the rounds: both sides of a round had the same neighbours."""
    floors, ours = list(floors), list(ours)
    ratio = statistics.median(our / floor for floor, our in zip(floors, ours))
    floor, our = statistics.median(floors), statistics.median(ours)
    ok = ratio >= limit if higher_is_better else ratio <= limit
    say(f"{name}: floor {floor:.2f} {unit}, thrum {our:.2f} {unit}, ratio {ratio:.2f} (limit {limit})", ok)


def report_value(name, unit, value, limit):
    say(f"{name}: {value:.2f}{unit} (limit {limit})", value <= limit)


def report_least(name, unit, value, limit):
    say(f"{name}: {value:.2f} {unit} (at least {limit})", value >= limit)


def remark(text):
    print("   " + text, flush=True)


def percentile(values, percent):
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


RESTARTS = 300


def restart_floor(program):
    with Stamps() as stamps:
        subprocess.run([PROGRAMS + "floor", "restart", str(RESTARTS), program, stamps.path], check=True)
        return stamps.gaps_ms()


def restart_ours(program):
    availability = {"restart": "always", "min_uptime": 0, "max_restarts": "unlimited", "backoff": {"initial": 0}}
    with Stamps() as stamps, Project({"x": {"command": [program, stamps.path], "availability": availability}}) as project:
        project.run("up", "-d")
        stamps.wait(RESTARTS)
        project.run("down", "--timeout", "1s")
        return stamps.gaps_ms()[:RESTARTS]


def restart_of(program, name):
    floors, ours = [], []
    for _ in range(ROUNDS):
        floors.append(restart_floor(PROGRAMS + program))
        ours.append(restart_ours(PROGRAMS + program))
    p50, p99 = (lambda gaps: percentile(gaps, 50)), (lambda gaps: percentile(gaps, 99))
    report(f"restart, last instruction of the old to first of the new, {name}", "ms", map(p50, floors), map(p50, ours), 1.5)
    remark(f"p99: floor {statistics.median(map(p99, floors)):.2f} ms, thrum {statistics.median(map(p99, ours)):.2f} ms")


def restart():
    restart_of("stamp", "a C program")


def restart_bare():
    """Without the start of a C library, which hides two thirds of the supervisor's part."""
    restart_of("bare", "a program without libc")


SPAWNED = 100


def spawn_floor(kind):
    with Stamps() as stamps:
        floor = subprocess.Popen([PROGRAMS + "floor", kind, str(SPAWNED), PROGRAMS + "stamp", stamps.path, "1000"],
                                 stdin=subprocess.PIPE)
        try:
            stamps.wait(SPAWNED)
            return stamps.spread_ms()
        finally:
            for pid in [*children_of(floor.pid), floor.pid]:
                kill(pid)
            floor.stdin.close()
            floor.wait()


def spawn_ours():
    with Stamps() as stamps, Project({"x": {"command": [PROGRAMS + "stamp", stamps.path, "1000"], "instances": SPAWNED}}) as project:
        project.run("up", "-d")
        stamps.wait(SPAWNED)
        return stamps.spread_ms()


def spawn():
    floors, barest, ours = [], [], []
    for _ in range(ROUNDS):
        floors.append(spawn_floor("spawn"))
        ours.append(spawn_ours())
        barest.append(spawn_floor("bare"))
    report(f"{SPAWNED} children, first instruction of the first to that of the last, floor with session and pipes", "ms", floors, ours, 1.5)
    remark(f"posix_spawn and nothing else: {statistics.median(barest):.2f} ms, ratio {statistics.median(ours) / statistics.median(barest):.2f}")


THOUSAND = 1000


class Supervisord:
    """The peer that does the same work, where it is installed."""

    def __init__(self, programs):
        self.programs = programs

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.dir = self.stack.enter_context(folder())
        with open(self.dir + "/conf", "w") as f:
            f.write(f"[supervisord]\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={self.dir}/pid\nminfds=4096\nnodaemon=true\nchildlogdir={self.dir}\n"
                    f"[unix_http_server]\nfile={self.dir}/socket\n[supervisorctl]\nserverurl=unix://{self.dir}/socket\n"
                    "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n")
            for name, (command, more) in self.programs.items():
                f.write(f"[program:{name}]\ncommand={command}\n{more}\n")
        self.process = subprocess.Popen(["supervisord", "-c", self.dir + "/conf"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        stdin=subprocess.DEVNULL)
        self.status = ["supervisorctl", "-c", self.dir + "/conf", "status"]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            kill(self.process.pid)
        self.stack.close()


def has_supervisord():
    return shutil.which("supervisord") or remark("supervisord is not installed (apt install supervisor): it is left out")


def thousand_theirs():
    with Stamps() as stamps, Supervisord({f"s{i}": (f"{PROGRAMS}stamp {stamps.path} 1000", "startsecs=0\nautorestart=false") for i in range(THOUSAND)}):
        stamps.wait(THOUSAND)
        return stamps.spread_ms()


def thousand_ours():
    with Stamps() as stamps, Project({f"s{i}": {"command": [PROGRAMS + "stamp", stamps.path, "1000"]} for i in range(THOUSAND)}) as project:
        project.run("up", "-d")
        stamps.wait(THOUSAND)
        return stamps.spread_ms()


def thousand():
    """A thousand services, as far apart as those of a floor that starts as many of one."""
    global SPAWNED
    former, SPAWNED = SPAWNED, THOUSAND
    floors, ours = [], []
    for _ in range(ROUNDS):
        floors.append(spawn_floor("spawn"))
        ours.append(thousand_ours())
    SPAWNED = former
    if has_supervisord():
        theirs = thousand_theirs()
        remark(f"supervisord: {theirs:.0f} ms, ratio to it {statistics.median(ours) / theirs:.3f}")
    report(f"{THOUSAND} services, first instruction of the first to that of the last, floor with session and pipes", "ms", floors, ours, 2)


def cpu_of(pids):
    """Seconds of processor time that these have used."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory():
    """What a service costs, by the difference between one and a thousand."""
    def of(count):
        with Project({f"s{i}": {"command": ["sleep", "1000"]} for i in range(count)}) as project:
            project.run("up", "-d")
            time.sleep(3)  # memory that the start used has gone back by then
            return pss_mb(project.pids()[0]) * 1024
    report_value("memory of a further service with one instance, PSS of the engine", " KB", (of(THOUSAND) - of(1)) / (THOUSAND - 1), 6)


def storm_theirs():
    """Each has a line in a file: supervisord counts nothing."""
    with folder() as where:
        crash = f"sh -c 'echo >>{where}/starts; exit 1'"
        with Supervisord({f"s{i}": (crash, "startsecs=0\nautorestart=true\nstartretries=1000000") for i in range(100)}) as peer:
            time.sleep(3)
            before, began = cpu_of([peer.process.pid]), os.path.getsize(where + "/starts")
            time.sleep(10)
            used, starts = cpu_of([peer.process.pid]) - before, os.path.getsize(where + "/starts") - began
            remark(f"supervisord: {starts / 10:.0f} starts a second, {used * 10:.1f} % of a processor")
            return used / max(starts, 1) * 1000


def storm():
    """A hundred services that crash at once, for ten seconds: what that costs, and how many are started."""
    service = {"command": ["false"], "availability": {"restart": "always", "min_uptime": 0, "max_restarts": "unlimited"}}
    with Project({f"s{i}": service for i in range(100)}) as project:
        project.run("up", "-d")
        time.sleep(1)
        pids = project.pids()
        before, rows = cpu_of(pids), json.loads(project.run("ps", "--json", check=False) or "[]")
        crashes = sum(row["restarts"]["crash"] for row in rows)
        time.sleep(10)
        used = cpu_of(pids) - before
        rows = json.loads(project.run("ps", "--json", check=False) or "[]")
        crashes = sum(row["restarts"]["crash"] for row in rows) - crashes
    report_value("100 services that crash as soon as they run: starts a second", "", crashes / 10, 22)
    report_value("processor time of engine and keeper for it", " %", used * 10, 5)
    if has_supervisord():
        theirs = storm_theirs()
        report("processor time of a restart in that storm, beside supervisord's", "ms", [theirs], [used / max(crashes, 1) * 1000], 1)


PROBES = 200


def probes():
    """Two hundred probes a second, against the same number of connections made by the shortest C-like loop."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        port = listener.getsockname()[1]
        with Project({f"s{i}": {"command": ["sleep", "1000"], "liveness_probe": {"tcp": port, "period": "1s"}} for i in range(PROBES)}) as project:
            project.run("up", "-d")
            time.sleep(2)
            pids = project.pids()
            before, began = cpu_of(pids), time.monotonic()
            end, taken = began + 10, 0
            listener.settimeout(0.5)
            while time.monotonic() < end:
                with contextlib.suppress(TimeoutError):
                    listener.accept()[0].close()
                    taken += 1
            used, seconds = cpu_of(pids) - before, time.monotonic() - began
    began = time.process_time()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1024)
        for _ in range(taken):
            with socket.socket() as client:
                client.connect(listener.getsockname())
                listener.accept()[0].close()
    floor = time.process_time() - began
    report(f"processor time of engine and keeper for {taken / seconds:.0f} TCP probes a second, beside a loop that connects and accepts as often", "ms/s",
           [floor / seconds * 1000], [used / seconds * 1000], 3)
    report_value(f"processor time of engine and keeper for {PROBES} TCP probes a second", " %", used / seconds * 100, 5)


KILLS = 100


def time_to_return_ms(project):
    engine = project.pids()[0]
    time.sleep(0.03)  # an engine that ends at once is held back by its keeper: not what is measured
    began = time.monotonic()
    os.kill(engine, signal.SIGKILL)
    while True:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            if project.hello()["engine_pid"] != engine:
                return (time.monotonic() - began) * 1000


def engine_back():
    with Project({"x": {"command": ["sleep", "1000"], "instances": 20}}) as project:
        project.run("up", "-d")
        before = set(children_of(project.pids()[1])) - {project.pids()[0]}
        times = [time_to_return_ms(project) for _ in range(KILLS)]
        after = set(children_of(project.pids()[1])) - {project.pids()[0]}
    if before != after:
        raise RuntimeError("the children are other ones than before")
    for percent in 50, 99:
        report_value(f"hello answered again after kill -9 of the engine, 20 children, p{percent} of {KILLS}", " ms", percentile(times, percent), 50)


def pss_mb(pid):
    """What it shares with others counted by parts."""
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:")) / 1024


def switches(pid):
    """Context switches of all its threads, of its own will or not."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/status"):
        with open(path) as f:
            total += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
    return total


STARTS = 40


def start_ms(command, **more):
    """Of a program from start to end: the shortest of some, for that is what nobody else delayed."""
    times = []
    for _ in range(STARTS):
        began = time.monotonic()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, **more)
        times.append((time.monotonic() - began) * 1000)
    return min(times)


def ps():
    """From the start to the end of `thrum ps`, with twenty processes; beside the shortest program, and supervisorctl if it is here."""
    with Project({"x": {"command": ["sleep", "1000"], "instances": 20}}) as project:
        project.run("up", "-d")
        project.run("wait", "x")
        pairs = [(start_ms(["true"]), start_ms([THRUM, "ps"], cwd=project.dir, env=project.env)) for _ in range(ROUNDS)]
    remark(f"true takes {statistics.median(p[0] for p in pairs):.1f} ms")
    report_value("thrum ps, from start to end", " ms", statistics.median(p[1] for p in pairs), 10)
    if has_supervisord():
        with Supervisord({f"x{i}": ("sleep 1000", "") for i in range(20)}) as peer:
            wait_for(lambda: subprocess.run(peer.status, capture_output=True, text=True).stdout.count("RUNNING") == 20, "supervisord starts them")
            remark(f"supervisorctl status takes {start_ms(peer.status):.0f} ms")


SCRAPES = 20


def metrics():
    """What Prometheus costs: the gateway's and the engine's processor time for each look at a thousand instances."""
    port = free_port()
    with Project({f"s{i}": {"command": ["sleep", "1000"], "instances": 100} for i in range(10)}, http={"listen": str(port)}) as project:
        project.run("up", "-d")
        project.run("wait", "all")
        gateway = next(r["pid"] for r in json.loads(project.run("ps", "--json")) if r["service"] == "thrum-http")
        pids = {"gateway": gateway, "engine": project.pids()[0]}
        ask = lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=DEADLINE).read()
        ask()
        before = {name: cpu_us(pid) for name, pid in pids.items()}
        for _ in range(SCRAPES):
            text = ask()
        used = {name: (cpu_us(pid) - before[name]) / SCRAPES / 1000 for name, pid in pids.items()}
        lines = text.count(b"\n")
    report_value(f"/metrics of 1 000 instances, {lines} lines, processor time", " ms", sum(used.values()), 20)
    remark(", ".join(f"{name} {ms:.1f} ms" for name, ms in used.items()))


DEATHS = 200


def death():
    """From the kill of a process until a client has been told of its end, which is in the history by then."""
    times = []
    with Project({f"s{i}": {"command": ["sleep", "1000"], "availability": {"restart": "no"}} for i in range(DEATHS)}) as project:
        project.run("up", "-d")
        pids = {row["service"]: row["pid"] for row in json.loads(project.run("ps", "--json"))}
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(project.dir + "/run/bench/control")
            told = connection.makefile()
            connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello","params":{"client":"cli"}}\n{"jsonrpc":"2.0","id":2,"method":"subscribe"}\n')
            while json.loads(told.readline()).get("id") != 2:
                pass
            time.sleep(1)
            for name, pid in pids.items():
                began = time.monotonic()
                os.kill(pid, signal.SIGKILL)
                while f'"exited"' not in (line := told.readline()) or f'"{name}"' not in line:
                    pass
                times.append((time.monotonic() - began) * 1000)
        with open(project.dir + "/state/bench/history.jsonl") as f:
            recorded = sum(1 for _ in f)
    if recorded != DEATHS:
        raise RuntimeError(f"{recorded} deaths are in the history, not {DEATHS}")
    for percent in 50, 99:
        report_value(f"a death told to a client, and recorded, p{percent} of {DEATHS}", " ms", percentile(times, percent), 5)


def idle():
    with Project({f"s{i}": {"command": ["sleep", "1000"]} for i in range(THOUSAND)}) as project:
        project.run("up", "-d")
        pids = project.pids()
        time.sleep(3)  # what is measured is a time of rest
        before = sum(map(switches, pids))
        time.sleep(10)
        after = sum(map(switches, pids))
        report_value(f"wake-ups of engine and keeper in 10 s with {THOUSAND} sleeping children and no client", "", after - before, 0)
    with Project({"x": {"command": ["sleep", "1000"], "instances": 100}}) as project:
        project.run("up", "-d")
        pids = project.pids()
        time.sleep(2)  # what is measured is a time of rest
        before = sum(map(switches, pids))
        time.sleep(10)
        after = sum(map(switches, pids))
        report_value("engine and keeper with 100 idle children, PSS", " MB", sum(map(pss_mb, pids)), 6)
        remark(f"engine {pss_mb(pids[0]):.2f}, keeper {pss_mb(pids[1]):.2f}")
        report_value("their wake-ups in 10 s without a client", "", after - before, 0)


def log_floor(pattern):
    with Stamps() as stamps, folder() as here, open(here + "/out", "wb") as out:
        writer = subprocess.Popen([PROGRAMS + "writer", stamps.path, str(MEGABYTES), pattern], stdout=subprocess.PIPE)
        cat = subprocess.Popen(["cat"], stdin=writer.stdout, stdout=out)
        writer.stdout.close()
        writer.wait()
        _, status, used = os.wait4(cat.pid, 0)
        cat.returncode = status
        if status or writer.returncode or os.path.getsize(out.name) != MEGABYTES * 1000000:
            raise RuntimeError("the floor lost something")
        return MEGABYTES / stamps.seconds(), (used.ru_utime + used.ru_stime) / MEGABYTES * 1000


def log_ours(pattern):
    with Stamps() as stamps, Project({"x": {
            "command": [PROGRAMS + "writer", stamps.path, str(MEGABYTES), pattern],
            "availability": {"restart": "no"}, "log": {"rotate": {"max_size": 0}}}}) as project:
        project.run("up", "-d")
        engine = project.pids()[0]
        project.run("wait", "x", "--for", "completed")
        end = time.monotonic() + 10
        while os.path.getsize(project.dir + "/state/bench/logs/x-0.out.log") != MEGABYTES * 1000000:
            if time.monotonic() > end:
                raise RuntimeError("the log has not what was written")
            time.sleep(0.01)
        return MEGABYTES / stamps.seconds(), cpu_seconds(engine) / MEGABYTES * 1000


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def log_speed(pattern, name):
    rounds = [(log_floor(pattern), log_ours(pattern)) for _ in range(ROUNDS)]
    (floors, floor_cpu), (ours, our_cpu) = (list(zip(*side)) for side in zip(*rounds))
    report(f"{MEGABYTES} MB of 100-byte lines into a log, {name}, floor: cat", "MB/s", floors, ours, 0.8, True)
    remark(f"CPU of who writes the log: cat {statistics.median(floor_cpu):.2f} s/GB, engine {statistics.median(our_cpu):.2f} s/GB")


def log_blocks():
    log_speed("blocks", "in blocks of 64 KiB")


def log_lines():
    log_speed("lines", "one write each")


def procfs():
    """What a pass over /proc costs, and looking for leftovers."""
    print(subprocess.run([PROGRAMS + "procfs"], check=True, stdout=subprocess.PIPE, text=True).stdout, end="", flush=True)


TOPS_EVERY_S, TOPS_COUNT = 0.2, 15


def refresh_of(command, every_s=TOPS_EVERY_S, count=TOPS_COUNT):
    """CPU of one refresh of a full screen, in ms."""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.execvpe(command[0], command, dict(os.environ, TERM="xterm-256color"))

    def drain(seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([terminal], [], [], left)[0]:
                os.read(terminal, 65536)
    try:
        drain(5 * every_s)
        before = cpu_us(pid)
        drain(count * every_s)
        return (cpu_us(pid) - before) / 1e3 / count
    finally:
        kill(pid)
        os.waitpid(pid, 0)
        os.close(terminal)


def top():
    """The table of all processes beside 1 000 idle ones, against the tools that people have."""
    idle = [subprocess.Popen(["sleep", "3600"]) for _ in range(1000)]
    others = {"top": ["top", "-d", str(TOPS_EVERY_S)], "htop": ["htop", "-d", str(int(TOPS_EVERY_S * 10))]}
    ours = [THRUM, "top", "--over", f"{TOPS_EVERY_S}s"]
    try:
        for name, command in others.items():
            if not shutil.which(name):
                remark(f"{name} is not installed")
                continue
            rounds = [(refresh_of(command), refresh_of(ours)) for _ in range(ROUNDS)]
            report(f"a refresh of {name}, 1000 processes", "ms CPU", *zip(*rounds), 0.5)
    finally:
        for process in idle:
            process.kill()
        for process in idle:
            process.wait()


# ---- messages, connections and tasks, against Node's own ----

MESSAGES = 400000
PAD = "x" * 80
PARENT = r"""
const { fork } = require('child_process'), [, , mode, count] = process.argv, N = +count, pad = 'x'.repeat(80);
const child = fork(__dirname + '/child.js', [mode, count]);
let used;
child.on('message', (m) => {
  if (m === 'go') {
    used = process.cpuUsage();
    if (mode === 'up') child.send('start');
    else { let i = 0; (function go() { let ok = true; while (i < N && ok) ok = child.send({ i: i++, pad }); if (i < N) setImmediate(go); })(); }
  } else if (m.done) {
    const cpu = process.cpuUsage(used);
    console.log('cpu', (cpu.user + cpu.system) / N);
    process.exit(0);
  }
});
"""
# It measures how many a second it takes, or gives: from the first to the last.
CHILD = r"""
const [, , mode, count] = process.argv, N = +count, pad = 'x'.repeat(80), now = () => Number(process.hrtime.bigint()) / 1e9;
let k = 0, begun;
function tell() { console.log('rate', N / (now() - begun)); }
function give() { let i = 0; (function go() { let ok = true; while (i < N && ok) ok = process.send({ i: i++, pad }); if (i < N) setImmediate(go); else process.send({ done: 1 }, tell); })(); }
process.on('message', (m) => {
  if (++k === 1) begun = now();
  if (mode === 'up') give();
  else if (k === N) { tell(); process.send({ done: 1 }); }
});
process.send('go');
"""


def cpu_us(pid):
    with open(f"/proc/{pid}/schedstat") as f:
        return int(f.read().split()[0]) / 1e3


def wait_for(test, what):
    end = time.monotonic() + DEADLINE
    while not test():
        if time.monotonic() > end:
            raise RuntimeError(what)
        time.sleep(0.002)


def number_after(word, text):
    return float(text.split(word + " ")[1].split()[0])


def write_programs(path, **texts):
    for name, text in texts.items():
        with open(f"{path}/{name}.js", "w") as f:
            f.write(text)


def lines():
    return "".join('{"i":%d,"pad":"%s"}\n' % (i, PAD) for i in range(MESSAGES)).encode()


def node_messages(mode):
    with folder() as path:
        write_programs(path, parent=PARENT, child=CHILD)
        said = subprocess.run(["node", path + "/parent.js", mode, str(MESSAGES)], check=True, capture_output=True, text=True, timeout=DEADLINE).stdout
        return number_after("rate", said), number_after("cpu", said)


def all_it_takes():
    """What the child takes from a parent that does nothing but write."""
    ours, its = socket.socketpair()
    with folder() as path, ours:
        write_programs(path, child=CHILD)
        with subprocess.Popen(["node", path + "/child.js", "down", str(MESSAGES)], env=dict(os.environ, NODE_CHANNEL_FD=str(its.fileno())),
                              pass_fds=[its.fileno()], stdout=subprocess.PIPE, text=True) as child:
            its.close()
            ours.recv(100)
            ours.sendall(lines())
            ours.recv(100)
            ours.shutdown(socket.SHUT_RDWR)
            return number_after("rate", child.communicate(timeout=DEADLINE)[0])


def our_messages(mode):
    with Project({"a": {"command": ["node", "child.js", mode, str(MESSAGES)], "ipc": "json", "ready": {"message": "go"}}}) as project:
        write_programs(project.dir, child=CHILD)
        with open(project.dir + "/lines", "wb") as f:
            f.write(lines())
        project.run("up", "-d")
        project.run("wait", "a")
        engine, log = project.pids()[0], f"{project.dir}/state/bench/logs/a-0.out.log"
        before = cpu_us(engine)
        project.run("send", "a", *(["--from", "lines"] if mode == "down" else ['"start"']))
        wait_for(lambda: os.path.exists(log) and open(log).read().endswith("\n"), "the child is not done")
        if mode == "up":
            wait_for(lambda: json.loads(project.run("ps", "--json"))[0]["ipc"]["in"] > MESSAGES, "not all has come")
        return number_after("rate", open(log).read()), (cpu_us(engine) - before) / MESSAGES


def messages():
    """Messages of 100 bytes to and from a Node child, by Node's own parent and by the engine."""
    for mode, limit in (("down", 4), ("up", 1)):
        pairs = [(node_messages(mode), our_messages(mode)) for _ in range(ROUNDS)]
        where = "to a Node child" if mode == "down" else "from a Node child"
        report(f"messages {where}", "k/s", [p[0][0] / 1e3 for p in pairs], [p[1][0] / 1e3 for p in pairs], limit, True)
        report(f"messages {where}, processor time", "us", [p[0][1] for p in pairs], [p[1][1] for p in pairs], 0.5)
        if mode == "down":
            remark(f"from a parent that does nothing but write: {statistics.median(all_it_takes() for _ in range(ROUNDS)) / 1e3:.2f} k/s")
    pairs = [(node_tasks(1) / 1e3, our_tasks(["node", "worker.js"], 1, 1) / 1e3) for _ in range(ROUNDS)]
    report("messages to a Node child and back, one at a time", "k/s", *zip(*pairs), 1.1, True)


WORKERS = r"""
const cluster = require('cluster'), http = require('http');
if (cluster.isPrimary) {
  if (process.argv[2] === 'none') cluster.schedulingPolicy = cluster.SCHED_NONE;
  for (let i = 0; i < 2; i++) cluster.fork();
} else http.createServer((q, r) => { r.setHeader('Connection', 'close'); r.end('hello'); }).listen(+process.env.PORT, '127.0.0.1');
"""


def is_open(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def wrk(port, pid):
    before = cpu_us(pid)
    out = subprocess.run(["wrk", "-t1", "-c16", "-d2s", f"http://127.0.0.1:{port}/"], capture_output=True, text=True, timeout=DEADLINE).stdout
    count = int(out[:out.index(" requests in")].split()[-1])
    if "Socket errors" in out or "Non-2xx" in out:
        raise RuntimeError(out)
    return count / 2, (cpu_us(pid) - before) / count


def node_cluster(mode, path, port):
    with open(path + "/app.js", "w") as f:
        f.write(WORKERS)
    primary = subprocess.Popen(["node", path + "/app.js", mode], env=dict(os.environ, PORT=str(port)))
    try:
        wait_for(lambda: is_open(port), "nobody listens")
        return wrk(port, primary.pid)
    finally:
        for pid in [*children_of(primary.pid), primary.pid]:
            kill(pid)
        primary.wait()


def our_cluster(mode, path, port):
    service = {"command": ["node", path + "/app.js"], "exec_mode": "cluster", "scheduling": mode, "instances": 2, "environment": {"PORT": str(port)}}
    with Project({"web": service}) as project:
        project.run("up", "-d")
        project.run("wait", "web")
        return wrk(port, project.pids()[0])


def cluster():
    """Connections, one a request, to two Node workers, by Node's primary and by the engine. Needs wrk."""
    if not shutil.which("wrk"):
        remark("no wrk here: apt-get install wrk")
        return
    for mode, name in (("rr", "in turn"), ("none", "of a shared socket")):
        with folder() as path:
            pairs = [(node_cluster(mode, path, 18200), our_cluster(mode, path, 18201)) for _ in range(ROUNDS)]
        report(f"connections {name}", "/s", [p[0][0] for p in pairs], [p[1][0] for p in pairs], 0.95, True)
        if mode == "rr":
            report(f"connections {name}, processor time", "us", [p[0][1] for p in pairs], [p[1][1] for p in pairs], 0.5)


TASKS = 100000
POOL = r"""
const { fork } = require('child_process'), [, , size, count] = process.argv, N = +count;
const queue = [], idle = [];
let done = 0, begun;
function assign() { while (queue.length && idle.length) idle.pop().send({ type: 'task', payload: queue.shift() }); }
for (let i = 0; i < +size; i++) {
  const worker = fork(__dirname + '/worker.js');
  worker.on('message', () => { idle.push(worker); if (++done === N) { console.log(N / (Number(process.hrtime.bigint() - begun) / 1e9)); process.exit(0); } assign(); });
  idle.push(worker);
}
setTimeout(() => { begun = process.hrtime.bigint(); for (let i = 0; i < N; i++) queue.push({ n: i, id: i + 1 }); assign(); }, 500);
"""
WORKER = "process.on('message', (m) => process.send({ type: 'task_complete', taskId: m.payload.id, result: m.payload.n * 2 }));"


def node_tasks(size=2):
    with folder() as path:
        for name, text in (("pool.js", POOL), ("worker.js", WORKER)):
            with open(f"{path}/{name}", "w") as f:
                f.write(text)
        return float(subprocess.run(["node", path + "/pool.js", str(size), str(TASKS)], check=True, capture_output=True, text=True, timeout=DEADLINE).stdout)


def our_tasks(command, concurrency, size=2):
    with Project({"w": {"command": command, "pool": {"size": size, "concurrency": concurrency}}}) as project:
        for name, text in (("worker.js", WORKER), ("tasks", "".join('{"n":%d}\n' % i for i in range(TASKS)))):
            with open(f"{project.dir}/{name}", "w") as f:
                f.write(text)
        project.run("up", "-d")
        project.run("wait", "w")
        time.sleep(0.5)  # Node has started when it runs its first line
        begun = time.monotonic()
        project.run("submit", "w", "--from", "tasks")
        wait_for(lambda: project.ask("pool", name="w")["completed"] == TASKS, "not all is done")
        return TASKS / (time.monotonic() - begun)


def exchanged(concurrency):
    """The floor: lines to two processes and back."""
    return float(subprocess.run([PROGRAMS + "exchange", "2", str(concurrency), str(TASKS)], check=True, stdout=subprocess.PIPE, text=True, timeout=DEADLINE).stdout)


def tasks():
    """Tasks of two Node workers, one at a time, by a pool as Node's guides write it and by the engine; and of plain C workers."""
    report("tasks a second, Node workers", "k/s", *zip(*[(node_tasks() / 1e3, our_tasks(["node", "worker.js"], 1) / 1e3) for _ in range(ROUNDS)]), 3, True)
    worker = os.environ["BENCH_BUILD"] + "/tests/worker/tasker"
    for concurrency, least in ((1, 1), (16, 0.5)):
        report(f"tasks a second, C workers, {concurrency} at a time, floor: lines there and back", "k/s",
               *zip(*[(exchanged(concurrency) / 1e3, our_tasks([worker], concurrency) / 1e3) for _ in range(ROUNDS)]), least, True)


FLEET_TASKS = 300000


class Redis:
    """A server on loopback as it comes: it saves now and then. A file of its own each time."""

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.port = free_port()
        self.server = subprocess.Popen(["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.stack.enter_context(folder())],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for(lambda: is_open(self.port), "redis does not listen")
        return self

    def __exit__(self, *_):
        kill(self.server.pid)
        self.server.wait()
        self.stack.close()

    def ask(self, *words):
        """The first line of the answer."""
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            s.sendall(" ".join(words).encode() + b"\r\n")
            return s.makefile().readline().strip()

    def rate(self, *words):
        """Of one command, as Redis' own tool measures it: 200 under way."""
        done = subprocess.run(["redis-benchmark", "-p", str(self.port), "-n", str(FLEET_TASKS), "-c", "4", "-P", "50", "--csv", *words], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        return float(done.splitlines()[-1].split('","')[1])

    def add(self, stream, count):
        """Tasks, as any client may add them: all at once."""
        def word(text):
            return b"$%d\r\n%s\r\n" % (len(text), text)
        head = b"*5\r\n" + word(b"XADD") + word(stream.encode()) + word(b"*") + word(b"task")
        data = b"".join(head + word(b'{"n":%d}' % i) for i in range(count))
        with socket.create_connection(("127.0.0.1", self.port)) as s:
            begun = time.monotonic()
            feeder = threading.Thread(target=s.sendall, args=(data,))
            feeder.start()
            lines = 0
            while lines < 2 * count:
                lines += s.recv(1 << 20).count(b"\n")
            feeder.join()
        return begun


def fleet_floor():
    """Redis alone, which has one thread: a task added, read, and answered by acknowledging, deleting and adding, each a command."""
    with Redis() as redis:
        redis.ask("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM")
        adding = redis.rate("XADD", "s", "*", "task", '{"n":123456}')
        reading = redis.rate("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "s", ">")
        deleting = redis.rate("XACK", "s", "g", "1-1")
    return 1 / (2 / adding + 1 / reading + 2 / deleting), (adding, reading)


def fleet_ours():
    """Rate, and of whom the processor time of each task is."""
    with Redis() as redis, Project({"w": {"command": [os.environ["BENCH_BUILD"] + "/tests/worker/tasker"], "pool": {"size": 2, "concurrency": 64}}},
                                   redis={"server": str(redis.port)}) as project:
        project.run("up", "-d")
        project.run("wait", "all")
        rows = json.loads(project.run("ps", "--json"))
        pids = {"redis": [redis.server.pid], "engine": [project.pids()[0]], "gateway": [r["pid"] for r in rows if r["service"] != "w"],
                "workers": [r["pid"] for r in rows if r["service"] == "w"]}
        before = {name: sum(map(cpu_us, pids[name])) for name in pids}
        begun = redis.add("thrum:pool:w", FLEET_TASKS)
        wait_for(lambda: redis.ask("XLEN", "thrum:pool:w") == ":0", "not all is answered")
        seconds = time.monotonic() - begun
        return FLEET_TASKS / seconds, {name: (sum(map(cpu_us, pids[name])) - before[name]) / FLEET_TASKS for name in pids}


def fleet():
    """Tasks through a stream of Redis and a pool of plain C workers, all on this machine. Needs a gateway, and Redis."""
    if not shutil.which("redis-benchmark") or not os.path.exists(os.path.dirname(THRUM) + "/thrum-redis"):
        remark("no Redis here: apt-get install redis-server, and libhiredis-dev to build the gateway")
        return
    pairs = [(fleet_floor(), fleet_ours()) for _ in range(ROUNDS)]
    report("tasks of a fleet, floor: Redis' commands for them alone", "k/s", [p[0][0] / 1e3 for p in pairs], [p[1][0] / 1e3 for p in pairs], 0.5, True)
    report_least("tasks of a fleet", "k/s", statistics.median(p[1][0] for p in pairs) / 1e3, 50)
    remark("processor time of a task, us: " + ", ".join(f"{name} {statistics.median(p[1][1][name] for p in pairs):.1f}" for name in pairs[0][1][1]))


def threads_say(*args, program="threads"):
    return [float(n) for n in subprocess.run([PROGRAMS + program, *args], check=True, stdout=subprocess.PIPE, text=True).stdout.split()]


def against_piscina():
    """A burst of empty tasks, and 256 of them outstanding, by Node's threads with piscina; and by ours, in turn."""
    modules = npm_folder("piscina", "piscina@5")
    if not modules or not shutil.which("node"):
        remark("piscina is left out: it needs node and npm")
        return
    for name, theirs, ours in (("a burst", 0, lambda: threads_say("tasks", "0")[2]), ("256 outstanding tasks", 1, lambda: threads_say("window")[1])):
        pairs = []
        for _ in range(ROUNDS):
            said = subprocess.run(["node", os.path.join(ROOT, "bench", "piscina.js"), modules], check=True, stdout=subprocess.PIPE, text=True).stdout
            pairs.append((float(said.split()[theirs]) / 1e3, ours() / 1e3))
        report(f"{name}, against piscina", "k/s", *zip(*pairs), 20, True)


def threads():
    """Tasks by libthrum's pool of two threads against libuv's and a list under a mutex: bursts, a window, one at a time; and messages by a port."""
    for ns, least in ((0, 3), (1000, 1.8), (10000, 0.9)):
        rounds = [threads_say("tasks", str(ns)) for _ in range(ROUNDS)]
        mutex, uv, ours, waited, halves = ([n / 1e6 for n in column] for column in zip(*rounds))
        if ns < 10000:
            report(f"tasks of {ns} ns, against libuv", "M/s", uv, ours, least, True)
        if ns:
            report_least(f"tasks of {ns} ns, of what two threads can do", "%", statistics.median(ours) * ns / 20, 70 if ns == 1000 else 90)
            remark(f"two threads that do it and nothing else: {statistics.median(halves) * ns / 20:.0f} %, {statistics.median(halves) / statistics.median(uv):.2f} of libuv")
        else:
            remark(f"a pointer from one thread to another, and nothing else: {statistics.median(threads_say('cells')[0] for _ in range(ROUNDS)) / 1e6:.1f} M/s")
        remark(f"… a list under a mutex {statistics.median(mutex):.2f} M/s; by who waits for one after the other {statistics.median(waited):.2f} M/s")
    for mode, name, least in (("window", "256 outstanding tasks", 1), ("trip", "one task at a time", 2)):
        uv, ours, uv_ns, our_ns = zip(*[threads_say(mode) for _ in range(ROUNDS)])
        report(f"{name}, against libuv", "k/s", [n / 1e3 for n in uv], [n / 1e3 for n in ours], least, True)
        if mode == "window":
            report(f"{name}, processor time", "ns", uv_ns, our_ns, 0.7)
    counted, without = zip(*[(threads_say("empty")[0], threads_say("empty", program="uncounted")[0]) for _ in range(ROUNDS)])
    report_value(f"a task of {min(without):.2f} ns, by one thread: what its being counted on the stats page adds", " ns", min(counted) - min(without), 1)
    against_piscina()
    rates = [threads_say("port")[0] / 1e6 for _ in range(ROUNDS)]
    report_least("messages of a port", "M/s", statistics.median(rates), 5)
    copied, transferred = zip(*[[s * 1e3 for s in threads_say("transfer")] for _ in range(ROUNDS)])
    report("100 MB by a port, copied against transferred", "ms", copied, transferred, 0.001)


def inside():
    """What a look into a process costs whose thread pool has a thousand tasks queued."""
    print(subprocess.run([PROGRAMS + "inside"], check=True, stdout=subprocess.PIPE, text=True).stdout, end="", flush=True)


SWEPT_PROCESSES, SWEPT_THREADS = 100, 100
HTOP_EVERY_S, HTOP_COUNT = 1, 6


def sweep():
    """A pass over all processes, and over ten thousand threads of a hundred of them, against a refresh of htop, which shows them too."""
    if not shutil.which("htop"):
        remark("htop is not installed")
        return
    process = subprocess.Popen([PROGRAMS + "sweep", "threads", str(SWEPT_PROCESSES), str(SWEPT_THREADS)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)

    def ours(way):
        process.stdin.write(way + "\n")
        process.stdin.flush()
        return float(process.stdout.readline())
    try:
        has_roll = "roll" in process.stdout.readline()
        ways = {"files": "by their files"} | ({"roll": "by eBPF"} if has_roll else {})
        rounds = [[refresh_of(["htop", "-d", str(HTOP_EVERY_S * 10)], HTOP_EVERY_S, HTOP_COUNT), *map(ours, ways)] for _ in range(ROUNDS)]
        htops, *swept = zip(*rounds)
        for name, ours in zip(ways.values(), swept):
            report(f"{SWEPT_PROCESSES * SWEPT_THREADS} threads, one in {SWEPT_THREADS} runs, {name}, floor: htop", "ms CPU", htops, ours, 0.15)
        if not has_roll:
            remark("eBPF is not to be had here: `thrum doctor` says why")
    finally:
        process.stdin.close()
        process.wait()


DISTURBED_S = 3
# How often a second of those in which it did not wait for a processor: that others need one, too, is not what is measured.
COUNT = """const fs=require('fs'),waited=()=>Number(fs.readFileSync('/proc/self/schedstat','utf8').split(' ')[1]);
let n=0,x=0;const w=waited(),t=process.hrtime.bigint(),end=t+BigInt(%d)*1000000000n;
(function f(){for(let i=0;i<2e5;i++)x+=i*i%%7;n++;const now=process.hrtime.bigint();
if(now<end)setImmediate(f);else console.log(n*1e9/(Number(now-t)-(waited()-w)));})()""" % DISTURBED_S


def speed_of(command, is_watched):
    target = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watcher = subprocess.Popen([PROGRAMS + "sweep", "watch", str(target.pid)]) if is_watched else None
    speed = float(target.communicate()[0])
    if watcher:
        watcher.kill()
        watcher.wait()
    return speed


def disturbance():
    """How much slower a process is while it is looked into ten times a second."""
    targets = {"memory that is mapped and unmapped": [PROGRAMS + "sweep", "map", str(DISTURBED_S)]}
    if shutil.which("node"):
        targets["Node that computes"] = ["node", "-e", COUNT]
    for name, command in targets.items():
        rounds = [(speed_of(command, False), speed_of(command, True)) for _ in range(2 * ROUNDS)]
        report(f"{name}, looked into at 10 Hz, floor: not at all", "/s", *zip(*rounds), 0.98, True)


def screen_of(project, *command, size):
    """A terminal by libvterm, as the scenarios have it."""
    from lib_vt import Screen
    return Screen(project, *command, size=size)


def told(screen):
    """Bytes, and frames, so far."""
    return [int(word) for word in screen.do("bytes")[0].split()]


def pid_in(screen):
    return children_of(screen.process.pid)[0]


def rest(screen, seconds):
    """Bytes and frames of so long without a key."""
    before = told(screen)
    time.sleep(seconds)
    return [b - a for a, b in zip(before, told(screen))]


WATCHED_S = 10


def screen_idle():
    """A dashboard on ten services that do nothing: it moves uptimes of less than an hour, once a second, and does nothing else; paused, nothing."""
    with Project({"x": {"command": ["sleep", "1000"], "instances": 10}}) as project:
        project.run("up", "-d")
        screen = screen_of(project, THRUM, "attach", size="100x30")
        screen.sees("x/9")
        time.sleep(62)  # the graphs of the last minute are as they stay
        pid = pid_in(screen)
        used, woken = cpu_us(pid), switches(pid)
        size, frames = rest(screen, WATCHED_S)
        used, woken = cpu_us(pid) - used, switches(pid) - woken
        report_value("idle dashboard, 100x30: frames a second", "", frames / WATCHED_S, 1.1)
        report_value("… bytes a second", "", size / WATCHED_S, 170)
        report_value("… wake-ups a second", "", woken / WATCHED_S, 3)
        report_value("… of a processor", " %", used / 1e4 / WATCHED_S, 0.2)
        report_value("… memory, RSS", " MB", rss_mb(pid), 6.5)
        screen.keys("Z")
        time.sleep(1)
        used = cpu_us(pid)
        size, frames = rest(screen, WATCHED_S)
        report_value("paused: frames", "", frames, 0)
        report_value("… bytes", "", size, 0)
        report_value("… of a processor", " %", (cpu_us(pid) - used) / 1e4 / WATCHED_S, 0.1)
        screen.close()


def rss_mb(pid):
    with open(f"/proc/{pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024


MOVER = """import random, time
while True:
    kept = bytearray(random.randrange(1, 9) * 1000000)
    end = time.process_time() + random.random() * 0.03
    while time.process_time() < end: pass
    time.sleep(0.4)"""


def screen_busy():
    """Thirty processes whose figures all move, and one that writes without an end."""
    processes = {"move": {"command": ["python3", "-c", MOVER], "instances": 30}, "flood": {"command": ["yes", "a line of a log that never ends"]}}
    with Project(processes) as project:
        project.run("up", "-d")
        for size in ("100x30", "100x60", "140x45"):
            screen = screen_of(project, THRUM, "attach", size=size)
            screen.sees("move/9")
            screen.keys("/", "f", "l", "o", "\\r")  # its log runs through the pane below
            time.sleep(3)
            most, count, begun = 0, 0, time.monotonic()
            while time.monotonic() < begun + WATCHED_S:
                before = told(screen)
                time.sleep(0.05)
                after = told(screen)
                if after[1] == before[1] + 1:
                    most = max(most, after[0] - before[0])
                count += after[1] - before[1]
            report_value(f"busy dashboard, {size}: bytes of the largest frame", "", most, 2500 if size != "140x45" else 3700)
            report_value("… frames a second", "", count / WATCHED_S, 10)
            report_value("… memory, RSS", " MB", rss_mb(pid_in(screen)), 8)
            screen.close()


def screen_keys():
    """From a key to the frame that knows it, while a thousand instances are sampled and one floods its log."""
    processes = {"s": {"command": ["sleep", "1000"], "instances": 1000}, "flood": {"command": ["yes", "a line of a log that never ends"]}}
    with Project(processes) as project:
        project.run("up", "-d")
        for where, keys in (("table", "jk"), ("logs of the one that floods", "GG")):
            screen = screen_of(project, THRUM, "attach", size="100x30")
            screen.sees("s/9")
            time.sleep(5)  # a thousand starts are over
            if where != "table":
                screen.keys("/", "f", "l", "o", "\\r", "6", "z")
            report_keys(f"{where}, 1 000 instances and a flood", keys_of(screen, keys, count=200))
            report_value("… memory, RSS", " MB", rss_mb(pid_in(screen)), 8.5 if where == "table" else 9.5)
            remark(f"of it shared with others: {rss_mb(pid_in(screen)) - pss_mb(pid_in(screen)):.1f} MB")
            screen.close()


LOG_MB = int(os.environ.get("BENCH_LOG_MB", "1024"))
# lines of 100 bytes, each with its number
LOG_WRITER = """import sys, time
for n in range(0, %d, 10000):
    sys.stdout.write("".join("line %%010d %%s\\n" %% (i, "x" * 83) for i in range(n, n + 10000)))
print("the end", flush=True)
time.sleep(1000)"""


def waited_ms(*pids):
    """For a processor, since they began."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/schedstat") as f:
            total += int(f.read().split()[1]) / 1e6
    return total


def keys_of(screen, keys, seconds=None, count=None):
    """
    How long each takes to the frame that knows it, in ms: so many, or for so long. Not counted is how long the program, or the
    terminal, stood in the queue for a processor that others had.
    """
    times, end, pids = [], time.monotonic() + (seconds or 1000), (pid_in(screen), screen.process.pid)
    while time.monotonic() < end and (not count or len(times) < count):
        begun, waited = time.monotonic(), waited_ms(*pids)
        screen.keys(keys[len(times) % len(keys)])
        times.append(max((time.monotonic() - begun) * 1000 - (waited_ms(*pids) - waited), 0))
        time.sleep(0.011 * (len(times) % 3))
    return times


def report_keys(what, times):
    report_value(f"a key to the screen, {what}, {len(times)} keys, p50", " ms", percentile(times, 50), 50)
    report_value("… p99", " ms", percentile(times, 99), 50)
    remark(f"the longest: {max(times):.0f} ms")


def screen_log():
    """Keys in a log of a gigabyte: while it is scrolled from end to end, and while a filter or a search runs over all of it."""
    big = {"command": ["python3", "-c", LOG_WRITER % (LOG_MB * (1 << 20) // 100)], "log": {"rotate": {"max_size": "64MB", "max_files": 100}}}
    with Project({"big": big}) as project:
        project.run("up", "-d")
        screen = screen_of(project, THRUM, "attach", size="120x40")
        screen.sees("big")
        screen.keys("6", "z")
        for _ in range(30):
            if screen.tell("sees the end")[1]:
                break
        report_keys(f"a log of {LOG_MB} MB, paged and from end to end", keys_of(screen, ["g", "\\x06", "\\x06", "G", "\\x02", "\\x02", "k", "j"], count=400))
        screen.keys("g")
        screen.keys("\\\\", *"0009", "\\r")
        report_keys("while a filter that lets little through runs", keys_of(screen, ["j", "k", "\\x06", "w"], seconds=WATCHED_S / 2))
        screen.keys("\\\\", "\\x15", "\\r", "g", "/", *"not there", "\\r")
        report_keys("while a search that finds nothing runs", keys_of(screen, ["t"], seconds=WATCHED_S / 2))
        screen.keys("G")
        screen.sees("following")
        rounds = []
        for _ in range(ROUNDS):
            begun = time.monotonic()
            subprocess.run(["sh", "-c", f"grep -P 'not ther[e]' '{project.dir}'/state/*/logs/big-0.out.log*"], stdout=subprocess.DEVNULL)
            grepped = time.monotonic()
            screen.keys("g", "n")
            screen.sees("no such line")
            rounds.append((grepped - begun, time.monotonic() - grepped))
            screen.keys("G")
            screen.sees("following")
        report(f"a search through {LOG_MB} MB, floor: grep -P", "s", *zip(*rounds), 10)
        remark(f"its memory then, RSS: {rss_mb(pid_in(screen)):.1f} MB")
        screen.close()


def refreshes(screen, count):
    """Bytes, and cells that they changed, of so many refreshes."""
    screen.do("refresh")
    return [[int(word) for word in screen.do("refresh")[0].split()] for _ in range(count)]


def screen_others():
    """Bytes a refresh at 140x45, once a second, for the same machine and at the same time."""
    commands = {"thrum top": [THRUM, "top"], "htop": ["htop", "-d", "10"], "btop": ["btop"], "the dashboard": [THRUM, "attach"]}
    if not all(shutil.which(command[0]) for command in commands.values()):
        remark("htop and btop are needed")
        return
    with Project({"move": {"command": ["python3", "-c", MOVER], "instances": 20}}) as project:
        project.run("up", "-d")
        os.makedirs(project.dir + "/btop")
        project.env["XDG_CONFIG_HOME"] = project.dir
        with open(project.dir + "/btop/btop.conf", "w") as f:
            f.write("update_ms = 1000\n")
        screens = {name: screen_of(project, *command, size="140x45") for name, command in commands.items()}
        time.sleep(5)
        seen = {name: [sum(column) for column in zip(*refreshes(screen, 10))] for name, screen in screens.items()}
        for screen in screens.values():
            screen.close()
    per_cell = {name: size / max(cells, 1) for name, (size, cells) in seen.items()}
    for name, (size, cells) in seen.items():
        remark(f"{name}: {size / 10:.0f} bytes a refresh, {cells / 10:.0f} cells, {per_cell[name]:.2f} bytes a cell")
    report_value("bytes a cell that changes, of those of htop", "", per_cell["thrum top"] / per_cell["htop"], 1.2)
    report_value("bytes a refresh of thrum top, of those of btop", "", seen["thrum top"][0] / seen["btop"][0], 1 / 20)
    report_value("bytes a refresh of the dashboard, of those of btop", "", seen["the dashboard"][0] / seen["btop"][0], 1 / 20)


benches = {f.__name__: f for f in (restart, restart_bare, spawn, thousand, memory, storm, probes, death, engine_back, ps, metrics, idle, log_blocks, log_lines, procfs, top, inside,
                               sweep, disturbance,
                               messages, cluster, tasks, fleet, threads,
                               screen_idle, screen_busy, screen_keys, screen_log, screen_others)}
names = sys.argv[1:] or list(benches)
for name in names:
    if name not in benches:
        sys.exit(f"no such benchmark: {name}; there are {', '.join(benches)}")
print(f"load average before: {os.getloadavg()[0]:.2f} on {os.cpu_count()} processors; above 1, waiting for a turn is what is measured", flush=True)
for name in names:
    benches[name]()
sys.exit(1 if failures else 0)
