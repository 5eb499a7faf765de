#!/usr/bin/env python3
"""What is seen inside of Node, and what is said to it, holds for every version that is in use: each from its npm package."""
import os, subprocess, sys

from lib_npm import npm_folder
from lib_thrum import *

VERSIONS = os.environ.get("THRUM_NODES", "18 20 22 24 26").split()
HERE = os.path.dirname(os.path.abspath(__file__))
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
    folder = npm_folder(f"node-{version}", f"node@{version}")
    return folder and os.path.join(folder, "node", "bin", "node")


def holds_with(version, program):
    failed = []
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout.strip()
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
