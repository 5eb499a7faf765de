#!/usr/bin/env python3
"""Unmodified workers of Node's cluster, with the engine as their primary."""
import http.client, os, select, shutil, signal, socket, ssl, subprocess, sys, time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Load, Project, expect, free_port, kill_engine, main, until

if not shutil.which("node"):
    print("no node here")
    sys.exit(77)

HTTP = r"""
const cluster = require('cluster'), http = require('http');
if (cluster.isPrimary) process.exit(9);
const server = http.createServer((q, r) => { r.setHeader('Connection', 'close'); r.end(String(cluster.worker.id) + ' ' + process.pid); });
server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log('port', server.address().port));
"""


def get(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def project(name, script, count=2, file="app.js", port=None, up=True, **more):
    """A cluster of one service, web, that is ready."""
    p = Project(name, {"web": dict({"command": ["node", file], "exec_mode": "cluster", "instances": count,
                                    "environment": {"PORT": str(port or 0)}}, **more)})
    p.write(file, script)
    if up:
        p.run("up", "-d", check=0)
        p.run("wait", "web", "--for", "ready", "--timeout", "60s", check=0)
    return p


def connections_are_handed_out_in_turn():
    port = free_port()
    p = project("turn", HTTP, 3, port=port)
    try:
        got = [get(port).split()[0] for _ in range(9)]
        expect(sorted(got) == ["1"] * 3 + ["2"] * 3 + ["3"] * 3, f"each worker serves three: {got}")
        expect(all(row["ipc"]["connections"] == 3 for row in p.rows().values()), "they are counted")
        info = p.json("info", "web/0")
        expect(info["channel"]["connections"] == 3, f"{info['channel']}")
        expect(info["sockets"] == [{"address": f"tcp 127.0.0.1:{port}", "given": "cluster, in turn", "connections": 9}], f"{info['sockets']}")
        p.run("stop", "web", check=0)
        until(lambda: all(r["state"] == "stopped" for r in p.rows().values()), "all are stopped")
        with socket.socket() as s:
            expect(s.connect_ex(("127.0.0.1", port)) != 0, "nobody listens for a service that is stopped")
        died = p.json("history")
        expect(all(d["code"] == 0 and d["signal"] is None for d in died), f"each ended by itself when it was asked to: {died}")
    finally:
        p.close()


def a_shared_socket_is_accepted_from_by_the_workers():
    port = free_port()
    p = project("shared", HTTP, port=port, scheduling="none")
    try:
        expect(all(get(port).split()[0] in "12" for _ in range(8)), "served")
        info = p.json("info", "web/1")
        expect(info["sockets"][0]["given"] == "cluster, shared" and info["channel"]["connections"] == 0, f"{info['sockets']}")
        p.run("reload", "web", check=0)
        expect(get(port).split()[0] in "12", "after a reload too")
    finally:
        p.close()
    p = project("policy", HTTP, environment={"PORT": "0", "NODE_CLUSTER_SCHED_POLICY": "none"})
    try:
        expect(p.json("info", "web/0")["sockets"][0]["given"] == "cluster, shared", "as Node's primary is told it")
    finally:
        p.close()


def every_kind_of_socket_is_opened():
    script = r"""
const net = require('net'), dgram = require('dgram'), http = require('http');
const said = [];
const done = (x) => { said.push(x); if (said.length === 4) console.log('all', JSON.stringify(said)); };
const any = http.createServer((q, r) => r.end('any')).listen(0, () => { console.log('any', any.address().port); done('any'); });
const two = http.createServer((q, r) => r.end('two')).listen(Number(process.env.PORT), '127.0.0.1', () => done('two'));
net.createServer((c) => c.end('path')).listen('PATH', () => done('path'));
const udp = dgram.createSocket('udp4', (m, from) => udp.send('got ' + m, from.port, from.address));
udp.bind(0, '127.0.0.1', () => { console.log('udp', udp.address().port); done('udp'); });
"""
    port = free_port()
    p = project("kinds", script, port=port, up=False)
    path = p.dir + "/own.sock"
    p.write("app.js", script.replace("PATH", path))
    try:
        p.run("up", "-d", check=0)
        until(lambda: all(b"all" in p.log(f"web/{i}") for i in (0, 1)), "all sockets of both workers")
        said = [dict(line.split()[:2] for line in p.log(f"web/{i}").decode().splitlines() if not line.startswith("all")) for i in (0, 1)]
        expect(said[0] == said[1], f"both have the same port of any: {said}")
        expect(get(int(said[0]["any"])) == "any" and get(port) == "two", "two servers")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
            expect(s.recv(10) == b"path", "a unix socket")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(60)
            s.sendto(b"it", ("127.0.0.1", int(said[0]["udp"])))
            expect(s.recv(20) == b"got it", "udp")
        p.run("down", check=0)
        expect(not os.path.exists(path), "the unix socket is taken away at the end")
    finally:
        p.close()


def a_given_socket_is_listened_to_by_its_number():
    for scheduling in ("rr", "none"):
        port = free_port()
        p = project("fd", HTTP.replace("Number(process.env.PORT), '127.0.0.1'", "{fd: 3}"), port=port, listen=[f"tcp://127.0.0.1:{port}"], scheduling=scheduling)
        try:
            got = sorted(get(port).split()[0] for _ in range(8))
            expect(got == ["1"] * 4 + ["2"] * 4 or (scheduling == "none" and set(got) <= {"1", "2"}), f"{scheduling}: {got}")
            until(lambda: p.log("web/0") == b"port %d\n" % port, "it knows its port")
            expect([s["given"] for s in p.json("info", "web/0")["sockets"]] == ["listen"], f"{p.json('info', 'web/0')['sockets']}")
            p.run("reload", "web", check=0)
            engine = p.engine()
            os.kill(engine, signal.SIGKILL)
            expect(get(port), "after a reload, and when the engine has died, too")
        finally:
            p.close()
    p = project("nofd", HTTP.replace("Number(process.env.PORT), '127.0.0.1'", "{fd: 17}").replace("server.listen", "server.on('error', (e) => console.log(e.code)); server.listen"), 1, up=False)
    try:
        p.run("up", "-d", check=0)
        until(lambda: b"EBADF" in p.log("web/0"), lambda: f"the application is told: {p.log('web/0')}")
        expect("not one of the sockets that `listen` gives it" in p.run("events").stdout, "and so is the operator")
    finally:
        p.close()


def a_worker_may_listen_close_and_listen_again():
    script = r"""
const net = require('net'), port = Number(process.env.PORT);
const cycle = (n) => open((s) => s.close(() => n ? cycle(n - 1) : open(() => console.log('again'))));
const open = (then) => { const s = net.createServer((c) => c.end('hello')); s.on('error', (e) => console.log('error', e.code)); s.listen(port, '127.0.0.1', () => then(s)); return s; };
open((first) => open(() => console.log('twice')).on('error', () => first.close(() => cycle(200))));
"""
    port = free_port()
    p = project("again", script, 1, port=port)
    try:
        until(lambda: p.log("web/0").count(b"\n") == 2, "twice, and again and again")
        expect(p.log("web/0") == b"error EADDRINUSE\nagain\n", f"twice is an error, again is none: {p.log('web/0')}")
        with socket.create_connection(("127.0.0.1", port)) as s:
            expect(s.recv(10) == b"hello", "it serves")
    finally:
        p.close()


def full_workers_are_waited_for():
    """Of two workers that take one connection each the third waits until one is free again."""
    script = "const s = require('net').createServer((c) => c.write('hello')); s.maxConnections = 1; s.listen(Number(process.env.PORT), '127.0.0.1');"
    port = free_port()
    p = project("full", script, port=port)
    try:
        served = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(2)]
        expect([s.recv(10) for s in served] == [b"hello"] * 2, "each takes one")
        third = socket.create_connection(("127.0.0.1", port), timeout=60)
        told = lambda: p.run("events").stdout.count(f"web: all its workers refuse connections to tcp 127.0.0.1:{port}: they wait")
        until(told, "that is told")
        served[0].close()
        expect(third.recv(10) == b"hello", "the third is taken when there is room")
        third.close()
        served[1].close()
        channel = p.json("info", "web/0")["channel"], p.json("info", "web/1")["channel"]
        expect(sum(c["connections"] for c in channel) == 3, f"{channel}")
        expect(told() == 1, "once")
    finally:
        p.close()


def who_waits_for_a_full_worker_outlives_the_engine():
    script = "const s = require('net').createServer((c) => c.write('hello')); s.maxConnections = 1; s.listen(Number(process.env.PORT), '127.0.0.1');"
    port = free_port()
    p = project("waits", script, port=port)
    try:
        served = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(2)]
        expect([s.recv(10) for s in served] == [b"hello"] * 2, "each takes one")
        said = lambda: sum(row["ipc"]["in"] for row in p.rows().values())
        waiting = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(3)]
        for _ in range(2):
            before = until(said, "the workers")
            until(lambda: said() >= before + 12, "they are offered, and refused")
            before = said()
            until(lambda: said() > before, "once more, and not again for a while")
            kill_engine(p)
        while waiting:
            served.pop(0).close()
            ready = select.select(waiting, [], [], 60)[0]  # whichever is offered first
            expect(ready and ready[0].recv(10) == b"hello", f"each is taken when there is room: {ready}")
            waiting.remove(ready[0])
            served.append(ready[0])
    finally:
        p.close()


def one_that_binds_by_itself_is_let():
    port = free_port()
    p = project("exclusive", HTTP.replace("Number(process.env.PORT), '127.0.0.1'", "{port: Number(process.env.PORT), host: '127.0.0.1', exclusive: true}"), 1, port=port,
                up=False, listen_timeout="300ms")
    try:
        p.run("up", "-d", check=0)
        p.run("wait", "web", "--timeout", "60s", check=0)
        until(lambda: b"port" in p.log("web/0"), "it listens")
        expect(get(port) and p.json("info", "web/0")["sockets"] == [], "by itself")
    finally:
        p.close()


def a_stopped_worker_holds_up_no_other():
    port = free_port()
    p = project("held", HTTP, 3, port=port)
    try:
        pid = p.rows()["web/0"]["pid"]
        os.kill(pid, signal.SIGSTOP)
        load = Load(port, get, 4)
        load.wait_for(200)
        stuck = p.json("info", "web/0")["channel"]["connections"]
        os.kill(pid, signal.SIGCONT)  # those that it was given are answered now
        failed = load.end()
        expect(not failed and stuck == 0, f"{load.done} requests, {failed[:3]}, {stuck}")
    finally:
        p.close()


def https_workers_share_their_tickets():
    if not shutil.which("openssl"):
        print("# no openssl here")
        return
    script = r"""
const https = require('https'), fs = require('fs');
https.createServer({ key: fs.readFileSync('key.pem'), cert: fs.readFileSync('cert.pem') }, (q, r) => r.end('secret')).listen(Number(process.env.PORT), '127.0.0.1');
"""
    port = free_port()
    p = project("https", script, port=port, up=False)
    try:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=localhost"],
                       cwd=p.dir, check=True, capture_output=True)
        p.run("up", "-d", check=0)
        p.run("wait", "web", "--timeout", "60s", check=0)
        context = ssl._create_unverified_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # a session is known at once
        session, reused = None, []
        for _ in range(4):
            with socket.create_connection(("127.0.0.1", port)) as raw, context.wrap_socket(raw, session=session) as s:
                s.sendall(b"GET / HTTP/1.0\r\n\r\n")
                expect(b"secret" in s.recv(4096) + s.recv(4096), "https")
                reused.append(s.session_reused)
                session = s.session
        expect(reused == [False, True, True, True], f"a ticket of one worker is good for the other: {reused}")
    finally:
        p.close()


def modules_are_workers_too():
    port = free_port()
    p = project("esm", "import http from 'node:http';\nimport cluster from 'node:cluster';\nhttp.createServer((q, r) => r.end('' + cluster.isWorker)).listen(Number(process.env.PORT), '127.0.0.1');",
                file="app.mjs", port=port)
    try:
        expect(get(port) == "true", "an ES module")
    finally:
        p.close()


def a_port_in_use_is_the_workers_error():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        p = project("taken", HTTP.replace("server.listen", "server.on('error', (e) => { console.log(e.code); process.exit(5); }); server.listen"), 1,
                    port=port, up=False, availability={"restart": "no"})
        try:
            p.run("up", "-d", check=0)
            until(lambda: p.rows().get("web/0", {}).get("state") == "failed", "it fails")
            expect(b"EADDRINUSE" in p.log("web/0"), "the application was told")
            told = p.run("events").stdout
            expect(f"port {port}: it is in use by somebody else: " in told, "and so is the operator, who holds it too")
        finally:
            p.close()


def a_reload_refuses_nothing():
    port = free_port()
    p = project("reload", HTTP, port=port)
    try:
        before = {name: r["pid"] for name, r in p.rows().items()}
        load = Load(port, get)
        load.wait_for(50)
        for _ in range(3):
            p.run("reload", "web", check=0)
            load.wait_for(50)
        failed = load.end()
        expect(not failed, f"{load.done} requests, {len(failed)} failed: {failed[:3]}")
        rows = p.rows()
        expect(set(rows) >= {"web/0", "web/1"} and all(rows[n]["pid"] != before[n] for n in before), "all processes are new")
        until(lambda: set(p.rows()) == {"web/0", "web/1"}, "the spare one is gone")
        expect(all(d["cause"] == "reload" and d["signal"] is None for d in p.json("history")), "each left when it was asked to")
    finally:
        p.close()


def a_reload_of_what_is_broken_touches_nothing():
    port = free_port()
    p = project("broken", HTTP, port=port)
    try:
        before = {name: r["pid"] for name, r in p.rows().items()}
        p.write("app.js", "process.exit(3)")
        got = p.run("reload", "web")
        expect(got.returncode == 1 and "was not reloaded" in got.stderr, f"{got}")
        until(lambda: {name: r["pid"] for name, r in p.rows().items()} == before, "the old ones go on, and the spare one is gone")
        expect("given up" in p.run("events").stdout, "it is told")
        expect(get(port), "they serve")
    finally:
        p.close()


def killed_under_load(p, port):
    """Five times: the requests that failed."""
    load = Load(port, get)
    for _ in range(5):
        load.wait_for(30)
        kill_engine(p)
    load.wait_for(30)
    return load.end()


def nothing_is_refused_while_the_engine_is_killed():
    """Who is accepted in the very instant of the kill is lost, as the guarantees say: that is once in some hundred, and not twice in ten."""
    port = free_port()
    p = project("killed", HTTP, port=port)
    try:
        before = {name: r["pid"] for name, r in p.rows().items()}
        failed = killed_under_load(p, port)
        expect(len(failed) <= 1, f"{len(failed)} failed: {failed[:3]}")
        again = failed and killed_under_load(p, port)
        expect(not again, f"{failed}, and then {again}")
        expect({name: r["pid"] for name, r in p.rows().items()} == before, "no worker has changed")
        got = {get(port).split()[0] for _ in range(6)}
        expect(got == {"1", "2"}, f"both are handed connections: {got}")
    finally:
        p.close()


def a_killed_workers_connections_go_to_the_others():
    port = free_port()
    p = project("worker", HTTP, port=port)
    try:
        pid = p.rows()["web/0"]["pid"]
        os.kill(pid, signal.SIGSTOP)  # it takes nothing, and answers nothing
        waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
        for s in waiting:
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            s.settimeout(60)
        os.kill(pid, signal.SIGKILL)
        got = [s.makefile("rb").read().split(b"\r\n\r\n")[1] for s in waiting]
        expect(len(got) == 6 and all(got), f"all six are answered: {got}")
        until(lambda: p.rows().get("web/0", {}).get("state") == "ready", "it is back")
    finally:
        p.close()


def a_worker_may_leave_by_itself():
    port = free_port()
    p = project("leaves", HTTP + "process.on('message', (m) => { if (m === 'leave') cluster.worker.disconnect(); if (m === 'kill') cluster.worker.kill(); });",
                port=port)
    try:
        for name, word in (("web/0", '"leave"'), ("web/1", '"kill"')):
            p.run("send", name, word, check=0)
            until(lambda: p.rows()[name]["state"] == "completed", f"{name} leaves at {word}")
            expect(p.rows()[name]["last_death"]["code"] == 0, f"{p.rows()[name]['last_death']}")
    finally:
        p.close()


REST_S = 0.1  # a worker that has refused is left alone for so long

REFUSES = r"""
import json, os, socket, sys
s = socket.socket(fileno=int(os.environ['THRUM_CHANNEL_FD']))
seq = 0
def send(**m):
    global seq
    s.sendall(json.dumps(dict(m, cmd='NODE_CLUSTER', seq=seq)).encode() + b'\n')
    seq += 1
send(act='online')
send(act='queryServer', index=0, data=None, address='127.0.0.1', port=int(os.environ['PORT']), addressType=4, backlog=0)
refused, rest = 0, b''
while True:
    got, fds, _, _ = socket.recv_fds(s, 65536, 16)
    if not got: break
    for fd in fds:
        os.close(fd)
        s.sendall(b'{"cmd":"NODE_HANDLE_ACK"}\n')
    rest += got
    *lines, rest = rest.split(b'\n')
    for line in lines:
        m = json.loads(line)
        if m.get('ack') == 1: send(act='listening', address='127.0.0.1', port=1, addressType=4)
        inner = m.get('msg', {})
        if inner.get('act') == 'newconn':
            refused += 1
            print('refused', refused, flush=True)
            send(ack=inner['seq'], accepted=False)
        if m.get('act') == 'disconnect': sys.exit(0)
"""


def a_worker_that_refuses_everything_costs_little():
    port = free_port()
    p = Project("refuses", {"web": {"command": ["python3", "app.py"], "exec_mode": "cluster", "environment": {"PORT": str(port)}}})
    p.write("app.py", REFUSES)
    try:
        p.run("up", "-d", check=0)
        p.run("wait", "web", "--timeout", "60s", check=0)
        count = lambda: p.log("web/0").count(b"refused")
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", port)):
            until(lambda: count() >= 5, "it is asked again and again")
            asked, seconds = count(), time.monotonic() - began
        expect(asked <= 1 + seconds / REST_S, f"it was asked {asked} times in {seconds:.2f} s: as fast as it could")
    finally:
        p.close()


def one_that_is_no_worker_opens_no_socket():
    port = free_port()
    p = Project("forged", {"a": {"command": ["python3", "app.py"], "ipc": "json", "environment": {"PORT": str(port)}}})
    p.write("app.py", REFUSES)
    try:
        p.run("up", "-d", check=0)
        until(lambda: (p.rows()["a/0"].get("ipc") or {"in": 0})["in"] >= 2, "its requests are heard")
        with socket.socket() as s:
            expect(s.connect_ex(("127.0.0.1", port)) != 0, "and nothing listens")
    finally:
        p.close()


main(connections_are_handed_out_in_turn, a_shared_socket_is_accepted_from_by_the_workers, every_kind_of_socket_is_opened,
     https_workers_share_their_tickets, a_given_socket_is_listened_to_by_its_number,
     a_worker_may_listen_close_and_listen_again, full_workers_are_waited_for, who_waits_for_a_full_worker_outlives_the_engine, one_that_binds_by_itself_is_let,
     a_stopped_worker_holds_up_no_other, modules_are_workers_too, a_port_in_use_is_the_workers_error, a_reload_refuses_nothing,
     a_reload_of_what_is_broken_touches_nothing, nothing_is_refused_while_the_engine_is_killed,
     a_killed_workers_connections_go_to_the_others, a_worker_may_leave_by_itself, a_worker_that_refuses_everything_costs_little,
     one_that_is_no_worker_opens_no_socket)
