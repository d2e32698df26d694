"""What a Code node in Python gives and gets in n8n: items, binary data, errors, prints."""
import threading

from flow import Flow, code
from harness import case
from n8n import Push, wait_until

EACH = "runOnceForEachItem"
MAKE = "return [{'json': {'n': n}} for n in range(%d)]"


@case
def all_items(place):
    place.runner()
    flow = Flow(place.n8n, code("return [{'json': {'sum': sum(i['n'] for i in _items[0]['json']['body'])}}]"))
    assert flow.items([{"n": 1}, {"n": 2}]) == [{"sum": 3}]
    assert flow.items([]) == [{"sum": 0}]


@case
def each_item(place):
    place.runner()
    flow = Flow(place.n8n, code(MAKE % 4, "Make"),
                code("n = _item['json']['n']\nreturn {'double': n * 2} if n % 2 else None", mode=EACH))
    assert flow.items() == [{"double": 2}, {"double": 6}]
    assert [item["pairedItem"]["item"] for item in flow.last().items()] == [1, 3]


@case
def nothing_returned_is_no_items(place):
    place.runner()
    flow = Flow(place.n8n, code("x = 1"))
    assert flow.call().status == 200
    assert flow.last().status == "success" and flow.last().items() == []


@case
def binary_data_is_kept(place):
    place.runner()
    content = bytes(range(256)) * 40
    webhook = {"responseData": "firstEntryBinary", "responseBinaryPropertyName": "data",
               "options": {"rawBody": True}}
    answers = []
    for node in ({"name": "Code", "type": "n8n-nodes-base.noOp", "typeVersion": 1, "parameters": {}},
                 code("return {'json': {'a': 1}, 'binary': {'data': _item['binary']['data']}}", mode=EACH),
                 code("return [{'json': {}, 'binary': _items[0]['binary']}]"),
                 code("return _items")):
        flow = Flow(place.n8n, node, webhook=webhook)
        answers.append(flow.call(content, **{"Content-Type": "image/png"}))
        kept = flow.last().items()[0]["binary"]["data"]
        assert kept["mimeType"] == "image/png", kept
    assert all(answer.status == 200 and answer.body == answers[0].body for answer in answers), answers
    # n8n answers with the bytes themselves or with their numbers
    assert answers[0].body == content or answers[0].json()["data"] == list(content)


@case
def what_json_lacks(place):
    place.runner()
    flow = Flow(place.n8n, code("return [{'json': {'nan': float('nan'), 'inf': [float('inf')], 'b': b'x', 's': '\\ud83d\\ude00'}}]"))
    got = flow.items()
    assert got[0]["nan"] is None and got[0]["inf"] == [None] and got[0]["b"] == "b'x'", got


@case
def an_exception_shows_its_line(place):
    place.runner()
    run = Flow(place.n8n, code("def ratio(a, b):\n    return a / b\n\nreturn ratio(1, 0)")).fails()
    assert run.status == "error" and run.error["message"] == "division by zero", run.error
    assert run.error["description"] == "Line 4: return ratio(1, 0)\nLine 2, in ratio: return a / b", run.error
    assert run.error["lineNumber"] == 2, run.error
    stored = run.result["runData"]["Code"][-1]["error"]
    assert stored["message"] == "division by zero" and stored["description"] == run.error["description"], stored


@case
def a_denied_import_says_its_sentence(place):
    place.runner()
    run = Flow(place.n8n, code("x = 1\nimport os\nreturn []")).fails()
    assert run.error["message"] == "Security violations detected", run.error
    assert run.error["description"] == ("Line 2: Import of standard library module 'os' is disallowed. "
                                        "Allowed stdlib modules: json, time"), run.error


@case
def a_syntax_error_is_shown(place):
    place.runner()
    run = Flow(place.n8n, code("x = (1,\nreturn x")).fails()
    assert "'(' was never closed" in run.error["message"] and "Line 1" in run.error["description"], run.error


@case
def a_run_may_go_on_after_an_error(place):
    place.runner()
    for mode in (EACH, "runOnceForAllItems"):
        flow = Flow(place.n8n, code(MAKE % 2, "Make"),
                    code("raise ValueError('no good')", mode=mode, onError="continueRegularOutput"))
        assert flow.items() == [{"error": "no good"}] * len(flow.items()) != [], mode
        assert flow.last().status == "success"
    # what the code is not allowed to do is no error of the code
    run = Flow(place.n8n, code("import os", onError="continueRegularOutput")).fails()
    assert run.error["message"] == "Security violations detected", run.error


@case
def what_is_no_item_is_said_by_n8n(place):
    place.runner()
    run = Flow(place.n8n, code("return 1")).fails()
    assert "Code doesn't return items properly" in run.error["message"], run.error


@case
def five_megabytes_of_items(place):
    place.runner()
    flow = Flow(place.n8n, code("return [{'json': {'n': n, 'text': 'abcdé' * 200}} for n in range(5000)]", "Make"),
                code("return {'n': _item['json']['n'], 'text': _item['json']['text']}", "Pass", EACH),
                code("return [{'json': {'count': len(_items), 'size': sum(len(i['json']['text']) for i in _items),"
                     " 'last': _items[-1]['json']['n']}}]"))
    assert flow.items() == [{"count": 5000, "size": 5000000, "last": 4999}]


@case
def five_megabytes_from_and_to_a_caller(place):
    place.runner()
    sent = [{"n": n, "text": "x" * 1000} for n in range(5000)]
    flow = Flow(place.n8n, code("return [{'json': each} for each in _items[0]['json']['body']]"))
    assert flow.items(sent) == sent


@case
def ten_callers_at_once(place):
    place.runner()
    flow = Flow(place.n8n, code("import time\ntime.sleep(0.2)\nreturn [{'json': {'n': _items[0]['json']['body']['n']}}]"))
    got = {}

    def call(n):
        got[n] = flow.call({"n": n})

    callers = [threading.Thread(target=call, args=(n,)) for n in range(10)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert {n: answer.json() for n, answer in got.items()} == {n: [{"n": n}] for n in range(10)}


@case
def prints_reach_the_browser_while_the_task_runs(place):
    place.runner()
    push = Push(place.n8n, "printing")
    flow = Flow(place.n8n, code("import time\nprint('hello', 1, {'a': [None]})\nwhile True: time.sleep(0.01)"),
                trigger="by hand")
    run_id = flow.run_by_hand(push)
    message = push.wait("sendConsoleMessage")
    assert '[Node: "Code"]' in message["source"] and message["messages"] == ["'hello'", 1, {"a": [None]}], message
    assert flow.n8n.rest("GET", "executions/%s" % run_id)["status"] == "running"
    flow.n8n.rest("POST", "executions/%s/stop" % run_id)
    assert flow.end(run_id).status == "canceled"


@case
def the_runner_logs_each_task(place):
    runner = place.runner()
    flow = Flow(place.n8n, code("return []", "My Node"))
    flow.items()
    line = runner.line('for node "My Node"')
    assert 'in workflow "%s" (%s)' % (flow.path, flow.id) in line, line
    wait_until("the end of all tasks", lambda: all(run["status"] != "running" for run in flow.runs()))
