"""A real n8n in a temporary folder: its process, and its REST API as a browser uses it."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

LIMIT = 180  # seconds until a wait counts as a hang: the first start makes the whole database

OWNER = {"email": "owner@example.com", "firstName": "Own", "lastName": "Er", "password": "Secret-1234"}

# Nothing but loopback is contacted; no news, no statistics, no shop.
QUIET = {
    "N8N_DIAGNOSTICS_ENABLED": "false", "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
    "N8N_TEMPLATES_ENABLED": "false", "N8N_PERSONALIZATION_ENABLED": "false",
    "N8N_DYNAMIC_BANNERS_ENABLED": "false", "N8N_HIRING_BANNER_ENABLED": "false",
    "N8N_COMMUNITY_PACKAGES_ENABLED": "false", "N8N_LICENSE_AUTO_RENEW_ENABLED": "false",
    "N8N_DISABLED_MODULES": "mcp-registry,instance-ai,agents,insights", "N8N_SECURE_COOKIE": "false",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(what, condition, limit=LIMIT, pause=0.05):
    """Waits for a true value and returns it."""
    deadline = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "%s did not happen within %d s" % (what, limit)
        time.sleep(pause)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def request(method, url, body=None, headers=(), timeout=LIMIT):
    """One HTTP request; every status is an answer."""
    sent = dict(headers)
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("Content-Type", "application/json")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, body, sent, method=method), timeout=timeout) as got:
            return Answer(got.status, got.headers, got.read())
    except urllib.error.HTTPError as got:
        return Answer(got.code, got.headers, got.read())


class N8n:
    """One instance: its folder and ports stay the same when it is started again.

    `token` and `uri` are what a runner needs to find its broker.
    """

    def __init__(self, home, mode, **settings):
        self.node = os.path.join(home, "node_modules", "node-linux-" + {"x86_64": "x64", "aarch64": "arm64"}[
            os.uname().machine], "bin")
        self.program = os.path.join(home, "node_modules", "n8n", "bin", "n8n")
        self.folder = tempfile.mkdtemp(prefix="n8n-")
        self.port, self.broker_port, self.token = free_port(), free_port(), "secret-auth-token"
        self.log_path = os.path.join(self.folder, "n8n.log")
        self.cookie = None
        self.process = None
        self.env = dict(
            QUIET, PATH=self.node + os.pathsep + os.environ["PATH"], HOME=self.folder, TMPDIR=self.folder,
            N8N_USER_FOLDER=self.folder, N8N_PORT=str(self.port), N8N_LISTEN_ADDRESS="127.0.0.1",
            N8N_RUNNERS_ENABLED="true", N8N_RUNNERS_MODE=mode, N8N_NATIVE_PYTHON_RUNNER="true",
            N8N_RUNNERS_AUTH_TOKEN=self.token, N8N_RUNNERS_BROKER_PORT=str(self.broker_port),
            N8N_RUNNERS_BROKER_LISTEN_ADDRESS="127.0.0.1", N8N_PUSH_BACKEND="sse",
            N8N_PAYLOAD_SIZE_MAX="64", N8N_GRACEFUL_SHUTDOWN_TIMEOUT="5", **settings)

    @property
    def uri(self):
        return "http://127.0.0.1:%d" % self.broker_port

    @property
    def url(self):
        return "http://127.0.0.1:%d" % self.port

    # ---- the process ----

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(["node", self.program, "start"], env=self.env, cwd=self.folder,
                                            executable=os.path.join(self.node, "node"),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until("n8n's start", self._answers)
        if self.cookie is None:
            self._enter(self.rest("POST", "owner/setup", OWNER, whole=True))
        else:
            self._enter(self.rest("POST", "login", whole=True, body={
                "emailOrLdapLoginId": OWNER["email"], "password": OWNER["password"]}))
        return self

    def _answers(self):
        assert self.process.poll() is None, "n8n ended while it started:\n" + self.log()[-3000:]
        try:
            settings = request("GET", self.url + "/rest/settings")  # a page, not data, while it starts
            return settings.body.startswith(b'{"data"') and request("GET", self.uri + "/healthz").status == 200
        except OSError:
            return False

    def _enter(self, answer):
        self.cookie = answer.headers["Set-Cookie"].split(";")[0]

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def remove(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    # ---- its API ----

    def rest(self, method, path, body=None, whole=False, **headers):
        """Calls n8n's own API; returns the data of its answer."""
        if self.cookie:
            headers["Cookie"] = self.cookie
        answer = request(method, "%s/rest/%s" % (self.url, path), body, headers)
        assert answer.status == 200, "%s %s: %d %s" % (method, path, answer.status, answer.body[:500])
        return answer if whole else answer.json()["data"]


class Push:
    """What n8n pushes to the browser of one editor: a stream of events."""

    def __init__(self, n8n, name):
        self.name, self.events = name, []
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        self.stream = opener.open(urllib.request.Request(
            "%s/rest/push?pushRef=%s" % (n8n.url, name), headers={"Cookie": n8n.cookie, "Origin": n8n.url}))
        assert self.stream.readline() == b":ok\n"
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        try:
            for line in self.stream:
                if line.startswith(b"data: "):
                    self.events.append(json.loads(line[6:]))
        except (OSError, ValueError, AttributeError):
            pass  # closed

    def wait(self, kind):
        return wait_until("a push message " + kind, lambda: next(
            (event["data"] for event in list(self.events) if event["type"] == kind), None))
