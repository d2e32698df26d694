#!/usr/bin/env -S python3 -I
"""Plays n8n's launcher: task-runner-launcher TYPE...

It does what a runner sees of the real one: the configuration's command in its folder, with the
environment that the configuration lets through and no other, a grant token, the health checks, and a new
runner when one has ended. What it leaves out is the waiting for a first task.
"""
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

ALWAYS = ("LANG", "PATH", "TZ", "TERM")
BROKER = os.environ.get("N8N_RUNNERS_TASK_BROKER_URI", "http://127.0.0.1:5679")
HEALTH_SECONDS, HEALTH_FAILURES = 1, 6


def value(name, fallback=None):
    if name in os.environ:
        return os.environ[name]
    path = os.environ.get(name + "_FILE")
    if path:
        with open(path) as file:
            return file.read().strip()
    return fallback


def runner_of(kind):
    with open(value("N8N_RUNNERS_CONFIG_PATH", "/etc/n8n-task-runners.json")) as file:
        runners = json.load(file)["task-runners"]
    return next(runner for runner in runners if runner["runner-type"] == kind)


def grant_token():
    request = urllib.request.Request(
        BROKER + "/runners/auth", json.dumps({"token": value("N8N_RUNNERS_AUTH_TOKEN")}).encode(),
        {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["data"]["token"]


def environment_for(runner):
    allowed = (*ALWAYS, *runner["allowed-env"])
    return {
        **{name: text for name, text in os.environ.items() if name in allowed},
        "N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT": value("N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT", "15"),
        "N8N_RUNNERS_TASK_TIMEOUT": value("N8N_RUNNERS_TASK_TIMEOUT", "60"),
        **runner["env-overrides"],
        "N8N_RUNNERS_TASK_BROKER_URI": BROKER,
        "N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED": "true",
        "N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT": runner["health-check-server-port"],
        "N8N_RUNNERS_GRANT_TOKEN": grant_token(),
    }


def watch(process, runner):
    """Ends a runner that does not answer."""
    host = value("N8N_RUNNERS_HEALTH_CHECK_SERVER_HOST", "127.0.0.1")
    url = "http://%s:%s/healthz" % (host, runner["health-check-server-port"])
    failures, told = 0, False
    while process.poll() is None and failures < HEALTH_FAILURES:
        time.sleep(HEALTH_SECONDS)
        try:
            with urllib.request.urlopen(url, timeout=5):
                failures = 0
            if not told:
                print("launcher: the runner is healthy", flush=True)
                told = True
        except OSError:
            failures += 1
    process.kill()


def serve(kind):
    runner = runner_of(kind)
    while True:
        process = subprocess.Popen([runner["command"], *runner["args"]], cwd=runner["workdir"],
                                   env=environment_for(runner))
        running.append(process)
        threading.Thread(target=watch, args=(process, runner), daemon=True).start()
        code = process.wait()
        running.remove(process)
        print("launcher: the runner has ended with", code, flush=True)


class Health(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status":"ok"}')

    def log_message(self, *_):
        pass


def stop(*_):
    for process in running:
        process.terminate()
    for process in list(running):
        process.wait(15)
    print("launcher: stopped", flush=True)
    os._exit(0)


running = []
signal.signal(signal.SIGTERM, stop)
port = int(value("N8N_RUNNERS_LAUNCHER_HEALTH_CHECK_PORT", "5680"))
threading.Thread(target=http.server.HTTPServer(("127.0.0.1", port), Health).serve_forever, daemon=True).start()
for name in sys.argv[1:]:
    threading.Thread(target=serve, args=(name,), daemon=True).start()
threading.Event().wait()
