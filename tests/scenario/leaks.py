#!/usr/bin/env python3
"""What leaks is told, how fast and until when; what only breathes is not."""
import json, subprocess, sys

from lib_thrum import *

OVER = "66s"  # a line is put through a minute at the least
# Every 100 ms: 400 KiB that are used, half a descriptor, and a thread each 2 s.
LEAK = """import os,threading,time
kept=[]
for i in range(100000):
    kept.append(bytearray(b'x'*400*1024))
    if i%2==0: kept.append(open('/dev/null'))
    if i%20==0: threading.Thread(target=time.sleep,args=(1000,),daemon=True).start()
    print('.',end='',flush=True)
    time.sleep(0.1)
"""
BREATHE = """import time
while True:
    kept=[bytearray(b'x'*400*1024) for i in range(40)]
    files=[open('/dev/null') for i in range(20)]
    time.sleep(0.7)
    del kept, files
    time.sleep(0.6)
"""


def looking(project, target):
    return subprocess.Popen([THRUM, *(["-p", project.name] if project else []), "inspect", "--json", "--over", OVER, str(target)],
                            stdout=subprocess.PIPE, text=True, **({"cwd": project.dir, "env": project.env} if project else {}))


def found_by(looker):
    out, _ = looker.communicate(timeout=120)
    expect(looker.returncode == 0, out)
    return json.loads(out)


def leaks_are_told_with_their_end():
    limits = [{"metric": "rss", "over": "4G", "for": 1, "every": "1s", "action": "warn"}]
    project = Project("leaks", {"leak": {"command": [sys.executable, "-c", LEAK], "limits": limits},
                                "steady": {"command": [sys.executable, "-c", BREATHE]}})
    try:
        project.run("up", "-d", check=0)
        pids = {name: row["pid"] for name, row in project.rows().items()}
        lookers = {"leak": looking(project, "leak/0"), "steady": looking(project, "steady/0"),
                   "leak by pid": looking(None, pids["leak/0"]), "steady by pid": looking(None, pids["steady/0"])}
        steps = lambda: len(project.log("leak/0"))
        before, began = steps(), time.monotonic()
        found = {name: found_by(looker) for name, looker in lookers.items()}
        per_s = (steps() - before) / (time.monotonic() - began)  # ten where the machine has time
        for name in ("leak", "leak by pid"):
            growth = {g["figure"]: g for g in found[name]["growth"]}
            expect(set(growth) == {"rss", "fds", "threads"}, f"{name}: {found[name]['growth']}")
            # a line through samples of a machine that is busy now and then, against the mean of the whole time
            for figure, each in (("rss", 400 * 1024), ("fds", 0.5), ("threads", 0.05)):
                expect(0.6 * each * per_s < growth[figure]["per_s"] < 1.5 * each * per_s, f"{per_s:.2f} steps a second: {growth[figure]}")
            expect(all(g["low_per_s"] <= g["per_s"] <= g["high_per_s"] and g["over_s"] >= 60 for g in growth.values()), f"{growth}")
            expect(growth["fds"]["most_of"] == "RLIMIT_NOFILE" and growth["fds"]["left_ms"] > 0, f"{growth['fds']}")
            expect(any("its memory grows by" in s and " in " in s for s in found[name]["findings"]), f"{found[name]['findings']}")
        rss = next(g for g in found["leak"]["growth"] if g["figure"] == "rss")
        expect(rss["most"] == 4 << 30 and rss["most_of"] == "its limit, action warn", f"{rss}")
        for name in ("steady", "steady by pid"):
            expect(found[name]["growth"] == [], f"{name}: {found[name]['growth']}")
        # the engine knows it now without waiting
        at_once = json.loads(project.run("inspect", "--json", "--over", "0", "leak/0", check=0).stdout)
        expect(len(at_once["growth"]) == 3, f"{at_once['growth']}")
    finally:
        project.close()


main(leaks_are_told_with_their_end)
