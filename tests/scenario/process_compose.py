#!/usr/bin/env python3
"""A file of process-compose runs as it did there: what ends a project, daemons, templates, logs, schedules."""
import json, os, signal
from lib_thrum import PORTS, Project, comes_to, events_of, expect, is_alive, kill_engine, main, state, take_port, until

DAEMON = r'''
import os, signal, sys, time
if os.fork(): sys.exit(int(sys.argv[1]))
os.setsid()
if os.fork(): sys.exit(0)
signal.signal(signal.SIGTERM, lambda *_: (open("ended", "w").write("TERM"), os._exit(0)))
open("pid.new", "w").write(str(os.getpid())); os.rename("pid.new", "pid")
print("up", flush=True)
while True: time.sleep(1000)
'''


def project(text, **files):
    made = Project("home", {})
    os.unlink(made.dir + "/thrum.yaml")
    made.write("process-compose.yaml", text)
    made.env["THRUM_PROJECT"] = made.name
    for name, content in files.items():
        made.write(name.replace("__", "."), content)
    return made


def ends(p, status, what):
    front = p.headless()
    until(lambda: front.poll() is not None, what)
    expect(front.returncode == status, f"{what}: status {front.returncode}, not {status}: {open(p.dir + '/err').read()}")


def the_end_of_one_is_that_of_all():
    p = project("""
processes:
  db: {command: sleep 1000, readiness_probe: {exec: {command: "true"}, period_seconds: 1}}
  tests: {command: "echo tested; exit 7", availability: {exit_on_end: true}, depends_on: {db: {condition: process_healthy}}}
""")
    try:
        ends(p, 7, "tests end")
        events = [(r["event"], r["service"]) for r in p.records() if r["kind"] == "event"]
        expect(("stopped", "db") in events, f"{events}")
        p.write("process-compose.yaml", "processes: {a: {command: 'true', availability: {exit_on_end: true}}, b: {command: sleep 1000}}")
        ends(p, 0, "a good end")
        p.write("process-compose.yaml", "processes: {a: {command: 'kill -9 $$$$', availability: {exit_on_end: true}}, b: {command: sleep 1000}}")
        ends(p, 137, "an end by a signal")
        p.write("process-compose.yaml", "processes: {a: {command: 'exit 5', availability: {restart: exit_on_failure}}, b: {command: sleep 1000}}")
        ends(p, 5, "a failure")
    finally:
        p.close()


def restarts_come_before_the_end():
    p = project("""
processes:
  tests:
    command: "echo run >> runs; test $(wc -l < runs) = 3"
    availability: {restart: on_failure, backoff_seconds: 0, max_restarts: 5, exit_on_end: true}
  b: {command: sleep 1000}
""")
    try:
        ends(p, 0, "the third run is good")
        expect(p.log_at("runs") == b"run\n" * 3, f"{p.log_at('runs')}")
    finally:
        p.close()


def one_that_can_never_start_ends_all():
    p = project("""
processes:
  a: {command: "false"}
  b: {command: echo never, availability: {exit_on_skipped: true}, depends_on: {a: {condition: process_completed_successfully}}}
  c: {command: sleep 1000}
""")
    try:
        ends(p, 1, "it is skipped")
        expect(not p.log("b/0"), "it has not run")
    finally:
        p.close()


def a_daemon_is_held():
    """Its signals, its output, its end, and its end by us: as of any other process, although nobody is its parent."""
    p = project("""
processes:
  d: {command: "python3 d.py 0", is_daemon: true, launch_timeout_seconds: 2, availability: {restart: always, backoff_seconds: 0}}
""", d__py=DAEMON)
    pid = lambda: int(p.log_at("pid") or 0)
    try:
        p.run("up", "-d", check=0)
        until(lambda: pid() and p.log("d/0") == b"up\n", "it is up, and its output is there")
        first = pid()
        expect(state(p, "d/0") == "running", f"{p.rows()}")
        os.kill(first, signal.SIGKILL)
        until(lambda: pid() != first and is_alive(pid()), "another one is started when it dies")
        died = p.json("history", "d")[0]
        expect(died["signal"] in (9, "KILL", "SIGKILL"), f"as it ended: {died}")
        second = pid()
        p.run("stop", "d", check=0)
        until(lambda: state(p, "d/0") == "stopped", "stopped")
        expect(not is_alive(second) and p.log_at("ended") == b"TERM", f"it had the signal, and is gone: {p.log_at('ended')} {p.json('history', 'd')}")
        os.unlink(p.dir + "/pid")
        p.run("start", "d", check=0)
        until(lambda: pid() and is_alive(pid()), "up again")
        third = pid()
        kill_engine(p)
        comes_to(p, "d/0", "running")  # another engine has it
        p.run("down", check=0)
        expect(not is_alive(third), "nothing is left of it")
    finally:
        p.close()


def a_daemon_that_fails_or_is_nowhere():
    p = project("""
processes:
  bad: {command: "python3 d.py 3", is_daemon: true}
  none: {command: "/no/such/program", is_daemon: true}
  away: {command: "true", is_daemon: true, shutdown: {command: "touch asked"}}
""", d__py=DAEMON)
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "bad/0") == "failed" and state(p, "none/0") == "failed", "they have failed")
        expect(p.json("history", "bad")[0]["code"] == 3 and p.json("history", "none")[0]["code"] == 127, f"{p.json('history')}")
        expect(b"/no/such/program: No such file" in p.log("none/0", "err"), "and say why")
        until(lambda: not is_alive(int(p.log_at("pid") or 1)) or p.log_at("pid") == b"", "what a failed command left is gone")
        until(lambda: state(p, "away/0") == "running", "one whose work is done elsewhere stays")
        p.run("stop", "away", check=0)
        until(lambda: state(p, "away/0") == "stopped" and os.path.exists(p.dir + "/asked"), "until it is told to end")
    finally:
        p.close()


def what_is_for_a_terminal_waits_for_somebody():
    p = project("processes:\n  ed: {command: 'tty; sleep 1000', is_foreground: true}\n  a: {command: sleep 1000}\n")
    try:
        p.run("up", "-d", check=0)
        until(lambda: state(p, "a/0") == "running", "the other runs")
        expect(state(p, "ed/0") == "disabled", f"{p.rows()['ed/0']}")
        p.run("start", "ed", check=0)
        until(lambda: b"/dev/pts/" in p.log("ed/0"), "it has a terminal")
    finally:
        p.close()


SERVER = """
import http.server, os, sys
print(os.environ["MINE"], os.environ["PC_PROC_NAME"], os.environ["PC_REPLICA_NUM"], os.getcwd().rsplit("/", 1)[1], flush=True)
print("trouble", file=sys.stderr, flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def instances_differ_by_their_number():
    port = next(base for base in PORTS if base % 10 == 0 and all(take_port(base + i) for i in range(3)))
    p = project("""
vars: {PORT: %d, GREETING: hi}
log_configuration: {add_timestamp: true}
processes:
  web:
    vars: {GREETING: hello}
    command: "python3 ../s.py {{.PORT}}{{.PC_REPLICA_NUM}}"
    working_dir: "./w{{.PC_REPLICA_NUM}}"
    environment: ["MINE={{.GREETING}}-{{.PC_REPLICA_NUM}}"]
    log_location: "./web.{PC_REPLICA_NUM}.log"
    replicas: 2
    readiness_probe: {http_get: {host: 127.0.0.1, port: "{{.PORT}}{{.PC_REPLICA_NUM}}", path: "/"}, period_seconds: 1}
""" % (port // 10), s__py=SERVER)
    try:
        for i in range(2):
            os.mkdir(f"{p.dir}/w{i}")
        p.run("up", "-d", check=0)
        until(lambda: state(p, "web/0") == state(p, "web/1") == "ready", "each is asked at its own port")
        for i in range(2):
            expect(p.log(f"web/{i}") == f"hello-{i} web {i} w{i}\n".encode(), f"{p.log(f'web/{i}')}")
            lines = until(lambda: [json.loads(line) for line in p.log_at(f"web.{i}.log").splitlines() if b"trouble" in p.log_at(f"web.{i}.log")], "the file")
            told = {(line["level"], line["process"], line["replica"], line["message"]) for line in lines}
            expect(("info", "web", i, f"hello-{i} web {i} w{i}") in told and ("error", "web", i, "trouble") in told, f"{told}")
            expect(all(line["time"].endswith("Z") for line in lines), f"{lines}")
        os.mkdir(p.dir + "/w2")
        p.run("scale", "web", "3", check=0)
        until(lambda: state(p, "web/2") == "ready", "one that comes later")
    finally:
        p.close()


def one_log_for_all_is_one_for_each():
    p = project("log_location: ./all.log\nprocesses:\n  a: {command: echo one}\n  b: {command: echo two, log_configuration: {disable_json: true}}\n")
    try:
        p.run("up", "-d", check=0)
        until(lambda: p.log_at("all-a.log").endswith(b"\n") and p.log_at("all-b.log").endswith(b"\n"), "both files")
        expect(json.loads(p.log_at("all-a.log"))["message"] == "one" and p.log_at("all-b.log") == b"two\n", f"{p.log_at('all-a.log')}")
    finally:
        p.close()


def a_schedule_runs_at_once_and_side_by_side():
    p = project("""
processes:
  soon: {command: echo run, schedule: {interval: 1h, run_on_start: true}}
  later: {command: echo run, schedule: {interval: 1h}}
  side: {command: sleep 1000, schedule: {interval: 200ms, max_concurrent: 3}}
""")
    try:
        p.headless()
        until(lambda: events_of(p, "soon", "completed"), "a run at once")
        until(lambda: state(p, "soon/0") == "scheduled" and state(p, "later/0") == "scheduled", "and then by the hour")
        expect(p.rows()["soon/0"]["deadline"] and not events_of(p, "later", "started"), "the other waits")
        until(lambda: [state(p, f"side/{i}") for i in range(3)] == ["running"] * 3, "three at a time")
        until(lambda: any("left out" in r["detail"] for r in events_of(p, "side", "skipped")), "and no more")
        starts = until(lambda: len(starts := [r["ts"] for r in events_of(p, "side", "started")]) >= 3 and starts, "three are told")
        expect(len(starts) == 3 and len(set(starts)) == 3, f"one after another: {starts}")
        os.kill(p.rows()["side/1"]["pid"], signal.SIGTERM)
        until(lambda: len(events_of(p, "side", "started")) == 4, "a place that gets free is taken")
        kill_engine(p)
        until(lambda: [state(p, f"side/{i}") for i in range(3)] == ["running"] * 3, "also after the engine was killed")
    finally:
        p.close()


def what_is_not_for_thrum_is_told():
    p = project("processes:\n  a: {command: x, is_elevated: true, shutdown: {send_keys: q}}\nenv_cmds: {A: date}\n")
    try:
        said = p.run("check", check=2).stderr
        for what in ("2:32: is_elevated is not for thrum: it asks for no passwords; start thrum as root, or write `sudo -n` into the command",
                     "send_keys is not for thrum: type them by a command: `command: thrum send-keys NAME KEYS`",
                     "3:11: env_cmds is not for thrum: write NAME=$(COMMAND) in front of the command that needs it"):
            expect(what in said, said)
    finally:
        p.close()


main(the_end_of_one_is_that_of_all,
     restarts_come_before_the_end,
     one_that_can_never_start_ends_all,
     a_daemon_is_held,
     a_daemon_that_fails_or_is_nowhere,
     what_is_for_a_terminal_waits_for_somebody,
     instances_differ_by_their_number,
     one_log_for_all_is_one_for_each,
     a_schedule_runs_at_once_and_side_by_side,
     what_is_not_for_thrum_is_told)
