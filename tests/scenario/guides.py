#!/usr/bin/env python3
"""What the pages for users say is tried: their files are written, their commands run, one after another."""
import glob, os, re, shutil, subprocess, sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from lib_thrum import Project, THRUM, expect, free_port, main

SRC, BUILD = os.environ["SRCDIR"], os.environ.get("BUILDDIR", ".")
BLOCK = re.compile(r"^```(\w+) ([^\n]*)\n(.*?)^```$|^```(sh)\n(.*?)^```$", re.M | re.S)
PORTS = ("8003", "8010", "3001")  # which this machine may use for something else


def has_redis():
    return shutil.which("redis-server") and os.path.exists(os.path.join(os.path.dirname(THRUM), "thrum-redis"))


def try_page(path):
    with open(path) as f:
        text = f.read()
    for port in PORTS:
        text = text.replace(port, str(free_port()))
    made = Project("guide", {})
    os.unlink(made.dir + "/thrum.yaml")
    made.env["PATH"] = os.path.dirname(THRUM) + ":" + made.env["PATH"]
    redis = None
    try:
        for block in BLOCK.finditer(text):
            words = dict(word.split("=", 1) for word in (block[2] or "").split())
            if "file" in words:
                made.write(words["file"], block[3])
            if "example" in words:
                shutil.copytree(os.path.join(SRC, "examples", words["example"]), made.dir, dirs_exist_ok=True)
                for name in os.listdir(made.dir):
                    if os.path.isfile(os.path.join(made.dir, name)):
                        made.write(name, made.log_at(name).decode().replace("8003", re.search(r":(\d+)/\n", text)[1]).replace("3001", re.search(r":(\d+)/ready", text)[1]))
            if (block[4] or block[1]) != "sh":
                continue
            needs = words.get("needs") or ("node" if "example" in words else "")
            if needs == "node" and not shutil.which("node"):
                continue
            if needs == "redis" and not has_redis():
                continue
            if needs == "redis":
                port = free_port()
                redis = subprocess.Popen(["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", ""], stdout=subprocess.DEVNULL)
                made.env["REDIS"] = f"127.0.0.1:{port}"
            commands = block[5] or block[3]
            if needs == "libthrum":  # which is not installed here
                commands = commands.replace("$(pkg-config --cflags --libs thrum)", f"-I{SRC}/include {BUILD}/src/.libs/libthrum.a -pthread")
            done = subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=made.dir, env=made.env, capture_output=True, text=True, timeout=60,
                                  stdin=subprocess.DEVNULL)
            expect(done.returncode == 0, f"{os.path.basename(path)}: status {done.returncode} of:\n{commands}\n{done.stdout}{done.stderr}")
            expect("thrum" in commands, f"{commands}")
    finally:
        made.close()
        if redis:
            redis.kill()
            redis.wait()


def page(path):
    def run():
        try_page(path)
    run.__name__ = os.path.basename(path)[:-3].replace("-", "_")
    return run


def links_lead_somewhere():
    for path in glob.glob(SRC + "/doc/*.md") + [SRC + "/README.md"]:
        with open(path) as f:
            for link in re.findall(r"\]\(([^)#:]+)\)", f.read()):
                expect(os.path.exists(os.path.join(os.path.dirname(path), link)), f"{path}: {link}")


pages = [path for path in sorted(glob.glob(SRC + "/doc/*.md")) if re.search(r"^```sh", open(path).read(), re.M)]
expect(len(pages) >= 7, f"{pages}")
main(*map(page, pages), links_lead_somewhere)
