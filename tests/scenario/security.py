#!/usr/bin/env python3
"""Who may connect, what a log folder may be, what reaches a terminal, and a container's first process."""
import json, os, shutil, signal, socket, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, Failure, Project, expect, is_alive, main, until

NOBODY = 65534


def as_nobody(code, *args):
    """Run Python as another user; its exit status, or None when we may not."""
    if os.geteuid() != 0:
        return None
    return subprocess.run(["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "python3", "-c", code, *args], timeout=20).returncode


def another_user_is_not_let_in():
    p = Project("door", {"a": {"command": "sleep 1000"}})
    connect = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
try: s.connect(sys.argv[1])
except OSError: sys.exit(3)
s.settimeout(10)
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
        expect(p.rows()["a/0"]["state"] == "running", "nothing else is affected")
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
        expect(p.rows()["fine/0"]["state"] == "running", "nothing else is affected")
        os.chmod(p.dir + "/open", 0o755)
        until(lambda: p.log_at("open/open-0.out.log") == b"x\n", "when it is mended the line is there")
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


def it_may_be_the_first_process_of_a_container():
    if subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "true"], capture_output=True).returncode:
        return
    p = Project("first", {"a": {"command": ["sh", "-c", "(setsid sleep 0.1 &); exec sleep 0.3"], "availability": {"restart": "no"}},
                          "b": {"command": ["sh", "-c", "ps ax -o pid,stat,args > ps.txt; exit 3"], "availability": {"restart": "no"}, "depends_on": {"a": {"condition": "process_completed"}}}})
    try:
        done = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", THRUM, "up", "--headless"],
                              cwd=p.dir, env=p.env, capture_output=True, text=True, timeout=30)
        expect(done.returncode == 1, f"its exit status is the run's: {done.returncode} {done.stderr}")
        lines = [line.split(None, 2) for line in open(p.dir + "/ps.txt").read().splitlines()[1:]]
        expect(lines[0][0] == "1" and "headless" in lines[0][2], f"{lines}")
        expect(not [line for line in lines if "Z" in line[1]], f"zombies: {lines}")
        expect(not [line for line in lines if line[2].startswith("sleep")], f"orphans: {lines}")
    finally:
        p.close()


main(another_user_is_not_let_in,
     a_runtime_folder_that_others_may_write_is_refused,
     logs_are_only_written_where_nobody_else_may_put_links,
     secrets_are_not_in_state_files,
     it_may_be_the_first_process_of_a_container)
