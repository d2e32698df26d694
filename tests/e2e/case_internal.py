"""n8n in internal mode, with the runner where n8n looks for its own."""
import contextlib
import fcntl
import os
import signal
import subprocess

from flow import Flow, code
from harness import case, processes_below
from n8n import N8n, wait_until
from place import gone

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def runners(n8n, build):
    """The runners among n8n's processes."""
    program = os.path.realpath(os.path.join(build, "task-runner-python"))
    return [pid for pid in processes_below(n8n.process.pid) if program_of(pid) == program]


def program_of(pid):
    try:
        return os.readlink("/proc/%d/exe" % pid)
    except OSError:
        return None


def tree(folder):
    """What could have changed in node_modules: the folders that n8n looks into."""
    found = []
    for above, folders, files in os.walk(os.path.join(folder, "@n8n")):
        found += [os.path.join(above, name) for name in folders + files]
        if os.path.basename(above) != "@n8n" and "task-runner-python" not in above:
            del folders[:]
    return sorted(found)


class Installed:
    """n8n's tree with the runner in it; no other test run has its hands in it meanwhile."""

    def __init__(self, place):
        self.root, self.n8n = os.path.join(place.home, "node_modules"), place.home
        self.program = os.path.join(place.build, "task-runner-python")
        self.lock = open(os.path.join(place.home, "in-use.lock"), "w")

    def __enter__(self):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.run("--remove", self.n8n)  # what a run that was killed has left
        self.before = tree(self.root)
        done = self.run(self.n8n, self.program)
        assert done.returncode == 0, done.stderr

    def __exit__(self, *error):
        done = self.run("--remove", self.n8n)
        self.lock.close()
        assert error[0] or done.returncode == 0, done.stderr
        assert error[0] or tree(self.root) == self.before

    @staticmethod
    def run(*arguments):
        return subprocess.run([os.path.join(REPOSITORY, "runner", "install-n8n"), *arguments],
                              capture_output=True, text=True)


class Internal:
    """An n8n of its own, and the runner that it has started."""

    def __init__(self, place, **settings):
        self.installed, self.build = Installed(place), place.build
        self.n8n = N8n(place.home, "internal", **settings)

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.callback(self.n8n.remove)
            stack.enter_context(self.installed)
            stack.callback(self.n8n.stop)
            self.n8n.start()
            self.stack = stack.pop_all()
        return self.n8n

    def __exit__(self, *error):
        if error[0]:
            print("\n".join(self.n8n.log().splitlines()[-30:]))
        return self.stack.__exit__(*error)


@case
def n8n_starts_it_and_stops_it(place):
    with Internal(place, N8N_RUNNERS_STDLIB_ALLOW="json") as n8n:
        first = wait_until("a runner in internal mode", lambda: runners(n8n, place.build))[0]
        flow = Flow(n8n, code("import json\nreturn [{'json': json.loads('{\"n\": 1}')}]"))
        assert flow.items() == [{"n": 1}]

        os.kill(first, signal.SIGKILL)  # n8n starts another
        gone(first)
        second = wait_until("another runner", lambda: runners(n8n, place.build))[0]
        assert second != first and flow.items() == [{"n": 1}]

        all_of_it = processes_below(n8n.process.pid)
        assert second in all_of_it and len(all_of_it) > 2, all_of_it
        n8n.stop()
        for pid in all_of_it:
            gone(pid)


@case
def n8ns_own_timeout_reaches_the_runner(place):
    with Internal(place, N8N_RUNNERS_TASK_TIMEOUT="2") as n8n:
        runner = wait_until("a runner in internal mode", lambda: runners(n8n, place.build))[0]
        loop, flow = Flow(n8n, code("while True: pass")), Flow(n8n, code("return [{'json': {'n': 1}}]"))
        run = loop.fails()
        assert "timed out after 2 seconds" in run.error["message"], run.error
        assert flow.items() == [{"n": 1}]
        assert runners(n8n, place.build) == [runner], "the task's end was the runner's"
