#!/usr/bin/env python3
"""The dashboard without a screen: lines, and questions with numbered answers, for who has it read out."""
import select
from lib_thrum import *


class Plain:
    """`thrum attach --plain` with pipes, whose lines are kept as they come."""

    def __init__(self, project, *args, env={}):
        self.child = subprocess.Popen([THRUM, "attach", *args], cwd=project.dir, env=dict(project.env, **env), stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.seen = self.whole = b""  # since something was typed, and from the beginning

    def read(self):
        while select.select([self.child.stdout], [], [], 0)[0]:
            got = os.read(self.child.stdout.fileno(), 65536)
            if not got:
                break
            self.seen += got
            self.whole += got
        return self.seen

    def sees(self, what):
        try:
            until(lambda: what.encode() in self.read(), f"it tells {what!r}")
        except Failure as why:
            raise Failure(f"{why}; it told:\n{self.seen.decode(errors='replace')}")

    def type(self, line):
        self.read()
        self.seen = b""
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def ends(self, status=0):
        until(lambda: self.read() is not None and self.child.poll() is not None, "it ends")
        self.read()
        expect(self.child.returncode == status, f"status {self.child.returncode}: {self.seen}")

    def close(self):
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()


def with_plain(processes, test, *args, env={}):
    project = Project("plain", processes)
    plain = None
    try:
        project.run("up", "-d", check=0)
        plain = Plain(project, *args, env=env)
        test(project, plain)
    finally:
        if plain:
            plain.close()
        project.close()


NAP = {"nap": {"command": "sleep 600", "instances": 2}}


def questions_have_numbered_answers():
    def test(project, plain):
        plain.sees("thrum plain")
        plain.sees("2 nap/1: ")
        plain.sees("8 stop all, and leave")
        pid = project.rows()["nap/1"]["pid"]
        plain.type("2")
        plain.sees("restart: the number of one")
        plain.type("2")
        until(lambda: project.rows()["nap/1"]["pid"] not in (None, pid), "it is restarted")
        plain.sees("nap/1 started")
        plain.type("6")
        plain.sees("launch: the command")
        plain.type("sleep 601")
        until(lambda: "sleep/0" in project.rows(), "it is launched")
        plain.type("scale nap 3")
        until(lambda: "nap/2" in project.rows(), "a command")
        plain.type("nonsense")
        plain.sees("! no such command: 'nonsense'")
        plain.type("3")
        plain.sees("stop: the number of one")
        plain.type("")
        plain.sees("nothing was done")
        expect(all(row["pid"] for row in project.rows().values()), "nobody was stopped")
        plain.type("7")
        plain.ends()
        expect(b"they run on" in plain.seen, f"{plain.seen}")
        expect(project.rows()["nap/0"]["state"] == "running", "they do")
    with_plain(NAP, test, "--plain")


def who_has_been_replaced_meanwhile_is_not_meant():
    def test(project, plain):
        plain.sees("8 stop all")
        plain.type("3")
        plain.sees("stop: the number of one")
        pid = project.rows()["nap/0"]["pid"]
        project.run("restart", "nap/0", check=0)
        until(lambda: project.rows()["nap/0"]["pid"] not in (None, pid), "restarted by another")
        plain.sees("nap/0 started")
        plain.type("1")
        plain.sees("nap/0 is another process by now; nothing was done")
        expect(project.rows()["nap/0"]["state"] == "running", "it runs")
    with_plain(NAP, test, "--plain")


def nothing_is_drawn_and_nothing_is_obeyed():
    def test(project, plain):
        plain.sees("8 stop all")
        plain.type("5")
        plain.sees("tell what is written by")
        plain.type("1")
        plain.sees("evil/0: tick")
        plain.type("8")
        plain.sees("yes does it")
        plain.type("no")
        plain.sees("nothing was done")
        plain.type("8")
        plain.type("yes")
        plain.ends()
        expect(not [bad for bad in (b"\033", b"\007", b"EVIL") if bad in plain.whole], f"{plain.whole}")
    with_plain({"evil": {"command": ["sh", "-c", "while :; do printf 'tick\\033]0;EVIL\\007\\033[2J\\n'; sleep 0.1; done"]}}, test,
               env={"ACCESSIBLE": "1"})


def the_engine_may_die_meanwhile():
    def test(project, plain):
        plain.sees("8 stop all")
        os.kill(project.engine(), signal.SIGKILL)
        plain.sees("lost the engine")
        plain.sees("the engine is there again")
        plain.type("1")
        plain.sees("2 nap/1: running")
        plain.child.stdin.close()
        plain.ends()
        expect(project.rows()["nap/0"]["state"] == "running", "they run on when nobody types any more")
    with_plain(NAP, test, "--plain")


def what_is_written_is_told_from_the_first_line_on():
    def test(project, plain):
        until(lambda: b"before" in project.log("reads/0"), "it waits for lines")
        plain.sees("8 stop all")
        plain.type("5")
        plain.sees("1 reads/0: running")
        plain.type("1")
        plain.sees("what reads/0 writes is told from now on")
        with open(project.dir + "/pipe", "w") as pipe:
            pipe.write("one\ntwo\n")
        plain.sees("reads/0: one")
        plain.sees("reads/0: two")
        expect(b"before" not in plain.seen and b"talks/0: " not in plain.seen, f"and nothing else: {plain.seen}")
    with_plain({"reads": {"command": ["sh", "-c", "mkfifo pipe; echo before; cat < pipe; exec sleep 600"]},
                "talks": {"command": ["sh", "-c", "while :; do echo tick; sleep 0.05; done"]}}, test, "--plain")


ECHO = "import os\nf = os.fdopen(int(os.environ['THRUM_CHANNEL_FD']), 'r+b', buffering=0)\nfor l in f: f.write(l)"


def what_a_dialog_would_show_is_told():
    def test(project, plain):
        plain.sees("8 stop all")
        plain.type("launch echo a | cat")
        plain.sees("! a shell is needed for that")
        plain.type("launch no-such-program-here --x")
        plain.sees("no-such-program-here")
        plain.type('send echo {"x": 5}')
        plain.sees('echo/0 answered {"x":5')
        plain.sees('echo/1 answered {"x":5')
        plain.type("launch")
        plain.sees("launch: the command; Enter for none")
        plain.type("")
        plain.sees("nothing was done")
        plain.type("help")
        plain.sees("8 stop all")
        plain.type("q")
        plain.ends()
    with_plain({"echo": {"command": ["python3", "-u", "-c", ECHO], "ipc": "json", "instances": 2}}, test, "--plain")


def a_hangup_stops_all_if_that_is_wanted():
    def test(project, plain):
        plain.sees("8 stop all")
        pid = project.rows()["nap/0"]["pid"]
        plain.child.stdin.close()
        plain.ends()
        expect(b"all is being stopped" in plain.seen, f"it is told: {plain.seen}")
        until(lambda: not is_alive(pid) and not project.engine(), "all is stopped")
    with_plain(NAP, test, "--plain", "--stop-on-hangup")


main(what_is_written_is_told_from_the_first_line_on, what_a_dialog_would_show_is_told, a_hangup_stops_all_if_that_is_wanted,
     questions_have_numbered_answers, who_has_been_replaced_meanwhile_is_not_meant, nothing_is_drawn_and_nothing_is_obeyed,
     the_engine_may_die_meanwhile)
