#!/usr/bin/env python3
"""The dashboard in a real terminal (tmux): what it shows, what keys do, how it leaves."""
import fcntl, pty, select, struct, termios

from lib_thrum import *
from lib_terminal import Terminal

if not shutil.which("tmux"):
    sys.exit(77)


class Reader:
    """A terminal that may stop reading: the other end of a pty."""

    def __init__(self, project, command="attach", width=300, height=100):
        self.data, self.status = b"", None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
            os.chdir(project.dir)
            os.execve(THRUM, [THRUM, command], dict(project.env, TERM="xterm-256color"))

    def read(self):
        while select.select([self.fd], [], [], 0)[0]:
            try:
                self.data += os.read(self.fd, 65536)
            except OSError:
                return

    def sees(self, text, what):
        until(lambda: self.read() or text in self.data, what)

    def is_full(self):
        """Nothing more goes into the pty: a write that would wait waits now."""
        slave = os.open(f"/proc/{self.pid}/fd/0", os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        full = not select.select([], [slave], [], 0)[1]
        os.close(slave)
        return full

    def resize(self, width, height):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def stop(self):
        """Read no more, until what it draws anew for every size has filled the pty."""
        widths = iter(range(10 ** 6))

        def fill():
            self.resize(300 + next(widths) % 2, 100)
            return self.is_full()
        until(fill, "the terminal is full")

    def has_left(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is not None

    def close(self):
        if not self.has_left():
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)


HOSTILE = "#!/bin/sh\nwhile :; do printf 'tick\\033]0;EVIL\\007\\033[2J\\033[?1049l\\n'; sleep 0.2; done\n"


def with_dashboard(test, **size):
    project = Project("dash", {"tick": {"command": "./tick.sh", "instances": 2}, "nap": {"command": "sleep 600"},
                               "stub": {"command": ["sh", "-c", "trap '' TERM; while :; do sleep 1; done"], "shutdown": {"timeout": "4s"}}})
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
        terminal.keys("/", "nap", "Enter")
        kill_engine(project)
        # a key that comes before the dashboard has found the new engine does nothing
        until(lambda: seldom(lambda: terminal.keys("r")) and project.rows()["nap/0"]["pid"] not in (None, pid), "it acts on the new engine")
        terminal.sees("nap", "running")
    with_dashboard(test)


def the_history_shows_each_death():
    def test(project, terminal):
        terminal.keys("/", "stub", "Enter", "5")
        terminal.sees("[5 History]", "no process of it has ended yet")
        project.run("kill", "stub/0", check=0)
        terminal.sees("manual (KILL)", "24 h", "r restart")
        project.run("start", "stub/0", check=0)
        terminal.sees("running", "manual (KILL)")
        terminal.keys("/", "tick/0", "Enter")
        project.run("restart", "tick/0", check=0)
        terminal.sees("manual (TERM)")
        terminal.keys("Enter")
        terminal.sees("Enter Open")
        terminal.keys("Enter")
        terminal.sees("life 1, pid", "manual (TERM) at", " tick")
        terminal.keys("Escape")
        terminal.sees("Enter Open")
    with_dashboard(test, width=140, height=45)


def signals_leave_the_terminal_as_it_was():
    for number in (signal.SIGTERM, signal.SIGSEGV):
        def test(project, terminal):
            os.kill(terminal.pid(), number)
            terminal.sees("LEFT", "icanon echo")
            expect(project.rows()["nap/0"]["pid"], "nap runs on")
        with_dashboard(test)


def with_reader(test):
    project = Project("stopped", {f"s{i}": {"command": "sleep 600", "instances": 20} for i in range(4)})
    project.run("up", "-d", check=0)
    reader = Reader(project)
    try:
        reader.sees(b"s3/19", "it draws")
        reader.stop()
        test(project, reader)
    finally:
        reader.close()
        project.close()


def a_terminal_that_does_not_read_is_left():
    def test(project, reader):
        os.kill(reader.pid, signal.SIGTERM)
        until(reader.has_left, "it leaves on SIGTERM")
        expect(reader.status == 0, f"status {reader.status}")
        reader.sees(b"\033[?1049l", "the terminal is given back")
    with_reader(test)


def a_crash_before_a_terminal_that_does_not_read_gives_it_back():
    def test(project, reader):
        os.kill(reader.pid, signal.SIGSEGV)
        until(reader.has_left, "it has crashed")
        reader.sees(b"\033[?1049l", "the terminal is given back")
    with_reader(test)


def a_terminal_that_reads_again_shows_what_is_now():
    def test(project, reader):
        project.run("run", "--name", "latecomer", "--", "sleep", "600", check=0)
        reader.data = b""
        reader.sees(b"latecomer", "it draws again")
        os.write(reader.fd, b"qd")
        until(lambda: reader.read() or reader.has_left(), "it obeys keys again")
        reader.sees(b"detached", "it says goodbye")
    with_reader(test)


def it_can_be_suspended():
    project = Project("dash", {"nap": {"command": "sleep 600"}})
    project.run("up", "-d", check=0)
    terminal = Terminal(project, "", before="exec bash --norc -i;")
    try:
        terminal.keys(f"{THRUM} attach", "Enter")
        terminal.sees("nap", "running")
        terminal.keys("C-z")
        terminal.sees("Stopped")
        expect("1 Info" not in terminal.screen(), "the shell has its screen back")
        terminal.keys("stty -a | grep -o -w -- '-*icanon'", "Enter")
        terminal.until(lambda text: "icanon" in text.split(), "the terminal is the shell's again")
        terminal.tmux("resize-window", "-t", "s", "-x", "100", "-y", "30")
        terminal.keys("fg", "Enter")
        terminal.sees("1 Info", "Command")  # of the wider key line
        terminal.keys("q", "d")
        terminal.sees("detached")
    finally:
        terminal.close()
        project.close()


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


ECHO = """import json, os, socket
s = socket.socket(fileno=int(os.environ["THRUM_CHANNEL_FD"]))
s.sendall(b'"ready"\\n')
for line in s.makefile():
    asked = json.loads(line)
    s.sendall(json.dumps({"pong": os.environ["THRUM_INSTANCE"], "requestId": asked["requestId"]}).encode() + b"\\n")
"""


def a_launch_is_previewed_and_remembered():
    def test(project, terminal):
        terminal.keys("a", "echo A | cat")
        terminal.sees("! only a shell understands that")
        terminal.keys("Enter")
        terminal.sees("`Shell` yes")
        terminal.keys("Tab", "Space")
        terminal.sees("run through /bin/sh -c")
        terminal.keys("Space", "BTab", "C-u", "./ti", "Tab")
        terminal.sees("./tick.sh_", "argv: [./tick.sh]")
        terminal.keys("C-u", "no-such-program 'a b'")
        terminal.sees("argv: [no-such-program] [a b]", "! no such program is found here")
        terminal.keys("C-u", "sleep 777", "Tab", "Tab", "nap-2", "Tab", "Tab", "Tab", "Tab", "A=1 B='x y'", "Tab", "Space")
        terminal.sees("(*) on_failure")
        terminal.keys("Enter")
        until(lambda: "nap-2/0" in project.rows(), "it is launched")
        variables = {v["name"]: v["value"] for v in project.json("env", "nap-2")["variables"]}
        expect(variables.get("A") == "1" and variables.get("B") == "x y", variables)
        terminal.sees("launched nap-2")
        terminal.keys("a", "C-p")
        terminal.sees("former launch 1 of 1", "sleep 777", "nap-2", "A=1 B='x y'")
        terminal.keys("Escape")
    with_dashboard(test, width=100, height=30)


def the_command_line_completes_and_acts():
    def test(project, terminal):
        terminal.keys(":", "sto", "Tab", "st", "Tab", "Enter")
        terminal.sees("stub/0 stopp")
        until(lambda: project.rows()["stub/0"]["state"] == "stopped", ":stop stub")
        terminal.keys(":", "kill -KILL nap", "Enter")
        until(lambda: project.rows()["nap/0"]["last_death"], "a signal was sent")
        terminal.keys(":", "filter ^tick", "Enter")
        terminal.until(lambda text: "nap" not in text.split("Info")[0], "only tick is seen")
        terminal.keys(":", "delay 1h", "Enter")
        terminal.sees("250ms to 10s")
        terminal.keys(":", "delay 250ms", "Enter")
        terminal.sees("delay 250ms; :w keeps it")
    with_dashboard(test, width=100, height=30)


def all_answers_to_a_message_are_shown():
    project = Project("ping", {"echo": {"command": ["python3", "echo.py"], "ipc": "json", "instances": 2, "ready": {"message": "ready"}}, "nap": {"command": "sleep 600"}})
    project.write("echo.py", ECHO)
    terminal = Terminal(project, width=100, height=30)
    try:
        terminal.sees("2/2 up")
        for i in range(2):  # the dashboard waits 2 s for answers
            comes_to(project, f"echo/{i}", "ready")
        terminal.keys(":", 'send echo {"cmd":"ping"}', "Enter")
        terminal.sees("Answers", "echo/0", '"pong": "0"', "echo/1", '"pong": "1"')
        terminal.keys("Escape")
    finally:
        terminal.close()
        project.close()


def samples_in_pieces_tell_what_has_changed():
    """As the dashboard asks for them: of a hundred that rest nothing is told again, and the rest is told whole."""
    spin = [sys.executable, "-c", "while True: pass"]
    project = Project("pieces", {"rest": {"command": "sleep 600", "instances": 100}, "spin": {"command": spin}})
    try:
        project.run("up", "-d", check=0)
        with control(project) as client:
            stream = client.makefile("rw")
            stream.write('{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"samples":true,"sample_ms":200,"pieces":true}}\n')
            stream.flush()
            messages = map(json.loads, stream)
            before = []
            for message in messages:
                if "id" in message:
                    break
                before.append(message)
            expect(message["result"]["instances"] == [] and message["result"]["notices"] == [], "the reply has no lists")
            rows = {(m["params"]["service"], m["params"]["instance"]) for m in before if m["method"] == "update"}
            expect(len(rows) == 101, f"{len(rows)} rows")
            seqs = [m["params"]["seq"] for m in before if m["method"] == "event"]
            expect(seqs == list(range(seqs[0], message["result"]["seq"] + 1)), f"{seqs}")

            def one_pass():
                told = []
                for message in messages:
                    if message["method"] != "sample":
                        continue
                    expect(len(message["params"]["instances"]) <= 64, "pieces are short")
                    told += [(i["service"], i["instance"]) for i in message["params"]["instances"]]
                    if "machine" in message["params"]:
                        return told
            first = one_pass()
            expect(len(first) == len(set(first)) and set(first) <= rows, f"{first}")
            until(lambda: one_pass() == [("spin", 0)], "only what changes is told of")
            stream.write('{"jsonrpc":"2.0","id":2,"method":"subscribe","params":{"samples":true,"sample_ms":200,"pieces":true}}\n')
            stream.flush()
            for message in messages:
                if message.get("id") == 2:
                    break
            expect(set(one_pass()) == rows, "who comes anew is told all")
    finally:
        project.close()


def who_asks_has_nothing_told_to_others():
    """What a list or an inspection measures is of a moment, and would be a frame of every dashboard."""
    project = Project("asked", {"nap": {"command": "sleep 600"}})
    try:
        project.run("up", "-d", check=0)
        with control(project, 20) as client:
            stream = client.makefile("rw")
            told = []

            def wait_for(test):
                for message in map(json.loads, stream):
                    told.append(message.get("method"))
                    if test(message):
                        return

            def ask(id, method, params):
                stream.write(json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}) + "\n")
                stream.flush()
                wait_for(lambda message: message.get("id") == id)
            ask(1, "subscribe", {"samples": True, "sample_ms": 3600000})
            if "sample" not in told:
                wait_for(lambda message: message.get("method") == "sample")
            told.clear()
            for id in range(2, 7):
                ask(id, "list", {})
                ask(id + 10, "inspect", {"service": "nap", "instance": 0})
            expect("sample" not in told, f"{told}")
    finally:
        project.close()


main(who_asks_has_nothing_told_to_others, samples_in_pieces_tell_what_has_changed, a_launch_is_previewed_and_remembered, the_command_line_completes_and_acts, all_answers_to_a_message_are_shown,
     keys_act_on_what_is_selected, it_survives_every_size_and_hostile_output, detaching_leaves_them_running,
     the_engine_may_die_under_it, the_history_shows_each_death, signals_leave_the_terminal_as_it_was, a_terminal_that_does_not_read_is_left,
     a_crash_before_a_terminal_that_does_not_read_gives_it_back,
     a_terminal_that_reads_again_shows_what_is_now, it_can_be_suspended, without_a_terminal_it_says_so)
