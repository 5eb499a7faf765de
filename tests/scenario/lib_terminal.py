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
        """All of them at once."""
        self.until(lambda text: all(word in text for word in words), " and ".join(words), seconds)

    def lacks(self, *words):
        self.until(lambda text: not any(word in text for word in words), "neither " + " nor ".join(words))

    def until(self, test, what, seconds=60):
        """What is on the screen passes this test."""
        until(lambda: test(self.screen()), lambda: f"{what}; the screen:\n{self.screen()}\n", seconds)

    def pid(self):
        shell = self.tmux("display-message", "-p", "-t", "s", "#{pane_pid}").strip()
        return until(lambda: children_of(int(shell))[0], "the program runs")

    def close(self):
        self.tmux("kill-server")
