"""Measures how cost grows: python -I growth.py BUILD FIGURES.json [--short]

Time and memory of a task against the size of its payload and the number of its items, and throughput
and memory against the slots. A payload is what goes in and comes out again (`return _items`). Memory is
the most PSS of all processes, and is watched in runs of its own: the watching takes time, too, and a
task that is over in a millisecond would not be seen, so these wait a moment before they give back what
they hold. plot.py draws what is written here. --short stops each row early, to try the tool.
"""
import argparse
import os
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import figures  # noqa: E402
import measure  # noqa: E402

HELD = "import time\ntime.sleep(%g)\nreturn _items"
PAYLOADS = [size * 10 ** power for power in range(3, 8) for size in (1, 3)] + [10 ** 8]  # bytes
ITEMS = [count * 10 ** power for power in range(5) for count in (1, 3)] + [10 ** 5]
SLOTS = [1, 2, 5, 8, 16, 32, 64]
SHORT = (10 ** 6, 1000, 8)  # the most of each with --short
LEAST_RUNS, SECONDS = 3, 1.0  # each point is measured so often and so long at least


def again_and_again(run):
    """What `run` returns, each time, for long enough that a median, or a peak, says something."""
    found, end = [], time.monotonic() + SECONDS
    while len(found) < LEAST_RUNS or time.monotonic() < end:
        found.append(run())
    return found


def point_of_task(target, items):
    with target.pair(N8N_RUNNERS_TASK_TIMEOUT="300", N8N_RUNNERS_STDLIB_ALLOW="time") as pair:
        for _ in range(5 if len(items) < 10000 else 1):
            measure.echo(pair, items)
        times = again_and_again(lambda: measure.echo(pair, items))
        with measure.Peak(pair.pss) as watched:
            again_and_again(lambda: measure.echo(pair, items, HELD % 0.2))
    return {"bytes": times[0][1], "items": len(items), "ms": round(statistics.median(ms for ms, _ in times), 3),
            "mb": round(watched.most, 2)}


def point_of_slots(target, slots):
    with target.pair(N8N_RUNNERS_MAX_CONCURRENCY=str(slots), N8N_RUNNERS_STDLIB_ALLOW="time") as pair:
        tasks = 100 + 10 * slots
        pair.bench(slots, tasks)
        rates = again_and_again(lambda: pair.bench(slots, tasks)["perSecond"])
        with measure.Peak(pair.pss) as watched:
            # Long enough that the last is there before the first has gone.
            again_and_again(lambda: pair.bench(slots, slots, code=HELD % (0.2 + slots / 50)))
    return {"slots": slots, "perSecond": round(statistics.median(rates), 1), "mb": round(watched.most, 2)}


def row(name, values, most, point):
    """The points of one variable, told while they come."""
    found = []
    for value in values:
        if value <= most:
            found.append(point(value))
            print("%-8s %s" % (name, "  ".join("%s %s" % pair for pair in found[-1].items())), flush=True)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("figures")
    parser.add_argument("--short", action="store_true", help="small payloads, few items and few slots only")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    target = measure.Target(build)
    most_bytes, most_items, most_slots = SHORT if options.short else (PAYLOADS[-1], ITEMS[-1], SLOTS[-1])
    found = {
        "machine": figures.machine(), "python": figures.embedded_python(build),
        "payload": row("payload", PAYLOADS, most_bytes,
                       lambda size: point_of_task(target, measure.items_of(size / 1e6))),
        "items": row("items", ITEMS, most_items,
                     lambda count: point_of_task(target, [{"json": {"n": n}} for n in range(count)])),
        "slots": row("slots", SLOTS, most_slots, lambda slots: point_of_slots(target, slots)),
    }
    figures.write(options.figures, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
