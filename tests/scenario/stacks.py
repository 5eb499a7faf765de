#!/usr/bin/env python3
"""Stacks of threads: in the kernel, in C, in what Node compiles; and nobody is worse off for having been asked."""
import contextlib, json, os, shutil, signal, subprocess, sys, tempfile, time

from lib_thrum import *

NODE = shutil.which("node")
SPIN = "function hash(){let x=0;for(let i=0;i<1e5;i++)x+=i*i%7;return x} (function outer(){console.log('so');while(true)hash()})()"


def stacks(target, *args, check=0):
    done = subprocess.run([THRUM, "threads", str(target), "--stack", "--json", *args], capture_output=True, text=True, timeout=60)
    if "not read in time" in done.stderr:  # whoever waits for them asks again
        raise LookupError(done.stderr)
    expect(done.returncode == check, f"threads {target} --stack: {done.stdout}{done.stderr}")
    return json.loads(done.stdout) if check == 0 else done.stderr


def has_frames():
    here = stacks(os.getpid())["threads"][0]
    if here["why"] and "without elfutils" in here["why"]:
        print("skipped: built without libdw")
        sys.exit(77)


def symbols(thread):
    return [frame["symbol"] or "" for frame in thread["frames"]]


def end(process):
    process.kill()
    process.wait()


def a_sleeper_is_seen_where_it_sleeps():
    has_frames()
    sleeper = subprocess.Popen(["sleep", "1000"])
    try:
        found = []

        def sleeps():
            found.append(stacks(sleeper.pid)["threads"][0])
            kernel = found[-1]["kernel"]
            return any("nanosleep" in s for s in symbols(found[-1])) and (not kernel or any("nanosleep" in line for line in kernel))
        until(sleeps, "it sleeps")
        thread = found[-1]
        expect(thread["frames"][0]["module"].startswith("libc") and any("__libc_start_main" in s for s in symbols(thread)), f"{thread}")
        expect(thread["why"] is None and 0 < thread["stopped_us"] < 1000000, f"{thread}")
        if os.geteuid() == 0:
            expect(thread["kernel"], f"{thread}")
        text = subprocess.run([THRUM, "threads", str(sleeper.pid), "--stack"], capture_output=True, text=True, timeout=60).stdout
        expect(text.startswith(f"thread {sleeper.pid} sleep") and "nanosleep" in text and "#0 " in text, text)
        expect(open(f"/proc/{sleeper.pid}/status").read().split("TracerPid:\t")[1].startswith("0\n"), "nobody traces it any more")
        expect(stat_of(sleeper.pid)[0] in "SR", "and it is not stopped")
    finally:
        end(sleeper)


def what_is_stopped_stays_stopped():
    sleeper = subprocess.Popen(["sleep", "1000"])
    try:
        sleeper.send_signal(signal.SIGSTOP)
        until(lambda: stat_of(sleeper.pid)[0] == "T", "it is stopped")
        stacks(sleeper.pid)
        until(lambda: stat_of(sleeper.pid)[0] == "T", "still, after that")
        sleeper.send_signal(signal.SIGCONT)
        until(lambda: stat_of(sleeper.pid)[0] == "S", "it goes on")
    finally:
        end(sleeper)


def a_reader_that_is_killed_stops_nobody():
    """Whenever that is: while it reads files, while it holds a thread, or after."""
    reader = os.path.join(os.environ["BUILDDIR"], "src", "thrum-stack")
    spinner = subprocess.Popen([sys.executable, "-c", "import threading\n"
                                "for i in range(3): threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()\n"
                                "threading.Event().wait()"])
    try:
        for turn in range(60):
            process = subprocess.Popen([reader, str(spinner.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            began = time.monotonic()
            while time.monotonic() - began < turn * 0.001:
                pass
            process.kill()
            process.wait()
            for tid in os.listdir(f"/proc/{spinner.pid}/task"):
                status = f"/proc/{spinner.pid}/task/{tid}/status"
                until(lambda: "TracerPid:\t0\n" in open(status).read() and "State:\tT" not in open(status).read()
                      and "State:\tt" not in open(status).read(), f"thread {tid} goes on, after {turn} ms")
    finally:
        end(spinner)


def a_reader_that_is_ended_is_told_of():
    sleeper = subprocess.Popen([sys.executable, "-c", "import time\ntime.sleep(1000)"])

    def is_told():
        """When it was not too quick."""
        asks = subprocess.Popen([THRUM, "threads", str(sleeper.pid), "--stack"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for pid in until(lambda: children_of(asks.pid) or asks.poll() is not None and [0], "its reader"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if pid else 0)
        said = asks.communicate(timeout=60)[1]
        return asks.returncode and "not read in time: thrum-stack was ended (Killed)" in said
    try:
        until(is_told, "it is told that nothing is read")
    finally:
        end(sleeper)


def code_made_at_run_time_is_marked():
    if not NODE:
        return
    process = subprocess.Popen([NODE, "-e", SPIN], stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        until(lambda: any(s.startswith("[JS]") for s in symbols(stacks(process.pid, "--tid", str(process.pid))["threads"][0])), "JS frames")

        def look():
            """Who reads has a few seconds for all of them: on a machine that is busy those that are left do not come."""
            by_tid = {t["tid"]: symbols(t) for t in stacks(process.pid)["threads"]}
            return any("start_thread" in names for tid, names in by_tid.items() if tid != process.pid) and by_tid
        by_tid = until(look, "another thread")
        expect("main" in by_tid[process.pid] or "node::Start(int, char**)" in by_tid[process.pid] or "_start" in by_tid[process.pid], f"{by_tid}")
        one = until(lambda: stacks(process.pid, "--tid", str(process.pid))["threads"], "one of them")
        expect([t["tid"] for t in one] == [process.pid], f"{one}")
    finally:
        end(process)


def the_map_that_node_writes_names_its_functions():
    if not NODE:
        return
    folder = tempfile.mkdtemp(prefix="thrum-test-")  # it writes a log there too
    process = subprocess.Popen([NODE, "--perf-basic-prof", "-e", SPIN], stdout=subprocess.PIPE, text=True, cwd=folder)
    try:
        process.stdout.readline()
        until(lambda: any("hash" in s for s in symbols(stacks(process.pid, "--tid", str(process.pid))["threads"][0])), "its name")
    finally:
        end(process)
        if os.path.exists(f"/tmp/perf-{process.pid}.map"):
            os.unlink(f"/tmp/perf-{process.pid}.map")
        shutil.rmtree(folder)


def what_cannot_be_is_said():
    expect("there is no process 999999999" in stacks(999999999, check=1), "no such process")
    expect("there is no thread 999999999" in stacks(os.getpid(), "--tid", "999999999", check=1), "no such thread")
    stacks(os.getpid(), "--tid", "x", check=2)
    traced = subprocess.Popen(["sleep", "1000"])
    tracer = subprocess.Popen([sys.executable, "-c", f"import ctypes,time;c=ctypes.CDLL(None);c.ptrace(0x4206,{traced.pid},0,0);"
                               "print('so',flush=True);time.sleep(1000)"], stdout=subprocess.PIPE, text=True)
    try:
        tracer.stdout.readline()
        why = stacks(traced.pid)["threads"][0]["why"]
        expect(f"process {tracer.pid} traces it" in why, f"{why}")
    finally:
        end(tracer)
        end(traced)


def an_instance_is_asked_by_its_engine():
    project = Project("stacks", {"web": {"command": ["sleep", "1000"]}})
    try:
        project.run("up", "-d", check=0)
        until(lambda: project.rows().get("web/0", {}).get("pid"), "it runs")
        until(lambda: any("nanosleep" in s for t in json.loads(project.run("threads", "web", "--stack", "--json", check=0).stdout)["threads"]
                          for s in symbols(t)), "it sleeps")
        gone = project.run("threads", "web", "--stack", "--tid", "999999999")
        expect(gone.returncode == 1 and "there is no thread 999999999" in gone.stderr, f"{gone}")
        expect(project.rows()["web/0"]["restarts"]["crash"] == 0, "it has not noticed")
    finally:
        project.close()


main(a_sleeper_is_seen_where_it_sleeps, what_is_stopped_stays_stopped, a_reader_that_is_killed_stops_nobody, a_reader_that_is_ended_is_told_of, code_made_at_run_time_is_marked,
     the_map_that_node_writes_names_its_functions, what_cannot_be_is_said, an_instance_is_asked_by_its_engine)
