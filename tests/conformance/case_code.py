"""What user code sees and may return, one row per sentence; one runner serves them all."""
from harness import Pair, case, error_of, result_of

RESULTS = [
    ("a list of items", "return [{'json': {'n': 1}}]", [{"json": {"n": 1}}]),
    ("None gives an empty list", "return None", []),
    ("no return gives an empty list", "x = 1", []),
    ("empty code gives an empty list", "", []),
    ("a comment alone gives an empty list", "# nothing", []),
    ("any value goes back as it is", "return 'text'", "text"),
    ("numbers", "return [1, 1.5, -0.0, 1e300, 10**30]", [1, 1.5, -0.0, 1e300, 10**30]),
    ("NaN and Infinity become null", "return [float('nan'), float('inf'), -float('inf')]", [None] * 3),
    ("every character survives", "return '\\u00e4\\u20ac\\U0001f600\\x00\\x1f\\\\\"/'", "ä€😀\x00\x1f\\\"/"),
    ("tuples are lists", "return (1, (2, 3))", [1, [2, 3]]),
    ("what JSON lacks becomes its str()", "return [b'x', {1}, 1j]", ["b'x'", "{1}", "1j"]),
    ("keys as json.dumps writes them", "return {2: 1, 1.5: 2, True: 3, None: 4, 'x': 5}",
     {"2": 1, "1.5": 2, "true": 3, "null": 4, "x": 5}),
    ("other keys by str()", "return {(1, 2): 3}", {"(1, 2)": 3}),
    ("CRLF", "x = 1\r\nif x:\r\n    x = 2\r\nreturn x", 2),
    ("tabs", "if True:\n\tx = 3\nreturn x", 3),
    ("a multi-line string keeps its indentation", "return '''a\n  b\n\tc'''", "a\n  b\n\tc"),
    ("functions and closures", "n = 2\ndef f(x):\n    return x * n\nreturn [f(i) for i in range(3)]", [0, 2, 4]),
    ("recursion in a nested function", "def f(n):\n    return 1 if n < 2 else n * f(n - 1)\nreturn f(20)",
     2432902008176640000),
]


@case
def results(build):
    with Pair(build) as pair:
        for name, code, expected in RESULTS * 2:  # the second time, they are compiled already
            event = pair.broker.run(code)
            got = result_of(event)
            assert got == expected and repr(got) == repr(expected), (name, got)


@case
def items_survive_the_trip(build):
    items = [{"json": {"int": 9007199254740993, "big": 10**50, "float": 0.1, "text": "ä😀\u2028",
                       "nested": {"a": [1, [2, {"b": None}]]}, "": "", "true": True}},
             {"json": {}, "binary": {"file": {"data": "x"}}, "pairedItem": {"item": 0}}]
    with Pair(build) as pair:
        assert result_of(pair.broker.run("return _items", items)) == items
        large = [{"json": {"n": i, "text": "x" * 200}} for i in range(20000)]
        assert result_of(pair.broker.run("return _items", large)) == large


@case
def surrogates_keep_their_escape(build):
    with Pair(build) as pair:
        event = pair.broker.run("return 'a' + chr(0xd800) + 'b'")
        assert b'"a\\ud800b"' in event["raw"], event["raw"]


@case
def each_item(build):
    items = [{"json": {"n": n}} for n in range(4)]
    with Pair(build) as pair:
        rows = [
            ("return {'json': {'n': _item['json']['n'] + 1}}",
             [{"json": {"n": n + 1}, "pairedItem": {"item": n}} for n in range(4)]),
            ("return None if _item['json']['n'] % 2 else _item['json']",
             [{"json": {"n": n}, "pairedItem": {"item": n}} for n in (0, 2)]),
            ("return _item['json']['n']", [{"json": n, "pairedItem": {"item": n}} for n in range(4)]),
            ("return {'binary': {'f': 1}, 'x': 2}",
             [{"json": {"x": 2}, "binary": {"f": 1}, "pairedItem": {"item": n}} for n in range(4)]),
            ("return {'json': {}, 'binary': {'f': 1}}",
             [{"json": {}, "binary": {"f": 1}, "pairedItem": {"item": n}} for n in range(4)]),
        ]
        for code, expected in rows:
            assert result_of(pair.broker.each(code, items)) == expected, code
        error = error_of(pair.broker.each("return 1 / (2 - _item['json']['n'])", items))
        assert error["itemIndex"] == 2, error


@case
def tool_calls(build):
    with Pair(build) as pair:
        assert result_of(pair.broker.run("return _query", query="what?")) == "what?"
        assert result_of(pair.broker.run("return _query['a']", query={"a": [1]})) == [1]
        assert result_of(pair.broker.run("return None", query="x")) is None
        assert result_of(pair.broker.run("return _query")) == []


@case
def large_results_go_ahead_in_parts(build):
    text = "y" * 1000
    with Pair(build, N8N_RUNNERS_MAX_PAYLOAD="8000000") as pair:
        big = "['y' * 1000 for i in range(5000)]"
        assert result_of(pair.broker.run("return " + big)) == [text] * 5000
        each = result_of(pair.broker.each("return [_item['json']['n'], 'y' * 100000]",
                                          [{"json": {"n": n}} for n in range(40)]))
        assert [item["json"] for item in each] == [[n, "y" * 100000] for n in range(40)]
        assert result_of(pair.broker.run("return {'all': %s}" % big)) == {"all": [text] * 5000}
        # an error that comes when parts have gone ahead
        error = error_of(pair.broker.run("a = []\na.append(a)\nreturn %s + [a]" % big))
        assert "circular" in error["message"].lower(), error
        again = result_of(pair.broker.run("a = []\na.append(a)\nreturn %s + [a]" % big, continueOnFail=True))
        assert "circular" in again[0]["json"]["error"].lower(), again
        error = error_of(pair.broker.run("return ['y' * 1000 for i in range(9000)]"))
        assert "8000000 bytes" in error["message"] + error["description"], error
        assert result_of(pair.broker.run("return 1")) == 1


@case
def results_that_are_no_json(build):
    with Pair(build) as pair:
        error = error_of(pair.broker.run("a = []\na.append(a)\nreturn a"))
        assert "circular" in error["message"].lower(), error
        error = error_of(pair.broker.run("a = []\nfor i in range(100000):\n    a = [a]\nreturn a"))
        assert "nested" in error["message"], error
        assert result_of(pair.broker.run("return 1")) == 1


@case
def exceptions(build):
    with Pair(build) as pair:
        code = "def f(total, count):\n    x = 1\n    return total / count\n\nreturn f(1, 0)"
        error = error_of(pair.broker.run(code))
        assert error["message"] == "division by zero", error
        assert error["description"] == "Line 5: return f(1, 0)\nLine 3, in f: return total / count", error
        assert error["lineNumber"] == 3
        error = error_of(pair.broker.run("raise ValueError"))
        assert error["message"] == "ValueError" and error["lineNumber"] == 1, error
        error = error_of(pair.broker.run("\n\nif True\n    pass"))
        assert error["lineNumber"] == 3 and "Line 3: if True" in error["description"], error
        error = error_of(pair.broker.run("raise SystemExit(3)"))
        assert error["message"] == "Process exited with code 3", error
        error = error_of(pair.broker.run("raise KeyError('k')"))
        assert error["message"] == "'k'", error


@case
def standard_error_is_in_the_description(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="sys") as pair:
        error = error_of(pair.broker.run("import sys\nprint('oops', file=sys.stderr)\nraise KeyError('k')"))
        assert error["description"] == "Line 3: raise KeyError('k')\noops\n", error


@case
def continue_on_fail(build):
    with Pair(build, N8N_RUNNERS_TASK_TIMEOUT="1") as pair:
        run = pair.broker.run
        assert result_of(run("raise ValueError('bad')", continueOnFail=True)) == [{"json": {"error": "bad"}}]
        assert result_of(run("while True: pass", continueOnFail=True)) == [
            {"json": {"error": "Task execution timed out after 1 second"}}]
        assert error_of(run("import os", continueOnFail=True))["message"] == "Security violations detected"
        error_of(run("if", continueOnFail=True))


@case
def prints(build):
    with Pair(build) as pair:
        event = pair.broker.run("print('a', 1, 2.5, True, None, {'k': 'ü', 'l': [1]}, (1,))\n"
                                "print()\nprint('x', 'y', sep='-', end='!', flush=True)\nreturn 1")
        assert event["prints"] == [["'a'", "1", "2.5", "True", "None", '{"k": "ü", "l": [1]}', "[1]"],
                                   [], ["'x'", "'y'"]], event["prints"]
        event = pair.broker.run("a = []\na.append(a)\nprint(a)\nraise ValueError('x')")
        assert event["event"] == "error" and event["prints"] == [["[Circular list]"]], event["prints"]
        event = pair.broker.run("for i in range(1500): print(i)\nreturn 1")
        assert len(event["prints"]) == 1001, len(event["prints"])
        assert event["prints"][1000] == ["[Output truncated - 500 more print statements]"]
        event = pair.broker.run("for i in range(30): print('x' * 100000)\nreturn 1")
        assert event["prints"][-1][0].startswith("[Output truncated - "), event["prints"][-1]


@case
def prints_come_before_a_timeout(build):
    with Pair(build, N8N_RUNNERS_TASK_TIMEOUT="1") as pair:
        event = pair.broker.run("print('before')\nfor i in range(1499): print(i)\nwhile True: pass")
        assert event["prints"][0] == ["'before'"] and len(event["prints"]) == 1001
        assert event["prints"][1000] == ["[Output truncated - 500 more print statements]"]
        assert error_of(event)["message"] == "Task execution timed out after 1 second"
        event = pair.broker.run("return 10 ** (10 ** 9)")
        assert error_of(event)["message"] == "Task execution timed out after 1 second"


@case
def denied_imports(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="json, re,datetime", N8N_RUNNERS_EXTERNAL_ALLOW="") as pair:
        error = error_of(pair.broker.run("import os\nimport numpy\nfrom . import x"))
        assert error["message"] == "Security violations detected"
        assert error["description"].split("\n") == [
            "Line 1: Import of standard library module 'os' is disallowed. Allowed stdlib modules: datetime, json, re",
            "Line 2: Import of external package 'numpy' is disallowed. Allowed external packages: none",
            "Line 3: Relative imports are disallowed."], error
        assert result_of(pair.broker.run("import json\nreturn json.loads('[1]')")) == [1]
        assert result_of(pair.broker.run(
            "import datetime\nreturn datetime.datetime.strptime('2024', '%Y').year")) == 2024
        error = error_of(pair.broker.run("import json\nreturn json.codecs.builtins.open('/etc/passwd').read()"))
        assert error["message"] == "Security violation detected", error
        assert error["description"].startswith("Import of standard library module 'codecs' is disallowed."), error
        error_of(pair.broker.run("return open('/etc/passwd').read()"))


@case
def senseless_settings(build):
    with Pair(build) as pair:
        say = pair.broker.say
        for number, settings in enumerate([{}, {"code": 1, "nodeMode": "runOnceForAllItems", "items": []},
                                           {"code": "", "nodeMode": "sometimes", "items": []},
                                           {"code": "", "nodeMode": "runOnceForAllItems", "items": {}},
                                           {"code": "", "items": []}]):
            say(cmd="task", taskId="odd-%d" % number, settings=settings)
            event = pair.broker.wait("error", taskId="odd-%d" % number)
            assert "settings make no sense" in event["error"]["message"], event["error"]
        assert result_of(pair.broker.run("return 1")) == 1


@case
def nothing_is_shared_between_tasks(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="json") as pair:
        pair.broker.run("import json\njson.mine = 1\nglobal g\ng = 2")
        error = error_of(pair.broker.run("import json\nreturn json.mine"))
        assert "has no attribute 'mine'" in error["message"], error
        error = error_of(pair.broker.run("return g"))
        assert error["message"] == "name 'g' is not defined", error


@case
def killed_children(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*",
              N8N_RUNNERS_BUILTINS_DENY="", N8N_RUNNERS_TASK_TIMEOUT="2") as pair:
        rows = [
            ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "Process was forcefully killed (SIGKILL)"),
            ("import os\nos.abort()", "Task subprocess exited with code -6"),
            ("import os\nos._exit(7)", "Task subprocess exited with code 7"),
            ("import os\nos._exit(0)",
             "Process completed but returned no result. This is likely an internal error."),
            ("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)", "Task execution timed out after 2 seconds"),
        ]
        for code, message in rows:
            assert error_of(pair.broker.run(code))["message"] == message, code
        pair.broker.run("import os\nfor fd in range(256):\n    try: os.write(fd, b'x' * 4096)\n    except OSError: pass")
        assert result_of(pair.broker.run("import os\nreturn dict(os.environ)")) == {}
        assert result_of(pair.broker.run("return 1")) == 1


@case
def what_a_child_sends_is_not_believed(build):
    """Frames of a child's own making: a header of type, flags and length, then what it likes."""
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*",
              N8N_RUNNERS_BUILTINS_DENY="") as pair:
        forged = "import os, struct\nb = %r\nos.write(3, struct.pack('=IIQ', %d, 0, len(b)) + b)\nos._exit(0)"
        result, error = 5, 6
        assert result_of(pair.broker.run(forged % (b"[1]", result))) == [1]
        rows = [(b'1},"taskId":"other"', result), (b"[1", result), (b"", result), (b"\xff", result),
                (b"[]", error), (b'{"kind":"x"}', error), (b'{"message":5}', error), (b"{", error),
                (b"[[1]]", 2), (b"{}", 2), (b"x", 1), (b"x", 99), (b"abc", 4)]
        for content, kind in rows:
            assert error_of(pair.broker.run(forged % (content, kind)))["message"] == (
                "Process completed but returned no result. This is likely an internal error."), (content, kind)
        for code in ("import os\nos.write(3, b'\\xff' * 100)\nreturn 1", "import os\nos.close(3)\nreturn 1",
                     "import os, struct\nos.write(3, struct.pack('=IIQ', 5, 0, 1 << 62))\nreturn 1"):
            error_of(pair.broker.run(code))
        assert result_of(pair.broker.run("return 1")) == 1
