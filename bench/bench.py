#!/usr/bin/env python3
"""
Compares thrum with the floor (the shortest C program that does the same work), in the same run, in turn.
Only the ratios mean something. bench.py [NAME…]; what is over its limit makes the exit status 1.
"""
import json, mmap, os, shutil, signal, socket, statistics, struct, subprocess, sys, tempfile, time

BUILD, THRUM = os.environ["BENCH_BUILD"], os.environ["THRUM"]
STAMPS = 100000
SIZE = 8 + 16 * STAMPS
failures = 0


class Project:
    def __init__(self, processes):
        self.dir = tempfile.mkdtemp(prefix="thrum-bench-", dir=os.environ.get("BENCH_DIR"))
        self.env = dict(os.environ, THRUM_RUNTIME_DIR=self.dir + "/run", THRUM_STATE_DIR=self.dir + "/state")
        os.mkdir(self.dir + "/run", 0o700)
        os.mkdir(self.dir + "/state")
        with open(self.dir + "/thrum.yaml", "w") as f:
            json.dump({"name": "bench", "processes": processes}, f)

    def run(self, *args):
        done = subprocess.run([THRUM, *args], cwd=self.dir, env=self.env, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            sys.exit(f"thrum {' '.join(args)}: {done.stderr}")
        return done.stdout

    def pids(self):
        connection = self.connect()
        hello = call(connection, "hello")
        connection.close()
        return hello["engine_pid"], hello["keeper_pid"]

    def connect(self):
        s = socket.socket(socket.AF_UNIX)
        s.connect(self.dir + "/run/bench/control")
        return s

    def close(self):
        subprocess.run([THRUM, "down", "--timeout", "1s"], cwd=self.dir, env=self.env, capture_output=True)
        shutil.rmtree(self.dir, ignore_errors=True)


def call(connection, method):
    connection.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}).encode() + b"\n")
    data = b""
    while not data.endswith(b"\n"):
        got = connection.recv(65536)
        if not got:
            raise ConnectionResetError
        data += got
    return json.loads(data)["result"]


def report(name, unit, floor, ours, limit, higher_is_better=False):
    global failures
    ratio = ours / floor
    ok = ratio >= limit if higher_is_better else ratio <= limit
    failures += not ok
    print(f"{name}: floor {floor:.2f} {unit}, thrum {ours:.2f} {unit}, ratio {ratio:.2f} (limit {limit}) {'ok' if ok else 'TOO SLOW'}", flush=True)


def report_value(name, unit, value, limit):
    global failures
    ok = value <= limit
    failures += not ok
    print(f"{name}: {value:.2f} {unit} (limit {limit}) {'ok' if ok else 'TOO MUCH'}", flush=True)


def stamp_file(folder):
    path = folder + "/stamps"
    with open(path, "wb") as f:
        f.truncate(SIZE)
    return path


def read_stamps(path):
    with open(path, "rb") as f, mmap.mmap(f.fileno(), SIZE, prot=mmap.PROT_READ) as m:
        count = min(struct.unpack_from("I", m)[0], STAMPS)
        return [struct.unpack_from("QQ", m, 8 + 16 * i) for i in range(count)]


def wait_for_stamps(path, count, seconds=60):
    end = time.monotonic() + seconds
    while len(read_stamps(path)) < count:
        if time.monotonic() > end:
            sys.exit(f"only {len(read_stamps(path))} of {count} children ran")
        time.sleep(0.01)


def gaps_ms(path):
    lives = sorted(read_stamps(path))
    return sorted((b[0] - a[1]) / 1e6 for a, b in zip(lives, lives[1:]) if a[1])


def restart():
    floors, ours = [], []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            path = stamp_file(folder)
            subprocess.run([BUILD + "/bench/floor", "restart", BUILD + "/bench/stamp", path, "300"], check=True)
            floors.append(statistics.median(gaps_ms(path)))
            project = Project({"x": {"command": [BUILD + "/bench/stamp", path + "2"], "availability": {
                "restart": "always", "min_uptime": 0, "max_restarts": "unlimited"}}})
            with open(path + "2", "wb") as f:
                f.truncate(SIZE)
            project.run("up", "-d")
            wait_for_stamps(path + "2", 300)
            project.close()
            ours.append(statistics.median(gaps_ms(path + "2")[:]))
    report("restart, last instruction of the old to first of the new", "ms", statistics.median(floors), statistics.median(ours), 1.5)


def spawn():
    def spread(path):
        first = [life[0] for life in read_stamps(path)]
        return (max(first) - min(first)) / 1e6
    floors, ours = [], []
    for _ in range(5):
        with tempfile.TemporaryDirectory() as folder:
            path = stamp_file(folder)
            floor = subprocess.Popen([BUILD + "/bench/floor", "spawn", BUILD + "/bench/stamp", path, "100"], start_new_session=True)
            wait_for_stamps(path, 100)
            floors.append(spread(path))
            children = open(f"/proc/{floor.pid}/task/{floor.pid}/children").read().split()
            for pid in [floor.pid, *map(int, children)]:
                os.kill(pid, signal.SIGKILL)
            floor.wait()
            path = stamp_file(folder)
            project = Project({"x": {"command": [BUILD + "/bench/stamp", path, "1000"], "instances": 100}})
            project.run("up", "-d")
            wait_for_stamps(path, 100)
            ours.append(spread(path))
            project.close()
    report("100 children, first instruction of the first to that of the last", "ms", statistics.median(floors), statistics.median(ours), 1.5)


def engine_back():
    project = Project({"x": {"command": ["sleep", "1000"], "instances": 20}})
    project.run("up", "-d")
    times = []
    for _ in range(100):
        engine = project.pids()[0]
        time.sleep(0.03)  # an engine that ends at once is held back by its keeper: not what is measured
        began = time.monotonic()
        os.kill(engine, signal.SIGKILL)
        while True:
            try:
                connection = project.connect()
                call(connection, "hello")
                connection.close()
                break
            except ConnectionResetError:
                pass
        times.append((time.monotonic() - began) * 1000)
    project.close()
    times.sort()
    report_value("engine ready again after kill -9, 20 children, p50", "ms", times[49], 50)
    report_value("engine ready again after kill -9, 20 children, p99", "ms", times[98], 50)


def pss_mb(pid):
    with open(f"/proc/{pid}/smaps_rollup") as f:
        return [int(line.split()[1]) for line in f if line.startswith("Pss:")][0] / 1024


def switches(pid):
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as f:
            total += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
    return total


def idle():
    project = Project({"x": {"command": ["sleep", "1000"], "instances": 100}})
    project.run("up", "-d")
    pids = project.pids()
    time.sleep(1)  # what is measured is a time of rest
    before = [switches(pid) for pid in pids]
    time.sleep(10)
    after = [switches(pid) for pid in pids]
    report_value("engine and keeper with 100 idle children, PSS", "MB", sum(map(pss_mb, pids)), 6)
    report_value("their wake-ups in 10 s without a client", "", sum(after) - sum(before), 0)
    project.close()


def log_speed(pattern):
    megabytes = int(os.environ.get("BENCH_MB", "300"))
    floors, ours = [], []
    for _ in range(5):
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
            began = time.monotonic()
            writer = subprocess.Popen([BUILD + "/bench/writer", str(megabytes), pattern], stdout=subprocess.PIPE)
            with open(folder + "/out", "wb") as f:
                subprocess.run(["cat"], stdin=writer.stdout, stdout=f, check=True)
            writer.wait()
            floors.append(megabytes / (time.monotonic() - began))
        project = Project({"x": {"command": [BUILD + "/bench/writer", str(megabytes), pattern], "availability": {"restart": "no"},
                                 "log": {"rotate": {"max_size": 0}}}})
        project.run("up", "-d")
        project.run("wait", "x", "--for", "completed")
        death = json.loads(project.run("history", "--json"))[0]
        ours.append(megabytes / (death["uptime_ms"] / 1000))
        project.close()
    report(f"100-byte lines into a log, {pattern}", "MB/s", statistics.median(floors), statistics.median(ours), 0.8, True)


def log_blocks():
    log_speed("blocks")


def log_lines():
    log_speed("lines")


benches = {f.__name__: f for f in (restart, spawn, engine_back, idle, log_blocks, log_lines)}
for name in sys.argv[1:] or benches:
    if name not in benches:
        sys.exit(f"no such benchmark: {name}; there are {', '.join(benches)}")
    benches[name]()
sys.exit(1 if failures else 0)
