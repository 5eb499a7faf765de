#!/usr/bin/env python3
"""Services with a terminal of their own: typing into them, being attached to them, and the engine's death meanwhile."""
import fcntl, select, struct, termios
from lib_thrum import *

REPL = {"command": [sys.executable, "-q", "-i", "-c", "import os,sys"], "pty": True,
        "environment": {"PYTHON_BASIC_REPL": "1", "PYTHONDONTWRITEBYTECODE": "1", "HOME": "/nonexistent"}, "shutdown": {"signal": "KILL"}}
DETACH = b"\x1dd"


class Attached:
    """`thrum attach` on a real terminal, whose other end is ours."""

    def __init__(self, project, *args, size=(100, 30)):
        self.master, slave = os.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        self.seen = b""
        self.child = subprocess.Popen([THRUM, *args], cwd=project.dir, env=project.env, stdin=slave, stdout=slave, stderr=slave,
                                      start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.slave = slave

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self):
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 65536)
        return self.seen

    def type(self, data):
        while data:
            if select.select([self.master], [self.master], [], 0.1)[1]:
                data = data[os.write(self.master, data[:1024]):]
            self.read()

    def sees(self, what, seconds=60):
        try:
            until(lambda: what in self.read(), f"the terminal shows {what!r}", seconds)
        except Failure as why:
            raise Failure(f"{why}; it shows {self.seen[-600:]!r}")

    def forget(self):
        self.read()
        self.seen = b""

    def ends(self, status=0):
        until(lambda: self.read() is not None and self.child.poll() is not None, "attach ends")
        expect(self.child.returncode == status, f"attach: status {self.child.returncode}, not {status}: {self.read()[-600:]!r}")
        expect(termios.tcgetattr(self.slave) == self.before, "the terminal is as it was")

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self.master)
        os.close(self.slave)


def with_project(processes, test):
    project = Project("ttys", processes)
    terminals = []

    def attach(*args, **size):
        terminals.append(Attached(project, "attach", *args, **size))
        return terminals[-1]
    try:
        project.run("up", "-d", check=0)
        test(project, attach)
    finally:
        for terminal in terminals:
            terminal.close()
        project.close()


def shows(project, name, what):
    try:
        until(lambda: what in project.log(name), f"{name} prints {what!r}")
    except Failure as why:
        raise Failure(f"{why}; it printed {project.log(name)[-600:]!r}")


def pid_of(project, name):
    return until(lambda: project.rows().get(name, {}).get("pid"), f"{name} runs")


def asks_size(terminal, columns, lines):
    """Until the answer is right: the size comes to the process a moment after it came to the terminal."""
    want = b"columns=%d, lines=%d" % (columns, lines)
    until(lambda: seldom(lambda: terminal.type(b"os.get_terminal_size()\r")) and want in terminal.read(), f"the size is {want}")


def keys_are_sent_from_a_script():
    def test(project, attach):
        shows(project, "repl/0", b">>> ")
        project.run("send-keys", "repl", "1+1", "Enter", check=0)
        shows(project, "repl/0", b"\r\n2\r\n")
        project.run("send-keys", "repl/0", "-l", "print('Ent' + ", "'er')", check=0)
        project.run("send-keys", "repl/0", "Space", "BSpace", "Enter", check=0)
        shows(project, "repl/0", b"\r\nEnter\r\n")
        project.run("send-keys", "repl", "print([os.isatty(i) for i in range(3)], os.get_terminal_size(), os.environ['TERM'])", "Enter", check=0)
        shows(project, "repl/0", b"[True, True, True] os.terminal_size(columns=80, lines=24) xterm-256color\r\n")
        project.run("send-keys", "repl", "os.write(os.open('/dev/tty', os.O_RDWR), b'contro' + b'lling')", "Enter", check=0)
        shows(project, "repl/0", b"controlling")
        pid = pid_of(project, "repl/0")
        session, terminal, foreground = map(int, stat_of(pid)[3:6])
        expect(session == pid and terminal and foreground == pid, "it leads its session, in front")
        expect(sorted(os.listdir(f"/proc/{pid}/fd"))[:3] == ["0", "1", "2"] and len(os.listdir(f"/proc/{pid}/fd")) == 4, "nothing else was open")
        project.run("send-keys", "repl", "print('began'); sys.stdin.readline()", "Enter", check=0)
        shows(project, "repl/0", b"\r\nbegan\r\n")
        project.run("send-keys", "repl", "C-c", check=0)
        shows(project, "repl/0", b"KeyboardInterrupt")
        texts = [json.loads(line)["text"] for line in project.run("logs", "repl", "--json").stdout.splitlines()]
        expect("2" in texts and "Enter" in texts, f"lines end as lines do: {texts}")
    with_project({"repl": REPL}, test)


def attached_as_if_it_were_ours():
    def test(project, attach):
        shows(project, "repl/0", b">>> ")
        pid = pid_of(project, "repl/0")
        terminal = attach("repl")
        terminal.sees(b"C-] d detaches")
        terminal.sees(b">>> ")
        until(lambda: not termios.tcgetattr(terminal.slave)[3] & termios.ECHO, "raw")
        asks_size(terminal, 100, 30)
        terminal.resize(123, 45)
        asks_size(terminal, 123, 45)
        terminal.type(b"sys.stdin.readline()\r")
        terminal.sees(b"sys.stdin.readline()\r\n")  # what is typed before a ^C may go with it
        terminal.type(b"\x03")
        terminal.sees(b"KeyboardInterrupt")
        terminal.type(b"\x1d\x1d" + b"d")
        terminal.sees(b"[detached from repl/0]")
        terminal.ends()
        expect(pid_of(project, "repl/0") == pid, "it runs on")
        other = attach("--detach-keys", "ctrl-p,ctrl-q", "repl/0", size=(123, 45))
        other.sees(b"ctrl-p,ctrl-q detaches")
        other.sees(b"KeyboardInterrupt")  # the last lines
        other.type(b"x\r3*7\r")  # the line editor searches for what follows the ^] that was passed on
        other.sees(b"\r\n21\r\n")
        other.type(b"\x10\x11")
        other.ends()
        watcher = attach("--read-only", "repl", size=(60, 10))
        watcher.sees(b">>> ")
        until(lambda: not termios.tcgetattr(watcher.slave)[3] & termios.ECHO, "raw")
        watcher.type(b"print('never')\r")
        project.run("send-keys", "repl", "os.get_terminal_size()", "Enter", check=0)
        watcher.sees(b"columns=123, lines=45")
        watcher.type(DETACH)
        watcher.ends()
        expect(b"never" not in project.log("repl/0"), "who only watches types nothing")
        for number in (signal.SIGTERM, signal.SIGHUP):
            again = attach("repl")
            until(lambda: not termios.tcgetattr(again.slave)[3] & termios.ECHO, "raw")
            again.child.send_signal(number)
            again.ends()
        expect(pid_of(project, "repl/0") == pid, "it runs on")
    with_project({"repl": REPL}, test)


def the_engine_dies_meanwhile():
    def test(project, attach):
        shows(project, "repl/0", b">>> ")
        pid = pid_of(project, "repl/0")
        terminal = attach("repl")
        terminal.sees(b">>> ")
        terminal.type(b"kept = 'the same'; print('no' + 'ted')\r")
        terminal.sees(b"noted")
        for i in range(5):
            os.kill(until(project.engine, "an engine"), signal.SIGKILL)
            terminal.type(b"print(%d, kept)\r" % (1000 + i))
            until(project.engine, "another engine")
            until(lambda: seldom(lambda: terminal.type(b"print(%d, kept)\r" % (1000 + i))) and b"%d the same" % (1000 + i) in terminal.read(), "the answer")
        expect(pid_of(project, "repl/0") == pid, "the same process")
        terminal.type(DETACH)
        terminal.ends()
    with_project({"repl": REPL}, test)


def every_byte_once_whenever_the_engine_dies():
    lines = 4000

    def test(project, attach):
        terminal = attach("count")
        terminal.sees(b"go?")
        terminal.type(b"\r")
        terminal.sees(b"c:1 ")  # a key that is under way may be lost
        for _ in range(12):
            kill_engine(project)
        comes_to(project, "count/0", "completed")
        wrong = numbered(project.log("count/0").replace(b"\r\n", b"\n").replace(b"go? \n", b""), "c", lines)
        expect(not wrong, f"log: {wrong}")
        terminal.ends()
        seen = terminal.read()
        wrong = numbered(b"".join(line + b"\n" for line in seen.split(b"\r\n") if line.startswith(b"c:")), "c", lines)
        expect(not wrong and b"count/0: exit 0, completed" in seen, f"shown: {wrong}; {seen[-200:]!r}")
    with_project({"count": {"command": ["sh", "-c", f"printf 'go? '; read -r go; exec {WORKER}/counter started c {lines} 7 2000 0"], "pty": True,
                            "availability": {"restart": "no"}}}, test)


def a_full_screen_program_is_drawn_again():
    def test(project, attach):
        pid_of(project, "pager/0")
        shows(project, "pager/0", b"line 5")
        terminal = attach("pager", size=(60, 10))
        terminal.sees(b"\x1b[?1049h")
        terminal.sees(b"line 8")
        terminal.forget()
        terminal.type(b"G")
        terminal.sees(b"line 300")
        terminal.resize(60, 20)
        # it may forget what is typed while it draws
        until(lambda: seldom(lambda: terminal.type(b"g")) and b"line 19" in terminal.read(), "twenty lines are shown")
        terminal.type(DETACH)
        terminal.ends()
        expect(b"\x1b[?1049l" in terminal.read(), "the alternate screen is left")
        top = attach("top")
        top.sees(b"COMMAND")
        os.kill(until(project.engine, "an engine"), signal.SIGKILL)
        top.forget()
        top.sees(b"COMMAND")
        top.type(DETACH)
        top.ends()
    if not shutil.which("less") or not shutil.which("top"):
        return
    with_project({"pager": {"command": ["sh", "-c", "seq -f 'line %g' 300 > text; exec less text"], "pty": True,
                            "environment": {"LESS": "", "LESSHISTFILE": "-"}},
                  "top": {"command": "top -d 0.3", "pty": True}}, test)


def it_stays_over_a_restart_and_ends_with_the_service():
    def test(project, attach):
        shows(project, "repl/0", b">>> ")
        terminal = attach("repl", size=(90, 25))
        terminal.sees(b">>> ")
        project.run("restart", "repl", check=0)
        terminal.sees(b"started again, pid")
        asks_size(terminal, 90, 25)
        terminal.forget()
        terminal.type(b"print('\\x1b[?1049h'); os._exit(3)\r")
        terminal.sees(b"exit 3")
        terminal.sees(b"\x1b[?1049l")
        terminal.sees(b"started again")
        project.run("stop", "repl", check=0)
        terminal.sees(b"stopped]")
        terminal.ends()
        done = project.run("send-keys", "repl", "x")
        expect(done.returncode == 1 and "repl/0 is stopped" in done.stderr and "thrum start" in done.stderr, f"{done}")
    with_project({"repl": dict(REPL, availability={"restart": "always", "min_uptime": "1ms"})}, test)


def what_cannot_be_attached_says_why():
    def test(project, attach):
        pid_of(project, "plain/0")
        for args, status, words in (
                (("plain",), 1, b"plain/0 has no terminal; `pty: true`"), (("nobody",), 4, b"no service matches 'nobody'"),
                (("two",), 2, b"two has 2 instances: name one, such as two/0"), (("tw*",), 2, b"may be several"),
                (("--detach-keys", "nokey", "two/0"), 2, b"--detach-keys takes keys such as")):
            terminal = attach(*args)
            terminal.sees(words)
            terminal.ends(status)
        for args, status, words in (
                (("attach", "two/0"), 2, "attach needs a terminal"), (("send-keys", "plain", "x"), 1, "`pty: true`"),
                (("send-keys", "two", "x"), 2, "name one"), (("send-keys", "two/5", "x"), 4, "two/5"), (("send-keys", "two/0"), 2, "usage")):
            done = project.run(*args)
            expect(done.returncode == status and words in done.stderr, f"{args}: {done}")
    with_project({"plain": {"command": "sleep 600"}, "two": {"command": "sleep 600", "pty": True, "instances": 2}}, test)


READER = """
import os, sys, time, tty, hashlib
tty.setraw(0)
os.write(1, b'READY')
if sys.argv[1] == 'deaf': time.sleep(600)
data = b''
while len(data) < int(sys.argv[1]): data += os.read(0, 65536)
os.write(1, b'GOT ' + hashlib.sha256(data).hexdigest().encode())
time.sleep(600)
"""


def pastes_are_bounded_and_whole():
    import hashlib
    paste = b"".join(b"%07d " % i for i in range(60000))

    def test(project, attach):
        shows(project, "eager/0", b"READY")
        shows(project, "deaf/0", b"READY")
        terminal = attach("eager")
        terminal.sees(b"READY")
        until(lambda: not termios.tcgetattr(terminal.slave)[3] & termios.ECHO, "raw")
        terminal.type(paste)
        terminal.sees(b"GOT " + hashlib.sha256(paste).hexdigest().encode())
        terminal.type(DETACH)
        terminal.ends()
        done = project.run("send-keys", "deaf", "-l", "x" * 65537)
        expect(done.returncode == 2 and "at most 65536 bytes" in done.stderr, f"{done}")
        refused = None
        for _ in range(8):
            done = project.run("send-keys", "deaf", "-l", "x" * 60000)
            if done.returncode:
                refused = done
        expect(refused and refused.returncode == 1 and "does not read what is typed" in refused.stderr, f"{refused}")
        stuck = attach("deaf")
        until(lambda: not termios.tcgetattr(stuck.slave)[3] & termios.ECHO, "raw")
        stuck.type(paste[:200000])
        stuck.type(DETACH)
        stuck.ends()
    command = [sys.executable, "-c", READER]
    with_project({"eager": {"command": command + [str(len(paste))], "pty": True}, "deaf": {"command": command + ["deaf"], "pty": True}}, test)


def stopping_is_as_without_a_terminal():
    def test(project, attach):
        shows(project, "stub/0", b"READY")
        pid = pid_of(project, "stub/0")
        project.run("stop", "stub", check=0)
        until(lambda: project.rows()["stub/0"]["state"] == "stopped", "it is stopped")
        death = project.json("history", "stub")[-1]
        expect(death["signal"] == "KILL" and not is_alive(pid), f"{death}")
        expect(project.log("stub/0") == b"READY\r\nTERM\r\n", f"TERM, and no HUP before its end: {project.log('stub/0')}")
        name = project.run("run", "--pty", "--name", "shell", "--", "sh", "-c", "tty; stty size", check=0).stdout.strip()
        shows(project, name + "/0", b"/dev/pts/")
        shows(project, name + "/0", b"24 80\r\n")
    # it waits without a child, of whose end by the same KILL it could still tell
    stub = "trap 'echo TERM' TERM; trap 'echo HUP' HUP; echo READY; while :; do read -t 0.05; done"
    with_project({"stub": {"command": ["bash", "-c", stub], "pty": True, "shutdown": {"timeout": "3s", "parent_only": True}}}, test)


main(keys_are_sent_from_a_script, attached_as_if_it_were_ours, the_engine_dies_meanwhile, every_byte_once_whenever_the_engine_dies,
     a_full_screen_program_is_drawn_again, it_stays_over_a_restart_and_ends_with_the_service, what_cannot_be_attached_says_why,
     pastes_are_bounded_and_whole, stopping_is_as_without_a_terminal)
