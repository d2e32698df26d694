"""Each call of the start fails once in turn: the runner serves its first task nonetheless, or ends with a line
and an exit code that is not 0, and leaves no process behind."""
import errno
import signal

from control import CALLS, HOW, SHORT
from harness import case, processes_below
from sequence import Broken, gone, steps
from sweep import Tally, finish, in_lanes, sample, say

MOST = 60  # calls of one kind that fail; where there are more, a sample does


def start(served, order, number):
    """Starts a runner one call of which fails; returns what became of it."""
    lane = served.lane
    if order:
        lane.arm(*order, number)
    else:
        lane.reset()
    served.broker.seen.clear()
    came = served.launch()
    if order is None:
        served.run(steps(0)[4])
        return lane.counts()
    lane.disarm()
    if came is None:
        return ended(served)
    below = processes_below(served.runner.process.pid)
    end = served.run(steps(0)[4])
    if end == "died" and lane.fired:
        return ended(served)  # it was no call of the start any more
    if end == "lost" and lane.fired:
        end = served.run(steps(0)[4])
    if end != "right":
        raise Broken("its first task: %s; %s" % (end, served.runner.err))
    code = served.runner.stop()
    if code != 0:
        raise Broken("stopped, it ended with %s: %s" % (code, served.runner.err))
    served.look_for_reports()
    gone(below)
    return "served" if lane.fired else None


def ended(served):
    """libwebsockets 4.1 crashes when it gets no memory for its context, before there is anything to lose."""
    if served.runner.process.wait() == -signal.SIGSEGV and "loop_new" in served.lane.where("host"):
        return "crashed in lws_create_context()"
    served.check_death()
    return "ended with a line"


def sweep_start(served, job):
    order, count = job
    tally = Tally(order, count, sample(count, MOST))
    for number in tally.chosen:
        try:
            end = start(served, order, number)
        except Broken as error:
            tally.add_broken(served.lane, number, error)
            served.stop()
            continue
        tally.fired += end is not None
        if end:
            tally.ends[end] += 1
    say(tally.line())
    return tally


def sweep(build, kind, scope):
    counts = in_lanes(build, [None], lambda served, job: start(served, None, 0), started=False)[0]
    jobs = [((kind, scope, call, how), counts[kind, scope, call])
            for call in CALLS if counts[kind, scope, call]
            for how in [HOW[call]] + ([errno.EINTR, SHORT] if call in ("read", "write") else [])]
    return finish(in_lanes(build, jobs, sweep_start, started=False))


@case
def when_a_call_of_the_host_fails(build):
    sweep(build, "host", "ours")
    sweep(build, "host", "theirs")


@case
def when_a_call_of_the_zygote_fails(build):
    sweep(build, "zygote", "ours")
    sweep(build, "zygote", "theirs")
