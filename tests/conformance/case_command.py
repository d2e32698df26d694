"""The command line and the settings: exec, options, and one clear line for each bad value."""
import json
import os
import subprocess
import tempfile

from harness import Broker, Runner, case

LIMIT = 60


def run(build, *arguments, stdin=b"", **env):
    done = subprocess.run([os.path.join(build, "task-runner-python"), *arguments], input=stdin,
                          capture_output=True, timeout=LIMIT, env=env)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


class Script:
    """A file that holds a text, for as long as the block lasts."""

    def __init__(self, text):
        self.file = tempfile.NamedTemporaryFile("w", suffix=".py", newline="")
        self.file.write(text)
        self.file.flush()

    def __enter__(self):
        return self.file.name

    def __exit__(self, *error):
        self.file.close()


@case
def exec_prints_the_result(build):
    with Script("print('hello', 1)\nreturn [item['json'] for item in _items]") as path:
        code, out, err = run(build, "exec", path, "--items", "-", stdin=b'[{"json":{"a":1}}]')
        assert (code, json.loads(out), err) == (0, [{"a": 1}], "hello 1\n"), (code, out, err)
        with Script('[{"json":{"a":2}}]') as items:
            code, out, err = run(build, "exec", path, "--items", items)
            assert (code, json.loads(out)) == (0, [{"a": 2}]), (code, out, err)
        code, out, err = run(build, "exec", path)
        assert (code, json.loads(out)) == (0, []), (code, out, err)


@case
def exec_runs_each_item_and_queries(build):
    with Script("return _item['json']['n'] * 2") as path:
        code, out, _ = run(build, "exec", path, "--each", "--items", "-", stdin=b'[{"json":{"n":2}}]')
        assert (code, json.loads(out)) == (0, [{"json": 4, "pairedItem": {"item": 0}}]), out
    with Script("return _query") as path:
        for query, expected in (('{"a":1}', {"a": 1}), ("plain words", "plain words")):
            code, out, _ = run(build, "exec", path, "--query", query)
            assert (code, json.loads(out)) == (0, expected), out


@case
def exec_fails_as_n8n_would_show_it(build):
    with Script("x = 1\nreturn x / 0") as path:
        code, out, err = run(build, "exec", path)
        assert (code, out) == (1, "") and "division by zero" in err and "Line 2: return x / 0" in err, err
    with Script("import os") as path:
        code, out, err = run(build, "exec", path)
        assert code == 1 and "Security violations detected" in err and "Line 1: Import of standard" in err, err
        assert run(build, "exec", path, N8N_RUNNERS_STDLIB_ALLOW="os")[0] == 0
    with Script("while True: pass") as path:
        code, out, err = run(build, "exec", path, N8N_RUNNERS_TASK_TIMEOUT="1")
        assert code == 1 and "timed out after 1 second" in err, err


@case
def exec_says_what_is_wrong(build):
    with Script("return 1") as path:
        for arguments, words in (((path + "-nowhere",), path + "-nowhere"), ((path, "--items", "nowhere.json"), "nowhere.json"),
                                 ((), "script"), ((path, "--frobnicate"), "--frobnicate"), ((path, "--items"), "--items")):
            code, out, err = run(build, "exec", *arguments)
            assert code != 0 and out == "" and words in err, (arguments, code, out, err)
        for text in (b"{}", b"[", b"", b"[1]x"):
            code, out, err = run(build, "exec", path, "--items", "-", stdin=text)
            assert code == 1 and out == "" and "items" in err, (text, code, err)


@case
def options(build):
    code, out, _ = run(build, "--help")
    assert code == 0 and "exec FILE.py" in out
    code, out, _ = run(build, "--version")
    assert code == 0 and out.startswith("task-runner-python "), out
    for option in ("--nonsense", "-Z", "serve"):
        code, out, err = run(build, option)
        assert code != 0 and option in err and out == "", (code, err)


BAD = [
    {"N8N_RUNNERS_MAX_CONCURRENCY": "0"}, {"N8N_RUNNERS_MAX_CONCURRENCY": "many"},
    {"N8N_RUNNERS_TASK_TIMEOUT": "0"}, {"N8N_RUNNERS_TASK_TIMEOUT": "-1"}, {"N8N_RUNNERS_TASK_TIMEOUT": "1.5x"},
    {"N8N_RUNNERS_MAX_PAYLOAD": "1G"}, {"N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT": "-5"},
    {"N8N_RUNNERS_GRACEFUL_SHUTDOWN_TIMEOUT": "0"}, {"N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT": "70000"},
    {"N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED": "perhaps"}, {"N8N_RUNNERS_STDLIB_ALLOW": "*,json"},
    {"N8N_RUNNERS_EXTERNAL_ALLOW": "numpy,*"}, {"N8N_RUNNERS_LAUNCHER_LOG_LEVEL": "loud"},
    {"N8N_RUNNERS_TASK_BROKER_URI": "ftp://somewhere"}, {"N8N_RUNNERS_TASK_BROKER_URI": "http://:5679"},
    {"N8N_BLOCK_RUNNER_ENV_ACCESS": "maybe"}, {"N8N_RUNNERS_AUTH_TOKEN_FILE": "/nowhere/token"},
]


@case
def bad_settings_are_named(build):
    for bad in BAD:
        runner = Runner(build, None, **dict({"N8N_RUNNERS_AUTH_TOKEN": None if "N8N_RUNNERS_AUTH_TOKEN_FILE" in bad
                                             else "t"}, **bad))
        assert runner.wait() == 1, bad
        name = next(iter(bad))
        assert len(runner.err) == 1 and name in runner.err[0], (bad, runner.err)
    runner = Runner(build, None, N8N_RUNNERS_AUTH_TOKEN="t", N8N_RUNNERS_TASK_TIMEOUT="x", N8N_RUNNERS_MAX_PAYLOAD="y")
    assert runner.wait() == 1
    assert sorted(line.split()[0 if line.startswith("N8N") else 1] for line in runner.err) == [
        "N8N_RUNNERS_MAX_PAYLOAD", "N8N_RUNNERS_TASK_TIMEOUT"], runner.err


@case
def no_token_at_all_is_said(build):
    runner = Runner(build, None)
    assert runner.wait() == 1
    assert len(runner.err) == 1 and "N8N_RUNNERS_AUTH_TOKEN" in runner.err[0], runner.err


@case
def settings_from_files(build):
    broker = Broker(build)
    with Script("  secret-auth-token\n") as token, Script("json ,re\n") as modules:
        runner = Runner(build, broker, N8N_RUNNERS_AUTH_TOKEN=None, N8N_RUNNERS_AUTH_TOKEN_FILE=token,
                        N8N_RUNNERS_STDLIB_ALLOW_FILE=modules)
        broker.wait("offer")
        runner.line("json, re")
        assert runner.stop() == 0
    broker.stop()
