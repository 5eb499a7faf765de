#!/usr/bin/env python3
"""plan and apply: a running project becomes what its changed file says, and nothing else is touched."""
import calendar, concurrent.futures

from lib_thrum import *

SLEEP = {"command": "sleep 600"}


def running(project, *names):
    """The rows, once exactly these instances are there and all have a process that is not on its way out."""
    def look():
        rows = project.rows()
        return rows if set(rows) == set(names) and all(r["state"] == "running" for r in rows.values()) else None
    return until(look, lambda: f"{names} run, and what is there is {states(project)}")


def file_is(project, processes, **top):
    project.write("thrum.yaml", json.dumps(dict(top, name=project.name, processes=processes)))


def plan(project, *args):
    return {s["service"]: s for s in project.json("plan", *args)["services"]}


def events(project):
    return [(e["event"], e["service"]) for e in map(json.loads, project.run("events", "--json").stdout.splitlines())]


def only_what_changed_is_touched():
    project = Project("touched", {"keep": SLEEP, "changed": {"command": "sleep 600", "environment": {"A": "1"}}, "live": SLEEP,
                                  "more": dict(SLEEP, instances=2), "less": dict(SLEEP, instances=3), "old": {"command": "sleep 600 & sleep 600 & wait"}})
    try:
        project.run("up", "-d", check=0)
        project.run("run", "--name", "byhand", "--", "sleep", "600", check=0)
        names = ["keep/0", "changed/0", "live/0", "more/0", "more/1", "less/0", "less/1", "less/2", "old/0", "byhand/0"]
        before = running(project, *names)
        old = before["old/0"]["pid"]
        tree = [old, *until(lambda: len(found := children_of(old)) == 2 and found, "old has children")]
        expect(plan(project) == {}, "the same file is a change")
        file_is(project, {"new": dict(SLEEP, instances=2, depends_on={"keep": {"condition": "process_started"}}), "keep": SLEEP,
                          "changed": {"command": "sleep 600", "environment": {"A": "2"}},
                          "live": dict(SLEEP, availability={"max_restarts": 9}, shutdown={"timeout": "3s"}), "more": dict(SLEEP, instances=4), "less": SLEEP})
        planned = plan(project)
        expect({n: (s["action"], s["from"], s["to"], s["restarts"]) for n, s in planned.items()} ==
               {"new": ("add", 0, 2, 0), "changed": ("change", 1, 1, 1), "live": ("change", 1, 1, 0), "more": ("scale", 2, 4, 0),
                "less": ("scale", 3, 1, 0), "old": ("remove", 1, 0, 0)}, str(planned))
        expect(planned["changed"]["changes"] == [{"key": "environment.A", "old": "1", "new": "2", "live": False}], str(planned["changed"]))
        expect([(c["key"], c["live"]) for c in planned["live"]["changes"]] == [("availability.max_restarts", True), ("shutdown.timeout", True)], "live")
        expect(running(project, *names).items() >= {}.items() and {n: r["pid"] for n, r in project.rows().items()} ==
               {n: r["pid"] for n, r in before.items()}, "a plan changed something")
        shown = project.run("apply", "--yes", check=0).stdout
        for line in ("+ new: 2 instances", "- old: 1 instance", "~ changed (restart 1 instance)", "    environment.A: 1 -> 2", "~ live (no restart)",
                     "= more scale 2 -> 4", "= less scale 3 -> 1"):
            expect(line in shown.splitlines(), f"no {line!r} in {shown}")
        after = running(project, "new/0", "new/1", "keep/0", "changed/0", "live/0", "more/0", "more/1", "more/2", "more/3", "less/0", "byhand/0")
        for name in "keep/0", "live/0", "more/0", "more/1", "less/0", "byhand/0":
            expect(after[name]["pid"] == before[name]["pid"], f"{name} was touched")
        expect(after["changed/0"]["pid"] != before["changed/0"]["pid"] and not is_alive(before["changed/0"]["pid"]), "changed was not restarted")
        expect(not any(map(is_alive, tree)), "something of old is left")
        expect(plan(project) == {}, "it is not what the file says")
        expect("nothing to do" in project.run("apply", check=0).stdout, "nothing to do needs no answer")
        info = project.json("info", "live")["service"]
        expect(info["availability"]["max_restarts"] == 9, "live keys")
        project.run("up", "-d", check=0)
        kill_engine(project)
        expect({n: r["pid"] for n, r in running(project, *after).items()} == {n: r["pid"] for n, r in after.items()}, "the next engine has touched something")
        expect(plan(project) == {}, "the next engine has another configuration")
        project.run("stop", "old", check=4)
    finally:
        project.close()


def what_is_broken_changes_nothing():
    project = Project("broken", {"a": SLEEP, "b": SLEEP})
    try:
        project.run("up", "-d", check=0)
        before = running(project, "a/0", "b/0")
        good = open(project.dir + "/thrum.yaml").read()
        broken = [("name: broken\nprocesses:\n  a: {command: x\n", "thrum.yaml:4:1:"),
                  ("name: broken\nprocesses:\n  a: {comand: x}\n", "did you mean 'command'"),
                  ("name: broken\nprocesses:\n  a: {command: x, depends_on: [b]}\n  b: {command: y, depends_on: [a]}\n", "dependency cycle: a -> b -> a"),
                  ("name: broken\nprocesses:\n  a: {command: x, depends_on: [c]}\n", "which is no service"),
                  ("name: broken\nprocesses:\n  a: {command: x, env_file: gone.env}\n", "gone.env")]
        for text, words in broken:
            project.write("thrum.yaml", text)
            for command in ["plan"], ["apply", "--yes"]:
                done = project.run(*command, check=2)
                expect(words in done.stderr, f"{command}: no {words!r} in {done.stderr}")
        project.write("thrum.yaml", good)
        project.write("other.yaml", "name: broken\nprocesses: {a: {command: sleep 1000}}\n")
        expect(project.run("apply", check=0).stdout.startswith("nothing to do"), "the good file")
        done = project.run("apply", "-f", "other.yaml", check=2)
        expect("--yes" in done.stderr, done.stderr)
        expect({n: r["pid"] for n, r in project.rows().items()} == {n: r["pid"] for n, r in before.items()}, "something was touched")
        done = project.run("up", "-d", "-f", "other.yaml", check=2)
        expect("thrum plan" in done.stderr and "thrum apply" in done.stderr, done.stderr)
        project.run("down", check=0)
        project.run("plan", check=3)
    finally:
        project.close()


def it_is_taken_out_in_reverse_order_and_put_in_in_order():
    ends = {"shutdown": {"timeout": "20s"}}
    slow = ["sh", "-c", "trap 'while [ ! -e gate ]; do sleep 0.05; done; exit 0' TERM; echo up; while :; do sleep 0.05; done"]
    project = Project("order", {"stay": SLEEP, "db": SLEEP, "api": dict(ends, command="sleep 600", depends_on={"db": {"condition": "process_started"}}),
                                "web": dict(ends, command=slow, depends_on={"api": {"condition": "process_started"}})})
    try:
        project.run("up", "-d", check=0)
        before = running(project, "stay/0", "db/0", "api/0", "web/0")
        until(lambda: b"up" in project.log("web/0"), "web has its trap")
        file_is(project, {"stay": SLEEP, "two": dict(SLEEP, depends_on={"one": {"condition": "process_completed_successfully"}}),
                          "one": {"command": "exit 0", "availability": {"restart": "no"}}})
        project.run("apply", "--yes", check=0)
        until(lambda: project.rows()["web/0"]["state"] == "stopping", "web is being stopped")
        rows = project.rows()
        expect(rows["api/0"]["state"] == rows["db/0"]["state"] == "running", "what web depends on is stopped before it")
        refused = project.run("scale", "api", "3")
        expect(refused.returncode == 1 and "being taken out" in refused.stderr, refused.stderr)
        kill_engine(project)  # the next engine goes on where this one was
        rows = project.rows()
        expect(rows["api/0"]["pid"] == before["api/0"]["pid"] and rows["api/0"]["state"] == "running", "the order is lost with the engine")
        project.write("gate", "")
        until(lambda: set(project.rows()) == {"stay/0", "one/0", "two/0"}, "all three are gone")
        expect(not any(is_alive(before[n]["pid"]) for n in ("db/0", "api/0", "web/0")), "processes are left")
        told = events(project)
        expect(told.index(("stopping", "web")) < told.index(("stopping", "api")) < told.index(("stopping", "db")), f"order {told}")
        expect(told.index(("completed", "one")) < told.index(("started", "two")), f"order {told}")
        expect(project.rows()["stay/0"]["pid"] == before["stay/0"]["pid"], "stay was touched")
    finally:
        project.write("gate", "")
        project.close()


def what_is_on_its_way_out_may_come_back():
    slow = ["sh", "-c", "trap 'while [ ! -e gate ]; do sleep 0.05; done; exit 0' TERM; echo up; while :; do sleep 0.05; done"]
    project = Project("back", {"stay": SLEEP, "slow": {"command": slow, "shutdown": {"timeout": "20s"}}})
    try:
        project.run("up", "-d", check=0)
        running(project, "stay/0", "slow/0")
        until(lambda: b"up" in project.log("slow/0"), "slow has its trap")
        good = open(project.dir + "/thrum.yaml").read()
        file_is(project, {"stay": SLEEP})
        project.run("apply", "--yes", check=0)
        until(lambda: project.rows()["slow/0"]["state"] == "stopping", "slow is being stopped")
        project.write("thrum.yaml", good)
        project.run("apply", "--yes", check=0)
        project.write("gate", "")
        rows = running(project, "stay/0", "slow/0")
        expect(rows["slow/0"]["life"] == 2, f"life {rows['slow/0']['life']}")
    finally:
        project.write("gate", "")
        project.close()


def what_is_down_stays_down_and_what_failed_gets_another_try():
    project = Project("down", {"stopped": SLEEP, "fatal": {"command": "exit 3", "availability": {"max_restarts": 0}}, "asleep": dict(SLEEP, disabled=True),
                               "awake": SLEEP, "waits": {"command": "exit 4", "availability": {"backoff": {"initial": "1h", "max": "1h"}}},
                               "never": dict(SLEEP, depends_on={"job": {"condition": "process_completed_successfully"}}),
                               "job": {"command": "exit 1", "availability": {"restart": "no"}}})
    try:
        project.run("up", "-d", check=0)
        project.run("stop", "stopped", check=0)
        want = {"stopped/0": "stopped", "fatal/0": "fatal", "asleep/0": "disabled", "awake/0": "running", "waits/0": "backoff", "never/0": "skipped", "job/0": "failed"}
        until(lambda: states(project) == want, "all have settled")
        file_is(project, {"stopped": {"command": "sleep 700"}, "fatal": SLEEP, "asleep": SLEEP, "awake": dict(SLEEP, disabled=True), "waits": SLEEP,
                          "never": dict(SLEEP, depends_on={"job": {"condition": "process_completed_successfully"}}),
                          "job": {"command": "exit 0", "availability": {"restart": "no"}}})
        expect("~ stopped (at its next start)" in project.run("plan").stdout, "what is down waits for its start")
        project.run("apply", "--yes", check=0)
        want = {"stopped/0": "stopped", "fatal/0": "running", "asleep/0": "running", "awake/0": "stopped", "waits/0": "running", "never/0": "running", "job/0": "completed"}
        until(lambda: states(project) == want, "all are as they are to be")
        project.run("start", "stopped", check=0)
        pid = until(lambda: project.rows()["stopped/0"]["pid"], "it starts")
        until(lambda: open(f"/proc/{pid}/cmdline").read().split("\0")[1:2] == ["700"], "with its new command")
        expect("nothing to do" in project.run("plan").stdout, project.run("plan").stdout)
    finally:
        project.close()


def a_restart_under_way_takes_the_new_configuration():
    slow = "trap 'while [ ! -e gate ]; do sleep 0.05; done; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    project = Project("under", {"a": {"command": ["sh", "-c", slow], "shutdown": {"timeout": "20s"}}})
    try:
        project.run("up", "-d", check=0)
        running(project, "a/0")
        until(lambda: b"up" in project.log("a/0"), "a has its trap")
        project.run("restart", "a", check=0)
        until(lambda: project.rows()["a/0"]["state"] == "stopping", "a is being stopped")
        file_is(project, {"a": {"command": "echo new; exec sleep 600"}})
        project.run("apply", "--yes", check=0)
        project.write("gate", "")
        until(lambda: b"new" in project.log("a/0"), "the new command runs")
        rows = running(project, "a/0")
        expect(rows["a/0"]["life"] == 2, f"life {rows['a/0']['life']}: it was restarted twice")
    finally:
        project.write("gate", "")
        project.close()


def ask(project, method, params):
    """One request, past the command line."""
    with control(project) as s:
        s.sendall(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode() + b"\n")
        return json.loads(s.makefile().readline())


def what_was_launched_by_hand_keeps_what_it_needs():
    project = Project("byhand", {"db": SLEEP, "web": SLEEP})
    try:
        project.run("up", "-d", check=0)
        needs = {"name": "hand", "command": ["sleep", "600"], "depends_on": {"db": {"condition": "process_started"}}}
        expect("which is no service" in ask(project, "run", {"service": dict(needs, depends_on={"none": {}})})["error"]["message"], "it needs what is not there")
        expect(ask(project, "run", {"service": needs})["result"] == {"service": "hand"}, "it is launched")
        before = running(project, "db/0", "web/0", "hand/0")
        file_is(project, {"web": SLEEP})
        refused = project.run("apply", "--yes", check=1)
        expect("'hand' was launched by hand and depends on 'db'" in refused.stderr, refused.stderr)
        kill_engine(project)  # what was refused is not kept either
        expect({n: r["pid"] for n, r in running(project, *before).items()} == {n: r["pid"] for n, r in before.items()}, "something was touched")
        file_is(project, {"db": SLEEP})
        project.run("apply", "--yes", check=0)
        running(project, "db/0", "hand/0")
        file_is(project, {"db": SLEEP, "hand": {"command": "sleep 700"}})  # the file may take it over
        project.run("apply", "-y", check=0)
        rows = running(project, "db/0", "hand/0")
        expect(rows["hand/0"]["pid"] != before["hand/0"]["pid"] and rows["db/0"]["pid"] == before["db/0"]["pid"], "the file's is another command")
        for params, words in ({}, "no configuration was sent"), ({"text": 3}, "stage takes text"):
            expect(words in ask(project, "stage" if params else "apply", params)["error"]["message"], words)
    finally:
        project.close()


def groups_are_the_projects():
    project = Project("groups", {"a": SLEEP, "b": SLEEP})
    try:
        project.run("up", "-d", check=0)
        before = running(project, "a/0", "b/0")
        file_is(project, {"a": SLEEP, "b": SLEEP}, groups={"both": {"strategy": "one_for_all", "members": ["a", "b"]}}, log={"disk_cap": "1GB"})
        shown = project.run("apply", "--yes", check=0).stdout
        expect("~ the project (no restart)" in shown and "groups.both.strategy: (none) -> one_for_all" in shown and
               "log.disk_cap: (none) -> 1073741824" in shown, shown)
        expect("nothing to do" in project.run("plan").stdout, "it is applied")
        expect({n: r["pid"] for n, r in project.rows().items()} == {n: r["pid"] for n, r in before.items()}, "something was touched")
        os.kill(before["a/0"]["pid"], signal.SIGKILL)
        until(lambda: project.rows()["b/0"]["pid"] not in (0, None, before["b/0"]["pid"]), "b is restarted with a")
    finally:
        project.close()


def what_comes_by_a_schedule_is_not_disturbed():
    job = {"command": "echo run; exec sleep 600", "schedule": {"interval": "1h"}}
    project = Project("schedule", {"due": job, "runs": job, "plain": dict(job, command="echo plain; exec sleep 600")})
    try:
        project.run("up", "-d", check=0)
        until(lambda: all(r["state"] == "scheduled" for r in project.rows().values()), "all are scheduled")
        project.run("start", "runs", check=0)  # now
        pid = until(lambda: project.rows()["runs/0"]["pid"], "one runs")
        later = {"command": "echo other; exec sleep 600", "schedule": {"interval": "3h"}}
        file_is(project, {"due": later, "runs": later, "plain": {"command": "echo plain; exec sleep 600"}})
        shown = project.run("apply", "--yes", check=0).stdout
        expect("~ runs (at its next start)" in shown, shown)
        until(lambda: project.rows()["plain/0"]["state"] == "running", "one without a schedule any more runs")
        rows = project.rows()
        expect(rows["runs/0"]["pid"] == pid, "a run under way was ended")
        expect(rows["due/0"]["state"] == "scheduled" and not rows["due/0"]["life"], f"due: {rows['due/0']}")
        wait = calendar.timegm(time.strptime(rows["due/0"]["deadline"][:19], "%Y-%m-%dT%H:%M:%S")) - time.time()
        expect(2.9 * 3600 < wait <= 3 * 3600 + 1, f"due in {wait} s")
    finally:
        project.close()


def logs_follow_their_folder():
    project = Project("logs", {"a": {"command": "echo one; exec sleep 600"}})
    try:
        project.run("up", "-d", check=0)
        until(lambda: b"one" in project.log("a/0"), "the first line")
        file_is(project, {"a": {"command": "echo two; echo err >&2; exec sleep 600", "log": {"dir": project.dir + "/elsewhere", "merge_stderr": True}}})
        project.run("apply", "--yes", check=0)
        path = project.dir + "/elsewhere/a-0.out.log"
        until(lambda: os.path.exists(path) and open(path).read() == "two\nerr\n", "the lines are in the new folder")
        expect(project.log("a/0") == b"one\n", "the old file")
        until(lambda: "two" in project.run("logs", "a").stdout, "logs reads there")
    finally:
        project.close()


def an_engine_that_dies_while_it_applies_is_followed_by_one_that_goes_on():
    """The engine is killed at some moment of an apply; whatever the moment, the outcome is the file's or, said, the former one."""
    one = {"keep": SLEEP, "changed": {"command": "sleep 600", "environment": {"A": "1"}}, "size": dict(SLEEP, instances=4), "old": {"command": "sleep 600 & wait"}}
    two = {"keep": SLEEP, "changed": {"command": "sleep 600", "environment": {"A": "2"}}, "size": SLEEP, "new": dict(SLEEP, instances=3)}
    states = {1: {"keep/0", "changed/0", "size/0", "size/1", "size/2", "size/3", "old/0"}, 2: {"keep/0", "changed/0", "size/0", "new/0", "new/1", "new/2"}}
    project = Project("dies", one)
    try:
        project.run("up", "-d", check=0)
        first, known = running(project, *states[1]), set()
        for turn in range(12):
            target = 2 if turn % 2 == 0 else 1
            file_is(project, two if target == 2 else one)
            engine = until(project.engine, "an engine")
            apply = subprocess.Popen([THRUM, "apply", "--yes"], cwd=project.dir, env=project.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.001 * turn)  # a moment, another one each time
            try:
                os.kill(engine, signal.SIGKILL)
            except ProcessLookupError:
                pass
            expect(apply.wait(60) == 0, f"turn {turn}: status {apply.returncode}")
            rows = running(project, *states[target])
            expect(rows["keep/0"]["pid"] == first["keep/0"]["pid"] and rows["size/0"]["pid"] == first["size/0"]["pid"], f"turn {turn}: keep or size was touched")
            known |= {r["pid"] for r in rows.values()}
            now = {r["pid"] for r in rows.values()}
            until(lambda: not any(is_alive(pid) for pid in known - now), f"turn {turn}: what is not in the table is gone")
            env = f"/proc/{rows['changed/0']['pid']}/environ"
            until(lambda: f"A={target}" in open(env).read().split("\0"), f"turn {turn}: changed has its A")
            expect(plan(project) == {}, f"turn {turn}: {plan(project)}")
    finally:
        project.close()


def one_point(point, keeper):
    """The first engine is killed at its so-many-th system call; returns how many it made."""
    one = {"keep": SLEEP, "changed": {"command": "sleep 600", "environment": {"A": "1"}}, "old": {"command": "sleep 600 & wait"}, "less": dict(SLEEP, instances=2)}
    two = {"keep": SLEEP, "changed": {"command": "sleep 600", "environment": {"A": "2"}}, "new": dict(SLEEP, depends_on={"keep": {"condition": "process_started"}}), "less": SLEEP}
    project = Project(f"apply{point}", one)
    project.env.update(THRUM_KEEPER=keeper, KILLAT_THRUM=THRUM, KILLAT_FOLDER=project.dir, KILLAT_POINT=str(point))
    try:
        until(lambda: project.run("up", "-d").returncode == 0, f"point {point}: it is up")
        before = running(project, "keep/0", "changed/0", "old/0", "less/0", "less/1")
        file_is(project, two)
        project.run("apply", "--yes", check=0)
        rows = running(project, "keep/0", "changed/0", "new/0", "less/0")
        expect(all(rows[n]["pid"] == before[n]["pid"] for n in ("keep/0", "less/0")), f"point {point}: one that did not change was touched")
        expect(rows["changed/0"]["life"] == 2 and rows["new/0"]["life"] == 1, f"point {point}: lives {rows['changed/0']['life']}, {rows['new/0']['life']}")
        until(lambda: not any(is_alive(before[n]["pid"]) for n in ("changed/0", "old/0", "less/1")), f"point {point}: all of the former are gone")
        expect(plan(project) == {}, f"point {point}: {plan(project)}")
        project.run("down")  # which may be the moment
        counted = project.dir + "/count"
        return int(until(lambda: os.path.exists(counted) and open(counted).read(), f"point {point}: the tracer ended"))
    finally:
        project.close()


def wherever_the_engine_dies_the_next_one_goes_on():
    """THRUM_POINTS=N tries every N-th system call."""
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    keeper = write_traced_keeper(folder)
    try:
        total = one_point(0, keeper)
        wrong, tried = [], points(total, 25)
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for result in [pool.submit(one_point, point, keeper) for point in tried]:
                try:
                    result.result()
                except Failure as why:
                    wrong.append(str(why))
        print(f"# {len(tried)} of {total} points, {len(wrong)} violations")
        expect(not wrong, "; ".join(wrong[:5]))
    finally:
        shutil.rmtree(folder)


def a_large_configuration_goes_in_pieces():
    many = {f"s{i:04}": {"command": "sleep 600", "disabled": True, "environment": {"TEXT": "é" * 1000}} for i in range(500)}
    project = Project("large", many)
    try:
        project.run("up", "-d", check=0)
        until(lambda: len(project.rows()) == 500, "all are there")
        expect(plan(project) == {}, "the same file is a change")
        del many["s0007"]
        many["s0008"] = dict(many["s0008"], environment={"TEXT": "short"})
        many["t"] = SLEEP
        file_is(project, many)
        expect(set(plan(project)) == {"s0007", "s0008", "t"}, str(list(plan(project))))
        project.run("apply", "--yes", check=0)
        until(lambda: "s0007/0" not in project.rows() and project.rows()["t/0"]["pid"], "it is applied")
    finally:
        project.close()


main(only_what_changed_is_touched, what_is_broken_changes_nothing, it_is_taken_out_in_reverse_order_and_put_in_in_order, what_is_on_its_way_out_may_come_back,
     what_is_down_stays_down_and_what_failed_gets_another_try, a_restart_under_way_takes_the_new_configuration,
     what_was_launched_by_hand_keeps_what_it_needs, groups_are_the_projects, what_comes_by_a_schedule_is_not_disturbed, logs_follow_their_folder,
     an_engine_that_dies_while_it_applies_is_followed_by_one_that_goes_on, wherever_the_engine_dies_the_next_one_goes_on, a_large_configuration_goes_in_pieces)
