#!/usr/bin/env python3
"""
What terminals, signals and environments do to the two full-screen programs, `thrum attach` and `thrum top`: one row a
question, as other programs of the kind were asked. With THRUM_RECORD=FILE the answers take the place of the table in it.
"""
import concurrent.futures, re
from lib_vt import *

needs_vterm()

GIVEN_BACK = "alt=0 cursor=1 mouse=0 echo=1 icanon=1"
TAKEN = "alt=1 cursor=0 mouse=0 echo=0 icanon=0"
OPEN = {"attach": "nap", "top": "COMMAND"}
COMMANDS = tuple(OPEN)
ARROWS = "\\eOB", "\\eOA"  # down and up
answers = {}


def open_it(project, command, **how):
    screen = Screen(project, THRUM, command, **how)
    screen.sees(OPEN[command])
    return screen


def leave(screen, command):
    """As a person does."""
    screen.do("key q")
    if command == "attach":
        screen.sees("Detach")
        screen.do("key d")
    expect(screen.left() == "exit 0", "it leaves")
    screen.do("raw")
    expect(screen.modes() == GIVEN_BACK, screen.modes())


# ---- the rows: each says what is seen ----

def signalled(name, ends):
    def row(project, command):
        screen = open_it(project, command)
        expect(screen.modes() == TAKEN, screen.modes())
        screen.do(f"signal {int(signal.Signals['SIG' + name])}")
        left = screen.left()
        expect(left == ends, left)
        expect(screen.modes() == GIVEN_BACK, screen.modes())
        screen.close()
        return "yes" if ends == "exit 0" else "yes, and it ends by that signal"
    return row


def stopped_by_a_shell(project, command):
    screen = Screen(project, "bash", "--norc", "--noprofile", "-i", env={"PS1": "$ "})
    screen.sees("$")
    screen.do(f"key {THRUM} {command}\\r")
    screen.sees(OPEN[command], "Help")
    screen.do("key \\x1a")
    screen.sees("Stopped")
    expect(screen.modes().startswith("alt=0 cursor=1 mouse=0"), screen.modes())
    screen.do("size 110x30")
    screen.do("key fg\\r")
    screen.sees(OPEN[command], "Help")
    expect(len(screen.do("screen")) == 30 and "Help" in screen.do("screen")[-1], "as high as the screen is now")
    screen.do("key q")
    if command == "attach":
        screen.sees("Detach")
        screen.do("key d")
    # who leaves takes along what is typed meanwhile
    until(lambda: [line for line in screen.do("screen") if line][-1:] == ["$"], "the shell is there again")
    screen.do("key exit\\r")
    expect(screen.left() == "exit 0", "the shell goes on")
    screen.close()
    return "ok, redraws at the new size"


def stopped_as_session_leader(project, command):
    screen = open_it(project, command)
    for how in (f"signal {int(signal.SIGTSTP)}", "key \\x1a"):
        screen.do(how)
        screen.do("frame")
        screen.sees(OPEN[command])
    screen.keys("?")
    screen.keys("\\e")
    expect(screen.do("state")[0] in "SR", "it runs on")
    leave(screen, command)
    screen.close()
    return "no stop, redraws"


def shrunk(project, command):
    screen = open_it(project, command)
    for size in ("20x5", "10x3", "1x1", "2x40", "300x1", "300x100", "80x24"):
        screen.do(f"size {size}")
        screen.keys(*ARROWS)
        expect(screen.do("state")[0] in "SR", size)
    screen.sees(OPEN[command], "Help")
    leave(screen, command)
    screen.close()
    return "lives in each, keys work"


def asked_for_no_colour(project, command):
    screen = open_it(project, command, env={"NO_COLOR": "1"})
    kinds = set("".join(screen.do("attributes")))
    expect("c" not in kinds and "C" not in kinds, f"no colour: {kinds}")
    expect("b" in kinds and "r" in kinds, f"bold and reverse are kept: {kinds}")
    leave(screen, command)
    screen.close()
    return "ok, bold and reverse stay"


def refused(words, env={}, without=()):
    def row(project, command):
        screen = Screen(project, THRUM, command, size="120x10", env=env, without=without)
        expect(screen.left() == "exit 2", "status 2")
        screen.sees(*words)
        screen.sees("thrum up --headless" if command == "attach" else "thrum top -b")
        expect("ESC" not in screen.do("sequences")[0], f"no escapes: {screen.do('sequences')}")
        expect(screen.modes() == GIVEN_BACK, screen.modes())
        screen.close()
        return "clean error, exit 2"
    return row


def drawn_with(term, **env):
    def row(project, command):
        screen = open_it(project, command, env=dict(env, TERM=term))
        screen.keys("?")
        screen.keys("\\e")
        leave(screen, command)
        screen.close()
        return "ok"
    return row


def piped(project, command):
    done = project.run(command)
    expect("\033" not in done.stdout + done.stderr, "no escapes")
    if command == "top":
        expect(done.returncode == 0 and "COMMAND" in done.stdout, f"{done}")
        return "plain table, exit 0"
    expect(done.returncode == 2 and "thrum up --headless" in done.stderr, f"{done}")
    return "error and what to use, exit 2"


def in_the_c_locale(project, command):
    screen = open_it(project, command, env={"LC_ALL": "C"})
    screen.keys("?")
    expect(all(ord(c) < 0x7f for c in screen.screen()), "ASCII only")
    screen.keys("\\e")
    leave(screen, command)
    screen.close()
    return "ASCII"


def with_stale_sizes(project, command):
    screen = open_it(project, command, env={"COLUMNS": "40", "LINES": "12"})
    until(lambda: "Help" in screen.do("screen")[-1], "the real size")
    screen.do("size 100x30")
    screen.sees(OPEN[command])
    screen.keys("j")
    until(lambda: "Help" in screen.do("screen")[-1], "and the next one")
    leave(screen, command)
    screen.close()
    return "real size, follows"


def unread_for_a_while(project, command):
    screen = open_it(project, command, size="200x60")

    def is_told_of_frames():
        """How long it is deaf does not tell whether a frame was due meanwhile."""
        screen.do("deaf")
        screen.do("full")
        time.sleep(0.2)
        screen.do("key j")
        time.sleep(0.2)
        screen.do("size 80x24")
        screen.do("hear")
        screen.do("frame")
        screen.sees(OPEN[command], "Help")
        return re.search(r"SLOW TTY: \d+ frames dropped in 10 s", screen.screen())
    until(is_told_of_frames, "it says what it has left out")
    leave(screen, command)
    screen.close()
    return "does not wait, says what it left out"


def paused(project, command):
    screen = open_it(project, command)
    screen.keys("Z")
    screen.sees("PAUSED")

    def writes(seconds):
        before = screen.written()
        time.sleep(seconds)
        return screen.written() - before
    # two ticks, in which all clocks move; what was asked for before may be answered first
    until(lambda: not writes(2.2), "nothing is written")
    screen.keys("Z")
    screen.lacks("PAUSED")
    leave(screen, command)
    screen.close()
    return "0 bytes"


def unread_for_ever(project, command):
    screen = open_it(project, command, size="200x60")
    screen.do("deaf")
    screen.do("full")
    screen.do(f"signal {int(signal.SIGTERM)}")
    expect(screen.left() == "exit 0", "it leaves")
    screen.close()
    return "leaves on SIGTERM"


def hung_up(project, command):
    """Nobody may be there: nothing is written, but its modes are given back."""
    screen = open_it(project, command)
    screen.do(f"signal {int(signal.SIGHUP)}")
    expect(screen.left() == "exit 0", "it ends")
    expect("echo=1 icanon=1" in screen.modes(), screen.modes())
    screen.close()
    return "modes restored, writes nothing, exit 0"


def vanished(ignores_hangup):
    def row(project, command):
        words = ["sh", "-c", f"trap '' HUP; exec {THRUM} {command}"] if ignores_hangup else [THRUM, command]
        screen = Screen(project, *words)
        screen.sees(OPEN[command])
        screen.do("hangup")
        left = screen.left()
        expect(left == "exit 0", left)
        screen.close()
        return "ends, writes nothing"
    return row


def of_another_user(project, command):
    """As after `su USER -c`: a session without a terminal, and the one that was given cannot be opened."""
    lowly = "setpriv --bounding-set=-dac_override,-dac_read_search" if os.getuid() == 0 else ""
    screen = Screen(project, "sh", "-c", f"chmod 0 $(tty); setsid -w {lowly} {THRUM} {command}; cat /proc/$$/fdinfo/1; exec sleep 600")
    screen.sees(OPEN[command])
    screen.do("size 110x30")
    until(lambda: "Help" in screen.do("screen")[-1], "the new size is noticed")
    screen.do("key q")
    if command == "attach":
        screen.sees("Detach")
        screen.do("key d")
    screen.sees("flags:")
    flags = [int(line.split()[1], 8) for line in screen.do("screen") if line.startswith("flags:")]
    expect(flags and not flags[0] & os.O_NONBLOCK, "the shell's file is as it was")
    screen.do("raw")
    screen.close()
    return "ok, new sizes at the next frame"


ROWS = (
    ("SIGTERM: terminal restored", signalled("TERM", "exit 0")),
    ("SIGINT: terminal restored", signalled("INT", "exit 0")),
    ("SIGQUIT: terminal restored", signalled("QUIT", "exit 0")),
    ("SIGHUP", hung_up),
    ("SIGSEGV: terminal restored", signalled("SEGV", "signal 11")),
    ("SIGABRT: terminal restored", signalled("ABRT", "signal 6")),
    ("SIGBUS: terminal restored", signalled("BUS", "signal 7")),
    ("^Z from a shell, fg after a resize", stopped_by_a_shell),
    ("SIGTSTP and ^Z as session leader", stopped_as_session_leader),
    ("20x5, 10x3, 1x1, 2x40, 300x1, 300x100, then 80x24", shrunk),
    ("NO_COLOR=1", asked_for_no_colour),
    ("TERM unset", refused(("is not known here",), without=("TERM",))),
    ("TERM unknown", refused(("'nonesuch' (TERM) is not known here",), env={"TERM": "nonesuch"})),
    ("TERM=dumb", refused(("cannot place its cursor",), env={"TERM": "dumb"})),
    ("TERM=vt100", drawn_with("vt100")),
    ("TERM=linux", drawn_with("linux")),
    ("TERM=screen", drawn_with("screen")),
    ("TERM=screen-256color", drawn_with("screen-256color")),
    ("TERM=xterm", drawn_with("xterm")),
    ("TERM=xterm-256color", drawn_with("xterm-256color")),
    ("another user's terminal (`su USER -c`)", of_another_user),
    ("stdout is a pipe", piped),
    ("LC_ALL=C", in_the_c_locale),
    ("COLUMNS=40 LINES=12 in the environment", with_stale_sizes),
    ("terminal not read for a while", unread_for_a_while),
    ("paused", paused),
    ("terminal never read again", unread_for_ever),
    ("terminal gone", vanished(False)),
    ("terminal gone under nohup", vanished(True)),
)


def ask(project, row, command):
    title, test = row
    try:
        return title, command, test(project, command), None
    except Failure as why:
        return title, command, "FAILED", why


def record(path, seen):
    """In the place of the table that is in there."""
    width, wide = max(len(title) for title, _ in ROWS), max(len(seen[title, "attach"]) for title, _ in ROWS)
    lines = [f"{'':{width}} | {'thrum attach':{wide}} | thrum top", f"{'-' * width}-+-{'-' * wide}-+-{'-' * wide}"]
    lines += [f"{title:{width}} | {seen[title, 'attach']:{wide}} | {seen[title, 'top']}" for title, _ in ROWS]
    with open(path) as f:
        before, _, after = f.read().split("```")
    with open(path, "w") as f:
        f.write(before + "```\n" + "\n".join(lines) + "\n```" + after)


def all_rows():
    project = Project("matrix", {"nap": {"command": "sleep 600", "instances": 2}})
    failed = []
    try:
        project.run("up", "-d", check=0)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(ask, project, row, command) for row in ROWS for command in COMMANDS]
            for title, command, answer, why in (one.result() for one in asked):
                answers[title, command] = answer
                print(f"   {title}: {command}: {answer}{f': {why}' if why else ''}")
                failed += [title] if why else []
        expect(project.rows()["nap/0"]["state"] == "running", "nobody was harmed")
    finally:
        project.close()
    expect(not failed, f"{failed}")
    if os.environ.get("THRUM_RECORD"):
        record(os.environ["THRUM_RECORD"], answers)


def a_hangup_stops_all_if_that_is_wanted():
    project = Project("hangup", {"nap": {"command": "sleep 600"}})
    try:
        project.run("up", "-d", check=0)
        pid = project.rows()["nap/0"]["pid"]
        screen = Screen(project, THRUM, "attach", "--stop-on-hangup")
        screen.sees("nap")
        screen.do("hangup")
        expect(screen.left() == "exit 0", "it ends")
        screen.close()
        until(lambda: not is_alive(pid) and not project.engine(), "all is stopped")
    finally:
        project.close()


def settings_hold_and_are_kept():
    project = Project("settings", {"nap": {"command": "sleep 600", "instances": 2}})
    path = project.dir + "/config/thrum/settings"
    try:
        project.run("up", "-d", check=0)
        screen = Screen(project, THRUM, "attach", env={"XDG_CONFIG_HOME": project.dir + "/config", "THRUM_SETTINGS": ""})
        screen.sees("nap/1")
        expect("c" in "".join(screen.do("attributes")), "there are colours")
        screen.keys(*":mouse on", "\\r")
        expect("mouse=1" in screen.modes(), screen.modes())
        screen.keys(*":theme mono", "\\r")
        expect(not set("cC") & set("".join(screen.do("attributes"))), "there are none")
        screen.keys("\\e[<0;4;6M")  # a click on nap/1
        screen.sees("follow nap/1")
        screen.keys("\\e[<64;4;6M")  # the wheel
        screen.lacks("follow nap/")
        screen.keys(*":key F2 events", "\\r", "\\eOQ")
        screen.sees("Events - Esc closes")
        screen.keys("\\e")
        expect(not os.path.exists(path), "nothing is written unless asked for")
        screen.keys(*":w", "\\r")
        screen.sees("settings are kept in")
        leave(screen, "attach")
        screen.close()
        with open(path) as f:
            expect(f.read() == "theme mono\nmouse on\nkey F2 events\n", "the file")
        with open(path, "a") as f:
            f.write("key F2 nonsense\n")
        screen = Screen(project, THRUM, "attach", size="160x30", env={"THRUM_SETTINGS": path})
        screen.sees(f"{path}:4:8: no action is called 'nonsense'")
        expect("mouse=1" in screen.modes(), "the other lines hold")
        leave(screen, "attach")
        screen.close()
        for args, env, colours in ((("--color", "256"), {"NO_COLOR": "1"}, True), (("--color=never",), {}, False)):
            screen = Screen(project, THRUM, "attach", *args, env=env)
            screen.sees("nap/1")
            expect(bool(set("cC") & set("".join(screen.do("attributes")))) == colours, f"{args} {env}")
            leave(screen, "attach")
            screen.close()
        done = project.run("attach", "--color=pink")
        expect(done.returncode == 2 and "--color takes auto, never, 8, 256, not 'pink'" in done.stderr, f"{done}")
    finally:
        project.close()


main(all_rows, a_hangup_stops_all_if_that_is_wanted, settings_hold_and_are_kept)
