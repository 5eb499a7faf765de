#!/usr/bin/env python3
"""thrum top: the table of all processes, with real ones, on a real terminal and without."""
import contextlib, pty

from lib_family import *
from lib_terminal import *

if not shutil.which("tmux"):
    sys.exit(77)

class Screen(Terminal):
    def __init__(self, *args):
        super().__init__(Machine, " ".join(["top", "--over", "200ms", *map(str, args)]), 250, 40)


def top(*args, code=0):
    done = subprocess.run([THRUM, "top", *map(str, args)], capture_output=True, text=True, timeout=60)
    expect(done.returncode == code, f"top {args}: status {done.returncode}, {done.stderr}")
    return done.stdout if code == 0 else done.stderr


def table(*args):
    return {row["pid"]: row for row in json.loads(top("--json", *args))["processes"]}


@with_family(SLEEP, SPIN)
def figures_are_those_of_the_kernel(family):
    sleeper, spinner = family.children()
    os.kill(sleeper, signal.SIGSTOP)
    until(lambda: field(sleeper, "State") == "T", "it is stopped")
    rows = until(lambda: (seen := table("--over", "1s"))[spinner]["cpu"] > 0 and seen, "who works is seen to, also where many do")
    for pid in (family.pid, sleeper, spinner):
        row = rows[pid]
        expect(row["state"] == field(pid, "State"), f"the state of {row}")
        expect(row["ppid"] == int(field(pid, "PPid")), f"the parent of {row}")
        expect(row["threads"] == int(field(pid, "Threads")), f"the threads of {row}")
        expect(abs(row["rss"] / 1024 - int(field(pid, "VmRSS"))) < 1024, f"the memory of {row}")
        expect(family.mark in row["command"], f"the command of {row}")
    # what it has used may be read a moment later than the clock: one pass takes in all processes
    expect(rows[sleeper]["cpu"] == 0 and rows[spinner]["cpu"] <= 130, f"CPU of {rows[sleeper]} and {rows[spinner]}")
    expect(os.getpid() in rows, "all are there")


@with_family(SLEEP, SLEEP)
def it_prints_what_is_chosen(family):
    expect(set(table(family.pid, "--over", "0")) == {family.pid, *family.children()}, "a pid, and what descends from it")
    expect(set(table("--grep", family.mark, "--over", "0")) >= {family.pid, *family.children()}, "a filter")
    lines = top(family.pid, "--tree", "--sort", "pid", "--over", "0").splitlines()
    expect(lines[0].split() == "PID USER NI S CPU% MEM% RSS TIME+ THR QUEUE LOOP% LAG COMMAND".split(), f"the heading: {lines[0]}")
    expect([int(line.split()[0]) for line in lines[1:]][0] in (1, family.pid), f"parents go first: {lines}")
    expect(sum("- " + sys.executable in line for line in lines) >= 2, f"the tree has lines: {lines}")
    expect(top(family.pid, "-b", "-n", 2, "--over", "50ms").count("COMMAND") == 2, "-n 2")
    for args, word in ((["x1"], "'x1' is no pid"), (["--sort", "x"], "--sort takes cpu"), (["--grep", "("], "--grep"),
                       (["-n", "x"], "--times takes a number")):
        expect(word in top(*args, code=2), f"top {args}")


SHARES = "import mmap, signal; kept = mmap.mmap(-1, 64 << 20); kept.write(bytes(64 << 20)); print(); signal.pause()"


@with_family(SLEEP, SHARES, SLEEP)
def what_it_prints_is_sorted_by_what_is_read_only_when_asked_for(family):
    one, shares, three = family.children()
    until(lambda: int(field(shares, "RssShmem")) >= 64 << 10, "it shares memory")
    first = lambda sort: int(top(family.pid, "-b", "--sort", sort, "--over", "100ms").splitlines()[1].split()[0])
    expect(first("shared") == shares, "who shares most is first")


@with_family(SLEEP, SLEEP, SLEEP)
def signals_reach_who_was_meant(family):
    one, two, three = family.children()
    screen = Screen(f"--sort pid {family.pid}")
    try:
        screen.sees("COMMAND", str(one), str(three))
        screen.keys("/", str(two), "Enter", "k")
        screen.sees("Send a signal", "TERM")
        screen.keys("Enter")
        screen.sees("TERM to", f"pid {two}")
        screen.keys("n")
        screen.until(lambda text: "Cancel" not in text, "it asks no more")
        expect(is_alive(two), "n sends nothing")
        screen.keys("F9")
        screen.sees("Send a signal")
        screen.keys("7")
        screen.sees("STOP to")
        screen.keys("y")
        screen.sees("STOP sent to", f"pid {two}")
        until(lambda: field(two, "State") == "T", "it is stopped")
        expect(field(one, "State") != "T", "the others are not")
        screen.keys("/", str(one), "Enter", "Space", "/", str(three), "Enter", "Space")
        screen.keys("k", "Enter")
        screen.sees("TERM to 2 tagged")
        screen.keys("y")
        screen.sees("TERM sent to 2 tagged")
        until(lambda: not is_alive(one) and not is_alive(three), "both of the tagged end")
        expect(is_alive(two) and is_alive(family.pid), "nobody else does")
    finally:
        screen.close()


@with_family(SLEEP)
def a_pid_that_is_gone_gets_nothing(family):
    child, = family.children()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    victim = subprocess.Popen([sys.executable, "-c", SLEEP, family.mark])
    screen = Screen(f"--grep {family.mark}")
    try:
        screen.sees(str(victim.pid))
        screen.keys("/", str(victim.pid), "Enter", "k", "Enter")
        screen.sees(f"pid {victim.pid}")
        victim.kill()
        victim.wait()
        screen.keys("y")
        screen.sees("sent to 0 of 1")
        expect(is_alive(child), "its neighbour lives")
    finally:
        screen.close()


@with_family(SLEEP, SPIN)
def rows_are_sorted_folded_and_filtered(family):
    sleeper, spinner = family.children()
    screen = Screen(f"{family.pid}")

    def order(text):
        firsts = [(line[1:].split() or [""])[0] for line in text.splitlines()]
        return [int(word) for word in firsts if word in map(str, (family.pid, sleeper, spinner))]
    try:
        screen.until(lambda text: order(text)[:1] == [spinner], "who works most is first")
        screen.keys("N")
        screen.until(lambda text: order(text) == sorted([family.pid, sleeper, spinner]), "by pid")
        screen.keys("I")
        screen.until(lambda text: order(text) == sorted([family.pid, sleeper, spinner])[::-1], "the other way round")
        screen.keys("t")
        screen.sees("└─")
        screen.keys("/", str(family.pid), "Enter", "Left")
        screen.until(lambda text: "+ " in text and spinner not in order(text), "folded")
        screen.keys("Right")
        screen.until(lambda text: spinner in order(text), "unfolded")
        screen.keys("t", "\\", "while True", "Enter")
        screen.until(lambda text: spinner in order(text) and sleeper not in order(text), "filtered")
        screen.keys("Escape")
        screen.until(lambda text: sleeper in order(text), "all again")
        screen.keys("u")
        screen.sees("Show the processes of", "everybody")
        screen.keys("Escape", "?")
        screen.sees("Help", "send a signal", "lower priority", "F2 S C")
        screen.keys("x", "Z")
        screen.sees("PAUSED")
    finally:
        screen.close()


@with_family(SLEEP)
def details_tell_of_the_selected(family):
    child, = family.children()
    screen = Screen(f"{child}")
    try:
        screen.sees(str(child))
        screen.keys("/", str(child), "Enter", "Enter")
        screen.sees(f"pid {child}", "[1 Info]")
        screen.keys("2")
        screen.sees("[2 Threads]", "SYSCALL", "pause")
        screen.keys("3")
        screen.sees("[3 Files]", "3 open")
        screen.keys("4")
        screen.sees("[4 Sockets]", "pipe")
        screen.keys("z", "z", "Escape")
        screen.until(lambda text: "Sockets" not in text, "Esc closes the details")
    finally:
        screen.close()


NODE = shutil.which("node")
# Node says what is queued, so that the test waits for nothing: it begins when it is told to.
HASH = """process.stdin.once('data',()=>{const c=require('crypto');for(let i=0;i<50;i++)c.pbkdf2('a','b',200000,64,'sha512',()=>{});});
setInterval(()=>{},1000)"""
HASHING_S = 180  # ten times as long as it takes two processors


def cell(screen, pid, title):
    """What stands below a title, in the row of a process."""
    heading = next((line for line in screen.splitlines() if "COMMAND" in line), "").split()
    row = next((line for line in screen.splitlines() if line.split()[:1] == [str(pid)]), "").split()
    return row[heading.index(title)] if title in heading and len(row) > heading.index(title) else None


def a_queue_is_seen_to_fall_to_nothing():
    if not NODE:
        return
    node = subprocess.Popen([NODE, "-e", HASH], stdin=subprocess.PIPE, env=dict(os.environ, UV_THREADPOOL_SIZE="4"))
    screen = Screen(node.pid)
    seen = []

    def is_empty(text):
        seen.append(cell(text, node.pid, "QUEUE"))
        return seen[-1] == "0" and any(s.isdigit() and int(s) > 30 for s in seen if s)
    try:
        screen.until(lambda text: cell(text, node.pid, "LOOP%") not in (None, "-"), "its loop is seen")
        node.stdin.write(b"\n"), node.stdin.flush()
        screen.until(is_empty, "a queue that empties", HASHING_S)
        known = [int(s) for s in seen if s and s.isdigit()]
        falling = known[known.index(max(known)):]
        expect(30 < falling[0] <= 50, f"of fifty, 46 wait as soon as the four have begun: {seen}")
        expect(all(a >= b for a, b in zip(falling, falling[1:])) and len(set(falling)) > 4, f"it falls: {seen}")
        screen.keys("F6")
        screen.sees("queue")
        screen.keys("Escape")
    finally:
        screen.close()
        node.kill()
        node.wait()
        node.stdin.close()


def a_blocked_loop_is_seen_to_lag():
    if not NODE:
        return
    node = subprocess.Popen([NODE, "-e", "process.stdin.once('data',()=>{for(;;);});setInterval(()=>{},50)"], stdin=subprocess.PIPE)
    try:
        until(lambda: table(node.pid, "--over", "0")[node.pid]["loop"], "its loop is found")
        node.stdin.write(b"\n"), node.stdin.flush()
        row = table(node.pid, "--over", "1500ms")[node.pid]
        expect(row["loop"]["lag_ms"] > 1000 and row["queue"] in (0, None), f"{row}")
        other = table(os.getpid(), "--over", "0")[os.getpid()]
        expect(other["queue"] is None and other["loop"] is None, f"who has no loop has none: {other}")
    finally:
        node.kill()
        node.wait()
        node.stdin.close()


def who_may_not_be_looked_into_is_not_known():
    if os.getuid() != 0:
        return
    done = subprocess.run([THRUM, "top", "-b", "--over", "0", str(os.getpid())], capture_output=True, text=True, timeout=60, user=65534,
                          cwd="/", extra_groups=[])
    expect(done.returncode == 0, f"{done}")
    expect(cell(done.stdout, os.getpid(), "QUEUE") == "?" and cell(done.stdout, os.getpid(), "LAG") == "?", done.stdout)


@with_family("import threading, signal; threading.Thread(target=signal.pause, daemon=True).start(); signal.pause()")
def threads_have_rows_when_asked_for(family):
    child, = family.children()
    until(lambda: field(child, "Threads") == "2", "it has a thread")
    tid, = [int(name) for name in os.listdir(f"/proc/{child}/task") if int(name) != child]
    screen = Screen(f"--tree {family.pid}")

    def has(text, pid):
        return any(line[1:].split()[:1] == [str(pid)] for line in text.splitlines())
    try:
        screen.until(lambda text: has(text, child) and not has(text, tid), "no threads")
        screen.keys("H")
        screen.until(lambda text: has(text, tid), "the thread")
        screen.keys("/", str(tid), "Enter", "k", "Enter")
        screen.sees("TERM to", f"pid {child}")
        screen.keys("y")
        until(lambda: not is_alive(child), "a signal for a thread is for its process")
    finally:
        screen.close()


@with_family(SLEEP)
def the_terminal_is_left_as_it_was(family):
    screen = Screen(f"--read-only {family.pid}")
    try:
        screen.sees("COMMAND")
        for width, height in ((1, 1), (2, 50), (20, 5), (40, 12), (300, 100), (250, 40)):
            screen.tmux("resize-window", "-t", "s", "-x", str(width), "-y", str(height))
        screen.sees("COMMAND", family.mark)
        screen.keys("k")
        screen.sees("--read-only")
        screen.keys("q")
        screen.sees("LEFT 0", "icanon", "echo")
        expect("-icanon" not in screen.screen() and "-echo" not in screen.screen(), f"the modes: {screen.screen()}")
    finally:
        screen.close()


@with_family(SLEEP)
def it_is_suspended_and_comes_back(family):
    screen = Terminal(Machine, "version", 250, 40, before="PS1='% ' bash --norc;")
    try:
        screen.sees("%")
        screen.keys(f"{THRUM} top {family.pid}", "Enter")
        screen.sees("COMMAND", family.mark)
        screen.keys("C-z")
        screen.sees("Stopped")
        screen.keys("fg", "Enter")
        screen.sees("F10Quit", family.mark)
        screen.keys("q")
        screen.sees("Stopped", "%")
    finally:
        screen.close()


def a_terminal_that_cannot_is_told_of_another_way():
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(THRUM, [THRUM, "top"], dict(os.environ, TERM="dumb"))
    said = b""
    with contextlib.suppress(OSError):  # it has left
        while b"top -b" not in said:
            said += os.read(terminal, 4096)
    expect(b"thrum top -b" in said, f"it said {said}")
    expect(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 2, "its status")
    os.close(terminal)


@with_family(SLEEP)
def it_goes_with_its_terminal(family):
    screen = Screen(f"{family.pid}")
    try:
        screen.sees("COMMAND")
        pid = screen.pid()
    finally:
        screen.close()
    until(lambda: not is_alive(pid), "it has ended with the terminal")


main(figures_are_those_of_the_kernel, it_prints_what_is_chosen, what_it_prints_is_sorted_by_what_is_read_only_when_asked_for,
     signals_reach_who_was_meant, a_pid_that_is_gone_gets_nothing,
     rows_are_sorted_folded_and_filtered, a_queue_is_seen_to_fall_to_nothing, a_blocked_loop_is_seen_to_lag,
     who_may_not_be_looked_into_is_not_known, details_tell_of_the_selected, threads_have_rows_when_asked_for,
     the_terminal_is_left_as_it_was, it_is_suspended_and_comes_back,
     a_terminal_that_cannot_is_told_of_another_way, it_goes_with_its_terminal)
