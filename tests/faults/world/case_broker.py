"""Brokers that are slow, stuck or too fast: heartbeats are answered, timeouts hold, other tasks go on, memory is
bounded, and what was held up is done in the end."""
import threading
import time

from fake_broker import TEXT, FakeBroker, Pinging, frame, message
from harness import Runner, case, processes_below

LOOP = "print('runs')\nwhile True: pass"
SLOW_S = 60
ITEMS = [{"json": {"n": n, "text": "0123456789" * 9}} for n in range(200)]


class Serving:
    """A fake broker and a runner that is registered with it."""

    def __init__(self, build, one_byte=False, **settings):
        self.broker = FakeBroker()
        self.runner = Runner(build, self.broker, **settings)
        self.broker.open(self.bytewise if one_byte else None)

    def bytewise(self, data):
        for byte in data:
            self.broker.socket.sendall(bytes([byte]))

    def memory_mb(self):
        """What the host has in memory now."""
        with open("/proc/%d/statm" % self.runner.process.pid) as statm:
            return int(statm.read().split()[1]) * 4096 >> 20

    def children(self):
        return [pid for pid in processes_below(self.runner.process.pid) if name_of(pid) == "runner-task"]

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if error[0]:
            return
        assert self.broker.run("return 'after'")["data"]["result"] == "after"
        self.runner.signal(15)
        assert self.runner.wait() == 0, self.runner.err
        self.broker.__exit__()


def name_of(pid):
    try:
        with open("/proc/%d/comm" % pid) as name:
            return name.read().strip()
    except OSError:
        return ""


@case
def one_byte_at_a_time(build):
    with Serving(build, one_byte=True) as s:
        task = s.broker.accept()
        s.bytewise(s.broker.settings(task, "return _items", ITEMS))
        assert s.broker.end(task)["data"]["result"] == ITEMS


@case
def half_a_message_and_then_silence(build):
    with Serving(build, N8N_RUNNERS_TASK_TIMEOUT="2") as s:
        endless, late = s.broker.accept(), s.broker.accept()
        s.broker.socket.sendall(s.broker.settings(endless, LOOP))
        s.broker.wait("runner:rpc")
        began = time.monotonic()
        settings = s.broker.settings(late, "return _items", ITEMS)
        s.broker.socket.sendall(settings[:len(settings) // 2])
        error = s.broker.wait("runner:taskerror", taskId=endless)["error"]
        assert error["message"] == "Task execution timed out after 2 seconds", error
        assert time.monotonic() - began < 4, "the timeout was held up"
        s.broker.offers.clear()
        s.broker.wait("runner:taskoffer")  # offers are renewed meanwhile
        s.broker.socket.sendall(settings[len(settings) // 2:])
        assert s.broker.end(late)["data"]["result"] == ITEMS


@case
def half_a_message_in_fragments_and_heartbeats_between(build):
    with Serving(build) as s:
        late, other = s.broker.accept(), s.broker.accept()
        text = s.broker.settings(late, "return _items", ITEMS)[4:]
        s.broker.socket.sendall(frame(TEXT, text[:9000], final=False))
        for n in range(3):
            assert s.broker.ping(b"%d" % n) < 5
        s.broker.socket.sendall(frame(0, text[9000:]))
        assert s.broker.end(late)["data"]["result"] == ITEMS
        s.broker.socket.sendall(s.broker.settings(other, "return 1"))
        assert s.broker.end(other)["data"]["result"] == 1


@case
def half_a_message_and_then_the_end(build):
    with Serving(build) as s:
        task = s.broker.accept()
        settings = s.broker.settings(task, "return _items", [{"json": "x" * 1000000}])
        s.broker.socket.sendall(settings[:-1000])
        s.broker.socket.close()
        s.runner.line("trying again")
        s.broker.open()


@case
def fifty_thousand_messages_in_one_go(build):
    kinds = [message(type="broker:rpcresponse", callId="c", taskId="t", status="success", data=None),
             message(type="broker:taskcancel", taskId="not-ours", reason="gone"),
             message(type="broker:new", much="x" * 100), frame(TEXT, b"{"), frame(TEXT, b'{"type":1}')]
    with Serving(build) as s:
        task = s.broker.accept()
        before = s.memory_mb()
        s.broker.socket.sendall(b"".join(kinds) * 10000)
        s.broker.socket.sendall(s.broker.settings(task, "return 'through'"))
        assert s.broker.end(task)["data"]["result"] == "through"
        assert s.broker.ping() < 5
        assert s.memory_mb() - before < 20, (before, s.memory_mb())


@case
def fifty_thousand_accepts_in_one_go(build):
    with Serving(build) as s:
        accept = message(type="broker:taskofferaccept", taskId="t", offerId="none")
        sender = threading.Thread(target=s.broker.socket.sendall, args=(accept * 50000,))
        sender.start()
        for _ in range(50000):
            s.broker.wait("runner:taskrejected", taskId="t")
        sender.join()
        assert s.memory_mb() < 100, s.memory_mb()


@case
def a_broker_that_does_not_read_for_a_while(build):
    """The socket's buffers are full: what runs is ended in time nonetheless, and nothing is lost."""
    with Serving(build, N8N_RUNNERS_TASK_TIMEOUT="2") as s:
        large, endless = s.broker.accept(), s.broker.accept()
        s.broker.socket.sendall(s.broker.settings(large, "return 'x' * 20000000"))
        s.broker.socket.sendall(s.broker.settings(endless, LOOP))
        deadline = time.monotonic() + 20
        running = None
        time.sleep(1)
        running = busiest(s.children())
        while running in s.children():
            assert time.monotonic() < deadline, "the timeout was held up"
            time.sleep(0.05)
        assert s.broker.end(large)["data"]["result"] == "x" * 20000000
        assert "timed out" in s.broker.end(endless)["error"]["message"]


def busiest(pids):
    def ticks(pid):
        with open("/proc/%d/stat" % pid) as stat:
            return int(stat.read().rsplit(")", 1)[1].split()[11])
    return max(pids, key=ticks)


@case
def a_broker_that_reads_slowly_for_a_minute(build):
    """Its heartbeats are answered between the parts of a result, and its memory is what the result takes."""
    length = 12000000
    with Serving(build) as s:
        task = s.broker.accept()
        before = s.memory_mb()
        s.broker.socket.setsockopt(1, 8, 65536)  # SOL_SOCKET, SO_RCVBUF
        s.broker.socket.sendall(s.broker.settings(task, "return 'x' * %d" % length))
        pinging = Pinging(s.broker, threading.Lock(), 1)
        read, most = s.broker.socket.recv, 0
        began = time.monotonic()

        def slowly(count):
            nonlocal most
            most = max(most, s.memory_mb())
            time.sleep(SLOW_S * 65536 / length if time.monotonic() - began < SLOW_S else 0)
            return read(min(count, 65536))

        fast, s.broker.socket = s.broker.socket, Slow(s.broker.socket, slowly)
        pongs = 0
        while True:
            said = s.broker.read()
            pongs += said["type"] == "pong"
            if said["type"] in ("runner:taskdone", "runner:taskerror"):
                break
        took = time.monotonic() - began
        pinging.stop()
        assert said["data"]["result"] == "x" * length
        assert took > SLOW_S * 0.6, took
        assert pongs > SLOW_S * 0.3, (pongs, pinging.sent)
        assert most - before < 3 * length >> 20, (before, most)
        while pongs < pinging.sent:
            pongs += s.broker.read()["type"] == "pong"
        s.broker.socket = fast


class Slow:
    """A socket with another recv()."""

    def __init__(self, connection, recv):
        self.connection, self.recv = connection, recv

    def __getattr__(self, name):
        return getattr(self.connection, name)


@case
def a_handshake_that_stops_halfway(build):
    """Closed, or silent for longer than the runner waits: it tries again."""
    broker = FakeBroker()
    runner = Runner(build, broker)
    for silence_s in (0, 11):
        headers, connection = broker.knock()
        connection.sendall(broker.upgrade_answer(headers)[:40])
        time.sleep(silence_s)
        connection.close()
    broker.open()
    assert broker.run("return 1")["data"]["result"] == 1
    runner.signal(15)
    assert runner.wait() == 0, runner.err
    broker.__exit__()
