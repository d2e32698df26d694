"""Native code in a task: every system call there is, with the interpreter's walls down."""
import errno
import glob
import os
import shutil
import tempfile

from harness import Pair, case, processes_below
from target import PLAIN, lasting, left_over

NUMBERS = 520  # beyond every number in use: about 470 on Linux 6.18
X32 = 0x40000000
# calls that no program means: they end it, with whatever arguments
ABSURD = {"x86_64": {167, 168, 169, 172, 173, 175, 176, 246, 313, 320},
          "aarch64": {104, 105, 106, 142, 224, 225, 273, 294}}[os.uname().machine]
# the kernel's own way back from a probe, which it keeps from every filter; useless without a probe
UNFILTERED = {"x86_64": {335, 336}, "aarch64": set()}[os.uname().machine]
# the answer to no call is "interrupted": an alarm ends what would wait
CODE = """
import os, rawcall, signal
signal.signal(signal.SIGALRM, lambda *a: None)
signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
parent = os.getppid()
return rawcall.call(%d, %s)
"""
ARGUMENTS = ["0, 0, 0, 0, 0, 0", "parent, 9, 9, 9, 9, 9", "-1, -1, -1, -1, -1, -1",
             "(1 << 32) | parent, (1 << 32) | 9, 0, 0, 0, 0"]


def venv_with_rawcall(build):
    """A copy of the venv with our module in it."""
    folder = tempfile.mkdtemp(prefix="venv-")
    shutil.copytree(os.path.join(build, "venv"), os.path.join(folder, "venv"), symlinks=True)
    packages = glob.glob(os.path.join(folder, "venv", "lib", "python3*", "site-packages"))[0]
    shutil.copy(os.path.join(build, "sandbox", "rawcall.so"), packages)
    return folder


class Native(Pair):
    """A pair whose tasks may import rawcall."""

    def __init__(self, build, **settings):
        self.folder = venv_with_rawcall(build)
        super().__init__(build, N8N_RUNNERS_PYTHON_VENV=os.path.join(self.folder, "venv"),
                         N8N_RUNNERS_TASK_TIMEOUT="5", **PLAIN, **settings)

    def __exit__(self, *error):
        try:
            super().__exit__(*error)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)


@case
def every_system_call_is_refused_or_known_to_be_harmless(build):
    with Native(build) as pair:
        before = lasting(pair.runner.process.pid)
        open_calls = pair.broker.run("import rawcall\nreturn rawcall.open_calls()")["data"]["result"]
        known = set(open_calls.values()) | UNFILTERED
        for arguments in ARGUMENTS:
            tasks = {pair.broker.task(CODE % (number, arguments)): number
                     for number in range(NUMBERS)}
            while tasks:
                event = pair.broker.wait("done", "error")
                number = tasks.pop(event["taskId"])
                answer = event["data"]["result"] if event["event"] == "done" else None
                refused = answer in (-errno.EPERM, -errno.ENOSYS)
                assert refused or number in known or (answer is None and number in ABSURD), \
                    "call %d(%s): %s" % (number, arguments, event["raw"])
        assert pair.broker.run("return 7")["data"]["result"] == 7
        assert left_over(pair.runner.process.pid, before) == []


@case
def the_kernels_other_interfaces_are_closed(build):
    if os.uname().machine != "x86_64":
        return
    with Native(build) as pair:
        for number in (1, 39, 57, 59, 520):
            event = pair.broker.run("import rawcall\nreturn rawcall.call(%d, 0)" % (X32 + number))
            assert event["event"] == "error" or event["data"]["result"] == -errno.ENOSYS, event
        event = pair.broker.run("import rawcall\nreturn rawcall.call32(20)")  # getpid
        assert event["event"] == "error", event


@case
def threads_are_the_only_new_processes(build):
    flags = {"process": 17, "vfork": 0x4000 | 0x100 | 17, "memory shared": 0x100 | 17,
             "new users": 0x10000000 | 17, "thread with new users": 0x10000000 | 0x10f00,
             "thread with new mounts": 0x20000 | 0x10f00}
    with Native(build) as pair:
        for name, value in flags.items():
            event = pair.broker.run("import rawcall\nreturn rawcall.call(%d, %d)"
                                    % ({"x86_64": 56, "aarch64": 220}[os.uname().machine], value))
            assert event["data"]["result"] == -errno.EPERM, (name, event)
        event = pair.broker.run("import rawcall\nreturn rawcall.call(435, 0, 0)")
        assert event["data"]["result"] == -errno.ENOSYS, event  # clone3: libc falls back


NEIGHBOUR = """
import time
secret = _items[0]["json"]["secret"]
time.sleep(1)
return secret
"""
HARM = """
import errno, rawcall
numbers = %r
found = []
for pid in [-1, 0] + list(range(1, 200)):
    for name, arguments in (("kill", (pid, 9)), ("tkill", (pid, 9)), ("tgkill", (pid, pid, 9)),
                            ("ptrace", (0x4206, pid, 0, 0)), ("process_vm_readv", (pid, 0, 0, 0, 0, 0)),
                            ("pidfd_open", (pid, 0)), ("prlimit64", (pid, 0, 0, 0)),
                            ("setpriority", (0, pid, 19)), ("sched_setaffinity", (pid, 8, 0)),
                            ("kcmp", (pid, pid, 0, 0, 0)), ("move_pages", (pid, 0, 0, 0, 0, 0))):
        if name == "prlimit64" and pid == 0:
            continue
        if pid == __import__("os").getpid():
            continue
        answer = rawcall.call(numbers[name], *arguments)
        if answer not in (-errno.EPERM, -errno.ENOSYS):
            found.append((name, pid, answer))
return found
"""
NUMBERS_OF = {
    "x86_64": {"kill": 62, "tkill": 200, "tgkill": 234, "ptrace": 101, "process_vm_readv": 310,
               "pidfd_open": 434, "prlimit64": 302, "setpriority": 141, "sched_setaffinity": 203,
               "kcmp": 312, "move_pages": 279},
    "aarch64": {"kill": 129, "tkill": 130, "tgkill": 131, "ptrace": 117, "process_vm_readv": 270,
                "pidfd_open": 434, "prlimit64": 261, "setpriority": 140, "sched_setaffinity": 122,
                "kcmp": 272, "move_pages": 239},
}[os.uname().machine]


@case
def a_task_can_do_nothing_to_its_neighbour(build):
    with Native(build) as pair:
        neighbour = pair.broker.task(NEIGHBOUR, [{"json": {"secret": "of a neighbour"}}])
        harm = pair.broker.task(HARM % NUMBERS_OF)
        ends = {}
        while len(ends) < 2:
            event = pair.broker.wait("done", "error")
            ends[event["taskId"]] = event
        assert ends[harm]["data"]["result"] == [], ends[harm]
        assert ends[neighbour]["data"]["result"] == "of a neighbour", ends[neighbour]


@case
def no_data_of_a_task_is_left_where_the_next_one_comes_from(build):
    if os.geteuid() != 0:
        return  # their memory is closed to us, too
    with Native(build) as pair:
        lasts = lasting(pair.runner.process.pid)
        marker = "".join(reversed("ksat-eno-fo-atad"))
        pair.broker.run("print(_items)\nreturn _items", [{"json": {"x": marker}}])
        for pid in lasts:
            assert marker.encode() not in memory_of(pid), "process %d has a task's data" % pid


@case
def no_secret_of_the_hosts_is_in_the_processes_that_tasks_come_from(build):
    if os.geteuid() != 0:
        return  # their memory is closed to us, too
    with Native(build) as pair:
        secret = pair.broker.token.encode()
        below = processes_below(pair.runner.process.pid)
        assert secret in memory_of(pair.runner.process.pid), "the host should have it"
        for pid in below:
            assert secret not in memory_of(pid), "process %d has the token" % pid


def memory_of(pid):
    """All that a process has mapped and can be read."""
    found = []
    with open("/proc/%d/maps" % pid) as maps, open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            place, rights = line.split()[:2]
            start, end = (int(part, 16) for part in place.split("-"))
            if "r" not in rights or "[v" in line or end - start > 1 << 28:
                continue
            try:
                memory.seek(start)
                found.append(memory.read(end - start))
            except (OSError, ValueError):
                pass
    return b"".join(found)
