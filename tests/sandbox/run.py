"""Attacks from inside a task, in every way the runner may stand: python -I run.py BUILD [WORD]

Each file in attacks/ is the code of one node; its first lines say what it must end as:

    # ends: refused        with default settings and the modules that it names
    # plain: error         with the interpreter's walls down (both lists `*`, nothing denied)
    # modules: os,json     what N8N_RUNNERS_STDLIB_ALLOW names with default settings
    # builtins: getattr    what is taken out of N8N_RUNNERS_BUILTINS_DENY
    # only: plain          it makes no sense with default settings

    done     a result            check    refused before it ran
    error    an error            refused  refused while it ran
    killed   ended by force      safe     any of them

Whatever the end, an attack has succeeded when its answer has ESCAPED or the canary in it, when a
file has changed, or when the next task is not served. Then come the cases of case_*.py. Ends in `sandbox: N passed, N failed`.
"""
import glob
import os
import re
import shutil
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from harness import Pair, cases_of, kill_leftovers  # noqa: E402
from target import (CANARY, PLAIN, Target, as_user, copy_for_everybody, denied_without,  # noqa: E402
                    lasting, left_over, readable_for_others)

class Attack:
    def __init__(self, path):
        self.name = os.path.basename(path)[:-3]
        with open(path) as file:
            self.code = file.read()
        head = dict(re.findall(r"^# (\w+): (.*)$", self.code, re.M))
        self.ends, self.plain = head.get("ends", "safe"), head.get("plain", "safe")
        self.modules, self.only = head.get("modules", ""), head.get("only", "")
        self.denied = denied_without(*head.get("builtins", "").split(","))

    def settings(self):
        return dict(N8N_RUNNERS_STDLIB_ALLOW=self.modules, N8N_RUNNERS_BUILTINS_DENY=self.denied)


def end_of(event):
    if event["event"] == "done":
        return "done"
    message = event["error"]["message"]
    if message == "Security violations detected":
        return "check"
    if message == "Security violation detected":
        return "refused"
    if "forcefully killed" in message or "timed out" in message:
        return "killed"
    return "error"


def is_as_expected(expected, end):
    return expected in ("safe", "any", end) or (expected == "error" and end in ("check", "refused"))


def leaked(event):
    text = event["raw"].decode(errors="replace")
    return CANARY in text or "ESCAPED" in text.replace('"ESCAPED', "ESCAPED").split('"error"')[0] \
        or any(CANARY in str(params) for params in event["prints"])


def attack(pair, target, one, expected):
    """Runs one attack; returns what is wrong, or None."""
    event = pair.broker.run(target.fill_in(one.code, pair.broker.port))
    end = end_of(event)
    if leaked(event):
        return "it succeeded: %s" % event["raw"][:500]
    if not is_as_expected(expected, end):
        return "it ended as %s, not %s: %s" % (end, expected, event["raw"][:500])
    if target.state() != target.before:
        return "a file has changed: %s" % (set(target.state()) ^ set(target.before))
    after = pair.broker.run("return [len(_items), 7]")
    if after["event"] != "done" or after["data"]["result"] != [0, 7]:
        return "the next task got %s" % after["raw"][:300]
    return None


def rest(pair, zygotes):
    """What must hold when all attacks are over; returns what does not."""
    others = left_over(pair.runner.process.pid, zygotes)
    if others:
        return "processes that were not there before: %s" % others
    lines = [l for l in pair.runner.err if "is gone" in l or "Sanitizer" in l or CANARY in l]
    return "\n".join(lines) or None


class Report:
    def __init__(self, word):
        self.word, self.passed, self.failed = word, 0, []

    def add(self, name, problem):
        if problem:
            self.failed.append(name)
            print("FAILED  %s\n        %s" % (name, problem), flush=True)
        else:
            self.passed += 1


def run_group(report, build, target, mode, attacks, expected_of, prefix, settings):
    wanted = [one for one in attacks if report.word in mode + "." + one.name]
    if not wanted:
        return
    # other tasks' answers are due in a second; a killed one takes no longer than that
    with Pair(build, prefix=prefix, N8N_RUNNERS_TASK_TIMEOUT="1", **settings) as pair:
        zygotes = lasting(pair.runner.process.pid)
        for one in wanted:
            report.add("%s.%s" % (mode, one.name), attack(pair, target, one, expected_of(one)))
            if mode == "default" and one.ends != "killed":  # now from what was compiled
                report.add("again.%s" % one.name, attack(pair, target, one, expected_of(one)))
        report.add(mode + ".afterwards", rest(pair, zygotes))


def run_default(report, build, target, attacks):
    groups = {}
    for one in attacks:
        if one.only != "plain":
            groups.setdefault((one.modules, one.denied), []).append(one)
    for group in groups.values():
        run_group(report, build, target, "default", group, lambda one: one.ends, (),
                  group[0].settings())


def run_plain(report, build, target, mode, attacks, prefix):
    began = time.monotonic()
    run_group(report, build, target, mode, attacks, lambda one: one.plain, prefix, PLAIN)
    print("ok      %-40s %6.2f s" % (mode, time.monotonic() - began), flush=True)


def modes(build, profile):
    """Name and command prefix of every way to stand, with the interpreter's walls down."""
    yield "plain", ()
    if not readable_for_others(build):
        print("left out: other users can't read the interpreter", flush=True)
        return
    yield "user", as_user()
    if profile and os.path.exists(profile):
        yield "docker", (*as_user(), os.path.join(build, "under-profile"), profile)
    else:
        print("left out: no profile of Docker's here (see .ci/run)", flush=True)


def run_cases(report, build):
    """The cases that no file of one node's code can say: case_*.py."""
    for name, function in cases_of(HERE):
        if report.word not in name:
            continue
        began = time.monotonic()
        try:
            function(build)
            report.add(name, None)
            print("ok      %-70s %6.2f s" % (name, time.monotonic() - began), flush=True)
        except Exception:
            report.add(name, traceback.format_exc())
        finally:
            kill_leftovers()


def main():
    build, word = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    report, target = Report(word), Target()
    copy = copy_for_everybody(build)
    attacks = [Attack(path) for path in sorted(glob.glob(os.path.join(HERE, "attacks", "*.py")))]
    try:
        began = time.monotonic()
        run_default(report, build, target, attacks)
        print("ok      %-40s %6.2f s" % ("default", time.monotonic() - began), flush=True)
        for mode, prefix in modes(copy, os.environ.get("DOCKER_PROFILE")):
            run_plain(report, copy, target, mode, attacks, prefix)
        run_cases(report, build)
    finally:
        kill_leftovers()
        shutil.rmtree(copy, ignore_errors=True)
        shutil.rmtree(target.folder, ignore_errors=True)
    if report.failed:
        print("failed: %s" % ", ".join(report.failed))
    print("sandbox: %d passed, %d failed" % (report.passed, len(report.failed)))
    return 1 if report.failed or not report.passed else 0


sys.exit(main())
