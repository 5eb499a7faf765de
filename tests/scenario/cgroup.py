#!/usr/bin/env python3
"""Where a control group is delegated, a stop ends the whole tree, those too of whom nothing else tells whose they are."""
import os, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Project, expect, is_alive, kill_engine, main, until

# of another session, without an environment, and no child of anybody of its tree any more
ESCAPE = ["sh", "-c", "env -i setsid sh -c 'sleep 4719 & echo $! > escaped'; exec sleep 1000"]


def own_group():
    with open("/proc/self/cgroup") as f:
        return next((line[3:].strip() for line in f if line.startswith("0::")), None)


def mount():
    with open("/proc/self/mountinfo") as f:
        return next((line.split()[4] for line in f if " - cgroup2 " in line), None)


def enter(folder):
    with open(folder + "/cgroup.procs", "w") as f:
        f.write(str(os.getpid()))


class Group:
    """A group that is delegated to us, and we are in it; None when the machine has none to give."""

    def __init__(self, is_delegated):
        self.former = mount() + own_group()
        self.path = f"{self.former}/test-{os.getpid()}".replace("//", "/")
        os.mkdir(self.path)
        if is_delegated:
            os.setxattr(self.path, "user.delegate", b"1")
        enter(self.path)

    def close(self):
        enter(self.former)
        until(lambda: not open(self.path + "/cgroup.procs").read(), "the group is empty")
        os.rmdir(self.path)


def try_group(is_delegated):
    try:
        return Group(is_delegated)
    except (OSError, TypeError) as why:
        print(f"# left out: {why}")
        return None


def escaped(p):
    return int(until(lambda: p.log_at("escaped").strip(), "it has got away"))


def doctor(p):
    return next(found["found"] for found in p.json("doctor") if found["name"] == "control groups")


def a_stop_ends_the_whole_group():
    group = try_group(True)
    if not group:
        return
    p = Project("group", {"a": {"command": ESCAPE}, "b": {"command": "sleep 1000"}})
    try:
        expect(doctor(p) == "may be divided here", "the doctor says so")
        p.run("up", "-d", check=0)
        pid = escaped(p)
        folder = p.json("info", "a")["cgroup"]
        expect(folder.startswith(group.path + "/thrum-") and os.path.isdir(folder), f"info names it: {folder}")
        kill_engine(p)
        expect(p.json("info", "a")["cgroup"] == folder, "another engine knows it")
        p.run("stop", "a", check=0)
        until(lambda: p.rows()["a/0"]["state"] == "stopped", "it is stopped")
        expect(not is_alive(pid), "whoever went away is gone too")
        until(lambda: not os.path.exists(folder), "its group is removed")
        expect(p.json("info", "b")["cgroup"] != folder and is_alive(p.rows()["b/0"]["pid"]), "others are in others")
        p.run("restart", "b", check=0)
        p.run("down", check=0)
        expect(not [n for n in os.listdir(group.path) if n.startswith("thrum-")], "nothing is left of the groups")
    finally:
        p.close()
        group.close()


def without_delegation_all_is_as_it_was():
    if os.geteuid():
        return  # what we may write to is ours
    group = try_group(False)
    if not group:
        return
    p = Project("nogroup", {"a": {"command": "sleep 1000"}})
    try:
        expect(doctor(p) == "not delegated to this shell", "the doctor says so")
        p.run("up", "-d", check=0)
        until(lambda: p.rows()["a/0"]["state"] == "running", "it runs")
        expect(p.json("info", "a")["cgroup"] is None, "info says so")
        p.run("down", check=0)
    finally:
        p.close()
        group.close()


main(a_stop_ends_the_whole_group, without_delegation_all_is_as_it_was)
