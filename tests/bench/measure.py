"""What is measured, one function a figure; each takes a Target and returns a number, or None."""
import json
import os
import statistics
import threading
import time

from harness import Broker, Runner, processes_below

TASKS = 600
STARTS = 7
CODE = "return [{'json': {'n': item['json']['n'] * 2}} for item in _items]"
SETTINGS = {"nodeMode": "runOnceForAllItems", "items": [{"json": {"n": n}} for n in range(10)],
            "code": CODE, "continueOnFail": False}
CITIES = ["Berlin", "Paris", "Oslo", "Lisbon", "Prague"]


class Target:
    """A runner command to measure, with the settings that all its measurements have."""

    def __init__(self, build, command=None, **settings):
        self.build, self.command, self.settings = build, command, settings
        self.packages = os.path.join(build, "packages", "venv")

    def start(self, broker, **settings):
        settings = {**self.settings, **settings}
        if self.command:  # a runner that gets its token from a launcher
            broker.say(cmd="grant")
            settings["N8N_RUNNERS_GRANT_TOKEN"] = broker.wait("grant")["token"]
        program, *arguments = self.command or [None]
        return Runner(self.build, broker, program=program, arguments=arguments, **settings)

    def pair(self, **settings):
        return Running(self, settings)

    def with_packages(self):
        """Settings under which tasks may import numpy and pandas; None where they are not installed."""
        if not os.path.exists(self.packages):
            return None
        return dict(N8N_RUNNERS_PYTHON_VENV=self.packages, N8N_RUNNERS_EXTERNAL_ALLOW="numpy,pandas")


class Running:
    """A broker and the target's runner, ready for tasks."""

    def __init__(self, target, settings):
        self.broker = Broker(target.build)
        self.runner = target.start(self.broker, **settings)
        self.broker.wait("offer")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.runner.stop()
        self.broker.stop()

    def bench(self, concurrency, tasks=TASKS, **settings):
        self.broker.say(cmd="bench", tasks=tasks, concurrency=concurrency, settings=dict(SETTINGS, **settings))
        figures = self.broker.wait("bench")
        assert not figures["failed"], figures["firstError"]
        return figures

    def processes(self):
        return [self.runner.process.pid, *processes_below(self.runner.process.pid)]

    def pss(self, only_host=False):
        """MB."""
        total = 0
        for process in self.processes()[:1 if only_host else None]:
            try:
                with open("/proc/%d/smaps_rollup" % process) as rollup:
                    total += sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
            except (OSError, ValueError):
                pass  # it has just ended
        return total / 1024

    def processor_time(self):
        """Seconds that all processes have used, and those that they have reaped."""
        ticks = 0
        for process in self.processes():
            try:
                with open("/proc/%d/stat" % process) as stat:
                    ticks += sum(int(field) for field in stat.read().rpartition(")")[2].split()[11:15])
            except OSError:
                pass
        return ticks / os.sysconf("SC_CLK_TCK")

    def switches(self):
        total = 0
        for process in self.processes():
            with open("/proc/%d/status" % process) as status:
                total += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
        return total


# ---- tasks ----

def latency(target, percentile):
    with target.pair() as pair:
        pair.bench(1, 100)
        return pair.bench(1)[percentile]


def p50(target):
    return latency(target, "p50Ms")


def p99(target):
    return latency(target, "p99Ms")


def paused(target):
    """Milliseconds from settings to done, p50, of tasks that come one by one with a rest between."""
    with target.pair() as pair:
        times = []
        for number in range(120):
            task = pair.broker.task(CODE, SETTINGS["items"])
            times.append(pair.broker.end(task)["settingsToDoneMs"])
            time.sleep(0.005)
        return statistics.median(times[20:])


def per_second(target):
    with target.pair() as pair:
        pair.bench(5, 100)
        return pair.bench(5)["perSecond"]


def processor(target):
    with target.pair() as pair:
        pair.bench(1, 100)
        before = pair.processor_time()
        pair.bench(5, 2 * TASKS)
        time.sleep(0.1)
        return (pair.processor_time() - before) * 1000 / (2 * TASKS)


def walls(target):
    """Milliseconds of a rested task's p50 that are the kernel's walls, by turns with and without."""
    up, down = [], []
    for _ in range(3):
        for figures, mode in ((up, "auto"), (down, "off")):
            figures.append(paused(Target(target.build, target.command, N8N_RUNNERS_SANDBOX=mode)))
    return statistics.median(up) - statistics.median(down)


# a task that leaves as much behind as it can: processor time, memory, threads, noise on the channel
HOSTILE = """
import os, threading, time
for i in range(100):
    threading.Thread(target=time.sleep, args=(100,), daemon=True).start()
held = [bytearray(1 << 20) for i in range(100)]
os.write(3, os.urandom(1 << 16))
while True:
    pass
"""


def after_hostile(target):
    """The longest a task takes, in ms, that is offered the slot of a hostile one: settings to done."""
    plain = dict(N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*", N8N_RUNNERS_BUILTINS_DENY="",
                 N8N_RUNNERS_TASK_TIMEOUT="1", N8N_RUNNERS_MAX_CONCURRENCY="1")
    with target.pair(**plain) as pair:
        worst = 0
        for _ in range(5):
            assert pair.broker.run(HOSTILE)["event"] == "error"
            worst = max(worst, pair.broker.run("return 1")["settingsToDoneMs"])
        return worst


# ---- the start ----

def start_to(target, event, settings):
    times = []
    for _ in range(STARTS):
        broker = Broker(target.build)
        began = time.monotonic()
        runner = target.start(broker, **settings)
        broker.wait("registered")
        if event == "done":
            broker.run("return 1")
        times.append((time.monotonic() - began) * 1000)
        runner.stop()
        broker.stop()
    return statistics.median(times)


def registered(target):
    return start_to(target, "registered", {})


def first_done(target):
    return start_to(target, "done", {})


def registered_with_packages(target):
    packages = target.with_packages()
    return packages and start_to(target, "registered", packages)


# ---- rest ----

def memory_at_rest(target, settings):
    with target.pair(**settings) as pair:
        pair.broker.run("return 1")
        time.sleep(0.5)
        return pair.pss()


def rest_plain(target):
    return memory_at_rest(target, {})


def rest_packages(target):
    packages = target.with_packages()
    return packages and memory_at_rest(target, packages)


def wake_ups(target):
    """Context switches a second of all processes, while nothing runs."""
    with target.pair() as pair:
        pair.broker.run("return 1")
        time.sleep(0.5)
        before = pair.switches()
        time.sleep(4)
        return (pair.switches() - before) / 4


def import_pandas(target):
    """Milliseconds that `import pandas` adds to a task, by the medians of both kinds in turn."""
    packages = target.with_packages()
    if not packages:
        return None
    with target.pair(**packages) as pair:
        times = {"import pandas\nreturn 1": [], "pass\nreturn 1": []}
        for _ in range(40):
            for code, kept in times.items():
                kept.append(pair.broker.run(code)["settingsToDoneMs"])
                time.sleep(0.02)
        with_import, without = (statistics.median(kept[5:]) for kept in times.values())
        return with_import - without


# a node of ten lines, none of which runs: what they cost is their check and compilation
TEN_LINES = """
if not _items:
    return []

def price(item):
    value = item['json'].get('price')
    return value if isinstance(value, (int, float)) else float(str(value).replace(',', '.'))

rows = []
for item in _items:
    if item['json'].get('active'):
        name = item['json']['name'].strip().title()
        rows.append({'json': {'name': name, 'price': round(price(item), 2)}})
return sorted(rows, key=lambda row: row['json']['name'])
"""


def same_code(target):
    """Milliseconds that the check and compilation of the same code add to each of 200 runs after the
    first, by the medians of ten lines and of one in turn."""
    with target.pair() as pair:
        times = {TEN_LINES: [], "return []": []}
        for _ in range(200):
            for code, kept in times.items():
                kept.append(pair.broker.run(code)["settingsToDoneMs"])
                time.sleep(0.02)
        long, short = (statistics.median(kept[1:]) for kept in times.values())
        return long - short


# ---- large tasks ----

def person(n):
    """An item as workflows have them: most values are its own, some are of a few kinds."""
    return {"json": {"id": n, "name": "Person %d" % n, "email": "person.%d@example.com" % n, "active": n % 3 == 0,
                     "score": n * 0.37, "tags": ["a", "b", "tag %d" % (n % 50)],
                     "address": {"city": CITIES[n % 5], "zip": "%05d" % (n * 7 % 100000)},
                     "note": "%d bottles, %d glasses, and a remark of a few words" % (n, n * 31)}}


def items_of(megabytes):
    return [person(n) for n in range(int(megabytes * 1e6 / len(json.dumps(person(100000), separators=(",", ":")))))]


def echo(pair, items, code="return _items"):
    """Runs a task that gives its items back; returns its milliseconds and the bytes of its result."""
    done = pair.broker.end(pair.broker.task(code, items))
    # The events of large tasks would fill this process, and the next task get memory that no process
    # has had yet: in a virtual machine its host still has to find that.
    pair.broker.seen.clear()
    assert done["event"] == "done", done
    return done["settingsToDoneMs"], done["size"]


def throughput(target, megabytes, runs):
    with target.pair(N8N_RUNNERS_TASK_TIMEOUT="300") as pair:
        items = items_of(megabytes)
        return statistics.median(size / 1000 / ms for ms, size in (echo(pair, items) for _ in range(runs)))


def rate_10(target):
    return throughput(target, 10, 5)


def rate_100(target):
    return throughput(target, 100, 3)


class Peak:
    """The most that a function says, asked again and again while the block runs."""

    def __init__(self, ask):
        self.most, self.over, self.ask = 0, threading.Event(), ask
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def watch(self):
        while not self.over.wait(0.02):
            self.most = max(self.most, self.ask())

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()


def peak(target, only_host):
    """The most memory during a task of 100 MB, over its payload."""
    with target.pair(N8N_RUNNERS_TASK_TIMEOUT="300") as pair:
        rest = pair.pss(only_host)
        with Peak(lambda: pair.pss(only_host)) as watched:
            _, size = echo(pair, items_of(100))
        return (watched.most - rest) * 1024 * 1024 / size


def peak_all(target):
    return peak(target, False)


def peak_host(target):
    return peak(target, True)
