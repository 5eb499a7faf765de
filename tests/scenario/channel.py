#!/usr/bin/env python3
"""The channel: JSON lines between the engine and a process, as Node's fork() has it."""
import contextlib, json, os, shutil, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Project, comes_to, expect, kill_engine, main, rss_kb, until

PYTHON = r'''
import json, os, sys
fd = int(os.environ["THRUM_CHANNEL_FD"])
f = os.fdopen(fd, "r+b", buffering=0)
def send(x): f.write(json.dumps(x).encode() + b"\n")
'''
HAS_NODE = shutil.which("node")


def row(p, name="a/0"):
    return p.rows().get(name, {})


def a_message_says_that_it_is_ready_and_messages_go_both_ways():
    p = Project("both", {"a": {"command": ["python3", "-u", "-c", PYTHON + "send({'type':'ready'})\nfor l in f: print(json.loads(l)); send(['got', len(l)])"],
                               "ipc": "json", "ready": {"message": "ready"}}})
    try:
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "ready")
        p.run("send", "a", '{"hello": "wörld", "n": [1,2]}', check=0)
        until(lambda: "{'hello': 'wörld', 'n': [1, 2]}" in p.log("a/0").decode(), "the message")
        ipc = until(lambda: row(p)["ipc"]["in"] == 2 and row(p)["ipc"], "the answer is counted")
        expect(ipc["out"] == 1 and ipc["errors"] == 0 and ipc["queued"] == 0, f"{ipc}")
        expect(p.run("send", "a", "{oops").returncode == 2, "what is no JSON is refused here")
        expect("Node's own" in p.run("send", "a", '{"cmd":"NODE_HANDLE_ACK"}').stderr, "forged messages are refused")
        pid = row(p)["pid"]
        kill_engine(p)
        p.run("send", "a", '"again"', check=0)
        until(lambda: "again" in p.log("a/0").decode(), "the channel outlives the engine")
        expect(row(p)["pid"] == pid, "and so does the process")
    finally:
        p.close()


def a_message_asks_it_to_end_and_the_signal_follows():
    ends = PYTHON + "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsend('up')\nfor l in f:\n print(l, flush=True)\n sys.exit(7)"
    deaf = PYTHON + "import signal, time\nsignal.signal(signal.SIGTERM, lambda *a: (print('signal', flush=True), sys.exit(8)))\nsend('up')\ntime.sleep(1000)"
    p = Project("end", {"a": {"command": ["python3", "-c", ends], "ipc": "json", "ready": {"message": "up"}, "shutdown": {"message": {"cmd": "shutdown", "n": 5}, "timeout": "20s"}},
                        "deaf": {"command": ["python3", "-c", deaf], "ipc": "json", "ready": {"message": "up"}, "shutdown": {"message": "bye", "timeout": "2s"}}})
    try:
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "ready")
        comes_to(p, "deaf/0", "ready")
        p.run("stop", "all", check=0)
        comes_to(p, "a/0", "stopped")
        comes_to(p, "deaf/0", "stopped")
        died = {d["service"]: d for d in p.json("history")}
        expect(died["a"]["code"] == 7 and died["deaf"]["code"] == 8, f"{died}")
        expect(json.loads(p.log("a/0")[2:-2].replace(b"\\n", b"")) == {"cmd": "shutdown", "n": 5}, p.log("a/0"))
    finally:
        p.close()


def nonsense_from_a_process_is_counted_and_bounded():
    bad = PYTHON + r'''
f.write(b"\n{\n\xff\xfe\n" + b"[" * 5000 + b"\n" + b"undefined\n" + b"\0\0\n")
send({"cmd": "NODE_WHATEVER"})
send({"cmd": "NODE_HANDLE", "type": "net.Socket"}); print(f.readline(), flush=True)
send("fine"); send({"type": 5}); send(None); send(3.5)
sys.stdin.read() if False else None
import time; time.sleep(1000)
'''
    long = PYTHON + "\ntry:\n for i in range(1000): f.write(b'x' * 1000000)\nexcept OSError as e: print('closed', e.errno, flush=True)\nimport time; time.sleep(1000)"
    p = Project("bad", {"a": {"command": ["python3", "-u", "-c", bad], "ipc": "json"}, "long": {"command": ["python3", "-c", long], "ipc": "json"},
                        "deaf": {"command": "sleep 1000", "ipc": "json"}, "none": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        ipc = until(lambda: (row(p).get("ipc") or {}).get("in") == 12 and row(p)["ipc"], "all lines")
        expect(ipc["errors"] == 6, f"{ipc}")
        until(lambda: b"NODE_HANDLE_ACK" in p.log("a/0"), "a handle is answered, or the child would wait for ever")
        until(lambda: b"closed" in p.log("long/0"), "a line without an end closes the channel")
        expect("more than 16777216 bytes" in p.run("events").stdout, "and that is said")
        expect(rss_kb(p.engine()) < 100_000, f"the engine has {rss_kb(p.engine())} kB")
        refused = until(lambda: next((r for r in [p.run("send", "deaf", json.dumps("x" * 100000))] if r.returncode), None), "one that does not read")
        expect("does not read" in refused.stderr, refused.stderr)
        expect("`ipc: json` gives it one" in p.run("send", "none", "1").stderr, "a service without a channel")
        expect(row(p, "deaf/0")["ipc"]["queued"] > 500000, "it is on screen")
    finally:
        p.close()


def descriptors(pid):
    """Of the kinds that are sent to it."""
    names = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            names.append(os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0])
    return sorted(name for name in names if name in ("/dev/null", "/", "anon_inode", "pipe", "socket", "/memfd"))


def what_is_sent_with_a_descriptor_is_answered_and_nothing_is_kept():
    """Of any kind, with any message, too many and none; and answers to what nobody asked."""
    script = r"""
import array, os, socket
s = socket.socket(fileno=int(os.environ['THRUM_CHANNEL_FD']))
pair = socket.socketpair()
kinds = [os.open('/dev/null', os.O_RDONLY), os.open('/', os.O_RDONLY), os.eventfd(0), os.pipe()[0], pair[0].fileno(), os.memfd_create('x')]
def send(text, *fds): s.sendmsg([text + b'\n'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', fds))] if fds else [])
replies = s.makefile('rb')
for kind in ('net.Socket', 'net.Server', 'net.Native', 'dgram.Native', 'nonsense', '5'):
    for fds in [[fd] for fd in kinds] + [kinds, kinds * 40, []]:
        send(('{"cmd":"NODE_HANDLE","type":"%s","msg":{"cmd":"NODE_CLUSTER","act":"newconn"}}' % kind).encode(), *fds)
        assert b'NODE_HANDLE_ACK' in replies.readline()
for fd in kinds: send(b'"plain"', fd)
for text in (b'{"cmd":"NODE_HANDLE_ACK"}', b'{"cmd":"NODE_HANDLE_NACK"}', b'{"cmd":"NODE_CLUSTER","ack":1,"accepted":true}',
             b'{"cmd":"NODE_CLUSTER","ack":-1}', b'{"cmd":"NODE_CLUSTER","ack":99999999999999999999999}', b'{"cmd":"NODE_CLUSTER","act":"close","key":"thrum:0:1"}',
             b'{"cmd":"NODE_CLUSTER","act":"close","key":5}', b'{"cmd":"NODE_CLUSTER","act":"listening"}', b'{"cmd":"NODE_CLUSTER","act":{}}', b'{"cmd":"NODE_CLUSTER"}',
             b'{"cmd":"NODE_DEBUG_ENABLED"}', b'{"cmd":"NODE_SOCKET_COUNT","key":null}'):
    for i in range(50): send(text)
send(b'{"cmd":"NODE_SOCKET_NOTIFY_CLOSE","key":{"a":[1]}}')
print(replies.readline(), flush=True)
import time; time.sleep(1000)
"""
    for mode in ("fork", "cluster"):
        p = Project("kinds", {"a": {"command": ["python3", "-u", "-c", script], "ipc": "json", "exec_mode": mode, "disabled": True}})
        try:
            p.run("up", "-d", check=0)
            engine, before = p.engine(), descriptors(p.engine())
            p.run("start", "a", check=0)
            until(lambda: b"ALL_CLOSED" in p.log("a/0"), lambda: f"{mode}: all is answered ({p.log('a/0', 'err')})")
            expect(row(p)["ipc"]["errors"] == 0, f"{mode}: {row(p)['ipc']}")
            expect(p.run("events").stdout.count("a/0 sends something open along with a message") == 1, f"{mode}: that is told, once")
            p.run("stop", "a", check=0)
            comes_to(p, "a/0", "stopped")
            until(lambda: len(descriptors(engine)) <= len(before), lambda: f"{mode}: it keeps none: {before}, {descriptors(engine)}")
            expect(p.engine() == engine, f"{mode}: the engine goes on")
        finally:
            p.close()


def what_was_sent_before_the_end_is_taken():
    p = Project("last", {"a": {"command": ["python3", "-c", PYTHON + "for i in range(2000): send(i)\nos._exit(0)"], "ipc": "json", "availability": {"restart": "no"}},
                         "b": {"command": "sleep 1000"}})
    try:
        p.headless()
        comes_to(p, "a/0", "completed")
    finally:
        p.close()


def an_unmodified_node_program_has_its_channel():
    if not HAS_NODE:
        return
    p = Project("node", {"a": {"command": "node worker.js", "ipc": "json", "ready": {"message": "ready"}, "shutdown": {"message": "shutdown"}}})
    try:
        p.write("worker.js", """
process.on('message', m => {
  if (m === 'shutdown') { console.log('bye'); process.exit(0); }
  process.send({ type: 'result', requestId: m.requestId, value: m.n * 2 });
  console.log('got ' + JSON.stringify(m));
});
process.send('ready');
""")
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "ready")
        p.run("send", "a", '{"requestId": 1, "n": 21}', check=0)
        until(lambda: b'got {"requestId":1,"n":21}' in p.log("a/0"), "the message")
        until(lambda: row(p)["ipc"]["in"] == 2, "the reply")
        p.run("stop", "a", check=0)
        comes_to(p, "a/0", "stopped")
        expect(b"bye" in p.log("a/0") and p.json("history")[0]["code"] == 0, "it was asked by message")
    finally:
        p.close()


main(a_message_says_that_it_is_ready_and_messages_go_both_ways,
     a_message_asks_it_to_end_and_the_signal_follows,
     nonsense_from_a_process_is_counted_and_bounded,
     what_is_sent_with_a_descriptor_is_answered_and_nothing_is_kept,
     what_was_sent_before_the_end_is_taken,
     an_unmodified_node_program_has_its_channel)
