"""Shows where the processor's time goes under load: python -I profiler.py BUILD [--seconds N]

`perf` watches while the demo broker drives small tasks, five at once; the host, the zygote and the task
children are told apart, and everything else that runs on the machine is left out. Writes
BUILD/profile.svg, a flame graph, and prints the functions that cost most by themselves.

The stacks are unwound from copies (--call-graph dwarf), since Debian builds libpython without frame
pointers. The event is cpu-clock, which a virtual machine has, too; where the kernel has interrupts off
it counts at the place where they come on again.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import figures  # noqa: E402
import flame  # noqa: E402
import measure  # noqa: E402

TASKS, SLOTS, TOP = 250, 5, 15
WHOLE = {"host": "host", "zygote": "zygote", "task": "task children"}
RECORD = ["perf", "record", "-a", "-e", "cpu-clock", "-F", "499", "--call-graph", "dwarf,16384"]
# Looking up what was inlined takes perf minutes, and its names add little.
SCRIPT = ["perf", "script", "--no-inline", "--show-task-events", "-F", "comm,pid,ip,sym,dso"]
FORK = re.compile(r"PERF_RECORD_FORK\((\d+):\d+\):\((\d+):\d+\)")
SAMPLE = re.compile(r"\S.*?\s(\d+)\s*$")
FRAME = re.compile(r"\s+[0-9a-f]+ (.*) \((.*?)( \(deleted\))?\)$")
BELOW_MAIN = re.compile(r"_start|__libc_start.*|libc_start_main_stage2")  # the same under everything


class NoPerf(Exception):
    pass


# ---- recording ----

def record(pair, seconds, path):
    """Keeps the runner busy while perf records; returns how many tasks ended meanwhile."""
    if not shutil.which("perf"):
        raise NoPerf("perf is not there: install it (Debian: `apt install linux-perf`, Alpine: `apk add perf`)")
    perf = subprocess.Popen([*RECORD, "-o", path, "--", "sleep", str(seconds)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace")
    tasks = 0
    while perf.poll() is None:
        pair.bench(SLOTS, TASKS)
        tasks += TASKS
    said = [line.strip() for line in perf.stderr if line.strip()]
    if perf.returncode:
        raise NoPerf("perf may not watch this machine, or can't: be root, or allow it with `sysctl "
                     "kernel.perf_event_paranoid=-1 kernel.kptr_restrict=0`; in a container, `--cap-add PERFMON "
                     "--cap-add SYS_PTRACE`. It says: %s" % " ".join(said or ["nothing"])[:300])
    return tasks


def zygotes_of(pair):
    """The processes below the host that are no task's: the one that forks, and those that stand above it."""
    found = set()
    for pid in pair.processes()[1:]:
        try:
            with open("/proc/%d/comm" % pid) as comm:
                if comm.read().strip() != "runner-task":
                    found.add(pid)
        except OSError:
            pass  # a task that has just ended
    return found


# ---- reading what perf has ----

def frame_of(name, path):
    library = "kernel" if path.startswith("[kernel") or path.endswith(".ko") else os.path.basename(path).strip("[]")
    library = library.replace("unknown", "nowhere")
    return ("[%s]" % library if name == "[unknown]" else name), library


def cleaned(frames):
    """Outermost first, without what is below main; functions without names that stand together are one."""
    stack = []
    for frame in reversed(frames):
        nameless = frame[0].startswith("[")
        if not BELOW_MAIN.fullmatch(frame[0]) and not (nameless and stack and stack[-1] == frame):
            stack.append(frame)
    return tuple(stack)


def blocks(lines):
    """perf script's samples: the process, and the frames, innermost first; a fork is (parent, child)."""
    pid, frames = None, []
    for line in lines:
        fork, frame = FORK.search(line), FRAME.match(line)
        if fork:
            yield int(fork[2]), int(fork[1])
        elif frame and pid:
            frames.append(frame_of(frame[1], frame[2]))
        elif not line.strip():
            if pid and frames:
                yield pid, frames
            pid, frames = None, []
        elif SAMPLE.match(line):
            pid = int(SAMPLE.match(line)[1])


def counted_by_kind(lines, host, zygotes):
    """{"host" | "zygote" | "task": {stack: samples}}, of the host and what descends from it."""
    ours, counted = {host}, collections.defaultdict(collections.Counter)
    for pid, what in blocks(lines):
        if isinstance(what, int):
            ours |= {what} if pid in ours else set()
        elif pid in ours:
            kind = "host" if pid == host else "zygote" if pid in zygotes else "task"
            counted[kind][cleaned(what)] += 1
    return counted


def read(path, host, zygotes):
    with subprocess.Popen([*SCRIPT, "-i", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, errors="replace") as script:
        return counted_by_kind(script.stdout, host, zygotes)


# ---- telling ----

def print_top(kind, counted, everything):
    total = sum(counted.values())
    alone = collections.Counter()
    for stack, count in counted.items():
        if stack:
            alone[stack[-1]] += count
    print("\n%s: %.0f%% of the samples; of these, in the function itself\n" % (kind, 100 * total / everything))
    for (name, library), count in alone.most_common(TOP):
        print("  %5.1f%%  %-52s %s" % (100 * count / total, name[:52], library))


def print_nameless(counted):
    """Says it when much is in functions without a name, and in which libraries they are."""
    libraries = collections.Counter()
    for stack, count in counted.items():
        if stack[-1][0].startswith("["):
            libraries[stack[-1][1]] += count
    part = sum(libraries.values()) / sum(counted.values())
    if part > 0.05:
        print("\n%.0f%% of the samples are in functions without a name, most of them of %s.\nA Python built "
              "with its symbols names its own: PYTHON=…, with a BUILD=… beside this one." % (
                  100 * part, " and ".join(name for name, _ in libraries.most_common(2))))


def tell(build, shown_build, kinds, context):
    whole = {((WHOLE[kind], "process"), *stack): count for kind in WHOLE for stack, count in kinds[kind].items()}
    samples = sum(whole.values())
    if not samples:
        raise NoPerf("perf has no sample of the runner: does it see its processes here?")
    caption = "%s; CPython %s; %d samples%s" % (
        figures.machine(), figures.embedded_python(build), samples, context)
    print(caption)
    for kind, name in WHOLE.items():
        if kinds[kind]:
            print_top(name, kinds[kind], samples)
    print_nameless(whole)
    flame.write(os.path.join(build, "profile.svg"), whole, "The runner under load: small tasks, five at once", caption)
    print("\nThe flame graph is in %s" % os.path.join(shown_build, "profile.svg"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    with tempfile.TemporaryDirectory(dir=build) as folder:
        data = os.path.join(folder, "perf.data")
        with measure.Target(build).pair() as pair:
            pair.bench(SLOTS, TASKS)
            host, zygotes = pair.runner.process.pid, zygotes_of(pair)
            tasks = record(pair, options.seconds, data)
        # Read when they have ended: of a living process, perf looks for the programs in its own root.
        kinds = read(data, host, zygotes)
    tell(build, options.build, kinds, " in %d s, about %d tasks" % (options.seconds, tasks))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NoPerf as why:
        sys.exit("bench-profile: %s" % why)
