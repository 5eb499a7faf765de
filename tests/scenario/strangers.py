#!/usr/bin/env python3
"""Processes that are hard to look into: they turn into others, end, belong to others, live elsewhere, or have lost their file."""
import json, os, shutil, signal, subprocess, sys, tempfile

from lib_thrum import *

NODE = shutil.which("node")
IS_ROOT = os.geteuid() == 0
NOBODY = 65534
FILL = ("const c=require('crypto');for(let i=0;i<30;i++)c.pbkdf2('a','b',30000000,64,'sha512',()=>{});"
        "console.log('so');setInterval(()=>{},50);")


def look(target, *args, verb="inspect", check=0, **options):
    """With a deadline: whatever it is, it is not waited for."""
    done = subprocess.run([THRUM, verb, str(target), "--json", *args], capture_output=True, text=True, timeout=60, **options)
    expect(done.returncode == check, f"{verb} {target}: {done.returncode}: {done.stdout[:300]}{done.stderr}")
    return json.loads(done.stdout) if check == 0 else done.stderr


def has_libdw():
    return "without elfutils" not in json.dumps(look(os.getpid(), "--stack", verb="threads"))


def end(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def start(command, **options):
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True, **options)
    expect(process.stdout.readline() == "so\n", f"{command} runs")
    return process


JAVA = """import java.util.concurrent.*;
public class Sleep {
  public static void main(String[] a) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(3);
    for (int i = 0; i < 3; i++) pool.submit(() -> { Thread.sleep(1000000); return 0; });
    System.out.println("so");
    Thread.sleep(1000000);
  }
}
"""
PYTHON = "import threading,time\nfor i in range(3): threading.Thread(target=time.sleep,args=(1000,),daemon=True).start()\nprint('so',flush=True)\ntime.sleep(1000)"


def roles_of(process):
    threads = look(process.pid, "--over", "0")["threads"]
    return [t["role"] for t in threads], threads


def a_jvm_has_its_roles():
    if not shutil.which("java"):
        return
    with tempfile.TemporaryDirectory(prefix="thrum-test-") as folder:
        with open(folder + "/Sleep.java", "w") as f:
            f.write(JAVA)
        java = start(["java", folder + "/Sleep.java"])
        try:
            roles, threads = roles_of(java)
            expect(roles.count("pool worker") >= 3 and roles.count("java main") == 1, f"{threads}")
            expect({"gc", "jit", "vm", "main"} <= set(roles), f"{set(roles)}")
            expect(not look(java.pid, "--over", "0")["pools"], "it has no pool of libuv")
        finally:
            end(java)


def python_has_threads_and_no_pool():
    python = start([sys.executable, "-c", PYTHON])
    try:
        roles, threads = roles_of(python)
        expect(len(threads) == 4 and roles.count("main") == 1, f"{threads}")
        found = look(python.pid, "--over", "0")
        expect(not found["pools"] and not found["loops"], f"{found['pools']} {found['loops']}")
    finally:
        end(python)


def a_process_that_becomes_another_is_the_other():
    if not NODE:
        return
    script = FILL + "process.stdin.once('data',()=>process.kill(process.pid,'SIGKILL'));"
    turn = f"import os,sys;print('so',flush=True);sys.stdin.readline();os.execvp({NODE!r},[{NODE!r},'-e',{script!r}])"
    process = start([sys.executable, "-c", turn], stdin=subprocess.PIPE)
    try:
        expect(not look(process.pid, "--over", "0")["pools"], "Python has no pool")
        watcher = subprocess.Popen([THRUM, "inspect", str(process.pid), "--json", "--over", "4s"], stdout=subprocess.PIPE, text=True)
        process.stdin.write("\n")
        process.stdin.flush()
        expect(process.stdout.readline() == "so\n", "it is Node now")
        found = json.loads(watcher.communicate(timeout=60)[0])
        expect(found["process"].startswith("node") and found["pools"] and found["pools"][0]["queued"] == 26, f"{found['pools']}")
        # and it ends while it is looked at
        watcher = subprocess.Popen([THRUM, "inspect", str(process.pid), "--over", "1500ms"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        until(lambda: "inspect" in open(f"/proc/{watcher.pid}/cmdline").read(), "the watcher runs")
        end(process)
        why = watcher.communicate(timeout=60)[1]
        expect(watcher.returncode == 1 and "there is no process" in why, f"{watcher.returncode}: {why}")
    finally:
        end(process)


def who_executes_again_and_again_is_survived():
    loop = "import os,sys,time\nn=int(sys.argv[1])\nif n==0: print('so',flush=True)\ntime.sleep(0.01)\nos.execv(sys.executable,[sys.executable]+sys.orig_argv[1:-1]+[str(n+1)])"
    process = start([sys.executable, "-S", "-E", "-c", loop, "0"])
    try:
        for _ in range(20):
            found = look(process.pid, "--over", "30ms")
            expect(found["pid"] == process.pid and found["queue"] is None, f"{found}")
        if has_libdw():
            for _ in range(5):
                look(process.pid, "--stack", verb="threads")
        expect(process.poll() is None, "it goes on")
    finally:
        end(process)


def threads_that_come_and_go_are_survived():
    churn = "import threading,time\nprint('so',flush=True)\nwhile True:\n  t=[threading.Thread(target=time.sleep,args=(0.002,)) for _ in range(20)]\n  [x.start() for x in t];[x.join() for x in t]"
    process = start([sys.executable, "-c", churn])
    try:
        for _ in range(10):
            found = look(process.pid, "--over", "20ms")
            expect(any(t["tid"] == process.pid for t in found["threads"]), f"{found['threads']}")
        if has_libdw():
            found = look(process.pid, "--stack", verb="threads")
            expect(found["threads"], f"{found}")
    finally:
        end(process)


def what_is_not_ours_to_know_is_not_nothing():
    if not IS_ROOT or not NODE:
        return
    if subprocess.run([THRUM, "--version"], user=NOBODY, capture_output=True).returncode:
        return  # it lies where nobody may go
    theirs = start([NODE, "-e", FILL])
    hidden = start([sys.executable, "-c", f"import ctypes,os,time;c=ctypes.CDLL(None);os.setgroups([]);os.setgid({NOBODY});os.setuid({NOBODY})\n"
                    "c.prctl(4,0);print('so',flush=True);time.sleep(1000)"])
    try:
        found = look(theirs.pid, "--over", "0", user=NOBODY)
        expect(all(t["syscall"] is None for t in found["threads"]) and len(found["threads"]) > 4, f"{found['threads'][:2]}")
        expect(found["queue"] is None and not any(p["queued"] == 0 for p in found["pools"]), f"never 0: {found['pools']}")
        expect(any("cannot be seen" in s or "no right" in s for s in found["findings"]), f"{found['findings']}")
        found = look(hidden.pid, "--over", "0", user=NOBODY)
        expect(found["threads"][0]["state"] == "S" and found["threads"][0]["syscall"] is None, f"{found['threads']}")
        if has_libdw():
            thread = look(theirs.pid, "--stack", verb="threads", user=NOBODY)["threads"][0]
            expect(not thread["frames"] and "no right" in thread["why"] and thread["stopped_us"] == 0, f"{thread}")
        expect(look(theirs.pid, "--over", "0")["queue"] == 26, "root knows")
    finally:
        end(theirs)
        end(hidden)


def a_process_elsewhere_is_read_by_its_own_root():
    """Another pid namespace, another root, and a program whose path means nothing here."""
    if not IS_ROOT or not NODE or not shutil.which("unshare"):
        return
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    script = (f"mount --rbind / {folder} && mount -t tmpfs none {folder}/mnt && mkdir {folder}/mnt/far && "
              f"mount --bind {os.path.dirname(os.path.realpath(NODE))} {folder}/mnt/far && "
              f"exec chroot {folder} /mnt/far/{os.path.basename(os.path.realpath(NODE))} -e \"$0\"")
    try:
        process = start(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, FILL])
    except Failure:
        os.rmdir(folder)
        return  # it may not be done here
    try:
        child = until(lambda: children_of(process.pid)[0], "its child")
        found = look(child, "--over", "300ms")
        expect(found["queue"] == 26 and found["pools"][0]["threads"] == 4, f"{found['pools']}")
        expect(0 <= found["loop"]["utilisation"] <= 1, f"{found['loop']}")
        expect(sum(t["role"] == "pool worker" for t in found["threads"]) == 4, f"{[t['role'] for t in found['threads']]}")
        if has_libdw():
            names = [f["symbol"] or "" for f in look(child, "--stack", "--tid", str(child), verb="threads")["threads"][0]["frames"]]
            expect(any("uv_run" in name for name in names), f"{names}")
    finally:
        end(process)
        os.rmdir(folder)


def a_program_whose_file_is_gone_is_read_all_the_same():
    if not NODE:
        return
    folder = tempfile.mkdtemp(prefix="thrum-test-")
    shutil.copy(os.path.realpath(NODE), folder + "/node")
    process = start([folder + "/node", "-e", FILL])
    shutil.rmtree(folder)
    try:
        found = look(process.pid, "--over", "0")
        expect(found["queue"] == 26 and found["pools"][0]["threads"] == 4, f"{found['pools']}")
        if has_libdw():
            threads = look(process.pid, "--stack", verb="threads")["threads"]
            names = [f["symbol"] or "" for t in threads if t["tid"] == process.pid for f in t["frames"]]
            expect(any("uv_run" in name for name in names), f"{names}")
    finally:
        end(process)


main(a_jvm_has_its_roles, python_has_threads_and_no_pool, a_process_that_becomes_another_is_the_other, who_executes_again_and_again_is_survived, threads_that_come_and_go_are_survived,
     what_is_not_ours_to_know_is_not_nothing, a_process_elsewhere_is_read_by_its_own_root, a_program_whose_file_is_gone_is_read_all_the_same)
