#!/usr/bin/env python3
"""What is linked with libthrum: a worker in C, as the examples have it."""
import json, os, shutil, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Project, expect, main

EXAMPLE = os.path.join(os.environ.get("SRCDIR", "."), "examples", "c")
PRIMES = os.path.join(os.environ.get("BUILDDIR", "."), "examples", "c", "primes")


def the_example_counts_primes():
    p = Project("c-pool", {})
    try:
        with open(os.path.join(EXAMPLE, "thrum.yaml")) as f:
            p.write("thrum.yaml", f.read())
        shutil.copy(PRIMES, p.dir)
        p.run("up", "-d", check=0)
        done = p.run("submit", "--wait", "primes", *['{"below":%d}' % n for n in (10, 100, 1000, 100000)], '{"above":1}')
        by = {r["index"]: r for r in map(json.loads, done.stdout.splitlines())}
        expect([by[i].get("result") for i in range(4)] == [4, 25, 168, 9592], f"{by}")
        expect(by[4]["error"].startswith('a task is {"below": N}'), f"{by}")
        p.run("stop", "primes", check=0)
        deaths = p.json("history")
        expect([(d["cause"], d["code"]) for d in deaths] == [("manual", 0)] * 2, f"{deaths}")
    finally:
        p.close()


main(the_example_counts_primes)
