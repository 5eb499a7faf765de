#!/usr/bin/env python3
"""What tells how a process is, and what is done about it: readiness, probes, limits, watchdog, order, groups."""
import http.server, os, signal, socket, sys, threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Project, comes_to, events_of, expect, kill_engine, main, marked, state, until

NOTIFY = r'''
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
a = os.environ["NOTIFY_SOCKET"]
def tell(text): s.sendto(text.encode(), "\0" + a[1:] if a[0] == "@" else a)
'''


def deaths(p, service):
    return [d for d in p.json("history") if d["service"] == service]


class Web:
    """A server whose answer can be changed."""
    def __init__(self):
        self.status, self.asked, self.headers = 200, 0, {}
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                web.asked, web.headers, web.path = web.asked + 1, dict(self.headers), self.path
                self.send_response(web.status)
                self.end_headers()
                self.wfile.write(b"x" * 3000)

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def a_line_of_its_output_says_that_it_is_ready():
    p = Project("logline", {
        "db": {"command": ["sh", "-c", "echo listening; read x < gate; printf 'listening '; echo 'on 5432'; exec sleep 1000"],
               "ready": {"log": r"listening on \d+", "timeout": "60s"}},
        "err": {"command": ["sh", "-c", "echo 'up now' >&2; exec sleep 1000"], "ready_log_line": "up now"},
        "web": {"command": "sleep 1000", "depends_on": {"db": {"condition": "process_log_ready"}, "err": {"condition": "process_healthy"}}}})
    try:
        os.mkfifo(p.dir + "/gate")
        p.run("up", "-d", check=0)
        comes_to(p, "err/0", "ready")
        expect(state(p, "db/0") == "running", "half a line is no line")
        row = p.rows()["web/0"]
        expect(row["state"] == "pending" and "db" in row["detail"], f"web waits: {row}")
        with open(p.dir + "/gate", "w") as f:
            f.write("go\n")
        comes_to(p, "db/0", "ready")
        comes_to(p, "web/0", "running")
    finally:
        p.close()


def what_is_not_ready_in_time_has_failed():
    p = Project("late", {"a": {"command": "sleep 1000", "ready": {"log": "never", "timeout": "300ms"},
                               "availability": {"max_restarts": 2, "backoff": {"initial": "10ms"}}}})
    try:
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "fatal")
        died = deaths(p, "a")
        expect(len(died) == 3 and all(d["cause"] == "probe" and d["detail"] == "not ready within 0.3 s" for d in died), f"{died}")
        expect(p.rows()["a/0"]["restarts"]["probe"] == 2 and p.rows()["a/0"]["restarts"]["crash"] == 0, "counted apart")
    finally:
        p.close()


def a_newline_on_a_descriptor_says_that_it_is_ready():
    p = Project("newline", {"a": {"command": ["sh", "-c", "printf x >&7; read x < gate; echo >&7; exec sleep 1000"], "ready": {"notify": "fd:7"}},
                            "b": {"command": ["sh", "-c", "exec 5>&-; sleep 1000"], "ready": {"notify": "fd:5", "timeout": "500ms"}, "availability": {"restart": "no"}}})
    try:
        os.mkfifo(p.dir + "/gate")
        p.run("up", "-d", check=0)
        comes_to(p, "b/0", "failed")  # closed without a word
        expect(state(p, "a/0") == "running", "other bytes are no newline")
        kill_engine(p)  # the pipe is the keeper's too
        with open(p.dir + "/gate", "w") as f:
            f.write("go\n")
        comes_to(p, "a/0", "ready")
        fds = os.listdir(f"/proc/{p.rows()['a/0']['pid']}/fd")
        expect(sorted(map(int, fds)) == [0, 1, 2, 7], f"open in the child: {fds}")
    finally:
        p.close()


def sd_notify_is_understood():
    script = NOTIFY + r'''
tell("STATUS=warming up\nEXTEND_TIMEOUT_USEC=30000000")
open("gate").read()
tell("READY=1\nSTATUS=serving 3 clients")
open("gate").read()
tell("RELOADING=1"); open("gate").read(); tell("READY=1")
open("gate").read()
tell("WATCHDOG=trigger")
import time; time.sleep(1000)
'''
    p = Project("sd", {"a": {"command": ["python3", "-c", script], "ready": {"notify": "sd", "timeout": "3s"}}})

    def go():
        with open(p.dir + "/gate", "w") as f:
            f.write("go")
    try:
        os.mkfifo(p.dir + "/gate")
        p.run("up", "-d", check=0)
        until(lambda: p.rows().get("a/0", {}).get("detail") == "warming up", "its status")
        until(lambda: p.rows()["a/0"]["uptime_ms"] > 3500, "it has more time")
        os.kill(p.engine(), signal.SIGKILL)
        go()  # said while there may be no engine
        comes_to(p, "a/0", "ready")
        pid = p.rows()["a/0"]["pid"]
        until(lambda: p.rows()["a/0"]["detail"] == "serving 3 clients", "its status")
        go()
        until(lambda: p.rows()["a/0"]["detail"] == "reloading", "that it reloads")
        go()
        until(lambda: p.rows()["a/0"]["detail"] is None, "that it has reloaded")
        go()
        until(lambda: p.rows()["a/0"]["pid"] not in (None, pid), "another life")
        expect(deaths(p, "a")[-1]["cause"] == "watchdog" or deaths(p, "a")[0]["cause"] == "watchdog", f"{deaths(p, 'a')}")
    finally:
        p.close()


def a_notification_of_a_stranger_is_passed_over():
    p = Project("stranger", {"a": {"command": ["sh", "-c", "echo $NOTIFY_SOCKET > address; exec sleep 1000"], "ready": {"notify": "sd", "timeout": "60s"}}})
    try:
        p.run("up", "-d", check=0)
        address = until(lambda: os.path.exists(p.dir + "/address") and open(p.dir + "/address").read().strip(), "the address")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect("\0" + address[1:])
            for text in (b"READY=1", b"", b"\0" * 4000, b"=" * 4000, b"READY=1\n" * 2000):
                s.send(text)
        until(lambda: "was passed over: it is no process of this project" in p.run("events").stdout, "the engine says so")
        expect(state(p, "a/0") == "running", "it is not ready")
    finally:
        p.close()


def a_watchdog_that_is_not_told_ends_it():
    script = NOTIFY + r'''
import time
assert int(os.environ["WATCHDOG_USEC"]) == 3000000
for i in range(12): tell("WATCHDOG=1"); print(i, flush=True); time.sleep(0.3)
time.sleep(1000)
'''
    p = Project("dog", {"a": {"command": ["python3", "-c", script], "watchdog": "3s", "availability": {"restart": "no"}}})
    try:
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "failed")
        died = deaths(p, "a")[0]
        expect(died["cause"] == "watchdog" and died["uptime_ms"] > 6000, f"{died}")
        expect(p.log("a/0").split() == [b"%d" % i for i in range(12)], "it was kept while it told")
    finally:
        p.close()


def a_get_tells_ready_from_unhealthy():
    web = Web()
    p = Project("get", {"a": {"command": "sleep 1000", "readiness_probe": {
        "http_get": {"host": "localhost", "port": web.port, "path": "/health?x=1", "headers": {"X-Who": "me"}}, "period": "100ms", "failure_threshold": 2}}})
    try:
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "ready")
        expect(web.path == "/health?x=1" and web.headers["X-Who"] == "me" and web.headers["Host"] == f"localhost:{web.port}", f"{web.path} {web.headers}")
        web.status = 503
        row = comes_to(p, "a/0", "unhealthy")
        expect(row["detail"].startswith("HTTP 503"), f"{row}")
        probes = p.json("info", "a/0")["probes"]
        expect(probes[0]["role"] == "readiness" and probes[0]["well"] is False and "503" in probes[0]["said"], f"{probes}")
        web.status = 302
        comes_to(p, "a/0", "ready")
        expect(p.rows()["a/0"]["restarts"] == {"crash": 0, "manual": 0, "limit": 0, "probe": 0, "watch": 0}, "readiness restarts nothing")
    finally:
        p.close()
        web.server.shutdown()


def liveness_waits_for_startup_and_restarts():
    p = Project("live", {"a": {"command": ["sh", "-c", "sleep 0.5; touch up; exec sleep 1000"],
                               "startup_probe": {"exec": {"command": "test -e up"}, "period": "100ms", "failure_threshold": 100},
                               "liveness_probe": {"exec": "test ! -e sick || { echo 'fever of 41'; exit 3; }", "period": "100ms"}}})
    try:
        p.run("up", "-d", check=0)
        row = comes_to(p, "a/0", "ready")
        expect(row["uptime_ms"] >= 450, "the startup probe waited")
        pid = row["pid"]
        open(p.dir + "/sick", "w").close()
        until(lambda: p.rows()["a/0"]["pid"] not in (None, pid), "another life")
        os.unlink(p.dir + "/sick")
        died = deaths(p, "a")[0]
        expect(died["cause"] == "probe" and died["detail"] == "liveness probe failed 3 times: exit 3: fever of 41", f"{died}")
        comes_to(p, "a/0", "ready")
    finally:
        p.close()


def a_probe_that_hangs_or_leaves_something_behind_is_bounded():
    p = Project("hang", {
        "a": {"command": "sleep 1000", "readiness_probe": {"exec": ["sleep", "1000"], "timeout": "200ms", "period": "100ms", "failure_threshold": 2}},
        "b": {"command": "sleep 1000", "readiness_probe": {"exec": "setsid sleep 4711 >/dev/null 2>&1 </dev/null &", "period": "100ms"}},
        "c": {"command": "sleep 1000", "readiness_probe": {"exec": "yes | head -c 100000000; exit 1", "timeout": "5s", "period": "100ms", "failure_threshold": 1}}})
    try:
        p.run("up", "-d", check=0)
        expect("no answer within 0.2 s" in comes_to(p, "a/0", "unhealthy")["detail"], "why")
        comes_to(p, "c/0", "unhealthy")
        comes_to(p, "b/0", "ready")
        said = p.json("info", "b/0")["probes"][0]["said"]
        expect("left 1 processes behind" in said, said)
        p.run("down", check=0)
        expect(not marked(p), f"left behind: {marked(p)}")
    finally:
        p.close()


def a_port_and_a_socket_are_probed():
    p = Project("ports", {
        "tcp": {"command": "sleep 1000", "readiness_probe": {"tcp": 1, "period": "100ms", "failure_threshold": 1}},
        "unix": {"command": "sleep 1000", "readiness_probe": {"unix": "sock", "period": "100ms", "failure_threshold": 1}},
        "name": {"command": "sleep 1000", "readiness_probe": {"tcp": "no-such-host.invalid:80", "period": "100ms", "timeout": "5s", "failure_threshold": 1}}})
    listener = socket.socket(socket.AF_UNIX)
    try:
        p.run("up", "-d", check=0)
        expect("Connection refused" in comes_to(p, "tcp/0", "unhealthy")["detail"], "why")
        expect("No such file" in comes_to(p, "unix/0", "unhealthy")["detail"], "why")
        comes_to(p, "name/0", "unhealthy")
        listener.bind(p.dir + "/sock")
        listener.listen(16)
        comes_to(p, "unix/0", "ready")
    finally:
        p.close()
        listener.close()


LEAK = "import time,sys\nx=[]\nwhile True: x.append(bytearray(4000000)); time.sleep(0.02)"


def limits_act_as_they_say():
    p = Project("limits", {
        "restart": {"command": ["sh", "-c", "python3 -c '" + LEAK + "'; true"], "limits": [{"metric": "rss", "over": "60MB", "for": 2, "every": "100ms"}], "availability": {"restart": "no"}},
        "warn": {"command": "sleep 1000", "limits": [{"metric": "threads", "over": 0 + 1, "every": "100ms", "action": "warn"}, {"metric": "fds", "over": 1, "every": "100ms", "action": "warn"}]},
        "stop": {"command": ["sh", "-c", "sleep 1000 & sleep 1001 & wait"], "limits": [{"metric": "threads", "over": 2, "every": "100ms", "action": "stop"}]},
        "kill": {"command": ["sh", "-c", "trap '' TERM; while :; do :; done"], "limits": [{"metric": "cpu", "over": "1%", "for": 2, "every": "300ms", "action": "kill"}], "availability": {"restart": "no"}},
        "pss": {"command": ["python3", "-c", LEAK], "limits": [{"metric": "pss", "over": "60MB", "every": "100ms", "action": "stop"}]}})
    try:
        p.headless()
        until(lambda: events_of(p, "restart", "limit"), "a limit")
        until(lambda: len(events_of(p, "restart", "started")) > 1, "a restart in spite of restart: no")
        died = until(lambda: deaths(p, "restart"), "a death")[0]
        expect(died["cause"] == "limit" and died["detail"].startswith("rss ") and "over 60M, 2 times" in died["detail"], f"{died}")
        comes_to(p, "stop/0", "stopped")
        expect(deaths(p, "stop")[0]["detail"] == "threads 3 over 2, 1 times", f"{deaths(p, 'stop')}")
        comes_to(p, "kill/0", "failed")
        expect(deaths(p, "kill")[0]["signal"] in (9, "KILL", "SIGKILL"), f"{deaths(p, 'kill')}")
        comes_to(p, "pss/0", "stopped")
        warned = until(lambda: events_of(p, "warn", "limit"), "a warning")
        expect(len(warned) == 1 and "fds" in warned[0]["detail"], f"once, and of fds alone: {warned}")
        expect(state(p, "warn/0") == "running", "a warning is no more")
    finally:
        p.close()


def a_dependency_that_restarts_takes_others_along():
    p = Project("edge", {
        "db": {"command": ["sh", "-c", "sleep 0.2; echo up; exec sleep 1000"], "ready": {"log": "up"}},
        "api": {"command": "sleep 1000", "depends_on": {"db": {"condition": "process_healthy", "restart": True}}},
        "web": {"command": "sleep 1000", "depends_on": {"api": {"condition": "process_started", "restart": True}}},
        "cron": {"command": "sleep 1000", "depends_on": {"db": {"condition": "process_healthy"}}}})
    try:
        p.headless()
        comes_to(p, "web/0", "running")
        comes_to(p, "cron/0", "running")
        before = {name: row["pid"] for name, row in p.rows().items()}
        p.run("restart", "db", check=0)
        until(lambda: all(p.rows()[n]["pid"] not in (None, before[n]) for n in ("db/0", "api/0", "web/0")), "all three restarted")
        expect(p.rows()["cron/0"]["pid"] == before["cron/0"], "an edge without restart leaves it")
        expect(deaths(p, "api")[0]["cause"] == "dependency" and deaths(p, "api")[0]["detail"] == "depends on db", f"{deaths(p, 'api')}")
        ready = until(lambda: events_of(p, "db", "ready")[1], "it is told that it is healthy again")
        started = until(lambda: events_of(p, "api", "started")[1], "and that the dependent is started")
        expect(started["ts"] >= ready["ts"], "which waited for that")
    finally:
        p.close()


def groups_are_restarted_together():
    p = Project("groups", {n: {"command": "sleep 1000", "availability": {"min_uptime": 0}} for n in ("a", "b", "c", "x", "y", "z")},
                groups={"all": {"strategy": "one_for_all", "members": ["a", "b", "c"]}, "rest": {"strategy": "rest_for_one", "members": ["x", "y", "z"]}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: len(p.rows()) == 6 and all(r["pid"] for r in p.rows().values()), "all run")
        before = {name: row["pid"] for name, row in p.rows().items()}
        os.kill(before["b/0"], signal.SIGKILL)
        os.kill(before["y/0"], signal.SIGKILL)
        until(lambda: all(p.rows()[n]["pid"] not in (None, before[n]) for n in ("a/0", "b/0", "c/0", "y/0", "z/0")), "the groups")
        expect(p.rows()["x/0"]["pid"] == before["x/0"], "what comes before it in a rest_for_one is left alone")
        p.run("restart", "a", check=0)
        until(lambda: p.rows()["a/0"]["restarts"]["manual"] >= 1 and p.rows()["a/0"]["pid"], "a restart by hand")
    finally:
        p.close()


def a_life_that_is_too_long_is_ended():
    p = Project("runtime", {"a": {"command": "sleep 1000", "max_runtime": "300ms", "availability": {"restart": "no"}}})
    try:
        p.run("up", "-d", check=0)
        comes_to(p, "a/0", "failed")
        expect(deaths(p, "a")[0]["detail"] == "max_runtime of 0.3 s is over", f"{deaths(p, 'a')}")
    finally:
        p.close()


def a_fatal_one_is_tried_again_after_fatal_retry():
    p = Project("retry", {"a": {"command": "false", "availability": {"max_restarts": 1, "backoff": {"initial": "10ms"}, "fatal_retry": "300ms"}}})
    try:
        p.headless()
        until(lambda: len(events_of(p, "a", "fatal")) >= 2, "fatal twice")
    finally:
        p.close()


def probes_go_on_after_the_engine_was_killed():
    web = Web()
    p = Project("goon", {"a": {"command": "sleep 1000", "readiness_probe": {"http_get": {"port": web.port}, "period": "100ms", "failure_threshold": 2}}})
    try:
        p.run("up", "-d", check=0)
        pid = comes_to(p, "a/0", "ready")["pid"]
        kill_engine(p)
        asked = web.asked
        until(lambda: web.asked > asked + 2, "it is asked again")
        web.status = 500
        expect(comes_to(p, "a/0", "unhealthy")["pid"] == pid, "the same process")
    finally:
        p.close()
        web.server.shutdown()


def a_probe_runs_in_its_own_folder():
    p = Project("probedir", {"a": {"command": "sleep 1000", "readiness_probe": {"exec": {"command": ["sh", "-c", "test -e here"], "working_dir": "sub"}, "period_seconds": 1}}})
    try:
        os.mkdir(p.dir + "/sub")
        p.write("sub/here", "")
        p.run("up", "-d", check=0)
        until(lambda: p.rows()["a/0"]["state"] == "ready", "its probe finds the file")
    finally:
        p.close()


main(a_probe_runs_in_its_own_folder,
     a_line_of_its_output_says_that_it_is_ready,
     what_is_not_ready_in_time_has_failed,
     a_newline_on_a_descriptor_says_that_it_is_ready,
     sd_notify_is_understood,
     a_notification_of_a_stranger_is_passed_over,
     a_watchdog_that_is_not_told_ends_it,
     a_get_tells_ready_from_unhealthy,
     liveness_waits_for_startup_and_restarts,
     a_probe_that_hangs_or_leaves_something_behind_is_bounded,
     a_port_and_a_socket_are_probed,
     limits_act_as_they_say,
     a_dependency_that_restarts_takes_others_along,
     groups_are_restarted_together,
     a_life_that_is_too_long_is_ended,
     a_fatal_one_is_tried_again_after_fatal_retry,
     probes_go_on_after_the_engine_was_killed)
