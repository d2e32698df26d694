"""What a runner may not leave behind: processes, files, shared memory."""
import ctypes
import os
import shutil
import tempfile
import time

from harness import lives, processes_below

SUBREAPER = 36  # of prctl()
GONE_WITHIN = 5  # s, after the end of what held it


def shared_memory():
    found = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()
    for kind in ("shm", "sem", "msg"):
        try:
            with open("/proc/sysvipc/" + kind) as table:
                found |= {"%s %s" % (kind, line.split()[1]) for line in table.readlines()[1:]}
        except OSError:
            pass  # this system has none
    return found


class Leftovers:
    """From here on, orphans become ours, and `folder` is where files may be made."""

    def __init__(self):
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
        self.folder = tempfile.mkdtemp(prefix="soak-")
        self.before = shared_memory()

    @staticmethod
    def living(known):
        """What descends from us, but for the known processes: live ones. The dead are reaped."""
        found = []
        for pid in processes_below(os.getpid()):
            if pid in known:
                continue
            try:
                if os.waitpid(pid, os.WNOHANG)[0] == pid:
                    continue
            except ChildProcessError:
                pass  # not our own child
            if lives(pid):
                found.append("process %d" % pid)
        return found

    def of_processes(self, known=()):
        """Waits for a moment, since a process needs one to end."""
        deadline = time.monotonic() + GONE_WITHIN
        while (found := self.living(known)) and time.monotonic() < deadline:
            time.sleep(0.01)
        return found

    def all(self, known=()):
        """What is left, in words."""
        found = self.of_processes(known)
        found += ["file %s" % os.path.join(self.folder, name) for name in os.listdir(self.folder)]
        found += ["shared memory %s" % name for name in shared_memory() - self.before]
        return found

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)
