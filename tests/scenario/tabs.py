#!/usr/bin/env python3
"""The tabs of the dashboard in a real terminal, with real Node processes: what they do inside, and what they say."""
import json, re

from lib_thrum import *
from lib_terminal import Terminal

NODE = shutil.which("node")
if not NODE or not shutil.which("tmux"):
    sys.exit(77)

TALK = """let n=0;setInterval(()=>process.send({type:'status',n:n++,text:'\\u001b[2Jred'}),50);
process.on('message',m=>process.send({requestId:m.requestId,result:42}));"""
WORK = """process.on('message',m=>{const t=Date.now();while(Date.now()-t<m.payload.ms);
process.send({type:'task_complete',taskId:m.payload.id,result:'done'});});"""
BUSY = "const c=require('crypto');for(let i=0;i<60;i++)c.pbkdf2('a','b',20000000,64,'sha512',()=>{});setInterval(()=>{},1000);"


def node(script, **more):
    return dict({"command": [NODE, "-e", script]}, **more)


def with_tabs(test):
    project = Project("tabs", {
        "talk": node(TALK, ipc="json", environment={"API_TOKEN": "not-to-be-seen", "COLOUR": "blue"},
                     readiness_probe={"exec": {"command": "echo fine"}, "period_seconds": 1}),
        "work": node(WORK, pool={"size": 2}), "busy": node(BUSY, availability={"restart": "no"})})
    terminal = Terminal(project, width=130, height=40)
    try:
        terminal.sees("talk", "work/1", "busy", "ready")
        test(project, terminal)
    finally:
        terminal.close()
        project.close()


def select(terminal, name, *keys):
    terminal.keys("/", *name, "Enter", *keys)


def what_it_does_inside_is_shown():
    def test(project, terminal):
        select(terminal, "busy", "2")
        terminal.sees("pool worker", "main", "sorted by CPU")
        terminal.keys("z", "<")
        terminal.sees("sorted by number")
        terminal.keys("3")
        terminal.sees("libuv", "56   work 56", "at the most 5")
        terminal.keys("1")
        terminal.sees("libuv", "56", "VARIABLES", "thrum        THRUM_SERVICE=busy")
    with_tabs(test)


def a_process_is_told_by_its_configuration_without_its_secrets():
    def test(project, terminal):
        select(terminal, "talk", "1")
        terminal.sees("readiness by exec: well", "said: fine")
        terminal.keys("z")
        terminal.sees("API_TOKEN=********", "COLOUR=blue")
        expect("not-to-be-seen" not in terminal.screen(), "a secret is masked")
    with_tabs(test)


def messages_are_seen_as_they_come():
    def test(project, terminal):
        select(terminal, "talk", "4")
        terminal.sees("engine <-> channel", "messages of talk/0", '"type":"status"', "thrum-keeper")
        until(lambda: re.search(r"\((1[0-9]|2[0-9])/s", terminal.screen()), "how many a second: about 20")
        terminal.keys("z", "\\")
        for letter in 'n":\\d*7,':
            terminal.keys(letter)
        terminal.keys("Enter")
        terminal.sees("; filter n")
        until(lambda: re.search(r'"n":\d*7,', terminal.screen()) and not re.search(r'"n":\d*[0-689],', terminal.screen()),
              "only those that the filter lets through")
        terminal.keys("j", "Enter")
        terminal.sees('  "type": "status",')
        terminal.keys("Escape")
        terminal.sees("messages of talk/0")
        terminal.keys("p")
        terminal.sees("PAUSED (p goes on)", "since")
        terminal.keys("w", *["C-u"], *"heard.jsonl", "Enter")
        terminal.sees("messages saved to heard.jsonl")
        with open(project.dir + "/heard.jsonl") as f:
            saved = [json.loads(line) for line in f]
        expect(saved and all(one["service"] == "talk" and json.loads(one["text"])["type"] == "status" for one in saved), f"{saved[:3]}")
        terminal.keys("m")
        for letter in '{"requestId":7}':
            terminal.keys(letter)
        terminal.keys("Enter")
        terminal.sees("Send a message to talk/0", "answered in", '{"requestId":7,"result":42}')
        terminal.keys("Up")
        terminal.sees('{"requestId":7}_', "valid JSON")
        terminal.keys("x")
        terminal.sees("no JSON: it is sent as a string")
        terminal.keys("Escape")
    with_tabs(test)


def the_map_shows_the_project_and_findings_are_copied():
    port = free_port()
    serve = f"import socket,time;l=socket.create_server(('127.0.0.1',{port}));c,_=l.accept();time.sleep(1000)"
    call = ("import socket,time\n"
            "while True:\n"
            "  try: s=socket.create_connection(('127.0.0.1',%d));break\n"
            "  except OSError: time.sleep(0.05)\n"
            "time.sleep(1000)") % port
    project = Project("map", {"db": {"command": [sys.executable, "-c", serve]}, "web": {"command": [sys.executable, "-c", call]}})
    terminal = Terminal(project, width=120, height=30)
    try:
        terminal.sees("db", "web")
        terminal.tmux("set-option", "-g", "set-clipboard", "on")
        terminal.keys("4", "z", "o")
        terminal.sees("web/0 <-> db/0  tcp", f"db/0 listens at 127.0.0.1:{port}", "o Messages")
        terminal.keys("o")
        terminal.sees("messages of")
        terminal.keys("1")
        terminal.sees("y Copy", "its main thread is waiting in")
        terminal.keys("y")
        terminal.sees("sentences copied")
        until(lambda: "- its main thread is waiting in" in terminal.tmux("show-buffer"), "it is on the clipboard")
        expect(terminal.tmux("show-buffer").startswith("db/0, process "), terminal.tmux("show-buffer"))
    finally:
        terminal.close()
        project.close()


def a_pool_of_processes_is_seen_and_drained():
    def test(project, terminal):
        project.write("tasks", "".join('{"ms":%d}\n' % (20 if i else 12000) for i in range(200)))
        select(terminal, "work", "3", "z")
        terminal.sees("POOL work, of processes: 2 there, 2 wanted, 1 tasks each; 0 run, 0 wait")
        submit = subprocess.Popen([THRUM, "submit", "work", "--from", "tasks"], cwd=project.dir, env=project.env,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            terminal.sees("submitted 200", "2 run,")
            terminal.sees("much longer than others")
            terminal.keys("d")
            terminal.sees("DRAINING")
            terminal.keys("d")
            terminal.lacks("DRAINING")
            expect(submit.wait(60) == 0, "all are answered")
            terminal.sees("completed 200")
            terminal.keys("t")
            terminal.sees("PAST", "POOL work", "at the most")
            terminal.keys("Escape")
            terminal.lacks("PAST")
        finally:
            submit.kill()
            submit.wait()
        terminal.keys("+")
        terminal.sees("3 there, 3 wanted")
    with_tabs(test)


def the_stack_of_a_thread_is_shown_after_asking():
    project = Project("where", {"nap": {"command": ["sleep", "1000"]}})
    terminal = Terminal(project, width=110, height=30)
    try:
        terminal.sees("nap", "running")
        if "without elfutils" in project.run("threads", "nap", "--stack", check=0).stdout:
            return
        terminal.keys("z", "w")
        terminal.sees("nap/0 memory and files", "(PSS)", "FD KIND", "/dev/null")
        terminal.keys("Escape")
        terminal.keys("2")
        # one that was stopped before goes on by restart_syscall
        until(lambda: re.search("main .*(clock_nanosleep|restart_syscall)", terminal.screen()), "what its main thread sleeps in")
        terminal.keys("w")
        terminal.sees("Stop thread", "> [ n Cancel ]")
        terminal.keys("Enter")
        terminal.lacks("Stop thread")
        terminal.keys("w")
        terminal.sees("Stop thread")
        terminal.keys("y")
        terminal.sees("nap/0 thread", "clock_nanosleep", "__libc_start_main")
        terminal.keys("Escape")
        terminal.lacks("__libc_start_main")
        terminal.sees("main")
    finally:
        terminal.close()
        project.close()


def a_pool_is_drained_and_sized_where_it_is_stopped():
    def test(project, terminal):
        select(terminal, "work/0", "Up", "x")
        terminal.sees("Stop work (all its 2 instances)?", "[ d Drain ]")
        terminal.keys("d")
        terminal.sees("2/2 draining")
        expect("takes no tasks" in project.run("submit", "work", '{"ms":1}').stderr, "it takes no more")
        terminal.keys("u")
        terminal.sees("2/2 up")
        project.run("submit", "--wait", "work", '{"ms":1}', check=0)
        terminal.keys("=", "0", "Enter")
        terminal.sees("work, 1 to 1000 workers, now 2: 0_", "from 1 to 1000 workers")
        terminal.keys("BSpace", "3", "Enter")
        terminal.sees("3/3 up", "work/2")
    with_tabs(test)


def a_pool_of_threads_is_sized():
    project = Project("threads", {"jobs": {"command": [os.path.join(WORKER, "pooler")]}})
    terminal = Terminal(project, width=130, height=30)
    try:
        terminal.sees("jobs", "running")
        terminal.keys("3", "z")
        terminal.sees("thrum  jobs", "jobs: 2 of 2 threads")
        terminal.until(lambda text: re.search(r"run p50 [1-9]\d*\.", text), "how long its tasks take: 1 ms, or more on a machine that is busy")
        terminal.keys("+")
        terminal.sees("jobs: 3 of 3 threads")
        terminal.keys("-", "-")
        terminal.sees("jobs: 1 of 1 threads")
        expect(len(project.rows()) == 1, "no instance was added or taken away")
    finally:
        terminal.close()
        project.close()


def a_log_is_searched_and_filtered():
    script = "i=0; while [ $i -lt 300 ]; do echo line $i; i=$((i+1)); done; echo went wrong >&2; echo; echo 'the end'; exec sleep 600"
    project = Project("lines", {"talk": {"command": ["sh", "-c", script]}})
    terminal = Terminal(project, width=100, height=24)

    def type_in(*text):
        for letter in "".join(text):
            terminal.keys(letter)
        terminal.keys("Enter")
    try:
        terminal.sees("talk", "running")
        terminal.keys("6", "z")
        terminal.sees("following", "the end", "line 299")
        terminal.keys("?")
        type_in("e 42$")
        terminal.sees("G follows", "line 42", "line 41")
        expect("line 43" not in terminal.screen(), "it is the last that is seen")
        terminal.keys("n")
        terminal.sees("no such line further back")
        terminal.keys("G", "e")
        terminal.sees("went wrong")
        terminal.keys("e")
        terminal.sees("no error further back")
        terminal.keys("\\")
        type_in("^line 1\\d$")
        terminal.sees("; filter ^line 1", "line 10", "line 19")
        terminal.keys("S", "C-u")
        type_in("some.log")
        terminal.sees("10 lines saved to some.log")
        with open(project.dir + "/some.log") as f:
            expect([line.split(" ", 1)[1] for line in f.read().splitlines()] == [f"line {n}" for n in range(10, 20)], "those that are seen")
        terminal.keys("t", "t")
        until(lambda: re.search("^ line 19", terminal.screen(), re.M), "no times")
    finally:
        terminal.close()
        project.close()


def the_screen_goes_back_in_time():
    def test(project, terminal):
        project.run("stop", "busy")
        terminal.sees("stopped")
        terminal.keys("t")
        terminal.lacks("stopped")
        terminal.sees("PAST", "t b 5 s")
        expect(project.rows()["busy/0"]["state"] == "stopped", "nothing was done to it")
        terminal.keys("2")
        terminal.sees("not measured then")
        terminal.keys("b", "b", "b")
        terminal.lacks("PAST")
        terminal.sees("stopped")
        terminal.keys(*":past 1h", "Enter")
        terminal.sees("PAST")
        terminal.keys("t")
        terminal.sees("nothing is kept of what was before")
        terminal.keys("Escape")
        terminal.lacks("PAST")
    with_tabs(test)


main(what_it_does_inside_is_shown, the_map_shows_the_project_and_findings_are_copied,
     a_process_is_told_by_its_configuration_without_its_secrets, messages_are_seen_as_they_come,
     a_pool_of_processes_is_seen_and_drained, a_pool_is_drained_and_sized_where_it_is_stopped, a_pool_of_threads_is_sized, the_stack_of_a_thread_is_shown_after_asking,
     a_log_is_searched_and_filtered, the_screen_goes_back_in_time)
