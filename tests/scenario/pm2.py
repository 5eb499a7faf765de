#!/usr/bin/env python3
"""PM2's own libraries, unmodified, as peers: what they tell, what can be triggered, and how such programs are started and ended."""
import json, os, shutil, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_npm import npm_folder
from lib_thrum import THRUM, Project, expect, free_port, kill_engine, main, until

MODULES = shutil.which("node") and npm_folder("pm2-io", "@pm2/io@6.1.0", "pmx@1.6.8")
if not MODULES:
    sys.exit(77)

ECOSYSTEM = """
module.exports = { apps: [
  { name: 'new', script: 'new.js', instances: 2, exec_mode: 'cluster', wait_ready: true, env: { PORT: '%d' } },
  { name: 'old', script: 'old.js', wait_ready: true, shutdown_with_message: true },
] };
"""
NEW = """
const io = require('@pm2/io');
const metric = io.metric({ name: 'Realtime user' });
metric.set(23);
const jobs = io.counter({ name: 'Jobs' });
jobs.inc();
jobs.inc();
io.action('db:clean', (reply) => reply({ clean: true }));
io.action('db:with', (parameter, reply) => reply({ parameter }));
io.action('fail', (reply) => { io.notifyError(new Error('on purpose'), { custom: { it: 1 } }); reply({}); });
require('http').createServer((q, r) => r.end('hi')).listen(process.env.PORT, '127.0.0.1', () => setTimeout(() => {
  console.log(process.env.name, process.env.exec_mode, process.env.pm_id, process.env.NODE_APP_INSTANCE);
  process.send('ready');
}, 100));
process.on('SIGINT', () => { console.log('interrupted'); process.exit(0); });
"""
OLD = """
const pmx = require('pmx').init({ http: false });
pmx.probe().metric({ name: 'Old', value: () => 42 });
pmx.action('reply', (reply) => reply({ answer: 'world' }));
pmx.action('with', (options, reply) => reply({ options }));
pmx.action('tell', (reply) => { pmx.emit('user:register', { user: 'Alex' }); reply({}); });
process.on('message', (message) => { if (message === 'shutdown') { console.log('asked to'); process.exit(0); } });
process.on('SIGINT', () => process.exit(9));
setInterval(() => {}, 1000);
process.send('ready');
"""


def project():
    p = Project("pm2", {})
    os.unlink(p.dir + "/thrum.yaml")
    p.env["THRUM_PROJECT"] = p.name
    os.symlink(MODULES, p.dir + "/node_modules")
    for name, text in (("ecosystem.config.js", ECOSYSTEM % free_port()), ("new.js", NEW), ("old.js", OLD)):
        p.write(name, text)
    p.run("up", "-d", check=0)
    p.run("wait", "all", "--timeout", "60s", check=0)
    return p


def metrics(p, name):
    return {key: said["value"] for key, said in p.rows()[name]["ipc"].get("metrics", {}).items()}


def triggered(p, *args):
    """What each that was asked returned."""
    return [json.loads(line)["data"]["return"] for line in p.run("trigger", *args, check=0).stdout.splitlines()]


def figures_are_columns():
    p = project()
    try:
        new = until(lambda: len(metrics(p, "new/0")) == 8 and metrics(p, "new/0"), "all that it tells")
        expect(list(new)[:2] == ["Realtime user", "Jobs"] and new["Realtime user"] == "23" and new["Jobs"] == "2", f"its own first: {new}")
        expect(until(lambda: metrics(p, "old/0").get("Old"), "pmx's, too") == "42", f"{metrics(p, 'old/0')}")
        lines = p.run("ps", check=0).stdout.splitlines()
        expect("Realtime use" in lines[0] and " Jobs" in lines[0], lines[0])
        expect([line.split()[12] for line in lines[1:]] == ["23", "23", "-"], f"{lines}")
        expect("Heap Size" in p.json("info", "new/1")["channel"]["metrics"], "and what it measures of Node")
    finally:
        p.close()


def actions_answer():
    p = project()
    try:
        expect(triggered(p, "new", "db:clean") == [{"clean": True}] * 2, "both instances")
        expect(triggered(p, "new/1", "db:with", '{"a": [1]}') == [{"parameter": {"a": [1]}}], "with parameters")
        expect(triggered(p, "old", "reply") == [{"answer": "world"}] and triggered(p, "old", "with", "5") == [{"options": 5}], "of pmx")
        got = p.run("trigger", "old", "db:clean")
        expect(got.returncode == 1 and "old/0 has no action 'db:clean'" in got.stderr, got.stderr)
    finally:
        p.close()


def what_they_tell_everybody_is_an_event():
    p = project()
    try:
        with open(p.dir + "/events", "w") as out:
            watcher = subprocess.Popen([THRUM, "events", "-f", "--json"], cwd=p.dir, env=p.env, stdin=subprocess.DEVNULL, stdout=out)

        def told():
            triggered(p, "new/0", "fail")
            triggered(p, "old", "tell")
            bus = [json.loads(line) for line in p.log_at("events").decode().splitlines()]
            return {event["type"]: event for event in bus if event["kind"] == "bus"}
        got = until(lambda: (lambda seen: len(seen) >= 2 and seen)(told()), "both events")
        watcher.terminate()
        watcher.wait(60)
        expect(got["process:exception"]["data"]["message"] == "on purpose" and got["process:exception"]["service"] == "new", f"{got}")
        event = got.get("human:event")
        expect(event and event["data"]["user"] == "Alex", f"{got}")
    finally:
        p.close()


def they_are_started_and_ended_as_pm2_does_it():
    p = project()
    try:
        told = until(lambda: all(lines := [p.log(f"new/{i}").decode().split() for i in (0, 1)]) and lines, "their variables")
        expect([line[:2] for line in told] == [["new", "cluster_mode"]] * 2 and [line[3] for line in told] == ["0", "1"], f"{told}")
        expect(len({line[2] for line in told}) == 2, f"each has a pm_id of its own: {told}")
        before = {name: row["pid"] for name, row in p.rows().items()}
        kill_engine(p)
        p.run("reload", "new", check=0)
        expect(all(p.rows()[f"new/{i}"]["pid"] != before[f"new/{i}"] for i in (0, 1)) and p.rows()["old/0"]["pid"] == before["old/0"], "reloaded")
        p.run("stop", "all", check=0)
        for name in ("new", "old"):
            p.run("wait", name, "--for", "stopped", "--timeout", "60s", check=0)
        expect(b"asked to" in p.log("old/0"), "shutdown_with_message")
        expect(all(death["code"] == 0 for death in p.json("history")), f"each ended by itself: {p.json('history')}")
    finally:
        p.close()


main(figures_are_columns, actions_answer, what_they_tell_everybody_is_an_event, they_are_started_and_ended_as_pm2_does_it)
