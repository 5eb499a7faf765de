"""A real terminal (tmux), and what is seen in it."""
from lib_thrum import *


class Terminal:
    count = 0  # each has a server of its own: one that is ending takes no further session

    def __init__(self, project, command="up", width=80, height=24, before=""):
        Terminal.count += 1
        self.base = ["tmux", "-L", f"thrum{os.getpid()}-{Terminal.count}", "-f", "/dev/null"]
        self.env = dict(project.env, NCURSES_NO_UTF8_ACS="1", PATH=os.environ["PATH"])
        self.env.pop("TMUX", None)
        self.tmux("new-session", "-d", "-s", "s", "-x", str(width), "-y", str(height),
                  f"cd {project.dir}; {before} {THRUM} {command}; echo LEFT $?; stty -a | tr ' ;' '\\n\\n' | grep -xE -- '-?(echo|icanon)' | tr '\\n' ' '; echo; exec sleep 600")

    def tmux(self, *args):
        return subprocess.run(self.base + list(args), env=self.env, capture_output=True, text=True).stdout

    def screen(self):
        return self.tmux("capture-pane", "-p", "-t", "s")

    def keys(self, *keys):
        for key in keys:
            self.tmux("send-keys", "-t", "s", key)

    def sees(self, *words, seconds=60):
        try:
            until(lambda: all(w in self.screen() for w in words), " and ".join(words), seconds)
        except Failure as why:
            raise Failure(f"{why}; the screen:\n{self.screen()}")

    def pid(self):
        shell = self.tmux("display-message", "-p", "-t", "s", "#{pane_pid}").strip()
        with open(f"/proc/{shell}/task/{shell}/children") as f:
            return int(f.read().split()[0])

    def close(self):
        self.tmux("kill-server")
