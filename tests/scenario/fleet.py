#!/usr/bin/env python3
"""Tasks over Redis: several engines share a stream; engines, gateways and Redis itself die, and every task is answered."""
import json, os, shutil, signal, socket, subprocess, sys, tempfile, threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Failure, Project, THRUM, WORKER, expect, is_alive, main, until

GATEWAY = os.path.join(os.path.dirname(THRUM), "thrum-redis")
TASKER = os.path.join(WORKER, "tasker")
if not os.path.exists(GATEWAY) or not shutil.which("redis-server"):
    print("no gateway was built, or there is no redis-server")
    sys.exit(77)

WORK = r"""
import json, os, time
f = os.fdopen(int(os.environ['THRUM_CHANNEL_FD']), 'r+b', buffering=0)
rest = b''
while True:
    got = f.read(65536)
    if not got: break
    *lines, rest = (rest + got).split(b'\n')
    for line in lines:
        t = json.loads(line)['payload']
        time.sleep(t.get('sleep', 0))
        if 'fail' in t: f.write(json.dumps({'type': 'task_error', 'taskId': t['id'], 'error': 'as told'}).encode() + b'\n')
        else: f.write(json.dumps({'type': 'task_complete', 'taskId': t['id'], 'result': t.get('n', 0) * 2}).encode() + b'\n')
"""


class Redis:
    """The real server on a socket in a folder of its own, which keeps what it has said that it has."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="thrum-redis-")
        self.socket = self.dir + "/socket"
        self.address = "unix://" + self.socket
        self.start()

    def start(self):
        self.server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.dir, "--appendonly", "yes",
                                        "--appendfsync", "always", "--save", ""], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self.is_up, "redis answers")

    def is_up(self):
        try:
            return self.ask("PING") == "PONG"
        except OSError:
            return False

    def ask(self, *words):
        """One command. Lists come as lists, nothing as None."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(self.socket)
            s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in (str(word).encode() for word in words)))
            return self.read(s.makefile("rb"))

    def read(self, f):
        line = f.readline().decode().strip()
        if not line:
            raise OSError("it is gone")
        if line[0] == "-":
            raise OSError(line)
        size = int(line[1:]) if line[0] in ":$*" else 0
        if line[0] == "$":
            return f.read(size + 2)[:-2].decode() if size >= 0 else None
        if line[0] == "*":
            return [self.read(f) for _ in range(size)] if size >= 0 else None
        return size if line[0] == ":" else line[1:]

    def kill(self):
        self.server.kill()
        self.server.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class Engine(Project):
    def __init__(self, redis, name, size=2, command=None, **more):
        service = {"command": command or ["python3", "-c", WORK], "pool": {"size": size}}
        super().__init__(name, {"w": service}, redis=dict({"server": redis.address, "claim_after": "1s"}, **more))
        self.env.update(THRUM_REDIS=redis.address)
        self.run("up", "-d", check=0)

    def serve(self):
        until(lambda: self.rows().get("thrum-redis/0", {}).get("state") == "ready", "the gateway serves")
        return self

    def kill(self):
        """As if the machine were gone: the gateway and the engine with its keeper, at once."""
        rows = self.rows()
        info = self.hello()
        for pid in (info["keeper_pid"], info["engine_pid"], *(r["pid"] for r in rows.values() if r["pid"])):
            os.kill(pid, signal.SIGSTOP)
        for pid in (info["keeper_pid"], info["engine_pid"], *(r["pid"] for r in rows.values() if r["pid"])):
            os.kill(pid, signal.SIGKILL)

    def hello(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{self.dir}/run/{self.name}/control")
            s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\n')
            return json.loads(s.makefile().readline())["result"]


class Submitter:
    """`submit --fleet --wait` of numbers, in the background."""

    def __init__(self, engine, numbers, **more):
        engine.write("tasks", "".join(json.dumps(dict(more, n=n)) + "\n" for n in numbers))
        self.numbers = list(numbers)
        self.path = engine.dir + "/answers"
        self.process = subprocess.Popen([GATEWAY, "submit", "--wait", "--from", "tasks", "w"], cwd=engine.dir, env=engine.env,
                                        stdin=subprocess.DEVNULL, stdout=open(self.path, "w"), stderr=subprocess.PIPE, text=True)

    def answers(self):
        with open(self.path) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    def check(self, seconds=60):
        try:
            errors = self.process.communicate(timeout=seconds)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Failure(f"{len(self.answers())} of {len(self.numbers)} answers after {seconds} s")
        got = self.answers()
        expect(self.process.returncode == 0, f"status {self.process.returncode}: {errors}")
        expect(sorted(r["index"] for r in got) == list(range(len(self.numbers))), "each is answered once")
        expect(all(r["ok"] and r["result"] == 2 * self.numbers[r["index"]] for r in got), "and rightly")
        return got


def with_redis(test):
    def run():
        redis, engines = Redis(), []
        try:
            test(redis, lambda *a, **k: engines.append(Engine(redis, *a, **k)) or engines[-1])
        finally:
            for engine in engines:
                engine.close()
            redis.close()
    run.__name__ = test.__name__
    return run


@with_redis
def two_engines_share_the_tasks(redis, engine):
    a, b = engine("a").serve(), engine("b").serve()
    got = Submitter(a, range(60), sleep=0.05).check()
    by = [r["engine"].split("/")[1] for r in got]
    expect(set(by) == {"a", "b"} and min(by.count("a"), by.count("b")) >= 15, f"both have worked: {by.count('a')} and {by.count('b')}")
    expect(redis.ask("XLEN", "thrum:pool:w") == 0, "nothing is left")
    expect(not [k for k in redis.ask("KEYS", "*") if ":reply:" in k or ":sent:" in k], "nor of the submission")


@with_redis
def redis_dies_and_comes_back(redis, engine):
    a, b = engine("a").serve(), engine("b").serve()
    work = Submitter(a, range(300), sleep=0.02)
    for goal in (20, 80, 140):
        until(lambda: len(work.answers()) >= goal, f"{goal} answers")
        redis.kill()
        redis.start()
    work.check()
    expect(redis.ask("XLEN", "thrum:pool:w") == 0 and redis.ask("XPENDING", "thrum:pool:w", "thrum")[0] == 0, "nothing is left")
    expect(b.rows()["thrum-redis/0"]["restarts"]["crash"] == 0, "the gateway outlived it")


@with_redis
def an_engine_is_killed_in_the_middle(redis, engine):
    a, b = engine("a").serve(), engine("b").serve()
    work = Submitter(a, range(100), sleep=0.05)
    until(lambda: len(work.answers()) >= 20, "20 answers")
    b.kill()
    got = work.check()
    expect({r["engine"].split("/")[1] for r in got[-20:]} == {"a"}, "the other one did the rest")


@with_redis
def an_engine_is_killed_and_goes_on(redis, engine):
    """The keeper starts another one, the gateway has the same submission: no task runs anew that was answered."""
    a = engine("a").serve()
    work = Submitter(a, range(100), sleep=0.02)
    for goal in (20, 50):
        until(lambda: len(work.answers()) >= goal, f"{goal} answers")
        os.kill(a.engine(), signal.SIGKILL)
        until(a.engine, "another one")
    work.check()


@with_redis
def a_gateway_is_killed(redis, engine):
    a = engine("a").serve()
    work = Submitter(a, range(100), sleep=0.02)
    for goal in (20, 50):
        until(lambda: len(work.answers()) >= goal, f"{goal} answers")
        os.kill(a.rows()["thrum-redis/0"]["pid"], signal.SIGKILL)
    work.check()


main(two_engines_share_the_tasks, redis_dies_and_comes_back, an_engine_is_killed_in_the_middle, an_engine_is_killed_and_goes_on,
     a_gateway_is_killed)
