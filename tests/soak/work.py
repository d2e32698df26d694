"""What the tasks of a soak are, and what each must come to; one function a kind, which takes a Random."""
import json

LOOP = "while True: pass"
TIMEOUT = 5  # s, of a task
MEMORY_MB = 256
TMP_MB = 4
PRINTS_MOST = 1000  # calls that reach the browser
DENIED = ("eval,exec,compile,input,breakpoint,getattr,object,type,vars,setattr,delattr,hasattr,dir,memoryview,"
          "__build_class__,globals,locals,license,help,credits,copyright")
SETTINGS = dict(N8N_RUNNERS_STDLIB_ALLOW="json,time,os", N8N_RUNNERS_TASK_TIMEOUT=str(TIMEOUT),
                N8N_RUNNERS_TASK_MEMORY_MB=str(MEMORY_MB), N8N_RUNNERS_TASK_TMP_MB=str(TMP_MB),
                N8N_RUNNERS_BUILTINS_DENY=DENIED, N8N_RUNNERS_LAUNCHER_LOG_LEVEL="warn",
                N8N_RUNNERS_GRACEFUL_SHUTDOWN_TIMEOUT="30")


class Work:
    """One task. `result` or `message` (of the error) is what it must come to, `prints` what it prints;
    `cancel`: "running", once it has printed; "any", at a moment of chance."""

    def __init__(self, code, items=(), mode="runOnceForAllItems", result=None, message=None, line=None,
                 prints=(), cancel=None, **settings):
        self.kind = None
        self.result, self.message, self.line, self.prints, self.cancel = result, message, line, list(prints), cancel
        self.settings = dict({"code": code, "items": list(items), "nodeMode": mode, "continueOnFail": False,
                              "workflowMode": "manual", "workflowId": "w", "workflowName": "Soak", "nodeId": "n",
                              "nodeName": "Code"}, **settings)

    def fault(self, event, prints):
        """What is wrong with how it ended, a sentence; None: nothing."""
        error = event.get("error") or {}
        if self.cancel == "any" and error.get("message") == "Task was cancelled":
            return None
        if self.message is not None:
            if event["event"] != "error" or error.get("message") != self.message:
                return "not the error %r" % self.message
            if self.line is not None and error.get("lineNumber") != self.line:
                return "not the error of line %d" % self.line
        elif event["event"] != "done" or event["data"]["result"] != self.result:
            return "not its result"
        return None if prints == self.prints else "it printed %d lines, not these %d" % (len(prints), len(self.prints))


def numbers(random, most=20):
    return [{"json": {"n": random.randrange(10**6)}} for _ in range(random.randint(1, most))]


def quick(random):
    items = numbers(random)
    return Work("return [{'json': {'n': item['json']['n'] * 2}} for item in _items]", items,
                result=[{"json": {"n": item["json"]["n"] * 2}} for item in items])


def each(random):
    items = numbers(random)
    return Work("return {'n': _item['json']['n'] + 1}", items, "runOnceForEachItem",
                result=[{"json": {"n": item["json"]["n"] + 1}, "pairedItem": {"item": index}}
                        for index, item in enumerate(items)])


def new_code(random):
    """Not in the cache of compiled code."""
    number = random.randrange(10**12)
    return Work("n = %d\nreturn n" % number, result=number)


def tool(random):
    query = "q%d" % random.randrange(10**6)
    return Work("return _query.upper()", result=query.upper(), query=query)


def slow(random):
    pause = random.uniform(0.01, 0.3)
    return Work("import time\ntime.sleep(%f)\nreturn 'slept'" % pause, result="slept")


def busy(random):
    count = random.randrange(10**5, 10**6)
    return Work("return sum(range(%d))" % count, result=count * (count - 1) // 2)


def failing(random):
    number = random.randrange(10)
    return Work("x = %d\n\nraise ValueError('no %%d' %% x)" % number, message="no %d" % number, line=3)


def covered(random):
    number = random.randrange(10)
    return Work("raise ValueError('no %d')" % number, result=[{"json": {"error": "no %d" % number}}],
                continueOnFail=True)


def exiting(random):
    code = random.randint(1, 100)
    return Work("raise SystemExit(%d)" % code, message="Process exited with code %d" % code)


def denied(random):
    return Work(random.choice(["import socket", "x = 'a'.__class__", "from .a import b"]),
                message="Security violations detected")


def denied_at_run_time(random):
    return Work(random.choice(["import json\nreturn json.codecs", "return open('/etc/passwd').read()"]),
                message="Security violation detected")


def no_python(random):
    return Work("return %d +" % random.randrange(10), message="invalid syntax (<code>, line 1)")


def too_much_memory(random):
    return Work("x = 'x' * %d\nreturn 1" % ((MEMORY_MB << 20) * 4), message="MemoryError")


def writing(random):
    size = random.randrange(1, TMP_MB << 19)
    return Work("import os\npath = os.environ['TMPDIR'] + '/mine'\nwith open(path, 'w') as file:\n"
                "    file.write('x' * %d)\nwith open(path) as file:\n    return len(file.read())" % size, result=size)


def huge_both_ways(random):
    items = [{"json": {"n": n, "text": "ü%d " % random.randrange(100) * random.randint(10, 300)}}
             for n in range(random.randint(500, 3000))]
    return Work("return _items", items, result=items)


def huge_result(random):
    size = random.randrange(10**6, 2 * 10**7)
    return Work("return 'x' * %d" % size, result="x" * size)


def huge_items(random):
    items = [{"json": "y" * 10**4}] * random.randint(20, 1000)
    return Work("return len(_items)", items, result=len(items))


def printing(random):
    count = random.choice([1, 2, 10, 100, 999, 1000, 1001, 1500])
    prints = [["%d" % n, "'line'"] for n in range(min(count, PRINTS_MOST))]
    if count > PRINTS_MOST:
        prints.append(["[Output truncated - %d more print statements]" % (count - PRINTS_MOST)])
    return Work("for n in range(%d): print(n, 'line')\nreturn 'printed'" % count, prints=prints, result="printed")


def cancelled(random):
    return Work("print('runs')\n" + random.choice([LOOP, "import time\ntime.sleep(60)"]), prints=[["'runs'"]],
                cancel="running", message="Task was cancelled")


def cancelled_at_any_moment(random):
    return Work("import time\ntime.sleep(%f)\nreturn 'done'" % random.uniform(0, 0.02), cancel="any", result="done")


def timing_out(random):
    return Work(random.choice([LOOP, "import time\ntime.sleep(60)"]),
                message="Task execution timed out after %d seconds" % TIMEOUT)


SHORT = {quick: 400, each: 100, new_code: 40, tool: 20, slow: 20, busy: 30, failing: 40, covered: 20, exiting: 10,
         denied: 30, denied_at_run_time: 20, no_python: 10, too_much_memory: 10, writing: 20, huge_both_ways: 4,
         huge_result: 3, huge_items: 5, printing: 15, cancelled: 10, cancelled_at_any_moment: 30}
ALL = {**SHORT, timing_out: 1}


def some(random, kinds):
    """A task of a kind of chance."""
    kind, = random.choices(list(kinds), list(kinds.values()))
    work = kind(random)
    work.kind = kind.__name__
    return work
