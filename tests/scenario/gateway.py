#!/usr/bin/env python3
"""The gateway for HTTP: what it tells, what it refuses, and that nothing depends on it."""
import http.client, json, os, shutil, signal, socket, subprocess, sys, urllib.request
from lib_thrum import THRUM, Load, Project, comes_to, expect, free_port, main, states, until

if not os.path.exists(os.path.join(os.path.dirname(THRUM), "thrum-http")):
    print("no gateway was built")
    sys.exit(77)


class Gateway(Project):
    def __init__(self, processes, **http):
        self.port = free_port()
        super().__init__("gate", processes, http=dict({"listen": f"127.0.0.1:{self.port}"}, **http))

    def ask(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), answer
        finally:
            connection.close()

    def up(self):
        self.run("up", "-d", check=0)
        until(lambda: self.rows().get("thrum-http/0", {}).get("state") == "ready", "the gateway listens")


def promtool(text, how="metrics"):
    if shutil.which("promtool"):
        done = subprocess.run(["promtool", "check", how], input=text, capture_output=True, text=True)
        expect(done.returncode == 0, f"promtool: {done.stdout}{done.stderr}")


def it_tells_how_the_project_is():
    project = Gateway({"a": {"command": "sleep 1000", "instances": 2},
                       "slow": {"command": "sh -c 'read x < gate; echo up; exec sleep 1000'", "ready": {"log": "up"}}})
    os.mkfifo(project.dir + "/gate")
    try:
        project.up()
        status, text, _ = project.ask("/ready")
        expect(status == 503 and json.loads(text)["reasons"] == ["slow/0 is not ready yet"], text)
        with open(project.dir + "/gate", "w") as gate:
            gate.write("go\n")
        until(lambda: project.ask("/ready")[0] == 200, "all are ready")
        # a connection of before may not have been seen to end yet
        until(lambda: json.loads(project.ask("/health")[1])["connections"] == 1, "one connection is this one")
        status, text, answer = project.ask("/health")
        health = json.loads(text)
        expect(status == 200 and health["status"] == "healthy" and health["service"] == "gate", text)
        expect(set(health) >= {"service", "status", "uptime", "memory", "cpu", "pid", "connections", "timestamp"}, text)
        expect(health["pid"] == project.engine(), text)
        expect(answer.headers["Cache-Control"] == "no-store", "it is not kept")
        expect(project.ask("/live")[:2] == (200, '{"live":true}\n'), "it lives")
        expect(project.ask("/health", "HEAD")[:2] == (200, ""), "HEAD has no body")
    finally:
        project.close()


def prometheus_reads_the_metrics():
    project = Gateway({"a": {"command": "sleep 1000", "instances": 3}, "bad": {"command": "false", "availability": {"restart": "no"}}})
    try:
        project.up()
        until(lambda: "thrum_instance_memory_bytes{" in project.ask("/metrics")[1], "a sample was taken")
        project.run("restart", "a/1", check=0)
        until(lambda: 'thrum_instance_restarts_total{project="gate",service="a",instance="1",reason="manual"} 1\n' in
              project.ask("/metrics")[1], "the restart is counted")
        until(lambda: states(project)["bad/0"] == "failed", "one has failed")
        text = project.ask("/metrics")[1]
        promtool(text)
        expect('thrum_instance_state{project="gate",service="bad",instance="0",state="failed"} 1\n' in text, text)
        expect(text.count("thrum_instance_up{") == 5, "three, one, and the gateway itself")
        status, text, answer = project.ask("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        expect(answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"), "as it was asked for")
        expect(text.endswith("# EOF\n") and "# TYPE thrum_instance_restarts counter\n" in text, "OpenMetrics")
        expect(project.ask("/health")[0] == 200 and json.loads(project.ask("/health")[1])["status"] == "degraded", "one has failed")
    finally:
        project.close()


def prometheus_itself_scrapes_it():
    """The server asks for OpenMetrics, and refuses a page with anything wrong on it."""
    if not shutil.which("prometheus"):
        return
    project, port = Gateway({"a": {"command": "sleep 1000", "instances": 2}}), free_port()

    def ask(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
                return json.load(answer)["data"]
        except OSError:
            return {}

    config = project.write("prometheus.yml", json.dumps({"global": {"scrape_interval": "1s"}, "scrape_configs": [
        {"job_name": "thrum", "honor_labels": True, "static_configs": [{"targets": [f"127.0.0.1:{project.port}"]}]}]}))
    server = subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={project.dir}/tsdb",
                               f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        project.up()
        project.run("restart", "a/1", check=0)
        until(lambda: [t["health"] for t in ask("/api/v1/targets").get("activeTargets", [])] == ["up"], "the page is read")
        found = until(lambda: ask("/api/v1/query?query=thrum_instance_restarts_total%7Breason=%22manual%22%7D%20==%201").get("result"), "and kept")
        expect(found[0]["metric"]["service"] == "a" and found[0]["metric"]["instance"] == "1", f"{found}")
        known = ask("/api/v1/metadata")
        expect(known.get("thrum_instance_restarts", known.get("thrum_instance_restarts_total"))[0]["type"] == "counter", f"{list(known)[:20]}")
        expect(not ask("/api/v1/targets")["activeTargets"][0]["lastError"], "without a complaint")
    finally:
        server.terminate()
        server.wait()
        project.close()


def who_has_the_token_may_act():
    project = Gateway({"a": {"command": "sleep 1000"}}, token="${GATE_SECRET:-s3cret}")
    right = {"Authorization": "Bearer s3cret"}
    try:
        project.up()
        expect([r["service"] for r in json.loads(project.ask("/api/ps")[1])["instances"]] == ["a", "thrum-http"], project.ask("/api/ps")[1])
        pid = project.rows()["a/0"]["pid"]
        for headers in ({}, {"Authorization": "Bearer s3cre"}, {"Authorization": "Bearer s3cret2"}, {"Authorization": "s3cret"}):
            expect(project.ask("/api/restart", "POST", '{"names":["a"]}', **headers)[0] == 401, f"not with {headers}")
        expect(project.ask("/api/info?name=a")[0] == 401, "what may hold a secret is not for everybody")
        expect(project.ask("/api/restart", "POST", '["a"]', **right)[0] == 400, "no object")
        expect(project.ask("/api/restart", "POST", '{"names":["nobody"]}', **right)[0] == 404, "no such service")
        expect(project.ask("/api/down", "POST", "{}", **right)[0] == 404, "it does not end the engine")
        expect(project.rows()["a/0"]["pid"] == pid, "nothing has happened until now")
        expect(project.ask("/api/restart", "POST", '{"names":["a"]}', **right)[0] == 200, "it is restarted")
        until(lambda: project.rows()["a/0"]["pid"] not in (pid, None), "another process")
        expect("s3cret" not in project.run("env", "thrum-http", check=0).stdout, "the token is masked")
    finally:
        project.close()


def without_a_token_nobody_may():
    project = Gateway({"a": {"command": "sleep 1000"}})
    try:
        project.up()
        for path in ("/api/restart", "/api/stop", "/api/send"):
            expect(project.ask(path, "POST", '{"names":["a"]}', Authorization="Bearer ")[0] == 403, path)
        expect(project.ask("/health", Host="evil.example")[0] == 403, "a name that was made to mean this machine")
        expect(project.ask("/health", "DELETE")[0] == 405 and project.ask("/health", "POST", "{}")[0] == 405, "other methods")
        for path in ("/", "/../../etc/passwd", "/%2e%2e/etc/passwd", "/health/", "/api/", "/api/../health", "//health", "/api/ps%00x"):
            expect(project.ask(path)[0] == 404, path)
        expect(project.ask("/health", X_Long="x" * 20000)[0] in (413, 431), "headers have a limit")
        expect(project.ask("/health?" + "x" * 20000)[0] in (413, 414, 431), "so has the address")
        expect(project.ask("/api/ps", "POST", "x" * 100000)[0] in (413, 403), "and the body")
        for garbage in (b"\0\1\2\3\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\xff" * 5000 + b"\r\n\r\n", b"GET /health HTTP/1.1\r\nContent-Length: -1\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", project.port), 60) as s:
                s.sendall(garbage)
                s.shutdown(socket.SHUT_WR)
                s.settimeout(60)
                try:
                    while s.recv(4096):
                        pass
                except ConnectionError:
                    pass
        expect(project.ask("/live")[0] == 200, "it answers still")
        expect(project.rows()["thrum-http/0"]["restarts"]["crash"] == 0, "and has not crashed")
    finally:
        project.close()


def many_that_say_nothing_are_let_go():
    """As many as may be connected, all silent: supervision goes on, and so does the gateway when their time is over."""
    project = Gateway({"a": {"command": "sleep 1000"}})
    silent = []
    try:
        project.up()
        for _ in range(80):
            silent.append(socket.create_connection(("127.0.0.1", project.port), 60))
            silent[-1].sendall(b"GET /health HTTP/1.1\r\nX-Slow: ")
        comes_to(project, "a/0", "running")  # the engine has not noticed

        def answers():
            try:
                return project.ask("/live")[0] == 200
            except OSError:
                return False
        until(answers, "those who say nothing are let go")
    finally:
        for s in silent:
            s.close()
        project.close()


def a_flood_touches_nobody():
    """Clients that ask for everything as fast as they can: what dies is restarted at once all the same, and commands are answered."""
    project = Gateway({"a": {"command": "sleep 1000", "availability": {"restart": "always", "max_restarts": 1000, "backoff": {"initial": "100ms", "factor": 1}}}})
    project.up()
    flood = Load(project.port, lambda _: expect(project.ask("/metrics")[0] == 200, "it answers"), clients=8)
    try:
        flood.wait_for(50)
        for _ in range(5):
            pid = until(lambda: project.rows().get("a/0", {}).get("pid"), "it runs")
            os.kill(pid, signal.SIGKILL)
            until(lambda: project.rows()["a/0"]["pid"] not in (None, pid), "another process")
        flood.wait_for(50)
        expect(project.rows()["thrum-http/0"]["restarts"]["crash"] == 0, "the gateway bears it")
    finally:
        failed = flood.end()
        project.close()
    expect(not failed, f"{failed[:3]}")


def engine_and_gateway_die_apart():
    project = Gateway({"a": {"command": "sleep 1000"}})
    try:
        project.up()
        pids = {name: row["pid"] for name, row in project.rows().items()}
        os.kill(project.engine(), signal.SIGKILL)
        until(lambda: project.ask("/live")[0] == 200 and json.loads(project.ask("/health")[1])["pid"] == project.engine(), "it found the next engine")
        expect({name: row["pid"] for name, row in project.rows().items()} == pids, "nobody was restarted")
        os.kill(pids["thrum-http/0"], signal.SIGKILL)
        until(lambda: project.rows().get("thrum-http/0", {}).get("state") == "ready" and project.rows()["thrum-http/0"]["pid"] != pids["thrum-http/0"],
              "it is started again")
        expect(project.rows()["a/0"]["pid"] == pids["a/0"], "nobody else was")
    finally:
        project.close()


def a_socket_will_do():
    project = Project("gate", {"a": {"command": "true"}}, http={"listen": "unix://gate.sock"})
    project.write("thrum.yaml", json.dumps({"name": "gate", "http": {"listen": f"unix://{project.dir}/gate.sock"},
                                            "processes": {"a": {"command": "sh -c 'until [ -S gate.sock ]; do sleep 0.1; done'"}}}))
    try:
        front = project.headless()
        expect(front.wait(60) == 0, "the gateway does not keep a run from being over")
        expect(not os.path.exists(project.dir + "/gate.sock"), "and takes its socket with it")
    finally:
        project.close()


def what_is_wrong_is_said():
    project = Project("gate", {"a": {"command": "true"}}, http={"lisen": "3001"})
    try:
        for http, message in (({"lisen": "3001"}, "http is a map such as {listen: 127.0.0.1:3001}"),
                              ({"listen": "3001", "tokn": "x"}, "unknown key 'tokn' (did you mean 'token'?)"), ("3001", "http is a map")):
            project.write("thrum.yaml", json.dumps({"name": "gate", "http": http, "processes": {"a": {"command": "true"}}}))
            done = project.run("check", check=2)
            expect(message in done.stderr, done.stderr)
    finally:
        project.close()


main(it_tells_how_the_project_is, prometheus_reads_the_metrics, prometheus_itself_scrapes_it, who_has_the_token_may_act, without_a_token_nobody_may,
     many_that_say_nothing_are_let_go, a_flood_touches_nobody, engine_and_gateway_die_apart, a_socket_will_do, what_is_wrong_is_said)
