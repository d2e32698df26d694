"""Keeps a broker full of tasks and judges how each ends: right, wrong, lost, or interrupted.

One thread: events of the broker come from a queue, and are answered in turn. A task is interrupted when its
broker or its runner ended under it, which only the tool that ended them may say (see `may_fail`)."""
import collections
import heapq
import json
import os
import queue
import socket
import time

from harness import Broker

from work import some

SLOTS = 5
LOAD = SLOTS * 2 + 2  # tasks under way: as many run, the others wait for an offer
PATIENCE = 60  # s until a task counts as lost


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Task:
    def __init__(self, work):
        self.work = work
        self.prints = []
        self.since = time.monotonic()  # it was given to the broker, at the least so long ago


class Crew:
    def __init__(self, build, random, kinds, verdict=None):
        self.build, self.random, self.kinds = build, random, kinds
        self.verdict = verdict or (lambda task, event: None)
        self.port = free_port()
        self.broker = None
        self.tasks = {}
        self.ended = set()
        self.last = 0
        self.due = []  # (when, task id) to cancel
        self.done = collections.Counter()  # by kind
        self.excused = collections.Counter()  # by what has befallen them
        self.latencies = []  # ms, of the quick ones
        self.faults = []
        self.served = 0.0  # when the last task ended as it must
        self.served_since = 0.0  # and when that one had been given to the broker
        self.registrations = self.offers = 0
        self.open()

    # ---- the broker ----

    def open(self):
        self.broker = Broker(self.build, "--port", str(self.port))

    def interrupt(self, why):
        """All that is under way has come to nothing, and nobody is to blame."""
        self.excused[why] += len(self.tasks)
        self.ended.update(self.tasks)
        self.tasks.clear()
        self.due.clear()

    def restart(self, pause):
        self.broker.process.kill()
        self.broker.process.wait()
        while self.broker.events.get() is not None:  # what had come before counts no more
            pass
        self.broker.stop()
        self.interrupt("their broker's restart")
        time.sleep(pause)
        self.open()

    def say(self, **command):
        self.broker.say(**command)

    # ---- tasks ----

    def give(self, work):
        self.last += 1
        task_id = "t%d" % self.last
        self.tasks[task_id] = Task(work)
        self.say(cmd="task", taskId=task_id, settings=work.settings)
        return task_id

    def fill(self):
        while len(self.tasks) < LOAD:
            self.give(some(self.random, self.kinds))

    def cancel_due(self):
        while self.due and self.due[0][0] <= time.monotonic():
            task_id = heapq.heappop(self.due)[1]
            if task_id in self.tasks:
                self.say(cmd="cancel", taskId=task_id, reason="enough")

    def on_event(self, event):
        name, task_id = event["event"], event.get("taskId")
        self.registrations += name == "registered"
        self.offers += name == "offer"
        if name in ("problem", "invalid", "dropped", "message"):
            self.fault("the broker says: %s" % event["raw"][:300])
        if task_id is None:
            return
        task = self.tasks.get(task_id)
        if not task:
            self.fault("%s for %s, which %s" % (
                name, task_id, "has ended" if task_id in self.ended else "is nobody's"))
        elif name == "accepted":
            if task.work.cancel == "any":
                heapq.heappush(self.due, (time.monotonic() + self.random.uniform(0, 0.03), task_id))
        elif name == "rpc":
            task.prints.append(event["params"])
            if task.work.cancel == "running" and len(task.prints) == 1:
                self.say(cmd="cancel", taskId=task_id, reason="enough")
        elif name in ("done", "error", "lost"):
            self.end(task_id, task, event)

    def end(self, task_id, task, event):
        del self.tasks[task_id]
        self.ended.add(task_id)
        excuse = self.verdict(task, event)
        fault = None
        if event["event"] == "lost":
            if event["reason"].startswith("cancelled") and task.work.cancel == "any":
                excuse = excuse or "their cancel, before they had begun"
            elif not excuse:
                fault = "the broker lost it: %s" % event["reason"]
        else:
            fault = task.work.fault(event, task.prints)
        if fault is None or not excuse:
            self.served, self.served_since = time.monotonic(), task.since
        if event["event"] != "lost" and fault is None:
            self.done[task.work.kind] += 1
            if task.work.kind == "quick":
                self.latencies.append(event["settingsToDoneMs"])
        elif excuse:
            self.excused[excuse] += 1
        else:
            self.fault("%s (%s): %s: %s" % (task_id, task.work.kind, fault, event["raw"][:500]))

    def close(self, leftovers):
        """The runner has ended: so does its broker, and whatever is left now is a fault."""
        self.broker.stop()
        for left in leftovers.all():
            self.fault("left at the end: %s" % left)
        leftovers.close()

    def fault(self, text):
        self.faults.append(text)
        print("WRONG: %s" % text, flush=True)

    def turn(self, fill=True):
        """Waits for an event, for a moment, and does what is due. False: the broker is gone."""
        if fill:
            self.fill()
        self.cancel_due()
        try:
            event = self.broker.events.get(timeout=0.005 if self.due else 0.05)
        except queue.Empty:
            return True
        while event is not None:
            self.on_event(event)
            try:
                event = self.broker.events.get_nowait()
            except queue.Empty:
                return True
        return False

    def lost(self):
        """Those that should have ended long ago."""
        return [task_id for task_id, task in self.tasks.items() if time.monotonic() - task.since > PATIENCE]

    def finish(self):
        """Lets all that is under way end."""
        while self.tasks and not self.lost():
            if not self.turn(fill=False):
                self.fault("the broker ended by itself")
                return

    # ---- figures ----

    def figures(self, over=False):
        lost = len(self.tasks) if over else len(self.lost())
        text = "%d tasks done, wrong %d, lost %d" % (sum(self.done.values()), len(self.faults), lost)
        if self.excused:
            text += ", interrupted by " + ", ".join("%s: %d" % pair for pair in self.excused.items())
        if self.latencies:
            ranks = sorted(self.latencies)
            text += "; a quick task, in ms: median %.1f, 99 %% %.1f, worst %.1f" % (
                ranks[len(ranks) // 2], ranks[len(ranks) * 99 // 100], ranks[-1])
        return text

    def kinds_done(self):
        return ", ".join("%s %d" % (kind.__name__.replace("_", " "), self.done[kind.__name__])
                         for kind in self.kinds)


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def resident(pid):
    """MB."""
    with open("/proc/%d/statm" % pid) as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
