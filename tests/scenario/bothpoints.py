#!/usr/bin/env python3
"""
Keeper and engine are killed together at every system call that the engine makes while trees of processes start, lose
their main process and are started again; each point is a run of its own. Whatever the point: after the next start
nobody is there twice, who was not touched goes on, no line of output is lost, and after the end nobody is left.
THRUM_POINTS=N tries only every N-th point.
"""
import concurrent.futures
from lib_thrum import *

LINES = 400
TREE = "sleep 4719 & (setsid sleep 4719 &) ; "
POINTS_MOST = 2600


def seen_all(p):
    """The tracer has killed both, or the run went by without reaching the point."""
    rows = p.rows()
    return not hello(p) or (rows and all(r["pid"] or r["state"] in ("completed", "failed") for r in rows.values()))


def one_run(point, keeper):
    p = Project(f"both{point}", {
        "count": {"command": [WORKER + "/counter", "pids", "count", str(LINES), "1", "1000", "0"], "availability": {"restart": "no"}},
        "tree": {"command": ["sh", "-c", TREE + "wait"], "shutdown": {"timeout": "1s"}},
        "dies": {"command": ["sh", "-c", TREE + "echo >> starts; [ $(wc -l < starts) -ge 3 ] && exec sleep 4719; exit 1"],
                 "availability": {"restart": "always", "min_uptime": 0, "max_restarts": "unlimited", "backoff": {"initial": "5ms", "factor": 1}}, "shutdown": {"timeout": "1s"}}})
    traced = dict(p.env, THRUM_KEEPER=keeper, KILLAT_THRUM=THRUM, KILLAT_FOLDER=p.dir, KILLAT_POINT=str(point), KILLAT_BOTH="1")
    untraced, p.env = p.env, traced
    try:
        p.run("up", "-d")
        is_hit = until(lambda: not hello(p) or (p.log_at("starts").count(b"\n") >= 3 and p.rows().get("count/0", {}).get("state") == "completed" and "over"), f"point {point}: its moment", 30) is True
        p.env = untraced
        p.run("up", "-d", check=0)
        until(lambda: (r := p.rows().get("dies/0")) and r["state"] == "running" and p.log_at("starts").count(b"\n") >= 3, f"point {point}: all run")
        until(lambda: p.rows()["count/0"]["state"] in ("completed", "failed"), f"point {point}: the counter is done")
        leaders = {}
        for pid, found in marked(p).items():
            if found.session == pid and found.state not in "ZX" and found.service != "count" and (found.service != "tree" or found.command.startswith(b"sh")):
                leaders.setdefault(found.service, []).append(pid)
        for name, pids in leaders.items():
            mains = [pid for pid in pids if pid == p.rows()[f"{name}/0"]["pid"]]
            expect(len(mains) == 1, f"point {point}: {name}: {pids}, {p.rows()}")
        runs = len(p.log_at("pids").splitlines())
        died = [d for d in p.json("history") if d["service"] == "count"]
        expect(runs == 1 or is_hit, f"point {point}: the counter ran {runs} times")
        wrong = runs == 1 and numbered(p.log("count/0"), "count", LINES)
        expect(not wrong, f"point {point}: {wrong}")
        expect(len(died) >= 1, f"point {point}: {died}")
        ours = {pid: f for pid, f in marked(p).items() if f.state not in "ZX"}
        expect(len(ours) == 6, f"point {point}: {ours}")
        p.run("down", check=0)
        until(lambda: not marked(p), f"point {point}: nobody is left: {marked(p)}")
        return is_hit
    finally:
        p.close()


def wherever_both_are_killed_nobody_is_left_behind():
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    stride = int(os.environ.get("THRUM_POINTS", "60"))
    points = list(range(1 + int(time.time()) % stride, POINTS_MOST, stride))
    wrong, hits = [], 0
    try:
        keeper = write_traced_keeper(folder)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for result in [pool.submit(one_run, point, keeper) for point in points]:
                try:
                    hits += result.result()
                except Failure as why:
                    wrong.append(str(why))
    finally:
        shutil.rmtree(folder)
    print(f"# {len(points)} points, {hits} hit, {len(wrong)} violations")
    expect(not wrong, "; ".join(wrong[:5]))


main(wherever_both_are_killed_nobody_is_left_behind)
