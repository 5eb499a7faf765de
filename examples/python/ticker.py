"""Prints a line on each stream every TICK_SECONDS."""
import os
import sys
import time

seconds = float(os.environ.get("TICK_SECONDS", "1"))
tick = 0
while True:
    tick += 1
    print(f"tick {tick}", flush=True)  # a pipe is not flushed line by line
    print(f"tock {tick}", file=sys.stderr, flush=True)
    time.sleep(seconds)
