#!/usr/bin/env python3
"""The Logs tab over a log that is far larger than what it keeps, in a real terminal: paging, finding, filtering, and how fast."""
import re

from lib_thrum import *
from lib_terminal import Terminal

if not shutil.which("tmux"):
    sys.exit(77)

MB = 1 << 20
BIG = int(os.environ.get("THRUM_MB", "400")) * MB
# lines of 100 bytes, each with its number
WRITE = ("import sys\nn=0\nwhile n<%d:\n s=''.join('line %%010d '%%i+'x'*83+'\\n' for i in range(n,n+10000))\n sys.stdout.write(s)\n n+=10000\n"
         "sys.stdout.flush()\nsys.stdout.write('the end\\n')\nsys.stdout.flush()\nimport time\ntime.sleep(600)\n")
LINES = BIG // 100 // 10000 * 10000
TIMED = r"\d\d:\d\d:\d\d\.\d+ line"


def with_viewer(services, test, **more):
    project = Project("viewer", services)
    terminal = Terminal(project, **dict({"width": 120, "height": 30}, **more))
    try:
        terminal.sees("thrum viewer", *services)
        test(project, terminal)
    finally:
        terminal.close()
        project.close()


def type_in(terminal, text, *keys):
    for letter in text:
        terminal.keys("Space" if letter == " " else letter)
    terminal.keys(*keys)


def shows(terminal, words, others, what):
    """In one and the same frame."""
    def is_shown():
        text = terminal.screen()
        return all(word in text for word in words) and not any(word in text for word in others)
    until(is_shown, what)


def seconds_until(terminal, *words, seconds=60):
    begin = time.monotonic()
    terminal.sees(*words, seconds=seconds)
    return time.monotonic() - begin


def seconds_of_a_key(terminal):
    """One that needs nothing of the log: how busy the machine is."""
    begin = time.monotonic()
    terminal.keys("t")
    terminal.until(lambda text: not re.search(TIMED, text), "times are shown otherwise")
    took = time.monotonic() - begin
    terminal.keys("t", "t")
    terminal.until(lambda text: re.search(TIMED, text), "and as before")
    return took


def prints_all_of_it(project):
    """More than it would keep in memory, and in order."""
    with subprocess.Popen([THRUM, "logs", "big", "-n", "0"], cwd=project.dir, env=project.env, stdout=subprocess.PIPE) as logs:
        lines, last = 0, b""
        for line in logs.stdout:
            words = line.split(b" | ")[1]
            expect(words > last or words == b"the end\n", f"{last} and then {words}")
            last, lines = words, lines + 1
        _, status, used = os.wait4(logs.pid, 0)
        logs.returncode = status
    expect(last == b"the end\n" and lines == LINES + 1, f"{lines} lines, the last one is {last}")
    expect(used.ru_maxrss < 64 * 1024, f"it took {used.ru_maxrss} kB")


def a_big_log_is_paged_and_searched():
    def test(project, terminal):
        terminal.sees("big", "running")
        terminal.keys("6", "z")
        terminal.sees("the end")
        usual = seconds_of_a_key(terminal)
        terminal.keys("g")
        oldest = seconds_until(terminal, "line 0000000000", "line 0000000005")
        terminal.keys("C-f", "C-f")
        terminal.sees("line 00000000%02d" % 20)
        terminal.keys("G")
        newest = seconds_until(terminal, "the end", "following")
        terminal.keys("C-b")
        terminal.sees("line %010d" % (LINES - 10), "G follows")
        terminal.keys("g", "/")
        type_in(terminal, "line %010d" % (LINES - 7), "Enter")
        terminal.sees("searched", "Esc stops")
        began = time.monotonic()
        terminal.keys("t")
        terminal.until(lambda text: not re.search(TIMED, text), "a key is obeyed while it searches")
        while_searching = time.monotonic() - began
        searched = seconds_until(terminal, "608 below, G follows")
        terminal.keys("n")
        terminal.sees("no such line after this")
        terminal.keys("g", "/")
        type_in(terminal, "not there", "Enter")
        terminal.sees("searched")
        terminal.keys("Escape")
        terminal.lacks("searched")
        terminal.sees("[6 Logs]", "Esc")
        terminal.keys("G", "\\")
        type_in(terminal, "0000012345 ", "Enter")
        filtered = seconds_until(terminal, "line 0000012345")
        print(f"    {BIG // MB} MB: oldest {oldest * 1000:.0f} ms, newest {newest * 1000:.0f} ms, a key while searching {while_searching * 1000:.0f} ms, "
              f"searched in {searched:.1f} s, filtered in {filtered:.1f} s")
        for what, took in (("oldest", oldest), ("newest", newest), ("a key while searching", while_searching)):
            expect(took < 2 + 10 * usual, f"{what}: {took:.2f} s, where a key that asks for nothing takes {usual:.2f} s")
        prints_all_of_it(project)
    with_viewer({"big": {"command": [sys.executable, "-c", WRITE % LINES], "log": {"rotate": {"max_size": "32MB", "max_files": 100}}}}, test)



def numbers(count, more=""):
    return {"command": ["sh", "-c", f"i=0; while [ $i -lt {count} ]; do echo line $i; i=$((i+1)); done; {more} exec sleep 600"]}


def searches_go_on_as_in_less():
    def test(project, terminal):
        terminal.keys("6", "z")
        terminal.sees("following", "line 299")
        terminal.keys("?")
        type_in(terminal, "7$", "Enter")
        until(lambda: selected(terminal) == "line 297", "? goes back")
        for key, wanted in (("n", "line 287"), ("n", "line 277"), ("N", "line 287"), ("N", "line 297")):
            terminal.keys(key)
            until(lambda: selected(terminal) == wanted, f"{key} goes to {wanted}")
        terminal.keys("g", "/", "Enter")
        until(lambda: selected(terminal) == "line 7", "/ goes forward, with the pattern of before")
        for key, wanted in (("n", "line 17"), ("n", "line 27"), ("N", "line 17")):
            terminal.keys(key)
            until(lambda: selected(terminal) == wanted, f"{key} goes to {wanted}")
        terminal.keys("N", "N")
        terminal.sees("no such line further back")
    with_viewer({"web": numbers(300)}, test)


def selected(terminal):
    """The line that is shown in reverse."""
    for line in terminal.tmux("capture-pane", "-p", "-e", "-t", "s").splitlines()[4:-2]:
        if re.match(r"(\x1b\[0?m)*\x1b\[[0-9;]*\b7m", line):
            return re.sub(r"\x1b[\[(][0-9;]*[mB]|\x0f", "", line).split(None, 1)[1].rstrip()
    return None


def lines_are_wrapped_and_moved_along():
    long = "".join("%04d " % i for i in range(60))
    def test(project, terminal):
        terminal.keys("6", "z")
        terminal.sees("the last", "0000 0001")
        expect("0059" not in terminal.screen(), "it is cut")
        terminal.keys("w")
        terminal.sees("0000 0001", "0059")
        terminal.keys("w", "l", "l")
        shows(terminal, ("0007",), ("0000",), "32 columns further")
        terminal.keys("h", "h")
        terminal.sees("0000 0001")
    with_viewer({"web": {"command": ["sh", "-c", f"echo '{long}'; echo the last; exec sleep 600"]}}, test, width=100)


def lines_are_marked_and_copied():
    def test(project, terminal):
        terminal.tmux("set-option", "-s", "set-clipboard", "on")
        terminal.keys("6", "z")
        terminal.sees("line 299")
        terminal.keys("k", "k", "y")
        terminal.sees("1 line copied")
        until(lambda: terminal.tmux("show-buffer") == "line 297", "it is in the clipboard")
        terminal.keys("m", "a", "k", "k", "Y", "a")
        terminal.sees("3 lines copied")
        until(lambda: terminal.tmux("show-buffer") == "line 295\nline 296\nline 297\n", "all from the mark to here")
        terminal.keys("g")
        until(lambda: selected(terminal) == "line 0", "the oldest")
        terminal.keys("'", "a")
        until(lambda: selected(terminal) == "line 297", "the mark is come back to")
        terminal.keys("'", "b")
        terminal.sees("there is no mark b")
    with_viewer({"web": numbers(300)}, test)


def colours_are_shown_and_nothing_else_is_obeyed():
    evil = (r"\033[31mred\033[0m \033[1;38;5;208morange\033[0m \033]0;title\007\033[4munder\033[0m \033]52;c;ZXZpbA==\007end\n"
            r"old\033[H\033[2Jnew\n10 of 100\r 99 of 100\r100 of 100 done\n")
    def test(project, terminal):
        terminal.keys("6", "z")
        terminal.sees("red orange under end", "--- cleared --- new", " 100 of 100 done")
        expect("old" not in terminal.screen() and "99 of" not in terminal.screen(), "what was written over is gone")
        with_colours = terminal.tmux("capture-pane", "-p", "-e", "-t", "s")
        expect(re.search(r"\x1b\[31m(\x1b\[[0-9;]*m)*red", with_colours), "red is red")
        expect(re.search(r"\x1b\[[0-9;]*38;5;208m(\x1b\[[0-9;]*m)*orange", with_colours), f"orange is orange: {with_colours!r}")
        expect(re.search(r"\x1b\[[0-9;]*4munder", with_colours), "what is underlined is")
        expect("title" not in terminal.tmux("display-message", "-p", "#{pane_title}"), "the title is not its")
    with_viewer({"web": {"command": ["printf", evil], "availability": {"restart": "no"}}}, test, before="TERM=tmux-256color")


def several_instances_are_read_together():
    script = "echo one of $THRUM_INSTANCE; exec sleep 600"
    def test(project, terminal):
        terminal.sees("web/1")
        terminal.keys("6")
        terminal.sees("web/0", "one of 0", "one of 1")
        terminal.keys("z")
        until(lambda: re.search(r"web/0 +one of 0", terminal.screen()) and re.search(r"web/1 +one of 1", terminal.screen()), "each with its name")
        terminal.keys("Escape", "j", "z")
        shows(terminal, ("one of 0",), ("one of 1",), "one alone")
        terminal.keys("Escape", "Space", "G", "Space", "z")
        shows(terminal, ("one of 0", "other/0"), ("one of 1",), "those that are tagged")
    with_viewer({"web": {"command": ["sh", "-c", script], "instances": 2}, "other": {"command": ["sh", "-c", "echo other; exec sleep 600"]}}, test)


def the_engine_may_die_meanwhile():
    count = "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"
    def newest(terminal):
        return max([int(n) for n in re.findall(r"line (\d+)", terminal.screen())] or [0])
    def test(project, terminal):
        terminal.keys("6", "z")
        until(lambda: newest(terminal) > 5, "it is followed")
        os.kill(hello(project)["engine_pid"], signal.SIGKILL)
        before = newest(terminal)
        until(lambda: newest(terminal) > before + 20, "it is followed again")
        shown = [int(n) for n in re.findall(r"line (\d+)", terminal.screen())]
        expect(shown == list(range(shown[0], shown[-1] + 1)), f"every line once: {shown}")
    with_viewer({"web": {"command": ["sh", "-c", count]}}, test)


def a_filter_stays_where_it_was_put_on():
    def test(project, terminal):
        terminal.keys("6", "z")
        terminal.sees("following", "line 299")
        terminal.keys("g", "\\")
        type_in(terminal, "9$", "Enter")
        terminal.sees("line 9", "line 19", "line 229", "G follows", "filter 9$")
        until(lambda: selected(terminal) == "line 9", "the first that is let through from there")
        terminal.keys("\\", "C-u", "Enter")
        until(lambda: selected(terminal) == "line 9" and "line 8" in terminal.screen(), "and there it is taken off")
    with_viewer({"web": numbers(300)}, test)


main(searches_go_on_as_in_less, lines_are_wrapped_and_moved_along, lines_are_marked_and_copied, colours_are_shown_and_nothing_else_is_obeyed,
     several_instances_are_read_together, the_engine_may_die_meanwhile, a_filter_stays_where_it_was_put_on, a_big_log_is_paged_and_searched)
