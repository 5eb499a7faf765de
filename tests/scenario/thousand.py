#!/usr/bin/env python3
"""A thousand services: they start, restart and stop, and the table of them can be used."""
import re
from lib_thrum import *
from lib_terminal import Terminal

COUNT, SECONDS = 1000, 120


def counts(p):
    rows = p.rows()
    return {state: sum(row["state"] == state for row in rows.values()) for state in {row["state"] for row in rows.values()}}


def a_thousand_services_start_restart_and_stop():
    p = Project("thousand", {f"s{i:03}": {"command": ["sleep", "1000"], "depends_on": [f"s{i - 1:03}"] if i % 10 else []} for i in range(COUNT)})
    try:
        p.run("up", "-d", check=0, timeout=SECONDS)
        until(lambda: counts(p) == {"running": COUNT}, "all run", SECONDS)
        before = {name: row["pid"] for name, row in p.rows().items()}
        expect(len(set(before.values())) == COUNT and all(map(is_alive, before.values())), "each is a process of its own")
        p.run("restart", "all", check=0, timeout=SECONDS)
        until(lambda: counts(p) == {"running": COUNT} and all(row["pid"] != before[name] for name, row in p.rows().items()), "all are others", SECONDS)
        expect(all(row["restarts"] == {"crash": 0, "manual": 1, "limit": 0, "probe": 0, "watch": 0} for row in p.rows().values()), "each once, by hand")
        expect(not any(map(is_alive, before.values())), "none of the former is left")
        expect(len(p.json("history", "-n", "5000")) == COUNT, "and every end is in the history")
        engine = p.engine()
        os.kill(engine, signal.SIGKILL)
        pids = {name: row["pid"] for name, row in until(lambda: p.rows(), "another engine").items()}
        expect(len(pids) == COUNT and all(map(is_alive, pids.values())) and counts(p) == {"running": COUNT}, "which has them all")
        p.run("stop", "all", check=0, timeout=SECONDS)
        until(lambda: counts(p) == {"stopped": COUNT}, "all are stopped", SECONDS)
        expect(not any(map(is_alive, pids.values())), "and gone")
        p.run("start", "s00*", check=0, timeout=SECONDS)
        until(lambda: counts(p) == {"running": 10, "stopped": COUNT - 10}, "some of them by a pattern")
        p.run("down", check=0, timeout=SECONDS)
    finally:
        p.close()


def on_row(t, name):
    t.until(lambda text: re.search(rf"^>  {name} ", text, re.M), name)


def their_table_can_be_used():
    if not shutil.which("tmux"):
        return
    p = Project("table", {f"s{i:03}": {"command": ["sleep", "1000"]} for i in range(COUNT)})
    t = None
    try:
        p.run("up", "-d", check=0, timeout=SECONDS)
        until(lambda: counts(p) == {"running": COUNT}, "all run", SECONDS)
        t = Terminal(p, "attach", 120, 40)
        t.sees(f"inst {COUNT}", f"up {COUNT}", "s000")
        t.keys("End")
        on_row(t, "s999")
        expect(not re.search(r"^.  s000 ", t.screen(), re.M), "the first is far away")
        t.keys("PageUp")
        on_row(t, r"s9[0-8]\d")
        t.keys("/", "s", "5", "5", "5", "Enter")
        on_row(t, "s555")
        t.keys("r")
        until(lambda: p.rows()["s555/0"]["restarts"]["manual"] == 1, "the one that was found is restarted")
        t.keys("Home")
        on_row(t, "s000")
    finally:
        if t:
            t.close()
        p.close()


main(a_thousand_services_start_restart_and_stop, their_table_can_be_used)
