#!/usr/bin/env python3
"""Files of other tools are run as they are, and printed as a thrum.yaml."""
import os, shutil
from lib_thrum import Project, expect, main, until

DATA = os.path.join(os.environ["SRCDIR"], "tests", "config", "data")

ECOSYSTEM = """
module.exports = async () => ({ apps: [
  { name: 'api', script: 'api.js', instances: 2, exec_mode: 'fork', wait_ready: true, kill_timeout: 2000,
    env: { MODE: 'plain' }, env_production: { MODE: 'production' } },
  { name: 'crash', script: 'crash.sh', max_restarts: 2, min_uptime: 5000 },
  { name: 'night', script: 'true', autorestart: false, cron_restart: '0 2 * * *' },
] });
"""
API = """
console.log(process.env.MODE, process.env.NODE_APP_INSTANCE);
process.on('SIGINT', () => { console.log('interrupted'); process.exit(0); });
setInterval(() => {}, 1000);
process.send('ready');
"""


def project(**files):
    made = Project("home", {})
    os.unlink(made.dir + "/thrum.yaml")
    made.env["THRUM_PROJECT"] = made.name
    for name, text in files.items():
        made.write(name.replace("__", "."), text)
    return made


def an_ecosystem_file_runs():
    if not shutil.which("node"):
        return
    made = project(ecosystem__config__js=ECOSYSTEM, api__js=API, crash__sh="exit 3\n")
    try:
        made.run("up", "-d", "-f", "ecosystem.config.js", "--profile", "production", check=0)
        until(lambda: all(made.rows().get(f"api/{i}", {}).get("state") == "ready" for i in (0, 1)), "both are ready")
        until(lambda: made.rows()["crash/0"]["state"] == "fatal", "three crashes are fatal")
        expect(made.rows()["crash/0"]["restarts"]["crash"] == 2, "two restarts were granted")
        expect(made.rows()["night/0"]["state"] == "scheduled", "a cron job waits")
        expect(b"production 1" in made.log("api/1"), "env_production is the profile")
        made.run("stop", "api", check=0)
        until(lambda: b"interrupted" in made.log("api/0"), "it is ended by SIGINT")
    finally:
        made.close()


def a_folder_is_named_without_running_its_file():
    """A command on a running engine need not wait for node."""
    made = project(ecosystem__config__js="require('fs').appendFileSync('runs', 'x');\nmodule.exports = {apps: [{name: 'a', script: 'sleep 1000'}]};\n")
    del made.env["THRUM_PROJECT"]
    if not shutil.which("node"):
        return
    try:
        made.run("up", "-d", check=0)
        expect(open(made.dir + "/runs").read() == "x", "once, to be read")
        expect(made.json("ps")[0]["service"] == "a", "found by its folder")
        made.run("stop", "a", check=0)
        expect(open(made.dir + "/runs").read() == "x", "and never again")
    finally:
        made.close()


def javascript_fails_with_a_place():
    made = project(ecosystem__config__js="module.exports = {\n  apps: [ { name: 'a' script: 'b' } ]\n};\n")
    made.write("slow.config.js", "setInterval(() => {}, 1000); module.exports = new Promise(() => {});\n")
    made.write("thrown.config.js", "const a = 1;\nthrow new TypeError('no such thing');\n")
    try:
        done = made.run("import", "pm2", "ecosystem.config.js", check=2)
        expect("ecosystem.config.js:2" in done.stderr and "SyntaxError" in done.stderr, done.stderr)
        done = made.run("import", "pm2", "thrown.config.js", check=2)
        expect("thrown.config.js:2:7: TypeError: no such thing" in done.stderr, done.stderr)
        done = made.run("import", "pm2", "slow.config.js", check=2)
        expect("did not end within 10 seconds" in done.stderr, done.stderr)
        made.env["PATH"] = "/nowhere"
        done = made.run("import", "pm2", "ecosystem.config.js", check=2)
        expect("there is no node here" in done.stderr, done.stderr)
    finally:
        made.close()


def supervisords_programs_run():
    made = project(supervisord__conf="""
[program:web]
command=sh -c "echo port 80%(process_num)02d $A; exec sleep 1000"
numprocs=2
environment=A="x y"
[program:job]
command=sh -c "exit 2"
exitcodes=0,2
startsecs=0
""")
    try:
        made.run("up", "-d", "-f", "supervisord.conf", check=0)
        until(lambda: made.log("web/1") == b"port 8001 x y\n", "the second knows its number")
        until(lambda: made.rows()["job/0"]["state"] == "completed", "an expected exit is none to be restarted after")
    finally:
        made.close()


def composes_services_run():
    made = project(compose__yaml="""
services:
  db: {image: "postgres:16"}
  first: {command: ["sh", "-c", "echo first"], depends_on: [db]}
  second:
    command: sh -c 'echo second; exec sleep 1000'
    depends_on: {first: {condition: service_completed_successfully}}
    healthcheck: {test: ["CMD", "true"], interval: 1s}
""")
    try:
        done = made.run("up", "-d", "-f", "compose.yaml", check=0)
        expect("'db' is left out" in done.stderr, done.stderr)
        until(lambda: made.rows().get("second/0", {}).get("state") == "ready", "the check makes it ready")
    finally:
        made.close()


def compose_files_belong_together():
    """include and extends, over folders: what is relative is so to the file where it stands."""
    made = project(compose__yaml="""
include: [db/compose.yaml, {path: [db/cache.yaml, db/cache.override.yaml]}]
services:
  base: {command: ["sh", "-c", "echo base $$A $$B"], environment: [A=1, B=2], depends_on: [db]}
  web: {extends: base, environment: {B: 3}, depends_on: {cache: {condition: service_healthy}}}
  far: {extends: {file: db/compose.yaml, service: db}, command: ["sh", "-c", "echo far $$NAME"]}
""")
    try:
        os.mkdir(made.dir + "/db")
        made.write("db/compose.yaml", 'services: {db: {command: ["sh", "-c", "echo db $$NAME"], env_file: [name.env, {path: none.env, required: false}]}}')
        made.write("db/name.env", "NAME=shop")
        made.write("db/cache.yaml", "services: {cache: {command: sleep 1000, healthcheck: {test: 'true', interval: 30s}}}")
        made.write("db/cache.override.yaml", "services: {cache: {healthcheck: {interval: 1s}}}")
        made.run("up", "-d", "-f", "compose.yaml", check=0)
        for name, text in (("db/0", b"db shop\n"), ("far/0", b"far shop\n"), ("base/0", b"base 1 2\n"), ("web/0", b"base 1 3\n")):
            until(lambda: made.log(name) == text, f"{name} has its command and variables")
        whole = made.run("import", "compose", made.dir + "/compose.yaml", check=0).stdout
        expect('env_file: [db/name.env, "?db/none.env"]' in whole, whole)
        made.write("compose.yaml", "include: [db/compose.yaml]\nservices: {db: {command: x}}")
        twice = made.run("import", "compose", "compose.yaml")
        expect(twice.returncode == 2 and "there are two services 'db'" in twice.stderr, twice.stderr)
    finally:
        made.close()


def what_is_imported_is_valid():
    made = project()
    try:
        for kind, name in (("pm2", "ecosystem.config.js"), ("pm2", "dump.pm2"), ("supervisord", "supervisord.conf"),
                           ("compose", "compose.yaml")):
            if name.endswith(".js") and not shutil.which("node"):
                continue
            done = made.run("import", kind, os.path.join(DATA, name), check=0)
            again = made.run("import", "process-compose", made.write("again.yaml", done.stdout), check=0)
            expect(again.stdout.split("\n", 1)[1] == done.stdout.split("\n", 1)[1], f"{name}: what is printed reads alike")
    finally:
        made.close()


main(an_ecosystem_file_runs, a_folder_is_named_without_running_its_file, javascript_fails_with_a_place, supervisords_programs_run, composes_services_run, compose_files_belong_together,
     what_is_imported_is_valid)
