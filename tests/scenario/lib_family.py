"""Processes to be looked at, without an engine."""
from lib_thrum import *

FAMILY = """
import os, signal, sys, time
for name in sys.argv[2:]:
    if os.fork() == 0:
        os.execvp(sys.executable, [sys.executable, "-c", name, sys.argv[1]])
print("ready", flush=True)
signal.pause()
"""
SLEEP = "import signal; signal.pause()"
SPIN = "while True: pass"


class Machine:
    """In place of a project: no engine is needed."""
    dir, env = "/", dict(os.environ, LANG="C.UTF-8")


class Family:
    """A process with children, all with one mark in their command lines."""

    def __init__(self, *children):
        # without digits, in which somebody's pid would be found
        self.mark = f"mark{os.getpid()}x{time.monotonic_ns()}".translate(str.maketrans("0123456789", "abcdefghij"))
        self.parent = subprocess.Popen([sys.executable, "-c", FAMILY, self.mark, *children], stdout=subprocess.PIPE)
        self.parent.stdout.readline()
        self.pid = self.parent.pid
        until(lambda: all(self.command(pid).endswith(f"\0{self.mark}\0") for pid in self.children()), "the family is there")

    def command(self, pid):
        with open(f"/proc/{pid}/cmdline") as f:
            return f.read()

    def children(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children") as f:
            return [int(pid) for pid in f.read().split()]

    def close(self):
        for pid in self.children() + [self.pid]:
            os.kill(pid, signal.SIGKILL)
        self.parent.wait()
        self.parent.stdout.close()


def with_family(*children):
    def decorate(test):
        def run():
            family = Family(*children)
            try:
                test(family)
            finally:
                family.close()
        run.__name__ = test.__name__
        return run
    return decorate
