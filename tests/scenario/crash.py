#!/usr/bin/env python3
"""An engine that ends by a fault of its own leaves a report, and the next one says so."""
import os, signal, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Project, expect, kill_engine, main, until


def a_crash_leaves_a_report():
    p = Project("crash", {"a": {"command": "sleep 1000"}})
    try:
        p.run("up", "-d", check=0)
        until(lambda: p.rows()["a/0"]["state"] == "running", "it runs")
        pid = p.rows()["a/0"]["pid"]
        kill_engine(p, signal.SIGKILL)
        expect(not os.path.exists(p.dir + "/state/crash/crash"), "who was killed has not crashed")
        for number, name in (signal.SIGSEGV, "SEGV"), (signal.SIGABRT, "ABRT"):
            kill_engine(p, number)
            report = until(lambda: p.log_at("state/crash/crash").decode(), "a report")
            expect(name in report.splitlines()[0], f"the signal: {report}")
            expect("thrum(" in report, f"where it was: {report}")
            expect(f"started a/0 pid {pid}" in report, f"the last events: {report}")
            told = lambda: p.run("events").stdout
            until(lambda: told().count("the report is in") == (1 if name == "SEGV" else 2) and name in told(), lambda: f"it is told: {told()}")
        expect(p.rows()["a/0"]["pid"] == pid, "its process noticed nothing")
    finally:
        p.close()


main(a_crash_leaves_a_report)
