"""Host, then zygote and children, under valgrind, with tasks of every kind: python -I valgrind.py BUILD SEED

BUILD is built with -DUNDER_VALGRIND. What valgrind can't live with is down: the kernel's walls, and the limits
of memory. Exit code 1 when it has found anything."""
import glob
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import work  # noqa: E402
from crew import Crew  # noqa: E402
from harness import Runner, processes_below  # noqa: E402

TASKS = {"host": 600, "zygote": 150}
FOUND = re.compile(r"^==\d+== (Invalid|Conditional|Use of|Syscall param|Mismatched|Source and dest|Jump to|"
                   r"Argument|Process terminating|.*definitely lost in loss record)")
# It may not know the call that ends a process by its descriptor, so no task is one that has to be killed.
KINDS = {kind: weight for kind, weight in work.SHORT.items()
         if kind not in (work.cancelled, work.too_much_memory, work.writing, work.huge_result)}
SETTINGS = dict(work.SETTINGS, N8N_RUNNERS_TASK_TIMEOUT="60", N8N_RUNNERS_TASK_MEMORY_MB="0",
                N8N_RUNNERS_TASK_TMP_MB="0", N8N_RUNNERS_SANDBOX="off")


class Valgrind:
    def __init__(self, build, seed):
        self.build, self.seed = build, seed
        self.folder = tempfile.mkdtemp(prefix="valgrind-")
        self.command = [shutil.which("valgrind"), "--log-file=%s/%%p" % self.folder, "--leak-check=full",
                        "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
                        "--suppressions=%s/valgrind.supp" % HERE]

    def wrapped(self):
        """A folder of programs whose zygote starts under valgrind."""
        folder = os.path.join(self.folder, "programs")
        os.mkdir(folder)
        for name in ("task-runner-python", "demo-broker"):
            shutil.copy(os.path.join(self.build, name), folder)
        os.symlink(os.path.join(self.build, "venv"), os.path.join(folder, "venv"))
        script = os.path.join(folder, "task-runner-zygote")
        with open(script, "w") as file:
            file.write("#!/bin/sh\nunset LD_BIND_NOW\nexec %s '%s/task-runner-zygote'\n" % (
                " ".join("'%s'" % word for word in self.command), self.build))
        os.chmod(script, 0o755)
        return folder

    def tasks(self, what, build, prefix):
        """So many tasks, with a new connection now and then; then, of the zygote, its leaks so far."""
        crew = Crew(build, random.Random(self.seed), KINDS,
                    lambda task, event: "their connection's end" if event["event"] == "lost" else None)
        runner = Runner(build, crew.broker, prefix=prefix, **SETTINGS)
        said = 0
        while sum(crew.done.values()) < TASKS[what] and not crew.lost() and runner.process.poll() is None:
            crew.turn()
            if sum(crew.done.values()) >= said + TASKS[what] // 5:
                said = sum(crew.done.values())
                print("  %s: %s" % (what, crew.figures()), flush=True)
                crew.say(cmd="close", code=1012)
        crew.finish()
        if what == "zygote":
            zygote = processes_below(runner.process.pid)[0]
            leaks = subprocess.run(["vgdb", "--pid=%d" % zygote, "leak_check", "full", "definiteleak"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
            if b"definitely lost: 0 " not in leaks.stdout:
                crew.fault("leaks: %s" % leaks.stdout.decode())
        code = runner.stop()
        crew.broker.stop()
        if code != 0:
            crew.fault("the runner's exit code is %d: %s" % (code, runner.err[-5:]))
        print("valgrind, %s: %s" % (what, crew.figures(over=True)), flush=True)
        return not crew.faults and not crew.tasks

    def findings(self):
        """The logs that have any, printed; how many logs there are; whether the host's has its last word."""
        logs = [path for path in glob.glob(self.folder + "/*") if os.path.isfile(path)]
        bad, finished = [], False
        for path in logs:
            with open(path) as log:
                lines = log.read().splitlines()
            finished |= any(line.endswith("All heap blocks were freed -- no leaks are possible") for line in lines)
            if any(FOUND.match(line) for line in lines):
                bad.append(path)
                print("\n".join(lines[:200]))
        return bad, len(logs), finished

    def run(self):
        right = self.tasks("host", self.build, self.command)
        right &= self.tasks("zygote", self.wrapped(), ())
        bad, count, finished = self.findings()
        shutil.rmtree(self.folder)
        print("valgrind: %d processes, %d with findings; the host has freed %s (SEED=%d)" % (
            count, len(bad), "all its memory" if finished else "NOT ALL its memory", self.seed))
        return 0 if right and not bad and finished and count > TASKS["zygote"] else 1


def main():
    if not shutil.which("valgrind"):
        print("valgrind is missing: try `apt-get install valgrind`")
        return 1
    return Valgrind(os.path.abspath(sys.argv[1]), int(sys.argv[2])).run()


sys.exit(main())
