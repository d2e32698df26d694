"""Where the cases happen: one n8n in external mode and one runner, shared by most of them."""
import os

from harness import Runner, processes_below, started
from n8n import N8n, wait_until

RUNNER = {"N8N_RUNNERS_STDLIB_ALLOW": "json,time", "N8N_RUNNERS_MAX_CONCURRENCY": "5"}


def ticks(pid):
    """The processor time that a process has used."""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def busy(pid):
    """The one process below `pid` that computes without end, once there is one."""
    def find():
        return next((child for child in processes_below(pid)
                     if ticks(child) >= os.sysconf("SC_CLK_TCK") // 2), None)
    return wait_until("a task at work", find)


def gone(pid):
    wait_until("the end of process %d" % pid, lambda: not os.path.exists("/proc/%d" % pid))


class Place:
    def __init__(self, build, home):
        self.build, self.home = build, home
        self._n8n = self._runner = self._settings = None

    @property
    def n8n(self):
        """The shared n8n, running."""
        if self._n8n is None:
            self._n8n = N8n(self.home, "external")
        if self._n8n.process is None or self._n8n.process.poll() is not None:
            self._n8n.start()
        return self._n8n

    def runner(self, **settings):
        """A registered runner; the one that is there when it has these settings."""
        settings = dict(RUNNER, **settings)
        if self._runner is None or self._runner.process.poll() is not None or self._settings != settings:
            n8n = self.n8n
            self.stop_runner()
            self._runner, self._settings = Runner(self.build, n8n, **settings), settings
            self._runner.line("Registered with the broker")
            self._runner.line("Python")
        return self._runner

    def stop_runner(self):
        """Returns the exit code; None without a runner."""
        runner, self._runner = self._runner, None
        if runner is None:
            return None
        code = runner.stop()
        started.remove(runner.process)
        return code

    def story(self):
        """What runner and n8n have said last, for a case that failed."""
        lines = ["--- runner"] + (self._runner.out + self._runner.err)[-20:] if self._runner else []
        if self._n8n:
            lines += ["--- n8n"] + self._n8n.log().splitlines()[-30:]
        return "\n".join(lines)

    def reset(self):
        """After a failure the next case gets a new runner."""
        if self._runner:
            self._runner.process.kill()
            self._runner.wait()
            self._runner = None

    def clear(self):
        self.reset()
        if self._n8n:
            self._n8n.remove()
            self._n8n = None
