"""The host's memory and descriptors over many tasks of mixed sizes: python -I memory.py BUILD TASKS SEED

Ends with exit code 1 when the host has grown by more than 1 MB since its first tasks, or the descriptors of
host and zygote are not what they were, or a task's end was wrong."""
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from crew import Crew, descriptors, resident  # noqa: E402
from harness import Runner, processes_below  # noqa: E402
from work import SETTINGS, SHORT, huge_both_ways, huge_items, huge_result  # noqa: E402

FIRST = 100  # tasks after which it is as large as it may be
GROWTH_MB = 1
PROGRESS = 5  # s between lines
REST = 12  # s without a task, after which one child is left
RESTS_MOST = 5
LARGE = [huge_both_ways, huge_result, huge_items]


class Measure:
    """The host's resident memory and everybody's descriptors, once nothing runs any more."""

    def __init__(self, host):
        time.sleep(REST)
        below = processes_below(host)
        zygotes = [pid for pid in below if name_of(pid) != "runner-task"]
        self.resident = resident(host)
        self.descriptors = [descriptors(host), *(descriptors(pid) for pid in zygotes)]
        self.children = len(below) - len(zygotes)

    def __str__(self):
        return "host %.2f MB; descriptors of host and zygote: %s; %d waiting" % (
            self.resident, self.descriptors, self.children)


def name_of(pid):
    with open("/proc/%d/comm" % pid) as comm:
        return comm.read().strip()


def run(crew, until):
    said = time.monotonic()
    while sum(crew.done.values()) < until and not crew.lost():
        crew.turn()
        if time.monotonic() - said >= PROGRESS:
            said = time.monotonic()
            print("  %s" % crew.figures(), flush=True)
    crew.finish()


def main():
    build, count, seed = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    print("memory: %d tasks, SEED=%d" % (count, seed), flush=True)
    crew = Crew(build, random.Random(seed), SHORT)
    runner = Runner(build, crew.broker, **SETTINGS)
    for kind in LARGE * 2:  # the first hundred have the sizes that the others have
        work = kind(crew.random)
        work.kind = kind.__name__
        crew.give(work)
    run(crew, FIRST)
    before = Measure(runner.process.pid)
    print("after %5d tasks: %s" % (sum(crew.done.values()), before), flush=True)
    run(crew, count)
    after = Measure(runner.process.pid)
    print("after %5d tasks: %s" % (sum(crew.done.values()), after), flush=True)
    if after.resident > before.resident + GROWTH_MB:
        crew.fault("the host has grown by %.2f MB" % (after.resident - before.resident))
    if after.descriptors != before.descriptors:
        crew.fault("descriptors: %s, then %s" % (before.descriptors, after.descriptors))
    code = runner.stop()
    if code != 0:
        crew.fault("the runner's exit code is %d: %s" % (code, runner.err[-5:]))
    crew.broker.stop()
    print("memory: the host from %.2f to %.2f MB; %s (SEED=%d)" % (
        before.resident, after.resident, crew.figures(over=True), seed))
    return 1 if crew.faults or crew.tasks or not crew.done else 0


sys.exit(main())
