"""One call after the other fails, and every task, every start after it is looked at."""
import collections
import errno
import random
import threading
import time

from control import CALLS, HOW, SHORT, Lane
from sequence import Broken, Served

SEED = 20  # of the sample, where all would be too many
NAMES = {errno.EINTR: "EINTR", errno.EAGAIN: "EAGAIN", SHORT: "short"}


def name_of(how):
    return NAMES.get(how) or errno.errorcode[how]


def sample(count, most):
    """Which of `count` calls fail: all, or so many, evenly spread, each at random in its part."""
    if count <= most:
        return list(range(1, count + 1))
    chance = random.Random(SEED)
    return [1 + int((i + chance.random()) * count / most) for i in range(most)]


class Tally:
    """What became of the faults of one kind."""

    def __init__(self, order, count, chosen):
        self.order, self.count, self.chosen = order, count, chosen
        self.fired = 0
        self.ends = collections.Counter()
        self.broken = []

    def add_broken(self, lane, number, error):
        kind, scope, call, how = self.order
        self.broken.append("%s %s %s %s, call %d: %s\n      at %s" % (
            kind, scope, call, name_of(how), number, error, lane.where(kind)))
        say("  BROKEN " + self.broken[-1])

    def line(self):
        kind, scope, call, how = self.order
        ends = ", ".join("%d %s" % (n, end) for end, n in self.ends.most_common())
        chosen = "all" if len(self.chosen) == self.count else "%d of the" % len(self.chosen)
        return "  %-6s %-6s %-12s %-6s %s %d calls, %d failed in turn: %s" % (
            kind, scope, call, name_of(how), chosen, self.count, self.fired, ends or "-")


def describe(ends):
    """How a sequence ended, in a word."""
    if "died" in ends:
        return "died"
    if "lost" in ends:
        return "lost the connection"
    errors = [end for end in ends if end.startswith("error: ")]
    return "an error" if errors else "all right"


def inject(served, order, number):
    """Fails one call during a sequence; returns how that ended, None when it was not reached."""
    kind, scope, call, how = order
    served.lane.arm(kind, scope, call, how, number)
    ends = served.sequence()
    served.settle()
    served.lane.disarm()
    fired = served.lane.fired
    served.check()
    if not fired:
        return None
    if how in (errno.EINTR, SHORT) and set(ends) != {"right"}:
        raise Broken("%s is no failure: %s" % (name_of(how), ends))
    return describe(ends)


def sweep_order(served, order, count, most):
    tally = Tally(order, count, sample(count, most))
    for number in tally.chosen:
        try:
            end = inject(served, order, number)
        except Broken as error:
            tally.add_broken(served.lane, number, error)
            served.stop()
            served.start()
            continue
        tally.fired += end is not None
        if end:
            tally.ends[end] += 1
    try:
        served.finish()
    except Broken as error:
        tally.add_broken(served.lane, 0, error)
        served.stop()
        served.start()
    say(tally.line())
    return tally


def ways(kind, call):
    """What becomes of this call, one after the other."""
    if call in ("read", "write"):
        return [HOW[call], errno.EINTR, SHORT] + ([errno.EAGAIN] if kind == "host" else [])
    return [HOW[call]]


def in_lanes(build, jobs, work, started=True):
    """Does `work` with each job, two at a time, each time in a lane where nothing else is done."""
    jobs, results, problems = list(jobs), [], []
    lock = threading.Lock()

    def lane_of(name):
        try:
            with Served(Lane(build, name), started) as served:
                while True:
                    with lock:
                        if not jobs or problems:
                            return
                        job = jobs.pop(0)
                    results.append(work(served, job))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=lane_of, args=(str(n),)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]
    return results


def say(line):
    print(line, flush=True)


def sweep_tasks(build, kind, scope, most):
    """Every call of a kind of process on the paths of tasks fails once in turn."""
    with Served(Lane(build, "0")) as served:
        served.sequence()
        counts = collections.Counter()
        for _ in range(2):
            served.lane.reset()
            served.sequence()
            served.settle()
            for key, count in served.lane.counts().items():
                counts[key] = max(counts[key], count)
    jobs = [(call, how) for call in CALLS if counts[kind, scope, call] for how in ways(kind, call)]
    tallies = in_lanes(build, jobs, lambda served, job: sweep_order(
        served, (kind, scope, *job), counts[kind, scope, job[0]], most))
    return finish(tallies)


def finish(tallies):
    broken = [fault for tally in tallies for fault in tally.broken]
    fired = sum(tally.fired for tally in tallies)
    say("  %d faults injected, %d of them broke something" % (fired, len(broken)))
    assert not broken, "\n".join(broken)
    return fired
