#!/usr/bin/env python3
"""Tasks over Redis: several engines share a stream; engines, gateways and Redis itself die, and every task is answered."""
import json, os, shutil, signal, socket, subprocess, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, WORKER, Failure, Project, expect, free_port, hello, kill_engine, main, until
from lib_terminal import Terminal

GATEWAY = os.path.join(os.path.dirname(THRUM), "thrum-redis")
TASKER = os.path.join(WORKER, "tasker")
if not os.path.exists(GATEWAY) or not shutil.which("redis-server"):
    print("no gateway was built, or there is no redis-server")
    sys.exit(77)

WORK = r"""
import glob, json, os, time
def take_turn(folder): # who has done half of 60 goes on when the other has done a quarter
    mine = folder + '/done-' + os.environ['THRUM_PROJECT']
    with open(mine, 'a') as done: done.write('x')
    while os.path.getsize(mine) > 30 and not any(path != mine and os.path.getsize(path) >= 15 for path in glob.glob(folder + '/done-*')):
        time.sleep(0.01)
f = os.fdopen(int(os.environ['THRUM_CHANNEL_FD']), 'r+b', buffering=0)
rest = b''
while True:
    got = f.read(65536)
    if not got: break
    *lines, rest = (rest + got).split(b'\n')
    for line in lines:
        t = json.loads(line)['payload']
        if 'turn' in t: take_turn(t['turn'])
        time.sleep(t.get('sleep', 0))
        if 'fail' in t: f.write(json.dumps({'type': 'task_error', 'taskId': t['id'], 'error': 'as told'}).encode() + b'\n')
        else: f.write(json.dumps({'type': 'task_complete', 'taskId': t['id'], 'result': t.get('n', 0) * 2}).encode() + b'\n')
"""


class Redis:
    """The real server on a socket in a folder of its own, which keeps what it has said that it has."""

    def __init__(self, keeps=True):
        self.keeps = keeps
        self.dir = tempfile.mkdtemp(prefix="thrum-redis-")
        self.socket = self.dir + "/socket"
        self.address = "unix://" + self.socket
        self.start()

    def start(self):
        self.server = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.dir, "--appendonly", "yes" if self.keeps else "no",
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
            s.settimeout(60)
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
    def __init__(self, redis, project, size=2, command=None, **more):
        service = {"command": command or ["python3", "-c", WORK], "pool": {"size": size}}
        super().__init__(project, {"w": service}, redis=dict({"server": redis.address, "claim_after": "1s"}, **more))
        self.env.update(THRUM_REDIS=redis.address)
        self.run("up", "-d", check=0)

    def serve(self):
        until(lambda: self.rows().get("thrum-redis/0", {}).get("state") == "ready", "the gateway serves")
        return self

    def kill(self):
        """As if the machine were gone: the gateway and the engine with its keeper, at once."""
        info = until(lambda: hello(self), "an engine")
        pids = [info["keeper_pid"], info["engine_pid"], *(r["pid"] for r in self.rows().values() if r["pid"])]
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                os.kill(pid, number)


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
    got = Submitter(a, range(60), sleep=0.05, turn=redis.dir).check()
    by = [r["engine"].split("/")[1] for r in got]
    expect(set(by) == {"a", "b"} and min(by.count("a"), by.count("b")) >= 15, f"both have worked: {by.count('a')} and {by.count('b')}")
    expect(redis.ask("XLEN", "thrum:pool:w") == 0, "nothing is left")
    expect(not [k for k in redis.ask("KEYS", "*") if ":reply:" in k or ":sent:" in k], "nor of the submission")


@with_redis
def what_no_library_reads_harms_nobody(redis, engine):
    Submitter(engine("a").serve(), [10**30, 4, -10**400]).check(30)


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


def redis_forgets_everything():
    """One that keeps nothing: who waits for answers sees that its tasks are gone, and sends them again."""
    redis = Redis(keeps=False)
    a = Engine(redis, "a")
    try:
        work = Submitter(a.serve(), range(100), sleep=0.02)
        until(lambda: len(work.answers()) >= 20, "20 answers")
        redis.kill()
        redis.start()
        work.check()
    finally:
        a.close()
        redis.close()


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
        kill_engine(a)
    work.check()


@with_redis
def a_gateway_is_killed(redis, engine):
    a = engine("a").serve()
    work = Submitter(a, range(100), sleep=0.02)
    for goal in (20, 50):
        until(lambda: len(work.answers()) >= goal, f"{goal} answers")
        os.kill(a.rows()["thrum-redis/0"]["pid"], signal.SIGKILL)
    work.check()


def results(redis, key="thrum:pool:w:results"):
    """The answers of tasks that nobody waits for, by the ids of the tasks."""
    found = {}
    for _, fields in redis.ask("XRANGE", key, "-", "+"):
        fields = dict(zip(fields[::2], fields[1::2]))
        expect(fields["id"] not in found, f"{fields['id']} is answered once")
        found[fields["id"]] = json.loads(fields["answer"])
    return found


@with_redis
def any_program_may_add_tasks(redis, engine):
    a = engine("a").serve()
    redis.ask("XADD", "thrum:pool:w", "*", "task", '{"n":\n 4}', "id", "mine")
    entry = redis.ask("XADD", "thrum:pool:w", "*", "task", '{"fail": 1}')
    until(lambda: len(results(redis)) == 2, "both are answered")
    got = results(redis)
    expect(got["mine"]["ok"] and got["mine"]["result"] == 8 and got["mine"]["engine"].endswith("/a"), f"{got}")
    expect(not got[entry]["ok"] and got[entry]["error"] == "as told" and got[entry]["taskId"] == entry, f"{got}")
    for fields in (("task", "{oops"), ("other", "1"), ("task", '"' + "x" * 1100000 + '"')):
        redis.ask("XADD", "thrum:pool:w", "*", "id", f"bad-{fields[0]}-{len(fields[1])}", *fields)
    until(lambda: redis.ask("XLEN", "thrum:pool:w:dead") == 3, "what is no task is a dead letter")
    until(lambda: len(results(redis)) == 5, "and is answered")
    expect("no JSON" in results(redis)["bad-task-5"]["error"] and "no field" in results(redis)["bad-other-1"]["error"], f"{results(redis)}")
    expect(redis.ask("XLEN", "thrum:pool:w") == 0, "nothing is left")
    expect(a.run("submit", "--fleet", "--wait", "w", '{"n": 2}', '{"fail": 1}').returncode == 1, "one failed")
    for args, wanted in ((("w", "{oops"), "no JSON"), (("w", "--priority", "9", "1"), "no --priority")):
        bad = a.run("submit", "--fleet", *args)
        expect(bad.returncode and wanted in bad.stderr, f"{args}: {bad.stderr}")


@with_redis
def answers_that_go_together_have_their_own_ways(redis, engine):
    """Many go in one command: to different streams, one of which is none."""
    a = engine("a", size=1).serve()
    redis.ask("SET", "odd", "a string")
    os.kill(redis.server.pid, signal.SIGSTOP)
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(redis.socket)
            for n in range(50):
                words = ["XADD", "thrum:pool:w", "*", "id", f"t{n}", "task", json.dumps({"n": n})] + (["reply", "odd" if n == 7 else f"mine-{n % 2}"] if n < 40 else [])
                s.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            os.kill(redis.server.pid, signal.SIGCONT)
            f = s.makefile("rb")
            for _ in range(50):
                redis.read(f)
    finally:
        os.kill(redis.server.pid, signal.SIGCONT)
    until(lambda: redis.ask("XLEN", "thrum:pool:w") == 0 and redis.ask("XPENDING", "thrum:pool:w", "thrum")[0] == 0, "all are done")
    got = results(redis) | results(redis, "mine-0") | results(redis, "mine-1")
    expect(set(got) == {f"t{n}" for n in range(50)} - {"t7"} and all(g["result"] == 2 * int(name[1:]) for name, g in got.items()), f"{got}")
    expect(len(results(redis)) == 10 and redis.ask("GET", "odd") == "a string", "each where it belongs")
    expect(0 < redis.ask("PTTL", "mine-1") <= 86400000 and redis.ask("PTTL", "thrum:pool:w:results") == -1, "what nobody deletes goes in a day")


@with_redis
def what_nobody_survives_is_put_aside(redis, engine):
    """A task that is delivered to consumers which die: after the last time it is a dead letter, and answered."""
    redis.ask("XGROUP", "CREATE", "thrum:pool:w", "thrum", "0", "MKSTREAM")
    for name, times in (("doomed", 3), ("not yet", 2)):
        entry = redis.ask("XADD", "thrum:pool:w", "*", "id", name, "task", '{"n": 1}')
        redis.ask("XREADGROUP", "GROUP", "thrum", "gone", "STREAMS", "thrum:pool:w", ">")
        for _ in range(times - 1):
            redis.ask("XCLAIM", "thrum:pool:w", "thrum", "gone", "0", entry)
    engine("a", deliveries=3).serve()
    until(lambda: len(results(redis)) == 2, "both are answered")
    got = results(redis)
    expect(got["not yet"]["ok"] and "delivered 3 times" in got["doomed"]["error"], f"{got}")
    letters = [dict(zip(fields[::2], fields[1::2])) for _, fields in redis.ask("XRANGE", "thrum:pool:w:dead", "-", "+")]
    expect(len(letters) == 1 and letters[0]["id"] == "doomed" and letters[0]["deliveries"] == "3" and letters[0]["task"] == '{"n": 1}', f"{letters}")


@with_redis
def a_long_task_is_nobody_elses(redis, engine):
    """It takes longer than that after which tasks of the dead are taken over, while others have nothing to do."""
    a, b = (engine(name, 1, claim_after="3s").serve() for name in "ab")  # four times as often as that they tell that they have it still
    for n in range(2):
        redis.ask("XADD", "thrum:pool:w", "*", "id", n, "task", json.dumps({"n": n, "sleep": 7}))
    until(lambda: len(results(redis)) == 2, "both are answered")
    expect(sum(p.json("pool", "w")["submitted"] for p in (a, b)) == 2, "each ran once")


@with_redis
def what_is_drained_is_for_others(redis, engine):
    a, b = engine("a", 1).serve(), engine("b", 1).serve()
    a.run("drain", "w", check=0)
    until(lambda: [p["open"] for e in a.json("ps", "--fleet") for p in e["pools"] if e["project"] == "a"] == [False], "the gateway knows")
    work = Submitter(a, range(20), sleep=0.02)
    expect({r["engine"].split("/")[1] for r in work.check()} == {"b"}, "only one takes tasks")
    a.run("drain", "--off", "w", check=0)
    b.run("down", check=0)
    expect({r["engine"].split("/")[1] for r in Submitter(a, range(5)).check()} == {"a"}, "the other one does, again")


@with_redis
def all_engines_are_in_one_table(redis, engine):
    a, b = engine("a").serve(), engine("b", 3).serve()
    told = lambda: {e["project"]: e for e in a.json("ps", "--fleet")}
    until(lambda: set(told()) == {"a", "b"} and any(s["states"] == {"running": 3} and s["rss"] for s in told()["b"]["services"]), "both tell of themselves")
    got = told()["b"]
    expect(got["alive"] and got["host"] == socket.gethostname() and got["engine"] == got["host"] + "/b" and got["connected"], f"{got}")
    expect([(p["pool"], p["slots"], p["open"]) for p in got["pools"]] == [("w", 3, True)], f"{got}")
    table = a.run("ps", "--fleet", check=0).stdout.splitlines()
    expect(table[0].split()[:3] == ["HOST", "PROJECT", "SERVICE"] and any("3 running" in line and " b " in line for line in table), f"{table}")
    del a.env["THRUM_REDIS"]  # the running project knows it too
    expect(set(told()) == {"a", "b"}, "without being told where")
    b.kill()
    until(lambda: not told()["b"]["alive"], "one is not heard of any more")
    expect(any("not heard of since" in line for line in a.run("ps", "--fleet", check=0).stdout.splitlines()), "and that is told")
    expect(a.run("ps", "--fleet", "w").returncode == 2, "it takes no names")


@with_redis
def all_engines_are_on_one_screen(redis, engine):
    if not shutil.which("tmux"):
        return
    a, b = engine("a").serve(), engine("b", 3).serve()
    terminal = Terminal(a, "attach --fleet", width=130)
    try:
        host = socket.gethostname()
        terminal.sees("engines 2", f"v {host}/a", f"v {host}/b", "3 running", "1 ready")
        Submitter(a, range(10)).check()
        terminal.until(lambda text: sum(int(line.split()[8]) for line in text.splitlines() if f" {host}/" in line) == 10, "what was answered")
        terminal.keys("G", "Space")
        terminal.sees(f">+ {host}/b")
        terminal.keys("Enter")  # its engine has another runtime folder, as on a machine that cannot be reached
        terminal.sees("no engine runs for project 'b'", "Enter goes back")
        terminal.keys("Enter")
        terminal.sees("engines 2")
        terminal.keys("g", "Enter")
        terminal.sees("thrum a |", "[1 Info]")
        terminal.keys("q")
        terminal.sees("Detach")
        terminal.keys("d")
        terminal.sees("engines 2")
        redis.kill()
        terminal.sees("Connection refused")
        redis.start()
        b.kill()
        terminal.sees("lost 1", "not heard of since")
        terminal.keys("q")
        terminal.sees("LEFT 0", "icanon")
    finally:
        terminal.close()
    expect(a.run("attach", "--fleet", "x").returncode == 2, "it takes no name")
    expect("thrum ps --fleet" in a.run("attach", "--fleet").stderr, "without a terminal there is a command")


@with_redis
def an_engine_may_be_called_otherwise(redis, engine):
    a = engine("a", name="left").serve()
    got = Submitter(a, range(3)).check()
    expect({r["engine"] for r in got} == {"left/a"}, f"{got}")


@with_redis
def redis_comes_late_and_asks_for_a_password(redis, engine):
    port = free_port()
    service = {"command": ["python3", "-c", WORK], "pool": {"size": 1}}
    p = Project("late", {"w": service}, redis={"server": f"127.0.0.1:{port}", "password": "${LATE_WORD:-s3cret}", "pools": "w"})
    try:
        p.run("up", "-d", check=0)
        until(lambda: p.rows().get("thrum-redis/0", {}).get("state") == "ready", "the gateway is there")
        until(lambda: b"refused" in p.log("thrum-redis/0", "err"), "and says what it lacks")
        late = subprocess.Popen(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--requirepass", "s3cret", "--save", ""],
                                stdout=subprocess.DEVNULL)
        try:
            got = p.run("submit", "--fleet", "--wait", "w", '{"n": 21}', check=0)
            expect(json.loads(got.stdout)["result"] == 42, got.stdout)
            expect("s3cret" not in p.run("env", "thrum-redis", check=0).stdout, "the password is masked")
            p.env.update(THRUM_REDIS=f"127.0.0.1:{port}")
            bad = p.run("ps", "--fleet")
            expect(bad.returncode == 1 and "NOAUTH" in bad.stderr, f"{bad.stderr}")
        finally:
            late.kill()
            late.wait()
    finally:
        p.close()


def what_is_wrong_is_said():
    for redis, wanted in (({"serve": "x"}, "redis is a map such as"), ({"server": "x", "claim_aftr": 1}, "did you mean 'claim_after'?"),
                          ({"server": "x", "pools": "a", "claim_after": "soon"}, "claim_after: a duration"), ({"server": "x"}, "no service of this file has `pool:`")):
        p = Project("wrong", {"a": {"command": "sleep 1"}}, redis=redis)
        done = p.run("check")
        expect(done.returncode == 2 and wanted in done.stderr, f"{redis}: {done.stderr}")
        p.close()


main(two_engines_share_the_tasks, what_no_library_reads_harms_nobody, redis_dies_and_comes_back, redis_forgets_everything, an_engine_is_killed_in_the_middle, an_engine_is_killed_and_goes_on,
     a_gateway_is_killed, any_program_may_add_tasks, answers_that_go_together_have_their_own_ways, what_nobody_survives_is_put_aside, a_long_task_is_nobody_elses,
     what_is_drained_is_for_others, all_engines_are_in_one_table, all_engines_are_on_one_screen, an_engine_may_be_called_otherwise,
     redis_comes_late_and_asks_for_a_password, what_is_wrong_is_said)
