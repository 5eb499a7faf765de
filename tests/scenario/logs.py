#!/usr/bin/env python3
"""Logs on disk: rotation under readers, a cap for all, files that are moved away, and a child that floods."""
import json, os, signal, subprocess, sys, threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, WORKER, Project, anonymous_kb, expect, kill_engine, main, numbered, state, until


def who_follows_during_rotation_misses_and_doubles_nothing():
    p = Project("rotate", {"a": {"command": ["sh", "-c", f"read go < gate; exec {WORKER}/counter pids a 60000 50 0 0"], "availability": {"restart": "no"},
                                 "log": {"rotate": {"max_size": "100KB", "max_files": 100}}}})
    try:
        os.mkfifo(p.dir + "/gate")
        p.run("up", "-d", check=0)
        with open(p.dir + "/seen", "w") as seen:
            reader = subprocess.Popen([THRUM, "logs", "-f", "-n", "0", "a", "--json"], cwd=p.dir, env=p.env, stdout=seen)
        with open(p.dir + "/gate", "w") as f:
            f.write("go\n")
        try:
            until(lambda: b'"a:60000 ' in p.log_at("seen"), "the last line")
        finally:
            reader.terminate()
            reader.wait(60)
        numbers = [int(json.loads(line)["text"].split(":")[1].split()[0]) for line in p.log_at("seen").splitlines()]
        expect(numbers == list(range(numbers[0], 60001)), f"{len(numbers)} lines from {numbers[0]}")
        expect(os.path.exists(f"{p.dir}/state/rotate/logs/a-0.out.log.2"), "it was rotated")
        wrong = numbered(p.log("a/0"), "a", 60000)
        expect(not wrong, wrong)
    finally:
        p.close()


def who_writes_faster_than_is_read_is_read_like_any_other():
    flood = {"log": {"rotate": {"max_size": "16MB", "max_files": 2}}}
    p = Project("flood", {"one": dict(flood, command="yes one line of many"), "two": dict(flood, command="yes another line"),
                          "slow": {"command": "while :; do echo tick; sleep 0.1; done"}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: all(p.log_at(f"state/flood/logs/{name}-0.out.log") for name in ("one", "two", "slow")), "all write")
        lines = [r["text"] for r in map(json.loads, p.run("logs", "-n", "1000", "--json", check=0).stdout.splitlines())]
        expect(len(lines) == 1000 and set(lines) <= {"one line of many", "another line", "tick"}, f"{len(lines)} lines: {set(lines)}")
        reader = subprocess.Popen([THRUM, "logs", "-f", "--json"], cwd=p.dir, env=p.env, stdout=subprocess.PIPE)
        patience, seen = threading.Timer(60, reader.kill), set()
        patience.start()
        for line in reader.stdout:
            if len(seen) == 3:
                break
            seen.add(json.loads(line)["service"])
        patience.cancel()
        reader.kill()
        reader.communicate()
        expect(len(seen) == 3, f"lines of all, as they come, not only of {seen}")
    finally:
        p.close()


def all_logs_together_stay_under_their_cap():
    loud = ["sh", "-c", "i=0; while [ $i -lt 30 ]; do head -c 40000 /dev/zero; i=$((i+1)); done; exec sleep 1000"]
    p = Project("cap", {"a": {"command": loud}, "b": {"command": loud}}, log={"disk_cap": "400KB", "rotate": {"max_size": "50KB", "max_files": 50}})
    folder = p.dir + "/state/cap/logs"

    def size():
        return sum(os.stat(f"{folder}/{name}").st_size for name in os.listdir(folder) if ".log" in name and not name.endswith(".idx"))
    try:
        p.run("up", "-d", check=0)
        # both have written everything when both log ends are known to be 1.2 MB
        until(lambda: all((p.json("info", n)["log"] or {"end": 0})["end"] == 1200000 for n in ("a/0", "b/0")), "all is written")
        # it is looked at when a segment is full: since then each may have begun another
        until(lambda: size() <= (400 + 2 * 50) * 1024, lambda: f"{size()} bytes of 2400000 are left")
        until(lambda: "were removed" in p.run("events").stdout, "and that is said")
        left = sorted(os.listdir(folder))
        expect("a-0.out.log" in left and "b-0.out.log" in left, "those being written are never removed")
        expect(not [n for n in left if n.endswith(".idx") and n[:-4] not in left], "an index goes with its segment")
    finally:
        p.close()


def a_log_that_is_moved_away_is_begun_anew():
    p = Project("moved", {"a": {"command": ["sh", "-c", "echo one; read x < gate; echo two; exec sleep 1000"]}})
    path = p.dir + "/state/moved/logs/a-0.out.log"
    try:
        os.mkfifo(p.dir + "/gate")
        p.run("up", "-d", check=0)
        until(lambda: p.log_at(path) == b"one\n", "the first line")
        os.rename(path, path + ".old")
        os.kill(p.engine(), signal.SIGUSR2)
        until(lambda: p.rows()["a/0"]["state"] == "running", "the engine took it")
        with open(p.dir + "/gate", "w") as f:
            f.write("go\n")
        until(lambda: p.log_at(path) == b"two\n", "the second line is in a new file")
        expect(p.log_at(path + ".old") == b"one\n", "and not in the old one")
    finally:
        p.close()


def a_flood_costs_the_engine_no_memory_and_others_no_time():
    p = Project("flood", {"yes": {"command": "yes", "log": {"rotate": {"max_size": "1MB", "max_files": 1}}},
                          "echo": {"command": ["sh", "-c", "while :; do read x < gate && echo said $x; done"]}})

    try:
        os.mkfifo(p.dir + "/gate")
        p.run("up", "-d", check=0)
        end = lambda: (p.json("info", "yes/0")["log"] or {"end": 0})["end"]
        until(lambda: end() > 50_000_000, "50 MB")
        before = anonymous_kb(p.engine())
        for i in range(5):
            with open(p.dir + "/gate", "w") as f:
                f.write(f"{i}\n")
            until(lambda: f"said {i}\n".encode() in p.log("echo/0"), "the other one's line")
        until(lambda: end() > 500_000_000, "500 MB")
        expect(anonymous_kb(p.engine()) < before + 2048, f"{before} KB before, {anonymous_kb(p.engine())} KB after")
    finally:
        p.close()


def a_formatted_file_has_each_line_once_though_the_engine_dies():
    p = Project("derived", {"a": {"command": [WORKER + "/counter", "pids", "a", "20000", "7", "200", "0"], "availability": {"restart": "no"}, "log": {"file": "a.log", "rotate": {"max_size": "100MB"}}},
                            "b": {"command": ["sh", "-c", "echo one; echo two >&2; printf three; exit 0"], "instances": 2, "availability": {"restart": "no"}, "log": {"file": "b.log", "timestamps": True}}})
    try:
        p.run("up", "-d", check=0)
        kills = 0

        def kill():
            nonlocal kills
            kill_engine(p)
            kills += 1
        until(lambda: state(p, "a/0") == "completed" or kill(), lambda: f"all is written, over {kills} kills", 120)
        until(lambda: p.log_at("a.log").count(b"\n") == 20000, "all lines")
        wrong = numbered(p.log_at("a.log"), "a", 20000)
        expect(not wrong, f"after {kills} kills: {wrong}")
        for name in ("b-0.log", "b-1.log"):
            lines = until(lambda: len(lines := p.log_at(name).decode().splitlines()) == 3 and lines, f"three lines in {name}")
            expect(sorted(line.split(" ", 1)[1] for line in lines) == ["one", "three", "two"], f"{lines}")
            expect(all(line[10] == "T" and line[23] == "Z" for line in lines), f"{lines}")
    finally:
        p.close()


def a_formatted_file_that_is_moved_away_is_begun_anew():
    p = Project("newfile", {"a": {"command": ["sh", "-c", "echo one; read x < gate; echo two; exec sleep 1000"], "log": {"file": "a.log"}}})
    try:
        os.mkfifo(p.dir + "/gate")
        p.run("up", "-d", check=0)
        until(lambda: p.log_at("a.log") == b"one\n", "the first line")
        os.rename(p.dir + "/a.log", p.dir + "/a.old")
        os.kill(p.engine(), signal.SIGUSR2)
        until(lambda: p.rows()["a/0"]["state"] == "running", "the engine took it")
        with open(p.dir + "/gate", "w") as f:
            f.write("go\n")
        until(lambda: p.log_at("a.log") == b"two\n", lambda: f"the second line: {p.log_at('a.log')}")
        expect(p.log_at("a.old") == b"one\n", "and not in the old one")
    finally:
        p.close()


def the_newest_lines_are_those_of_all_that_is_asked_for():
    write = "for i in 1 2 3 4 5; do echo {0}$i; done; exec sleep 1000"
    p = Project("newest", {"a": {"command": write.format("a")}, "b": {"command": write.format("b")}})
    def texts(*args):
        return [json.loads(line)["text"] for line in p.run("logs", "--json", *args, check=0).stdout.splitlines()]
    try:
        p.run("up", "-d", check=0)
        until(lambda: all(p.log(name).endswith(b"5\n") for name in ("a/0", "b/0")), "all is written")
        for args in ((), ("--since", "1h"), ("--grep", "a"), ("--since", "1h", "--grep", "[a-z]")):
            expect(texts("-n", "2", *args, "a") == ["a4", "a5"], f"{args}: {texts('-n', '2', *args, 'a')}")
        both = texts("-n", "7")
        expect(len(both) == 7 and [t for t in both if t[0] == "a"] == [f"a{i}" for i in range(1, 6)][-sum(t[0] == "a" for t in both):], f"{both}")
        expect(sorted(texts("-n", "0")) == sorted(texts("--since", "1h")) == [f"{name}{i}" for name in "ab" for i in range(1, 6)], "all of it")
    finally:
        p.close()


def bad_questions_are_answered_with_what_would_be_right():
    p = Project("ask", {"a": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        for args, said in ((("--grep", "("), "missing closing parenthesis at offset 1"), (("--since", "yesterdayish"), "yesterdayish"),
                           (("-n", "many"), "many"), (("nobody",), "no service matches 'nobody'")):
            done = p.run("logs", *args)
            expect(done.returncode in (2, 4) and said in done.stderr, f"{args}: {done.returncode} {done.stderr}")
    finally:
        p.close()


main(who_follows_during_rotation_misses_and_doubles_nothing,
     who_writes_faster_than_is_read_is_read_like_any_other, all_logs_together_stay_under_their_cap,
     a_log_that_is_moved_away_is_begun_anew,
     a_flood_costs_the_engine_no_memory_and_others_no_time,
     a_formatted_file_has_each_line_once_though_the_engine_dies,
     a_formatted_file_that_is_moved_away_is_begun_anew,
     the_newest_lines_are_those_of_all_that_is_asked_for,
     bad_questions_are_answered_with_what_would_be_right)
