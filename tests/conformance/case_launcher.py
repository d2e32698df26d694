"""The life that n8n's launcher and its internal mode give a runner: short, watched, and started again."""
import json
import os
import signal
import socket
import time
import urllib.request

from harness import Broker, Runner, case, result_of

STOCK = ("-I", "-B", "-X", "disable_remote_debug", "-m", "src.main")
LIMIT = 60
PROMPT = 2  # seconds: then n8n's internal mode kills a runner that it has told to stop

# What a machine's environment has, of which the launcher hands on only what its configuration names.
MACHINE = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", "TERM": "dumb", "HOME": "/nowhere",
           "N8N_RUNNERS_AUTH_TOKEN": "secret-auth-token", "N8N_RUNNERS_STDLIB_ALLOW": "os", "SECRET": "secret",
           "N8N_RUNNERS_TASK_TIMEOUT": "5", "N8N_RUNNERS_MAX_CONCURRENCY": "3"}
ALWAYS = ("LANG", "PATH", "TZ", "TERM")
ALLOWED = ("N8N_RUNNERS_MAX_CONCURRENCY", "N8N_RUNNERS_TASK_TIMEOUT", "N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT",
           "N8N_BLOCK_RUNNER_ENV_ACCESS")
OVERRIDES = {"N8N_RUNNERS_STDLIB_ALLOW": "json,os", "N8N_BLOCK_RUNNER_ENV_ACCESS": "false"}


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=LIMIT) as answer:
        return json.loads(answer.read())


def health(port):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open("http://127.0.0.1:%d/healthz" % port, timeout=LIMIT) as answer:
        return answer.status


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Launcher:
    """Starts runners one after the other, each with a grant token of its own."""

    def __init__(self, build, broker, **machine):
        self.build, self.broker, self.machine = build, broker, dict(MACHINE, **machine)
        self.port = free_port()
        self.grants = []

    def start(self):
        self.grants.append(post(self.broker.uri + "/runners/auth", {"token": self.broker.token})["data"]["token"])
        env = {name: self.machine[name] for name in ALWAYS + ALLOWED if name in self.machine}
        env.update(OVERRIDES, N8N_RUNNERS_TASK_BROKER_URI=self.broker.uri, N8N_RUNNERS_AUTH_TOKEN=None,
                   N8N_RUNNERS_GRANT_TOKEN=self.grants[-1], N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED="true",
                   N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT=str(self.port))
        self.runner = Runner(self.build, self.broker, STOCK, **env)
        self.broker.wait("registered")  # what came before is another runner's
        self.broker.wait("offer")
        assert health(self.port) == 200
        return self.runner


@case
def a_launcher_starts_it_for_each_spell_of_work(build):
    broker = Broker(build)
    launcher = Launcher(build, broker, N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT="1")
    for n in range(3):
        runner = launcher.start()
        assert result_of(broker.run("import json\nreturn json.loads('%d')" % n)) == n
        assert health(launcher.port) == 200
        assert runner.wait() == 0, runner.err
        assert runner.err == [], "the launcher shows these as errors: %s" % runner.err
    assert len(set(launcher.grants)) == 3
    broker.stop()


@case
def a_launcher_starts_it_again_after_a_lost_connection(build):
    broker = Broker(build)
    launcher = Launcher(build, broker)
    for order in (dict(cmd="drop"), dict(cmd="close", code=1001), dict(cmd="close", code=1012)):
        runner = launcher.start()
        assert result_of(broker.run("return 1")) == 1
        broker.say(**order)
        assert runner.wait() == 1
        assert len(runner.err) == 1 and "grant token is spent" in runner.err[0], runner.err
        assert not any(grant in line for grant in launcher.grants for line in runner.out + runner.err)
    assert launcher.start().stop() == 0
    broker.stop()


@case
def a_launchers_environment_is_all_there_is(build):
    broker = Broker(build)
    runner = Launcher(build, broker).start()
    seen = result_of(broker.run("import os\nreturn dict(os.environ)"))
    assert seen["LANG"] == "C.UTF-8" and seen["TZ"] == "UTC", seen
    assert "SECRET" not in seen and not any("TOKEN" in name for name in seen), seen
    assert runner.stop() == 0
    broker.stop()


@case
def a_launchers_health_check_is_answered_under_load(build):
    broker = Broker(build)
    launcher = Launcher(build, broker)
    runner = launcher.start()
    tasks = [broker.task("print('runs')\nwhile True: pass") for _ in range(3)]
    for _ in tasks:
        broker.wait("rpc")  # one for each, in any order
    for _ in range(20):
        assert health(launcher.port) == 200
    for task in tasks:
        broker.say(cmd="cancel", taskId=task, reason="enough")
        broker.wait("error", taskId=task)
    assert runner.stop() == 0
    broker.stop()


# ---- told to stop when nothing runs ----

def stops_promptly(runner, what):
    began = time.monotonic()
    assert runner.stop() == 0, (what, runner.err)
    took = time.monotonic() - began
    assert took < PROMPT, "%s: it took %.2f s" % (what, took)


@case
def a_stop_is_prompt_when_idle(build):
    broker = Broker(build)
    runner = Launcher(build, broker).start()
    stops_promptly(runner, "idle")
    broker.stop()


@case
def a_stop_is_prompt_when_the_broker_does_not_answer(build):
    broker = Broker(build)
    runner = Launcher(build, broker).start()
    broker.process.send_signal(signal.SIGSTOP)
    try:
        stops_promptly(runner, "the broker hangs")
    finally:
        broker.process.send_signal(signal.SIGCONT)
    broker.stop()


@case
def a_stop_is_prompt_without_a_broker(build):
    """Nobody listens; somebody listens and says nothing; the name is nobody's."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        silent_uri = "http://127.0.0.1:%d" % silent.getsockname()[1]
        for uri, line in (("http://127.0.0.1:%d" % free_port(), "trying again"), (silent_uri, "is ready"),
                          ("http://no-such-host.invalid:5679", "is ready")):
            for token in ("N8N_RUNNERS_AUTH_TOKEN", "N8N_RUNNERS_GRANT_TOKEN"):
                if token == "N8N_RUNNERS_GRANT_TOKEN" and uri != silent_uri:
                    continue  # it would leave by itself
                runner = Runner(build, N8N_RUNNERS_TASK_BROKER_URI=uri, **{token: "t"})
                runner.line(line)
                stops_promptly(runner, uri)


@case
def a_stop_is_prompt_while_python_starts(build):
    """At any moment of the start; before it watches for signals, the signal is simply its end."""
    broker = Broker(build)
    for pause in (0, 0.002, 0.005, 0.01, 0.02, 0.05):
        runner = Runner(build, broker, N8N_RUNNERS_STDLIB_ALLOW="*")
        runner.line("task-runner-python")
        time.sleep(pause)
        began = time.monotonic()
        runner.signal(signal.SIGTERM)
        code = runner.wait()
        took = time.monotonic() - began
        assert code in (0, -signal.SIGTERM), (pause, code, runner.err)
        assert took < PROMPT, "after %.3f s of its start it took %.2f s" % (pause, took)
    broker.stop()
