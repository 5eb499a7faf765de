# A worker of a process pool, which adds numbers: command: python3 tasks.py, pool: {size: 2}
import json, os

channel = os.fdopen(int(os.environ["THRUM_CHANNEL_FD"]), "r+b", buffering=0)


def messages():
    rest = b""
    while got := channel.read(65536):
        *lines, rest = (rest + got).split(b"\n")
        yield from map(json.loads, lines)


for message in messages():
    if message.get("type") != "task":
        continue
    task = message["payload"]
    try:
        answer = {"type": "task_complete", "taskId": task["id"], "result": sum(task["numbers"])}
    except (KeyError, TypeError) as why:
        answer = {"type": "task_error", "taskId": task["id"], "error": repr(why)}
    channel.write(json.dumps(answer).encode() + b"\n")
