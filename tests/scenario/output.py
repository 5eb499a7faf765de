#!/usr/bin/env python3
"""
What is printed while it is followed: whole, once, in order, however many speak at once, however slowly it is read,
and when the engine dies under it.
"""
import threading
from lib_thrum import *


def check_lines(records, service, instances, count):
    seen = {}
    for record in records:
        if record["kind"] == "log" and record["service"] == service:
            seen.setdefault(record["instance"], []).append(int(record["text"]))
    expect(sorted(seen) == list(range(instances)), f"instances {sorted(seen)}")
    for instance, numbers in seen.items():
        expect(numbers == list(range(1, count + 1)), f"{service}/{instance}: {len(numbers)} lines, not 1 to {count} in order")


def many_that_flood_are_printed_whole():
    project = Project("flood", {"w": {"command": "seq 1 20000", "instances": 60, "availability": {"restart": "no"}}})
    try:
        front = project.headless()
        expect(front.wait(120) == 0, f"status {front.returncode}")
        check_lines(project.records(), "w", 60, 20000)
    finally:
        project.close()


def a_reader_that_pauses_stops_nothing_and_loses_nothing():
    project = Project("pause", {"w": {"command": "seq 1 100000", "instances": 10, "availability": {"restart": "no"}},
                                "on": {"command": "sleep 600"}})
    try:
        front = subprocess.Popen([THRUM, "up", "--headless", "--format", "json", "--samples", "100ms", "--exit-when", "w"],
                                 cwd=project.dir, env=project.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        project.front = front
        until(lambda: project.rows().get("w/9", {}).get("state") == "completed", "all are done, though nobody reads")
        until(lambda: project.rows().get("w/0", {}).get("state") == "completed", "all are done, though nobody reads")
        project.run("down", "--timeout", "1s", check=0)
        out = front.stdout.read()
        expect(front.wait(60) == 0, f"status {front.returncode}")
        check_lines(map(json.loads, out.splitlines()), "w", 10, 100000)
    finally:
        project.close()


def those_who_follow_do_not_notice_that_the_engine_died():
    project = Project("follow", {"w": {"command": [WORKER + "/counter", "started", "w", "4000", "50", "20000", "0"],
                                       "availability": {"restart": "no"}}})
    followers = []
    try:
        project.run("up", "-d", check=0)
        for command in (["logs", "-f", "-n", "100000", "--json"], ["events", "-f", "--json"]):
            followers.append(subprocess.Popen([THRUM, *command], cwd=project.dir, env=project.env, stdout=subprocess.PIPE))
        waiter = subprocess.Popen([THRUM, "wait", "w", "--for", "completed"], cwd=project.dir, env=project.env)
        outs = [None, None]
        readers = [threading.Thread(target=lambda i=i: outs.__setitem__(i, followers[i].stdout.read())) for i in range(2)]
        for reader in readers:
            reader.start()
        for _ in range(4):
            kill_engine(project)
        expect(waiter.wait(60) == 0, f"wait: status {waiter.returncode}")
        project.run("down", check=0)
        for reader in readers:
            reader.join(60)
        texts = [json.loads(line)["text"] for line in outs[0].splitlines()]
        wrong = numbered("".join(text + "\n" for text in texts).encode(), "w", 4000)
        expect(not wrong, f"logs -f: {wrong}")
        seqs = [json.loads(line)["seq"] for line in outs[1].splitlines()]
        expect(seqs == list(range(1, len(seqs) + 1)) and len(seqs) > 6, f"events -f: {seqs}")
    finally:
        for follower in followers:
            follower.kill()
            follower.wait()
        project.close()


def a_project_of_another_folder_is_not_touched():
    project = Project("there", {"a": {"command": "sleep 600"}})
    try:
        project.run("up", "-d", check=0)
        os.mkdir(project.dir + "/other")
        with open(project.dir + "/other/thrum.yaml", "w") as f:
            f.write('{"name": "there", "processes": {"b": {"command": "sleep 5"}}}')
        for command in (["ps"], ["stop", "all"], ["run", "--", "sleep", "1"], ["down"], ["up", "-d"]):
            done = subprocess.run([THRUM, *command], cwd=project.dir + "/other", env=project.env, capture_output=True, text=True)
            expect(done.returncode == 2 and project.dir in done.stderr, f"{command}: {done.returncode} {done.stderr}")
        done = subprocess.run([THRUM, "-p", "there", "ps"], cwd=project.dir + "/other", env=project.env, capture_output=True)
        expect(done.returncode == 0, "named with -p it is")
        expect(project.rows()["a/0"]["state"] == "running", "it was touched")
    finally:
        project.close()


def a_full_disk_and_a_closed_pipe_are_told_apart():
    project = Project("closed", {"a": {"command": "sleep 600"}})
    try:
        project.run("up", "-d", check=0)
        done = subprocess.run([THRUM, "ps"], cwd=project.dir, env=project.env, stdout=open("/dev/full", "w"),
                              stderr=subprocess.PIPE, text=True)
        expect(done.returncode == 1 and "No space left" in done.stderr, f"{done.returncode} {done.stderr}")
        follower = subprocess.Popen([THRUM, "events", "-f"], cwd=project.dir, env=project.env, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE)
        follower.stdout.readline()
        follower.stdout.close()
        project.run("restart", "a", check=0)
        expect(follower.wait(60) in (0, -signal.SIGPIPE) and not follower.stderr.read(), f"status {follower.returncode}")
    finally:
        project.close()


main(many_that_flood_are_printed_whole, a_reader_that_pauses_stops_nothing_and_loses_nothing,
     those_who_follow_do_not_notice_that_the_engine_died, a_project_of_another_folder_is_not_touched,
     a_full_disk_and_a_closed_pipe_are_told_apart)
