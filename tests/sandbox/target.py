"""What attacks are after, and what all sandbox tests share."""
import os
import shutil
import subprocess
import tempfile
import time

from harness import processes_below

CANARY = "CANARY-4f1b"
PLAIN = dict(N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*",
             N8N_RUNNERS_BUILTINS_DENY="")
DENIED = ("eval,exec,compile,open,input,breakpoint,getattr,object,type,vars,setattr,delattr,hasattr,"
          "dir,memoryview,__build_class__,globals,locals,license,help,credits,copyright").split(",")
USER = 1000


def denied_without(*names):
    """N8N_RUNNERS_BUILTINS_DENY as it is by default, less these."""
    return ",".join(name for name in DENIED if name not in names)


def as_user():
    """A bare environment's user: no privileges, no groups. Nothing to do for who is one already."""
    if os.geteuid() != 0:
        return ()
    return ("setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups",
            "--bounding-set=-all", "--inh-caps=-all")


def sanitized(build):
    """Built with AddressSanitizer, which can't live with a limit of address space."""
    with open(os.path.join(build, "flags")) as flags:
        return "-fsanitize=address" in flags.read()


def copy_for_everybody(build):
    """The programs where every user can read them, for runs as another user."""
    folder = tempfile.mkdtemp(prefix="runner-")
    os.chmod(folder, 0o755)
    for name in ("task-runner-python", "task-runner-zygote", "demo-broker", "under-profile"):
        if os.path.exists(os.path.join(build, name)):
            shutil.copy(os.path.join(build, name), folder)
    shutil.copytree(os.path.join(build, "venv"), os.path.join(folder, "venv"), symlinks=True)
    return folder


def readable_for_others(build):
    """May the user that tests run as read the interpreter, and the folder that the programs are in?"""
    return subprocess.run([*as_user(), os.path.join(build, "venv", "bin", "python"), "-c", ""],
                          stderr=subprocess.DEVNULL).returncode == 0


def waiting(pid):
    """Is it a child that waits for a task, or runs one? The others are there for good."""
    try:
        with open("/proc/%d/comm" % pid) as name:
            return name.read().strip() == "runner-task"
    except OSError:
        return True


def lasting(pid):
    """The processes below `pid` that are no child of the moment, once there is one that waits: a child
    says its name a moment after its birth."""
    for _ in range(200):
        now = processes_below(pid)
        last = [process for process in now if not waiting(process)]
        if len(last) < len(now):
            break
        time.sleep(0.02)
    return last


def left_over(pid, before):
    """What is below `pid` beyond the lasting processes of before and the two children that wait while
    tasks run, once it is nothing for a while, or after some seconds: what has ended takes a moment to be
    reaped, and who waits a moment to be made."""
    calm = 0
    for _ in range(600):
        time.sleep(0.02)
        now = processes_below(pid)
        others = [process for process in now if process not in before]
        calm = calm + 1 if set(before) <= set(now) and len(others) <= 2 else 0
        if calm == 5:
            return []
    return others + ["gone: %s" % sorted(set(before) - set(now))]


class Target:
    """Files that every user can read, and change."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="target-")
        self.secret = os.path.join(self.folder, "secret")
        with open(self.secret, "w") as file:
            file.write(CANARY + "\n")
        os.mkdir(os.path.join(self.folder, "empty"))
        for path in (self.folder, self.secret, os.path.join(self.folder, "empty")):
            os.chmod(path, 0o777)
        self.before = self.state()

    def state(self):
        found = []
        for folder, folders, files in os.walk(self.folder):
            for name in folders + files:
                path = os.path.join(folder, name)
                info = os.lstat(path)
                found.append((path, info.st_mode, info.st_size, info.st_mtime, info.st_nlink))
        return sorted(found)

    def fill_in(self, code, port):
        return (code.replace("{SECRET}", self.secret).replace("{FOLDER}", self.folder)
                .replace("{PORT}", str(port)))
