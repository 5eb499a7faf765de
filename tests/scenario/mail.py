#!/usr/bin/env python3
"""Messages: requests and answers, looking on, and that none is lost or comes twice when the engine dies."""
import json, os, shutil, signal, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, Failure, Project, comes_to, expect, hello, kill_engine, main, until, write_traced_keeper

CHANNEL = r"""
import json, os, sys
f = os.fdopen(int(os.environ['THRUM_CHANNEL_FD']), 'r+b', buffering=0)
def send(x): f.write(json.dumps(x).encode() + b'\n')
def messages():
    rest = b''
    while True:
        got = f.read(65536)
        if not got: return
        rest += got
        *lines, rest = rest.split(b'\n')
        for line in lines: yield json.loads(line)
"""
ADDS = CHANNEL + r"""
send('ready')
for m in messages():
    if isinstance(m, dict) and 'a' in m: send({'requestId': m['requestId'], 'result': m['a'] + m['b']})
"""


def python(script, **more):
    return dict({"command": ["python3", "-u", "-c", script], "ipc": "json", "ready": {"message": "ready"}}, **more)


def up(name, **services):
    p = Project(name, services)
    p.run("up", "-d", check=0)
    p.run("wait", "all", "--timeout", "60s", check=0)
    return p


class Watcher:
    """A command that goes on, and its lines."""

    def __init__(self, p, *args):
        self.out = p.dir + "/watched"
        self.process = subprocess.Popen([THRUM, *args], cwd=p.dir, env=p.env, stdin=subprocess.DEVNULL, stdout=open(self.out, "w"), stderr=subprocess.STDOUT)

    def lines(self):
        with open(self.out, errors="replace") as f:
            return f.read().split("\n")[:-1]  # whole ones

    def end(self):
        self.process.terminate()
        self.process.wait(60)


def a_request_is_answered():
    p = up("asks", a=python(ADDS, instances=2))
    try:
        got = p.run("send", "--wait", "a/0", '{"requestId": 7, "a": 1, "b": 2}', check=0)
        expect(json.loads(got.stdout) == {"requestId": 7, "result": 3}, got.stdout)
        got = p.run("send", "--wait", "a", '{"a": 20, "b": 2}', check=0).stdout.splitlines()
        expect(len(got) == 2 and all(json.loads(line)["result"] == 22 for line in got), f"both answer, without an id of ours too: {got}")
        got = p.run("send", "--wait", "--timeout", "300ms", "a/1", '{"nothing": 1}')
        expect(got.returncode == 1 and "a/1 has not answered" in got.stderr, got.stderr)
        got = p.run("send", "--wait", "a", '"text"')
        expect(got.returncode == 2 and "requestId" in got.stderr, got.stderr)
    finally:
        p.close()


def many_are_sent_from_a_file():
    count = 20000
    p = up("many", a=python(CHANNEL + "send('ready')\nn = 0\nfor m in messages():\n n += 1\n assert m['n'] == n, (m, n)\n if n == %d: print('all', n)" % count))
    try:
        p.write("lines", "".join('{"n": %d}\n' % i for i in range(1, count + 1)))
        expect("20000 sent" in p.run("send", "a", "--from", "lines", check=0).stdout, "as many as there are")
        until(lambda: b"all 20000" in p.log("a/0"), lambda: f"all in order: {p.log('a/0', 'err')[-200:]}")
        for line, wanted in (("{oops", "no JSON"), ('{"cmd": "NODE_HANDLE_ACK"}', "Node's own"), ('{"c\\u006dd": "NODE_HANDLE_ACK"}', "Node's own")):
            p.write("lines", '{"n": %d}\n%s\n{"n": 0}\n' % (count + 1, line))
            got = p.run("send", "a", "--from", "lines")
            expect(got.returncode == 1 and wanted in got.stderr and "1 were sent" in got.stderr, got.stderr)
            count += 1
    finally:
        p.close()


def what_comes_slowly_is_sent_at_once():
    """Of a pipe, each line as it comes, not when there are many; the last one without an end, too."""
    p = up("slow", a=python(CHANNEL + "send('ready')\nfor m in messages(): print('got', m)"))
    try:
        sender = subprocess.Popen([THRUM, "send", "a", "--from", "-"], cwd=p.dir, env=p.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for i in range(3):
            sender.stdin.write(f"{i}\n")
            sender.stdin.flush()
            until(lambda: p.log("a/0").endswith(b"got %d\n" % i), f"message {i}, though there may be more")
        told = sender.communicate('"end"', timeout=60)[0]
        until(lambda: p.log("a/0") == b"got 0\ngot 1\ngot 2\ngot end\n", lambda: f"the last: {p.log('a/0')}")
        expect(told == "4 sent\n", told)
        got = p.run("send", "a", "--from", ".")
        expect(got.returncode == 1 and "0 were sent; then .: Is a directory" in got.stderr, got.stderr)
    finally:
        p.close()


def what_cannot_be_sent_ends_a_file():
    p = up("bad", a=python(CHANNEL + "send('ready')\nfor m in messages(): print(m)"))
    bad = {"no UTF-8": (b'"\xff\xfe"', "it is no JSON, or too deep"), "cut in a character": (b"x" * 50 + "ä".encode() * 9, "it is no JSON"),
           "deep": (b"[" * 10000 + b"]" * 10000, "too deep"), "a colour": (b"\033[31m", "it is no JSON"), "a zero": (b"\0", "it is no JSON"),
           "long": (b'"' + b"x" * 3_000_000 + b'"', "longer than 1048576 bytes"), "without an end": (b"x" * 50_000_000, "longer than 1048576 bytes"),
           "forged": (b'{"cmd":"NODE_HANDLE_ACK"}', "Node's own"), "forged with escapes": (b'{"c\\u006dd":"NODE_CLUSTER"}', "Node's own")}
    try:
        for what, (line, why) in bad.items():
            with open(p.dir + "/lines", "wb") as f:
                f.write(b'"before"\n' + line + (b"" if what == "without an end" else b'\n"after"\n'))
            got = p.run("send", "a", "--from", "lines")
            expect(got.returncode == 1 and "1 were sent; the next was not: " in got.stderr and why in got.stderr, f"{what}: {got}")
            expect("\033" not in got.stderr, f"{what}: it is told safely")
        until(lambda: p.log("a/0").count(b"before") == len(bad), "what stood before it")
        expect(b"after" not in p.log("a/0") and p.rows()["a/0"]["state"] == "ready", "and nothing else")
        got = p.run("send", "a", "[" * 10000 + "]" * 10000)
        expect(got.returncode == 2 and "maximum parsing depth" in got.stderr, got.stderr)
    finally:
        p.close()


def who_looks_on_sees_both_directions():
    p = up("looks", a=python(ADDS), b=python(CHANNEL + "send('ready')\nfor m in messages(): send({'type': 'news', 'data': {'it': m}})"))
    try:
        watcher = Watcher(p, "ipc", "-f", "--json", "a")
        p.run("send", "a", '{"requestId": 0, "a": 0, "b": 0}', check=0)

        def seen():
            p.run("send", "a", '{"requestId": "x y", "a": 1.5, "b": 2}', check=0)
            return len(watcher.lines()) >= 4
        until(seen, "messages")
        watcher.end()
        records = [json.loads(line) for line in watcher.lines()]
        expect({r["dir"] for r in records} == {"in", "out"} and all(r["kind"] == "ipc" and r["service"] == "a" for r in records), f"{records}")
        expect({"requestId": "x y", "result": 3.5} in [r["message"] for r in records], f"{records}")
        filtered = Watcher(p, "ipc", "-f", "--filter", '"it": ?"n[eo]')
        until(lambda: p.run("send", "b", '"nee"', check=0) and p.run("send", "b", '"nix"', check=0) and "nee" in "".join(filtered.lines()), "what matches")
        filtered.end()
        expect("nix" not in "".join(line for line in filtered.lines() if "→" in line), f"{filtered.lines()}")
    finally:
        p.close()


def headless_prints_messages_too():
    p = Project("headless", {"a": python(ADDS), "deaf": {"command": "sleep 1000"}})
    try:
        p.headless("--ipc")
        comes_to(p, "a/0", "ready")
        until(lambda: p.run("send", "--wait", "a", '{"requestId": 7, "a": 1, "b": 2}').returncode == 0, "an answer")
        got = until(lambda: (lambda seen: len(seen) >= 3 and seen)([r for r in p.records() if r["kind"] == "ipc"]), lambda: f"messages: {p.records()}")
        expect([(r["service"], r["instance"], r["dir"], r["message"]) for r in got[-2:]] ==
               [("a", 0, "out", {"requestId": 7, "a": 1, "b": 2}), ("a", 0, "in", {"requestId": 7, "result": 3})], f"{got}")
    finally:
        p.close()


def what_is_said_to_everybody_is_an_event():
    p = up("bus", b=python(CHANNEL + "send('ready')\nfor m in messages(): send({'type': 'news', 'data': {'it': m}}); send({'type': 'axm:monitor', 'data': {'n': {'value': 5}}})"))
    try:
        events = Watcher(p, "events", "-f", "--json")

        def heard():
            p.run("send", "b", "1", check=0)
            return [r for r in map(json.loads, events.lines()) if r["kind"] == "bus"]
        got = until(heard, "an event")[0]
        events.end()
        expect(got["service"] == "b" and got["type"] == "news" and got["data"] == {"it": 1}, f"{got}")
        expect(not any("axm" in line for line in events.lines()), "figures are none")
    finally:
        p.close()


def figures_and_actions_are_pm2s():
    script = CHANNEL + r"""
send({'type': 'axm:monitor', 'data': {'Active requests': {'value': 3, 'unit': 'req', 'type': 'metric'}, 'load': 0.25}})
send({'type': 'axm:action', 'data': {'action_name': 'flush', 'arity': 0}})
send('ready')
for m in messages():
    if m == 'flush': send({'type': 'axm:reply', 'data': {'action_name': 'flush', 'return': 'done'}})
    if isinstance(m, dict) and m.get('msg') == 'flush': send({'type': 'axm:reply', 'data': {'action_name': 'flush', 'return': m['opts']}})
"""
    p = up("pm2", a=python(script), quiet={"command": "sleep 1000"})
    try:
        shown = p.run("ps", check=0).stdout.splitlines()
        expect(shown[0].split("LAG")[1].split() == ["Active", "reque", "load"] and shown[1].split()[-2:] == ["3req", "0.25"], f"columns of their own: {shown}")
        expect(p.rows()["a/0"]["ipc"]["metrics"]["load"] == {"value": "0.25", "unit": ""}, "in the row")
        channel = p.json("info", "a")["channel"]
        expect(channel["metrics"] == {"Active requests": {"value": "3", "unit": "req"}, "load": {"value": "0.25", "unit": ""}}, f"{channel}")
        expect(channel["actions"] == ["flush"], f"{channel}")
        expect(json.loads(p.run("trigger", "a", "flush", check=0).stdout)["data"]["return"] == "done", "an action")
        expect(json.loads(p.run("trigger", "a", "flush", '{"deep": 1}', check=0).stdout)["data"]["return"] == {"deep": 1}, "with parameters")
        got = p.run("trigger", "a", "nonsense")
        expect(got.returncode == 1 and "has no action 'nonsense'" in got.stderr, got.stderr)
        kill_engine(p)
        expect(p.json("info", "a")["channel"]["actions"] == ["flush"], "known after the engine's death")
    finally:
        p.close()


def what_a_process_says_is_taken_once():
    """Each message of a process has one effect, while engines are killed: it is counted once, and none is missing."""
    count = 60000
    script = CHANNEL + "send('ready')\nimport time\nfor i in range(%d):\n send({'n': i, 'pad': 'x' * (i %% 300)})\n if i %% 1000 == 0: time.sleep(0.01)\nprint('all')\ntime.sleep(1000)" % count
    p = up("once", a=python(script))
    try:
        kills = 0

        def kill():
            nonlocal kills
            kill_engine(p)
            kills += 1
        until(lambda: b"all" in p.log("a/0") or kill(), lambda: f"it has said all, over {kills} kills", 120)
        row = until(lambda: p.rows()["a/0"]["ipc"]["in"] >= count + 1 and p.rows()["a/0"], "all of them")
        expect(row["ipc"]["in"] == count + 1 and row["ipc"]["errors"] == 0, f"{kills} kills: {row['ipc']}")
        expect(kills >= 3, f"{kills} kills")
    finally:
        p.close()


def a_message_that_kills_engines_is_put_aside():
    """Each engine is killed as it answers one message of two processes: its neighbours are answered, and it is kept."""
    script = CHANNEL + r"""
send('ready')
for m in messages():
    if m == 'go':
        send('before'); send({'cmd': 'NODE_SOCKET_GET_COUNT', 'key': 'poison'}); send({'cmd': 'NODE_HANDLE'}); send('after')
    else: print(m['cmd'])
"""
    p = Project("poison", {name: python(script) for name in "ab"})
    p.env.update(KILLAT_TEXT='{"cmd":"NODE_SOCKET_COUNT","key":"poison"', KILLAT_THRUM=THRUM, KILLAT_FOLDER=p.dir,
                 THRUM_KEEPER=write_traced_keeper(p.dir))
    try:
        p.run("up", "-d", check=0)
        p.run("wait", "all", "--timeout", "60s", check=0)
        first = p.engine()
        for name in "ab":
            until(lambda: p.run("send", name, '"go"').returncode == 0, "it is told to go")
        for name in "ab":
            until(lambda: p.log(name + "/0") == b"NODE_HANDLE_ACK\n", lambda: f"{name}: what follows is answered, and it is not: {p.log(name + '/0')}")
        for name in "ab":
            ipc = until(lambda: (ipc := p.rows()[name + "/0"]["ipc"])["in"] >= 5 and ipc, "all that it says is counted")
            expect(ipc["in"] == 5 and ipc["errors"] == 1, f"{name}: each is counted once: {ipc}")
        told = p.run("events").stdout
        kept = p.log_at("state/poison/quarantine.log")
        expect(all(f"{name}/0: a message of which 2 engines died is passed over; it is in " in told for name in "ab"), told)
        expect(kept == b'{"cmd": "NODE_SOCKET_GET_COUNT", "key": "poison"}\n' * 2, f"{kept}")
        expect(hello(p)["engine_pid"] != first, "engines died of it")
    finally:
        p.close()


def what_waits_for_a_process_comes_once():
    """A process that does not read, much that waits for it, and an engine that dies meanwhile."""
    count = 1100
    p = up("waits", a=python(CHANNEL + "send('ready')\nfor m in messages(): print(m['n'], len(m['pad']))"))
    try:
        pid = p.rows()["a/0"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        p.write("lines", "".join('{"n": %d, "pad": "%s"}\n' % (i, "y" * 1000) for i in range(count)))
        p.run("send", "a", "--from", "lines", check=0)
        queued = lambda: until(p.rows, "it answers")["a/0"]["ipc"]["queued"]
        waiting = queued()
        expect(waiting > 500_000, f"{waiting} bytes wait")
        for _ in range(3):
            kill_engine(p)
        expect(queued() == waiting, f"they wait still: {queued()} of {waiting}")
        os.kill(pid, signal.SIGCONT)
        for _ in range(2):  # while it is being sent
            kill_engine(p)
        want = "".join(f"{i} 1000\n" for i in range(count)).encode()
        until(lambda: len(p.log("a/0")) >= len(want), lambda: f"all of them ({p.log('a/0', 'err')[-300:]})")
        expect(p.log("a/0") == want, "each once, in order, whole")
    finally:
        p.close()


def a_process_that_never_reads_is_bounded():
    p = up("deaf", a=python(CHANNEL + "send('ready')\nimport time\ntime.sleep(1000)"))
    try:
        for _ in range(16):
            got = p.run("send", "a", json.dumps("z" * 99_000))
        p.write("lines", (json.dumps("z" * 450_000) + "\n") * 50)
        try:
            p.run("send", "a", "--from", "lines", timeout=1)
            raise Failure("more was taken than it can hold")
        except subprocess.TimeoutExpired:
            pass  # it waits for the process to read
        for _ in range(150):
            p.run("send", "a", json.dumps("z" * 100_000))
        waiting = p.rows()["a/0"]["ipc"]["queued"]
        expect(1_000_000 < waiting <= 16 * 1024 * 1024, f"{waiting} bytes wait")
        refused = [got for got in (p.run("send", "a", json.dumps("z" * 100_000)) for _ in range(20)) if got.returncode]
        expect(refused and refused[0].returncode == 1 and "does not read" in refused[0].stderr, "more are refused, with the reason")
        expect(p.rows()["a/0"]["ipc"]["queued"] <= 16 * 1024 * 1024, "16 MB are the most")
    finally:
        p.close()


def what_node_says_at_its_end_is_taken():
    if not shutil.which("node"):
        print("# no node here")
        return
    script = "for (let i = 0; i < 5000; i++) process.send({i, pad: 'x'.repeat(80)}); process.exit()"
    p = Project("end", {"a": {"command": ["node", "-e", script], "ipc": "json", "disabled": True}, "b": python(ADDS)})
    try:
        p.run("up", "-d", check=0)
        channel = until(lambda: p.json("info", "b").get("channel"), "a channel")
        if channel["room"] < 4 * 1024 * 1024:
            expect("net.core.wmem_max=4194304" in channel["note"], f"what makes room is told: {channel}")
            print(f"# {channel['note']}")
            return
        expect("note" not in channel, f"{channel}")
        watcher = Watcher(p, "ipc", "-f", "--json")
        until(lambda: p.run("send", "b", "1").returncode == 0 and watcher.lines(), "it looks on")
        p.run("start", "a", check=0)
        seen = lambda: [r for r in map(json.loads, watcher.lines()) if r.get("service") != "b"]
        until(lambda: sum(("service" in r) + r.get("dropped", 0) for r in seen()) >= 5000, "all 5000, though it has exited")
        shown = [r["message"]["i"] for r in seen() if "service" in r]
        expect(shown == sorted(set(shown)) and len(shown) > 1000, "in order")
        expect(p.rows()["a/0"]["state"] == "completed", "it has ended")
        watcher.end()
    finally:
        p.close()


main(a_request_is_answered, many_are_sent_from_a_file, what_comes_slowly_is_sent_at_once, what_cannot_be_sent_ends_a_file, who_looks_on_sees_both_directions,
     headless_prints_messages_too, what_is_said_to_everybody_is_an_event,
     figures_and_actions_are_pm2s, what_a_process_says_is_taken_once,
     a_message_that_kills_engines_is_put_aside, what_waits_for_a_process_comes_once,
     a_process_that_never_reads_is_bounded, what_node_says_at_its_end_is_taken)
