"""Sample Code nodes on the real runner and the demo broker: python -I demo.py BUILD

Each sample's code, input and output are shown, with the time from the broker's settings to its
result. What is expected of each is checked too, so that a demo that shows nonsense ends with 1.
"""
import json
import os
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from harness import Pair  # noqa: E402

ITEMS = [{"json": {"name": "Ada", "born": "1815-12-10"}}, {"json": {"name": "Grace", "born": "1906-12-09"}}]
TIMEOUT = 2

# title, mode, code, what the answer must hold
SAMPLES = [
    ("All items at once", "all", """
        total = sum(len(item["json"]["name"]) for item in _items)
        return [{"json": {"people": len(_items), "letters": total}}]
     """, '"letters": 8'),
    ("Each item, with an allowed import", "each", """
        from datetime import datetime
        born = datetime.strptime(_item["json"]["born"], "%Y-%m-%d")
        return {"name": _item["json"]["name"].upper(), "weekday": born.strftime("%A")}
     """, '"weekday": "Sunday"'),
    ("print", "all", """
        for item in _items:
            print("hello", item["json"])
        return []
     """, "hello"),
    ("An exception, with its line", "all", """
        def ratio(total, count):
            return total / count

        return ratio(len(_items), 0)
     """, "Line 2, in ratio"),
    ("An import that is not allowed", "all", """
        import json
        import os
        return os.environ
     """, "'os' is disallowed"),
    ("A loop without an end", "all", """
        print("before")
        while True:
            pass
     """, "timed out after %d seconds" % TIMEOUT),
]

colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(code, text):
    return "\x1b[%sm%s\x1b[0m" % (code, text) if colour else text


def block(text, mark):
    for line in text.split("\n"):
        print(("  %s %s" % (paint("2", mark), line)).rstrip())


def output(event):
    """What n8n would show of a done or error event."""
    if event["event"] == "done":
        return json.dumps(event["data"]["result"], ensure_ascii=False)
    error = event["error"]
    return "\n".join([error["message"]] + error.get("description", "").splitlines())


def show(pair, number, title, mode, code, expected):
    code = textwrap.dedent(code).strip()
    print(paint("1", "%d. %s" % (number, title)) + (" (once for each item)" if mode == "each" else ""))
    block(code, "│")
    event = (pair.broker.each if mode == "each" else pair.broker.run)(code, ITEMS)
    shown = output(event)
    for params in event["prints"]:
        print("  %s %s" % (paint("36", "printed"), " ".join(params)))
    word = paint("32", "result ") if event["event"] == "done" else paint("31", "error  ")
    for line in shown.split("\n"):
        print("  %s %s" % (word, line))
        word = "       "
    print("  %s\n" % paint("2", "%.1f ms" % event["settingsToDoneMs"]))
    return expected in shown or any(expected in p for params in event["prints"] for p in params)


def main():
    build = os.path.abspath(sys.argv[1])
    print("The demo broker and the runner, on a WebSocket between them. The tasks may import\n"
          "json and datetime (N8N_RUNNERS_STDLIB_ALLOW) and run for %d s. The input of each:" % TIMEOUT)
    for item in ITEMS:
        print("  %s" % json.dumps(item))
    print()
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="json,datetime",
              N8N_RUNNERS_TASK_TIMEOUT=str(TIMEOUT)) as pair:
        wrong = [title for number, (title, mode, code, expected) in enumerate(SAMPLES, 1)
                 if not show(pair, number, title, mode, code, expected)]
    if wrong:
        print("Not what was expected: %s" % ", ".join(wrong))
        return 1
    print("To serve n8n: N8N_RUNNERS_TASK_BROKER_URI=http://HOST:5679 N8N_RUNNERS_AUTH_TOKEN=… make run")
    return 0


sys.exit(main())
