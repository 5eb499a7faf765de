#!/usr/bin/env python3
"""Who may connect, what a process inherits, what a log folder or a configuration may be, what reaches a terminal, and a container's first process."""
import json, os, shutil, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, Project, comes_to, expect, kill_engine, main, until

NOBODY = 65534


def as_nobody(code, *args):
    """Run Python as another user; its exit status, or None when we may not."""
    if os.geteuid() != 0:
        return None
    return subprocess.run(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "python3", "-c", code, *args], timeout=60).returncode


def another_user_is_not_let_in():
    p = Project("door", {"a": {"command": "sleep 1000"}})
    connect = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
try: s.connect(sys.argv[1])
except OSError: sys.exit(3)
s.settimeout(60)
try:
    s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"hello"}\\n')
    sys.exit(5 if s.recv(100) else 4)
except OSError: sys.exit(4)
"""
    try:
        p.run("up", "-d", check=0)
        path = f"{p.dir}/run/door/control"
        expect(os.stat(path).st_mode & 0o777 == 0o600, "the socket is ours alone")
        expect(os.stat(p.dir + "/run/door").st_mode & 0o777 == 0o700, "so is its folder")
        status = as_nobody(connect, path)
        if status is None:
            return
        expect(status == 3, f"the folder keeps others out: {status}")
        for open_up, mode in ((p.dir, 0o755), (p.dir + "/run", 0o755), (p.dir + "/run/door", 0o755), (path, 0o666)):
            os.chmod(open_up, mode)
        expect(as_nobody(connect, path) == 4, "and if it did not, who connects is looked at")
        for closed in ("/run", "/run/door"):
            os.chmod(p.dir + closed, 0o700)
        comes_to(p, "a/0", "running")  # nothing else is affected
    finally:
        p.close()


def a_runtime_folder_that_others_may_write_is_refused():
    p = Project("folder", {"a": {"command": "sleep 1000"}})
    try:
        os.chmod(p.dir + "/run", 0o777)
        done = p.run("up", "-d")
        expect(done.returncode != 0 and "run" in done.stderr, f"{done.returncode} {done.stderr}")
        os.chmod(p.dir + "/run", 0o700)
        p.run("up", "-d", check=0)
    finally:
        p.close()


def logs_are_only_written_where_nobody_else_may_put_links():
    p = Project("links", {"open": {"command": "echo x", "log": {"dir": "open"}}, "link": {"command": "echo x", "log": {"dir": "mine"}},
                          "fifo": {"command": "echo x", "log": {"dir": "fifos"}}, "fine": {"command": "sleep 1000"}})
    try:
        os.mkdir(p.dir + "/open")
        os.chmod(p.dir + "/open", 0o777)
        os.mkdir(p.dir + "/mine")
        p.write("victim", "untouched")
        os.symlink(p.dir + "/victim", p.dir + "/mine/link-0.out.log")
        os.mkdir(p.dir + "/fifos")
        os.mkfifo(p.dir + "/fifos/fifo-0.out.log")
        p.run("up", "-d", check=0)
        until(lambda: "everybody may write in log folder" in p.run("events").stdout, "it says so")
        expect(os.listdir(p.dir + "/open") == [], "nothing is written there")
        expect(open(p.dir + "/victim").read() == "untouched", "a link is not followed")
        comes_to(p, "fine/0", "running")  # nothing else is affected
        os.chmod(p.dir + "/open", 0o755)
        until(lambda: p.log_at("open/open-0.out.log") == b"x\n", "when it is mended the line is there")
    finally:
        p.close()


def a_log_that_is_not_written_any_more_is_closed():
    """Its folder has become anybody's, and the engine that had it open is gone: the next one does not keep it open."""
    p = Project("given", {"a": {"command": "echo x; exec sleep 1000", "log": {"dir": "logs"}}})
    def holders():
        return [fd for fd in os.listdir(f"/proc/{p.engine()}/fd") if os.readlink(f"/proc/{p.engine()}/fd/{fd}").endswith("a-0.out.log")]
    try:
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "running")
        until(holders, "the log is open")
        os.chmod(p.dir + "/logs", 0o777)
        kill_engine(p)
        until(lambda: "everybody may write in log folder" in p.run("events").stdout, "the next engine says so")
        expect(not holders(), "and leaves the file alone")
    finally:
        p.close()


INHERITED = """
import json, os
status = dict(line.rstrip().split(":", 1) for line in open("/proc/self/status"))
fds = {}
for n in os.listdir("/proc/self/fd"):
    try: fds[n] = os.readlink("/proc/self/fd/" + n)
    except OSError: pass
print(json.dumps({"fds": fds, "umask": status["Umask"].strip(), "leader": os.getsid(0) == os.getpid()}))
"""


def what_a_process_inherits(p, name):
    p.run("wait", name, "--for", "completed", "--timeout", "60s", check=0)
    return json.loads(p.log(f"{name}/0").splitlines()[0])


def a_process_has_what_is_meant_for_it_and_nothing_else():
    """Python ignores SIGPIPE and SIGXFSZ itself: a shell looks at the signals."""
    once = {"restart": "no"}
    show = {"command": ["python3", "-I", "-S", "-c", INHERITED], "availability": once}
    others = {"other": {"command": ["grep", "-E", "^(Uid|Gid|Groups|NoNewPrivs)", "/proc/self/status"], "working_dir": "/", "user": "nobody", "availability": once}} if os.geteuid() == 0 else {}
    p = Project("inherit", {"plain": show, "channel": dict(show, ipc="json"), "strict": dict(show, umask="077"),
                            "signals": {"command": ["grep", "-E", "Sig(Ign|Blk)|ShdPnd", "/proc/self/status"], "availability": once}, **others})
    try:
        # what whoever starts thrum has done to itself is none of theirs
        start = f"trap '' TERM HUP USR1 PIPE; umask 000; exec 7</dev/zero 8</dev/zero; exec {THRUM} up -d"
        expect(subprocess.run(["sh", "-c", start], cwd=p.dir, env=p.env, capture_output=True).returncode == 0, "it starts")
        plain, channel, strict = (what_a_process_inherits(p, n) for n in ("plain", "channel", "strict"))
        expect(set(plain["fds"]) == {"0", "1", "2"} and plain["fds"]["0"] == "/dev/null", f"{plain}")
        expect(set(channel["fds"]) == {"0", "1", "2", "3"} and channel["fds"]["3"].startswith("socket:"), f"{channel}")
        expect(strict["umask"] == "0077" and plain["leader"], f"{strict} {plain}")
        p.run("wait", "signals", "--for", "completed", "--timeout", "60s", check=0)
        lines = p.log("signals/0").decode().split("\n")
        expect(len(lines) >= 3 and not any(int(line.split()[1], 16) for line in lines if line), f"{lines}")
        if others:
            p.run("wait", "other", "--for", "completed", "--timeout", "60s", check=0)
            other = dict(line.split(":", 1) for line in p.log("other/0").decode().splitlines())
            expect(set(other["Uid"].split() + other["Gid"].split()) == {str(NOBODY)} and other["NoNewPrivs"].strip() == "1", f"{other}")
            expect(other["Groups"].strip() in ("", str(NOBODY)), f"{other}")
    finally:
        p.close()


def nobody_is_started_as_somebody_else():
    """A user that is not there, or is none by name, is an error: never root instead."""
    for user in "nobody-of-that-name", "0x0", "0day", "":
        p = Project("user", {"a": {"command": "id", "user": user}})
        try:
            done = p.run("up", "-d")
            expect(done.returncode == 2 and "user" in done.stderr and "thrum.yaml:1:" in done.stderr, f"{user!r}: {done}")
            expect(not p.log("a/0"), "it did not run")
        finally:
            p.close()


def root_reads_no_configuration_that_others_may_write():
    if os.geteuid() != 0:
        return
    p = Project("writable", {"a": {"command": "sleep 1000"}})
    try:
        path = p.dir + "/thrum.yaml"
        for mode, gid, word in ((0o666, 0, "chmod o-w"), (0o664, NOBODY, "chmod g-w")):
            os.chmod(path, mode)
            os.chown(path, 0, gid)
            done = p.run("up", "-d")
            expect(done.returncode == 2 and word in done.stderr, f"{mode:o}: {done}")
        os.chmod(path, 0o644)
        os.chmod(p.dir, 0o777)
        done = p.run("up", "-d")
        expect(done.returncode == 2 and "chmod o-w" in done.stderr, f"{done}")
        os.chmod(p.dir, 0o1777)  # as /tmp is: nobody can put another one there
        p.run("check", check=0)
        os.chmod(p.dir, 0o700)
        p.run("up", "-d", check=0)
    finally:
        p.close()


def it_is_no_program_for_setuid():
    if os.geteuid() != 0:
        return
    p = Project("setuid", {"a": {"command": "id"}})
    try:
        program = p.dir + "/thrum"
        shutil.copy(THRUM, program)
        os.chmod(p.dir, 0o755)
        os.chmod(program, 0o4755)
        run_it = "import subprocess, sys\ndone = subprocess.run([sys.argv[1], 'version'], capture_output=True, text=True)\nsys.exit(0 if done.returncode == 2 and 'setuid' in done.stderr else 9)"
        expect(as_nobody(run_it, program) == 0, "it says so, and does nothing")
    finally:
        p.close()


def what_processes_print_cannot_drive_a_terminal():
    """To a terminal nothing goes but text; the file has all as it was."""
    import pty
    bad = rb"\033[2Ja\033]0;title\007b\033]52;c;aGk=\007c\033[6nd\033Pq#0\033\\e\033cf\302\233ng\016h\342\200\256ij"
    p = Project("drive", {"a": {"command": ["printf", bad.decode() + "\\n"], "availability": {"restart": "no"}}})
    try:
        p.run("up", "-d", check=0)
        p.run("wait", "a", "--for", "completed", "--timeout", "60s", check=0)
        raw = p.log("a/0")
        expect(b"\033]52;c" in raw, f"the file is as it was: {raw}")
        child, master = pty.fork()
        if child == 0:
            os.chdir(p.dir)
            os.execve(THRUM, [THRUM, "logs", "a"], dict(p.env, TERM="xterm", NO_COLOR="1"))
        shown = b""
        try:
            while piece := os.read(master, 4096):
                shown += piece
        except OSError:
            pass
        os.waitpid(child, 0)
        os.close(master)
        for what in b"\033]", b"\033P", b"\033c", b"\033[6n", b"\033[2J", b"\302\233", b"\016", b"\007", b"\342\200\256":
            expect(what not in shown, f"{what!r} reaches the terminal: {shown!r}")
        for letter in b"abcdefghij":
            expect(bytes([letter]) in shown, f"the text is there: {shown!r}")
    finally:
        p.close()


def secrets_are_not_in_state_files():
    p = Project("secret", {"a": {"command": "sleep 1000", "environment": {"API_TOKEN": "hunter2hunter2"}}})
    try:
        p.run("up", "-d", check=0)
        for folder, _, files in os.walk(p.dir + "/state"):
            for name in files:
                path = os.path.join(folder, name)
                expect(os.stat(path).st_mode & 0o007 == 0, f"{path}: {os.stat(path).st_mode:o}")
                with open(path, "rb") as f:
                    expect(b"hunter2" not in f.read(), f"{path} has it")
        expect("hunter2" not in p.run("ps", "--json").stdout + p.run("events").stdout, "nor do ps and events")
    finally:
        p.close()


# until nobody is there who should not be; who has just ended is reaped in a moment
LOOKS = r"""for i in $(seq 200); do
	ps ax -o pid,stat,args > ps.txt
	awk 'NR > 1 && ($2 ~ /Z/ || $3 == "sleep") { found = 1 } END { exit found }' ps.txt && break
	sleep 0.1
done
exit 3"""


def it_may_be_the_first_process_of_a_container():
    if subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True).returncode:
        return
    p = Project("first", {"a": {"command": ["sh", "-c", "(setsid sleep 0.1 &); exec sleep 0.3"], "availability": {"restart": "no"}},
                          "b": {"command": ["sh", "-c", LOOKS], "availability": {"restart": "no"}, "depends_on": {"a": {"condition": "process_completed"}}}})
    try:
        done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", THRUM, "up", "--headless"],
                              cwd=p.dir, env=p.env, capture_output=True, text=True, timeout=60)
        expect(done.returncode == 1, f"its exit status is the run's: {done.returncode} {done.stderr}")
        lines = [line.split(None, 2) for line in open(p.dir + "/ps.txt").read().splitlines()[1:]]
        expect(lines[0][0] == "1" and "headless" in lines[0][2], f"{lines}")
        expect(not [line for line in lines if "Z" in line[1]], f"zombies: {lines}")
        expect(not [line for line in lines if line[2].startswith("sleep")], f"orphans: {lines}")
    finally:
        p.close()


main(another_user_is_not_let_in,
     a_runtime_folder_that_others_may_write_is_refused,
     logs_are_only_written_where_nobody_else_may_put_links, a_log_that_is_not_written_any_more_is_closed,
     secrets_are_not_in_state_files,
     a_process_has_what_is_meant_for_it_and_nothing_else,
     nobody_is_started_as_somebody_else,
     root_reads_no_configuration_that_others_may_write,
     it_is_no_program_for_setuid,
     what_processes_print_cannot_drive_a_terminal,
     it_may_be_the_first_process_of_a_container)
