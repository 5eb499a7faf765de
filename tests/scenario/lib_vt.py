"""A terminal of our own (libvterm, by tests/worker/vt.c): what is on it, and when a frame is whole."""
from lib_thrum import *

VT = f"{WORKER}/vt"


def needs_vterm():
    """Skipped where libvterm was not there to build with."""
    if not os.path.exists(VT) or subprocess.run([VT, "1x1", "true"], stdin=subprocess.DEVNULL).returncode == 77:
        sys.exit(77)


class Screen:
    def __init__(self, project, *command, size="80x24", env={}, without=()):
        whole = dict(project.env, TERM="xterm-256color", LC_ALL="C.UTF-8", THRUM_SETTINGS="/nonexistent/settings")
        whole.update(env)
        for name in without:
            whole.pop(name, None)
        self.process = subprocess.Popen([VT, size, *command], cwd=project.dir, env=whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, command):
        """What it answers, and whether it was done."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise Failure(f"{command}: the terminal is gone; {lines}")
            if line.rstrip("\n") in ("ok", "no", "no such command"):
                return lines, line.rstrip("\n") == "ok"
            lines.append(line.rstrip("\n"))

    def do(self, command):
        lines, ok = self.tell(command)
        if not ok:
            raise Failure(f"{command}: no; the screen:\n" + "\n".join(self.tell("screen")[0]))
        return lines

    def keys(self, *keys):
        """Each is shown before the next is typed."""
        for key in keys:
            self.do(f"key {key}")
            self.do("frame")

    def sees(self, *texts):
        for text in texts:
            self.do(f"sees {text}")

    def lacks(self, *texts):
        for text in texts:
            self.do(f"lacks {text}")

    def screen(self):
        return "\n".join(self.do("screen"))

    def written(self):
        """Bytes, so far."""
        return int(self.do("bytes")[0].split()[0])

    def modes(self):
        return self.do("modes")[0]

    def left(self):
        return self.do("left")[0]

    def close(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
