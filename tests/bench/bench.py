"""First figures, as a table: python -I bench.py BUILD

Each figure stands beside its budget. The exit code says only whether the measurements could be
made: how fast the machine is decides nothing.
"""
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from harness import Broker, Pair, Runner  # noqa: E402

STARTS = 15
TASKS = 1000
SETTINGS = {"nodeMode": "runOnceForAllItems", "items": [{"json": {"n": n}} for n in range(10)],
            "code": "return [{'json': {'n': item['json']['n'] * 2}} for item in _items]",
            "continueOnFail": False}
MODULES = "json,re,datetime,math,random,collections,itertools,functools,hashlib,base64,uuid"


def start_times(build, **settings):
    """Milliseconds from the runner's exec to its registration, and to its first offer."""
    registered, offered = [], []
    for _ in range(STARTS):
        broker = Broker(build)
        began = time.monotonic()
        runner = Runner(build, broker, **settings)
        broker.wait("registered")
        registered.append((time.monotonic() - began) * 1000)
        broker.wait("offer")
        offered.append((time.monotonic() - began) * 1000)
        runner.stop()
        broker.stop()
    return statistics.median(registered), statistics.median(offered)


def processes(pid):
    """`pid` and all that descend from it."""
    found = [pid]
    for parent in found:
        try:
            with open("/proc/%d/task/%d/children" % (parent, parent)) as children:
                found.extend(int(child) for child in children.read().split())
        except OSError:
            pass
    return found


def pss(pid):
    """Proportional set size of a runner and its processes, in MB; None where it can't be read."""
    total = 0
    for process in processes(pid):
        try:
            with open("/proc/%d/smaps_rollup" % process) as rollup:
                total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
        except OSError:
            return None
    return total / 1024


# Tasks that leave as much behind as they can: processor time, memory, threads, noise on the channel.
HOSTILE = """
import os, threading, time
for i in range(100):
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
held = [bytearray(1 << 20) for i in range(100)]
os.write(3, os.urandom(1 << 16))
while True:
    pass
"""


def after_hostile(build):
    """The longest a task takes, in ms, that is offered the slot of a hostile one: settings to done."""
    plain = dict(N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*",
                 N8N_RUNNERS_BUILTINS_DENY="", N8N_RUNNERS_TASK_TIMEOUT="1")
    with Pair(build, N8N_RUNNERS_MAX_CONCURRENCY="1", **plain) as pair:
        worst = 0
        for _ in range(5):
            hostile = pair.broker.run(HOSTILE)
            began = time.monotonic()
            assert hostile["event"] == "error", hostile
            pair.broker.run("return 1")
            worst = max(worst, (time.monotonic() - began) * 1000)
        return worst


def walls(build):
    """What the kernel's walls add to a task, in ms: p50 with them less p50 without, in turns."""
    up, down = [], []
    for _ in range(3):
        for figures, mode in ((up, "auto"), (down, "off")):
            with Pair(build, N8N_RUNNERS_SANDBOX=mode) as pair:
                bench(pair, 1)
                figures.append(bench(pair, 1)["p50Ms"])
    return statistics.median(up) - statistics.median(down)


def bench(pair, concurrency):
    pair.broker.say(cmd="bench", tasks=TASKS, concurrency=concurrency, settings=SETTINGS)
    return pair.broker.wait("bench")


def row(what, value, budget):
    print("| %-42s | %12s | %10s |" % (what, value, budget), flush=True)


def main():
    build = os.path.abspath(sys.argv[1])
    row("", "measured", "budget")
    print("|%s|%s|%s|" % ("-" * 44, "-" * 13 + ":", "-" * 11 + ":"))
    registered, offered = start_times(build)
    row("start to registered, p50", "%.1f ms" % registered, "100 ms")
    row("start to first offer, p50", "%.1f ms" % offered, "")
    registered, offered = start_times(build, N8N_RUNNERS_STDLIB_ALLOW=MODULES)
    row("the same with %d modules allowed" % len(MODULES.split(",")), "%.1f ms" % offered, "100 ms")
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW=MODULES) as pair:
        resting = pss(pair.runner.process.pid)
        row("memory at rest (PSS, all processes)", "%.1f MB" % resting if resting else "unreadable", "20 MB")
        bench(pair, 1)
        one, many = bench(pair, 1), bench(pair, 5)
        row("settings to done, p50 (one at a time)", "%.2f ms" % one["p50Ms"], "5 ms")
        row("settings to done, p99 (one at a time)", "%.2f ms" % one["p99Ms"], "")
        row("tasks per second, 5 at once", "%.0f" % many["perSecond"], "")
    row("the kernel's walls, of that p50", "%.2f ms" % walls(build), "0.3 ms")
    row("next task after a hostile one, worst of 5", "%.1f ms" % after_hostile(build), "100 ms")
    failed = one["failed"] + many["failed"]
    if failed:
        print("%d tasks failed: %s" % (failed, one["firstError"] or many["firstError"]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
