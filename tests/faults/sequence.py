"""The tasks that are run while one call fails, and what may become of them."""
import os
import signal
import time

from harness import Broker, Runner, processes_below, started

LIMIT = 20  # seconds: what takes longer hangs
SETTINGS = {"N8N_RUNNERS_TASK_TIMEOUT": "10", "N8N_RUNNERS_MAX_CONCURRENCY": "2",
            "N8N_RUNNERS_STDLIB_ALLOW": "json"}
LARGE = [{"json": {"n": n, "text": "0123456789" * 10}} for n in range(2600)]  # a file, on its way in
TIMES = 4  # and more than one part, on its way out


class Broken(AssertionError):
    """What must not become of a task or a runner."""


def steps(turn):
    """Name, code, items, mode, and what comes of it: a result, prints, or an error's message."""
    all_items, each = "runOnceForAllItems", "runOnceForEachItem"
    few = [{"json": {"n": n}} for n in range(3)]
    return [
        ("small", "# %d: compiled anew\nreturn sum(i['json']['n'] for i in _items)" % turn, few, all_items, 3, None),
        ("print", "print('one', 2)\nprint('three')\nreturn 'printed'", [], all_items, "printed",
         [["'one'", "2"], ["'three'"]]),
        ("failing", "def f(x):\n    return 1 / x\nreturn f(0)", [], all_items, ZeroDivisionError, None),
        ("large", "return _items * %d" % TIMES, LARGE, all_items, LARGE * TIMES, None),
        ("last", "return {'json': {'n': _item['json']['n'] + 1}}", few[:1], each,
         [{"json": {"n": 1}, "pairedItem": {"item": 0}}], None),
    ]


class Served:
    """A runner in a lane, with a broker; started again when it has ended."""

    def __init__(self, lane, started=True):
        self.lane = lane
        self.broker = Broker(lane.folder)
        self.turn = self.starts = 0
        self.started = started
        self.runner = None

    def __enter__(self):
        if self.started:
            self.start()
        return self

    def __exit__(self, *error):
        self.stop()
        self.broker.stop()

    def stop(self):
        """Ends the runner in a hurry."""
        self.lane.disarm()
        if self.runner and self.runner.process.poll() is None:
            self.runner.process.kill()
        if self.runner:
            self.runner.wait()

    def launch(self):
        """Starts a runner; returns its first offer, None when it ends before. It has a name of its own, so that
        what an earlier one has left in the queue is not taken for its."""
        self.starts += 1
        name = "start%d" % self.starts
        self.runner = Runner(self.lane.folder, self.broker, N8N_RUNNERS_ID=name, **SETTINGS)
        return self.wait("offer", runner=name)

    def finish(self):
        """Stops the runner after its faults; a sanitizer then says what it has leaked. Starts another."""
        below = processes_below(self.runner.process.pid)
        code = self.runner.stop()
        if code != 0:
            raise Broken("stopped, it ended with %s: %s" % (code, self.runner.err))
        self.look_for_reports()
        gone(below)
        self.start()

    def look_for_reports(self):
        reports = [line for line in self.runner.err if "Sanitizer" in line or "runtime error" in line]
        if reports and "Sanitizer: ABRT" not in reports[0]:
            raise Broken("\n".join(self.runner.err))

    def start(self):
        self.lane.disarm()
        if not self.launch():
            raise AssertionError("the runner does not start: %s" % self.runner.err)
        counted = []
        while len(counted) < 3 or len(counted) < 50 and len(set(counted[-3:])) > 1:  # a child's come one by one
            self.settle()
            counted.append(self.count_descriptors())
        self.descriptors = counted[-1]

    # ---- one after the other ----

    def wait(self, *names, limit=LIMIT, **fields):
        """As Broker.wait(), but None when the runner ends."""
        deadline = time.monotonic() + limit
        while True:
            try:
                event = self.broker.events.get(timeout=0.1)
            except Exception:
                event = None
            if event is None:
                if self.runner.process.poll() is not None and self.broker.events.empty():
                    return None
                if time.monotonic() > deadline:
                    raise Broken("hangs: no %s %s for %d s; the last: %s; %s" % (
                        names, fields, limit, [e["event"] for e in self.broker.seen[-5:]], self.runner.err[-5:]))
                continue
            self.broker.seen.append(event)
            if event["event"] in names and all(event.get(k) == v for k, v in fields.items()):
                return event

    def run(self, step):
        """Runs one step to its end; what was wrong with it raises. Returns how it ended."""
        name, code, items, mode, wanted, prints = step
        self.broker.seen.clear()
        task = self.broker.task(code, items, mode)
        event = self.wait("done", "error", "lost", taskId=task)
        if event is None:
            return "died"
        if event["event"] == "lost":
            return "lost"
        if event["event"] == "error":
            message = event["error"].get("message")
            if wanted is ZeroDivisionError and message == "division by zero":
                return "right"
            if not message or "timed out" in message:
                raise Broken("%s: %r" % (name, event["error"]))
            return "error: " + message
        if event["data"]["result"] != wanted:
            raise Broken("%s: a wrong result: %.200r" % (name, event["data"]["result"]))
        came = [e["params"] for e in self.broker.seen if e["event"] == "rpc" and e["taskId"] == task]
        told = any("Output truncated" in text for params in came for text in params)
        if prints and came != prints and not told:
            raise Broken("%s: prints are missing: %s" % (name, came))
        return "right"

    def sequence(self):
        """Runs all steps; returns how each ended."""
        self.turn += 1
        ends = []
        for step in steps(self.turn):
            ends.append(self.run(step))
            if ends[-1] == "died":
                break
        return ends

    # ---- afterwards ----

    def settle(self):
        """Waits until nobody calls anything any more."""
        deadline = time.monotonic() + 3
        before = None
        while time.monotonic() < deadline:
            now = self.lane.counts()
            now = {key: now[key] for key in now if key[0] != "host"}
            if now == before:
                return
            before = now
            time.sleep(0.012)

    def count_descriptors(self):
        """The host's, but the two that it has for each child; None when they can't be seen."""
        try:
            pid = self.runner.process.pid
            children = [c for c in processes_below(pid) if is_child(c)]
            return len(os.listdir("/proc/%d/fd" % pid)) - 2 * len(children)
        except PermissionError:
            return None

    def check(self):
        """The fault is over: is everything as before?"""
        self.lane.disarm()
        self.broker.seen.clear()
        end = "died" if self.runner.process.poll() is not None else self.run(steps(0)[4])
        deadline = time.monotonic() + LIMIT
        while end == "lost" and time.monotonic() < deadline:
            end = self.run(steps(0)[4])
        if end == "died" and self.lane.fired:
            self.check_death()
            self.start()
        elif end != "right":
            raise Broken("the task after it: %s; %s" % (end, self.runner.err[-5:]))
        else:
            self.check_descriptors()

    def check_descriptors(self):
        deadline = time.monotonic() + 3
        while self.descriptors is not None and self.count_descriptors() > self.descriptors:
            if time.monotonic() > deadline:
                raise Broken("descriptors leak: %d where %d were" % (self.count_descriptors(), self.descriptors))
            time.sleep(0.01)

    def check_death(self):
        """By design the host ends with a line when it has no memory for something small: ours by abort(), and
        libwebsockets by its assertions."""
        code = self.runner.wait()
        if code == 0 or not self.runner.err:
            raise Broken("it ended with %s, and said: %s" % (code, self.runner.err))
        if code < 0 and code != -signal.SIGABRT:
            raise Broken("it crashed with %s, and said: %s" % (code, self.runner.err))
        self.look_for_reports()
        started[:] = [p for p in started if p is not self.runner.process]


def is_child(pid):
    try:
        with open("/proc/%d/comm" % pid) as name:
            return name.read().strip() == "runner-task"
    except OSError:
        return False


def gone(pids):
    """Waits until none of them is there."""
    deadline = time.monotonic() + LIMIT
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            raise Broken("processes are left: %s" % [pid for pid in pids if alive(pid)])
        time.sleep(0.002)


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False
