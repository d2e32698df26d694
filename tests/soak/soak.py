"""Mixed tasks at full load, with broker restarts, each result checked: python -I soak.py BUILD MINUTES SEED

Ends with exit code 1 when a task's end was wrong, or did not come, or anything is left at the end."""
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from crew import Crew, descriptors, resident  # noqa: E402
from harness import Runner  # noqa: E402
from leftovers import Leftovers  # noqa: E402
from work import ALL, SETTINGS  # noqa: E402

PROGRESS = 5  # s between lines
DISTURBED = (5, 15)  # s between what happens to the connection


def disturb(crew, chance):
    """A broker that restarts, or closes."""
    what = chance.choice(["restart", "restart", "drop", "close", "drain"])
    if what == "restart":
        crew.restart(chance.uniform(0, 1))
    elif what == "drop":
        crew.say(cmd="drop")
    elif what == "close":
        crew.say(cmd="close", code=chance.choice([1000, 1001, 1002, 1012]))
    else:
        crew.say(cmd="drain")
        deadline = time.monotonic() + chance.uniform(0.1, 1)
        while time.monotonic() < deadline:
            crew.turn()
        crew.say(cmd="close", code=1001)
    return what


class Soak:
    def __init__(self, build, minutes, seed):
        self.leftovers = Leftovers()
        self.chance = random.Random(seed)
        self.crew = Crew(build, random.Random(seed + 1), ALL, self.verdict)
        self.runner = Runner(build, self.crew.broker, TMPDIR=self.leftovers.folder, **SETTINGS)
        self.end = time.monotonic() + minutes * 60
        self.disturbances = 0
        self.closing = 0  # registrations after which the connection that we close is over

    def verdict(self, task, event):
        """A connection that was closed takes its tasks along."""
        if event["event"] == "lost" and self.crew.registrations < self.closing:
            return "their connection's end"
        return None

    def run(self):
        said = time.monotonic()
        next_one = said + self.chance.uniform(*DISTURBED)
        while time.monotonic() < self.end and not self.crew.lost() and self.runner.process.poll() is None:
            if not self.crew.turn():
                self.crew.fault("the broker ended by itself")
                break
            now = time.monotonic()
            if now >= next_one:
                self.closing = self.crew.registrations + 1
                disturb(self.crew, self.chance)
                self.disturbances += 1
                next_one = time.monotonic() + self.chance.uniform(*DISTURBED)
            if now - said >= PROGRESS:
                said = now
                print("%4d s to go: %s; host %.1f MB, %d descriptors" % (
                    self.end - now, self.crew.figures(), resident(self.runner.process.pid),
                    descriptors(self.runner.process.pid)), flush=True)
        self.crew.finish()

    def close(self):
        code = self.runner.stop()
        if code != 0:
            self.crew.fault("the runner's exit code is %d: %s" % (code, self.runner.err[-5:]))
        bad = [line for line in self.runner.err if "anitizer" in line or "runtime error" in line]
        for line in bad:
            self.crew.fault(line)
        self.crew.close(self.leftovers)


def main():
    build, minutes, seed = os.path.abspath(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    print("soak: %g min, SEED=%d" % (minutes, seed), flush=True)
    soak = Soak(build, minutes, seed)
    soak.run()
    soak.close()
    crew = soak.crew
    print("soak, by kind: %s" % crew.kinds_done())
    print("soak: %s; %d restarts and closes (SEED=%d)" % (crew.figures(over=True), soak.disturbances, seed))
    return 1 if crew.faults or crew.tasks or not crew.done else 0


sys.exit(main())
