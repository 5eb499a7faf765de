#!/usr/bin/env python3
"""What died and why, and the record of each death: its last lines, and how it was measured."""
from lib_thrum import *

ONCE = {"restart": "no"}
TALKS = """#!/bin/sh
i=1
while [ $i -le 60 ]; do echo "line $i"; i=$((i + 1)); done
printf '\\033]0;EVIL\\007fatal: \\033[31mno \\377 such \\000 thing\\n' >&2
printf 'and no end'
exit 3
"""


def watch(project):
    """A client that looks at the figures every 100 ms, as a dashboard does every second."""
    client = control(project)
    client.sendall(b'{"jsonrpc":"2.0","id":1,"method":"subscribe","params":{"samples":true,"sample_ms":100}}\n')
    return client.makefile()


def await_samples(stream, service, count):
    for line in stream:
        message = json.loads(line)
        if message.get("method") == "sample":
            count -= any(i["service"] == service and i["rss"] for i in message["params"]["instances"])
        if count <= 0:
            return


def record(project, *args):
    return project.json("history", *args)


def a_death_has_what_was_written_last():
    project = Project("words", {"talks": {"command": "./talks.sh", "availability": ONCE}, "mute": {"command": "exit 0", "availability": ONCE}})
    project.write("talks.sh", TALKS, 0o755)
    try:
        project.run("up", "-d", check=0)
        project.run("wait", "talks", "--for", "stopped", "--timeout", "60s")
        death = until(lambda: record(project, "talks", "--last"), "the record")
        expect((death["cause"], death["code"], death["pid"] > 0) == ("exit 3", 3, True), f"{death}")
        texts = [line["text"] for line in death["lines"] if line["stream"] == "stdout"]
        wrong = [line for line in death["lines"] if line["stream"] == "stderr"]
        expect(len(death["lines"]) == 50 and texts[-2:] == ["line 60", "and no end"], f"{death['lines']}")
        expect(wrong[0]["text"] == "\033]0;EVIL\afatal: \033[31mno \ufffd such \0 thing", f"as it was written: {wrong}")
        shown = project.run("history", "talks", "--last", check=0).stdout
        expect("\033" not in shown and "EVIL" not in shown and "fatal: no \ufffd such ^@ thing\n" in shown, f"neutralised: {shown!r}")
        expect("ended by   exit 3" in shown and "| line 60" in shown, shown)
        expect("it wrote nothing" in project.run("history", "mute", "--show", "1", check=0).stdout, "mute")
    finally:
        project.close()


def a_death_has_how_it_was_measured():
    project = Project("figures", {"busy": {"command": "while :; do :; done"}})
    try:
        project.run("up", "-d", check=0)
        stream = watch(project)
        await_samples(stream, "busy", 25)  # of which those a second apart are kept
        project.run("kill", "busy", check=0)
        death = until(lambda: record(project, "busy") and record(project, "busy", "--last"), "the record")
        samples = death["samples"]
        # one a second, and one for the second that was begun; how much of a processor it was given is the machine's affair
        expect(2 <= len(samples) <= death["uptime_ms"] / 1000 + 2, f"{len(samples)} samples of {death['uptime_ms']} ms: {samples}")
        expect(all(s["rss"] > 0 for s in samples[1:]) and samples[-1]["cpu_pct"] > 0, f"{samples}")
        expect(samples == sorted(samples, key=lambda s: s["ts"]), "in order")
        shown = project.run("history", "--last", check=0).stdout
        expect("cpu        " in shown and "█" in shown and "at the most" in shown, shown)
        project.env["LC_ALL"] = "C"
        expect(project.run("history", "--last", check=0).stdout.isascii(), "in ASCII where there is no more")
    finally:
        project.close()


def records_outlive_the_engine_and_the_logs():
    project = Project("outlive", {"talks": {"command": "./talks.sh", "availability": ONCE, "log": {"rotate": {"max_size": "1KB", "max_files": 1}}}})
    project.write("talks.sh", TALKS, 0o755)
    try:
        project.run("up", "-d", check=0)
        first = until(lambda: record(project, "talks") and record(project, "talks", "--last"), "the first record")
        kill_engine(project)
        for lives in (2, 3, 4, 5):
            project.run("start", "talks", check=0)
            until(lambda: len(record(project, "talks")) == lives, f"{lives} deaths")
        again = record(project, "talks", "--show", "5")
        expect(again == first and again["lines"], f"{again}")
        state = f"{project.dir}/state/outlive/deaths.jsonl"
        with open(state, "rb") as f:
            keys = [json.loads(line)["life"] for line in f]
        expect(keys == [1, 2, 3, 4, 5], f"each once: {keys}")
        os.rename(state, state + ".1")  # as when the file is full …
        project.run("down", check=0)
        project.run("up", "-d", check=0)
        until(lambda: len(record(project, "talks")) == 6, "6 deaths")
        expect(record(project, "talks", "--show", "6") == first, "the one before is read too")
        expect(record(project, "talks", "--show", "1")["life"] == 1, "life 1 of this run is another one")
        expect(record(project, "talks", "--show", "1") != first, "… with a record of its own")
        os.unlink(state + ".1")
        gone = record(project, "talks", "--show", "6")
        expect(gone["lines"] is None and gone["samples"] is None and gone["cause"] == "exit 3", f"{gone}")
        expect("not kept any more" in project.run("history", "talks", "--show", "6", check=0).stdout, "it says so")
    finally:
        project.close()


def the_history_is_found_among_many():
    project = Project("many", {"rare": {"command": "exit 1", "availability": ONCE}, "often": {"command": "exit 2", "availability": ONCE}})
    try:
        project.run("up", "-d", check=0)
        until(lambda: len(record(project)) == 2, "both died")
        journal = f"{project.dir}/state/many/history.jsonl"
        line = json.dumps(record(project, "often")[0], separators=(",", ":"))
        with open(journal, "a") as f:
            f.write((line + "\n") * 3000 + '{"service":"often","inst\nnothing\n')
        expect(len(record(project, "rare")) == 1, "rare is found behind 3000 others")
        expect(len(record(project, "-n", "7")) == 7, "-n")
        expect(len(record(project, "--since", "1h")) == 100 and not record(project, "--since", "2100-01-01T00:00:00Z"), "--since")
        expect(len(record(project, "often", "--since", record(project, "often")[0]["ended"], "-n", "4000")) == 3001, "--since a time")
        for args, words in ((["--since", "yesterday"], "--since takes a duration"), (["--show", "x"], "--show takes a number")):
            done = project.run("history", *args)
            expect(done.returncode == 2 and words in done.stderr, f"{done}")
        done = project.run("history", "rare", "--show", "2")
        expect(done.returncode == 1 and "there are 1 such deaths" in done.stderr, f"{done}")
        expect(project.run("history", "rare", check=0).stdout.splitlines()[1].endswith("exit 1"), "the table")
    finally:
        project.close()


def who_has_the_port_is_told():
    port = free_port()  # nobody has it when we have left it
    holder = socket.create_server(("127.0.0.1", port))
    project = Project("ports", {
        "node": {"command": ["node", "-e", f"require('http').createServer().listen({port},'127.0.0.1')"], "availability": ONCE},
        "go": {"command": ["sh", "-c", f"echo 'listen tcp 127.0.0.1:{port}: bind: address already in use' >&2; exit 1"], "availability": ONCE},
        "other": {"command": ["sh", "-c", "echo 'port 1 is fine'; exit 1"], "availability": ONCE}})
    try:
        project.run("up", "-d", check=0)
        for name in ("go", "other") + (("node",) if shutil.which("node") else ()):
            project.run("wait", name, "--for", "stopped", "--timeout", "60s")
            death = until(lambda: record(project, name, "--last"), "the record")
            expect(death.get("in_use") == (None if name == "other" else {"port": port, "by": f"python3 ({os.getpid()})"}), f"{name}: {death.get('in_use')}")
        expect(f"port {port:<5}  is held by python3 ({os.getpid()})" in project.run("history", "go", "--last", check=0).stdout, "in words")
        holder.close()
        expect(record(project, "go", "--last")["in_use"] == {"port": port, "by": None}, "nobody any more")
    finally:
        holder.close()
        project.close()


main(who_has_the_port_is_told, a_death_has_what_was_written_last, a_death_has_how_it_was_measured, records_outlive_the_engine_and_the_logs,
     the_history_is_found_among_many)
