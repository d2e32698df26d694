"""A random broker against the real runner, and a reference model of what the runner may say:
python -I model.py BUILD MINUTES SEED

What the broker does next is drawn from the seed alone: what can't be done at that moment is passed over. So the
same seed tries the same things, and the moments are the machine's."""
import json
import os
import random
import signal
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from harness import LIMIT, Runner, kill_leftovers, processes_below  # noqa: E402
from reference import Broken, GIVEN_UP, Kind, Reference, demand  # noqa: E402
from wire_broker import WireBroker, frame  # noqa: E402

SLOTS = 3
PROGRESS = 5  # s between lines
GARBAGE = ["{", "[]", '{"type":"broker:nonsense"}', '{"type":"broker:tasksettings","taskId":"nobody"}', "\u0000",
           '{"type":"broker:rpcresponse","callId":"c","taskId":"t","status":"success","data":null}',
           '{"type":"broker:taskofferaccept"}', '{"type":5,"taskId":{}}']
CLOSES = [1000, 1001, 1002, 1012]


def settings(code, **changes):
    return dict({"code": code, "nodeMode": "runOnceForAllItems", "items": [], "continueOnFail": False}, **changes)


LARGE = [{"json": {"text": "x" * 1000}}] * 700
KINDS = [
    Kind("quick", settings("return 1"), 1),
    Kind("quick", settings("return [len(_items)]", items=LARGE), [700]),
    Kind("printing", settings("for n in range(1, 4): print(str(n))\nreturn 2"), 2, prints=3),
    Kind("failing", settings("raise ValueError('no')"), message="no"),
    Kind("short", settings("import time\ntime.sleep(0.01)\nreturn 3"), 3),
    Kind("long", settings("import time\ntime.sleep(0.4)\nreturn 4"), 4),
    Kind("large", settings("return 'x' * 2000000"), "x" * 2000000),
    Kind("exiting", settings("raise SystemExit(7)"), message="Process exited with code 7"),
    Kind("senseless", {"code": 7}, message="The task's settings make no sense"),
    Kind("refused", settings("import os"), message="Security violations detected"),
    Kind("endless", settings("print('1')\nwhile True: pass"), message="Task execution timed out after 1 second",
         prints=1, endless=True),
]


class Model:
    def __init__(self, build, seed):
        self.build = build
        self.chance = random.Random(seed)
        self.broker = WireBroker()
        self.connection = self.reference = self.runner = None
        self.last = self.steps = self.ended = self.connections = self.killed = 0
        self.trail = []  # what was done last, for who has to understand it
        self.start()

    def start(self):
        self.runner = Runner(self.build, self.broker, N8N_RUNNERS_MAX_CONCURRENCY=str(SLOTS),
                             N8N_RUNNERS_TASK_TIMEOUT="1", N8N_RUNNERS_STDLIB_ALLOW="time",
                             N8N_RUNNERS_LAUNCHER_LOG_LEVEL="error")

    # ---- what comes ----

    def on_open(self, connection):
        self.over()
        self.connection, self.reference = connection, Reference(SLOTS, self.killed)
        self.connections += 1
        connection.send(type="broker:inforequest")
        self.reference.info_asked = True

    def over(self):
        """The connection has ended, and what came over it with it."""
        if self.reference:
            self.ended += self.reference.ended
            self.killed = self.reference.killed
        self.connection = self.reference = None

    def on_message(self, connection, message):
        demand(connection is self.connection, "said on a connection that is over", message)
        self.reference.heard(message)
        if message["type"] == "runner:info":
            connection.send(type="broker:runnerregistered")
            self.reference.registered = True

    def pump(self, seconds=0.0):
        for connection, what, value in self.broker.pump(seconds):
            self.trail.append("   came: %s %s" % (what, str(value)[:200]))
            if what == "open":
                self.on_open(connection)
            elif what == "message":
                self.on_message(connection, value)
            elif what == "pong":
                self.reference.pong()
            elif what in ("gone", "close") and connection is self.connection:
                demand(what == "gone" or value in (1000, 1001, None) or value in CLOSES, "closed with", value)
                self.over()
        del self.trail[:-60]

    def wait(self, condition, what):
        deadline = time.monotonic() + LIMIT
        while not condition():
            demand(time.monotonic() < deadline, "it did not come", what())
            demand(self.runner.process.poll() is None, "the runner ended", self.runner.process.poll(),
                   self.runner.err[-5:])
            self.pump(0.02)

    def connected(self):
        self.wait(lambda: self.reference and self.reference.registered, lambda: "a connection")

    def settle(self):
        """Until nothing has to come any more."""
        self.wait(lambda: self.reference is None or self.reference.owes() is None, lambda: self.reference.owes())

    # ---- what is done; a and b are of chance, from 0 to 1 ----

    @staticmethod
    def pick(some, a):
        some = list(some)
        return some[int(a * len(some))] if some else None

    def send(self, *messages):
        """All in one piece."""
        self.connection.send_bytes(b"".join(frame(json.dumps(message).encode()) for message in messages))

    def accepting(self, a):
        """An acceptance of an open offer, by a new task: its message, or None."""
        offer_id = self.pick(self.reference.offers, a)
        if not offer_id:
            return None
        self.last += 1
        task_id = "t%d" % self.last
        self.reference.accept(task_id, offer_id)
        return {"type": "broker:taskofferaccept", "taskId": task_id, "offerId": offer_id}

    def setting(self, task_id, b):
        kind = self.pick(KINDS, b)
        self.reference.settings(task_id, kind)
        return {"type": "broker:tasksettings", "taskId": task_id, "settings": kind.settings}

    def cancelling(self, task_id, reason="enough"):
        self.reference.cancel(task_id, reason)
        return {"type": "broker:taskcancel", "taskId": task_id, "reason": reason}

    def waiting_tasks(self):
        return [task_id for task_id, task in self.reference.tasks.items() if not task.kind]

    def accept(self, a, b):
        if message := self.accepting(a):
            self.send(message)

    def accept_and_go_on(self, a, b):
        """The settings, or a cancel, or both, right behind."""
        if message := self.accepting(a):
            task_id = message["taskId"]
            more = [self.setting(task_id, b)] if a < 0.7 else []
            if a > 0.4:
                more.append(self.cancelling(task_id))
            self.send(message, *more)

    def accept_the_unknown(self, a, b):
        known = [*self.reference.used][-5:]
        offer_id = known[int(a * len(known))] if a < 1 and known else "nobody's"
        self.last += 1
        self.reference.accept("t%d" % self.last, offer_id)
        self.send({"type": "broker:taskofferaccept", "taskId": "t%d" % self.last, "offerId": offer_id})

    def accept_twice(self, a, b):
        """A second offer for a task that is there."""
        task_id, offer_id = self.pick(self.waiting_tasks(), a), self.pick(self.reference.offers, b)
        if task_id and offer_id and not self.reference.replies:
            self.reference.accept(task_id, offer_id)
            self.send({"type": "broker:taskofferaccept", "taskId": task_id, "offerId": offer_id})

    def set(self, a, b):
        if task_id := self.pick(self.waiting_tasks(), a):
            self.send(self.setting(task_id, b))

    def set_and_cancel(self, a, b):
        if task_id := self.pick(self.waiting_tasks(), a):
            self.send(self.setting(task_id, b), self.cancelling(task_id))

    def set_the_wrong(self, a, b):
        """For a task that has its settings, or is over, or never was."""
        running = [task_id for task_id, task in self.reference.tasks.items() if task.kind]
        task_id = self.pick(running, a) if b < 0.5 and running else "t%d" % (a * self.last)
        if task_id not in self.waiting_tasks():
            self.send({"type": "broker:tasksettings", "taskId": task_id, "settings": KINDS[0].settings})

    def set_in_pieces(self, a, b):
        """Half a message, then pings, then the other half; or never."""
        task_id = self.pick(self.waiting_tasks(), a)
        if not task_id:
            return
        data = json.dumps(self.setting(task_id, b)).encode()
        cut = int(b * len(data))
        self.connection.send_bytes(frame(data[:cut], final=False))
        self.pump(0.001)
        if not self.connection:
            return
        self.ping(a, b)
        if a < 0.2:
            self.drop(a, b)
        else:
            self.connection.send_bytes(frame(data[cut:], 0))

    def cancel(self, a, b):
        if task_id := self.pick(self.reference.tasks, a):
            self.send(self.cancelling(task_id))

    def cancel_what_is_over(self, a, b):
        number = int(a * (self.last + 5))
        if "t%d" % number not in self.reference.tasks:
            self.send(self.cancelling("t%d" % number))

    def give_up(self, a, b):
        self.send(self.cancelling(self.pick([*self.waiting_tasks(), "nobody"], a), GIVEN_UP))
        self.accept_the_unknown(1, b)

    def ping(self, a, b):
        self.reference.pings += 1
        self.connection.ping(b"%d" % self.reference.pings)

    def garbage(self, a, b):
        self.connection.send_bytes(frame(self.pick(GARBAGE, a).encode(), 1 if b < 0.5 else 2))

    def drain(self, a, b):
        if a < 0.3:
            self.reference.drain()
            self.send({"type": "broker:drain"})
            self.accept_the_unknown(1, b)

    def close(self, a, b):
        if a < 0.5:
            self.connection.close(self.pick(CLOSES, b))

    def drop(self, a, b):
        if a < 0.5:
            self.connection.drop()
            self.over()

    def refuse(self, a, b):
        """The next connection is made at the second attempt."""
        if a < 0.2:
            what = "auth" if b < 0.5 else "upgrade"
            self.broker.door[what] = 503
            self.connection.drop()
            self.over()
            self.pump(0.3)
            self.broker.door[what] = "open"

    def kill_below(self, a, b):
        """A child, or the zygote, or what stands at pid 1 above it."""
        below = processes_below(self.runner.process.pid)
        victim = below[min(int(a * 2 * len(below)), len(below) - 1)] if below else None
        if victim:
            self.reference.kill()
            try:
                os.kill(victim, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def end_host(self, a, b):
        """By SIGTERM, and it leaves in order; or by SIGKILL. Another takes its place."""
        if a > 0.2:
            return
        runner, number = self.runner, signal.SIGTERM if b < 0.7 else signal.SIGKILL
        if self.reference:
            self.reference.stopping = True
        runner.signal(number)
        deadline = time.monotonic() + LIMIT
        while runner.process.poll() is None:
            demand(time.monotonic() < deadline, "it did not end", number)
            self.pump(0.005)
        code = runner.wait()
        demand(code == (0 if number == signal.SIGTERM else -number), "its exit code is", code, runner.err[-5:])
        while self.connection:
            self.pump(0.05)
        self.start()

    # ---- the run ----

    OPERATIONS = {accept: 30, set: 30, cancel: 12, accept_and_go_on: 12, set_and_cancel: 5, accept_the_unknown: 3,
                  accept_twice: 3, set_the_wrong: 3, set_in_pieces: 3, cancel_what_is_over: 3, give_up: 2, ping: 5,
                  garbage: 3, drain: 1, close: 1, drop: 1, refuse: 1, kill_below: 2, end_host: 1, settle: 2}

    def step(self):
        operation, = self.chance.choices(list(self.OPERATIONS), list(self.OPERATIONS.values()))
        a, b, pause = self.chance.random(), self.chance.random(), self.chance.choice([0, 0, 0, 0.001, 0.003])
        self.steps += 1
        self.connected()
        self.trail.append("step %d: %s %.3f %.3f" % (self.steps, operation.__name__, a, b))
        if operation is Model.settle:
            self.settle()
        else:
            operation(self, a, b)
        self.pump(pause)
        if self.reference and self.reference.drained and self.reference.owes() is None and self.chance.random() < 0.2:
            self.connection.close(1001)

    def finish(self):
        """All that is under way comes to its end, and the runner leaves in order."""
        self.connected()
        self.settle()
        for task_id in list(self.reference.tasks) if self.reference else []:
            self.send(self.cancelling(task_id))
        self.settle()
        ended = self.runner
        ended.signal(signal.SIGTERM)
        if self.reference:
            self.reference.stopping = True
        while ended.process.poll() is None:
            self.pump(0.01)
        demand(ended.wait() == 0, "its exit code is", ended.process.returncode, ended.err[-5:])
        while self.connection:
            self.pump(0.05)

    def figures(self):
        ended = self.ended + (self.reference.ended if self.reference else 0)
        return "%d steps, %d acceptances, %d tasks ended, %d connections" % (
            self.steps, self.last, ended, self.connections)


def check(build, seed, steps=None, seconds=None, said=lambda text: None):
    """Runs so many steps, or so long; returns the figures. Raises Broken, with what led to it."""
    model = Model(build, seed)
    began = progress = time.monotonic()
    try:
        while model.steps < steps if steps else time.monotonic() - began < seconds:
            model.step()
            if time.monotonic() - progress > PROGRESS:
                progress = time.monotonic()
                said(model.figures())
        model.finish()
    except Broken as broken:
        raise Broken("%s (SEED=%d, step %d)\n%s\nthe runner says: %s" % (
            broken, seed, model.steps, "\n".join(model.trail), model.runner.err[-5:]))
    finally:
        model.broker.stop()
        kill_leftovers()
    return model.figures()


def main():
    build, minutes, seed = os.path.abspath(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    print("model: %g min, SEED=%d" % (minutes, seed), flush=True)
    try:
        figures = check(build, seed, seconds=minutes * 60, said=lambda text: print("  " + text, flush=True))
    except Broken as broken:
        print("WRONG: %s" % broken)
        print("model: wrong (SEED=%d)" % seed)
        return 1
    print("model: %s, none of it wrong (SEED=%d)" % (figures, seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
