"""The real runner against the demo broker: what every conformance case stands on.

A case is a function that takes a Pair and asserts. Nothing here depends on how fast the machine is:
waits end when what is waited for comes, and their limits only end a run that hangs.
"""
import contextlib
import importlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
import traceback

LIMIT = 60  # seconds until a wait counts as a hang

started = []  # every process of the case at work


def kill_leftovers():
    """Ends what a failed case has left running."""
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
    started.clear()


def processes_below(pid):
    """Every process that descends from `pid`."""
    found = [pid]
    for parent in found:
        try:
            with open("/proc/%d/task/%d/children" % (parent, parent)) as children:
                found.extend(int(child) for child in children.read().split())
        except OSError:
            pass
    return found[1:]


def lives(pid):
    """Is there such a process, and not only what its parent has not asked for yet?"""
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


class Broker:
    """A demo broker and its events."""

    def __init__(self, build, *options, token="secret-auth-token"):
        self.token = token
        self.process = subprocess.Popen(
            [os.path.join(build, "demo-broker"), "--port", "0", "--auth-token", token, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        started.append(self.process)
        self.events = queue.Queue()
        self.seen = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.port = self.wait("listening")["port"]
        self.tasks = 0

    def _read(self):
        """The events, and None at their end, whatever ended them: who waits for it must not hang."""
        try:
            for line in self.process.stdout:
                if not line.endswith(b"\n"):
                    break  # a broker that is killed may leave a part of its last one
                event = json.loads(line, strict=False)
                event["raw"] = line
                self.events.put(event)
        finally:
            self.events.put(None)

    @property
    def uri(self):
        return "http://127.0.0.1:%d" % self.port

    def say(self, **command):
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        self.process.stdin.flush()

    def order(self, **command):
        """Says it and waits until it counts: commands are carried out in turn, and the last is answered."""
        self.say(**command)
        self.say(cmd="grant")
        self.wait("grant")

    def say_raw(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def wait(self, *names, **fields):
        """The next event with one of these names and these fields; others are kept in `seen`."""
        deadline = time.monotonic() + LIMIT
        while True:
            try:
                event = self.events.get(timeout=max(0.01, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError("no %s %s came; seen: %s" % (names, fields, self.seen[-5:]))
            assert event is not None, "the broker ended while %s was waited for" % (names,)
            self.seen.append(event)
            if event["event"] in names and all(event.get(k) == v for k, v in fields.items()):
                return event

    def task(self, code, items=None, mode="runOnceForAllItems", **settings):
        """Starts a task and returns its id."""
        self.tasks += 1
        task_id = "task-%d" % self.tasks
        self.say(cmd="task", taskId=task_id, settings=dict(
            {"code": code, "nodeMode": mode, "items": [] if items is None else items,
             "continueOnFail": False, "workflowMode": "manual", "workflowId": "w1",
             "workflowName": "Flow", "nodeId": "n1", "nodeName": "Code"}, **settings))
        return task_id

    def run(self, code, items=None, mode="runOnceForAllItems", **settings):
        """Runs a task to its end; returns the done or error event, with the prints before it."""
        task_id = self.task(code, items, mode, **settings)
        return self.end(task_id)

    def end(self, task_id):
        start = len(self.seen)
        event = self.wait("done", "error", taskId=task_id)
        event["prints"] = [e["params"] for e in self.seen[start:]
                           if e["event"] == "rpc" and e["taskId"] == task_id]
        return event

    def each(self, code, items, **settings):
        return self.run(code, items, "runOnceForEachItem", **settings)

    def stop(self):
        if self.process.poll() is None:
            try:
                self.say(cmd="quit")
                self.process.wait(LIMIT)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
                self.process.wait()
        self.reader.join(LIMIT)
        with contextlib.suppress(BrokenPipeError):  # what it was not there to hear
            self.process.stdin.close()
        self.process.stdout.close()


class Runner:
    """The real runner with an environment of the case's choosing."""

    def __init__(self, build, broker=None, arguments=(), prefix=(), program=None, stdin=subprocess.DEVNULL,
                 stdout=None, **settings):
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin")}
        if broker:
            env.update(N8N_RUNNERS_TASK_BROKER_URI=broker.uri, N8N_RUNNERS_AUTH_TOKEN=broker.token)
        env.update({k: v for k, v in settings.items() if v is not None})
        for name in [k for k, v in settings.items() if v is None]:
            env.pop(name, None)
        program = program or os.path.join(build, "task-runner-python")
        self.process = subprocess.Popen([*prefix, program, *arguments], env=env, stdin=stdin,
                                        stdout=subprocess.PIPE if stdout is None else stdout,
                                        stderr=subprocess.PIPE)
        started.append(self.process)
        self.out, self.err = [], []
        self.readers = [self._reader(stream, lines) for stream, lines in (
            (self.process.stdout, self.out), (self.process.stderr, self.err)) if stream]

    @staticmethod
    def _reader(stream, lines):
        def read():
            for line in stream:
                lines.append(line.decode(errors="replace").rstrip("\n"))
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        return thread

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """Waits for its end; returns the exit code."""
        code = self.process.wait(LIMIT)
        for reader in self.readers:
            reader.join(LIMIT)
        return code

    def line(self, text):
        """Waits for a line with `text` on either stream."""
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            for line in self.out + self.err:
                if text in line:
                    return line
            time.sleep(0.005)
        raise AssertionError("no line with %r; out: %s err: %s" % (text, self.out, self.err))

    def stop(self):
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait()


class Pair:
    """A broker and a registered runner; `demo`: where the broker stands, if not beside the runner."""

    def __init__(self, build, broker_options=(), prefix=(), demo=None, **settings):
        self.build = build
        self.broker = Broker(demo or build, *broker_options)
        self.runner = Runner(build, self.broker, prefix=prefix, **settings)
        self.broker.wait("offer")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            code = self.runner.stop()
        finally:
            self.broker.stop()
        if not error[0]:
            assert code == 0, "the runner's exit code is %s: %s" % (code, self.runner.err)
            problems = [l for l in self.runner.err if "Sanitizer" in l or "runtime error" in l]
            assert not problems, "\n".join(self.runner.err)


def case(function):
    function.is_case = True
    return function


def cases_of(folder):
    """Name and function of every case in the folder's case_*.py, which must be on the path."""
    for name in sorted(os.listdir(folder)):
        if name.startswith("case_") and name.endswith(".py"):
            module = importlib.import_module(name[:-3])
            for function in list(vars(module).values()):
                if getattr(function, "is_case", False):
                    yield name[5:-3] + "." + function.__name__, function


def run_suite(folder):
    """Runs the folder's cases as the command line says: BUILD [WORD]. Ends in a line that counts."""
    build, word = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    passed, failed = 0, []
    for name, function in cases_of(folder):
        if word not in name:
            continue
        began = time.monotonic()
        try:
            function(build)
            passed += 1
            print("ok      %-70s %6.2f s" % (name, time.monotonic() - began), flush=True)
        except Exception:
            failed.append(name)
            print("FAILED  %s\n%s" % (name, traceback.format_exc()), flush=True)
        finally:
            kill_leftovers()
    if failed:
        print("failed: %s" % ", ".join(failed))
    print("%s: %d passed, %d failed" % (os.path.basename(folder), passed, len(failed)))
    return 1 if failed or not passed else 0


def result_of(event):
    assert event["event"] == "done", "an error came: %s" % event.get("error")
    return event["data"]["result"]


def error_of(event):
    assert event["event"] == "error", "a result came: %s" % event.get("data")
    return event["error"]
