#!/usr/bin/env python3
"""What one does at the dashboard all day: namespaces, rows of threads, events, a stop that takes its time, settings."""
import datetime

from lib_vt import *

needs_vterm()

STUBBORN = "trap '' TERM; while :; do sleep 0.2; done"


def with_board(test, size="110x30", command=("up",), **services):
    project = Project("board", services)
    os.symlink(f"{os.path.dirname(THRUM)}/thrum-workload", f"{project.dir}/thrum-workload")
    settings = f"{project.dir}/settings"
    screen = Screen(project, THRUM, *command, size=size, env={"THRUM_SETTINGS": settings})
    try:
        test(project, screen)
    finally:
        screen.close()
        project.close()


def press(screen, *keys):
    """Each is shown before the next is typed."""
    names = {"Enter": "\\r", "Escape": "\\e", "Space": " ", "F5": "\\e[15~", "\\": "\\\\"}
    screen.keys(*(names.get(key, key) for key in keys))


def typed(screen, text):
    """Behind a colon."""
    press(screen, ":", *text, "Enter")


def namespaces_are_chosen_and_named():
    def test(project, screen):
        screen.sees("api", "db", "plain", "running")
        press(screen, "@")
        screen.sees("all namespaces", "jobs", "web")
        press(screen, "3")
        screen.sees("ns web", "ns web,front")
        screen.lacks("   plain ")
        typed(screen, "ns jobs")
        screen.sees("ns jobs", "db")
        screen.lacks("   api ")
        typed(screen, "ns nowhere")
        screen.sees("nothing is in a namespace 'nowhere'")
        press(screen, "Escape")
        screen.sees("plain", "api")
        expect(project.json("ps", "api")[0]["namespaces"] == ["web", "front"], "they are told")
        expect("namespaces" not in project.json("ps", "plain")[0], "of who has some")
    with_board(test, db={"command": "sleep 600", "namespace": "jobs"}, api={"command": "sleep 600", "namespace": ["web", "front"]},
               plain={"command": "sleep 600"})


def threads_have_rows_while_they_are_wanted():
    def test(project, screen):
        screen.sees("many", "running")
        pid = project.rows()["many/0"]["pid"]
        press(screen, "H")
        screen.sees("threads on", "├─", "└─")
        tid = max(int(t) for t in os.listdir(f"/proc/{pid}/task"))
        screen.sees(str(tid))
        until(lambda: f"thread {tid}" in screen.screen() or press(screen, "j"), "the row of that thread")
        press(screen, "Enter")
        screen.sees("[2 Threads]", "SYSCALL")
        press(screen, "Escape", "H")
        screen.sees("threads off", "follow many/0")
        screen.lacks("├─")
    with_board(test, many={"command": "./thrum-workload block"}, nap={"command": "sleep 600"})


def events_are_searched_filtered_and_gone_to():
    def test(project, screen):
        screen.sees("bad", "fatal", "new events (E)")
        press(screen, "E")
        screen.sees("Events", "bad/0 fatal exit 3", "nap/0 started", "* new")
        press(screen, "/", *"nap", "Enter", "Enter")
        screen.sees("follow nap/0")
        press(screen, "E", "\\", *"fatal", "Enter")
        screen.sees("only those with fatal")
        screen.lacks("started")
        press(screen, "Enter")
        screen.sees("follow bad/0")
        screen.lacks("new events (E)")
        press(screen, "E", "Escape")
        screen.sees("nap/0 started")
        press(screen, "/", "(")
        screen.sees("missing closing parenthesis")
        press(screen, "Escape", "Escape")
        screen.lacks("Events -")
    with_board(test, bad={"command": "exit 3", "availability": {"restart": "on_failure", "max_restarts": 0}}, nap={"command": "sleep 600"})


def a_stop_tells_what_is_left_and_can_wait():
    def test(project, screen):
        screen.sees("stubborn", "running")
        until(lambda: project.log("stubborn/0"), "it listens to nothing")
        press(screen, "x")
        screen.sees("KILL in", "still there:", "sh ", "w Wait 30s more")
        before = project.rows()["stubborn/0"]["deadline"]
        press(screen, "w")
        screen.sees("stubborn/0 has 30 s more")
        until(lambda: seconds(project.rows()["stubborn/0"]["deadline"]) > seconds(before) + 25, "there is more time")
        press(screen, "K")
        screen.sees("stopped")
        screen.lacks("KILL in")
    with_board(test, stubborn={"command": "echo ready; " + STUBBORN, "shutdown": {"timeout": "60s"}})


def seconds(time):
    return datetime.datetime.fromisoformat(time.replace("Z", "+00:00")).timestamp()


def how_the_table_is_shown_is_kept_only_when_asked_for():
    def test(project, screen):
        path = f"{project.dir}/settings"
        screen.sees("nap", "running", "CPU 60s")
        typed(screen, "columns state,pid,fds")
        screen.sees("FDS")
        screen.lacks("CPU%")
        press(screen, "M", "F5")
        screen.sees("sort memory▼", "tree off")
        typed(screen, "delay 2s")
        screen.sees("tick 2s")
        typed(screen, "columns stat")
        screen.sees("columns takes state, ns, pid")
        expect(not os.path.exists(path), "nothing is written unasked")
        typed(screen, "w")
        screen.sees("settings are kept in")
        with open(path) as f:
            kept = f.read()
        expect(kept == "sort memory\ntree off\ncolumns state,pid,fds\ndelay 2000ms\n", f"all that was chosen: {kept}")
        again = Screen(project, THRUM, "attach", size="110x30", env={"THRUM_SETTINGS": path})
        try:
            again.sees("sort memory▼", "tree off", "tick 2s", "FDS")
        finally:
            again.close()
    with_board(test, nap={"command": "sleep 600", "instances": 2})


def a_service_is_a_template_of_a_launch():
    def test(project, screen):
        screen.sees("api", "running")
        press(screen, "a", "\\x14")
        screen.sees("as api; what has no field here is as usual; what is secret", "> Command     sh -c 'sleep 600 # it'", "api-2", "PORT=8080",
                    "(*) always", "(*) INT", "12000ms", "209715200", "ops", "(*) json")
        expect("hush" not in screen.screen(), "a secret is not shown")
        press(screen, "\\x14")
        screen.sees("as piped;", "(*) yes", "echo A | cat; sleep 600", "piped-2")
        press(screen, "Enter")
        screen.sees("launched piped-2", "u undoes launch piped-2")
        until(lambda: project.log("piped-2/0") == b"A\n", "a shell has run it")
        press(screen, "u")
        screen.sees("taken back: launch piped-2")
        until(lambda: project.rows()["piped-2/0"]["state"] == "stopped", "it is stopped")
    with_board(test, api={"command": ["sh", "-c", "sleep 600 # it"], "namespace": "ops", "ipc": "json",
                          "environment": {"PORT": "8080", "API_TOKEN": "hush"}, "availability": {"restart": "always"},
                          "shutdown": {"signal": "INT", "timeout": "12s"},
                          "limits": [{"metric": "rss", "over": "200MB", "action": "restart"}]},
               piped={"command": "echo A | cat; sleep 600"})


def what_was_done_is_taken_back():
    def test(project, screen):
        found = lambda: [project.rows()[f"nap/{i}"]["state"] for i in range(3)]
        screen.sees("3/3 up")
        project.run("stop", "nap/1", check=0)
        press(screen, "g", "u")
        screen.sees("nothing was done here")
        press(screen, "x", "y")
        until(lambda: found() == ["stopped"] * 3, "all are stopped")
        screen.sees("u undoes stop nap/0 and 1 more")
        press(screen, "u")
        screen.sees("taken back: stop nap/0 and 1 more")
        until(lambda: found() == ["running", "stopped", "running"], "who was up is up again")
        press(screen, "+")
        until(lambda: "nap/3" in project.rows(), "one more")
        press(screen, "u")
        until(lambda: "nap/3" not in project.rows(), "and it is gone")
        typed(screen, "undo")
        screen.sees("nothing was done here")
    with_board(test, nap={"command": "sleep 600", "instances": 3})


def states_and_tags_and_plural_actions():
    def test(project, screen):
        screen.sees("bad", "failed 3", "nap/1")
        press(screen, "&", "3")
        screen.sees("filter in trouble", "bad")
        screen.lacks("─ nap/1")
        press(screen, "Escape")
        screen.sees("nap/1")
        press(screen, "g")
        until(lambda: "follow nap/0" in screen.screen() or press(screen, "j"), "the row of nap/0")
        press(screen, "Space", "Space")
        screen.sees("tagged 2")
        press(screen, "x")
        screen.sees("Stop 2 tagged?", "nap/0", "nap/1", "K Kill now")
        press(screen, "Enter")
        expect(project.rows()["nap/0"]["state"] == "running", "Enter is Cancel")
        press(screen, "x", "y")
        until(lambda: all(project.rows()[f"nap/{i}"]["state"] == "stopped" for i in (0, 1)), "both are stopped")
        press(screen, "U")
        screen.lacks("tagged 2")
    with_board(test, bad={"command": "exit 3", "availability": {"restart": "no"}}, nap={"command": "sleep 600", "instances": 2})


main(namespaces_are_chosen_and_named, threads_have_rows_while_they_are_wanted, events_are_searched_filtered_and_gone_to,
     a_stop_tells_what_is_left_and_can_wait, how_the_table_is_shown_is_kept_only_when_asked_for,
     a_service_is_a_template_of_a_launch, what_was_done_is_taken_back, states_and_tags_and_plural_actions)
