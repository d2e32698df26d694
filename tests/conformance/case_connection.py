"""Getting in and staying in: tokens, brokers that are late, gone or restarting, addresses, TLS."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from harness import Broker, Pair, Runner, case, error_of, lives, processes_below, result_of

LOOP = "while True: pass"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def ends(runner, code, *texts):
    """The runner ends by itself with `code`; one line on standard error has all the texts."""
    got = runner.wait()
    assert got == code, "exit code %s, not %s: %s %s" % (got, code, runner.out, runner.err)
    lines = [line for line in runner.err if all(text in line for text in texts)]
    assert len(lines) == 1, "%s in one line of %s" % (texts, runner.err)


def no_token_shows(runner, *tokens):
    for token in tokens:
        assert not any(token in line for line in runner.out + runner.err), (runner.out, runner.err)


class Serving:
    """A broker, without a runner yet."""

    def __init__(self, build, *options):
        self.broker = Broker(build, *options)

    def __enter__(self):
        return self.broker

    def __exit__(self, *error):
        self.broker.stop()


@case
def a_wrong_auth_token_ends_the_start(build):
    with Serving(build) as broker:
        runner = Runner(build, broker, N8N_RUNNERS_AUTH_TOKEN="wrong-auth-token")
        ends(runner, 1, "403", "token")
        no_token_shows(runner, "wrong-auth-token")


@case
def a_refused_token_ends_the_start(build):
    for what in ("auth", "upgrade"):
        for status in (401, 403):
            with Serving(build) as broker:
                broker.order(cmd="refuse", what=what, status=status, count=1)
                ends(Runner(build, broker), 1, str(status))


@case
def a_busy_broker_is_tried_again(build):
    for what in ("auth", "upgrade"):
        for status in (429, 503):
            with Serving(build) as broker:
                broker.order(cmd="refuse", what=what, status=status, count=2)
                runner = Runner(build, broker)
                broker.wait("offer")
                statuses = [e["status"] for e in broker.seen if e["event"] == what]
                assert statuses[:2] == [status] * 2, statuses
                assert runner.stop() == 0


@case
def a_grant_token_alone_is_enough_once(build):
    with Serving(build) as broker:
        broker.say(cmd="grant")
        token = broker.wait("grant")["token"]
        runner = Runner(build, broker, N8N_RUNNERS_AUTH_TOKEN=None, N8N_RUNNERS_GRANT_TOKEN=token)
        broker.wait("offer")
        broker.say(cmd="drop")
        ends(runner, 1, "grant token is spent")
        no_token_shows(runner, token)
        again = Runner(build, broker, N8N_RUNNERS_AUTH_TOKEN=None, N8N_RUNNERS_GRANT_TOKEN=token)
        ends(again, 1, "403")


@case
def the_runner_id_of_internal_mode(build):
    with Serving(build) as broker:
        runner = Runner(build, broker, N8N_RUNNERS_ID="abc123")
        assert broker.wait("upgrade")["id"] == "abc123"
        assert runner.stop() == 0


@case
def in_internal_mode_a_timeout_comes_before_n8ns(build):
    """n8n, which counts from a moment earlier, would kill the runner and its other tasks."""
    with Pair(build, N8N_RUNNERS_ID="abc123", N8N_RUNNERS_TASK_TIMEOUT="5") as pair:
        task = pair.broker.task(LOOP)
        accepted = pair.broker.wait("accepted", taskId=task)
        event = pair.broker.end(task)
        assert error_of(event)["message"] == "Task execution timed out after 5 seconds", event
        assert event["ms"] - accepted["ms"] < 5000, (accepted, event)


@case
def a_runner_waits_for_its_broker(build):
    port = free_port()
    runner = Runner(build, N8N_RUNNERS_TASK_BROKER_URI="http://127.0.0.1:%d" % port,
                    N8N_RUNNERS_AUTH_TOKEN="secret-auth-token")
    runner.line("trying again")
    with Serving(build, "--port", str(port)) as broker:
        broker.wait("offer")
        assert result_of(broker.run("return 1")) == 1
        assert runner.stop() == 0


@case
def a_restarted_broker_is_found_again(build):
    port = free_port()
    first = Broker(build, "--port", str(port))
    runner = Runner(build, first)
    first.wait("offer")
    task = first.task("print('runs')\n" + LOOP)
    first.wait("rpc", taskId=task)
    first.process.kill()
    first.process.wait()
    with Serving(build, "--port", str(port)) as second:
        second.tasks = first.tasks  # ids go on
        assert second.wait("auth")["status"] == 200
        second.wait("offer")
        assert result_of(second.run("return 1")) == 1
        answered = [e for e in second.seen if e.get("taskId") == task]
        assert not answered, "a task of the old connection was answered on the new one: %s" % answered
        assert runner.stop() == 0


@case
def closes_of_every_kind_are_survived(build):
    with Pair(build) as pair:
        for order in (dict(cmd="drop"), dict(cmd="close", code=1000), dict(cmd="close", code=1001),
                      dict(cmd="close", code=1002), dict(cmd="close", code=1012)):
            pair.broker.say(**order)
            pair.broker.wait("closed")
            pair.broker.wait("registered")
            pair.broker.wait("offer")
            assert result_of(pair.broker.run("return 1")) == 1


@case
def addresses_without_a_scheme_and_with_a_path(build):
    with Serving(build) as broker:
        for uri in ("localhost:%d", "127.0.0.1:%d", "http://localhost:%d/", "HTTP://127.0.0.1:%d"):
            runner = Runner(build, broker, N8N_RUNNERS_TASK_BROKER_URI=uri % broker.port)
            broker.wait("registered")
            assert runner.stop() == 0, uri
    with Serving(build, "--path", "/n8n") as broker:
        runner = Runner(build, broker, N8N_RUNNERS_TASK_BROKER_URI=broker.uri + "/n8n")
        broker.wait("registered")
        assert runner.stop() == 0


def healthz(port, method="GET"):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"%s /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % method.encode())
        answer = b""
        while part := connection.recv(4096):
            answer += part
        return answer


@case
def the_health_check(build):
    with Pair(build, N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED="true",
              N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT="0") as pair:
        line = pair.runner.line("Health check server listening on 127.0.0.1, port ")
        port = int(line.rsplit(" ", 1)[1])
        assert b" 200 " in healthz(port).split(b"\r\n")[0]
        task = pair.broker.task("print('runs')\n" + LOOP)
        pair.broker.wait("rpc", taskId=task)
        assert b" 200 " in healthz(port).split(b"\r\n")[0]
        pair.broker.say(cmd="cancel", taskId=task, reason="enough")
        pair.broker.wait("error", taskId=task)


@case
def the_health_check_answers_while_the_broker_is_away(build):
    runner = Runner(build, N8N_RUNNERS_TASK_BROKER_URI="http://no-such-host.invalid:5679",
                    N8N_RUNNERS_AUTH_TOKEN="t", N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED="true",
                    N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT="0")
    port = int(runner.line("Health check server listening").rsplit(" ", 1)[1])
    assert b" 200 " in healthz(port).split(b"\r\n")[0]
    assert runner.stop() == 0


@case
def a_taken_health_port_ends_the_start(build):
    with socket.socket() as taken, Serving(build) as broker:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ends(Runner(build, broker, N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED="true",
                    N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT=port), 1, port)


# ---- TLS ----

def certificate(folder, name, *subject_names):
    """A self-signed certificate for these names; returns the paths of it and its key."""
    cert, key = os.path.join(folder, name + ".crt"), os.path.join(folder, name + ".key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-keyout", key, "-out", cert,
                    "-addext", "subjectAltName=" + ",".join(subject_names)],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return cert, key


@case
def tls_with_a_certificate_that_is_trusted(build):
    folder = tempfile.mkdtemp()
    try:
        cert, key = certificate(folder, "broker", "DNS:localhost", "IP:127.0.0.1")
        with Serving(build, "--tls", cert, key) as broker:
            for host in ("localhost", "127.0.0.1"):
                runner = Runner(build, broker, SSL_CERT_FILE=cert,
                                N8N_RUNNERS_TASK_BROKER_URI="https://%s:%d" % (host, broker.port))
                broker.wait("offer")
                assert result_of(broker.run("return 1")) == 1
                assert runner.stop() == 0
    finally:
        shutil.rmtree(folder)


@case
def tls_with_a_certificate_that_is_not_trusted(build):
    folder = tempfile.mkdtemp()
    try:
        cert, key = certificate(folder, "broker", "DNS:elsewhere.invalid")
        other, _ = certificate(folder, "other", "DNS:localhost")
        with Serving(build, "--tls", cert, key) as broker:
            for trusted in (None, other, cert):
                runner = Runner(build, broker, SSL_CERT_FILE=trusted,
                                N8N_RUNNERS_TASK_BROKER_URI="https://localhost:%d" % broker.port)
                line = runner.line("its certificate is refused")
                assert ("mismatch" in line) == (trusted == cert), line
                assert runner.stop() == 0
                assert not any(event["event"] == "auth" for event in broker.seen)
    finally:
        shutil.rmtree(folder)


# ---- the end ----

@case
def a_stop_waits_for_what_runs(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="time") as pair:
        task = pair.broker.task("import time\nprint('runs')\ntime.sleep(0.5)\nreturn 1")
        pair.broker.wait("rpc", taskId=task)
        pair.runner.signal(15)
        assert result_of(pair.broker.wait("done", "error", taskId=task)) == 1
        assert pair.runner.wait() == 0


@case
def a_stop_waits_for_a_large_result_to_be_taken(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="time") as pair:
        task = pair.broker.task("import time\nprint('runs')\ntime.sleep(0.3)\nreturn 'x' * 60000000")
        pair.broker.wait("rpc", taskId=task)
        pair.runner.signal(15)
        for _ in range(3):
            pair.broker.process.send_signal(signal.SIGSTOP)
            time.sleep(1.2)
            pair.broker.process.send_signal(signal.SIGCONT)
            time.sleep(0.1)
        assert len(result_of(pair.broker.wait("done", "error", taskId=task))) == 60000000
        assert pair.runner.wait() == 0


@case
def a_second_stop_forces(build):
    pair = Pair(build)
    task = pair.broker.task("print('runs')\n" + LOOP)
    pair.broker.wait("rpc", taskId=task)
    pair.runner.signal(15)
    pair.runner.line("Stopping")
    pair.runner.signal(15)
    assert pair.runner.wait() == 1
    pair.broker.stop()


@case
def the_grace_period_ends(build):
    pair = Pair(build, N8N_RUNNERS_GRACEFUL_SHUTDOWN_TIMEOUT="1")
    task = pair.broker.task("print('runs')\n" + LOOP)
    pair.broker.wait("rpc", taskId=task)
    pair.runner.signal(15)
    assert pair.runner.wait() == 1
    pair.broker.stop()


@case
def an_idle_runner_leaves(build):
    with Pair(build, N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT="1") as pair:
        assert pair.runner.wait() == 0
        pair.runner.line("N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT")


@case
def nothing_outlives_the_host(build):
    pair = Pair(build)
    task = pair.broker.task("print('runs')\n" + LOOP)
    pair.broker.wait("rpc", taskId=task)
    others = processes_below(pair.runner.process.pid)
    assert len(others) >= 2, others
    pair.runner.process.kill()
    pair.runner.process.wait()
    deadline = time.monotonic() + 30
    while any(lives(pid) for pid in others):
        assert time.monotonic() < deadline, "still there: %s" % others
        time.sleep(0.01)
    pair.broker.stop()


@case
def a_closed_standard_input_means_nothing(build):
    with Pair(build) as pair:
        assert result_of(pair.broker.run("return 1")) == 1
        assert pair.runner.process.poll() is None
    with Serving(build) as broker:
        runner = Runner(build, broker, ("-I", "-B", "-X", "disable_remote_debug", "-m", "src.main"))
        broker.wait("offer")
        assert runner.stop() == 0


@case
def tasks_see_no_token(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*",
              N8N_RUNNERS_BUILTINS_DENY="", N8N_BLOCK_RUNNER_ENV_ACCESS="false",
              MINE="yes", N8N_SENTRY_DSN="http://secret-dsn@127.0.0.1:1/1", A_FILE="/secret-file", TZ="UTC") as pair:
        seen = result_of(pair.broker.run("import os\nreturn dict(os.environ)"))
        assert seen.get("MINE") == "yes" and seen.get("TZ") == "UTC", seen
        assert not any("secret" in value for value in seen.values()), seen
        with open("/proc/%d/task/%d/children" % ((pair.runner.process.pid,) * 2)) as children:
            zygotes = [int(child) for child in children.read().split()]
        assert zygotes
        for pid in zygotes:
            with open("/proc/%d/environ" % pid, "rb") as environ, open("/proc/%d/cmdline" % pid, "rb") as line:
                assert b"secret" not in environ.read() + line.read()
    no_token_shows(pair.runner, "secret-auth-token")
