"""The messages between broker and runner: offers, tasks, cancels, and what is no message at all."""
import os
import signal

from harness import Broker, Pair, Runner, case, error_of, result_of

LOOP = "while True: pass"


def offers(pair, count):
    """Waits for so many new offers; returns their ids."""
    return [pair.broker.wait("offer")["offerId"] for _ in range(count)]


class Fresh(Pair):
    """A pair none of whose offers has been waited for yet."""

    def __init__(self, build, **settings):
        self.build = build
        self.broker = Broker(build)
        self.runner = Runner(build, self.broker, **settings)


@case
def it_registers_as_the_python_runner(build):
    with Fresh(build) as pair:
        upgrade = pair.broker.wait("upgrade")
        assert upgrade["status"] == 101 and len(upgrade["id"]) == 22 and upgrade["id"].isalnum(), upgrade
        registered = pair.broker.wait("registered")
        assert registered["name"] == "Python Task Runner" and registered["types"] == ["python"], registered


@case
def an_offer_for_every_free_slot(build):
    with Fresh(build, N8N_RUNNERS_MAX_CONCURRENCY="3") as pair:
        seen = [pair.broker.wait("offer") for _ in range(3)]
        assert len({offer["offerId"] for offer in seen}) == 3
        assert all(5000 <= offer["validFor"] <= 5500 and offer["taskType"] == "python" for offer in seen), seen
        tasks = [pair.broker.task(LOOP) for _ in range(3)]
        for task in tasks:
            pair.broker.wait("accepted", taskId=task)
        count = sum(event["event"] == "offer" for event in pair.broker.seen)
        assert count == 3, "offers went out while no slot was free: %d" % count
        for task in tasks:
            pair.broker.say(cmd="cancel", taskId=task, reason="enough")
            assert error_of(pair.broker.wait("error", taskId=task))["message"] == "Task was cancelled"
        while sum(event["event"] == "offer" for event in pair.broker.seen) < 6:
            pair.broker.wait("offer")


@case
def offers_are_renewed_when_they_have_expired(build):
    with Fresh(build, N8N_RUNNERS_MAX_CONCURRENCY="1") as pair:
        first, second = pair.broker.wait("offer"), pair.broker.wait("offer")
        assert second["ms"] - first["ms"] >= first["validFor"], (first, second)
        pair.broker.say(cmd="accept", taskId="late", offerId=first["offerId"])
        rejected = pair.broker.wait("rejected", taskId="late")
        assert rejected["reason"] == "Offer expired - not accepted within validity window", rejected


@case
def a_runner_at_capacity_says_so(build):
    with Fresh(build, N8N_RUNNERS_MAX_CONCURRENCY="1") as pair:
        offer = pair.broker.wait("offer")["offerId"]
        running = pair.broker.task(LOOP)
        pair.broker.wait("accepted", taskId=running)
        pair.broker.say(cmd="accept", taskId="second", offerId=offer)
        assert pair.broker.wait("rejected", taskId="second")["reason"] in (
            "No open task slots - runner already at capacity",
            "Offer expired - not accepted within validity window")
        pair.broker.say(cmd="cancel", taskId=running, reason="enough")
        pair.broker.wait("error", taskId=running)


@case
def a_task_that_waits_for_its_settings_is_cancelled_at_once(build):
    with Fresh(build, N8N_RUNNERS_MAX_CONCURRENCY="1") as pair:
        offers(pair, 1)
        pair.broker.say(cmd="task", taskId="waiting", settings=None)
        pair.broker.wait("accepted", taskId="waiting")
        pair.broker.say(cmd="cancel", taskId="waiting", reason="the user stopped it")
        offers(pair, 1)
        assert result_of(pair.broker.run("return 1")) == 1


@case
def a_cancel_of_an_unknown_task_is_ignored(build):
    with Pair(build) as pair:
        pair.broker.say(cmd="send", raw='{"type":"broker:taskcancel","taskId":"nobody","reason":"x"}')
        assert result_of(pair.broker.run("return 1")) == 1
        pair.runner.line("nobody")


@case
def after_an_elapsed_acknowledgement_all_offers_are_made_anew(build):
    with Fresh(build, N8N_RUNNERS_MAX_CONCURRENCY="3") as pair:
        old = offers(pair, 3)
        pair.broker.say(cmd="expireOffers")
        pair.broker.say(cmd="send", raw='{"type":"broker:taskcancel","taskId":"forgotten",'
                                        '"reason":"Acknowledgement window elapsed"}')
        new = [pair.broker.wait("offer") for _ in range(3)]
        assert not {offer["offerId"] for offer in new} & set(old)
        assert result_of(pair.broker.run("return 1")) == 1


@case
def a_new_offer_goes_out_with_the_slot(build):
    with Fresh(build, N8N_RUNNERS_MAX_CONCURRENCY="1") as pair:
        for number in range(20):
            offers(pair, 1)
            assert result_of(pair.broker.run("return %d" % number)) == number


STRANGE = ['garbage', '', '[]', '{}', '{"type":5}', '{"type":"broker:nonsense"}', '{"type":"broker:tasksettings"}',
           '{"type":"broker:taskofferaccept","taskId":"x"}', '{"type":"broker:taskofferaccept","taskId":7,"offerId":{}}',
           '{"type":"broker:tasksettings","taskId":"unknown","settings":{"code":"return 1"}}',
           '{"type":"broker:rpcresponse","callId":"c","taskId":"t","status":"success","data":null}',
           '{"type":"broker:taskdataresponse","taskId":"t","requestId":"r","data":[]}',
           '{"type":"broker:runnerregistered"}', '{"type":"broker:taskcancel"}', '{"type":"broker:drainx"}',
           '{"type":"broker:drain"', '[' * 100000, '{"a":' * 100000, '"' + 'x' * 1000000, '\x00', '\ufeff{}',
           '{"type":"broker:inforequest","type":5}']


@case
def strange_messages_are_skipped(build):
    with Pair(build) as pair:
        running = pair.broker.task(LOOP)
        pair.broker.wait("accepted", taskId=running)
        for raw in STRANGE:
            pair.broker.say(cmd="send", raw=raw)
            pair.broker.say(cmd="sendBinary", raw=raw)
        for data in ("ff", "fffe00", "c0af", "eda080", "f4908080", "7b22747970652280"):
            pair.broker.say(cmd="sendBytes", hex=data)
        assert result_of(pair.broker.run("return 1")) == 1
        pair.broker.say(cmd="cancel", taskId=running, reason="enough")
        pair.broker.wait("error", taskId=running)
        assert not any(event["event"] == "closed" for event in pair.broker.seen)


@case
def a_message_may_come_in_any_pieces(build):
    with Pair(build) as pair:
        for size in (1, 7, 4096):
            offer = pair.broker.wait("offer")["offerId"]
            task = "pieces-%d" % size
            pair.broker.say(cmd="accept", taskId=task, offerId=offer)
            pair.broker.wait("accepted", taskId=task)
            pair.broker.say(cmd="sendFragmented", size=size, raw=(
                '{"settings":{"items":[{"json":{"text":"ä€😀"}}],"nodeMode":"runOnceForAllItems",'
                '"code":"return _items"},"taskId":"%s","type":"broker:tasksettings"}' % task))
            assert result_of(pair.broker.wait("done", "error", taskId=task)) == [{"json": {"text": "ä€😀"}}]


@case
def settings_that_come_twice_count_once(build):
    with Pair(build) as pair:
        running = pair.broker.task(LOOP)
        pair.broker.wait("accepted", taskId=running)
        settings = {"code": "return 1", "nodeMode": "runOnceForAllItems", "items": []}
        pair.broker.say(cmd="settings", taskId=running, settings=settings)
        pair.runner.line("settings twice")
        pair.broker.say(cmd="cancel", taskId=running, reason="enough")
        assert error_of(pair.broker.wait("done", "error", taskId=running))["message"] == "Task was cancelled"


@case
def prints_need_no_answers(build):
    with Pair(build) as pair:
        pair.broker.say(cmd="rpcAnswers", on=False)
        event = pair.broker.run("print('a')\nreturn 1")
        assert result_of(event) == 1 and event["prints"] == [["'a'"]]


@case
def prints_arrive_while_the_task_runs(build):
    with Pair(build) as pair:
        task = pair.broker.task("print('early')\n" + LOOP)
        assert pair.broker.wait("rpc", taskId=task)["params"] == ["'early'"]
        pair.broker.say(cmd="cancel", taskId=task, reason="enough")
        assert error_of(pair.broker.wait("done", "error", taskId=task))["message"] == "Task was cancelled"


@case
def a_drained_runner_finishes_what_runs(build):
    with Pair(build, N8N_RUNNERS_MAX_CONCURRENCY="2") as pair:
        task = pair.broker.task("print('runs')\n" + LOOP)
        pair.broker.wait("rpc", taskId=task)
        pair.broker.say(cmd="drain")
        pair.runner.line("going down")
        before = sum(event["event"] == "offer" for event in pair.broker.seen)
        pair.broker.say(cmd="cancel", taskId=task, reason="enough")
        pair.broker.wait("error", taskId=task)
        pair.broker.say(cmd="ping")
        pair.broker.wait("pong")
        assert before == sum(event["event"] == "offer" for event in pair.broker.seen)


@case
def large_items_and_results(build):
    with Pair(build) as pair:
        items = [{"json": {"n": n, "text": "ü" * 1000}} for n in range(10000)]
        assert result_of(pair.broker.run("return _items", items)) == items
        event = pair.broker.run("return 'x' * 50_000_000")
        assert len(result_of(event)) == 50_000_000


@case
def a_result_beyond_the_payload_limit_is_an_error(build):
    with Pair(build, N8N_RUNNERS_MAX_PAYLOAD="100000") as pair:
        error = error_of(pair.broker.run("return 'x' * 200000"))
        assert "100000" in error["message"] and "N8N_RUNNERS_MAX_PAYLOAD" in error["description"], error
        assert result_of(pair.broker.run("return 1")) == 1


@case
def pings_are_answered_while_tasks_run(build):
    with Pair(build) as pair:
        task = pair.broker.task(LOOP)
        pair.broker.wait("accepted", taskId=task)
        pair.broker.say(cmd="ping")
        pair.broker.wait("pong")
        pair.broker.say(cmd="cancel", taskId=task, reason="enough")
        pair.broker.wait("error", taskId=task)


@case
def a_completed_task_is_logged(build):
    with Pair(build) as pair:
        task = pair.broker.task("return [1]")
        pair.broker.wait("done", taskId=task)
        line = pair.runner.line("Completed task " + task)
        assert line.endswith('(3 B) for node "Code" (n1) in workflow "Flow" (w1)'), line
        pair.broker.say(cmd="task", taskId="bare", settings={
            "code": "return 1", "nodeMode": "runOnceForAllItems", "items": []})
        pair.broker.wait("done", taskId="bare")
        line = pair.runner.line("Completed task bare")
        assert line.endswith('for node "Unknown" (Unknown) in workflow "Unknown" (Unknown)'), line


@case
def a_new_zygote_takes_over(build):
    with Pair(build, N8N_RUNNERS_MAX_CONCURRENCY="2") as pair:
        task = pair.broker.task("print('runs')\n" + LOOP)
        pair.broker.wait("rpc", taskId=task)
        with open("/proc/%d/task/%d/children" % ((pair.runner.process.pid,) * 2)) as children:
            zygote = int(children.read().split()[0])
        os.kill(zygote, signal.SIGKILL)
        error = error_of(pair.broker.wait("done", "error", taskId=task))
        assert error["message"] == "Process was forcefully killed (SIGKILL)", error
        for number in range(3):
            assert result_of(pair.broker.run("return %d" % number)) == number


@case
def no_task_that_did_not_run_is_lost_with_the_zygote(build):
    settings = {"code": "return len(_items)", "nodeMode": "runOnceForAllItems"}
    # with a folder for each task that is one of the host's, too
    for count, more in ((0, {}), (5000, {}), (5, dict(N8N_RUNNERS_SANDBOX="off", N8N_RUNNERS_TASK_TMP_MB="1"))):
        with Pair(build, N8N_RUNNERS_MAX_CONCURRENCY="2", **more) as pair:
            pair.broker.say(cmd="task", taskId="waits", settings=None)
            pair.broker.wait("accepted", taskId="waits")
            with open("/proc/%d/task/%d/children" % ((pair.runner.process.pid,) * 2)) as children:
                os.kill(int(children.read().split()[0]), signal.SIGKILL)
            pair.runner.line("starting another")
            items = [{"json": {"n": n}} for n in range(count)]
            pair.broker.say(cmd="settings", taskId="waits", settings=dict(settings, items=items))
            assert result_of(pair.broker.wait("done", "error", taskId="waits")) == count


@case
def hundreds_of_tasks_at_once(build):
    """More children are asked for at once than the zygote's socket has room for."""
    with Pair(build, N8N_RUNNERS_MAX_CONCURRENCY="400") as pair:
        while sum(event["event"] == "offer" for event in pair.broker.seen) < 400:
            pair.broker.wait("offer")
        tasks = [pair.broker.task("return %d" % (n % 7)) for n in range(400)]
        for n, task in enumerate(tasks):
            while True:
                ended = [e for e in pair.broker.seen if e["event"] in ("done", "error") and e["taskId"] == task]
                if ended:
                    break
                pair.broker.wait("done", "error")
            assert result_of(ended[0]) == n % 7
        assert not [e for e in pair.broker.seen if e["event"] == "rejected"]
