#!/usr/bin/env python3
"""Output for systemd's journal: its protocol, on a socket of its kind."""
import json, os, shutil, socket, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Project, expect, kill_engine, main, until


class Journal:
    """What journald is to those who write: a datagram socket, which may be slow, or not there."""

    def __init__(self, path):
        self.path, self.entries = path, []
        self.open()

    def open(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.bind(self.path)

    def close(self):
        self.socket.close()
        os.unlink(self.path)

    def read(self):
        while True:
            try:
                datagram = self.socket.recv(1 << 20)
            except BlockingIOError:
                return self.entries
            expect(datagram.endswith(b"\n"), "each field is a line")
            self.entries.append(dict(field.split("=", 1) for field in datagram.decode()[:-1].split("\n")))

    def of(self, service):
        return [e["MESSAGE"] for e in self.read() if e["THRUM_SERVICE"] == service]


def journaled(processes, **log):
    project = Project("jot", processes, log=dict({"journald": True}, **log))
    project.env.update(THRUM_JOURNAL_SOCKET=project.dir + "/journal")
    project.journal = Journal(project.dir + "/journal")
    return project


def lines_have_their_fields():
    quiet = {"command": "sh -c 'echo no; exec sleep 1000'", "log": {"journald": False}}
    project = journaled({"a": {"command": ["sh", "-c", "echo plain; echo '<4>careful'; echo 'a = b' >&2; printf rest"], "availability": {"restart": "no"}},
                         "quiet": quiet, "term": {"command": ["sh", "-c", "echo typed"], "pty": True, "availability": {"restart": "no"}}})
    try:
        project.run("up", "-d", check=0)
        until(lambda: len(project.journal.of("a")) == 4, "four lines")
        until(lambda: project.journal.of("term") == ["typed"], "what a terminal shows, without how its lines end")
        until(lambda: project.log("quiet/0") == b"no\n", "the other one has written, too")
        pid = until(lambda: [d["pid"] for d in project.json("history") if d["service"] == "a"], "its end")[0]
        common = {"SYSLOG_IDENTIFIER": "a", "THRUM_PROJECT": "jot", "THRUM_SERVICE": "a", "THRUM_INSTANCE": "0", "THRUM_PID": str(pid)}
        for text, priority, stream in (("plain", "6", "stdout"), ("careful", "4", "stdout"), ("a = b", "3", "stderr"), ("rest", "6", "stdout")):
            want = dict(common, MESSAGE=text, PRIORITY=priority, THRUM_STREAM=stream)
            expect(want in project.journal.read(), f"{want} in {project.journal.entries}")
        expect(not project.journal.of("quiet"), "which is not for the journal")
        project.write("thrum.yaml", json.dumps({"name": "jot", "log": {"journald": True}, "processes": {"quiet": dict(quiet, log={})}}))
        plan = project.json("plan")["services"]
        expect([(s["service"], s["restarts"]) for s in plan if s["action"] == "change"] == [("quiet", 0)], f"it is changed while it runs: {plan}")
    finally:
        project.close()


def it_may_be_slow_and_go_away():
    count = 3000
    project = journaled({"a": {"command": f"sh -c 'seq {count}; exec sleep 1000'"}})
    try:
        project.journal.close()
        project.run("up", "-d", check=0)
        until(lambda: project.log("a/0").endswith(b"\n%d\n" % count), "all is written")
        until(lambda: b"its lines wait in its log" in project.log_at("state/jot/engine.log"), "the operator is told what it means")
        project.journal.open()
        until(lambda: len(project.journal.of("a")) == count, "it gets all, a few at a time")
        expect(project.journal.of("a") == [str(i + 1) for i in range(count)], "once and in order")
    finally:
        project.close()


def the_engine_is_killed():
    count = 20000
    project = journaled({"a": {"command": f"sh -c 'for i in $(seq {count}); do echo $i; done; exec sleep 1000'"}})
    try:
        project.run("up", "-d", check=0)
        for goal in (2000, 8000):
            until(lambda: len(set(project.journal.of("a"))) >= goal, f"{goal} lines")
            kill_engine(project)
        until(lambda: len(set(project.journal.of("a"))) == count, "all lines have come")
        got = [int(text) for text in project.journal.of("a")]
        first = list(dict.fromkeys(got))
        expect(first == list(range(1, count + 1)), "in order, though some of them twice")
    finally:
        project.close()


def a_long_line_comes_in_pieces():
    project = journaled({"a": {"command": ["python3", "-uc", "print('x' * 200000); print('after')"], "availability": {"restart": "no"}, "log": {"file": "a.log"}}})
    try:
        project.run("up", "-d", check=0)
        until(lambda: project.journal.of("a")[-1:] == ["after"], "the line behind it")
        expect("".join(project.journal.of("a")[:-1]) == "x" * 200000, "all of it")
        until(lambda: project.log_at("a.log").endswith(b"\nafter\n"), "in the formatted file, too")
    finally:
        project.close()


# A machine's own journal is not touched: in a mount namespace /run is another one, and systemd-journald is started in it by hand.
REAL = """
set -eu
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
begin() {
	/lib/systemd/systemd-journald 2>>/run/complaints & journald=$!
	for i in $(seq 1200); do [ -S /run/systemd/journal/socket ] && return; sleep 0.05; done
	cat /run/complaints >&2; exit 1
}
read_all() { journalctl -D /run/log/journal -o json --no-pager --output-fields=MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,THRUM_STREAM THRUM_SERVICE=$1; }
[ -s /etc/machine-id ] || { echo 0123456789abcdef0123456789abcdef >/run/id; mount --bind /run/id /etc/machine-id; }
begin
"$THRUM" up -d >&2
for i in $(seq 1200); do read_all a | grep careful >/dev/null && read_all many | grep '"500"' >/dev/null && break; sleep 0.05; done
kill -9 $journald; wait $journald || :
rm -f /run/systemd/journal/socket
touch go
for i in $(seq 1200); do "$THRUM" logs -n 1 many | grep '| 1000' >/dev/null && break; sleep 0.05; done
begin
for i in $(seq 1200); do read_all many | grep '"1000"' >/dev/null && break; sleep 0.05; done
read_all a; read_all many
"$THRUM" down >&2
kill $journald
"""


def the_real_one_has_them():
    """systemd-journald itself; it is killed in the middle, and gets the rest from its next start on."""
    if os.geteuid() != 0 or not os.path.exists("/lib/systemd/systemd-journald") or not shutil.which("unshare"):
        print("no journald, or no right to start one")
        return
    many = "i=0; while [ $i -lt 500 ]; do i=$((i+1)); echo $i; done; while [ ! -e go ]; do sleep 0.05; done; while [ $i -lt 1000 ]; do i=$((i+1)); echo $i; done; exec sleep 1000"
    project = Project("jot", {"a": {"command": ["sh", "-c", "echo plain; echo '<4>careful' >&2; exec sleep 1000"]}, "many": {"command": ["sh", "-c", many]}},
                      log={"journald": True})
    try:
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", REAL], cwd=project.dir, env=project.env,
                              capture_output=True, text=True, timeout=200, stdin=subprocess.DEVNULL)
        if "unshare:" in done.stderr:
            print(f"no namespaces here: {done.stderr}")
            return
        expect(done.returncode == 0, f"{done.returncode}: {done.stderr}")
        entries = [json.loads(line) for line in done.stdout.splitlines()]
        for text, priority, stream in (("plain", "6", "stdout"), ("careful", "4", "stderr")):
            expect(any((e["MESSAGE"], e["PRIORITY"], e["SYSLOG_IDENTIFIER"], e["THRUM_STREAM"]) == (text, priority, "a", stream) for e in entries), f"{text}: {entries[:3]}")
        got = [int(e["MESSAGE"]) for e in entries if e["SYSLOG_IDENTIFIER"] == "many" and e["MESSAGE"].strip().isdigit()]
        expect(list(dict.fromkeys(got)) == list(range(1, 1001)), f"each at least once, and in order: {got[:5]}…{got[-5:]}, {len(got)}")
    finally:
        project.close()


main(the_real_one_has_them, lines_have_their_fields, it_may_be_slow_and_go_away, the_engine_is_killed, a_long_line_comes_in_pieces)
