#!/usr/bin/env python3
"""
Keeper and engine are killed together, and the engine that takes their processes over is killed at one of its system calls;
each point is a run of its own. Whatever the point: nobody is started twice or ended, no line is lost or doubled.
THRUM_POINTS=N tries only every N-th point, THRUM_SEED says which.
"""
import concurrent.futures, os, shutil, signal, sys, tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, WORKER, Failure, Project, expect, is_alive, kill_both, main, numbered, points, until, write_traced_keeper

COUNTERS, LINES = 3, 700
POINTS_MOST = 900  # of a start that takes four processes over; it waits for work after less


def one_run(point, keeper):
    names = [f"c{i}" for i in range(COUNTERS)]
    processes = {n: {"command": [WORKER + "/counter", f"pids-{n}", n, str(LINES), "1", "1000", "0"], "availability": {"restart": "no"}} for n in names}
    processes["gone"] = {"command": "sleep 1000", "availability": {"restart": "no"}}
    project = Project(f"adopt{point}", processes)
    try:
        project.run("up", "-d", check=0)
        former = until(lambda: (rows := project.rows()) and all(r["pid"] for r in rows.values()) and {n: r["pid"] for n, r in rows.items()}, "all run")
        kill_both(project)
        os.kill(former["gone/0"], signal.SIGKILL)
        until(lambda: not is_alive(former["gone/0"]), "one ends meanwhile")
        project.env.update(THRUM_KEEPER=keeper, KILLAT_THRUM=THRUM, KILLAT_FOLDER=project.dir, KILLAT_POINT=str(point))
        project.run("up", "-d")
        until(lambda: (rows := project.rows()) and all(rows[f"{n}/0"]["state"] in ("running", "completed", "failed") for n in names), f"point {point}: all are known")
        until(lambda: all(project.rows().get(f"{n}/0", {}).get("state") in ("completed", "failed") for n in names), f"point {point}: the counters are done")
        for n in names:
            pids = project.log_at(f"pids-{n}").splitlines()
            expect(len(pids) == 1, f"point {point}: {n} ran more than once: {pids} {project.run('events').stdout}")
            wrong = numbered(project.log(n + "/0"), n, LINES)
            expect(not wrong, f"point {point}: {wrong}")
            died = [d for d in project.json("history") if d["service"] == n]
            expect(len(died) == 1 and died[0]["pid"] == former[n + "/0"], f"point {point}: one death of {n}: {died}")
        died = [d for d in project.json("history") if d["service"] == "gone" and d["pid"] == former["gone/0"]]
        expect(len(died) == 1 and "nobody knows" in died[0]["detail"], f"point {point}: the end that nobody saw: {died}")
        project.run("down", check=0)
    finally:
        project.close()


def an_adoption_that_is_cut_off_is_done_again():
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    wrong, tried = [], points(POINTS_MOST, 30)
    try:
        keeper = write_traced_keeper(folder)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for result in [pool.submit(one_run, point, keeper) for point in tried]:
                try:
                    result.result()
                except Failure as why:
                    wrong.append(str(why))
    finally:
        shutil.rmtree(folder)
    print(f"# {len(tried)} points, {len(wrong)} violations")
    expect(not wrong, "; ".join(wrong[:5]))


main(an_adoption_that_is_cut_off_is_done_again)
