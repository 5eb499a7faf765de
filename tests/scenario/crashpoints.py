#!/usr/bin/env python3
"""
The engine is killed at every entry into a system call, and every way out of one, while four children, one of them in a terminal, start, write and end; each
point is a run of its own. Whatever the point: every line is there once, every child ran once, every
status is known, and every death is in the history once, and its record with the last line is kept once.
THRUM_POINTS=N tries only every N-th point. On a machine that is too slow for all of them some are left out: others with another THRUM_SEED.
"""
import concurrent.futures, random
from lib_thrum import *

CHILDREN, LINES = 4, 60
SECONDS = 150  # a point is begun within


def all_failed(project):
    """The engine may have died before it was told to start all: those that never lived are started."""
    rows = project.rows()
    for name, row in rows.items():
        if row["state"] == "stopped" and not row["life"]:
            project.run("start", name)
    return len(rows) == CHILDREN and all(r["state"] == "failed" for r in rows.values())


def read_count(project):
    """How many stops the tracer saw; it writes that when the engine has ended."""
    try:
        with open(project.dir + "/count") as f:
            return int(f.read() or 0)
    except FileNotFoundError:
        return 0


def history(project):
    try:
        return project.json("history")
    except Failure:
        return None  # the engine was killed just now


def records(project):
    with open(f"{project.dir}/state/{project.name}/deaths.jsonl") as f:
        return sorted((r["service"], r["lines"][-1]["text"]) for r in map(json.loads, f))


def one_run(point, keeper):
    processes = {f"c{i}": {"command": [WORKER + "/counter", "started", f"c{i}", str(LINES), "7", "300", str(10 + i)],
                           "pty": i == CHILDREN - 1, "availability": {"restart": "no"}} for i in range(CHILDREN)}
    project = Project(f"kill{point}", processes)
    project.env.update(THRUM_KEEPER=keeper, KILLAT_THRUM=THRUM, KILLAT_FOLDER=project.dir, KILLAT_POINT=str(point))
    try:
        project.run("up", "-d")
        until(lambda: all_failed(project), f"point {point}: all ended")
        with open(project.dir + "/started") as f:
            names = sorted(line.split()[0] for line in f)
        expect(len(names) == len(set(names)) == CHILDREN, f"point {point}: started {names}")
        deaths = until(lambda: history(project), f"point {point}: the history")
        expect(sorted((d["service"], d["code"]) for d in deaths) == [(f"c{i}", 10 + i) for i in range(CHILDREN)],
               f"point {point}: deaths {[(d['service'], d['code']) for d in deaths]}")
        expect(records(project) == [(f"c{i}", f"c{i}:{LINES} the quick brown fox") for i in range(CHILDREN)],
               f"point {point}: records {records(project)}")
        for i in range(CHILDREN):
            wrong = numbered(project.log(f"c{i}/0").replace(b"\r\n", b"\n"), f"c{i}", LINES)
            expect(not wrong, f"point {point}: {wrong}")
        project.run("down")
        return until(lambda: read_count(project), f"point {point}: the tracer ended")
    finally:
        project.close()


def every_system_call_survives():
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    try:
        try_points(write_traced_keeper(folder))
    finally:
        shutil.rmtree(folder)


def try_points(keeper):
    total = one_run(0, keeper)
    every = points(total, 1)
    random.Random(int(os.environ.get("THRUM_SEED", "0"))).shuffle(every)
    end, tried = time.monotonic() + SECONDS, []

    def run(point):
        if time.monotonic() < end:
            tried.append(point)
            one_run(point, keeper)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = [pool.submit(run, point) for point in every]
        wrong = []
        for result in results:
            try:
                result.result()
            except Failure as why:
                wrong.append(str(why))
    print(f"# {len(tried)} of {total} points, {len(wrong)} violations")
    expect(not wrong, "; ".join(wrong[:5]))
    expect(len(tried) > 20 or len(tried) == len(every), f"only {len(tried)} points could be tried in {SECONDS} s")


main(every_system_call_survives)
