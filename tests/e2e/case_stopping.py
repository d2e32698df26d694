"""What ends a task before its time: its timeout, its user, the end of the runner or of n8n."""
import os
import signal
import threading

from flow import Flow, code
from harness import case
from n8n import wait_until
from place import busy, gone

LOOP = "while True: pass"
ONE = "return [{'json': {'n': 1}}]"


class Caller:
    """Calls a webhook and waits for the answer on the side."""

    def __init__(self, flow):
        self.answer, self.error = None, None
        self.thread = threading.Thread(target=self._call, args=(flow,), daemon=True)
        self.thread.start()

    def _call(self, flow):
        try:
            self.answer = flow.call()
        except OSError as error:
            self.error = error

    def join(self):
        self.thread.join(60)
        assert not self.thread.is_alive(), "the caller got no answer"


@case
def a_task_times_out(place):
    runner = place.runner(N8N_RUNNERS_TASK_TIMEOUT="1")
    run = Flow(place.n8n, code(LOOP)).fails()
    assert "timed out after 1 second" in run.error["message"], run.error
    assert Flow(place.n8n, code(ONE)).items() == [{"n": 1}]
    assert runner.process.poll() is None


@case
def a_user_stops_a_run(place):
    runner = place.runner()
    flow = Flow(place.n8n, code(LOOP))
    caller = Caller(flow)
    run_id = flow.running()
    child = busy(runner.process.pid)
    flow.n8n.rest("POST", "executions/%s/stop" % run_id)
    gone(child)
    assert flow.end(run_id).status == "canceled"
    caller.join()
    assert runner.process.poll() is None
    assert Flow(place.n8n, code(ONE)).items() == [{"n": 1}]


@case
def a_task_that_dies_is_an_error_of_its_own(place):
    runner = place.runner()
    flow = Flow(place.n8n, code(LOOP))
    caller = Caller(flow)
    flow.running()
    os.kill(busy(runner.process.pid), signal.SIGKILL)
    caller.join()
    run = flow.last()
    assert run.error["message"] == "Process was forcefully killed (SIGKILL)", run.error
    assert Flow(place.n8n, code(ONE)).items() == [{"n": 1}]


@case
def the_runner_is_killed_under_n8n(place):
    runner = place.runner()
    flow = Flow(place.n8n, code(LOOP))
    caller = Caller(flow)
    run_id = flow.running()
    child = busy(runner.process.pid)
    runner.process.kill()
    runner.wait()
    gone(child)
    run = flow.end(run_id)
    assert run.status == "error" and run.error["message"] == "Node execution failed", run.error  # n8n's words
    caller.join()
    assert caller.answer.status == 500
    place.runner()
    assert Flow(place.n8n, code(ONE)).items() == [{"n": 1}]


@case
def a_task_waits_for_a_runner(place):
    flow = Flow(place.n8n, code(ONE))
    place.stop_runner()
    caller = Caller(flow)
    flow.running()
    place.runner()
    caller.join()
    assert caller.answer.json() == [{"n": 1}]


@case
def n8n_is_restarted_under_the_runner(place):
    runner, n8n = place.runner(), place.n8n
    flow = Flow(n8n, code(ONE))
    loop = Flow(n8n, code(LOOP))
    for number in (signal.SIGTERM, signal.SIGKILL):
        caller = Caller(loop)
        loop.running()
        child = busy(runner.process.pid)
        seen = len(runner.out)
        n8n.stop(number)
        gone(child)
        caller.join()
        n8n.start()
        wait_until("the runner's return", lambda: any("Registered" in line for line in runner.out[seen:]))
        wait_until("the webhook's return", lambda: flow.call().status == 200)
        assert flow.items() == [{"n": 1}]
        assert runner.process.poll() is None


@case
def a_stopped_runner_finishes_first(place):
    place.runner()
    flow = Flow(place.n8n, code("import time\ntime.sleep(1)\n" + ONE))
    caller = Caller(flow)
    flow.running()
    assert place.stop_runner() == 0
    caller.join()
    assert caller.answer.json() == [{"n": 1}], caller.answer.body
