"""Again: the same code, whose compiled form serves the next task, and the same task, when its process has
died before it had begun. Nobody can tell."""
import os
import signal
import time

from harness import Broker, Pair, Runner, case, error_of, processes_below, result_of

RUNS = 3  # the first compiles, the others are given what came of it
ERRORS = [  # code, message, line
    ("x = 1\n\nraise ValueError('no')", "no", 3),
    ("def f():\n    return 1 / 0\nreturn f()", "division by zero", 2),
    ("return _items[0]['json']['missing']", "list index out of range", 1),
    ("return 1 +", "invalid syntax (<code>, line 1)", 1),
    ("import os\nreturn os.getcwd()", "Security violations detected", None),
    ("x = 'a'.__class__", "Security violations detected", None),
]


@case
def errors_are_the_same_each_time(build):
    with Pair(build) as pair:
        for code, message, line in ERRORS:
            first, *others = [error_of(pair.broker.run(code)) for _ in range(RUNS)]
            assert first["message"] == message, first
            assert first.get("lineNumber") == line, first
            assert others == [first] * len(others), (first, others)


@case
def every_task_has_its_own_items_and_its_own_state(build):
    code = "seen = []\nfor item in _items:\n    seen.append(item['json'])\nreturn seen"
    with Pair(build) as pair:
        for n in range(RUNS):
            assert result_of(pair.broker.run(code, [{"json": n}])) == [n]


@case
def one_text_is_two_codes_in_two_modes(build):
    with Pair(build) as pair:
        for _ in range(RUNS):
            assert result_of(pair.broker.run("return 7")) == 7
            assert result_of(pair.broker.each("return 7", [{"json": {}}])) == [
                {"json": 7, "pairedItem": {"item": 0}}]


@case
def functions_classes_and_patterns_come_through(build):
    code = """
import json
class Point:
    kind = 'point'
    def __init__(self, x, y=(1, 2.5, None, b'b', 3j)):
        self.x, self.y = x, y
def outer(n):
    def inner(m):
        nonlocal n
        n += m
        return n
    return inner
p = Point(3)
p.x += 4
match {'a': 1}:
    case {'a': int() as found}:
        pass
return [p.x, str(p.y), p.kind, outer(1)(2), found, '{:>3}'.format(p.x), json.dumps({'a': [1]}),
        sum(i for i in range(4)), (lambda a, *b, c=5, **d: a + c)(1), f'{p.x!r:>4}', 10**40, '\\ud800' > '']
"""
    expected = [7, "(1, 2.5, None, b'b', 3j)", "point", 3, 1, "  7", '{"a": [1]}', 6, 6, "   7", 10**40, True]
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="json", N8N_RUNNERS_BUILTINS_DENY="eval") as pair:
        for _ in range(RUNS):
            assert result_of(pair.broker.run(code)) == expected


@case
def more_codes_than_are_kept(build):
    with Pair(build) as pair:
        for n in [*range(520), *range(5)]:
            assert result_of(pair.broker.run("return %d" % n)) == n


@case
def code_that_is_too_long_to_be_kept(build):
    comment = "#" + "x" * 40000 + "\nreturn 1"
    compiled = "return [%s]" % ", ".join("_items or %d.5" % n for n in range(2000))
    with Pair(build) as pair:
        for _ in range(RUNS):
            assert result_of(pair.broker.run(comment)) == 1
            assert len(result_of(pair.broker.run(compiled))) == 2000
            # and with items that take another way
            assert result_of(pair.broker.run("return len(_items)", [{"json": "x" * 100}] * 1000)) == 1000


@case
def code_lives_on_when_python_does_not(build):
    with Pair(build) as pair:
        assert result_of(pair.broker.run("return len(_items)", [{"json": 1}])) == 1
        os.kill(processes_below(pair.runner.process.pid)[0], signal.SIGKILL)
        pair.runner.line("starting another")
        for n in range(RUNS):
            assert result_of(pair.broker.run("return len(_items)", [{"json": n}])) == 1


def waiting(pair):
    """The processes that wait for a task, once there is one."""
    while True:
        found = []
        for process in processes_below(pair.runner.process.pid):
            try:
                with open("/proc/%d/comm" % process) as name:
                    found += [process] if name.read().strip() == "runner-task" else []
            except OSError:
                pass  # it has just ended
        if found:
            return found
        time.sleep(0.01)


def send(processes, number):
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            pass  # the last task's


@case
def a_task_whose_process_dies_before_it_has_read_it_is_run_by_another(build):
    small, large = [{"json": {"n": 1}}], [{"json": {"n": "x" * 1000}}] * 1000
    with Pair(build) as pair:
        for code, items in [("return len(_items)", small), ("return len(_items)", small),
                            ("return len(_items)", large), ("return [len(_items)]", large)]:
            stopped = waiting(pair)
            send(stopped, signal.SIGSTOP)
            task = pair.broker.task(code, items)
            pair.broker.wait("accepted", taskId=task)
            time.sleep(0.1)  # time to be given; given or not, it has not begun
            send(stopped, signal.SIGKILL)
            assert result_of(pair.broker.end(task)) in (len(items), [len(items)])


@case
def a_task_whose_process_dies_before_its_settings_come_is_run_by_another(build):
    with Pair(build) as pair:
        found = waiting(pair)
        pair.broker.say(cmd="task", taskId="t", settingsDelayMs=300, settings={
            "code": "return 1", "nodeMode": "runOnceForAllItems", "items": []})
        pair.broker.wait("accepted", taskId="t")
        send(found, signal.SIGKILL)
        assert result_of(pair.broker.end("t")) == 1


@case
def tasks_that_come_as_python_dies_are_run_by_the_next(build):
    with Pair(build) as pair:
        for _ in range(3):
            assert result_of(pair.broker.run("return 1")) == 1
            children = waiting(pair)
            pair.runner.signal(signal.SIGSTOP)
            send(children, signal.SIGKILL)
            time.sleep(0.1)  # what Python says of that, the runner reads before it learns of its end
            send(processes_below(pair.runner.process.pid), signal.SIGKILL)
            tasks = [pair.broker.task("return %d" % n) for n in range(5)]
            time.sleep(0.1)
            pair.runner.signal(signal.SIGCONT)
            ends = {event["taskId"]: event for event in (pair.broker.wait("done", "error", "lost") for _ in tasks)}
            assert [result_of(ends[task]) for task in tasks] == list(range(5))
        assert not any(event["event"] == "rejected" for event in pair.broker.seen)


@case
def a_python_that_is_killed_as_it_starts_is_started_again(build):
    broker = Broker(build)
    runner = Runner(build, broker, N8N_RUNNERS_STDLIB_ALLOW="*")
    while not (below := processes_below(runner.process.pid)):
        time.sleep(0.001)
    send(below, signal.SIGKILL)
    assert result_of(broker.run("return 1")) == 1
    assert runner.stop() == 0
    broker.stop()


@case
def a_task_ends_once_when_its_end_and_its_time_come_together(build):
    code = "import time\ntime.sleep(0.6)\nfor n in range(60):\n    print(n)\nreturn %s"
    for end in ("'x' * 2000000", "1", "{1: float('nan')}"):
        with Pair(build, N8N_RUNNERS_TASK_TIMEOUT="1", N8N_RUNNERS_STDLIB_ALLOW="time",
                  N8N_RUNNERS_MAX_PAYLOAD="1000000") as pair:
            pair.broker.run("return 1")
            task = pair.broker.task(code % end)
            pair.broker.wait("accepted", taskId=task)
            time.sleep(0.3)
            pair.runner.signal(signal.SIGSTOP)  # the host sees all of it at once, when its time is over
            time.sleep(0.9)
            pair.runner.signal(signal.SIGCONT)
            pair.broker.end(task)
            assert result_of(pair.broker.run("return 3")) == 3
            ends = [e for e in pair.broker.seen if e["event"] in ("done", "error") and e["taskId"] == task]
            assert len(ends) == 1, ends


MANY_THREADS = """
import threading, time
for n in range(300):
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
time.sleep(60)
"""


@case
def the_second_process_of_a_task_is_watched_like_the_first(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*",
              N8N_RUNNERS_BUILTINS_DENY="") as pair:
        pair.broker.run("return 1")
        stopped = waiting(pair)
        send(stopped, signal.SIGSTOP)
        task = pair.broker.task(MANY_THREADS)
        pair.broker.wait("accepted", taskId=task)
        time.sleep(0.3)  # the guard has looked at the first one
        send(stopped, signal.SIGKILL)
        error = error_of(pair.broker.end(task))
        assert "threads" in str(error), error
