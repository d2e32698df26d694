"""Workflows: building them, running them, and reading what n8n has stored about a run."""
import json

from n8n import LIMIT, request, wait_until


def code(python, name="Code", mode="runOnceForAllItems", **fields):
    """A Code node in Python."""
    return dict({"name": name, "type": "n8n-nodes-base.code", "typeVersion": 2,
                 "parameters": {"language": "pythonNative", "mode": mode, "pythonCode": python}}, **fields)


def unflatten(text):
    """n8n's stored form, in which every value inside another is the number of a value."""
    values = json.loads(text)
    done = {}

    def revive(value):
        if isinstance(value, str):
            return at(int(value))
        return value

    def at(index):
        if index in done:
            return done[index]
        value = values[index]
        if isinstance(value, list):
            done[index] = found = []
            found.extend(revive(each) for each in value)
        elif isinstance(value, dict):
            done[index] = found = {}
            found.update((key, revive(each)) for key, each in value.items())
        else:
            done[index] = found = value
        return found

    return at(0)


class Execution:
    """One stored run."""

    def __init__(self, stored):
        self.id, self.status = stored["id"], stored["status"]
        self.result = unflatten(stored["data"])["resultData"]

    @property
    def error(self):
        return self.result["error"]

    def items(self, node="Code"):
        return self.result["runData"][node][-1]["data"]["main"][0]


class Flow:
    """A webhook and the nodes behind it, in one line; it answers with the last node's items."""

    count = 0

    def __init__(self, n8n, *nodes, webhook=(), trigger="webhook"):
        Flow.count += 1
        self.n8n, self.path = n8n, "flow-%d" % Flow.count
        if trigger == "webhook":
            first = {"name": "Start", "type": "n8n-nodes-base.webhook", "typeVersion": 2, "webhookId": self.path,
                     "parameters": dict({"path": self.path, "httpMethod": "POST", "responseMode": "lastNode",
                                         "responseData": "allEntries", "options": {}}, **dict(webhook))}
        else:
            first = {"name": "Start", "type": "n8n-nodes-base.manualTrigger", "typeVersion": 1, "parameters": {}}
        nodes = [dict(node, id="node-%d" % at, position=[200 * at, 0]) for at, node in enumerate([first, *nodes])]
        links = {one["name"]: {"main": [[{"node": other["name"], "type": "main", "index": 0}]]}
                 for one, other in zip(nodes, nodes[1:])}
        stored = n8n.rest("POST", "workflows", {"name": self.path, "active": False, "nodes": nodes,
                                                "connections": links, "settings": {"executionOrder": "v1"}})
        self.id = stored["id"]
        if trigger == "webhook":
            n8n.rest("POST", "workflows/%s/activate" % self.id, {"versionId": stored["versionId"]})
            # the webhook of a workflow comes a moment after its activation; a GET runs nothing
            wait_until("a webhook's activation", self._is_there)

    def _is_there(self):
        answer = request("GET", "%s/webhook/%s" % (self.n8n.url, self.path))
        return b"not registered for GET requests" in answer.body

    def call(self, body=None, **headers):
        return request("POST", "%s/webhook/%s" % (self.n8n.url, self.path), {} if body is None else body, headers)

    def items(self, body=None):
        """Runs it; returns the items it answers with."""
        answer = self.call(body)
        assert answer.status == 200, "%d %s; %s" % (answer.status, answer.body[:300], self.last().result.get("error"))
        return answer.json()

    def fails(self, body=None):
        """Runs it to its failure; returns the stored run."""
        answer = self.call(body)
        assert answer.status == 500, "%d %s" % (answer.status, answer.body[:300])
        return self.last()

    def run_by_hand(self, push):
        """As the editor's button does it; returns the run's id."""
        return self.n8n.rest("POST", "workflows/%s/run" % self.id, {"triggerToStartFrom": {"name": "Start"}},
                             **{"push-ref": push.name})["executionId"]

    def runs(self):
        filter_text = json.dumps({"workflowId": self.id}).replace(" ", "").replace('"', "%22")
        return self.n8n.rest("GET", "executions?filter=" + filter_text)["results"]

    def running(self):
        """The id of the run that is at work, once one is."""
        return wait_until("a run's start", lambda: next(
            (run["id"] for run in self.runs() if run["status"] == "running"), None))

    def end(self, run_id, limit=LIMIT):
        """Waits for a run's end as n8n stores it."""
        def ended():
            stored = self.n8n.rest("GET", "executions/%s" % run_id)
            return stored if stored["status"] not in ("new", "running", "waiting") else None
        return Execution(wait_until("the end of run %s" % run_id, ended, limit))

    def last(self):
        return self.end(self.runs()[0]["id"])
