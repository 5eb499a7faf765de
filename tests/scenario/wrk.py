#!/usr/bin/env python3
"""Many connections at once, one a request, to two Node workers, while they are reloaded and while workers and engines are killed. Needs wrk."""
import os, re, shutil, signal, subprocess, sys, urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Failure, Project, expect, free_port, kill_engine, main, until

for program in ("node", "wrk"):
    if not shutil.which(program):
        print(f"no {program} here: apt-get install {'nodejs' if program == 'node' else program}")
        sys.exit(77)

APP = """require('http').createServer((q, r) => { r.setHeader('Connection', 'close'); r.end('hello'); }).listen(+process.env.PORT, '127.0.0.1');"""
CLIENTS = 16


def project(name, port, **more):
    p = Project(name, {"web": dict({"command": ["node", "app.js"], "exec_mode": "cluster", "instances": 2, "environment": {"PORT": str(port)},
                                    "availability": {"backoff": {"initial": "10ms", "max": "10ms"}, "max_restarts": 1000}}, **more)})
    p.write("app.js", APP)
    p.run("up", "-d", check=0)
    p.run("wait", "web", "--timeout", "60s", check=0)
    return p


class Wrk:
    def __init__(self, port):
        self.process = subprocess.Popen(["wrk", "-t1", f"-c{CLIENTS}", "-d280s", f"http://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True)

    def end(self):
        """Requests, and how many failed."""
        self.process.send_signal(signal.SIGINT)
        out = self.process.communicate(timeout=60)[0]
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", out)
        wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", out)
        return int(re.search(r"(\d+) requests in", out)[1]), sum(map(int, errors.groups() if errors else [])) + int(wrong[1] if wrong else 0)


def get(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return answer.read()


def served(p):
    """Connections that the workers had, as long as there is an engine to say so."""
    try:
        return p.json("info", "web/0")["sockets"][0]["connections"]
    except (Failure, LookupError):
        return 0


def wait_for(p, more):
    goal = until(lambda: served(p), "connections") + more
    until(lambda: served(p) >= goal, f"{more} further connections")


def reloads_under_load_fail_nothing():
    for scheduling in ("rr", "none"):
        port = free_port()
        p = project("reload", port, scheduling=scheduling)
        try:
            wrk = Wrk(port)
            for _ in range(5):
                before = {row["pid"] for row in p.rows().values()}
                p.run("reload", "web", check=0)
                until(lambda: set(p.rows()) == {"web/0", "web/1"}, "the spare one is gone")
                expect(not before & {row["pid"] for row in p.rows().values()}, "all processes are new")
            count, failed = wrk.end()
            print(f"# {scheduling}: {count} requests, {failed} failed")
            expect(count > 500 and failed == 0, f"{scheduling}: {count} requests, {failed} failed")
        finally:
            p.close()


def engines_killed_under_load_fail_next_to_nothing():
    """One connection at the most each time: one that was accepted at that very instant."""
    port, kills = free_port(), 20
    p = project("engine", port)
    try:
        pids = {row["pid"] for row in p.rows().values()}
        wrk = Wrk(port)
        for _ in range(kills):
            wait_for(p, 50)
            kill_engine(p)
        count, failed = wrk.end()
        print(f"# {kills} kills: {count} requests, {failed} failed")
        expect(count >= 20 * 50 and failed <= kills, f"{count} requests, {failed} failed")
        expect({row["pid"] for row in p.rows().values()} == pids, "no worker has noticed")
    finally:
        p.close()


def engines_killed_fail_nothing_where_workers_accept():
    port, kills = free_port(), 10
    p = project("shared", port, scheduling="none")
    try:
        pids = {row["pid"] for row in p.rows().values()}
        wrk = Wrk(port)
        for _ in range(kills):
            kill_engine(p)
            until(lambda: get(port) == b"hello", "workers serve")
        count, failed = wrk.end()
        print(f"# {kills} kills: {count} requests, {failed} failed")
        expect(count > kills and failed == 0, f"{count} requests, {failed} failed")
        expect({row["pid"] for row in p.rows().values()} == pids, "no worker has noticed")
    finally:
        p.close()


def workers_killed_under_load_fail_what_they_had():
    port, kills = free_port(), 5
    p = project("worker", port)
    try:
        wrk = Wrk(port)
        for i in range(kills):
            name = f"web/{i % 2}"
            wait_for(p, 50)
            pid = until(lambda: p.rows()[name]["pid"], "a worker")
            os.kill(pid, signal.SIGKILL)
            until(lambda: p.rows()[name]["state"] == "ready" and p.rows()[name]["pid"] != pid, "another one")
        count, failed = wrk.end()
        print(f"# {kills} kills: {count} requests, {failed} failed")
        expect(count > 500 and failed <= kills * CLIENTS, f"{count} requests, {failed} failed")
        again = Wrk(port)
        wait_for(p, 200)
        count, failed = again.end()
        expect(count >= 100 and failed == 0, f"afterwards: {count} requests, {failed} failed")
    finally:
        p.close()


main(reloads_under_load_fail_nothing, engines_killed_under_load_fail_next_to_nothing, engines_killed_fail_nothing_where_workers_accept,
     workers_killed_under_load_fail_what_they_had)
