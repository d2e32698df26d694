"""The calendar's clock jumps by hours, both ways, while tasks run: nothing that waits goes by it."""
import os
import pty
import re
import threading
import time

from control import Lane
from harness import Broker, Runner, case, error_of, result_of

HOURS = 3600
LOOP = "print('runs')\nwhile True: pass"


@case
def timeouts_and_offers_go_on(build):
    lane = Lane(build, "clock")
    broker = Broker(lane.folder)
    runner = Runner(lane.folder, broker, N8N_RUNNERS_TASK_TIMEOUT="2", N8N_RUNNERS_MAX_CONCURRENCY="1")
    offer = broker.wait("offer")
    for hours in (5, -5, 24 * 400, 0):
        task = broker.task(LOOP)
        broker.wait("rpc", taskId=task)
        began = time.monotonic()
        lane.set_clock(hours * HOURS)
        event = broker.end(task)
        assert error_of(event)["message"] == "Task execution timed out after 2 seconds", event
        assert 1.5 < time.monotonic() - began < 6, "the timeout came after %.1f s" % (time.monotonic() - began)
        assert result_of(broker.run("return 'on time'")) == "on time"
    before = None
    for hours in (7, -7):  # an offer is good for 5 s and something, and renewed then
        offer = broker.wait("offer")
        lane.set_clock(hours * HOURS)
        if before:
            assert 4.9 < (offer["ms"] - before["ms"]) / 1000 < 8, (before, offer)
        before = offer
    assert runner.stop() == 0, runner.err
    broker.stop()


@case
def a_task_sees_the_clock_as_it_is(build):
    """And the shim that turns it is at work: this is what the cases above stand on."""
    lane = Lane(build, "clock")
    broker = Broker(lane.folder)
    runner = Runner(lane.folder, broker, N8N_RUNNERS_STDLIB_ALLOW="time")
    broker.wait("offer")
    for hours in (30, -30):
        lane.set_clock(hours * HOURS)
        seen = result_of(broker.run("import time\nreturn time.time()"))
        assert abs(seen - time.time() - hours * HOURS) < 5, seen
    assert runner.stop() == 0, runner.err
    broker.stop()


@case
def stamps_in_the_log_follow_it(build):
    """Lines on a terminal have the time of day, whatever it is by then."""
    lane = Lane(build, "clock")
    broker = Broker(lane.folder)
    ours, theirs = pty.openpty()
    lines = []
    runner = Runner(lane.folder, broker, NO_COLOR="1", TZ="UTC", stdout=theirs)
    os.close(theirs)
    threading.Thread(target=read_lines, args=(ours, lines), daemon=True).start()
    broker.wait("offer")
    for hours in (3, -3):
        lane.set_clock(hours * HOURS)
        result_of(broker.run("return 1"))
        line = wait_for(lines, "Completed")
        stamp = re.match(r"(\d\d):(\d\d):(\d\d)\.\d{3} info ", line)
        assert stamp, line
        seen = int(stamp[1]) * 3600 + int(stamp[2]) * 60 + int(stamp[3])
        away = (seen - time.time() - hours * HOURS) % 86400
        assert min(away, 86400 - away) < 10, (line, away)
        lines.clear()
    assert runner.stop() == 0
    broker.stop()


def read_lines(fd, lines):
    kept = b""
    while True:
        try:
            part = os.read(fd, 4096)
        except OSError:
            return
        kept += part
        *whole, kept = kept.split(b"\n")
        lines.extend(line.decode().strip() for line in whole)


def wait_for(lines, text):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for line in list(lines):
            if text in line:
                return line
        time.sleep(0.01)
    raise AssertionError("no %r: %s" % (text, lines))
