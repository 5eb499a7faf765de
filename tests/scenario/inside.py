#!/usr/bin/env python3
"""See inside processes that know nothing of thrum: pools, loops, threads, peers; with an engine and without."""
import bisect, json, os, re, shutil, signal, subprocess, sys, tempfile, time

from lib_thrum import *

NODE = shutil.which("node")
IS_OLD = bool(NODE) and subprocess.run([NODE, "--version"], capture_output=True, text=True).stdout.startswith("v18.")  # no count of rounds
ONCE = {"restart": "no"}
EVERY_MS = 100
SPAN_MS, TURN_MS = 4000, 10
HASHING_S = 120  # twenty times as long as it takes two processors
PBKDF2 = "const c=require('crypto');for(let i=0;i<50;i++)c.pbkdf2('a','b',150000,64,'sha512',()=>{});"

# Each says when it blocks its loop, on the monotonic clock, and does so until it is ended.
BLOCK = """const now=()=>Number(process.hrtime.bigint()/1000000n);
setTimeout(()=>{console.log('from',now());%s;},600);setInterval(()=>{},50);"""
BLOCKS = {
    "busy": "for(;;);",
    "futex": "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)),0,0);",
    "child": "require('child_process').execSync('exec sleep 1000');",
    "fifo": "require('fs').closeSync(require('fs').openSync(process.argv[1],'r'));",
}
LIVE = "let n=0;const f=()=>{const t=Date.now();while(Date.now()-t<3);if(++n==100)console.log('so');setImmediate(f)};f();"


def study(target, *args):
    done = subprocess.run([THRUM, "inspect", "--json", *args, str(target)], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 0, f"inspect {target}: {done.stderr}")
    return json.loads(done.stdout)


def node(script, *args, **options):
    return subprocess.Popen([NODE, "-e", script, *args], stdout=subprocess.PIPE, text=True, start_new_session=True, **options)


def end(process):
    """And whom it has started, where it leads a session."""
    for pid in children_of(process.pid) if os.getsid(process.pid) == process.pid else []:
        os.kill(pid, signal.SIGKILL)
    process.kill()
    process.wait()


def a_queue_is_seen_to_fall_to_nothing():
    if not NODE:
        return
    project = Project("queue", {"hash": {"command": [NODE, "-e", PBKDF2 + "setInterval(()=>{},1000)"], "availability": ONCE}})
    try:
        project.run("up", "-d", check=0)
        seen = []

        def is_empty():
            row = project.rows().get("hash/0", {})
            seen.append((row.get("queue"), row.get("busy"), row.get("size")))
            was_full = any((queue or 0) > 20 for queue, busy, size in seen)
            return was_full and row.get("queue") == 0 and row.get("size") == 4
        until(is_empty, "an empty queue", HASHING_S)
        known = [queue for queue, busy, size in seen if size == 4]
        known = known[known.index(max(known)):]  # it was filled before
        expect(20 < known[0] <= 50, f"{seen}")
        expect(all(a >= b for a, b in zip(known, known[1:])), f"falling: {seen}")
        expect(any(busy == 4 for queue, busy, size in seen), f"all were busy: {seen}")
        until(lambda: 0 <= project.rows()["hash/0"]["loop"]["utilisation"] < 0.2, "its loop has nothing to do")
    finally:
        project.close()


def the_kinds_of_work_are_told_apart():
    if not NODE:
        return
    process = node("const fs=require('fs'),c=require('crypto');for(let i=0;i<4;i++)c.pbkdf2('a','b',30000000,64,'sha512',()=>{});"
                   "for(let i=0;i<20;i++)fs.stat('/',()=>{});for(let i=0;i<7;i++)require('dns').lookup('localhost',()=>{});"
                   "c.pbkdf2('a','b',1,64,'sha512',()=>{});console.log('so')")
    try:
        process.stdout.readline()
        pool = study(process.pid, "--over", "0")["pools"][0]
        expect(pool["by_kind"] == {"fs": 20, "dns": 7, "work": 1} and pool["queued"] == 28, f"{pool}")
        expect(pool["exact"] and pool["threads"] == 4, f"{pool}")
    finally:
        end(process)


def utilisation_is_what_node_says():
    """
    Ours is of 4 s within a somewhat longer span of Node's: what the loop did in ours it did in Node's, too, so that neither of the times in
    which it was busy and idle can be longer. They are counted in turns of the loop, of 10 ms, of which one may be at either end.
    """
    if not NODE:
        return
    process = node("const {performance:p}=require('perf_hooks');let n=0,a;"
                   "setInterval(()=>{const t=p.now();while(p.now()-t<3);if(++n==50)console.log('steady');},10);"
                   "process.stdin.on('data',d=>{if(a)console.log(JSON.stringify(p.eventLoopUtilization(a)));else{a=p.eventLoopUtilization();console.log('begun');}});",
                   stdin=subprocess.PIPE)
    try:
        expect(process.stdout.readline() == "steady\n", "it runs")
        process.stdin.write("a\n"), process.stdin.flush()
        expect(process.stdout.readline() == "begun\n", "Node's span has begun")
        loop = next(loop for loop in study(process.pid, "--over", f"{SPAN_MS}ms")["loops"] if loop["main"])
        process.stdin.write("b\n"), process.stdin.flush()
        truth, ours = json.loads(process.stdout.readline()), loop["utilisation"]
        expect(ours * SPAN_MS <= truth["active"] + 2 * TURN_MS and (1 - ours) * SPAN_MS <= truth["idle"] + 2 * TURN_MS, f"{ours} of {SPAN_MS} ms is not {truth}")
        expect(loop["iterations"] is None if IS_OLD else 5 < loop["iterations"] <= SPAN_MS / TURN_MS, f"{loop}")
    finally:
        end(process)


def lag_at(process, name):
    """What is seen in the middle of a block, and what it was."""
    began = int(process.stdout.readline().split()[1])
    until(lambda: time.monotonic() * 1000 > began + 500, "the middle of it")
    before = time.monotonic() * 1000 - began
    loops = [loop for loop in study(process.pid, "--over", "0")["loops"] if loop["main"]]
    after = time.monotonic() * 1000 - began
    expect(loops, f"{name}: its loop is found")
    return before, loops[0]["lag_ms"], after


def blocked_loops_are_seen_to_be():
    if not NODE:
        return
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    os.mkfifo(folder + "/fifo")
    for name, block in BLOCKS.items():
        process = node(BLOCK % block, folder + "/fifo")
        try:
            before, lag, after = lag_at(process, name)
            expect(before - 50 <= lag <= after + 50, f"{name}: {lag} ms, and it was from {before:.0f} to {after:.0f}")
        finally:
            end(process)
    process = node(LIVE)
    try:
        process.stdout.readline()
        for _ in range(5):
            found = study(process.pid, "--over", "200ms")
            loop = next(loop for loop in found["loops"] if loop["main"])
            expect(loop["utilisation"] > 0.9, f"{loop}")
            # where it is kept from running for long it is late once; one that is taken for blocked would be so each time
            until(lambda: next(loop for loop in study(process.pid, "--over", "0")["loops"] if loop["main"])["lag_ms"] < 200, "a live loop is not blocked")
    finally:
        end(process)
        shutil.rmtree(folder)


def a_blocked_loop_is_an_event_and_a_limit():
    if not NODE:
        return
    script = "setTimeout(()=>{const t=Date.now();while(Date.now()-t<20000);},1500);setInterval(()=>{},200);"
    project = Project("blocked", {"web": {"command": [NODE, "-e", script], "availability": ONCE, "limits": [
        {"metric": "loop_lag", "over": "500ms", "for": 1, "every": f"{EVERY_MS}ms", "action": "warn"}]}})
    try:
        project.headless()
        until(lambda: any(r.get("event") == "blocked" for r in project.records()), "the event")
        blocked = next(r for r in project.records() if r.get("event") == "blocked")
        expect(blocked["service"] == "web" and re.search(r"event loop blocked for [1-9]", blocked["detail"]), f"{blocked}")
        expect("main thread running" in blocked["detail"], f"{blocked}")
        until(lambda: any(r.get("event") == "limit" and "loop_lag" in r["detail"] for r in project.records()), "the limit acted")
    finally:
        project.close()


def threads_have_roles():
    if not NODE:
        return
    process = node("const {Worker}=require('worker_threads');new Worker('setInterval(()=>{},100)',{eval:true});"
                   "require('fs').stat('/',()=>console.log('so'));setInterval(()=>{},100);")
    try:
        process.stdout.readline()
        until(lambda: sum(t["role"] == "js worker" for t in study(process.pid, "--over", "0")["threads"]) == 1, "a worker")
        threads = study(process.pid, "--over", "300ms")["threads"]
        roles = [t["role"] for t in threads]
        expect(roles.count("main") == 1 and roles.count("pool worker") == 4, f"{roles}")
        main_thread = next(t for t in threads if t["role"] == "main")
        expect(main_thread["tid"] == process.pid and main_thread["syscall"] in ("epoll_wait", "epoll_pwait", "running"), f"{main_thread}")
        expect(all(t["cpu_pct"] is not None and t["run_wait_ms"] is not None for t in threads), "figures of each")
    finally:
        end(process)


def any_process_can_be_looked_at():
    done = subprocess.run([THRUM, "inspect", "999999999"], capture_output=True, text=True, timeout=60)
    expect(done.returncode == 1 and "there is no process" in done.stderr, f"{done}")
    sleeper = subprocess.Popen(["sleep", "1000"])
    try:
        found = study(sleeper.pid, "--over", "0")
        expect(not found["pools"] and not found["loops"] and found["queue"] is None and found["loop"] is None, f"{found}")
        until(lambda: study(sleeper.pid, "--over", "0")["threads"][0]["syscall"] == "clock_nanosleep", "it sleeps")
        sleeper.send_signal(signal.SIGSTOP)
        until(lambda: any("stopped" in finding for finding in study(sleeper.pid, "--over", "0")["findings"]), "it is seen to be stopped")
    finally:
        end(sleeper)


def nobody_has_a_pool_by_mistake():
    """Of all processes of this machine, those with a pool of libuv's have it mapped, or in them. (Programs with libthrum say themselves.)"""
    looked = 0
    for name in os.listdir("/proc"):
        if not name.isdigit() or looked >= 100:
            continue
        done = subprocess.run([THRUM, "inspect", "--json", "--over", "0", name], capture_output=True, text=True, timeout=60)
        if done.returncode:
            continue
        looked += 1
        if any(pool["threads"] and pool["kind"] == "libuv" for pool in json.loads(done.stdout)["pools"]):
            try:
                exe = os.readlink(f"/proc/{name}/exe")
                with open(f"/proc/{name}/maps") as maps, open(f"/proc/{name}/exe", "rb") as program:
                    has_one = "libuv" in maps.read() or b"UV_THREADPOOL_SIZE" in program.read()
            except OSError:
                continue  # it has ended
            expect(has_one, f"{name} ({exe}) has none")
    expect(looked > 3, f"{looked} processes were looked at")


def peers_are_named():
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    client = subprocess.Popen([sys.executable, "-c", "import socket,sys,time\n"
                               f"s=socket.create_connection(('127.0.0.1',{port}));s.sendall(b'x'*5000)\n"
                               "print('so',flush=True);time.sleep(1000)"], stdout=subprocess.PIPE, text=True)
    try:
        client.stdout.readline()
        mine, _ = listener.accept()
        peers = study(client.pid, "--over", "0")["peers"]
        tcp = next(p for p in peers if p["transport"] == "tcp")
        expect(tcp["pid"] == os.getpid() and tcp["remote"] == f"127.0.0.1:{port}" and tcp["out_bytes"] == 5000, f"{tcp}")
        pipe = next(p for p in peers if p["transport"] == "pipe" and p["fd"] == 1)
        expect(pipe["direction"] == "out" and pipe["pid"] == os.getpid(), f"{pipe}")
        here = study(os.getpid(), "--over", "0")
        expect(any(p["direction"] == "listen" and p["local"].endswith(f":{port}") for p in here["peers"]), f"{here['peers']}")
        expect(any("are not read yet" in finding for finding in here["findings"]), f"{here['findings']}")
    finally:
        end(client)


class Meter:
    """Reads all that comes, and knows when how much there was."""

    def __init__(self, connection):
        self.connection, self.times, self.totals = connection, [time.monotonic()], [0]
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while data := self.connection.recv(65536):
            self.totals.append(self.totals[-1] + len(data))
            self.times.append(time.monotonic())

    def rates(self, began, span):
        """The least and the greatest of all spans of this length since then."""
        count = len(self.times)
        starts = range(bisect.bisect(self.times, began, 0, count) - 1, bisect.bisect(self.times, self.times[count - 1] - span, 0, count))
        ends = [(i, bisect.bisect(self.times, self.times[i] + span, 0, count) - 1) for i in starts]
        found = [(self.totals[j] - self.totals[i]) / span for i, j in ends]
        return min(found), max(found)


def connections_have_their_speed():
    """On a machine that is busy it is not the same all the time: ours is that of some span as long while we looked."""
    listener = socket.create_server(("127.0.0.1", 0))
    client = subprocess.Popen([sys.executable, "-c", "import socket,time\n"
                               f"s=socket.create_connection(('127.0.0.1',{listener.getsockname()[1]}))\n"
                               "while True: s.sendall(b'x'*10000); time.sleep(0.01)"])
    try:
        mine, _ = listener.accept()
        meter = Meter(mine)
        until(lambda: meter.totals[-1] > 50000, "it sends")

        def look(pid, of):
            """And the least and the most that the rate may be."""
            began = time.monotonic()
            found = next(p for p in study(pid, "--over", "1500ms")["peers"] if p["transport"] == "tcp" and p["pid"] == of)
            least, most = meter.rates(began, 1.5)
            return found, 0.7 * least, 1.4 * most
        tcp, least, most = look(client.pid, os.getpid())
        expect(least < tcp["out_rate"] < most and tcp["in_rate"] == 0, f"{tcp}, and it is from {least:.0f} to {most:.0f}")
        expect(0 < tcp["rtt_ms"] < 1000 and tcp["resent"] == 0 and tcp["unanswered"] == 0, f"{tcp}")
        here, least, most = look(os.getpid(), client.pid)
        expect(least < here["in_rate"] < most, f"the other way round: {here}, and it is from {least:.0f} to {most:.0f}")
        at_once = next(p for p in study(client.pid, "--over", "0")["peers"] if p["transport"] == "tcp")
        expect(at_once["out_rate"] is None, f"of one look there is no rate: {at_once}")
    finally:
        end(client)


def what_it_holds_is_told_when_asked():
    file = tempfile.NamedTemporaryFile()
    file.write(b"x" * 5000)
    file.flush()
    found = study(os.getpid(), "--over", "0", "--files")
    mine = next(f for f in found["files"] if f["name"] == file.name)
    expect((mine["kind"], mine["mode"], mine["position"], mine["size"]) == ("file", "rw", 5000, 5000), f"{mine}")
    memory = found["memory"]
    expect(0 < memory["own"] <= memory["pss"] <= memory["rss"], f"{memory}")
    expect(study(os.getpid(), "--over", "0")["memory"] is None, "not unless asked")
    text = subprocess.run([THRUM, "inspect", str(os.getpid()), "--over", "0", "--files"], capture_output=True, text=True, timeout=60).stdout
    expect("(PSS)" in text and file.name in text, text)


def the_map_shows_who_talks_to_whom():
    port = free_port()
    serve = f"import socket,time;l=socket.create_server(('127.0.0.1',{port}));c,_=l.accept();c.recv(10);time.sleep(1000)"
    call = ("import socket,time\n"
            "while True:\n"
            "  try: s=socket.create_connection(('127.0.0.1',%d));break\n"
            "  except OSError: time.sleep(0.05)\n"
            "s.sendall(b'y'*1000);time.sleep(1000)") % port
    project = Project("chart", {"db": {"command": [sys.executable, "-c", serve]}, "web": {"command": [sys.executable, "-c", call]}})
    try:
        project.run("up", "-d", check=0)

        def edge():
            return [e for e in json.loads(project.run("ipc", "--map", "--json", check=0).stdout) if e["to"]]
        until(lambda: edge() and edge()[0]["out_bytes"] == 1000, "the conversation")
        found = edge()
        expect(len(found) == 1 and found[0]["transport"] == "tcp", f"told once: {found}")
        expect((found[0]["from"], found[0]["to"]) == ("web/0", "db/0"), f"by the one that connected: {found}")
        # The rate is of the time since the look before, which may have been in the middle of the sending.
        until(lambda: [e["out_rate"] for e in json.loads(project.run("ipc", "--map", "--json", "--over", "200ms", check=0).stdout)
                       if e["to"]] == [0], "silence")
        expect([e["from"] for e in json.loads(project.run("ipc", "--map", "--json", "db", check=0).stdout) if e["to"]] == ["web/0"],
               "one of the two is enough")
        text = project.run("ipc", "--map", check=0).stdout
        expect(f"db/0 listens at 127.0.0.1:{port}" in text and "web/0" in text, text)
        dot = project.run("ipc", "--dot", check=0).stdout
        expect(dot.startswith("digraph") and '"db/0"' in dot and dot.rstrip().endswith("}"), dot)
        if shutil.which("dot"):
            drawn = subprocess.run(["dot", "-Tsvg"], input=dot, capture_output=True, text=True)
            expect(drawn.returncode == 0 and "web/0" in drawn.stdout and not drawn.stderr, f"{drawn.stderr}")
    finally:
        project.close()


main(a_queue_is_seen_to_fall_to_nothing, the_kinds_of_work_are_told_apart, utilisation_is_what_node_says,
     blocked_loops_are_seen_to_be, a_blocked_loop_is_an_event_and_a_limit, threads_have_roles,
     any_process_can_be_looked_at, nobody_has_a_pool_by_mistake, peers_are_named, connections_have_their_speed,
     what_it_holds_is_told_when_asked, the_map_shows_who_talks_to_whom)
