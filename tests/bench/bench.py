"""Measures the runner: python -I bench.py BUILD [--vs 'COMMAND'] [--only WORD] [--keep]

Prints each figure beside what it must be and what it aims at, and beside the last committed one for the
Python that this build embeds (figures.json); writes BUILD/bench.json, and with --keep figures.json. With
--vs any other runner's command is measured in turn against the same broker, and the ratios are printed.
How fast the machine is decides nothing: the exit code says only whether the measurements could be made.
"""
import argparse
import os
import shlex
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import figures  # noqa: E402
import measure  # noqa: E402

# name, what it is, unit, must, aim, how many times; of a rate more is better
FIGURES = [
    ("p50", "settings to done, one after the other: p50", "ms", 1.0, 0.4, 3),
    ("p99", "… p99", "ms", 4, 2, 3),
    ("paused", "… p50 with 5 ms between them", "ms", 1.0, 0.4, 3),
    ("walls", "… of that, the kernel's walls", "ms", 0.3, 0.1, 1),
    ("after_hostile", "the next task after a hostile one, worst of 5", "ms", 100, 10, 1),
    ("per_second", "tasks a second, 5 slots", "/s", 700, 1500, 3),
    ("processor", "processor time a task, all processes", "ms", 2.5, 1, 3),
    ("registered", "exec to registered", "ms", 60, 30, 1),
    ("first_done", "exec to the first task done", "ms", 70, 35, 1),
    ("registered_with_packages", "exec to registered, numpy and pandas allowed", "ms", 60, 30, 1),
    ("rest_plain", "memory at rest (PSS), nothing allowed", "MB", 16, 12, 3),
    ("rest_packages", "… numpy and pandas allowed", "MB", 75, 65, 1),
    ("import_pandas", "`import pandas` in a task", "ms", 1, 0.1, 1),
    ("same_code", "200 runs of the same ten lines: their compilation", "ms", 0.05, 0.02, 3),
    ("rate_10", "10 MB of items in and out", "MB/s", 40, 80, 1),
    ("rate_100", "100 MB of items in and out", "MB/s", 40, 80, 1),
    ("peak_all", "… most memory of all processes, of the payload", "x", 10, 8, 1),
    ("peak_host", "… of the host alone", "x", 2.2, 1.2, 1),
    ("wake_ups", "context switches while nothing runs", "/s", 1, 0.5, 1),
]


def figure(target, name, times):
    values = [getattr(measure, name)(target) for _ in range(times)]
    return statistics.median(values) if None not in values else None


def text(value, unit):
    return "-" if value is None else "%.4g %s" % (value, unit)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--vs", help="another runner's command, to be measured in turn")
    parser.add_argument("--only", default="", help="the figures whose names have this word")
    parser.add_argument("--keep", action="store_true", help="write the figures to figures.json")
    options = parser.parse_args()
    names = [name for name, *_ in FIGURES]
    if not any(options.only in name for name in names):
        parser.error("no figure's name has %r; there are: %s" % (options.only, ", ".join(names)))
    return options


def compare(ours, other, before, only):
    """Measures and prints line by line; returns our figures and the other runner's, by name."""
    found, theirs = {}, {}
    columns = ["other", "other/this"] if other else ["last"]
    line = "| %-50s | %12s | %10s | %10s |" + " %12s |" * len(columns)
    print(line % ("", "measured", "must", "aim", *columns))
    print("|%s|" % "|".join("-" * (width + 2) for width in (50, 12, 10, 10, *[12] * len(columns))))
    for name, what, unit, must, aim, times in FIGURES:
        if only not in name:
            continue
        found[name] = figure(ours, name, times)
        last = [text(before.get(name), unit)]
        if other:
            theirs[name] = figure(other, name, times)
            known = theirs[name] is not None and found[name]
            last = [text(theirs[name], unit), "%.3g" % (theirs[name] / found[name]) if known else "-"]
        print(line % (what, text(found[name], unit), "%g" % must, "%g" % aim, *last), flush=True)
    return found, theirs


def main():
    options = arguments()
    build = os.path.abspath(options.build)
    ours, other = measure.Target(build), None
    if options.vs:
        other = measure.Target(build, shlex.split(options.vs))
    python, machine = figures.embedded_python(build), figures.machine()
    print("%s; CPython %s; medians\n" % (machine, python))
    found, theirs = compare(ours, other, figures.committed(python), options.only)
    figures.write(os.path.join(build, "bench.json"), {
        "machine": machine, "python": python, "figures": found,
        **({"other": options.vs, "others": theirs} if other else {})})
    if options.keep:
        figures.keep(python, found)
        print("\nThe figures of CPython %s are in tests/bench/figures.json" % figures.minor(python))
    return 0


if __name__ == "__main__":
    sys.exit(main())
