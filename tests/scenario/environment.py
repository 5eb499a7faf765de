#!/usr/bin/env python3
"""Variables: where they are from, profiles, several files, and files that are read again at every start."""
from lib_thrum import *

TELL = 'echo "$(env | grep ^T_ | sort | tr "\\n" " ")"; exec sleep 600'


def told(project, name):
    """What each life printed of its variables."""
    return project.log(name).decode().splitlines()


def last(project, name, count):
    """What the count-th life printed."""
    return until(lambda: told(project, name)[count - 1:] and told(project, name)[count - 1], f"life {count} of {name}").split()


def notices(project):
    return [json.loads(line) for line in project.run("events", "--json").stdout.splitlines()]


def stale_told(project, words):
    return [e["detail"] for e in notices(project) if e["event"] == "engine" and words in e["detail"]]


def layers_lie_upon_each_other():
    project = Project("layers", {"a": {"command": TELL, "env_file": ["a.env", "?none.env"], "environment": {"T_E": "service ${T_ENGINE}", "T_D": "service"}}},
                      env_file=".env", environment={"T_B": "project", "T_X": "${T_A:-none} ${T_NO:-${T_ENGINE:+there}}"})
    try:
        project.env["T_ENGINE"] = "engine"
        project.write(".env", "T_A=file\nT_B=file\nT_C=file\nT_ENGINE=file\n")
        project.write("a.env", "T_C=service file\nT_D=service file\n")
        project.run("up", "-d", check=0)
        line = until(lambda: told(project, "a/0"), "it has told")[0]
        expect(line.strip() == "T_A=file T_B=project T_C=service file T_D=service T_E=service file T_ENGINE=file T_X=file there", line)
        shown = {v["name"]: v for v in project.json("env", "a")["variables"]}
        sources = {name: (v["source"], v["path"]) for name, v in shown.items() if name.startswith("T_")}
        expect(sources == {"T_A": ("project env_file", project.dir + "/.env"), "T_B": ("project environment", None),
                           "T_C": ("env_file", project.dir + "/a.env"), "T_D": ("environment", None), "T_E": ("environment", None),
                           "T_ENGINE": ("project env_file", project.dir + "/.env"), "T_X": ("project environment", None)}, str(sources))
        expect(shown["LC_ALL"]["source"] == "engine" and shown["THRUM_SERVICE"]["source"] == "thrum", "engine, thrum")
        expect("running" not in shown["T_A"], "the process has another value")
    finally:
        project.close()


def a_restart_reads_the_files_again():
    project = Project("again", {"a": {"command": TELL}, "b": {"command": TELL, "environment": {"T_A": "mine"}}}, env_file=".env")
    try:
        project.write(".env", "T_A=1\nT_B=1\n")
        project.run("up", "-d", check=0)
        expect(last(project, "a/0", 1) == ["T_A=1", "T_B=1"], "the first life")
        project.write(".env", "T_A=2\nT_C=2\n")
        shown = {v["name"]: v for v in project.json("env", "a")["variables"]}
        expect(shown["T_A"]["value"] == "2" and shown["T_A"]["running"] == "1", f"{shown['T_A']}")
        project.run("restart", "all", check=0)
        expect(last(project, "a/0", 2) == ["T_A=2", "T_C=2"], f"the second life {told(project, 'a/0')}")
        expect(last(project, "b/0", 2) == ["T_A=mine", "T_C=2"], f"precedence {told(project, 'b/0')}")
        # a crash reads them too, and the next engine knows what the last one read
        project.write(".env", "T_A=3\n")
        os.kill(until(lambda: project.rows()["a/0"]["pid"], "a runs"), signal.SIGSEGV)
        expect(last(project, "a/0", 3) == ["T_A=3"], f"the third life {told(project, 'a/0')}")
        expect("nothing to do" not in project.run("plan", check=0).stdout, "b was started with what is no longer there")
        project.run("restart", "b", check=0)
        expect(last(project, "b/0", 3) == ["T_A=mine"], "b follows")
        expect("nothing to do" in project.run("plan", check=0).stdout, project.run("plan").stdout)
        project.run("up", "-d", check=0)  # what is in those files is no other configuration
    finally:
        project.close()


def what_cannot_be_read_stays_as_it_was():
    project = Project("stale", {"a": {"command": TELL}}, env_file=[".env", "?.env.local"])
    try:
        project.write(".env", "T_A=1\n")
        project.write(".env.local", "T_B=1\n")
        project.run("up", "-d", check=0)
        expect(last(project, "a/0", 1) == ["T_A=1", "T_B=1"], "the first life")

        def restarted(life, want, words=None):
            project.run("restart", "a", check=0)
            expect(last(project, "a/0", life) == want, f"life {life}: {told(project, 'a/0')}")
            if words:
                until(lambda: stale_told(project, words), f"it is told: {words}")
        os.remove(project.dir + "/.env")
        restarted(2, ["T_A=1", "T_B=1"], "No such file")
        expect(project.json("env", "a")["stale"], "env does not tell")
        expect("the values of the last time" in project.run("env", "a").stderr, "env does not say")
        kill_engine(project)
        restarted(3, ["T_A=1", "T_B=1"])
        project.write(".env", "T_A=2\nthis is no line\n")
        restarted(4, ["T_A=1", "T_B=1"], "a line is NAME=value")
        os.remove(project.dir + "/.env")
        os.mkfifo(project.dir + "/.env")
        restarted(5, ["T_A=1", "T_B=1"], "no regular file")
        os.remove(project.dir + "/.env")
        project.write(".env", "T_A=" + "x" * (2 << 20) + "\n")
        restarted(6, ["T_A=1", "T_B=1"], "more than")
        os.remove(project.dir + "/.env.local")  # an optional one may go
        project.write(".env", "T_A=7\n")
        restarted(7, ["T_A=7"])
        expect(project.json("env", "a")["stale"] == [], "it is still stale")
    finally:
        project.close()


def secrets_are_masked():
    project = Project("secrets", {"a": {"command": "sleep 600", "environment": {
        "API_KEY": "value-1", "github_token": "value-2", "SESSION_SECRET": "value-3", "PGPASSWORD": "value-4",
        "BASIC_AUTH": "value-5", "SENTRY_DSN": "value-6", "AWS_CREDENTIALS": "value-7", "PLAIN": "value-8"}}})
    try:
        project.run("up", "-d", check=0)
        for args in ["env", "a"], ["env", "a", "--json"]:
            hidden, shown = project.run(*args, check=0).stdout, project.run(*args, "--show", check=0).stdout
            for i in range(1, 8):
                expect(f"value-{i}" not in hidden and f"value-{i}" in shown, f"{args}: value-{i}")
            expect("value-8" in hidden, f"{args}: PLAIN")
        project.run("env", "nobody", check=4)
    finally:
        project.close()


def profiles_and_several_files_are_merged():
    project = Project("merged", {"a": {"command": TELL, "environment": {"T_M": "base"}}},
                      profiles={"prod": {"processes": {"a": {"instances": 2, "environment": {"T_M": "prod"}}}, "environment": {"T_P": "prod"}},
                                "loud": {"processes": {"a": {"environment": {"T_M": "loud"}}}}})
    try:
        project.write("more.yaml", "processes:\n  a: {environment: {T_F: more}}\n  b: {command: 'sleep 600'}\n")

        def checked(*args):
            return json.loads(project.run("check", *args, check=0).stdout)["processes"]
        expect(checked()["a"]["environment"] == {"T_M": "base"}, "the file alone")
        both = checked("-f", "thrum.yaml", "-f", "more.yaml", "--profile", "prod", "--profile", "loud")
        expect(both["a"]["environment"] == {"T_P": "prod", "T_M": "loud", "T_F": "more"} and both["a"]["instances"] == 2 and "b" in both, str(both["a"]))
        wrong = project.run("up", "-d", "--profile", "production", check=2)
        expect("no profile 'production'; there are: prod, loud" in wrong.stderr, wrong.stderr)
        project.env["THRUM_PROFILE"] = "prod"
        project.run("up", "-d", check=0)
        for name in "a/0", "a/1":
            expect(last(project, name, 1) == ["T_M=prod", "T_P=prod"], told(project, name))
        until(lambda: all(r["pid"] for r in project.rows().values()), "both run")
        before = project.rows()
        expect("(restart 2 instances)" in project.run("plan", "--profile", "prod", "--profile", "loud", check=0).stdout, "the plan for another profile")
        del project.env["THRUM_PROFILE"]
        expect("scale 2 -> 1" in project.run("plan", check=0).stdout, "the plan without a profile")
        expect(project.rows()["a/0"]["pid"] == before["a/0"]["pid"], "a plan changes nothing")
    finally:
        project.close()


def what_must_be_set_says_so():
    project = Project("must", {"a": {"command": "sleep 600", "environment": {"A": "${T_MUST:?is the key of the shop}"}}})
    try:
        wrong = project.run("up", "-d", check=2)
        expect("${T_MUST}: is the key of the shop" in wrong.stderr and "thrum.yaml:1:" in wrong.stderr, wrong.stderr)
        project.env["T_MUST"] = "x"
        project.run("up", "-d", check=0)
    finally:
        project.close()


main(layers_lie_upon_each_other, a_restart_reads_the_files_again, what_cannot_be_read_stays_as_it_was, secrets_are_masked,
     profiles_and_several_files_are_merged, what_must_be_set_says_so)
