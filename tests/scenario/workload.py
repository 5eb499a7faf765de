#!/usr/bin/env python3
"""thrum-workload: what each of them does, alone and in the demo."""
import json, os, re, resource, shutil, signal, subprocess, sys, tempfile, urllib.error, urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, Project, expect, main, rss_kb, state, states, ticks_of, until

WORKLOAD = os.path.join(os.environ.get("BUILDDIR", "."), "src", "thrum-workload")
EXAMPLES = os.path.join(os.environ.get("SRCDIR", "."), "examples")


def work(*args):
    return subprocess.run([WORKLOAD, *args], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)


class Begun:
    """One that goes on until it is told to end."""

    def __init__(self, *args):
        self.process = subprocess.Popen([WORKLOAD, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def proc(self, name):
        with open(f"/proc/{self.process.pid}/{name}") as f:
            return f.read()


def words_are_tasks():
    for args, wanted in ((("fib", "0", "1", "30"), "0\n1\n832040\n"), (("primes", "1000000"), "78498\n"), (("echo", "a b", '"\\'), '"a b"\n"\\"\\\\"\n'),
                         (("prime", "97", "91", "1"), '{"n":97,"prime":true}\n{"n":91,"prime":false,"divisor":7}\n{"n":1,"prime":false}\n')):
        got = work(*args)
        expect((got.returncode, got.stdout) == (0, wanted), f"{args}: {got}")


def checksums_are_those_of_cksum():
    with tempfile.TemporaryDirectory() as folder:
        for name, content in (("empty", b""), ("short", b"thrum"), ("long", bytes(range(256)) * 1000)):
            path = os.path.join(folder, name)
            with open(path, "wb") as f:
                f.write(content)
            theirs = subprocess.run(["cksum", path], capture_output=True, text=True, check=True).stdout.split()
            ours = json.loads(work("checksum", path).stdout)
            expect((str(ours["checksum"]), str(ours["bytes"])) == (theirs[0], theirs[1]), f"{name}: {ours}, {theirs}")
        os.mkfifo(os.path.join(folder, "fifo"))
        for path, why in ((folder, "no plain file"), (os.path.join(folder, "fifo"), "no plain file"), (os.path.join(folder, "nix"), "No such file")):
            got = work("checksum", path)
            expect(got.returncode == 1 and why in got.stderr, f"{got}")


def what_is_wrong_is_said():
    for args, status, why in ((("nix",), 2, "no such workload"), (("fib",), 2, "no tasks"), (("fib", "61"), 1, "N from 0 to 60"), (("fib", "1.5"), 1, "N from 0"),
                              (("spin", "--percent", "101"), 2, "from 1 to 100"), (("leak", "--step"), 2, "size such as"), (("chat",), 2, "no channel"),
                              (("leak", "more"), 2, "too many arguments"), (("block", "nix"), 2, "one of [sleep|pipe"), (("unstable", "nix"), 2, "one of [exit|abort"),
                              (("spin", "--nix", "1"), 2, "no such option"), (("http", "--port", "65536"), 2, "from 0 to 65535"), (("prime", "-1"), 1, "2^53")):
        got = work(*args)
        expect(got.returncode == status and why in got.stderr, f"{args}: {got}")
    listed = re.findall(r"^  thrum-workload (\S+)", work().stdout, re.M)
    expect(len(listed) == 13, f"{listed}")
    for name in listed:
        got = work("help", name)
        expect(got.returncode == 0 and got.stdout.startswith(f"thrum-workload {name}"), f"{got}")
        expect(work(name, "--help").stdout == got.stdout, f"{name}")


def the_unstable_one_fails_as_it_is_told():
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    for how, status in (("exit", 3), ("abort", -signal.SIGABRT), ("fault", -signal.SIGSEGV), ("kill", -signal.SIGKILL)):
        got = work("unstable", how, "--within", "0")
        expect(got.returncode == status and f"failing by {how}" in got.stderr, f"{got}")
    with Begun("unstable", "--within", "60m") as one:
        expect(one.process.stdout.readline().startswith("up; ends by "), "it says what it will do")
        expect(one.end() == 0, "it can be ended before")


def the_leak_grows_as_far_as_it_may():
    with Begun("leak", "--step", "1MB", "--most", "20MB", "--every", "1ms") as one:
        expect([one.process.stdout.readline() for _ in range(2)] == ["10 MB\n", "20 MB\n"], "it says so")
        expect(20 * 1024 < rss_kb(one.process.pid) < 40 * 1024, f"{rss_kb(one.process.pid)} kB")
        expect(one.end() == 0, "ended")


def spinning_is_by_its_threads():
    def ticks():
        return ticks_of(one.process.pid)
    with Begun("spin", "--threads", "2", "--percent", "50") as one:
        until(lambda: ticks() > 20, "it uses the processor")
        names = [open(f"/proc/{one.process.pid}/task/{tid}/comm").read().strip() for tid in os.listdir(f"/proc/{one.process.pid}/task")]
        expect({"spin-0", "spin-1"} <= set(names), f"{names}")
        expect(one.end() == 0, "ended")


def blocked_threads_wait_each_in_its_way():
    def seen():
        threads = json.loads(subprocess.run([THRUM, "threads", str(one.process.pid), "--json", "--over", "0"], capture_output=True, text=True).stdout or "[]")
        return {t["name"]: t["syscall"] for t in threads}
    wanted = {"sleep-0": "clock_nanosleep", "pipe-0": "read", "futex-0": "futex", "socket-0": "accept", "lock-0": "flock"}
    with Begun("block") as one:
        until(lambda: wanted.items() <= seen().items() or os.geteuid() != 0 and set(wanted) <= set(seen()), "all of them wait")
        expect(one.end() == 0, "ended, though its threads will not")
    with Begun("block", "pipe", "--threads", "3") as one:
        until(lambda: {"pipe-0", "pipe-1", "pipe-2"} <= set(seen()), "three of one kind")
        expect("sleep-0" not in seen(), "and no other")


def get(address):
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def the_server_serves():
    with Begun("http", "--threads", "2") as one:
        address = one.process.stdout.readline().split()[-1]
        for path, wanted in (("/health", (200, "ok\n")), ("/fib/20", (200, "6765\n")), ("/fib/99", (400, 'a task is {"n": N}, and N from 0 to 60\n')),
                             ("/slow/1", (200, "1 ms\n")), ("/sick", (200, "/health fails now\n")), ("/health", (503, "sick\n")),
                             ("/sick", (200, "/health is well again\n")), ("/health", (200, "ok\n"))):
            got = get(address + path)
            expect(got == wanted, f"{path}: {got}")
        expect(get(address + "/nix")[0] == 404 and get(address + "/")[1].startswith("instance -, pid "), "the others")
        slow = subprocess.Popen([sys.executable, "-c", f"import urllib.request; print(urllib.request.urlopen('{address}/slow/500').read())"],
                                stdout=subprocess.PIPE, text=True)
        pool = lambda: json.loads(subprocess.run([THRUM, "pool", str(one.process.pid), "--json"], capture_output=True, text=True).stdout)["thread_pools"][0]
        until(lambda: pool()["busy"] == 1, "it is at work")
        expect(one.end() == 0, "ended")
        expect(slow.communicate(timeout=60)[0] == "b'500 ms\\n'\n", "who was let in is answered")


def the_bench_measures_threads_against_processes():
    def bench(*args):
        return subprocess.run([THRUM, "bench", *args], capture_output=True, text=True, timeout=200)
    got = bench("primes", "files", "start", "--json", "--rounds", "1")
    expect(got.returncode == 0, got.stderr)
    told = json.loads(got.stdout)
    by = {b["bench"]: {r["name"]: r for r in b["rows"]} for b in told["benches"]}
    n = told["threads"]
    ways = ["1 thread", f"{n} threads", f"{n} processes"]
    expect([list(by[name]) for name in ("primes", "files", "start")] == [ways, ways, ["thread", "process"]], f"{by}")
    expect(all(row["c"] > 0 for rows in by.values() for row in rows.values()), f"{by}")
    expect(by["start"]["process"]["c"] > by["start"]["thread"]["c"], f"a process takes longer to begin: {by['start']}")
    if shutil.which("node"):
        expect(told["node"] and all(row["node"] > 0 for rows in by.values() for row in rows.values()), f"Node beside it: {told}, {got.stderr}")
    text = bench("transfer", "--rounds", "1").stdout
    copied, transferred = (float(re.search(rf"(?m)^  {name} +(\S+)", text)[1]) for name in ("copied", "transferred"))
    expect(copied > transferred and "####" in text, text)
    expect(bench("nix").returncode == 2 and bench("--rounds", "0").returncode == 2, "wrong usage")


def advice_is_from_answers_and_from_what_is_measured():
    def advise(*args, project=None):
        run = project.run if project else lambda *a: subprocess.run([THRUM, *a], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        return run("advise", *args)
    def told(*args, project=None):
        return json.loads(advise(*args, "--json", project=project).stdout)
    expect(told("cpu=yes", "isolated=yes")["advice"] == "processes" and told("cpu=yes")["advice"] is None, "answers")
    text = advise("cpu=yes", "shared=yes").stdout
    expect("threads: a pool of threads" in text and re.search(r"(?m)^ +\+5 +-3  together$", text), text)
    for args, why in (((), "Is memory scarce?"), (("nix=yes",), "nothing is asked by the name of 'nix'"), (("cpu=perhaps",), "yes or no"), (("a", "b"), "one at a time")):
        got = advise(*args)
        expect(got.returncode == 2 and why in got.stderr, f"{args}: {got}")
    p = Project("advice", {"spin": {"command": "thrum-workload spin"}, "block": {"command": "thrum-workload block"},
                           "bad": {"command": "thrum-workload unstable exit --within 0", "availability": {"restart": "always", "backoff": {"initial": "1ms"}, "max_restarts": 4}}})
    try:
        p.run("up", "-d", check=0)
        # what is measured is what they are given: both have to have begun, and the one to get its turn
        until(lambda: (got := told("block", project=p))["advice"] == "neither" and "it waits" in got["reasons"][0]["text"], lambda: f"it waits: {told('block', project=p)}")
        spinning = lambda: told("spin", "shared=yes", "--over", "300ms", project=p)
        until(lambda: (got := spinning())["advice"] == "threads" and any("% of a core" in r["text"] for r in got["reasons"]), lambda: f"it computes: {spinning()}")
        until(lambda: p.rows()["bad/0"]["state"] == "fatal", "it has crashed too often")
        expect(advise("bad", project=p).returncode and advise("nix", project=p).returncode == 4, "of what does not run, nothing is measured")
        p.run("stop", "spin", check=0)
    finally:
        p.close()


class Demo(Project):
    def __init__(self):
        super().__init__("demo", {})
        shutil.copytree(EXAMPLES, self.dir, dirs_exist_ok=True)
        os.remove(self.dir + "/thrum.yaml")
        os.rename(self.dir + "/demo.yaml", self.dir + "/thrum.yaml")


def the_demo_shows_all_of_them():
    p = Demo()
    try:
        with open(p.dir + "/thrum.yaml") as f:
            shown = set(re.findall(r"thrum-workload (\S+)", re.sub(r"(?m)^ *#.*", "", f.read())))
        expect(shown == set(re.findall(r"^  thrum-workload (\S+)", work().stdout, re.M)) - {"echo", "bench"}, f"{shown}")
        started = p.run("up", "-d", check=0)
        expect(started.stderr == "", started.stderr)
        states = {name: row["state"] for name, row in p.rows().items()}
        bad = {name: state for name, state in states.items() if state not in ("starting", "running", "ready", "scheduled", "backoff")}
        expect(not bad and len(states) == 25, f"{states}")
        p.run("start", "feed-fib", "feed-primes", "feed-prime", "feed-checksum", check=0)
        for pool, least in (("primes", 4), ("prime", 10), ("checksum", 5)):
            until(lambda: (lambda s: s["completed"] + s["failed"])(p.json("pool", pool)) >= least, f"tasks of {pool}")
        expect(p.json("pool", "checksum")["failed"] >= 1, "one of its files is not there")
        until(lambda: p.json("pool", "jobs")["thread_pools"][0]["queued"] > 0, "jobs wait in the pool of threads")
        echoed = json.loads(p.run("send", "--wait", "chat", '{"cmd":"echo","text":"hello","requestId":1}', check=0).stdout)
        expect(echoed == {"result": "hello", "requestId": 1}, f"{echoed}")
        address = until(lambda: p.log("web/0").decode().split()[-1], "where it serves")
        until(lambda: get(address + "/health") == (200, "ok\n"), "it serves")
        until(lambda: int(p.json("info", "chat/0")["channel"].get("metrics", {"said": {"value": 0}})["said"]["value"]) > 0, "its figures")
        p.run("stop", "chat", "fib", check=0)
        p.run("wait", "chat", "fib", "--for", "stopped", "--timeout", "60s", check=0)
        ends = [(d["service"], d["cause"], d["code"]) for d in p.json("history") if d["service"] in ("chat", "fib")]
        expect(sorted(ends) == [("chat", "manual", 0)] + [("fib", "manual", 0)] * 4, f"asked to end, they end well: {ends}")
    finally:
        p.close()


main(words_are_tasks, checksums_are_those_of_cksum, what_is_wrong_is_said, the_unstable_one_fails_as_it_is_told, the_leak_grows_as_far_as_it_may,
     spinning_is_by_its_threads, blocked_threads_wait_each_in_its_way, the_server_serves,
     advice_is_from_answers_and_from_what_is_measured, the_bench_measures_threads_against_processes, the_demo_shows_all_of_them)
