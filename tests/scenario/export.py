#!/usr/bin/env python3
"""A project as files of other systems, and as a service of systemd's."""
import os, shutil, signal, socket, subprocess
import lib_schema
from lib_thrum import THRUM, Project, comes_to, expect, kill_engine, main, until

SHOP = {
    "api": {"command": "sleep 1000", "instances": 2, "environment": {"A": "x$y $(z)"},
            "readiness_probe": {"http_get": {"port": 8000, "path": "/health"}, "period_seconds": 5},
            "liveness_probe": {"tcp": {"port": 8000}},
            "limits": [{"metric": "rss", "over": "200MB", "action": "restart"}, {"metric": "cpu", "over": 150, "action": "restart"}],
            "shutdown": {"command": "sh -c 'echo bye'", "timeout": "7s"}, "depends_on": {"db": {"condition": "process_healthy"}}},
    "db": {"command": ["sh", "-c", "exec sleep 1000"], "readiness_probe": {"exec": "true"}},
    "report": {"command": "date", "schedule": "0 2 * * *"},
    "once": {"command": "true", "availability": {"restart": "no"}},
}


def systemd_accepts_the_unit():
    project = Project("shop", SHOP)
    try:
        unit = project.run("export", "systemd", check=0).stdout
        for line in ("Type=notify", "KillMode=mixed", "WatchdogSec=60", f"WorkingDirectory={project.dir}", "RuntimeDirectoryMode=0700"):
            expect(line + "\n" in unit, f"{line}: {unit}")
        expect("WantedBy=default.target" in project.run("export", "systemd", "--user", check=0).stdout, "a user's unit")
        if shutil.which("systemd-analyze"):
            path = project.write("shop.service", unit)
            done = subprocess.run(["systemd-analyze", "verify", path], capture_output=True, text=True)
            expect(done.returncode == 0 and not done.stderr, done.stderr)
    finally:
        project.close()


def compose_reads_what_is_exported():
    project = Project("shop", SHOP)
    try:
        done = project.run("export", "compose", "--image", "registry/shop:1", check=0)
        expect("report: schedule has no equivalent" in done.stderr, done.stderr)
        project.write("compose.yaml", done.stdout)
        lib_schema.check_compose(done.stdout)
        again = project.run("import", "compose", "compose.yaml", check=0)
        expect("image: \"registry/shop:1\"" in done.stdout and "x$$y $$(z)" in done.stdout, done.stdout)
        expect("condition: process_healthy" in again.stdout and "instances: 2" in again.stdout, again.stdout)
    finally:
        project.close()


def kubernetes_gets_objects():
    project = Project("shop", SHOP)
    try:
        done = project.run("export", "kubernetes", check=0)
        objects = done.stdout.split("---\n")
        expect([o.split("kind: ")[1].split("\n")[0] for o in objects] == ["Deployment", "Deployment", "CronJob", "Job"], done.stdout)
        for line in ("replicas: 2", "readinessProbe:", "livenessProbe:", "preStop:", "terminationGracePeriodSeconds: 12",
                     "memory: \"209715200\"", "cpu: \"1500m\"", "path: /health", "x$y $$(z)"):
            expect(line in objects[0], f"{line}: {objects[0]}")
        expect("schedule: \"0 2 * * *\"" in objects[2], objects[2])
        expect("api: depends_on db has no equivalent" in done.stderr, done.stderr)
        expect(lib_schema.check_kubernetes(done.stdout) in (None, ["Deployment", "Deployment", "CronJob", "Job"]), "Kubernetes' own schemas allow it")
    finally:
        project.close()


def it_is_a_service_of_systemds():
    """READY=1 once all have started, beats, and STOPPING=1: told to the one above us, not by those below."""
    project = Project("unit", {"slow": {"command": "sh -c 'sleep 0.3; echo up; exec sleep 1000'", "ready": {"log": "up"}},
                               "quick": {"command": "sleep 1000"}, "loud": {"command": "sh -c 'env; echo all; exec sleep 1000'"}})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as above:
        above.bind(project.dir + "/notify")
        above.settimeout(60)
        project.env.update(NOTIFY_SOCKET=project.dir + "/notify", WATCHDOG_USEC="200000")
        try:
            project.headless("--exit-when", "never")
            told = [above.recv(4096)]
            while not told[-1].startswith(b"READY=1"):
                told.append(above.recv(4096))
            expect(project.rows()["slow/0"]["state"] == "ready", "it is told when all are ready")
            for _ in range(3):
                expect(above.recv(4096) == b"WATCHDOG=1", "it beats")
            until(lambda: project.log("loud/0").endswith(b"\nall\n"), "one tells its variables")
            expect(b"NOTIFY_SOCKET" not in project.log("loud/0"), "services do not speak for it")
            project.front.send_signal(signal.SIGTERM)
            while told[-1] != b"STOPPING=1":
                told.append(above.recv(4096))
            expect(project.front.wait(60) == 0, "it ends well")
        finally:
            project.close()


def gateways_stay_at_home():
    """They are of the engine, and what they know (a token, a password) is nobody else's."""
    project = Project("shop", {"a": {"command": "sleep 1", "pool": {"size": 1}}}, http={"listen": "3001", "token": "s3cret"},
                      redis={"server": "6379", "password": "s3cret"})
    try:
        for kind in ("kubernetes", "compose"):
            done = project.run("export", kind, check=0)
            expect("name: a" in done.stdout or "  a:" in done.stdout, done.stdout)
            expect("thrum-http" not in done.stdout and "thrum-redis" not in done.stdout and "s3cret" not in done.stdout, done.stdout)
    finally:
        project.close()


def activate(project, path):
    return subprocess.Popen(["systemd-socket-activate", "-l", path, *(f"-E{n}={project.env[n]}" for n in ("THRUM_RUNTIME_DIR", "THRUM_STATE_DIR")),
                             THRUM, "up", "--headless", "--exit-when", "never"], cwd=project.dir, env=project.env, stdin=subprocess.DEVNULL,
                            stdout=open(project.dir + "/out", "w"), stderr=open(project.dir + "/err", "w"))


def connected(path):
    """A client of that socket, or None: it is there a moment before anybody listens at it."""
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(path)
        return client
    except OSError:
        client.close()
        return None


def the_first_client_starts_it():
    """Socket activation: the control socket is systemd's, is there before the engine is, and after it."""
    if not shutil.which("systemd-socket-activate"):
        return
    project = Project("woken", {"a": {"command": "sleep 1000"}})
    control = f"{project.dir}/run/woken/control"
    try:
        os.mkdir(os.path.dirname(control), 0o700)
        project.front = activate(project, control)
        until(lambda: os.path.exists(control), "it listens")
        inode = os.stat(control).st_ino
        comes_to(project, "a/0", "running")  # a client starts the project, and is answered
        kill_engine(project)
        project.run("down", check=0)
        expect(project.front.wait(60) == 0, "the client in front ends with it")
        expect(os.stat(control).st_ino == inode, "the socket is left to systemd")
        project.front = activate(project, project.dir + "/elsewhere")
        with until(lambda: connected(project.dir + "/elsewhere"), "it listens elsewhere"):
            expect(project.front.wait(60) == 1, "nobody would find that one")
        with open(project.dir + "/err") as errors:
            expect(f"ListenStream={control}" in errors.read(), "and it is told which one is meant")
        for option, path in (((), "/run/thrum-woken/woken/control"), (("--user",), "%t/thrum/woken/control")):
            unit = project.run("export", "systemd-socket", *option, check=0).stdout
            expect(f"ListenStream={path}\n" in unit and "SocketMode=0600\n" in unit, unit)
    finally:
        project.close()


main(systemd_accepts_the_unit, compose_reads_what_is_exported, kubernetes_gets_objects, it_is_a_service_of_systemds,
     gateways_stay_at_home, the_first_client_starts_it)
