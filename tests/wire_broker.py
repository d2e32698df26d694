"""A broker that a test holds in its hands: every message, every byte, every moment is the test's choice.

One thread. Nothing happens but in pump(), which takes what has come and says what that is; what is sent
leaves at once. Only standard library; no more of HTTP and WebSocket than n8n's broker has."""
import base64
import hashlib
import json
import select
import socket
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10
FINAL, MASKED = 0x80, 0x80
CHUNK = 1 << 18
TOKEN = "secret-auth-token"


def frame(payload, opcode=TEXT, final=True):
    head = bytes([(FINAL if final else 0) | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 1 << 16:
        return head + struct.pack(">BH", 126, len(payload)) + payload
    return head + struct.pack(">BQ", 127, len(payload)) + payload


def unmask(payload, key):
    length = len(payload)
    mask = int.from_bytes((key * (length // 4 + 1))[:length], "big")
    return (int.from_bytes(payload, "big") ^ mask).to_bytes(length, "big")


class Connection:
    """One WebSocket; before its upgrade, one HTTP request."""

    def __init__(self, socket_):
        self.socket = socket_
        self.received = b""
        self.upgraded = self.closed = False
        self.message = bytearray()

    # ---- out ----

    def send_bytes(self, data):
        """False when the runner takes no more: it is gone, and pump() will say so."""
        try:
            self.socket.setblocking(True)
            self.socket.settimeout(10)
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def send(self, **message):
        return self.send_bytes(frame(json.dumps(message).encode()))

    def ping(self, payload=b""):
        return self.send_bytes(frame(payload, PING))

    def close(self, code):
        return self.send_bytes(frame(struct.pack(">H", code), CLOSE))

    def drop(self):
        self.closed = True
        self.socket.close()

    # ---- in ----

    def take_frame(self):
        """The next whole frame: final or not, opcode, payload; None while there is none."""
        data = self.received
        if len(data) < 6:
            return None
        length, at = data[1] & 0x7f, 2
        if length == 126:
            length, at = struct.unpack(">H", data[2:4])[0], 4
        elif length == 127:
            if len(data) < 10:
                return None
            length, at = struct.unpack(">Q", data[2:10])[0], 10
        assert data[1] & MASKED, "a frame of the runner is not masked"
        if len(data) < at + 4 + length:
            return None
        payload = unmask(data[at + 4:at + 4 + length], data[at:at + 4])
        self.received = data[at + 4 + length:]
        return bool(data[0] & FINAL), data[0] & 0x0f, payload

    def take(self):
        """What has come, in turn: ("message", dict), ("pong", bytes), ("close", code)."""
        while not self.closed and (got := self.take_frame()):
            final, opcode, payload = got
            if opcode == PONG:
                yield "pong", payload
            elif opcode == CLOSE:
                yield "close", struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None
            elif opcode == PING:
                self.send_bytes(frame(payload, PONG))
            else:
                self.message += payload
                if final:
                    text, self.message = self.message, bytearray()
                    yield "message", json.loads(text, strict=False)


class WireBroker:
    """`door`: what comes of the next requests: "open", a status, or "silent"."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.token = TOKEN
        self.connections = []
        self.door = {"auth": "open", "upgrade": "open"}

    @property
    def uri(self):
        return "http://127.0.0.1:%d" % self.port

    def answer(self, connection, status, body=b""):
        connection.send_bytes(b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
            status, len(body), body))

    def take_request(self, connection):
        """Answers a whole HTTP request; what it was: "auth", "upgrade" or "open"; None: nothing yet."""
        head, end, body = connection.received.partition(b"\r\n\r\n")
        if not end:
            return None
        headers = {line.split(b":", 1)[0].strip().lower(): line.split(b":", 1)[1].strip()
                   for line in head.split(b"\r\n")[1:]}
        length = int(headers.get(b"content-length", 0))
        if len(body) < length:
            return None
        connection.received = body[length:]
        what = "auth" if head.startswith(b"POST") else "upgrade"
        door = self.door[what]
        if door == "silent":
            return what
        if door != "open":
            self.answer(connection, door)
            return what
        if what == "auth":
            self.answer(connection, 200, b'{"data":{"token":"grant"}}')
            return what
        accept = base64.b64encode(hashlib.sha1(headers[b"sec-websocket-key"] + GUID).digest())
        connection.upgraded = True
        connection.send_bytes(b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        return "open"

    def receive(self, connection):
        connection.socket.setblocking(False)
        try:
            data = connection.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        connection.received += data
        if not connection.upgraded and data and (what := self.take_request(connection)):
            yield connection, what, None
        if connection.upgraded:
            for kind, value in connection.take():
                yield connection, kind, value
        if not data and not connection.closed:
            connection.drop()
            yield connection, "gone", None

    def pump(self, seconds):
        """Waits so long at the most, until something comes; yields (connection, what, value)."""
        self.connections = [connection for connection in self.connections if not connection.closed]
        sockets = {connection.socket: connection for connection in self.connections}
        listeners = [self.listener] if self.listener.fileno() >= 0 else []
        ready, _, _ = select.select([*listeners, *sockets], [], [], seconds)
        for socket_ in ready:
            if socket_ is self.listener:
                new, _ = self.listener.accept()
                new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections.append(Connection(new))
            elif not sockets[socket_].closed:
                yield from self.receive(sockets[socket_])

    def stop(self):
        for connection in self.connections:
            connection.drop()
        self.listener.close()
