#!/usr/bin/env python3
"""libthrum and what is linked with it: its header and manual; a worker in C, as the examples have it; thread pools that are seen and sized from outside."""
import json, os, re, shutil, subprocess, sys, tempfile, urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import THRUM, WORKER, Load, Project, expect, free_port, main, until

SRC = os.environ.get("SRCDIR", ".")
EXAMPLE = os.path.join(SRC, "examples", "c")
BUILD = os.environ.get("BUILDDIR", ".")
LIBRARY = os.path.join(BUILD, "src", ".libs", "libthrum.so")
BUILT = os.path.join(BUILD, "examples", "c")
POOLER = os.path.join(WORKER, "pooler")


PLUS_PLUS = r"""
#include <thrum.h>
static int work(void *) { return 0; }
int use() {
    thrum_pool_options options{};
    thrum_task task{};
    thrum_handlers handlers{};
    thrum_process_event event{};
    const char *const argv[] = {"true", nullptr};
    options.when_full = THRUM_REFUSE;
    task.work = work;
    thrum_pool *pool = thrum_pool_create(&options);
    thrum_process *process = thrum_process_spawn(argv, nullptr);
    thrum_shared *shared = thrum_shared_create(1, 32);
    thrum_channel *channel = thrum_channel_open();
    return thrum_pool_submit(pool, &task) + thrum_channel_process(channel, &handlers) +
        thrum_process_next(process, &event, 0) + thrum_shared_notify(shared, 0, THRUM_LOW);
}
"""


def compile_header(*command):
    done = subprocess.run([*command, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-I", os.path.join(SRC, "include"), "-"],
                          input="#include <thrum.h>\n" if "c" in command else PLUS_PLUS, capture_output=True, text=True)
    expect(done.returncode == 0, f"{command}: {done.stderr}")


def the_header_is_c_and_cxx():
    for compiler in filter(shutil.which, ("cc", "clang")):
        compile_header(compiler, "-x", "c", "-std=c11")
    for compiler in filter(shutil.which, ("c++", "clang++")):
        compile_header(compiler, "-x", "c++", "-std=c++11")
        compile_header(compiler, "-x", "c++", "-std=c++20")


def what_is_exported_is_declared_and_has_an_entry():
    if not shutil.which("nm") or not os.path.exists(LIBRARY):
        return
    listed = subprocess.run(["nm", "-D", "--defined-only", LIBRARY], capture_output=True, text=True, check=True).stdout
    exported = {line.split()[2].split("@")[0] for line in listed.splitlines() if line.split()[1] in "TDBRW"}
    with open(os.path.join(SRC, "include", "thrum.h")) as f:
        declared = set(re.findall(r"\b(thrum_[a-z_]+)\(", re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)))
    declared -= {"thrum_work", "thrum_task_done"}  # types
    expect(exported == declared, f"only one of both: {sorted(exported ^ declared)}")
    manual = subprocess.run([os.path.join(SRC, "scripts", "manual-of-header"), os.path.join(SRC, "include", "thrum.h")],
                            capture_output=True, text=True, check=True).stdout
    entries = set(re.findall(r"\b(thrum_[a-z_]+)\(", "".join(re.findall(r"(?s)^\.Bd -literal\n(.*?)^\.Ed", manual, re.M))))
    expect(exported <= entries, f"thrum(3) does not tell of {sorted(exported - entries)}")


USERS = r"""
#include <stdio.h>
#include <thrum.h>
static int work(void *number) { return *(int *)number; }
int main(void) {
    int number = 42;
    thrum_work *const function = work;
    struct thrum_task task = { function, &number, NULL, 0, THRUM_NORMAL };
    struct thrum_pool *pool = thrum_pool_create(NULL);
    if (thrum_pool_submit(pool, &task) || thrum_task_wait(&task, 20000) || thrum_pool_destroy(pool))
        return 1;
    printf("%d of %s\n", task.result, thrum_version());
    return 0;
}
"""


def a_users_program_builds_from_what_is_installed():
    """In C and C++, by every compiler, with the shared library and the static one, by pkg-config alone."""
    with open(os.path.join(BUILD, "Makefile")) as f:
        makefile = f.read()
    if not shutil.which("pkg-config") or re.search(r"^SAN_CFLAGS = \S", makefile, re.M):
        return
    with tempfile.TemporaryDirectory() as folder:
        make = subprocess.run(["make", "-s", "-C", BUILD, "install-libLTLIBRARIES", "install-includeHEADERS", "install-nodist_pkgconfigDATA",
                               f"DESTDIR={folder}"], capture_output=True, text=True, env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
        expect(make.returncode == 0, make.stderr)
        libdir = folder + re.search(r"^libdir = (.*)", makefile, re.M)[1].replace("${exec_prefix}", re.search(r"^prefix = (.*)", makefile, re.M)[1])
        env = dict(os.environ, PKG_CONFIG_PATH=libdir + "/pkgconfig", PKG_CONFIG_SYSROOT_DIR=folder)
        for compiler, suffix in (("gcc", "c"), ("clang", "c"), ("g++", "cc"), ("clang++", "cc")):
            source = os.path.join(folder, "user." + suffix)
            with open(source, "w") as f:
                f.write(USERS)
            for kind, link in (("shared", "$(pkg-config --cflags --libs thrum)"), ("static", "-static $(pkg-config --static --cflags --libs thrum)")):
                if not shutil.which(compiler):
                    continue
                done = subprocess.run(f"{compiler} -Wall -Wextra -Werror -Wno-missing-field-initializers {source} -o {folder}/user {link} && {folder}/user",
                                      shell=True, env=dict(env, LD_LIBRARY_PATH=libdir), capture_output=True, text=True)
                expect(done.returncode == 0 and done.stdout.startswith("42 of "), f"{compiler}, {kind}: {done.stdout}{done.stderr}")


def example(port):
    p = Project("c-pool", {})
    with open(os.path.join(EXAMPLE, "thrum.yaml")) as f:
        p.write("thrum.yaml", f.read().replace(":8003\"]", f":{port}\"]"))
    for program in ("primes", "served"):
        shutil.copy(os.path.join(BUILT, program), p.dir)
    p.run("up", "-d", check=0)
    return p


def get(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=60) as answer:
        return answer.read().decode()


def the_example_serves_while_it_is_reloaded():
    port = free_port()
    p = example(port)
    try:
        p.run("wait", "web", "--timeout", "60s", check=0)
        expect(get(port).startswith("instance "), "it serves")
        status = [json.loads(line) for line in p.run("send", "--wait", "web", '{"cmd":"status"}', check=0).stdout.splitlines()]
        expect(sorted(s["requests"] for s in status) == [0, 1], f"{status}")
        load = Load(port, get)
        load.wait_for(50)
        for _ in range(2):
            p.run("reload", "web", check=0)
            load.wait_for(50)
        failed = load.end()
        expect(not failed, f"{load.done} requests, {failed[:3]}")
        expect(all((d["cause"], d["code"]) == ("reload", 0) for d in p.json("history", "web")), "each ended when it was asked to")
    finally:
        p.close()


def the_example_counts_primes():
    p = example(free_port())
    try:
        done = p.run("submit", "--wait", "primes", *['{"below":%d}' % n for n in (10, 100, 1000, 100000)], '{"above":1}')
        by = {r["index"]: r for r in map(json.loads, done.stdout.splitlines())}
        expect([by[i].get("result") for i in range(4)] == [4, 25, 168, 9592], f"{by}")
        expect(by[4]["error"].startswith('a task is {"below": N}'), f"{by}")
        p.run("stop", "primes", check=0)
        p.run("wait", "primes", "--for", "stopped", "--timeout", "60s", check=0)
        deaths = p.json("history")
        expect([(d["cause"], d["code"]) for d in deaths] == [("manual", 0)] * 2, f"{deaths}")
    finally:
        p.close()


def only(pools):
    expect(len(pools) == 1, f"one pool: {pools}")
    return pools[0]


def a_thread_pool_is_sized_and_drained_from_outside():
    p = Project("threads", {"w": {"command": POOLER, "instances": 2, "availability": {"restart": "no"}}, "s": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: p.log("w/0") == b"begun\n" == p.log("w/1"), "both have begun")
        until(lambda: only(p.json("pool", "w/0")["thread_pools"])["completed"] > 50, "tasks are done")
        pools = p.json("pool", "w")
        expect((pools["kind"], [x["instance"] for x in pools["thread_pools"]]) == ("thread", [0, 1]), f"{pools}")
        one = pools["thread_pools"][0]
        expect((one["name"], one["threads"], one["target"], one["failed"], one["draining"]) == ("jobs", 2, 2, 0, False), f"{one}")
        expect(1 <= one["run_ms"]["p50"] <= one["run_ms"]["p99"], f"{one}")
        expect(sum(b["runs"] for b in one["histogram"]) > 0 and all(b["below_ms"] > 1 for b in one["histogram"] if b["runs"]), f"{one}")
        text = p.run("pool", "w/0", check=0).stdout
        expect("w/0: jobs, 2 threads wanted\n" in text and "ran < " in text, text)

        expect(p.run("scale", "w", "jobs=5", check=0).stdout == "w/0: jobs is to have 5 threads\nw/1: jobs is to have 5 threads\n", "said so")
        until(lambda: [x["threads"] for x in p.json("pool", "w")["thread_pools"]] == [5, 5], "five each")
        p.run("scale", "w/1", "jobs=-3", check=0)
        until(lambda: [x["threads"] for x in p.json("pool", "w")["thread_pools"]] == [5, 2], "two of the other")
        for args, wanted in ((("scale", "w", "jobs=5000"), "from 0 to 4096 threads"), (("scale", "w", "jobs=-9"), "from 0 to 4096"),
                             (("scale", "w", "other=3"), "no thread pool 'other'"), (("scale", "s", "jobs=3"), "no thread pools"),
                             (("scale", "w", "jobs=x"), "POOL=N"), (("pool", "s"), "is no pool"), (("pool", "nix"), "no service"),
                             (("drain", "--off", "w", "jobs"), "for ever"), (("scale", "nix", "jobs=1"), "no service")):
            bad = p.run(*args)
            expect(bad.returncode and wanted in bad.stderr, f"{args}: {bad.stdout}{bad.stderr}")

        p.run("drain", "w/0", "jobs", check=0)
        until(lambda: p.log("w/0") == b"begun\ndrained\n" and p.rows()["w/0"]["state"] == "completed", "it was drained")
        expect(p.log("w/1") == b"begun\n", "the other goes on")
    finally:
        p.close()


def a_process_of_nobody_is_sized_by_its_pid():
    process = subprocess.Popen([POOLER], stdout=subprocess.PIPE, text=True)

    def thrum(*args):
        return subprocess.run([THRUM, *args], capture_output=True, text=True, timeout=60)
    try:
        expect(process.stdout.readline() == "begun\n", "begun")
        pid = str(process.pid)
        expect(thrum("scale", pid, "jobs=+2").stdout == f"{pid}: jobs is to have 4 threads\n", "said so")
        until(lambda: only(json.loads(thrum("pool", pid, "--json").stdout)["thread_pools"])["threads"] == 4, "four threads")
        expect("no thread pools" in thrum("pool", str(os.getpid())).stderr, "of a process without any")
        expect(thrum("drain", pid, "jobs").returncode == 0 and process.wait(60) == 0, "drained")
        expect(process.stdout.read() == "drained\n", "and it was told")
    finally:
        process.kill()
        process.wait()


main(the_header_is_c_and_cxx, what_is_exported_is_declared_and_has_an_entry,
      a_users_program_builds_from_what_is_installed, the_example_counts_primes, the_example_serves_while_it_is_reloaded,
      a_thread_pool_is_sized_and_drained_from_outside, a_process_of_nobody_is_sized_by_its_pid)
