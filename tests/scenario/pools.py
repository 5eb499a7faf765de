#!/usr/bin/env python3
"""Process pools: tasks in, answers out, whatever dies in between."""
import contextlib, json, os, re, shutil, signal, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_terminal import Terminal
from lib_thrum import THRUM, WORKER, Failure, Project, expect, kill_engine, main, rss_kb, until

WORK = r"""
import json, os, sys, time
f = os.fdopen(int(os.environ['THRUM_CHANNEL_FD']), 'r+b', buffering=0)
def send(x): f.write(json.dumps(x).encode() + b'\n')
def messages():
    rest = b''
    while True:
        got = f.read(65536)
        if not got: return
        *lines, rest = (rest + got).split(b'\n')
        for line in lines: yield json.loads(line)
def answer(task, result): send({'type': 'task_complete', 'taskId': task['id'], 'result': result})
"""
DOUBLES = WORK + r"""
for m in messages():
    t = m['payload']
    while 'gate' in t and not os.path.exists('gate'): time.sleep(0.01)
    if 'sleep' in t: time.sleep(t['sleep'])
    if 'die' in t: os._exit(9)
    if 'fail' in t: send({'type': 'task_error', 'taskId': t['id'], 'error': 'as told'})
    else: answer(t, t.get('n', t.get('value', 0)) * 2)
"""
TASKER = os.path.join(WORKER, "tasker")


def pool(name, command, size=2, **more):
    service = {"command": command if isinstance(command, list) else ["python3", "-c", command], "pool": dict({"size": size}, **more)}
    p = Project(name, {"w": service})
    p.run("up", "-d", check=0)
    p.run("wait", "w", "--timeout", "60s", check=0)
    return p


def answers(out):
    return [json.loads(line) for line in out.splitlines()]


def tasks_are_answered():
    p = pool("answers", DOUBLES)
    try:
        got = p.run("submit", "--wait", "w", '{"n": 4}', '{"n": 2.5}', "21", '{"fail": 1}', "{}")
        expect(got.returncode == 1, "one failed")
        by = {r["index"]: r for r in answers(got.stdout)}
        expect([by[i]["ok"] for i in range(5)] == [True, True, True, False, True], f"{by}")
        expect([by[i].get("result") for i in (0, 1, 2, 4)] == [8, 5.0, 42, 0] and by[3]["error"] == "as told", f"{by}")
        expect(all(r["attempts"] == 1 and r["wait_ms"] >= 0 and r["run_ms"] > 0 for r in by.values()), f"{by}")
        expect(p.run("submit", "--wait", "w", '{"n": 1}').returncode == 0, "all went well")
        stats = p.json("pool", "w")
        expect((stats["submitted"], stats["completed"], stats["failed"], stats["busy"], stats["queued"], stats["size"]) == (6, 5, 1, 0, 0, 2), f"{stats}")
        expect(stats["run_ms"]["p50"] > 0 and len(stats["workers"]) == 2, f"{stats}")
        for args, wanted in ((("w", "{oops"), "no JSON"), (("nix", "1"), "no service"), (("w",), "submit takes tasks")):
            bad = p.run("submit", *args)
            expect(bad.returncode and wanted in bad.stderr, f"{args}: {bad.stderr}")
        for name, wanted in (("w/0", "`thrum pool w` shows it"), ("4194305", "no process 4194305")):
            bad = p.run("pool", name)
            expect(bad.returncode == 1 and wanted in bad.stderr, f"{name}: {bad.stderr}")
        for wait in ([], ["--wait"]):
            got = p.run("submit", "w", "--from", "/dev/null", *wait, check=0)
            expect(got.stdout == ("" if wait else "0 submitted\n"), f"a file without tasks: {got}")
    finally:
        p.close()


ECHOES = WORK + r"""
for m in messages():
    f.write(b'{"type":"task_complete","taskId":%d,"result":%s}\n' % (m['payload']['id'], m['payload']['says'].encode('utf-8', 'surrogateescape')))
"""
WORDS = ["0.1", "-0", "1e400", "12345678901234567890123", '{"a":1,"a":2}', '"\\ud800"', '"\\u0000"', "[ 1.50 ]", '"ü}}"', '"a\udcff"']


def answers_come_as_they_were_said():
    """Also those that a library for JSON changes, or does not read: one of them must not end the submission of all others.
    And who writes bytes that are no UTF-8 believes that he has answered: they are read as Node reads them."""
    p = pool("verbatim", ECHOES, 1)
    try:
        got = p.run("submit", "--wait", "w", *(json.dumps({"says": word}) for word in WORDS), check=0)
        said = [re.fullmatch('{"taskId":\\d+,"index":\\d+,"ok":true,"result":(.*),"attempts":1,"wait_ms":[0-9.]+,"run_ms":[0-9.]+}', line)
                for line in got.stdout.splitlines()]
        expect([match and match[1] for match in said] == [word.replace("\udcff", "\ufffd") for word in WORDS], got.stdout)
    finally:
        p.close()


def a_task_that_is_none_ends_a_file():
    p = pool("none", DOUBLES)
    try:
        for line, why in ((b'"\xff"', "it is no JSON"), (b"[" * 10000, "too deep"), (b'"' + b"x" * 3_000_000 + b'"', "longer than 1048576 bytes")):
            with open(p.dir + "/tasks", "wb") as f:
                f.write(line + b"\n1\n")
            got = p.run("submit", "w", "--from", "tasks")
            expect(got.returncode in (1, 2) and why in got.stderr, f"{line[:20]}: {got}")
    finally:
        p.close()


def the_queue_is_seen_to_fall():
    p = pool("falls", DOUBLES, 4)
    try:
        p.write("tasks", '{"gate": 1}\n' * 50)
        p.run("submit", "w", "--from", "tasks", check=0)
        until(lambda: (lambda s: (s["queued"], s["busy"]))(p.json("pool", "w")) == (46, 4), "50 of which 4 run, and 46 wait")
        of_rows = lambda: [sum(r[name] for r in p.rows().values()) for name in ("queue", "busy")]
        until(lambda: of_rows() == [46, 4], lambda: f"in ps too: {of_rows()}")
        p.run("scale", "w", "8", check=0)
        until(lambda: p.json("pool", "w")["busy"] == 8, "more workers take more")
        p.run("drain", "w", check=0)
        expect("being drained" in p.run("submit", "w", "1").stderr, "nothing more is taken")
        p.write("gate", "")
        until(lambda: p.json("pool", "w")["completed"] == 50, "what there was is done")
        p.run("drain", "--off", "w", check=0)
        expect(p.run("submit", "--wait", "w", "1").returncode == 0, "and again")
    finally:
        p.close()


def the_queue_falls_on_the_screen():
    if not shutil.which("tmux"):
        print("# no tmux here")
        return
    p = pool("screen", DOUBLES, 4)
    terminal = Terminal(p, "attach", width=120, height=30)
    try:
        terminal.sees("w", "4/4 up")
        p.write("tasks", '{"gate": 1, "sleep": 0.5}\n' * 50)
        p.run("submit", "w", "--from", "tasks", check=0)
        seen = []

        def look():
            nonlocal seen
            row = next((line for line in terminal.screen().splitlines() if "4/4 up" in line), "")
            number = re.search(r"(?:[░▒▓█.#:-]+ +)(\d+) ", row)
            if number and (not seen or seen[-1] != int(number[1])):
                seen.append(int(number[1]))
            return seen[-1:]
        until(lambda: look() == [46], lambda: f"all wait: {seen}")
        seen = []
        p.write("gate", "")
        until(lambda: look() == [0] and len(seen) > 3, lambda: f"the queue is empty again: {seen}")
        expect(seen == sorted(seen, reverse=True), f"it falls from 46: {seen}")
        print("# queue on screen:", *seen)
    finally:
        terminal.close()
        p.close()


def who_has_priority_goes_first():
    p = pool("first", DOUBLES, 1)
    try:
        p.run("submit", "w", '{"gate": 1}', check=0)
        slow = subprocess.Popen([THRUM, "submit", "--wait", "w", "1", "--priority", "0"], cwd=p.dir, env=p.env, stdout=subprocess.PIPE, text=True)
        until(lambda: p.json("pool", "w")["queued"] == 1, "it waits")
        fast = subprocess.Popen([THRUM, "submit", "--wait", "w", "2", "--priority", "9"], cwd=p.dir, env=p.env, stdout=subprocess.PIPE, text=True)
        until(lambda: p.json("pool", "w")["queued"] == 2, "another one waits")
        p.write("gate", "")
        early, late = (answers(work.communicate(timeout=60)[0])[0] for work in (fast, slow))
        expect(early["taskId"] > late["taskId"], "it came later, and was done first")
        expect(late["wait_ms"] >= early["wait_ms"], f"{late}")
    finally:
        p.close()


def a_full_queue_makes_submitters_wait():
    p = pool("full", DOUBLES, 1, queue_max=10)
    try:
        p.write("tasks", '{"n": 1}\n' * 2000)
        work = subprocess.Popen([THRUM, "submit", "--wait", "w", "--from", "tasks"], cwd=p.dir, env=p.env, stdout=subprocess.PIPE, text=True)
        out = work.communicate(timeout=60)[0]
        expect(len(answers(out)) == 2000 and work.returncode == 0, "all of them")
        expect(p.json("pool", "w")["queued"] == 0, "none is left")
    finally:
        p.close()


def a_task_that_kills_its_worker_is_tried_again_and_given_up():
    p = pool("dies", DOUBLES, 2, retries=2)
    try:
        got = answers(p.run("submit", "--wait", "w", '{"die": 1}', '{"n": 1}', '{"n": 2}').stdout)
        by = {r["index"]: r for r in got}
        expect(not by[0]["ok"] and "worker died" in by[0]["error"] and by[0]["attempts"] == 3, f"{by[0]}")
        expect(by[1]["result"] == 2 and by[2]["result"] == 4, "others are not touched")
    finally:
        p.close()


def a_task_that_takes_too_long_fails():
    p = pool("long", DOUBLES, 1, task_timeout="6s")  # what a worker that begins takes counts, too
    try:
        got = answers(p.run("submit", "--wait", "w", '{"sleep": 100}', '{"n": 3}').stdout)
        expect(not got[0]["ok"] and "time was up" in got[0]["error"], f"{got}")
        expect(got[1]["result"] == 6, "its worker is another one now")
        died = p.json("history", "w")[-1]
        expect(died["cause"] == "limit" and "ran for more than 6.0 s" in died["detail"], f"{died}")
    finally:
        p.close()


def answers_that_nobody_asked_for_count_for_nothing():
    script = WORK + r"""
for m in messages():
    t = m['payload']
    send({'type': 'task_complete', 'taskId': 123456789, 'result': 'unknown'})
    send({'type': 'task_complete', 'taskId': 'x', 'result': 'no number'})
    send({'type': 'task_complete', 'result': 'none'})
    answer(t, 'first'); answer(t, 'second'); send({'type': 'task_error', 'taskId': t['id'], 'error': 'third'})
"""
    p = pool("twice", script, 1)
    try:
        got = answers(p.run("submit", "--wait", "w", *["{}"] * 20, check=0).stdout)
        expect(len(got) == 20 and all(r["result"] == "first" for r in got), f"{got[:3]}")
        expect(p.json("pool", "w")["completed"] == 20, "each once")
    finally:
        p.close()


def an_answer_that_comes_late_counts_for_nothing():
    script = WORK + r"""
import signal, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
last = None
for m in messages():
    t = m['payload']
    if 'late' in t: last = t; continue
    if last: answer(last, 'late')
    answer(t, 'in time')
"""
    p = pool("late", script, 1, task_timeout="6s", retries=0, concurrency=2)
    try:
        got = {r["index"]: r for r in answers(p.run("submit", "--wait", "w", '{"late": 1}', "{}").stdout)}
        # the answer to the first came with that of the second: it was in time after all
        expect(got[0]["result"] == "late" and got[1]["result"] == "in time", f"{got}")
        work = subprocess.Popen([THRUM, "submit", "--wait", "w", '{"late": 1}'], cwd=p.dir, env=p.env, stdout=subprocess.PIPE, text=True)
        one = answers(work.communicate(timeout=60)[0])
        expect(len(one) == 1 and not one[0]["ok"] and "time was up" in one[0]["error"], f"{one}")
        expect(p.run("submit", "--wait", "w", "{}").returncode == 0, "its worker's successor goes on")
        stats = p.json("pool", "w")
        expect((stats["completed"], stats["failed"], stats["busy"], stats["queued"]) == (3, 1, 0, 0), f"{stats}")
    finally:
        p.close()


def an_answer_of_64_mb_harms_nobody():
    p = pool("huge", WORK + "for m in messages(): answer(m['payload'], 'x' * m['payload'].get('n', 1))", 2, task_timeout="30s", retries=0)
    try:
        got = {r["index"]: r for r in answers(p.run("submit", "--wait", "w", '{"n": 67108864}', *["{}"] * 20).stdout)}
        expect(not got[0]["ok"] and got[0]["error"], f"{str(got[0])[:200]}")
        expect(len(got) == 21 and all(got[i]["result"] == "x" for i in range(1, 21)), "the others are answered")
        expect(rss_kb(p.engine()) < 200 * 1024, f"the engine keeps none of it: {rss_kb(p.engine())} kB")
    finally:
        p.close()


def a_large_answer_comes_whole():
    p = pool("large", WORK + "for m in messages(): answer(m['payload'], 'x' * m['payload']['n'])", 1)
    try:
        got = answers(p.run("submit", "--wait", "w", '{"n": 3000000}', check=0).stdout)
        expect(len(got[0]["result"]) == 3000000, "3 MB")
    finally:
        p.close()


def goes_on(p, work, more):
    """So many tasks further, or to the end. (An engine counts from its own start on.)"""
    def stats():
        try:
            return p.json("pool", "w")
        except Failure:
            return {"completed": 0}  # no engine answers at this moment
    before = stats()["completed"]
    until(lambda: work.poll() is not None or stats()["completed"] >= before + more, f"{more} further tasks")


def kill_worker(p):
    pids = [r["pid"] for r in p.rows().values() if r["pid"]]
    if pids:
        with contextlib.suppress(ProcessLookupError):  # it has been replaced meanwhile
            os.kill(pids[0], signal.SIGKILL)


def none_is_lost_and_none_is_answered_twice(kill, name, **more):
    count = 10000
    p = pool(name, DOUBLES, 4, retries=1000, **more)
    try:
        p.write("tasks", "".join('{"n": %d}\n' % i for i in range(count)))
        with open(p.dir + "/answers", "w") as out:
            work = subprocess.Popen([THRUM, "submit", "--wait", "w", "--from", "tasks"], cwd=p.dir, env=p.env, stdout=out, stderr=subprocess.PIPE, text=True)
            number = 0
            while work.poll() is None:
                goes_on(p, work, 200)
                if work.poll() is None:
                    kill(p)
                    number += 1
        expect(work.returncode == 0, f"after {number} kills: {work.stderr.read()}")
        with open(p.dir + "/answers") as f:
            got = answers(f.read())
        expect(sorted(r["index"] for r in got) == list(range(count)), f"{len(got)} answers, {len(set(r['index'] for r in got))} different ones; {number} kills")
        expect(all(r["result"] == 2 * r["index"] for r in got), "each is the answer to its own task")
        expect(number >= 1, f"{number} kills")
    finally:
        p.close()


def workers_are_killed_with_tasks_in_flight():
    none_is_lost_and_none_is_answered_twice(kill_worker, "workers", concurrency=4)


def engines_are_killed_with_tasks_in_flight():
    none_is_lost_and_none_is_answered_twice(kill_engine, "engines")


def counts_go_on_with_the_run():
    """Whatever becomes of engines; and with the next `up` they begin at 0, but for what still waits."""
    p = pool("counts", DOUBLES, 1, retries=1)
    def counts():
        stats = p.json("pool", "w")
        return tuple(stats[name] for name in ("submitted", "started", "completed", "failed", "retried"))
    try:
        p.write("tasks", '{"n": 1}\n' * 300)
        p.run("submit", "--wait", "w", '{"die": 1}', '{"fail": 1}')
        p.run("submit", "--wait", "--from", "tasks", "w", check=0)
        wanted = (302, 303, 300, 2, 1)
        for _ in range(2): # from all notes, and from those that were left of them
            expect(counts() == wanted, f"{counts()} of {wanted}")
            kill_engine(p)
        p.run("submit", "w", '{"gate": 1}', '{"n": 1}', '{"n": 2}', check=0)
        until(lambda: p.json("pool", "w")["busy"] == 1, "one has begun")
        p.run("cancel", "w", str(max(r["task"] or 0 for r in p.json("pool", "w")["workers"]) + 1), check=0)
        expect(counts() == (305, 304, 300, 3, 1), f"{counts()}")
        kill_engine(p)
        expect(counts() == (305, 304, 300, 3, 1), f"{counts()}")
        p.run("down", check=0)
        p.run("up", "-d", check=0)
        until(lambda: counts() == (2, 1, 0, 0, 0), "what waits of the former run")
    finally:
        p.close()


def a_pool_that_is_drained_stays_so():
    p = pool("drained", DOUBLES, 1)
    try:
        p.run("submit", "--wait", "--from", p.write("tasks", '{"n": 1}\n' * 300), "w", check=0)
        p.run("drain", "w", check=0)
        for _ in range(2): # from all notes, and from those that were left of them
            kill_engine(p)
            expect(p.json("pool", "w")["draining"] and "being drained" in p.run("submit", "w", "1").stderr, "the wish outlives the engine")
        p.run("drain", "--off", "w", check=0)
        kill_engine(p)
        p.run("submit", "--wait", "w", "1", check=0)
        p.run("drain", "w", check=0)
        p.run("down", check=0)
        p.run("up", "-d", check=0)
        p.run("submit", "--wait", "w", "1", check=0)
    finally:
        p.close()


def tasks_outlive_the_project():
    p = pool("later", DOUBLES, 1)
    try:
        p.run("submit", "w", '{"gate": 1}', *["{}"] * 30, check=0)
        p.run("down", check=0)
        p.write("gate", "")
        p.run("up", "-d", check=0)
        until(lambda: p.json("pool", "w")["completed"] >= 30 and p.json("pool", "w")["queued"] == 0, "they are done after the next start")
    finally:
        p.close()


def who_is_told_that_tasks_are_taken_may_rely_on_it():
    """What the disk does not take is not taken in silence; and when it takes it again, all is well."""
    p = Project("room", {"w": {"command": "sleep 1000", "pool": {"size": 1, "queue_max": 100000}}})
    state = p.env["THRUM_STATE_DIR"]
    if not p.mount(state, "-t", "tmpfs", "-o", "size=256k,mode=700", "none"):
        return p.close()
    try:
        p.run("up", "-d", check=0)
        p.write("tasks", "".join('{"number": %d}\n' % i for i in range(20000)))
        got = p.run("submit", "--from", "tasks", "w")
        expect(got.returncode == 1 and "20000 tasks were taken, but they may be lost" in got.stderr, f"{got}")
        p.run("cancel", "w", "all", check=0)
        subprocess.run(["mount", "-o", "remount,size=64m", state], check=True)
        expect(p.run("submit", "w", "1", "2", check=0).stdout == "2 submitted\n", "there is room again")
        kill_engine(p)
        expect(p.json("pool", "w")["queued"] == 2, "the worker has the first of the others still")
    finally:
        p.close()


def what_waits_is_cancelled():
    p = pool("cancel", DOUBLES, 2)
    try:
        p.run("submit", "w", '{"sleep": 600}', '{"sleep": 600}', "1", "2", "3", check=0)
        kept = json.loads(p.run("submit", "w", "4", "5", "--json", check=0).stdout)["submission"]
        until(lambda: (lambda s: (s["busy"], s["queued"]))(p.json("pool", "w")) == (2, 5), "two run, five wait")
        mine = {s["submission"]: (s["accepted"], s["answered"], s["ended"], s["waited_for"]) for s in p.json("pool", "w")["submissions"]}
        expect(mine[kept] == (2, 0, True, False) and len(mine) == 2, f"{mine}")
        expect(kept in p.run("pool", "w", check=0).stdout, "and they are printed")
        tasks = sorted(w["task"] for w in p.json("pool", "w")["workers"])
        expect(p.run("cancel", "w", str(tasks[1] + 1), check=0).stdout == "1 cancelled\n", "one by its number")
        expect(p.run("cancel", "w", str(tasks[0]), check=0).stdout == "0 cancelled, 1 are being worked on\n", "one that runs is not stopped")
        expect(json.loads(p.run("cancel", "w", kept, "--json", check=0).stdout) == {"cancelled": 2, "running": 0}, "those of a submission")
        for what, why in ((str(tasks[1] + 1), "waits or runs"), (kept, "under way"), ("nix", "under way")):
            bad = p.run("cancel", "w", what)
            expect(bad.returncode == 1 and why in bad.stderr, f"{bad}")
        expect(p.run("cancel", "nix", "all").returncode == 4, "no such pool")
        expect(p.run("cancel", "w", "all", check=0).stdout == "2 cancelled, 2 are being worked on\n", "all that waits")
        expect((lambda s: (s["busy"], s["queued"], s["failed"]))(p.json("pool", "w")) == (2, 0, 5), f"{p.json('pool', 'w')}")
    finally:
        p.close()


def a_submitter_that_is_interrupted_cancels_what_waits():
    p = pool("interrupt", DOUBLES, 2, queue_max=50)
    try:
        p.write("tasks", '{"gate": 1}\n' * 2 + '{"n": 1}\n' * 5000)
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            work = subprocess.Popen([THRUM, "submit", "--wait", "w", "--from", "tasks"], cwd=p.dir, env=p.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            until(lambda: (lambda s: s["busy"] == 2 and s["queued"] >= 50)(p.json("pool", "w")), "its queue is full")
            work.send_signal(signal_number)
            said = work.stderr.readline()
            p.write("gate", "")
            out, err = work.communicate(timeout=60)
            os.unlink(p.dir + "/gate")
            got = answers(out)
            expect(work.returncode == 1 and "2 are being worked on" in said, f"{said}{err}")
            expect(sum(r["ok"] for r in got) == 2 and {r["error"] for r in got if not r["ok"]} == {"it was cancelled"}, f"{got[:5]}")
            expect(len(got) == len({r["index"] for r in got}) >= 52, f"each of those that were taken is answered once: {len(got)}")
        until(lambda: (lambda s: s["busy"] + s["queued"] + len(s["submissions"]))(p.json("pool", "w")) == 0, "nothing is left")
        work = subprocess.Popen([THRUM, "submit", "--wait", "w", '{"sleep": 600}', "1", "2"], cwd=p.dir, env=p.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(lambda: (lambda s: s["busy"] == 2 and s["queued"] == 0)(p.json("pool", "w")) or p.json("pool", "w")["completed"] == 6, "it is at work")
        work.send_signal(signal.SIGINT)
        until(lambda: "C-c again" in work.stderr.readline(), "it says what it did")
        work.send_signal(signal.SIGINT)
        expect(work.wait(60) == 1, "the second one leaves")
        work.communicate()
    finally:
        p.close()


def a_long_queue_takes_what_comes_at_once():
    p = pool("long-queue", [TASKER], 2, concurrency=16, queue_max=1000000)
    try:
        p.write("tasks", "1\n" * 300000)
        got = p.run("submit", "w", "--from", "tasks")
        expect("300000 submitted" in got.stdout, got.stderr)
        expect(p.json("pool", "w")["submitted"] == 300000, "all of them")
    finally:
        p.close()


def unmodified_node_workers_do_it():
    if not shutil.which("node"):
        print("# no node here")
        return
    p = pool("node", ["node", os.path.join(os.environ.get("SRCDIR", "."), "examples", "node", "pool", "worker.js")], 2, concurrency=4)
    try:
        got = answers(p.run("submit", "--wait", "w", *['{"job": "double", "n": %d}' % i for i in range(100)], check=0).stdout)
        expect(sorted(r["result"] for r in got) == [2 * i for i in range(100)], f"{got[:3]}")
    finally:
        p.close()


def many_tasks_of_a_plain_worker():
    p = pool("many", [TASKER], 2, concurrency=16)
    try:
        p.write("tasks", "{}\n" * 100000)
        expect("100000 submitted" in p.run("submit", "w", "--from", "tasks", check=0).stdout, "100000")
        until(lambda: p.json("pool", "w")["completed"] == 100000, "all of them")
        expect(os.path.getsize(f"{p.dir}/state/many/pool-w.tasks") < 10_000_000, "the file does not grow for ever")
    finally:
        p.close()


main(tasks_are_answered, answers_come_as_they_were_said, a_task_that_is_none_ends_a_file, the_queue_is_seen_to_fall, the_queue_falls_on_the_screen, who_has_priority_goes_first, a_full_queue_makes_submitters_wait,
     a_task_that_kills_its_worker_is_tried_again_and_given_up, a_task_that_takes_too_long_fails, answers_that_nobody_asked_for_count_for_nothing,
     an_answer_that_comes_late_counts_for_nothing, an_answer_of_64_mb_harms_nobody, a_large_answer_comes_whole, workers_are_killed_with_tasks_in_flight, engines_are_killed_with_tasks_in_flight, counts_go_on_with_the_run, a_pool_that_is_drained_stays_so, tasks_outlive_the_project, who_is_told_that_tasks_are_taken_may_rely_on_it,
     what_waits_is_cancelled, a_submitter_that_is_interrupted_cancels_what_waits, a_long_queue_takes_what_comes_at_once, unmodified_node_workers_do_it, many_tasks_of_a_plain_worker)
