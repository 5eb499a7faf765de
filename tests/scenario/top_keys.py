#!/usr/bin/env python3
"""thrum top: what its keys do to processes and to the screen, as who knows htop expects it; in a terminal of our own."""
import contextlib, fcntl, re

from lib_family import *
from lib_vt import *

needs_vterm()

F2, F3, SHIFT_F3, F7, F8 = "\\eOQ", "\\eOR", "\\e[1;2R", "\\e[18~", "\\e[19~"
ENTER, ESCAPE = "\\r", "\\e"
THREADED = "import signal, threading; threading.Thread(target=signal.pause, daemon=True).start(); signal.pause()"
CALLS = "import os, time\nwhile True: os.access('/thrum-traced', 0), time.sleep(0.02)"


def opened(*args, command=(THRUM,), **how):
    screen = Screen(Machine, *command, "top", "--over", "200ms", *map(str, args), size="200x40", **how)
    try:
        screen.sees("COMMAND")
    except Failure:
        screen.close()
        raise
    return screen


def with_screen(*children, **how):
    """A family, and a screen of it alone, where the first child is selected. Rows do not change places with what they use of the CPU."""
    def decorate(test):
        def run():
            with contextlib.closing(Family(*children)) as family, contextlib.closing(opened("--sort", "pid", family.pid, **how)) as screen:
                choose(screen, family.children()[0])
                test(screen, family)
        run.__name__ = test.__name__
        return run
    return decorate


def choose(screen, pid):
    screen.sees(str(pid))
    screen.keys("/", *str(pid), ENTER)


def threads(pid):
    return [int(tid) for tid in os.listdir(f"/proc/{pid}/task")]


def nice_values(pid):
    return {os.getpriority(os.PRIO_PROCESS, tid) for tid in threads(pid)}


@with_screen(THREADED, SLEEP)
def nice_is_of_all_threads_of_the_one_that_is_meant(screen, family):
    child, other = family.children()
    until(lambda: len(threads(child)) == 2, "it has a thread")
    before, = nice_values(child)
    screen.keys(F8)
    screen.sees(f"(pid {child}): nice {before + 1}")
    expect(nice_values(child) == {before + 1} and nice_values(other) == {before}, f"{nice_values(child)} {nice_values(other)}")
    screen.keys("[")
    screen.sees(f": nice {before + 2}")
    screen.keys("U", "\\x20", "\\x20", F8)
    screen.sees("nice one higher for")
    for _ in range(20):
        screen.keys(F8)
    expect(max(nice_values(child)) == 19, f"it goes no further: {nice_values(child)}")


def nice_says_when_it_may_not():
    """Nobody may make another's process less nice, and not even their own."""
    if os.getuid() != 0:
        return
    family = Family(SLEEP)
    screen = opened(family.pid, command=("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", THRUM))
    try:
        choose(screen, family.pid)
        screen.keys(F7)
        screen.sees(f"pid {family.pid}: only root may make it less nice")
        screen.keys(F8)
        screen.sees(f"pid {family.pid}: it is another user's")
        screen.keys("e")
        screen.sees("? its environ")
    finally:
        screen.close()
        family.close()


@with_screen(THREADED)
def processors_and_turns_at_disks_are_chosen(screen, family):
    child, = family.children()
    until(lambda: len(threads(child)) == 2, "it has a thread")
    may = sorted(os.sched_getaffinity(child))
    screen.keys("a")
    screen.sees("[x] processor 0" if 0 in may else "[ ] processor 0")
    if len(may) > 1 and may[0] == 0:
        screen.keys("\\x20")
        screen.sees("[ ] processor 0")
        screen.keys(ENTER)
        screen.sees(f"these processors for python3 (pid {child})" if "python3" in field(child, "Name") else "these processors for")
        expect(all(0 not in os.sched_getaffinity(tid) for tid in threads(child)), "all its threads leave the first one")
    else:
        screen.keys(ESCAPE)
    screen.keys("i")
    screen.sees("best effort 4")
    screen.keys("i")
    screen.sees("I/O priority 'idle")
    for tid in threads(child):
        told = subprocess.run(["ionice", "-p", str(tid)], capture_output=True, text=True).stdout
        expect(told.strip() == "idle", f"{tid}: {told}")
    screen.keys("a")
    for processor in os.sched_getaffinity(child):
        screen.keys("123456789abcdef"[processor])
    screen.keys(ENTER)
    screen.sees("it needs one processor at the least")


@with_screen(SLEEP, SLEEP, SLEEP)
def a_tree_is_tagged_and_acted_on_as_a_whole(screen, family):
    screen.keys("t")
    choose(screen, family.pid)
    screen.keys("c")
    screen.sees("tagged 4")
    screen.keys("k", ENTER)
    screen.sees("TERM to 4 tagged")
    screen.keys("n", "U", "-")
    screen.sees("+ ")
    screen.keys("+", "\\eOB", "\\x7f")
    screen.sees("+ ")
    expect(all(is_alive(pid) for pid in family.children()), "they live")


@with_screen(SLEEP, SLEEP)
def figures_and_f3_lead_to_rows(screen, family):
    one, other = family.children()
    screen.keys(*str(other), ENTER, "w")
    screen.sees(f"pid {other} ", "[7 Args]")
    screen.keys(ESCAPE)

    def found(*keys):
        """Whom a search for all of the family, and then these keys, lead to from the first row on."""
        screen.keys("g", "/", *family.mark, *keys, ENTER, "w")
        screen.sees("[7 Args]")
        pid = int(re.search(r"pid (\d+) ", screen.screen())[1])
        screen.keys(ESCAPE)
        return pid
    rows = sorted([family.pid, one, other])
    ways = ((), (F3,), (F3, F3), (F3, SHIFT_F3), (F3, F3, F3), (SHIFT_F3,))
    places = [rows.index(found(*keys)) for keys in ways]
    expect(places == [0, 1, 2, 0, 0, 2], f"on, back, and round: {places}")


def details_tell_how_it_was_started():
    with tempfile.TemporaryDirectory(prefix="thrum-test-") as folder, open(folder + "/locked", "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        long = "y" * 350
        child = subprocess.Popen([sys.executable, "-c", SLEEP, "an argument", long], cwd=folder, env={"THRUM_TEST_B": "2", "THRUM_TEST_A": "\033]0;x\7"},
                                 pass_fds=[file.fileno()])
        screen = opened(child.pid)
        try:
            choose(screen, child.pid)
            screen.keys("w")
            screen.sees(f"folder   {folder}", "3  an argument", long[:130])
            screen.keys("e")
            screen.sees("[6 Env]", "THRUM_TEST_A=", "THRUM_TEST_B=2")
            expect(screen.screen().index("THRUM_TEST_A") < screen.screen().index("THRUM_TEST_B"), "they are sorted")
            screen.keys("l")
            screen.sees("[3 Files]", folder + "/locked")
            screen.keys("x")
            screen.sees("[5 Locks]", "FLOCK   WRITE")
            screen.keys("]", "]", "[")
            screen.sees("[6 Env]")
        finally:
            screen.close()
            child.kill()
            child.wait()


def may_trace(pid):
    with subprocess.Popen(["strace", "-p", str(pid)], stderr=subprocess.PIPE, text=True) as strace:
        attached = "attached" in strace.stderr.readline()
        strace.terminate()
        return attached


def tracer_of(pid):
    return int(field(pid, "TracerPid"))


@with_screen(CALLS)
def system_calls_are_traced_while_they_are_looked_at(screen, family):
    child, = family.children()
    if not shutil.which("strace") or not may_trace(child):
        return
    until(lambda: not tracer_of(child), "nobody traces it")
    screen.keys("w", "]")
    screen.sees("[8 Calls]", "s tells its system calls")
    expect(not tracer_of(child), "to come by does nothing to it")
    screen.keys("s")
    screen.sees('access("/thrum-traced"')
    tracer = tracer_of(child)
    expect(tracer, "it is traced")
    screen.keys(ESCAPE)
    until(lambda: not is_alive(tracer) and not tracer_of(child), "it is let go")
    expect(field(child, "State") in "SR", "and goes on")
    screen.keys("s")
    screen.sees('access("/thrum-traced"')
    tracer = until(lambda: tracer_of(child), "it is traced again")
    screen.do("signal 9")
    until(lambda: not is_alive(tracer) and not tracer_of(child), "strace ends with who started it")
    expect(is_alive(child), "it lives")


@with_screen(SLEEP, env={"PATH": "/nonexistent"})
def without_strace_there_is_where_its_threads_are(screen, family):
    screen.keys("s")
    screen.sees("strace is not installed: here is the call that each thread is in", "[2 Threads]", "pause")


def nothing_is_touched_where_that_was_asked_for():
    family = Family(CALLS)
    screen = opened("--read-only", family.pid)
    child, = family.children()
    try:
        before = nice_values(child)
        choose(screen, child)
        for key in (F7, F8, "k", "i", "a", "s"):
            screen.keys(ESCAPE, key)
            screen.sees("--read-only")
            screen.keys("n")
        expect(nice_values(child) == before and not tracer_of(child), "nothing was done")
    finally:
        screen.close()
        family.close()


def what_is_chosen_is_kept_when_that_is_asked_for():
    family = Family(SLEEP)
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    env = {"THRUM_SETTINGS": folder + "/settings"}
    screen = opened(family.pid, env=env)
    try:
        screen.keys("S")
        screen.sees("Setup", "[ ] tree")
        screen.keys("1", "o")
        screen.sees("[x] tree", "[x] column VIRT")
        screen.keys(ESCAPE)
        screen.sees("VIRT COMMAND")
        screen.keys(F2, *"j" * 18, F7, ESCAPE)
        screen.sees("LOOP%  QUEUE")
        screen.keys(*":top-columns", "\\x20", *"pid,nonsense", ENTER)
        screen.sees("top-columns takes pid, user, nice, state")
        expect(not os.path.exists(folder + "/settings"), "nothing is written unless that is asked for")
        screen.keys(*":w", ENTER)
        screen.sees("settings are kept in")
        screen.close()
        with open(folder + "/settings") as file:
            expect(file.read() == "top-tree on\ntop-columns pid,user,nice,state,cpu,mem,rss,time,threads,loop,queue,lag,virt\n", "what is kept")
        screen = opened(family.pid, env=env)
        screen.sees("VIRT COMMAND", "└─")
    finally:
        screen.close()
        shutil.rmtree(folder)
        family.close()


@with_screen(SLEEP)
def commands_are_shown_as_one_wishes(screen, family):
    child, = family.children()
    screen.sees(" " + sys.executable)
    screen.keys("p")
    screen.lacks(f"{sys.executable} -c import")
    screen.sees(" " + os.path.basename(sys.executable) + " -c import signal")
    screen.keys("\\eOC")
    screen.lacks(f"{os.path.basename(sys.executable)} -c import signal")
    screen.keys("^", "m")
    screen.sees("NAME", " " + os.path.basename(sys.executable) + " -c import signal")
    screen.keys("#")
    screen.lacks("load ")
    screen.keys(*":top-columns", "\\x20", *"pid,read,written,shared,virt,start,processor,ppid", ENTER)
    screen.sees("READ/s WRIT/s    SHR   VIRT START CPU    PPID COMMAND")
    row = next(line for line in screen.screen().splitlines() if line.split()[:1] == [str(child)]).split()
    expect(row[7] == str(family.pid) and row[4][-1] in "MGK", f"{row}")


main(nice_is_of_all_threads_of_the_one_that_is_meant, nice_says_when_it_may_not, processors_and_turns_at_disks_are_chosen,
     a_tree_is_tagged_and_acted_on_as_a_whole, figures_and_f3_lead_to_rows, details_tell_how_it_was_started,
     system_calls_are_traced_while_they_are_looked_at, without_strace_there_is_where_its_threads_are,
     nothing_is_touched_where_that_was_asked_for, what_is_chosen_is_kept_when_that_is_asked_for, commands_are_shown_as_one_wishes)
