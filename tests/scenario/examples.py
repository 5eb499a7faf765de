#!/usr/bin/env python3
"""The examples, as they are: each is started by its own thrum.yaml and does what its first line promises."""
import json, os, re, shutil, subprocess, sys, urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, Project, expect, free_port, main, until

EXAMPLES = os.path.join(os.environ.get("SRCDIR", "."), "examples")
HAS_NODE = shutil.which("node")


class Example(Project):
    """A copy of an example that runs; only the port is another, since the machine may use it."""

    def __init__(self, path, **replaced):
        super().__init__("x", {})
        shutil.copytree(os.path.join(EXAMPLES, path), self.dir, dirs_exist_ok=True)
        with open(os.path.join(EXAMPLES, path, "thrum.yaml")) as f:
            text = f.read()
        self.name = re.search(r"^name: (.*)$", text, re.M)[1]
        for old, new in replaced.items():
            expect(old[1:] in text, f"{path}: {old[1:]}")
            text = text.replace(old[1:], str(new))
        self.write("thrum.yaml", text)

    def __enter__(self):
        self.run("up", "-d", check=0)
        self.run("wait", "all", "--timeout", "60s", check=0)
        return self

    def __exit__(self, *_):
        self.close()

    def ask(self, *args):
        """The answers, one of each instance."""
        return [json.loads(line) for line in self.run("send", "--wait", *args, check=0).stdout.splitlines()]


def get(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return answer.read().decode()


def a_forked_child_works_when_it_is_told_to():
    with Example("node/fork") as p:
        got = p.ask("worker", '{"type":"start","limit":1000,"requestId":5}')
        expect(got == [{"type": "result", "requestId": 5, "result": 500500}], f"{got}")


def a_server_answers_requests_and_tells_its_state():
    with Example("node/ipc-server") as p:
        got = p.ask("server", '{"cmd":"add","args":{"a":1,"b":2},"requestId":1}')
        expect(got == [{"requestId": 1, "result": 3}] * 2, f"{got}")
        expect(p.ask("server/0", '{"cmd":"fib","args":{"n":10},"requestId":2}')[0]["result"] == 55, "it computes")
        expect("unknown command" in p.ask("server/0", '{"cmd":"nothing","requestId":3}')[0]["error"], "an error is an answer")
        with open(p.dir + "/events", "w") as out:
            watcher = subprocess.Popen([THRUM, "events", "-f"], cwd=p.dir, env=p.env, stdin=subprocess.DEVNULL, stdout=out)
        until(lambda: b"heapUsed" in p.log_at("events"), "its status is an event")
        watcher.terminate()
        watcher.wait(60)
        p.run("stop", "server", check=0)
        p.run("wait", "server", "--for", "stopped", "--timeout", "60s", check=0)
        expect(b"served 3" in p.log("server/0") and all(d["code"] == 0 for d in p.json("history")), "it ended when a message asked it to")


def a_cluster_serves_tells_its_state_and_is_reloaded():
    port = free_port()
    with Example("node/cluster", _8000=port) as p:
        got = [get(port) for _ in range(4)]
        expect(sorted(line.split(",")[0] for line in got) == ["worker 1"] * 2 + ["worker 2"] * 2, f"{got}")
        status = [answer["status"] for answer in p.ask("web", '{"cmd":"status"}')]
        expect(sorted(status, key=lambda s: s["id"]) == [{"id": 1, "requests": 2}, {"id": 2, "requests": 2}], f"{status}")
        p.run("reload", "web", check=0)
        expect(get(port).endswith("request 1\n"), "a new process")
        p.run("send", "web", '{"cmd":"shutdown"}', check=0)
        until(lambda: b"closing" in p.log("web/0"), "it takes the message")


def a_balanced_server_shows_what_each_worker_serves():
    port = free_port()
    with Example("node/balanced", _8001=port) as p:
        got = [json.loads(get(port)) for _ in range(8)]
        expect(sorted(g["instance"] for g in got) == sorted("01230123"), f"in turn: {got}")
        channel = until(lambda: (lambda c: c["metrics"].get("requests", {}).get("value") == "2" and c)(p.json("info", "web/0")["channel"]), "its figure")
        expect(channel["connections"] == 2 and channel["actions"] == ["reset"], f"{channel}")
        table = p.run("ipc", check=0).stdout.splitlines()
        expect("CONNS" in table[0] and all(line.split()[3] == "2" for line in table[1:]), f"connections of each: {table}")
        expect(json.loads(p.run("trigger", "web/0", "reset", check=0).stdout)["data"]["return"] == {"former": 2}, "its action")


def a_resilient_worker_comes_back_later_each_time():
    p = Example("node/resilient")
    p.env["FAIL_CHANCE"], p.env["BEAT_MS"] = "1", "10"
    with p:
        until(lambda: len(p.json("history")) >= 2, "two deaths")
        expect(all(d["code"] == 1 for d in p.json("history")), "as it was made to")
        expect(p.log("worker/0", "err").startswith(b"failing"), "it said so")


def a_worker_that_grows_is_restarted():
    p = Example("node/monitored", _200MB="100MB")
    p.env["STEP_MB"] = "30"
    with p:
        death = until(lambda: next(iter(p.json("history")), None), "it is ended")
        expect(death["cause"] == "limit" and b"ending with" in p.log("worker/0"), f"{death}")


def a_pool_of_node_workers_answers():
    with Example("node/pool") as p:
        got = [json.loads(line) for line in p.run("submit", "--wait", "hash", '{"job":"fib","n":10}', '{"job":"fail"}', '{"job":"nix"}').stdout.splitlines()]
        by = {g["index"]: g for g in got}
        expect(by[0]["result"] == 55 and by[1]["error"] == "as it was told to" and by[2]["error"] == "no such job: nix", f"{got}")


def python_is_given_sockets_and_tasks():
    port = free_port()
    with Example("python", _8002=port) as p:
        expect(get(port).startswith("instance "), "it serves")
        p.run("reload", "web", check=0)
        expect(get(port).startswith("instance "), "after a reload too")
        expect(json.loads(p.run("submit", "--wait", "adder", '{"numbers":[1,2,3]}', check=0).stdout)["result"] == 6, "it adds")


def a_shell_script_speaks_on_its_channel():
    with Example("shell") as p:
        got = p.ask("worker", '{"cmd":"load"}')
        expect(got[0]["result"] >= 0, f"{got}")
        expect(p.ask("worker", '{"cmd":"?","requestId":"a b"}') == [{"requestId": "a b", "error": "unknown command"}], "an error")
        p.run("stop", "worker", check=0)
        p.run("wait", "worker", "--for", "stopped", "--timeout", "60s", check=0)
        expect(b"ending" in p.log("worker/0"), "it was asked to end")


node = [a_forked_child_works_when_it_is_told_to, a_server_answers_requests_and_tells_its_state, a_cluster_serves_tells_its_state_and_is_reloaded,
        a_balanced_server_shows_what_each_worker_serves, a_resilient_worker_comes_back_later_each_time, a_worker_that_grows_is_restarted,
        a_pool_of_node_workers_answers]
main(*(node if HAS_NODE else []), python_is_given_sockets_and_tasks, a_shell_script_speaks_on_its_channel)
