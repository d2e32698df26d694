"""Reports to Sentry: the runner's own faults, and nothing of its users'."""
import http.server
import json
import os
import queue
import re
import shutil
import socket
import ssl
import tempfile
import threading
import time

from case_connection import certificate, free_port
from case_seeing import HEALTH, PLAIN, Metrics, comes, end_zygote, get, programs
from harness import Pair, Runner, case, error_of, result_of

LIMIT = 60
PROMPT = 2  # seconds: then n8n's internal mode kills a runner that it has told to stop


class Sentry:
    """An endpoint that keeps what is posted; `answers`: a status and headers for each, then 200."""

    def __init__(self, *answers, tls=None):
        self.posts, self.answers = queue.Queue(), list(answers)
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.posts.put((time.monotonic(), self.path, dict(self.headers.items()), body))
                status, headers = endpoint.answers.pop(0) if endpoint.answers else (200, {})
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *arguments: None  # a runner that leaves does not wait
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*tls)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.dsn = "%s://public0key@127.0.0.1:%d/prefix/42" % (
            "https" if tls else "http", self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def event(self):
        """The next event, with the time it came; its envelope is checked."""
        came, path, headers, body = self.posts.get(timeout=LIMIT)
        headers = {name.lower(): value for name, value in headers.items()}
        assert path == "/prefix/api/42/envelope/", path
        assert headers["content-type"] == "application/x-sentry-envelope", headers
        assert re.fullmatch(r"Sentry sentry_version=7, sentry_client=task-runner-python/[\w.]+, "
                            r"sentry_key=public0key", headers["x-sentry-auth"]), headers
        head, item, payload, rest = body.split(b"\n")
        head, item, event = json.loads(head), json.loads(item), json.loads(payload)
        assert rest == b"" and item["type"] == "event" and item["length"] == len(payload), body
        assert re.fullmatch(r"[0-9a-f]{32}", event["event_id"]) and head["event_id"] == event["event_id"]
        assert abs(event["timestamp"] - time.time()) < LIMIT, event
        event["came"], event["raw"] = came, body.decode()
        return event

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


@case
def faults_are_reported_to_sentry_and_users_errors_are_not(build):
    names = dict(nodeName="SECRET node", nodeId="SECRET-n", workflowName="SECRET flow", workflowId="SECRET-w")
    with Sentry() as sentry, Pair(build, N8N_SENTRY_DSN=sentry.dsn, N8N_VERSION="2.41.0", ENVIRONMENT="staging",
                                  DEPLOYMENT_NAME="acme", N8N_RUNNERS_TASK_TIMEOUT="1", **HEALTH, **PLAIN) as pair:
        items = [{"json": {"text": "SECRET item"}}]
        for code in ("raise ValueError('SECRET')", "return (", "while True: pass", "import os\nos._exit(3)",
                     "import os\nos.abort()", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"):
            error_of(pair.broker.run(code + "# SECRET", items=items, **names))
        task = pair.broker.task("print('SECRET')\nwhile True: pass", items=items, **names)
        pair.broker.wait("rpc", taskId=task)
        end_zygote(pair.runner)
        error_of(pair.broker.end(task))
        event = sentry.event()
        assert event["tags"]["server_type"] == "task_runner_python", event
        assert event["tags"]["deployment_name"] == event["server_name"] == "acme", event
        assert event["release"] == "n8n@2.41.0" and event["environment"] == "staging", event
        assert event["level"] == "error" and event["tags"]["fault"] == "python_gone", event
        assert event["exception"]["values"] == [
            {"type": "python_gone",
             "value": "The Python process that tasks are forked from is gone: signal 9 (Killed)"}], event
        error_of(pair.broker.run("import os\nos.write(3, b'SECRET' * 100)\nwhile True: pass", **names))
        breach = sentry.event()
        assert breach["tags"]["fault"] == "breach", breach
        for text in ("SECRET", "Traceback", "public0key", task):
            assert text not in event["raw"] + breach["raw"], event
        comes(pair.runner, lambda m: m("sentry_reports_total", result="sent"), 2)
        assert sentry.posts.empty()


@case
def the_same_fault_is_reported_once_a_minute(build):
    with Sentry() as sentry, Pair(build, N8N_SENTRY_DSN=sentry.dsn, **HEALTH, **PLAIN) as pair:
        for _ in range(4):
            error_of(pair.broker.run("import os\nos.write(3, b'x' * 100)\nwhile True: pass"))
        assert sentry.event()["tags"]["fault"] == "breach"
        comes(pair.runner, lambda m: m("sentry_reports_total", result="dropped"), 3)
        assert Metrics(pair.runner)("faults_total", fault="breach") == 4
        assert sentry.posts.empty()


@case
def a_sentry_that_is_full_is_left_alone(build):
    with Sentry((429, {"Retry-After": "1"})) as sentry, \
            Pair(build, N8N_SENTRY_DSN=sentry.dsn, **HEALTH, **PLAIN) as pair:
        end_zygote(pair.runner)
        first = sentry.event()
        pair.runner.line("could not be reported to Sentry at 127.0.0.1: it answered 429")
        pair.broker.run("return 1")  # Python is back
        error_of(pair.broker.run("import os\nos.write(3, b'x' * 100)\nwhile True: pass"))
        second = sentry.event()
        assert (first["tags"]["fault"], second["tags"]["fault"]) == ("python_gone", "breach")
        assert second["came"] - first["came"] >= 0.9, second["came"] - first["came"]
        comes(pair.runner, lambda m: m("sentry_reports_total", result="sent"), 1)
        assert not any("public0key" in line for line in pair.runner.out + pair.runner.err)


def goes_on(build, dsn, line=None):
    """A runner with this DSN, and a fault: tasks go on, and the end is prompt."""
    with Pair(build, N8N_SENTRY_DSN=dsn, **HEALTH) as pair:
        end_zygote(pair.runner)
        pair.runner.line("starting another")
        for number in range(5):
            assert result_of(pair.broker.run("return %d" % number)) == number
        assert get(pair.runner, "/healthz")[0] == 200
        if line:
            pair.runner.line(line)
        began = time.monotonic()
        assert pair.runner.stop() == 0
        took = time.monotonic() - began
        assert took < PROMPT, "%s: it took %.2f s to stop" % (dsn, took)


@case
def a_sentry_that_is_slow_or_gone_changes_nothing_else(build):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        goes_on(build, "http://k@127.0.0.1:%d/1" % silent.getsockname()[1])
    goes_on(build, "http://k@127.0.0.1:%d/1" % free_port(), "could not be reported to Sentry at 127.0.0.1")
    goes_on(build, "https://k@no-such-host.invalid/1")
    with Sentry((500, {})) as sentry:
        goes_on(build, sentry.dsn, "could not be reported to Sentry at 127.0.0.1: it answered 500")
    with Sentry((302, {"Location": "http://127.0.0.1:1/"})) as sentry:
        goes_on(build, sentry.dsn, "could not be reported to Sentry at 127.0.0.1")


@case
def sentry_over_tls(build):
    with tempfile.TemporaryDirectory() as folder:
        tls = certificate(folder, "sentry", "IP:127.0.0.1")
        for trusted in (True, False):
            with Sentry(tls=tls) as sentry, Pair(build, N8N_SENTRY_DSN=sentry.dsn,
                                                 SSL_CERT_FILE=tls[0] if trusted else None) as pair:
                end_zygote(pair.runner)
                if trusted:
                    assert sentry.event()["tags"]["fault"] == "python_gone"
                else:
                    assert "its certificate is refused" in pair.runner.line("could not be reported to Sentry")
                    assert sentry.posts.empty()


@case
def a_fault_that_ends_the_runner_gets_a_moment_for_its_report(build):
    with programs(build) as folder:
        zygote = os.path.join(folder, "task-runner-zygote")
        for take_away in (lambda: shutil.copy("/bin/false", zygote), lambda: os.unlink(zygote)):
            take_away()
            with Sentry() as sentry:
                runner = Runner(folder, N8N_RUNNERS_AUTH_TOKEN="t", N8N_SENTRY_DSN=sentry.dsn)
                assert runner.wait() == 1
                event = sentry.event()
                assert event["level"] == "fatal" and event["tags"]["fault"] == "python_start", event
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            began = time.monotonic()
            runner = Runner(folder, N8N_RUNNERS_AUTH_TOKEN="t",
                            N8N_SENTRY_DSN="http://k@127.0.0.1:%d/1" % silent.getsockname()[1])
            assert runner.wait() == 1
            took = time.monotonic() - began
            assert 0.9 < took < 1 + PROMPT, took


@case
def a_bad_dsn_ends_the_start(build):
    for dsn in ("https://hidden", "https://hidden@host", "ftp://hidden@host/1"):
        runner = Runner(build, N8N_RUNNERS_AUTH_TOKEN="t", N8N_SENTRY_DSN=dsn)
        assert runner.wait() == 1
        assert len(runner.err) == 1 and "N8N_SENTRY_DSN is no DSN" in runner.err[0], runner.err
        assert "hidden" not in runner.err[0], runner.err
    with tempfile.NamedTemporaryFile("w") as file, Sentry() as sentry:
        file.write(sentry.dsn + "\n")
        file.flush()
        with Pair(build, N8N_SENTRY_DSN_FILE=file.name) as pair:
            end_zygote(pair.runner)
            assert sentry.event()["tags"]["fault"] == "python_gone"
