#!/usr/bin/env python3
"""What the program tells of itself: completions, a schema, manuals, and what works here."""
import json, os, re, shutil, subprocess, sys
from lib_thrum import THRUM, Failure, Project, expect, main, until
import lib_schema
from lib_terminal import Terminal

SRC = os.environ["SRCDIR"]


VALIDATE = """
import json, sys
try:
    import jsonschema, yaml
except ImportError:
    sys.exit(77)
schema = json.load(open(sys.argv[1]))
jsonschema.Draft202012Validator.check_schema(schema)
for name in ("demo.yaml", "process-compose.yaml"):
    jsonschema.validate(yaml.safe_load(open(sys.argv[2] + "/" + name)), schema)
for wrong in ({"processes": {"a": {"comand": "x"}}}, {"proceses": {}}, {"processes": {"a": {"pty": 3}}}):
    try:
        jsonschema.validate(wrong, schema)
    except jsonschema.ValidationError:
        continue
    sys.exit(f"{wrong} is not refused")
"""


def complete(project, *words):
    """What bash would offer for the last word."""
    script = project.run("completion", "bash", check=0).stdout
    words = " ".join(f"'{w}'" for w in (THRUM, *words))
    done = subprocess.run(["bash", "-c", f"{script}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _thrum; echo ${{COMPREPLY[@]}}"],
                          cwd=project.dir, env=project.env, capture_output=True, text=True)
    expect(not done.stderr, done.stderr)
    return done.stdout.split()


def shells_complete():
    project = Project("complete", {"web": {"command": "sleep 1000"}, "worker": {"command": "sleep 1000"}})
    try:
        expect({"restart", "reload"} <= set(complete(project, "re")), "commands")
        expect(complete(project, "stop", "w") == ["web", "worker"], "names from the file")
        project.run("up", "-d", check=0)
        project.run("run", "--name", "wanderer", "--", "sleep", "1000", check=0)
        expect(set(complete(project, "stop", "w")) == {"web", "worker", "wanderer"}, "names from the engine")
        expect(complete(project, "up", "--he") == ["--headless", "--help"], "options")
        expect(complete(project, "export", "k") == ["kubernetes"], "words")
        for shell in ("bash", "zsh", "fish"):
            script = project.run("completion", shell, check=0).stdout
            expect("export" in script, shell)
            if shutil.which(shell):
                done = subprocess.run([shell, "-n", project.write("script", script)], capture_output=True, text=True)
                expect(done.returncode == 0, f"{shell}: {done.stderr}")
        expect(project.run("completion", "tcsh").returncode == 2, "no such shell")
    finally:
        project.close()


SHELLS = {
    "bash": ["bash --norc -i", "source <(thrum completion bash)"],
    "zsh": ["zsh -f -i", "autoload -Uz compinit; compinit -D -u; source <(thrum completion zsh)"],
    "fish": ["fish --no-config", "thrum completion fish | source"],
}


def shells_complete_what_is_typed():
    """In the shells themselves, with a tabulator."""
    if not shutil.which("tmux"):
        return
    project = Project("typed", {"web": {"command": "sleep 1000"}, "worker": {"command": "sleep 1000"}})
    project.env.update(PATH=os.path.dirname(THRUM) + ":" + project.env["PATH"], HOME=project.dir, PS1="$ ")
    try:
        for shell, (command, source) in SHELLS.items():
            if not shutil.which(shell):
                continue
            terminal = Terminal(project, "version", before=f"export PATH={os.path.dirname(THRUM)}:$PATH; {command}; : ")
            try:
                until(lambda: terminal.screen().strip(), "a prompt")
                terminal.keys(source, "Enter", "echo re''ady", "Enter")
                terminal.sees("\nready")
                for typed, wanted in (("thrum rel", "thrum reload"), ("thrum stop wo", "thrum stop worker"), ("thrum export kub", "thrum export kubernetes"),
                                      ("thrum up --headl", "thrum up --headless"), ("thrum -p typed atta", "thrum -p typed attach")):
                    terminal.keys("C-u", typed, "Tab")
                    terminal.sees(wanted)
            except Failure as why:
                raise Failure(f"{shell}: {why}")
            finally:
                terminal.close()
    finally:
        project.close()


def the_schema_knows_what_is_read():
    project = Project("schema", {"web": {"command": "true", "readiness_probe": {"tcp": 80}}})
    try:
        schema = json.loads(project.run("check", "--schema", "json", check=0).stdout)
        service = schema["$defs"]["service"]["properties"]
        expect({"command", "instances", "availability", "limits", "cwd"} <= set(service), "keys of a service")
        expect("period_seconds" in service["readiness_probe"]["properties"], "keys of a probe")
        expect("origin" not in service and "digest" not in schema["properties"], "what thrum writes for itself is not told")
        expect(not service["availability"]["additionalProperties"], "what is not known is an error")
        project.write("schema.json", json.dumps(schema))
        # -I: names of scenarios are not those of modules
        done = subprocess.run([sys.executable, "-I", "-c", VALIDATE, project.dir + "/schema.json", os.path.join(SRC, "examples")],
                              capture_output=True, text=True)
        expect(done.returncode in (0, 77), done.stderr)
        examples = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(SRC, "examples")) for name in names if name.endswith(".yaml")]
        expect(len(examples) > 10, f"{examples}")
        for path in examples:
            with open(path) as f:
                lib_schema.check_schema(f.read(), project.dir + "/schema.json")
    finally:
        project.close()


def the_manuals_have_no_errors():
    project = Project("manual", {"web": {"command": "true"}})
    try:
        with open(os.path.join(SRC, "doc", "thrum.yaml.5.in")) as f:
            page = f.read().replace("@KEYS@\n", project.run("check", "--schema", "man", check=0).stdout)
        expect(".It Ic readiness_probe\n" in page and ".It Ic http_get\n" in page, "keys are told")
        protocol = subprocess.run([os.path.join(SRC, "scripts", "manual"), os.path.join(SRC, "doc", "protocol.md")],
                                  capture_output=True, text=True, check=True).stdout
        expect(".It \\fBhello\\fP\n" in protocol, "requests are told")
        third = subprocess.run([os.path.join(SRC, "scripts", "manual-of-header"), os.path.join(SRC, "include", "thrum.h")],
                               capture_output=True, text=True, check=True).stdout
        expect(".Ss Channel: " in third, "sections are told")
        with open(os.path.join(SRC, "doc", "thrum.1")) as f:
            first = f.read()
        listed = project.run("help", check=0).stdout
        for line in listed.splitlines():
            expect(line.count("`") % 2 == 0 and line.count("(") == line.count(")") and line.count("[") == line.count("]"), f"cut off: {line}")
        for command in re.findall(r"^  thrum ([a-z-]+) ", listed, re.M):
            expect(re.search(rf"\b{command}\b", first), f"thrum(1) does not tell of {command}")
        for name, text in (("thrum.yaml.5", page), ("thrum-protocol.7", protocol), ("thrum.1", first), ("thrum.3", third)):
            path = project.write(name, text)
            for command in (["mandoc", "-Tlint", "-Wwarning"], ["groff", "-k", "-ww", "-mandoc", "-Tutf8", "-z"]):
                if shutil.which(command[0]):
                    done = subprocess.run([*command, path], capture_output=True, text=True)
                    expect(done.returncode == 0 and not done.stdout + done.stderr, f"{name}: {command[0]}: {done.stdout}{done.stderr}")
    finally:
        project.close()


def the_doctor_tells_what_works():
    project = Project("doctor", {"web": {"command": "true"}})
    try:
        found = {f["name"]: f for f in project.json("doctor")}
        expect("threads are counted by" in found["eBPF"]["found"], f"which way threads are counted: {found['eBPF']}")
        expect(found["runtime folder"]["found"] == project.dir + "/run" and found["runtime folder"]["verdict"] == "ok", str(found))
        project.env["PATH"] = "/nowhere"
        found = {f["name"]: f for f in project.json("doctor")}
        expect(found["ssh"]["verdict"] == "limited" and "control groups" in found, f"{found}")
        project.write("journal", "")
        project.env["THRUM_JOURNAL_SOCKET"] = project.dir + "/journal"
        expect({f["name"]: f for f in project.json("doctor")}["journal"]["verdict"] == "ok", "where lines of the journal go")
        expect(found["node"]["verdict"] == "limited" and "apt install" in found["node"]["advice"], str(found["node"]))
        project.env["THRUM_RUNTIME_DIR"] = "/dev/null/run"
        done = project.run("doctor", check=1)
        expect("NO  runtime folder" in done.stdout, done.stdout)
    finally:
        project.env["THRUM_RUNTIME_DIR"] = project.dir + "/run"
        project.close()


main(shells_complete, shells_complete_what_is_typed, the_schema_knows_what_is_read, the_manuals_have_no_errors, the_doctor_tells_what_works)
