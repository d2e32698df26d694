"""What an operator sees: /metrics, /healthz, and the log of what ends badly."""
import contextlib
import json
import math
import os
import re
import shutil
import signal
import tempfile
import time
import urllib.error
import urllib.request

from harness import Pair, case, error_of, result_of

LIMIT = 60
LOOP = "print('runs')\nwhile True: pass"
HEALTH = dict(N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED="true", N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT="0")
PLAIN = dict(N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*", N8N_RUNNERS_BUILTINS_DENY="")
README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")


def get(runner, path):
    """Status, type and text of what the health check server answers."""
    port = int(runner.line("Health check server listening").rsplit(" ", 1)[1])
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open("http://127.0.0.1:%d%s" % (port, path), timeout=LIMIT) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


# ---- /metrics ----

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)+)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def family_of(name, types):
    for end in ("_bucket", "_sum", "_count"):
        if name.endswith(end) and types.get(name[:-len(end)]) == "histogram":
            return name[:-len(end)]
    return name


def parse(text):
    """Prometheus' text format, read strictly: {(name, labels): value} and {family: type}."""
    assert text.endswith("\n"), text[-50:]
    samples, types, helped = {}, {}, set()
    for line in text[:-1].split("\n"):
        words = line.split(" ", 3)
        if words[:2] == ["#", "HELP"]:
            assert words[2] not in helped and words[3], line
            helped.add(words[2])
        elif words[:2] == ["#", "TYPE"]:
            assert words[2] in helped and words[2] not in types, line
            assert words[3] in ("counter", "gauge", "histogram"), line
            assert (words[3] == "counter") == words[2].endswith("_total"), line
            types[words[2]], last = words[3], words[2]
        else:
            match = SAMPLE.fullmatch(line)
            assert match, line
            name, labels, value = match.groups()
            key = name, tuple(LABEL.findall(labels or ""))
            assert family_of(name, types) == last, "%s stands below %s" % (line, last)
            assert key not in samples, line
            samples[key] = float(value)
    assert helped == set(types)
    for family in (name for name, kind in types.items() if kind == "histogram"):
        buckets = [(float(dict(labels)["le"]), value) for (name, labels), value in samples.items()
                   if name == family + "_bucket"]
        assert buckets == sorted(buckets) and buckets[-1][0] == math.inf, buckets
        assert [value for _, value in buckets] == sorted(value for _, value in buckets), buckets
        assert buckets[-1][1] == samples[family + "_count", ()], family
        assert samples[family + "_sum", ()] >= 0, family
    return samples, types


class Metrics:
    """One look at /metrics."""

    def __init__(self, runner):
        status, kind, text = get(runner, "/metrics")
        assert status == 200 and kind == "text/plain; version=0.0.4; charset=utf-8", (status, kind)
        self.samples, self.types = parse(text)

    def __call__(self, name, **labels):
        return self.samples["task_runner_" + name, tuple(labels.items())]

    def outcomes(self):
        return {dict(labels)["outcome"]: int(value) for (name, labels), value in self.samples.items()
                if name == "task_runner_tasks_total" and value}


def comes(runner, what, wanted):
    """Waits until `what` of the metrics is what is wanted."""
    deadline = time.monotonic() + LIMIT
    while what(Metrics(runner)) != wanted:
        assert time.monotonic() < deadline, "%s, not %s" % (what(Metrics(runner)), wanted)
        time.sleep(0.01)


@case
def metrics_are_what_prometheus_reads_and_the_readme_lists(build):
    with Pair(build, **HEALTH) as pair:
        metrics = Metrics(pair.runner)
        assert all(name.startswith("task_runner_") for name in metrics.types), metrics.types
        assert metrics("slots") == 5 and metrics("broker_up") == 1 and metrics("zygote_up") == 1
        comes(pair.runner, lambda m: m("offers_open"), 5)
        comes(pair.runner, lambda m: m("children_waiting"), 1)
        (labels,) = [dict(labels) for name, labels in metrics.samples if name == "task_runner_build_info"]
        assert list(labels) == ["version", "python", "libwebsockets"] and all(labels.values()), labels
        assert re.match(r"3\.\d+\.\d+", labels["python"]), labels
        with open(README) as file:
            readme = file.read()
        listed = set(re.findall(r"^\| `(task_runner_\w+)", readme, re.M))
        assert listed == set(metrics.types), listed ^ set(metrics.types)
        outcomes = {dict(labels)["outcome"] for name, labels in metrics.samples
                    if name == "task_runner_tasks_total"}
        assert all("`%s`" % outcome in readme for outcome in outcomes), outcomes


@case
def tasks_are_counted_by_how_they_end(build):
    with Pair(build, N8N_RUNNERS_TASK_TIMEOUT="1", N8N_RUNNERS_MAX_PAYLOAD="20000", **HEALTH) as pair:
        for _ in range(3):
            assert result_of(pair.broker.run("return 1")) == 1
        error_of(pair.broker.run("raise ValueError('no')"))
        pair.broker.run("raise ValueError('no')", continueOnFail=True)
        error_of(pair.broker.run("import os"))
        error_of(pair.broker.run("return ("))
        error_of(pair.broker.run("return 1", mode="sometimes"))
        error_of(pair.broker.run("return 'x' * 30000"))
        error_of(pair.broker.run("while True: pass"))
        metrics = Metrics(pair.runner)
        assert metrics.outcomes() == dict(done=3, raised=2, violation=1, syntax=1, invalid=1, too_large=1,
                                          timeout=1), metrics.outcomes()
        assert metrics("task_duration_seconds_count") == 10
        assert 1 <= metrics("task_duration_seconds_sum") < LIMIT
        assert metrics("task_queue_seconds_count") == 9  # one was never given to a process
        comes(pair.runner, lambda m: m("fork_seconds_count") >= 9, True)
        assert metrics("tasks_running") == 0


@case
def tasks_that_end_otherwise_are_counted_too(build):
    with Pair(build, N8N_RUNNERS_MAX_CONCURRENCY="2", **HEALTH, **PLAIN) as pair:
        say, wait = pair.broker.say, pair.broker.wait
        task = pair.broker.task(LOOP)
        wait("rpc", taskId=task)
        assert Metrics(pair.runner)("tasks_running") == 1
        say(cmd="cancel", taskId=task, reason="enough")
        wait("error", taskId=task)
        say(cmd="task", taskId="waits", settings=None)
        wait("accepted", taskId="waits")
        assert Metrics(pair.runner)("tasks_waiting") == 1
        say(cmd="cancel", taskId="waits", reason="enough")
        comes(pair.runner, Metrics.outcomes, dict(cancelled=1, withdrawn=1))
        error_of(pair.broker.run("import os\nos._exit(7)"))
        error_of(pair.broker.run("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
        error_of(pair.broker.run("import os\nos.write(3, b'x' * 100)\nwhile True: pass"))
        metrics = Metrics(pair.runner)
        assert metrics.outcomes() == dict(cancelled=1, withdrawn=1, exited=1, killed=1, breach=1), metrics.outcomes()
        assert metrics("faults_total", fault="breach") == 1
        assert metrics("zygote_restarts_total") == 0
        task = pair.broker.task(LOOP)
        wait("rpc", taskId=task)
        end_zygote(pair.runner)
        wait("error", taskId=task)
        assert result_of(pair.broker.run("return 1")) == 1
        metrics = Metrics(pair.runner)
        assert metrics.outcomes()["lost"] == 1 and metrics("zygote_restarts_total") == 1
        assert metrics("faults_total", fault="python_gone") == 1
        task = pair.broker.task(LOOP)
        wait("rpc", taskId=task)
        say(cmd="drop")
        wait("offer")
        metrics = Metrics(pair.runner)
        assert metrics.outcomes()["dropped"] == 1 and metrics("broker_connections_total") == 2


@case
def bytes_and_rejections_are_counted(build):
    with Pair(build, **HEALTH) as pair:
        before = Metrics(pair.runner)
        pair.broker.run("return _items", items=[{"json": {"text": "x" * 100000}}])
        pair.broker.say(cmd="accept", taskId="late", offerId="never-ours")
        pair.broker.wait("rejected", taskId="late")
        after = Metrics(pair.runner)
        for name in ("received_bytes_total", "sent_bytes_total"):
            assert 100000 < after(name) - before(name) < 110000, (name, before(name), after(name))
        assert after("tasks_rejected_total", reason="expired") == 1
        assert after("tasks_rejected_total", reason="capacity") == 0


# ---- /healthz ----

def end_zygote(runner):
    with open("/proc/%d/task/%d/children" % ((runner.process.pid,) * 2)) as children:
        os.kill(int(children.read().split()[0]), signal.SIGKILL)


@contextlib.contextmanager
def programs(build):
    """A folder with the two programs, for tests that take one away."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("task-runner-python", "task-runner-zygote"):
            shutil.copy(os.path.join(build, name), folder)
        yield folder


@case
def health_is_503_when_python_cant_be_brought_back(build):
    with programs(build) as folder, Pair(folder, demo=build, **HEALTH) as pair:
        assert get(pair.runner, "/healthz")[::2] == (200, '{"status":"ok"}')
        os.rename(os.path.join(folder, "task-runner-zygote"), os.path.join(folder, "elsewhere"))
        end_zygote(pair.runner)
        deadline = time.monotonic() + LIMIT
        while get(pair.runner, "/healthz")[0] == 200:
            assert time.monotonic() < deadline, pair.runner.err
            time.sleep(0.05)
        status, kind, text = get(pair.runner, "/healthz")
        assert status == 503 and kind == "application/json", (status, kind)
        assert json.loads(text) == {"status": "unavailable", "reason":
            "the Python process that tasks are forked from can't be brought back"}, text
        assert get(pair.runner, "/")[::2] == (200, '{"status":"ok"}')  # as any other path
        metrics = Metrics(pair.runner)
        assert metrics("zygote_up") == 0 and metrics("faults_total", fault="python_again") >= 2
        os.rename(os.path.join(folder, "elsewhere"), os.path.join(folder, "task-runner-zygote"))
        assert result_of(pair.broker.run("return 1")) == 1


# ---- the log ----

@case
def whatever_ends_badly_is_logged_with_its_names(build):
    names = dict(nodeName="My\nnode", nodeId="node-1", workflowName='My "flow"', workflowId="flow-1")
    where = ', for node "My\\x0anode" (node-1) in workflow "My "flow"" (flow-1)'
    with Pair(build, N8N_RUNNERS_TASK_TIMEOUT="1", N8N_RUNNERS_MAX_PAYLOAD="20000", **PLAIN) as pair:
        rows = [("while True: pass", " timed out after 1.", ": 1 s are allowed"),
                ("import os\nos._exit(7)", " ended without a result after ", ": exit code 7"),
                ("import os\nos.abort()", " ended without a result after ", ": signal 6 (Aborted)"),
                ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", " was killed after ",
                 ": signal 9 (Killed)"),
                ("return 'x' * 30000", " had a result that is too large after ", ": 20000 bytes are allowed"),
                ("import os\nos.write(3, b'x' * 100)\nwhile True: pass",
                 " sent what is no valid result after ", "")]
        for code, words, more in rows:
            task = pair.broker.task(code, **names)
            error_of(pair.broker.end(task))
            line = pair.runner.line("Task %s " % task)
            assert line.startswith("Task " + task + words) and line.endswith(where + more), line
            assert line in pair.runner.err, line
        quiet = [pair.broker.run(code, **names)["taskId"]
                 for code in ("raise ValueError('secret')", "return (", "return 1")]
        task = pair.broker.task("print('runs')\nwhile True: pass", **names)
        pair.broker.wait("rpc", taskId=task)
        pair.broker.say(cmd="cancel", taskId=task, reason="enough")
        error_of(pair.broker.end(task))
        assert pair.runner.line("Task %s was cancelled after" % task).endswith(where)
        lost = pair.broker.task("print('runs')\nwhile True: pass", **names)
        pair.broker.wait("rpc", taskId=lost)
        end_zygote(pair.runner)
        assert pair.runner.line("Task %s was lost with the Python process after" % lost).endswith(where)
        pair.broker.end(lost)
        left = pair.broker.task("print('runs')\nwhile True: pass", **names)
        pair.broker.wait("rpc", taskId=left)
        pair.broker.say(cmd="drop")
        assert pair.runner.line("Task %s was ended, and not answered, after" % left).endswith(
            where + ": the connection to the broker is lost")
        pair.broker.wait("offer")
        for task in quiet:  # between the code and its user
            assert not any("Task %s " % task in line for line in pair.runner.out + pair.runner.err), task


@case
def what_the_code_raised_is_logged_at_debug(build):
    with Pair(build, N8N_RUNNERS_LAUNCHER_LOG_LEVEL="debug") as pair:
        for code, words in (("raise ValueError('secret')", "raised an exception"), ("import os", "was refused"),
                            ("return (", "turned out to be no Python")):
            task = pair.broker.task(code)
            error_of(pair.broker.end(task))
            pair.runner.line("Task %s %s after " % (task, words))
        assert not any("secret" in line for line in pair.runner.out + pair.runner.err)


@case
def a_burst_of_the_same_line_is_gathered(build):
    with Pair(build, **PLAIN) as pair:
        for _ in range(12):
            error_of(pair.broker.run("import os\nos._exit(7)"))
            assert result_of(pair.broker.run("return 1")) == 1
        error_of(pair.broker.run("import os\nos.write(3, b'x' * 100)\nwhile True: pass"))
        assert pair.runner.stop() == 0
        lines = [line for line in pair.runner.err if "ended without a result" in line]
        shown = [line for line in lines if line.startswith("Task ")]
        gathered = [re.match(r"\.\.\. and (\d+) more like it in \d+ s, the last: Task task-\d+ ended without", line)
                    for line in lines if not line.startswith("Task ")]
        assert all(gathered) and len(shown) + sum(int(match[1]) for match in gathered) == 12, lines
        assert len(shown) < 12 and len([line for line in pair.runner.err if "no valid result" in line]) == 1
        assert len([line for line in pair.runner.out if line.startswith("Completed task")]) == 12, pair.runner.out
