#!/usr/bin/env python3
"""The engine of another machine, by a real ssh to a real sshd on loopback."""
import getpass, json, os, shutil, socket, subprocess, sys
from lib_thrum import THRUM, Project, expect, free_port, kill_engine, main, until
from lib_terminal import Terminal

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
if not os.path.exists(SSHD) or not shutil.which("ssh") or not shutil.which("ssh-keygen"):
    print("no sshd")
    sys.exit(77)


class Far(Project):
    """A project whose client reaches it by ssh alone."""

    def __init__(self, processes):
        super().__init__("far", processes)
        self.port = free_port()
        for name in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.dir}/{name}"], check=True, stdin=subprocess.DEVNULL)
        shutil.copy(f"{self.dir}/user.pub", f"{self.dir}/authorized")
        os.chmod(f"{self.dir}/authorized", 0o600)
        self.write("sshd_config", f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.dir}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
                   f"AuthorizedKeysFile {self.dir}/authorized\nPermitRootLogin yes\nPasswordAuthentication no\n"
                   f"SetEnv THRUM_RUNTIME_DIR={self.dir}/run THRUM_STATE_DIR={self.dir}/state\n")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self.sshd = subprocess.Popen([SSHD, "-D", "-e", "-f", f"{self.dir}/sshd_config"], stderr=open(f"{self.dir}/sshd.log", "w"))
        self.write("ssh", f"#!/bin/sh\nexec {shutil.which('ssh')} -F none -i {self.dir}/user -o IdentitiesOnly=yes -o BatchMode=yes "
                   f"-o StrictHostKeyChecking=no -o UserKnownHostsFile={self.dir}/known -o LogLevel=ERROR \"$@\"\n", 0o755)
        self.far = dict(self.env, PATH=f"{self.dir}:{self.env['PATH']}", THRUM_REMOTE_PROGRAM=THRUM, THRUM_RUNTIME_DIR=f"{self.dir}/elsewhere")
        self.url = f"ssh://{getpass.getuser()}@127.0.0.1:{self.port}"
        until(lambda: "listening" in open(f"{self.dir}/sshd.log").read(), "sshd listens")

    def from_afar(self, *args, host=None):
        return subprocess.run([THRUM, "-H", host or self.url, "-p", "far", *args], cwd="/", env=self.far, capture_output=True,
                              text=True, timeout=60, stdin=subprocess.DEVNULL)

    def close(self):
        super().close()
        self.sshd.terminate()
        self.sshd.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


def commands_reach_the_other_machine():
    project = Far({"a": {"command": "sh -c 'echo hello; exec sleep 1000'"}})
    try:
        done = project.from_afar("ps")
        expect(done.returncode == 3 and "no engine runs here for project 'far'" in done.stderr, f"{done.returncode} {done.stderr}")
        project.run("up", "-d", check=0)
        done = project.from_afar("ps", "--json")
        expect(done.returncode == 0 and json.loads(done.stdout)[0]["service"] == "a", done.stdout + done.stderr)
        until(lambda: project.from_afar("logs", "a").stdout.endswith("hello\n"), "its output")
        pid = project.rows()["a/0"]["pid"]
        expect(project.from_afar("restart", "a").returncode == 0, "it acts")
        until(lambda: project.rows()["a/0"]["pid"] not in (None, pid), "there")
    finally:
        project.close()


def what_follows_comes_back_with_the_engine():
    project = Far({"a": {"command": "sleep 1000"}})
    try:
        project.run("up", "-d", check=0)
        with subprocess.Popen([THRUM, "-H", project.url, "-p", "far", "events", "-f", "--json"], cwd="/", env=project.far,
                              stdout=open(project.dir + "/events", "w"), stdin=subprocess.DEVNULL) as follower:
            until(lambda: "started" in open(project.dir + "/events").read(), "events come")
            kill_engine(project)
            project.run("stop", "a", check=0)
            until(lambda: "stopped" in open(project.dir + "/events").read(), "and go on")
            follower.terminate()
    finally:
        project.close()


def the_dashboard_is_shown_here():
    """attach ssh://, in a terminal of this side, and back again when it is left."""
    if not shutil.which("tmux"):
        return
    project = Far({"a": {"command": "sleep 1000"}, "b": {"command": "sleep 1000"}})
    terminal = None
    try:
        project.run("up", "-d", check=0)
        near = type("Near", (), {"dir": project.dir, "env": project.far})
        exports = " ".join(f"{name}='{project.far[name]}'" for name in ("THRUM_RUNTIME_DIR", "THRUM_REMOTE_PROGRAM"))
        terminal = Terminal(near, f"attach {project.url}/far", width=100, before=f"export PATH={project.dir}:$PATH {exports};")
        terminal.sees("thrum far", "running", ">  a")
        pid = project.rows()["a/0"]["pid"]
        terminal.keys("r")
        until(lambda: project.rows()["a/0"]["pid"] not in (None, pid), "a key acts there")
        kill_engine(project)
        project.run("stop", "b", check=0)
        terminal.sees("stopped")
        terminal.keys("q")
        terminal.sees("Detach")
        terminal.keys("d")
        terminal.sees("LEFT 0", "icanon")
        expect(project.engine(), "it runs on")
    finally:
        if terminal:
            terminal.close()
        project.close()


def what_is_wrong_is_one_sentence():
    project = Far({"a": {"command": "sleep 1000"}})
    try:
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))  # nobody listens there
            done = project.from_afar("ps", host=f"ssh://127.0.0.1:{s.getsockname()[1]}")
        expect(done.returncode == 3 and "no engine could be reached on 127.0.0.1" in done.stderr, done.stderr)
        for host in ("-oProxyCommand=true", "ssh://", "a b"):
            done = project.from_afar("ps", host=host)
            expect(done.returncode == 3 and "is no host" in done.stderr, f"{host}: {done.returncode} {done.stderr}")
        for command in (("up",), ("run", "--", "true"), ("apply",)):
            done = project.from_afar(*command)
            expect(done.returncode == 2 and "log in there" in done.stderr, done.stderr)
        done = subprocess.run([THRUM, "attach", project.url + "/far"], cwd="/", env=project.far, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60)
        expect(done.returncode != 0 and done.stderr, "no engine runs there")
    finally:
        project.close()


main(commands_reach_the_other_machine, what_follows_comes_back_with_the_engine, the_dashboard_is_shown_here, what_is_wrong_is_one_sentence)
