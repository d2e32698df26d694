"""Stopping: every way to be told, in every state; a row for each pair, which says how it ends and within what."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from harness import LIMIT, Broker, Runner, case, lives, processes_below, result_of
from wire_broker import WireBroker, frame

PROMPT = 2  # s
GRACE = 1  # s, for tasks that don't end
LARGE = 30 * 10**6  # bytes, more than sockets hold
TASK = "print('1')\nimport time\ntime.sleep(%s)\nreturn 'x' * %d"


class Stage:
    """A runner and a broker that does only what it is told."""

    def __init__(self, build, **settings):
        self.broker = WireBroker()
        self.connection = None
        self.messages = []
        self.opened = 0
        self.runner = Runner(build, self.broker, stdin=subprocess.PIPE, N8N_RUNNERS_STDLIB_ALLOW="time",
                             N8N_RUNNERS_GRACEFUL_SHUTDOWN_TIMEOUT=str(GRACE), **settings)

    def pump(self):
        for connection, what, value in self.broker.pump(0.02):
            if what == "open":
                self.connection, self.opened = connection, self.opened + 1
                connection.send(type="broker:inforequest")
            elif what == "message":
                self.messages.append(value)
            elif what == "close" and connection is self.connection:
                connection.close(value)
            elif what == "gone" and connection is self.connection:
                self.connection = None

    def until(self, condition, what):
        deadline = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < deadline, "%s did not come; messages: %s" % (what, self.messages[-5:])
            self.pump()

    def heard(self, kind, count=1):
        self.until(lambda: self.count(kind) >= count, kind)
        return [message for message in self.messages if message["type"] == kind]

    def count(self, kind):
        return sum(message["type"] == kind for message in self.messages)

    def end(self, reads=True):
        """Waits for the runner's end; its exit code."""
        deadline = time.monotonic() + LIMIT
        while self.runner.process.poll() is None:
            assert time.monotonic() < deadline, "it did not end"
            if reads:
                self.pump()
            else:
                time.sleep(0.01)
        while reads and self.connection:  # what it has sent last
            self.pump()
        return self.runner.wait()

    def task(self, seconds, size=1):
        return {"type": "broker:tasksettings", "taskId": "t", "settings": {
            "code": TASK % (seconds, size), "nodeMode": "runOnceForAllItems", "items": []}}

    def close(self):
        if self.runner.process.poll() is None:
            self.runner.process.kill()
        self.runner.wait()
        self.runner.process.stdin.close()
        self.broker.stop()


# ---- the states; each brings a stage there ----

def connecting(stage):
    stage.broker.listener.close()  # it may have connected already, which comes to nothing
    stage.broker.door = {"auth": "silent", "upgrade": "silent"}
    stage.runner.line("is ready")


def asking_for_a_grant(stage):
    stage.broker.door["auth"] = "silent"
    stage.until(lambda: stage.broker.connections, "a request")
    stage.runner.line("is ready")


def upgrading(stage):
    stage.broker.door["upgrade"] = "silent"
    stage.until(lambda: len(stage.broker.connections) and not stage.connection, "a request")
    stage.runner.line("is ready")


def registering(stage):
    stage.heard("runner:info")


def idle(stage):
    stage.heard("runner:info")
    stage.connection.send(type="broker:runnerregistered")
    stage.heard("runner:taskoffer", 5)


def waiting_for_settings(stage):
    idle(stage)
    stage.connection.send(type="broker:taskofferaccept", taskId="t", offerId=stage.messages[-1]["offerId"])
    stage.heard("runner:taskaccepted")


def mid_task(stage, seconds=0.3, size=1):
    waiting_for_settings(stage)
    stage.connection.send(**stage.task(seconds, size))
    stage.heard("runner:rpc")


def mid_task_for_ever(stage):
    mid_task(stage, 100)


def mid_message(stage):
    """Half of what a task is to do has come."""
    waiting_for_settings(stage)
    data = json.dumps(stage.task(0)).encode()
    stage.connection.send_bytes(frame(data[:len(data) // 2], final=False))
    stage.connection.ping()


def mid_result(stage):
    """The sockets are full of a result that the broker does not read for a while."""
    mid_task(stage, 0, LARGE)
    time.sleep(0.3)


def reconnecting(stage):
    idle(stage)
    stage.broker.door["auth"] = 503
    stage.connection.close(1012)
    stage.runner.line("Lost the connection")


AT_ONCE = [connecting, asking_for_a_grant, upgrading, registering, idle, waiting_for_settings, mid_message,
           reconnecting]
RUNNING = [mid_task, mid_result]
STATES = AT_ONCE + RUNNING + [mid_task_for_ever]
CONNECTED = [registering, idle, waiting_for_settings, mid_message, mid_task, mid_result]


@contextlib.contextmanager
def staged(build, state):
    stage = Stage(build)
    try:
        state(stage)
        yield stage
    except Exception as error:
        raise AssertionError("%s: %s" % (state.__name__, error)) from error
    finally:
        stage.close()


def stops(build, state, number):
    """One signal: in order, unless a task does not end."""
    with staged(build, state) as stage:
        began = time.monotonic()
        stage.runner.signal(number)
        code = stage.end()
        took = time.monotonic() - began
        assert code == (1 if state is mid_task_for_ever else 0), (code, stage.runner.err)
        assert took < PROMPT + (GRACE if state in RUNNING + [mid_task_for_ever] else 0), "it took %.2f s" % took
        if state in RUNNING:
            assert stage.count("runner:taskdone") == 1, stage.messages[-1:]
        else:
            assert not stage.count("runner:taskdone") + stage.count("runner:taskerror"), stage.messages[-1:]


@case
def sigterm_in_every_state(build):
    for state in STATES:
        stops(build, state, signal.SIGTERM)


@case
def sigint_in_every_state(build):
    for state in STATES:
        stops(build, state, signal.SIGINT)


@case
def sighup_in_every_state(build):
    for state in STATES:
        stops(build, state, signal.SIGHUP)


@case
def told_twice_in_every_state(build):
    """What runs is killed; where nothing does, the first may have been enough."""
    for state in STATES:
        with staged(build, state) as stage:
            began = time.monotonic()
            stage.runner.signal(signal.SIGTERM)
            if state is mid_task_for_ever:
                stage.runner.line("Stopping")
            stage.runner.signal(signal.SIGTERM)
            code = stage.end(reads=state not in RUNNING)
            assert code == 1 if state is mid_task_for_ever else code in (0, 1), (code, stage.runner.err)
            assert time.monotonic() - began < PROMPT + (GRACE if state in RUNNING else 0)


@case
def sigkill_in_every_state(build):
    for state in STATES:
        with staged(build, state) as stage:
            below = processes_below(stage.runner.process.pid)
            assert below
            stage.runner.signal(signal.SIGKILL)
            assert stage.end() == -signal.SIGKILL
            deadline = time.monotonic() + LIMIT
            while any(lives(pid) for pid in below):
                assert time.monotonic() < deadline, "still there: %s" % below
                time.sleep(0.01)


@case
def standard_input_that_is_closed_in_every_state(build):
    """It means nothing: a launcher may close it."""
    for state in STATES:
        with staged(build, state) as stage:
            stage.runner.process.stdin.close()
            for _ in range(3):
                stage.pump()
            assert stage.runner.process.poll() is None
            stage.runner.signal(signal.SIGTERM)
            assert stage.end() == (1 if state is mid_task_for_ever else 0), stage.runner.err


@case
def a_drain_in_every_state(build):
    """It offers nothing more, finishes what runs, and comes back to the next broker."""
    for state in CONNECTED:
        with staged(build, state) as stage:
            if state is mid_message:  # the other half has to come first
                data = json.dumps(stage.task(0)).encode()
                stage.connection.send_bytes(frame(data[len(data) // 2:], 0))
            stage.connection.send(type="broker:drain")
            stage.runner.line("going down")
            offers = stage.count("runner:taskoffer")
            if state in (mid_message, mid_task, mid_result):
                stage.heard("runner:taskdone")
            if state not in (mid_message, mid_result):  # whose task may have been over before
                assert stage.count("runner:taskoffer") == offers
            assert stage.runner.process.poll() is None
            stage.connection.close(1001)
            stage.until(lambda: stage.opened == 2, "the next connection")
            offers = stage.count("runner:taskoffer")
            stage.heard("runner:info", 2)
            stage.connection.send(type="broker:runnerregistered")
            stage.heard("runner:taskoffer", offers + 5)
            stage.runner.signal(signal.SIGTERM)
            assert stage.end() == 0


@case
def what_a_killed_runner_has_left_the_next_one_removes(build):
    """Its folder for the tasks' files, and no other's."""
    place = tempfile.mkdtemp(prefix="left-")
    other = os.path.join(place, "task-runner-python")
    os.mkdir(other, 0o700)
    settings = dict(TMPDIR=place, N8N_RUNNERS_TASK_TMP_MB="4")
    broker = Broker(build)
    try:
        living = Runner(build, broker, **settings)
        broker.wait("offer")
        mine = set(os.listdir(place))
        killed = Runner(build, broker, **settings)
        broker.wait("registered")
        folder, = set(os.listdir(place)) - mine
        os.makedirs(os.path.join(place, folder, "7", "deep"))
        open(os.path.join(place, folder, "7", "deep", "file"), "w").close()
        killed.process.kill()
        killed.wait()
        living.stop()
        next_one = Runner(build, broker, **settings)
        broker.wait("registered")
        assert result_of(broker.run("return 1")) == 1
        assert len(os.listdir(place)) == 2 and folder not in os.listdir(place), os.listdir(place)
        another = Runner(build, broker, **settings)
        broker.wait("registered")
        assert len(os.listdir(place)) == 3, "a living runner's folder is gone: %s" % os.listdir(place)
        assert (next_one.stop(), another.stop()) == (0, 0)
        assert os.listdir(place) == ["task-runner-python"]
    finally:
        broker.stop()
        shutil.rmtree(place)
