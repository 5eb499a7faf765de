#!/usr/bin/env python3
"""Sockets that processes are started with: `listen`, for any language."""
import os, pwd, shutil, socket, stat, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Load, Project, expect, free_port, kill_engine, main, until

SERVED = os.path.join(os.environ.get("SRCDIR", "."), "examples", "python", "served.py")


def ask(port):
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return s.makefile("rb").read().split(b"\r\n\r\n")[1].decode()


def listeners(port):
    with open("/proc/net/tcp") as f:
        return sum(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in f)


def served(name, listen, count=2, **more):
    p = Project(name, {"web": dict({"command": ["python3", SERVED], "listen": listen, "instances": count, "ready": {"log": "^serving", "timeout": "60s"}}, **more)})
    p.run("up", "-d", check=0)
    p.run("wait", "web", "--timeout", "60s", check=0)
    return p


def nothing_is_refused():
    port = free_port()
    p = served("served", [f"tcp://127.0.0.1:{port}"])
    try:
        before = {name: r["pid"] for name, r in p.rows().items()}
        load = Load(port, ask)
        load.wait_for(50)
        p.run("reload", "web", check=0)
        load.wait_for(50)
        for _ in range(3):
            kill_engine(p)
            load.wait_for(20)
        p.run("restart", "web", check=0)  # nobody is there for a moment: they wait
        load.wait_for(50)
        failed = load.end()
        expect(not failed, f"{load.done} requests, {len(failed)} failed: {failed[:3]}")
        until(lambda: set(p.rows()) == {"web/0", "web/1"}, "the spare one is gone")
        expect(all(r["pid"] != before[n] for n, r in p.rows().items()), "all processes are new")
        info = p.json("info", "web/1")
        expect(info["sockets"][0]["address"] == f"tcp 127.0.0.1:{port}" and info["sockets"][0]["given"] == "listen", f"{info['sockets']}")
        p.run("stop", "web", check=0)
        p.run("wait", "web", "--for", "stopped", "--timeout", "60s", check=0)

        def is_refused():
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) != 0
        until(is_refused, "nobody listens for a service that is stopped, as soon as the keeper has closed the socket, too")
    finally:
        p.close()


def each_instance_may_have_its_own():
    port = free_port()
    p = served("own", [{"address": f"tcp://127.0.0.1:{port}", "per_instance": True}], 3)
    try:
        seen = set()
        until(lambda: seen.add(ask(port).split(",")[0]) or len(seen) == 3, "all three are asked")
        p.run("scale", "web", "1", check=0)
        until(lambda: set(p.rows()) == {"web/0"}, "one is left")
        until(lambda: listeners(port) == 1, "and one socket, as soon as the keeper has closed the others, too")
        expect({ask(port).split(",")[0] for _ in range(20)} == {"instance 0"}, "no connection goes to a socket that nobody reads")
        p.run("scale", "web", "3", check=0)
        p.run("wait", "web", "--timeout", "60s", check=0)
        load = Load(port, ask)
        load.wait_for(20)
        for _ in range(2):
            p.run("reload", "web", check=0)
            load.wait_for(20)
        failed = load.end()
        expect(not failed, f"each waits for its successor: {load.done} requests, {len(failed)} failed: {failed[:3]}")
    finally:
        p.close()


def every_kind_is_given():
    script = r"""
import os, socket, sys
n = int(os.environ['LISTEN_FDS'])
assert os.environ['LISTEN_PID'] == str(os.getpid())
for fd in range(3, 3 + n):
    s = socket.socket(fileno=fd)
    print(fd, s.family.name, s.type.name, s.getsockname(), flush=True)
print('names', os.environ['LISTEN_FDNAMES'], 'channel', os.environ['THRUM_CHANNEL_FD'], flush=True)
os.write(int(os.environ['THRUM_CHANNEL_FD']), b'"ready"\n')
import time; time.sleep(1000)
"""
    port = free_port()
    p = Project("kinds", {"a": {"command": ["python3", "-c", script], "ipc": "json", "ready": {"message": "ready"},
                                "listen": [f"tcp://127.0.0.1:{port}", "udp://127.0.0.1:0", "unix://own.sock", "tcp://[::1]:0"]}})
    try:
        p.run("up", "-d", check=0)
        p.run("wait", "a", "--timeout", "60s", check=0)
        until(lambda: b"channel" in p.log("a/0"), "what it was given")
        lines = p.log("a/0").decode().splitlines()
        expect(lines[0].startswith("3 AF_INET SOCK_STREAM") and lines[1].startswith("4 AF_INET SOCK_DGRAM") and lines[2].startswith("5 AF_UNIX") and
               lines[3].startswith("6 AF_INET6") and lines[4] == "names tcp:udp:unix:tcp channel 7", f"{lines}")
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(p.dir + "/own.sock")
        p.run("down", check=0)
        expect(not os.path.exists(p.dir + "/own.sock"), "the unix socket is taken away")
    finally:
        p.close()


def a_port_in_use_is_told_and_tried_again():
    taken = socket.socket()
    taken.bind(("127.0.0.1", 0))
    taken.listen()
    port = taken.getsockname()[1]
    p = Project("taken", {"web": {"command": ["python3", SERVED], "listen": [f"tcp://127.0.0.1:{port}"]}})
    try:
        p.run("up", "-d", check=0)
        row = until(lambda: f"port {port}: it is in use" in (p.rows().get("web/0", {}).get("detail") or "") and p.rows()["web/0"], "it is told")
        expect(row["pid"] is None and row["state"] != "running", f"{row}")
        taken.close()
        until(lambda: p.rows()["web/0"]["state"] == "running", "it starts when the port is free")
        until(lambda: b"serving" in p.log("web/0"), "it serves")
        expect(ask(port), "it answers")
    finally:
        taken.close()
        p.close()


def a_unix_socket_is_its_services():
    is_root = os.getuid() == 0
    p = Project("own", {"given": dict({"command": "sleep 1000", "listen": [{"address": "unix://given.sock", "mode": "0620"}, "unix://plain.sock"]},
                                      **({"user": "nobody"} if is_root else {}))})
    try:
        os.chmod(p.dir, 0o711)
        p.run("up", "-d", check=0)
        until(lambda: p.rows()["given/0"]["state"] == "running", "it runs")
        given, plain = (os.stat(f"{p.dir}/{name}.sock") for name in ("given", "plain"))
        expect(stat.S_IMODE(given.st_mode) == 0o620 and stat.S_IMODE(plain.st_mode) != 0o620, f"{given} {plain}")
        expect(given.st_uid == plain.st_uid == (pwd.getpwnam("nobody").pw_uid if is_root else os.getuid()), f"{given} {plain}")
        expect([listen.get("mode") for listen in p.json("check")["processes"]["given"]["listen"]] == ["0620", None], "it is shown")
    finally:
        p.close()


def who_holds_a_place_is_told():
    path = tempfile.mkdtemp(prefix="thrum-test-") + "/held.sock"
    with socket.socket(socket.AF_UNIX) as unix, socket.socket() as tcp:
        unix.bind(path)
        unix.listen()
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        port = tcp.getsockname()[1]
        p = Project("held", {"unix": {"command": "true", "listen": ["unix://" + path]}, "tcp": {"command": "true", "listen": [f"tcp://127.0.0.1:{port}"]}})
        try:
            p.run("up", "-d", check=0)
            for name, where in (("unix/0", f"listen on {path}: "), ("tcp/0", f"listen on 127.0.0.1 port {port}: ")):
                wanted = f"{where}it is in use by somebody else: python3 ({os.getpid()})"
                until(lambda: wanted in (p.rows().get(name, {}).get("detail") or ""), lambda: f"{wanted}: {p.rows().get(name)}")
        finally:
            p.close()
            shutil.rmtree(os.path.dirname(path))


def what_is_wrong_is_said():
    bad = {"tcp://nowhere:80": "tcp://HOST:PORT", "tcp://127.0.0.1:99999": "tcp://HOST:PORT", "ftp://1": "tcp://HOST:PORT", "unix://": "tcp://HOST:PORT"}
    for listen, wanted in bad.items():
        p = Project("bad", {"a": {"command": "true", "listen": [listen]}})
        got = p.run("check")
        expect(got.returncode == 2 and wanted in got.stderr and "thrum.yaml:1:" in got.stderr, f"{listen}: {got.stderr}")
        p.close()
    for service, wanted in (({"listen": [{"address": "unix:///tmp/x", "per_instance": True}]}, "can only be shared"),
                            ({"listen": [{"address": "tcp://*:0", "per_instance": True}]}, "which port"),
                            ({"listen": [{"address": "tcp://*:80", "backlog": 0}]}, "1 to 65535"),
                            ({"listen": [{}]}, "{address, backlog, mode, per_instance}"),
                            ({"listen": [{"address": "tcp://*:80", "mode": "0660"}]}, "only a unix socket has one"),
                            ({"listen": [{"address": "unix://x", "mode": "rw"}]}, "octal, such as 0660"),
                            ({"listen": ["tcp://*:%d" % n for n in range(1, 10)]}, "8 sockets are the most"),
                            ({"exec_mode": "threads"}, "fork or cluster"), ({"scheduling": "random"}, "rr or none")):
        p = Project("bad", {"a": dict(service, command="true")})
        got = p.run("check")
        expect(got.returncode == 2 and wanted in got.stderr, f"{service}: {got.stderr}")
        p.close()


main(nothing_is_refused, each_instance_may_have_its_own, every_kind_is_given, a_port_in_use_is_told_and_tried_again, who_holds_a_place_is_told, a_unix_socket_is_its_services,
     what_is_wrong_is_said)
