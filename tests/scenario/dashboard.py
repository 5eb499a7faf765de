#!/usr/bin/env python3
"""The dashboard in a real terminal (tmux): what it shows, what keys do, how it leaves."""
from lib_thrum import *

if not shutil.which("tmux"):
    sys.exit(77)


class Terminal:
    def __init__(self, project, command="up", width=80, height=24, before=""):
        self.base = ["tmux", "-L", f"thrum{os.getpid()}", "-f", "/dev/null"]
        self.env = dict(project.env, NCURSES_NO_UTF8_ACS="1", PATH=os.environ["PATH"])
        self.env.pop("TMUX", None)
        self.tmux("new-session", "-d", "-s", "s", "-x", str(width), "-y", str(height),
                  f"cd {project.dir}; {before} {THRUM} {command}; echo LEFT $?; stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(echo|icanon)' | tr '\\n' ' '; echo; exec sleep 600")

    def tmux(self, *args):
        return subprocess.run(self.base + list(args), env=self.env, capture_output=True, text=True).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "s")

    def keys(self, *keys):
        for key in keys:
            self.tmux("send-keys", "-t", "s", key)

    def sees(self, *words, seconds=15):
        try:
            until(lambda: all(w in self.screen() for w in words), " and ".join(words), seconds)
        except Failure as why:
            raise Failure(f"{why}; the screen:\n{self.screen()}")

    def pid(self):
        shell = self.tmux("display-message", "-p", "-t", "s", "#{pane_pid}").strip()
        with open(f"/proc/{shell}/task/{shell}/children") as f:
            return int(f.read().split()[0])

    def close(self):
        self.tmux("kill-server")


HOSTILE = "#!/bin/sh\nwhile :; do printf 'tick\\033]0;EVIL\\007\\033[2J\\033[?1049l\\n'; sleep 0.2; done\n"


def with_dashboard(test, **size):
    project = Project("dash", {"tick": {"command": "./tick.sh", "instances": 2}, "nap": {"command": "sleep 600"},
                               "stub": {"command": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], "shutdown": {"timeout": "2s"}}})
    project.write("tick.sh", HOSTILE, 0o755)
    terminal = Terminal(project, **size)
    try:
        terminal.sees("tick/1", "nap", "running")
        test(project, terminal)
    finally:
        terminal.close()
        project.close()


def keys_act_on_what_is_selected():
    def test(project, terminal):
        before = project.rows()
        terminal.keys("/", "nap", "Enter")
        terminal.keys("r")
        until(lambda: project.rows()["nap/0"]["pid"] not in (None, before["nap/0"]["pid"]), "r restarts nap")
        terminal.keys("+")
        until(lambda: "nap/1" in project.rows(), "+ adds one")
        terminal.sees("nap/1")
        terminal.keys("/", "stub", "Enter")
        terminal.keys("x")
        terminal.sees("Stopping stub/0", "KILL in")
        until(lambda: project.rows()["stub/0"]["state"] == "stopped", "x stops stub")
        terminal.keys("a", "sleep 601", "Enter")
        until(lambda: "sleep/0" in project.rows(), "a launches")
        terminal.keys(":", "scale tick 3", "Enter")
        until(lambda: "tick/2" in project.rows(), ":scale")
        expect(project.rows()["tick/0"]["pid"] == before["tick/0"]["pid"], "tick/0 was not meant")
        terminal.keys("?")
        terminal.sees("Help")
        terminal.keys("Escape")
    with_dashboard(test, width=140, height=45)


def it_survives_every_size_and_hostile_output():
    def test(project, terminal):
        for width, height in ((1, 1), (2, 50), (20, 5), (40, 12), (300, 100), (80, 24)):
            terminal.tmux("resize-window", "-t", "s", "-x", str(width), "-y", str(height))
            until(lambda: terminal.tmux("display-message", "-p", "-t", "s", "#{pane_width}x#{pane_height}").strip() == f"{width}x{height}", "resized")
        terminal.sees("thrum dash", "tick/0", "tick/1")
        expect("EVIL" not in terminal.tmux("display-message", "-p", "-t", "s", "#{pane_title}"), "a child set the title")
    with_dashboard(test)


def detaching_leaves_them_running():
    def test(project, terminal):
        pid = project.rows()["nap/0"]["pid"]
        terminal.keys("q")
        terminal.sees("Detach")
        terminal.keys("Escape")
        terminal.keys("q")
        terminal.sees("Detach")
        terminal.keys("d")
        terminal.sees("detached", "LEFT 0", "icanon echo")
        expect(project.rows()["nap/0"]["pid"] == pid, "nap runs on")
    with_dashboard(test)


def the_engine_may_die_under_it():
    def test(project, terminal):
        pid = project.rows()["nap/0"]["pid"]
        os.kill(project.engine(), signal.SIGKILL)
        terminal.keys("/", "nap", "Enter", "r")
        until(lambda: project.rows().get("nap/0", {}).get("pid") not in (None, pid), "it acts on the new engine")
        terminal.sees("nap", "running")
    with_dashboard(test)


def signals_leave_the_terminal_as_it_was():
    for number in (signal.SIGTERM, signal.SIGSEGV):
        def test(project, terminal):
            os.kill(terminal.pid(), number)
            terminal.sees("LEFT", "icanon echo")
            expect(project.rows()["nap/0"]["pid"], "nap runs on")
        with_dashboard(test)


def without_a_terminal_it_says_so():
    project = Project("plain", {"nap": {"command": "sleep 600"}})
    try:
        project.run("up", "-d", check=0)
        done = project.run("attach")
        expect(done.returncode == 2 and "--headless" in done.stderr and "\033" not in done.stdout, f"{done}")
        terminal = Terminal(project, "attach", before="TERM=dumb")
        terminal.sees("LEFT 2", "cannot place its cursor")
        terminal.close()
    finally:
        project.close()


main(keys_act_on_what_is_selected, it_survives_every_size_and_hostile_output, detaching_leaves_them_running,
     the_engine_may_die_under_it, signals_leave_the_terminal_as_it_was, without_a_terminal_it_says_so)
