"""Fails one call after the other; meanwhile, brokers misbehave, clocks jump and limits are hit.

    python -I run.py BUILD [WORD]

BUILD has been made with FAULTS=1. Ends in `faults: N passed, N failed`."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WORLD = os.path.join(HERE, "world")
sys.path[:0] = [HERE, WORLD, os.path.dirname(HERE)]

from harness import cases_of, run_suite  # noqa: E402


def any_case(folder, word):
    return any(word in name for name, _ in cases_of(folder))


def counts(line):
    """Of a suite's last line: passed, failed."""
    found = re.search(r": (\d+) passed, (\d+) failed$", line)
    return (int(found[1]), int(found[2])) if found else (0, 1)


def suite(build, word, name):
    return subprocess.Popen([sys.executable, "-I", __file__, build, word, name], stdout=subprocess.PIPE, text=True)


def main():
    build, word = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    if len(sys.argv) > 3:
        return run_suite(WORLD if sys.argv[3] == "world" else HERE)
    folders = {"calls": HERE, "world": WORLD}
    suites = [suite(build, word, name) for name, folder in folders.items() if any_case(folder, word)]
    passed = failed = 0
    for running in suites:  # the first one's lines as they come, the other's when it is over
        line = ""
        for line in running.stdout:
            print(line, end="", flush=True)
        running.wait()
        passed, failed = passed + counts(line.strip())[0], failed + counts(line.strip())[1]
    print("faults: %d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


sys.exit(main())
