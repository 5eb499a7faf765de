#!/usr/bin/env python3
"""The channel: JSON lines between the engine and a process, as Node's fork() has it."""
import json, os, shutil, signal, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Failure, Project, expect, main, until

PYTHON = r'''
import json, os, sys
fd = int(os.environ["THRUM_CHANNEL_FD"])
f = os.fdopen(fd, "r+b", buffering=0)
def send(x): f.write(json.dumps(x).encode() + b"\n")
'''
HAS_NODE = shutil.which("node")


def row(p, name="a/0"):
    return p.rows().get(name, {})


def comes_to(p, name, wanted):
    return until(lambda: row(p, name).get("state") == wanted and row(p, name), f"{name} is {wanted} ({row(p, name).get('state')})")


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
        os.kill(p.engine(), signal.SIGKILL)
        until(p.engine, "an engine")
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
    long = PYTHON + "\ntry:\n for i in range(200): f.write(b'x' * 1000000)\nexcept OSError as e: print('closed', e.errno, flush=True)\nimport time; time.sleep(1000)"
    p = Project("bad", {"a": {"command": ["python3", "-u", "-c", bad], "ipc": "json"}, "long": {"command": ["python3", "-c", long], "ipc": "json"},
                        "deaf": {"command": "sleep 1000", "ipc": "json"}, "none": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        ipc = until(lambda: (row(p).get("ipc") or {}).get("in") == 12 and row(p)["ipc"], f"all lines")
        expect(ipc["errors"] == 6, f"{ipc}")
        until(lambda: b"NODE_HANDLE_ACK" in p.log("a/0"), "a handle is answered, or the child would wait for ever")
        until(lambda: b"closed" in p.log("long/0"), "a line without an end closes the channel")
        expect("more than 16777216 bytes" in p.run("events").stdout, "and that is said")
        refused = until(lambda: next((r for r in [p.run("send", "deaf", json.dumps("x" * 100000))] if r.returncode), None), "one that does not read")
        expect("does not read" in refused.stderr, refused.stderr)
        expect("`ipc: json` gives it one" in p.run("send", "none", "1").stderr, "a service without a channel")
        expect(row(p, "deaf/0")["ipc"]["queued"] > 500000, "it is on screen")
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
     what_was_sent_before_the_end_is_taken,
     an_unmodified_node_program_has_its_channel)
