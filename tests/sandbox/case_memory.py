"""A machine short of memory: it costs a task, never the runner. In a cgroup, which needs root."""
import os
import signal
import time

from harness import LIMIT, Pair, case, error_of, lives, processes_below, result_of
from target import lasting, sanitized, waiting

LIMIT_MB = 200
HUNGRY = "x = []\nwhile True:\n    x.append(bytearray(1 << 20))"


class Cgroup:
    """One with so much memory and no swap, for as long as the block lasts; version 2, or 1."""

    # where it stands, its limit, and one of swap, which not every system counts
    KINDS = (("/sys/fs/cgroup", "memory.max", "memory.swap.max", "0"),
             ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "%dM" % LIMIT_MB))

    def __init__(self):
        self.folder = None
        for place, limit, swap, none in self.KINDS:
            folder = "%s/task-runner-test-%d" % (place, os.getpid())
            try:
                os.mkdir(folder)
            except OSError:
                continue
            if os.path.exists(os.path.join(folder, limit)):
                self.folder = folder
                self.write(limit, "%dM" % LIMIT_MB)
                if os.path.exists(os.path.join(folder, swap)):
                    self.write(swap, none)
                break
            os.rmdir(folder)

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    @property
    def enter(self):
        return ("sh", "-c", "echo $$ > %s/cgroup.procs; exec \"$@\"" % self.folder, "sh")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.folder:
            self.remove()

    def remove(self):
        for _ in range(500):  # who has ended in it leaves it a moment later
            try:
                return os.rmdir(self.folder)
            except OSError:
                time.sleep(0.02)
        raise AssertionError("somebody is left in %s" % self.folder)


def in_cgroup(function):
    """The case with a cgroup; where none can be had, it says so."""
    def run(build):
        if sanitized(build):
            print("        left out: a sanitizer takes more memory than that")
            return
        with Cgroup() as cgroup:
            if cgroup.folder:
                function(build, cgroup)
            else:
                print("        left out: this machine gives no cgroup with a limit of memory")
    run.__name__ = function.__name__
    run.__module__ = function.__module__
    return case(run)


@in_cgroup
def the_largest_task_ends_before_the_cgroups_memory_does(build, cgroup):
    with Pair(build, prefix=cgroup.enter, N8N_RUNNERS_STDLIB_ALLOW="time") as pair:
        small = pair.broker.task("import time\ntime.sleep(0.5)\nreturn 1")
        hungry = pair.broker.task(HUNGRY)
        ends = {}
        while len(ends) < 2:
            event = pair.broker.wait("done", "error")
            ends[event["taskId"]] = event
        error = error_of(ends[hungry])
        assert error["message"] == "Process was forcefully killed (SIGKILL)", error
        assert "N8N_RUNNERS_TASK_MEMORY_MB" in error["description"], error
        assert result_of(ends[small]) == 1


@in_cgroup
def the_kernel_ends_the_task_and_not_the_runner(build, cgroup):
    """By its score: the host, which would be sooner, is stopped meanwhile."""
    with Pair(build, prefix=cgroup.enter, N8N_RUNNERS_STDLIB_ALLOW="time") as pair:
        host = pair.runner.process.pid
        for _ in range(3):
            zygotes = lasting(host)
            task = pair.broker.task("import time\nprint('runs')\ntime.sleep(0.3)\n" + HUNGRY)
            pair.broker.wait("rpc", taskId=task)
            pair.runner.signal(signal.SIGSTOP)
            children = [pid for pid in processes_below(host) if waiting(pid)]
            deadline = time.monotonic() + LIMIT
            while all(lives(pid) for pid in children):
                assert time.monotonic() < deadline, "the kernel has ended nothing"
                time.sleep(0.01)
            pair.runner.signal(signal.SIGCONT)
            error = error_of(pair.broker.end(task))
            assert error["message"] == "Process was forcefully killed (SIGKILL)", error
            # the host may have been quicker than the signal that stops it, and says it in other words
            assert "N8N_RUNNERS_TASK_MEMORY_MB" in error["description"], error
            assert all(lives(pid) for pid in [host, *zygotes]), "the runner's processes were ended, too"
            assert result_of(pair.broker.run("return 1")) == 1
