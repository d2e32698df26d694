"""Kills host, zygote and children in random order under load: python -I chaos.py BUILD MINUTES SEED

Every task must end as it should, or with an error that says what happened, once; the next task must be served
within a second, and nothing may be left of what was killed. Exit code 1 when not."""
import collections
import os
import random
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from crew import Crew  # noqa: E402
from harness import Runner, processes_below  # noqa: E402
from leftovers import Leftovers  # noqa: E402
from work import SETTINGS, SHORT  # noqa: E402

PROGRESS = 5  # s between lines
SERVED_WITHIN = 1  # s
HANGS_AFTER = 20  # s
DYING = 0.5  # s, at the most, from a kill until all that goes with it is dead
CHANNEL = 3  # a child's descriptor, at which one that waits for its task listens
HOW_OFTEN = {"host": 1, "zygote": 2, "waiting child": 4, "running child": 6, "any process": 2}
DEATHS = [signal.SIGKILL] * 3 + [signal.SIGTERM, signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS]
KILLED = "Process was forcefully killed (SIGKILL)"


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def waits(child):
    """Does it wait for its task? (Who may not look sees none that does.)"""
    fields = read("/proc/%d/syscall" % child).split()
    return len(fields) > 2 and fields[1] == hex(CHANNEL)


class Chaos:
    def __init__(self, build, minutes, seed):
        self.build = build
        self.leftovers = Leftovers()
        self.chance = random.Random(seed)
        self.kills = collections.Counter()
        self.host_deaths, self.deaths = [], []  # when
        self.worst = collections.defaultdict(float)  # s until a task was served, by who was killed
        self.crew = Crew(build, random.Random(seed + 1), SHORT, self.verdict)
        self.end = time.monotonic() + minutes * 60
        self.said = time.monotonic()
        self.start()

    def start(self):
        self.runner = Runner(self.build, self.crew.broker, TMPDIR=self.leftovers.folder, **SETTINGS)

    # ---- judging ----

    def verdict(self, task, event):
        """What excuses an end that is not the task's own."""
        if event["event"] == "lost":
            return "the host's death" if any(death >= task.since - DYING for death in self.host_deaths) else None
        if not any(death >= task.since - DYING for death in self.deaths):
            return None
        error = event.get("error") or {}
        message = error.get("message")
        if message is None and task.work.settings["continueOnFail"]:
            message = event["data"]["result"][0]["json"]["error"]
        if message == KILLED or message in ["Task subprocess exited with code %d" % -number for number in DEATHS]:
            return "its process's death"
        return None

    # ---- killing ----

    def victims(self, who):
        host = self.runner.process.pid
        below = processes_below(host)
        children = [pid for pid in below if read("/proc/%d/comm" % pid) == "runner-task"]
        if who == "host":
            return [host]
        if who == "zygote":
            return [pid for pid in below if pid not in children]
        if who == "any process":
            return [host, *below]
        return [pid for pid in children if waits(pid) == (who == "waiting child")]

    def kill(self, who):
        """Kills one of them, if there is one."""
        victims = self.victims(who)
        if not victims:
            return False
        victim = self.chance.choice(victims)
        number = signal.SIGKILL
        if who in ("waiting child", "running child"):
            number = self.chance.choice(DEATHS)
        self.deaths.append(time.monotonic())
        if victim == self.runner.process.pid:
            self.host_deaths.append(time.monotonic())
        try:
            os.kill(victim, number)
        except ProcessLookupError:
            return False
        self.kills[who] += 1
        return True

    def replace_host(self):
        """The host has been killed: nothing may be left of it, and another is started, as a launcher does."""
        self.runner.process.wait()
        known = [self.crew.broker.process.pid]
        for left in self.leftovers.of_processes(known):
            self.crew.fault("left of a host that was killed: %s" % left)
        self.start()

    def strike(self):
        """Kills one, sometimes several at once, and waits until a task is served that came after."""
        who, hosts = None, len(self.host_deaths)
        for _ in range(self.chance.choice([1, 1, 1, 2, 4])):
            kind, = self.chance.choices(list(HOW_OFTEN), list(HOW_OFTEN.values()))
            if len(self.host_deaths) == hosts and self.kill(kind):
                who = kind if who in (None, kind) else "several"
        if not who:
            return
        if len(self.host_deaths) > hosts:
            self.replace_host()
        struck = time.monotonic()
        while self.crew.served_since <= struck and time.monotonic() - struck < HANGS_AFTER:
            self.turn()
            if self.runner.process.poll() is not None:
                self.crew.fault("the host ended by itself: %s" % self.runner.err[-5:])
                return
        took = self.crew.served - struck if self.crew.served_since > struck else HANGS_AFTER
        self.worst[who] = max(self.worst[who], took)
        if took > SERVED_WITHIN:
            self.crew.fault("after the end of %s the next task was served after %.2f s" % (who, took))

    # ---- the run ----

    def turn(self):
        self.crew.turn()
        if time.monotonic() - self.said >= PROGRESS:
            self.said = time.monotonic()
            print("%4d s to go: %d killed; %s" % (
                max(0, self.end - self.said), sum(self.kills.values()), self.crew.figures()), flush=True)

    def run(self):
        while time.monotonic() < self.end and not self.crew.lost() and self.runner.process.poll() is None:
            pause = time.monotonic() + self.chance.uniform(0, 0.5)
            while time.monotonic() < pause:
                self.turn()
            self.strike()
        self.crew.finish()

    def close(self):
        code = self.runner.stop()
        if code != 0:
            self.crew.fault("the last runner's exit code is %d: %s" % (code, self.runner.err[-5:]))
        self.crew.close(self.leftovers)


def main():
    build, minutes, seed = os.path.abspath(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    print("chaos: %g min, SEED=%d" % (minutes, seed), flush=True)
    chaos = Chaos(build, minutes, seed)
    chaos.run()
    chaos.close()
    crew = chaos.crew
    print("chaos, killed: %s" % ", ".join("%s %d" % pair for pair in chaos.kills.items()))
    print("chaos, worst time until the next task was done, in s: %s" % ", ".join(
        "%s %.2f" % pair for pair in chaos.worst.items()))
    print("chaos: %s (SEED=%d)" % (crew.figures(over=True), seed))
    return 1 if crew.faults or crew.tasks or not crew.done or not chaos.kills else 0


sys.exit(main())
