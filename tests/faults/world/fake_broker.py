"""A broker of one connection whose every byte the test decides: RFC 6455's server side, by hand."""
import base64
import hashlib
import json
import socket
import struct
import threading
import time

LIMIT = 60  # seconds until a wait counts as a hang
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def frame(opcode, payload, final=True):
    """A server's frame: not masked."""
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        head += bytes([len(payload)])
    elif len(payload) < 65536:
        head += b"\x7e" + struct.pack(">H", len(payload))
    else:
        head += b"\x7f" + struct.pack(">Q", len(payload))
    return head + payload


def message(**fields):
    return frame(TEXT, json.dumps(fields).encode())


class FakeBroker:
    """Listens; `uri` and `token` are what a Runner is given."""

    token = "secret-auth-token"

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(LIMIT)
        self.uri = "http://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.socket = None
        self.kept = b""  # received, not read yet
        self.parts = b""  # of a message
        self.offers = []
        self.tasks = 0
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.listener.close()
        if self.socket:
            self.socket.close()

    # ---- getting in ----

    def request(self):
        """Accepts a connection and reads a request: its first line, headers, and connection."""
        connection, _ = self.listener.accept()
        connection.settimeout(LIMIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        text = b""
        while b"\r\n\r\n" not in text:
            part = connection.recv(1)
            if not part:
                return "", {}, connection
            text += part
        lines = text.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:] if ": " in line)}
        for _ in range(int(headers.get("content-length", 0))):
            connection.recv(1)
        return lines[0], headers, connection

    def knock(self):
        """Gives grant tokens until an upgrade is asked for; returns its headers and connection."""
        body = b'{"data":{"token":"grant"}}'
        answer = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                  b"Connection: close\r\n\r\n%s" % (len(body), body))
        while True:
            line, headers, connection = self.request()
            if line.startswith("GET "):
                assert headers["authorization"] == "Bearer grant", headers
                return headers, connection
            try:
                connection.sendall(answer)
            except OSError:
                pass  # it has waited for too long
            connection.close()

    def upgrade_answer(self, headers):
        key = base64.b64encode(hashlib.sha1(headers["sec-websocket-key"].encode() + GUID).digest())
        return (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: %s\r\n\r\n" % key)

    def open(self, send=None):
        """Everything until the runner is registered."""
        headers, self.socket = self.knock()
        self.kept = self.parts = b""
        self.offers = []
        send = send or self.socket.sendall
        send(self.upgrade_answer(headers))
        send(message(type="broker:inforequest"))
        self.wait("runner:info")
        send(message(type="broker:runnerregistered"))

    # ---- what the runner says ----

    def read_exactly(self, count):
        while len(self.kept) < count:
            part = self.socket.recv(65536)
            if not part:
                raise ConnectionError("the runner has closed the connection")
            self.kept += part
        taken, self.kept = self.kept[:count], self.kept[count:]
        return taken

    def read_frame(self):
        first, second = self.read_exactly(2)
        length = second & 0x7f
        if length == 126:
            length, = struct.unpack(">H", self.read_exactly(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.read_exactly(8))
        key = self.read_exactly(4)
        payload = self.read_exactly(length)
        mask = (key * (length // 4 + 1))[:length]
        payload = (int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")).to_bytes(length, "big")
        return first & 0x0f, bool(first & 0x80), payload

    def read(self):
        """The next message, as an object; a pong is {"type": "pong", "payload": …}."""
        while True:
            opcode, final, payload = self.read_frame()
            if opcode == PONG:
                return {"type": "pong", "payload": payload}
            if opcode == PING:
                self.socket.sendall(frame(PONG, payload))
                continue
            if opcode == CLOSE:
                raise ConnectionError("the runner closes: %r" % payload)
            self.parts += payload
            if final:
                text, self.parts = self.parts, b""
                said = json.loads(text)
                if said["type"] == "runner:taskoffer":
                    self.offers.append((said["offerId"], time.monotonic() + said["validFor"] / 1000))
                return said

    def wait(self, *types, **fields):
        deadline = time.monotonic() + LIMIT
        while time.monotonic() < deadline:
            said = self.read()
            self.seen.append(said)
            if said["type"] in types and all(said.get(k) == v for k, v in fields.items()):
                return said
        raise AssertionError("no %s came: %s" % (types, self.seen[-5:]))

    # ---- tasks ----

    def accept(self):
        """Takes an open offer; returns the task's id."""
        while True:
            while self.offers:
                offer, until = self.offers.pop(0)
                if until > time.monotonic() + 0.5:
                    self.tasks += 1
                    task = "task-%d" % self.tasks
                    self.socket.sendall(message(type="broker:taskofferaccept", taskId=task, offerId=offer))
                    if self.wait("runner:taskaccepted", "runner:taskrejected", taskId=task)["type"] == \
                            "runner:taskaccepted":
                        return task
            self.wait("runner:taskoffer")

    @staticmethod
    def settings(task, code, items=(), **more):
        return message(type="broker:tasksettings", taskId=task, settings=dict(
            {"code": code, "nodeMode": "runOnceForAllItems", "items": list(items)}, **more))

    def run(self, code, items=()):
        task = self.accept()
        self.socket.sendall(self.settings(task, code, items))
        return self.end(task)

    def end(self, task):
        return self.wait("runner:taskdone", "runner:taskerror", taskId=task)

    def ping(self, payload=b"?"):
        """Asks, and waits for the answer."""
        self.socket.sendall(frame(PING, payload))
        began = time.monotonic()
        self.wait("pong", payload=payload)
        return time.monotonic() - began


class Pinging:
    """Pings every so often from a thread of its own, as a broker's heartbeat does."""

    def __init__(self, broker, lock, every):
        self.broker, self.lock, self.every, self.sent = broker, lock, every, 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.over.wait(self.every):
            with self.lock:
                self.broker.socket.sendall(frame(PING, b"%d" % self.sent))
            self.sent += 1

    def stop(self):
        self.over.set()
        self.thread.join()
