#!/usr/bin/env python3
"""
kill -9 of the engine, again and again at random moments, under `up --headless`: no child notices, no pid
changes, every line is in the logs once and was printed once, no event is lost or told twice.
THRUM_CHAOS_SECONDS: how long (60).
"""
import random
from lib_thrum import *

SECONDS = float(os.environ.get("THRUM_CHAOS_SECONDS", "60"))
WRITERS = 10


def strike(project):
    pid = project.engine()
    if pid:
        try:
            os.kill(pid, signal.SIGKILL)
            return 1
        except ProcessLookupError:
            pass
    return 0


def the_engine_dies_and_nobody_notices():
    lines = int(SECONDS / 0.005) * 7
    processes = {
        "w": {"command": ["sh", "-c", f'exec {WORKER}/counter started "w$THRUM_INSTANCE" {lines} 7 5000 0'], "instances": WRITERS,
              "log": {"rotate": {"max_size": "300KB", "max_files": 100}}},
        "storm": {"command": ["sh", "-c", "exit 3"], "instances": 2,
                  "availability": {"restart": "always", "min_uptime": "1ms", "backoff": {"initial": "5ms", "factor": 1}, "max_restarts": "unlimited"}},
    }
    project = Project("survive", processes)
    try:
        front = project.headless("--exit-when", "never")
        pids = until(lambda: len(pids := {n: r["pid"] for n, r in project.rows().items() if n.startswith("w/") and r["pid"]}) == WRITERS and pids, "all writers run")
        random.seed(1)
        end, kills = time.monotonic() + SECONDS, 0
        while time.monotonic() < end:
            kills += strike(project)
            # not a wait for anything: the moments are what is being tried
            time.sleep(random.uniform(0, 0.1))
        def all_done():
            rows = {n: r for n, r in project.rows().items() if n.startswith("w/")}
            return len(rows) == WRITERS and all(r["state"] == "completed" for r in rows.values())
        until(all_done, "the writers end", 60 + SECONDS)
        with open(project.dir + "/started") as f:
            started = dict(reversed(line.split()) for line in f)
        expect(sorted(map(int, started)) == sorted(pids.values()), "a writer was started again")
        for name in pids:
            wrong = numbered(project.log(name), name.replace("/", ""), lines)
            expect(not wrong, f"log: {wrong}")
        front.terminate()
        expect(front.wait(120) == 0, f"status {front.returncode}")
        records = project.records()
        for i in range(WRITERS):
            texts = [r["text"] for r in records if r["kind"] == "log" and r["service"] == "w" and r["instance"] == i]
            wrong = numbered("".join(t + "\n" for t in texts).encode(), f"w{i}", lines)
            expect(not wrong, f"printed: {wrong}")
        seqs = [r["seq"] for r in records if r["kind"] == "event"]
        expect(seqs == list(range(1, len(seqs) + 1)), "an event was lost or told twice")
        storm = [r for r in records if r["kind"] == "event" and r["event"] == "exited" and r["service"] == "storm"]
        wrong = [r for r in storm if r["code"] != 3 and r["cause"] != "manual"]
        expect(not wrong, f"{len(wrong)} statuses are not what they were: {wrong[:3]}")
        print(f"# {kills} kills, {WRITERS * lines} lines, {len(seqs)} events, {len(storm)} deaths")
        expect(kills > SECONDS, "the engine was hardly ever killed")
    finally:
        project.close()


main(the_engine_dies_and_nobody_notices)
