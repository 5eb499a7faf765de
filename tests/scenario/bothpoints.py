#!/usr/bin/env python3
"""
Keeper and engine are killed together at every system call that the engine makes while trees of processes start, lose
their main process and are started again; each point is a run of its own. Whatever the point: after the next start
nobody is there twice, who was not touched goes on, no line of output is lost, and after the end nobody is left.
THRUM_POINTS=N tries only every N-th point, THRUM_SEED says which.
"""
import concurrent.futures
from lib_thrum import *

LINES = 400
TREE = "sleep 4719 & (setsid sleep 4719 &) ; "
POINTS_MOST = 2600


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
        is_hit = "killed" == until(lambda: not hello(p) and "killed" or p.log_at("starts").count(b"\n") >= 3 and state(p, "count/0") == "completed" and "over",
                                   f"point {point}: its moment")
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
        ours = lambda: {pid: f for pid, f in marked(p).items() if f.state not in "ZX"}
        until(lambda: len(ours()) == 6, lambda: f"point {point}: two trees of three: {ours()}")
        p.run("down", check=0)
        until(lambda: not marked(p), lambda: f"point {point}: nobody is left: {marked(p)}")
        return is_hit
    finally:
        p.close()


def wherever_both_are_killed_nobody_is_left_behind():
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    wrong, hits, tried = [], 0, points(POINTS_MOST, 60)
    try:
        keeper = write_traced_keeper(folder)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for result in [pool.submit(one_run, point, keeper) for point in tried]:
                try:
                    hits += result.result()
                except Failure as why:
                    wrong.append(str(why))
    finally:
        shutil.rmtree(folder)
    print(f"# {len(tried)} points, {hits} hit, {len(wrong)} violations")
    expect(not wrong, "; ".join(wrong[:5]))
    expect(hits or len(tried) < 10, "none of the points was reached")


main(wherever_both_are_killed_nobody_is_left_behind)
