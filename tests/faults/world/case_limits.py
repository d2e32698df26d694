"""The system's limits are hit: the runner says so at its start, or serves as far as it can, and goes on."""
import signal

from harness import Broker, Runner, case, error_of, result_of

LARGE = [{"json": {"text": "0123456789" * 10, "n": n}} for n in range(4000)]


def limited(build, broker, resource, value, **settings):
    return Runner(build, broker, prefix=["prlimit", "--%s=%s" % (resource, value)], **settings)


def comes_up(broker, runner):
    """Waits for an offer; False when the runner has ended, with a line and a code that is not 0."""
    while True:
        try:
            if broker.events.get(timeout=0.05)["event"] == "offer":
                return True
        except Exception:
            if runner.process.poll() is not None:
                code = runner.wait()
                assert code != 0 and runner.err, (code, runner.err)
                assert code != -signal.SIGSEGV, runner.err
                return False


def drain(broker):
    while not broker.events.empty():
        broker.events.get()


@case
def few_descriptors(build):
    """From none to enough: with fewer than it needs the runner ends at once; with few, tasks wait or err."""
    broker = Broker(build)
    served = []
    for most in range(4, 40, 2):
        drain(broker)
        runner = limited(build, broker, "nofile", most, N8N_RUNNERS_TASK_TIMEOUT="5")
        if not comes_up(broker, runner):
            assert not served, "%d descriptors are not enough, and %d were: %s" % (most, served[0], runner.err)
            continue
        served.append(most)
        tasks = [broker.task("print(%d)\nreturn len(_items)" % n, LARGE if n == 3 else []) for n in range(8)]
        ends = {}
        while len(ends) < len(tasks):
            end = broker.wait("done", "error", "lost")
            ends[tasks.index(end["taskId"])] = end
        for n, end in ends.items():
            if end["event"] == "done":
                assert end["data"]["result"] == (len(LARGE) if n == 3 else 0), end
            elif end["event"] == "error":
                assert error_of(end)["message"], end
        assert result_of(broker.run("return 'after'")) == "after"
        assert runner.stop() == 0, runner.err
    assert served, "it never came up"
    broker.stop()


@case
def little_address_space(build):
    """What the runner can't map it says; nothing crashes."""
    broker = Broker(build)
    ups = 0
    for mb in (8, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256, 512):
        drain(broker)
        runner = limited(build, broker, "as", mb << 20, N8N_RUNNERS_TASK_TIMEOUT="10")
        if not comes_up(broker, runner):
            continue
        ups += 1
        assert result_of(broker.run("return 1")) == 1
        end = broker.run("return _items * 40", LARGE) if mb < 512 else broker.run("return 'x' * 300000000")
        assert end["event"] == "done" or end["error"]["message"], end
        if runner.process.poll() is None:
            assert result_of(broker.run("return 'after'")) == "after"
            assert runner.stop() == 0, runner.err
        else:
            assert any("out of memory" in line for line in runner.err), runner.err
    assert ups, "it never came up"
    broker.stop()


@case
def a_full_folder(build):
    code = ("import os\nfor n in range(64):\n"
            "    with open(os.environ['TMPDIR'] + '/%d' % n, 'wb') as f: f.write(b'x' * 65536)\n"
            "while True: pass")
    broker = Broker(build)
    runner = Runner(build, broker, N8N_RUNNERS_TASK_TMP_MB="1", N8N_RUNNERS_STDLIB_ALLOW="os",
                    N8N_RUNNERS_BUILTINS_DENY="")
    broker.wait("offer")
    error = error_of(broker.run(code))
    assert "No space left" in error["message"] or "1 MB" in error.get("description", ""), error
    assert result_of(broker.run("return 'after'")) == "after"
    assert runner.stop() == 0, runner.err
    broker.stop()


@case
def a_task_without_descriptors(build):
    code = "import os\nkept = []\nwhile True: kept.append(os.dup(0))"
    broker = Broker(build)
    runner = Runner(build, broker, N8N_RUNNERS_STDLIB_ALLOW="os", N8N_RUNNERS_BUILTINS_DENY="")
    broker.wait("offer")
    assert "Too many open files" in error_of(broker.run(code))["message"]
    assert result_of(broker.run("return 'after'")) == "after"
    assert runner.stop() == 0, runner.err
    broker.stop()
