#!/usr/bin/env python3
"""`thrum replay`: the dashboard on a file of headless output, in a real terminal (tmux)."""
import calendar

from lib_thrum import *
from lib_terminal import Terminal

if not shutil.which("tmux"):
    sys.exit(77)

ECHO = """import json, os, socket
s = socket.socket(fileno=int(os.environ["THRUM_CHANNEL_FD"]))
for line in s.makefile():
    asked = json.loads(line)
    s.sendall(json.dumps({"answer": asked["word"], "requestId": asked["requestId"]}).encode() + b"\\n")
"""


def record(project):
    """A run in which something crashed, something was said and something was scaled."""
    project.write("echo.py", ECHO)
    project.headless("--samples", "200ms", "--ipc", "--exit-when", "never")
    until(lambda: len(project.rows()) == 4, "all are there")
    until(lambda: any(r["kind"] == "event" and r["event"] == "fatal" for r in project.records()), "it crashed twice")
    project.run("send", "--wait", "echo", '{"word":"xyzzy"}', check=0)
    project.run("scale", "tick", "1", check=0)
    until(lambda: any(r["kind"] == "event" and r["event"] == "stopped" for r in project.records()), "tick/1 is gone")
    project.run("down", check=0)
    project.front.wait(60)
    return project.records()


def with_recording(test, change=None):
    project = Project("rec", {
        "tick": {"command": ["sh", "-c", "n=0; while :; do n=$((n+1)); echo tick $n; sleep 0.1; done"], "instances": 2},
        "crash": {"command": ["sh", "-c", "echo last words; sleep 0.3; exit 3"],
                  "availability": {"restart": "always", "max_restarts": 1, "min_uptime": "0s"}},
        "echo": {"command": ["python3", "echo.py"], "ipc": "json"}})
    terminal = None
    try:
        records = record(project)
        if change:
            change(project)
        terminal = Terminal(project, "replay out", 110, 30)
        test(project, terminal, records)
    finally:
        if terminal:
            terminal.close()
        project.close()


def local(record):
    """The second of a record, as the screen has it."""
    stamp = calendar.timegm(time.strptime(record["ts"][:19], "%Y-%m-%dT%H:%M:%S"))
    return time.strftime("%H:%M:%S", time.localtime(stamp))


def exactly(record):
    return local(record) + record["ts"][19:].rstrip("Z")


def event(records, name, service):
    return next(r for r in records if r["kind"] == "event" and r["event"] == name and r["service"] == service)


def the_whole_screen_is_as_it_was():
    def test(project, terminal, records):
        terminal.sees("thrum out", "RECORDING at", "stopped", "fatal")
        exited = event(records, "exited", "crash")
        terminal.keys(":", "past " + local(exited), "Enter")
        terminal.sees("RECORDING at " + local(exited))
        terminal.keys("Z")
        both = max((r for r in records if r["kind"] == "event" and r["event"] == "started" and r["service"] == "tick"), key=lambda r: r["ts"])
        terminal.keys(":", "past " + exactly(both), "Enter")
        terminal.sees("RECORDING at " + local(both), "2/2 up", "tick/1")
        terminal.keys("{")
        terminal.lacks("2/2 up")  # one of them was not there yet
        terminal.keys("}")
        terminal.sees("2/2 up", "tick/1")
        terminal.keys("Z")
        terminal.sees("stopped", "tick")
        terminal.lacks("2/2", "tick/1")  # which was scaled away
        terminal.keys("}")
        terminal.sees("no other event is known")
        first = "RECORDING at " + local(next(r for r in records if r["kind"] == "event"))
        # one that is pressed before the last one is answered begins where that did
        until(lambda: seldom(lambda: terminal.keys("{")) and "no other event is known" in terminal.screen() and first in terminal.screen(), first)
        terminal.keys("t")
        terminal.sees("RECORDING at " + local(records[0]))
    with_recording(test)


def logs_history_and_messages_are_of_then():
    def test(project, terminal, records):
        terminal.sees("RECORDING at")
        terminal.keys("/", "crash", "Enter", "5", "z")
        terminal.until(lambda text: "PEAK" in text and text.count("exit 3") >= 2, "both its ends")
        terminal.keys("Enter")
        terminal.sees("last words", "rss")
        terminal.keys("Escape", "Escape", "6")
        terminal.sees("last words")
        terminal.keys("/", "echo", "Enter", "4")
        terminal.sees("xyzzy", "answer")
        terminal.keys("2")
        terminal.sees("not in a recording")
        terminal.keys("4", ":", "past " + local(records[0]), "Enter")
        terminal.sees("none was heard until then") if local(records[0]) != local(event(records, "fatal", "crash")) else None
    with_recording(test)


def nothing_can_be_done_to_it():
    def test(project, terminal, records):
        terminal.sees("RECORDING at")
        for key in ("r", "x", "+", "a", "m"):
            terminal.keys(key)
            terminal.sees("a recording cannot be changed")
            terminal.keys("Escape")
        reader, = children_of(terminal.pid())
        terminal.keys("q")
        terminal.sees("LEFT 0")
        until(lambda: not is_alive(reader), "its reader is gone")
    with_recording(test)


def a_file_may_be_cut_and_garbled():
    def spoil(project):
        with open(project.dir + "/out", "rb") as f:
            data = f.read()
        with open(project.dir + "/out", "wb") as f:
            f.write(b"\x00\xff no record\n" + data[:len(data) // 2].rsplit(b"\n", 1)[0] + b"\n{]\n" + data[len(data) // 2:-20])

    def test(project, terminal, records):
        terminal.sees("RECORDING at", "are no records and left out, the first is line 1", "the last line is cut")
        terminal.keys("6")
        terminal.sees("tick 1")
    with_recording(test, spoil)


def what_is_no_recording_is_refused():
    project = Project("norec", {})
    try:
        project.write("text", "hello\n")
        terminal = Terminal(project, f"replay text; {THRUM} replay none; {THRUM} replay /dev/null", 110, 30)
        try:
            terminal.sees("no record of headless output", "No such file", "no regular file", "LEFT 2")
        finally:
            terminal.close()
        done = project.run("replay", "text")
        expect(done.returncode == 2 and "needs a terminal" in done.stderr, done.stderr)
    finally:
        project.close()


main(the_whole_screen_is_as_it_was, logs_history_and_messages_are_of_then, nothing_can_be_done_to_it, a_file_may_be_cut_and_garbled,
     what_is_no_recording_is_refused)
