#!/usr/bin/env python3
"""An ecosystem file of PM2's with a cluster, a worker and a cron job: run, scraped, and exported, with the tools that read such things."""
import json, os, shutil, subprocess, sys, urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Project, expect, free_port, main, states, until
import lib_schema

EXAMPLE = os.path.join(os.environ["SRCDIR"], "examples", "pm2")
if not shutil.which("node"):
    print("no node")
    sys.exit(77)


def get(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        return answer.read().decode()


def begin(port, metrics):
    made = Project("x", {})
    shutil.copytree(EXAMPLE, made.dir, dirs_exist_ok=True)
    os.unlink(made.dir + "/thrum.yaml")
    made.name = made.env["THRUM_PROJECT"] = "pm2"
    for name, old, new in (("ecosystem.config.js", "8003", port), ("metrics.yaml", "3001", metrics)):
        text = made.log_at(name).decode()
        expect(old in text, f"{name}: {old}")
        made.write(name, text.replace(old, str(new)))
    made.files = ["-f", "ecosystem.config.js", "-f", "metrics.yaml"]
    return made


def it_runs_and_tells_of_itself():
    port, metrics = free_port(), free_port()
    made = begin(port, metrics)
    try:
        made.run("up", "-d", *made.files, "--profile", "production", check=0)
        wanted = {"api/0": "ready", "api/1": "ready", "worker/0": "running", "report/0": "scheduled", "thrum-http/0": "ready"}
        until(lambda: states(made) == wanted, lambda: f"all is as it should be: {states(made)}")
        got = [json.loads(get(port)) for _ in range(4)]
        expect(sorted(g["instance"] for g in got) == ["0", "0", "1", "1"] and {g["mode"] for g in got} == {"production"}, f"{got}")
        made.run("reload", "api", check=0)
        expect(json.loads(get(port))["requests"] == 1, "new processes, and no port was lost")
        until(lambda: b"beat 1" in made.log("worker/0"), "the worker works")

        expect(json.loads(get(metrics, "/ready")) == {"ready": True, "reasons": []}, "it is ready")
        text = get(metrics, "/metrics")
        for line in ('thrum_instance_up{project="pm2",service="api",instance="1"} 1', 'thrum_instance_up{project="pm2",service="report",instance="0"} 0'):
            expect(line in text, f"{line}: {text}")
        if shutil.which("promtool"):
            done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            expect(done.returncode == 0 and not done.stderr, f"promtool: {done.stderr}")
        if shutil.which("curl"):
            done = subprocess.run(["curl", "-sf", f"http://127.0.0.1:{metrics}/health"], capture_output=True, text=True)
            expect(done.returncode == 0 and json.loads(done.stdout)["status"] == "healthy", f"curl: {done.stdout}")
        made.run("down", check=0)
        expect(b"served" in made.log("api/0"), "each has ended well")
    finally:
        made.close()


def what_is_exported_is_valid():
    made = begin(8003, 3001)
    try:
        done = made.run("export", "kubernetes", *made.files, check=0)
        kinds = lib_schema.check_kubernetes(done.stdout)
        expect(kinds in (None, ["Deployment", "Deployment", "CronJob"]), f"{kinds}")  # None: there is nothing to judge with
        lib_schema.check_compose(made.run("export", "compose", *made.files, check=0).stdout)
        unit = made.run("export", "systemd", *made.files, check=0).stdout
        if shutil.which("systemd-analyze"):
            done = subprocess.run(["systemd-analyze", "verify", made.write("pm2.service", unit)], capture_output=True, text=True)
            expect(done.returncode == 0 and not done.stderr, done.stderr)
    finally:
        made.close()


main(it_runs_and_tells_of_itself, what_is_exported_is_valid)
