#!/usr/bin/env python3
"""What is seen inside of Node, and what is said to it, holds for every version that is in use: each from its npm package."""
import os, shutil, subprocess, sys

from lib_thrum import *

VERSIONS = os.environ.get("THRUM_NODES", "18 20 22 24 26").split()
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "thrum-tests")
HERE = os.path.dirname(os.path.abspath(__file__))
DOWNLOAD_S = 120
TESTS = {
    "inside.py": ["a_queue_is_seen_to_fall_to_nothing", "the_kinds_of_work_are_told_apart", "utilisation_is_what_node_says",
                  "blocked_loops_are_seen_to_be", "threads_have_roles"],
    "stacks.py": ["code_made_at_run_time_is_marked"],
    "channel.py": ["an_unmodified_node_program_has_its_channel"],
    "cluster.py": ["connections_are_handed_out_in_turn", "a_shared_socket_is_accepted_from_by_the_workers", "every_kind_of_socket_is_opened",
                   "https_workers_share_their_tickets", "modules_are_workers_too", "a_reload_refuses_nothing"],
}
# Since Node 26 a server that closes also drops who has connected and not yet asked for anything: so it is with Node's own primary.
NOT_OF = {"26": ["a_reload_refuses_nothing"]}


def program_of(version):
    """Downloaded once, and kept; None when that is not possible, after saying why."""
    folder = os.path.join(CACHE, f"node-{version}")
    program = os.path.join(folder, "node_modules", "node", "bin", "node")
    if os.path.exists(program):
        return program
    if not shutil.which("npm"):
        print(f"skipped: Node {version}: there is no npm to get it with")
        return None
    os.makedirs(folder, exist_ok=True)
    try:
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", "--prefix", folder, f"node@{version}"],
                              capture_output=True, text=True, timeout=DOWNLOAD_S)
    except subprocess.TimeoutExpired:
        print(f"skipped: Node {version}: the registry does not answer")
        return None
    if done.returncode or not os.path.exists(program):
        print(f"skipped: Node {version}: {(done.stderr or 'its package has no program').strip().splitlines()[-1]}")
        return None
    return program


def holds_with(version, program):
    failed = []
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30).stdout.strip()
    expect(told.startswith(f"v{version}."), f"{program} is {told}")
    for scenario, all_names in TESTS.items():
        names = [name for name in all_names if name not in NOT_OF.get(version, [])]
        done = subprocess.run([sys.executable, os.path.join(HERE, scenario), *names], capture_output=True, text=True, timeout=300,
                              env=dict(os.environ, THRUM_NODE=program))
        print(f"Node {told} {scenario}: {done.stdout.count(chr(10) + 'ok') + done.stdout.startswith('ok')} of {len(names)}")
        if done.returncode:
            failed.append(f"{scenario}: {done.stdout}{done.stderr}")
    expect(not failed, "\n".join(failed))


def each_version_is_understood():
    programs = {version: program_of(version) for version in VERSIONS}
    if not any(programs.values()):
        sys.exit(77)
    for version, program in programs.items():
        if program:
            holds_with(version, program)


main(each_version_is_understood)
