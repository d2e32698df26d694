"""What a runner may say on one connection, given what the broker has said: the reference model.

The runner takes the broker's messages in their order, and answers each acceptance at once, so its replies come
in the acceptances' order. Everything else it says when it likes: the model allows what can be, and demands what
must be. Where the moment decides, such as for an offer that is about to expire, both are allowed."""
import time

SLACK = 1  # s that a message may be under way
DYING = 0.5  # s from a kill until all that goes with it is dead
CANCELLED = "Task was cancelled"
KILLED = ("Process was forcefully killed (SIGKILL)", "Task subprocess exited with code ")
GIVEN_UP = "Acknowledgement window elapsed"


class Broken(AssertionError):
    """The runner has done what it may not."""


def demand(condition, what, *details):
    if not condition:
        raise Broken("%s: %s" % (what, ", ".join(str(detail) for detail in details)))


class Kind:
    """A task's settings, and how it ends: `result`, or the start of an error's `message`."""

    def __init__(self, name, settings, result=None, message=None, prints=0, endless=False):
        self.name, self.settings, self.prints, self.endless = name, settings, prints, endless
        self.result, self.message = result, message

    def fits(self, message):
        if message["type"] == "runner:taskdone":
            return self.message is None and message["data"]["result"] == self.result
        return self.message is not None and message["error"]["message"].startswith(self.message)


class Offer:
    def __init__(self, message, sure):
        self.valid_for = message["validFor"] / 1000
        self.at = time.monotonic()
        self.sure = sure

    def surely_open(self):
        return self.sure and time.monotonic() - self.at < self.valid_for - SLACK


class Task:
    def __init__(self):
        self.kind = None  # until its settings have been sent
        self.cancelled = self.killed = False
        self.prints = 0


class Reference:
    def __init__(self, slots, killed=0):
        self.slots = slots
        self.killed = killed  # when a process below the runner was
        self.info_asked = self.informed = self.registered = False
        self.drained = self.stopping = False
        self.offers = {}
        self.used = set()  # offers that are no more
        self.tasks = {}  # those that have not ended
        self.replies = []  # (task id, "yes", "no" or "either"), to acceptances, in their order
        self.pings = 0  # sent and not answered
        self.forgets = 0  # offers that come before so many replies may be forgotten ones
        self.ended = 0

    def __str__(self):
        return "offers %s, tasks %s, replies %s" % (
            list(self.offers), {task_id: (task.kind and task.kind.name, task.cancelled)
                                for task_id, task in self.tasks.items()}, self.replies)

    # ---- what the broker does ----

    def accept(self, task_id, offer_id):
        """After forget_offers() one of nothing has to follow: its reply comes behind all that was forgotten."""
        offer = self.offers.pop(offer_id, None)
        if task_id in self.tasks or not offer or self.drained:
            expected = "no"
        else:
            expected = "yes" if offer.surely_open() else "either"
        if offer:
            self.used.add(offer_id)
        if task_id not in self.tasks and expected != "no":
            self.tasks[task_id] = Task()
        self.replies.append((task_id, expected, offer is not None))

    def settings(self, task_id, kind):
        task = self.tasks.get(task_id)
        if task and not task.kind:
            task.kind = kind
            task.killed = time.monotonic() < self.killed + DYING

    def cancel(self, task_id, reason):
        task = self.tasks.get(task_id)
        if task and task.kind:
            task.cancelled = True
        elif task:
            del self.tasks[task_id]
        if reason == GIVEN_UP:
            self.forget_offers()

    def forget_offers(self):
        self.used.update(self.offers)
        self.offers.clear()
        self.forgets = len(self.replies) + 1

    def drain(self):
        self.drained = True
        self.forget_offers()

    def kill(self):
        """A process below the runner has been killed: any task may have been its."""
        self.killed = time.monotonic()
        for task in self.tasks.values():
            task.killed = True

    # ---- what the runner says ----

    def pong(self):
        demand(self.pings > 0, "a pong without a ping")
        self.pings -= 1

    def heard(self, message):
        kind = message["type"]
        if kind == "runner:info":
            demand(self.info_asked and not self.informed, "info that was not asked for")
            demand(message["types"] == ["python"], "other types", message)
            self.informed = True
            return
        demand(self.registered, "said before it was registered", message)
        if kind == "runner:taskoffer":
            self.heard_offer(message)
        elif kind in ("runner:taskaccepted", "runner:taskrejected"):
            self.heard_reply(message, kind == "runner:taskaccepted")
        elif kind == "runner:rpc":
            self.heard_print(message)
        elif kind in ("runner:taskdone", "runner:taskerror"):
            self.heard_end(message)
        else:
            demand(False, "an unknown message", message)

    def count(self):
        """Slots that are surely taken or offered. An acceptance of an offer keeps its slot until it has been
        refused."""
        refused = sum(offered and expected == "no" for _, expected, offered in self.replies)
        unsure = {task_id for task_id, expected, _ in self.replies if expected == "either"}
        return len(self.tasks.keys() - unsure) + refused + sum(
            offer.surely_open() for offer in self.offers.values())

    def heard_offer(self, message):
        offer_id = message["offerId"]
        demand(offer_id not in self.offers and offer_id not in self.used, "an offer twice", message)
        demand(not self.drained or self.forgets, "an offer after the drain", message)
        self.offers[offer_id] = Offer(message, sure=not self.forgets)
        demand(self.count() <= self.slots, "more offers than slots", self)

    def heard_reply(self, message, accepted):
        demand(self.replies, "an answer to no acceptance", message)
        task_id, expected, _ = self.replies.pop(0)
        self.forgets = max(0, self.forgets - 1)
        demand(message["taskId"] == task_id, "an answer to another acceptance", message, task_id)
        demand(expected != "no" or not accepted, "accepted what it may not accept", message)
        demand(expected != "yes" or accepted or self.stopping, "rejected what it must accept", message)
        if not accepted and expected != "no":
            self.tasks.pop(task_id, None)

    def running(self, message):
        task = self.tasks.get(message["taskId"])
        demand(task, "said of a task that is over, or is not its", message)
        demand(task.kind, "said of a task that has no settings yet", message)
        return task

    def heard_print(self, message):
        task = self.running(message)
        task.prints += 1
        demand(message["name"] == "logNodeOutput", "an unknown call", message)
        demand(message["params"] == ["'%d'" % task.prints], "prints out of turn", message, task.prints)
        demand(task.prints <= task.kind.prints, "more prints than it made", message)

    def heard_end(self, message):
        task = self.running(message)
        text = message.get("error", {}).get("message", "")
        excused = (task.cancelled and text == CANCELLED) or (task.killed and text.startswith(KILLED))
        demand(excused or task.kind.fits(message), "another end than it may have", task.kind.name,
               "cancelled" if task.cancelled else "not cancelled", str(message)[:500])
        demand(excused or task.prints == task.kind.prints, "prints are missing", task.kind.name, task.prints)
        del self.tasks[message["taskId"]]
        self.ended += 1

    # ---- what must come, in time ----

    def owes(self):
        """What has to come without anything being said, in words; None: nothing."""
        if self.replies:
            return "answers to acceptances: %s" % self.replies
        for task_id, task in self.tasks.items():
            if task.kind and (task.cancelled or not task.kind.endless):
                return "the end of %s, %s" % (task_id, task.kind.name)
        known = len(self.tasks) + len(self.offers)
        if self.registered and not self.drained and not self.stopping and known < self.slots:
            return "offers: %d of %d slots are known" % (known, self.slots)
        return None
