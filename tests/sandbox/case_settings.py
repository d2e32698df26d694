"""The settings that move the walls: memory, the network, a folder to write to, the sandbox itself."""
import json
import os
import shutil
import subprocess
import tempfile
import time

from harness import Broker, Pair, Runner, case, error_of, processes_below, result_of
from target import CANARY, PLAIN, Target, as_user, copy_for_everybody, readable_for_others, sanitized

NETWORK_OFF = ("Network access is off for Code tasks. Set N8N_RUNNERS_TASK_NETWORK=allow on the "
               "runner to allow it.")


def fails_to_start(build, **settings):
    """Starts a runner that must refuse; returns its standard error."""
    broker = Broker(build)
    runner = Runner(build, broker, **settings)
    assert runner.wait() == 1, runner.err
    broker.stop()
    return "\n".join(runner.err)


def check(build, *arguments, prefix=(), **settings):
    """Runs `check`; returns its exit code, its standard output and error."""
    done = subprocess.run([*prefix, os.path.join(build, "task-runner-python"), "check", *arguments],
                          env=dict(PATH=os.environ.get("PATH", "/usr/bin:/bin"), **settings),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


# ---- memory

HUNGRY = {
    "a list": "x = []\nwhile True:\n    x.append(bytearray(1 << 20))",
    "one text": "x = 'x'\nwhile True:\n    x += x",
    "a dict": "x = {}\nwhile True:\n    x[len(x)] = [len(x)]",
    "a result": "return ['x' * 1000] * 10000000",
    "a number": "x = 2\nwhile True:\n    x *= x",
    "a set of tuples": "x = set()\nwhile True:\n    x.add((len(x), len(x)))",
}


@case
def a_task_that_takes_too_much_memory_gets_an_error_that_names_the_setting(build):
    if sanitized(build):
        return
    with Pair(build, N8N_RUNNERS_TASK_MEMORY_MB="64", N8N_RUNNERS_TASK_TIMEOUT="20") as pair:
        for name, code in HUNGRY.items():
            error = error_of(pair.broker.run(code))
            assert "N8N_RUNNERS_TASK_MEMORY_MB" in error.get("description", ""), (name, error)
            assert result_of(pair.broker.run("return [1]")) == [1]


@case
def a_memory_limit_that_nothing_runs_under_is_refused_at_the_start(build):
    text = fails_to_start(build, N8N_RUNNERS_TASK_MEMORY_MB="1")
    assert "N8N_RUNNERS_TASK_MEMORY_MB is 1" in text and "set it to" in text, text


@case
def too_many_threads_end_the_task_and_say_so(build):
    code = ("import threading, time\nfor i in range(400):\n"
            "    threading.Thread(target=time.sleep, args=(60,)).start()\ntime.sleep(60)")
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="threading,time") as pair:
        error = error_of(pair.broker.run(code))
        assert error["message"] == "Process was forcefully killed (SIGKILL)", error
        assert "threads; 256 are allowed" in error["description"], error


# ---- the network

@case
def a_task_that_tries_the_network_is_told_which_setting_allows_it(build):
    codes = ["import socket\nsocket.create_connection(('127.0.0.1', 9))",
             "import urllib.request\nurllib.request.urlopen('http://localhost/')",
             "import socket\nsocket.socket()"]
    for settings in (dict(N8N_RUNNERS_STDLIB_ALLOW="socket,urllib"), PLAIN):
        with Pair(build, **settings) as pair:
            for code in codes:
                error = error_of(pair.broker.run(code))
                assert error["message"] == "Security violation detected", error
                assert error["description"] == NETWORK_OFF, error


@case
def a_refusal_that_the_code_handles_is_no_violation(build):
    code = ("import socket\ntry:\n    socket.socket()\nexcept PermissionError as e:\n"
            "    return [e.errno, str(e)]")
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="socket") as pair:
        assert result_of(pair.broker.run(code)) == [1, "[Errno 1] " + NETWORK_OFF]
        error = error_of(pair.broker.run(code.replace("return [e.errno, str(e)]",
                                                      "raise ValueError('mine')")))
        assert error["message"] == "mine", error


@case
def a_network_that_is_allowed_makes_connections_and_no_servers(build):
    code = """
import socket, urllib.request
out = [urllib.request.urlopen("http://localhost:%d/healthz").status]
for act in (lambda: socket.socket().listen(), lambda: socket.socket(socket.AF_UNIX),
            lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
            lambda: socket.create_server(("127.0.0.1", 0))):
    try:
        act()
        out.append("open")
    except OSError:
        out.append("refused")
return out
"""
    for settings in (dict(N8N_RUNNERS_STDLIB_ALLOW="socket,urllib"), PLAIN):
        with Pair(build, N8N_RUNNERS_TASK_NETWORK="allow", **settings) as pair:
            out = result_of(pair.broker.run(code % pair.broker.port))
            assert out[0] == 200 and "open" not in out[1:2] + out[3:], out
            if settings is PLAIN:
                assert out[2] == "refused", out


@case
def a_module_of_no_use_without_the_network_is_warned_of(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="json,smtplib") as pair:
        line = pair.runner.line("N8N_RUNNERS_TASK_NETWORK is `deny`")
        assert "smtplib" in line and "json" not in line, line
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="smtplib", N8N_RUNNERS_TASK_NETWORK="allow") as pair:
        result_of(pair.broker.run("return 1"))
    assert not [line for line in pair.runner.err if "smtplib" in line], pair.runner.err


# ---- a folder to write to

WRITES = """
import os, tempfile
out = [os.environ["TMPDIR"] == tempfile.gettempdir(), os.listdir(tempfile.gettempdir())]
with tempfile.TemporaryDirectory() as folder:
    with tempfile.NamedTemporaryFile("w+", dir=folder) as file:
        file.write("hello")
        file.seek(0)
        out.append(file.read())
    os.mkdir(folder + "/a")
    os.rename(folder + "/a", folder + "/b")
    out.append(os.listdir(folder))
os.mkdir(tempfile.gettempdir() + "/left")
return out
"""
ESCAPES = """
import os, tempfile
place, bad = tempfile.gettempdir(), []
def attempt(name, act):
    try:
        bad.append("%s: %s" % (name, act()))
    except OSError:
        pass
def through_link():
    os.symlink("{SECRET}", place + "/link")
    with io.open(place + "/link") as file:
        return file.read()
def hard_link():
    os.link(os.__file__, place + "/hard")
    return "linked"
import io
attempt("link", through_link)
attempt("hard link", hard_link)
attempt("elsewhere", lambda: io.open("{FOLDER}/new", "w"))
attempt("up", lambda: io.open(place + "/../new", "w"))
attempt("mode", lambda: os.chmod(os.__file__, 0o777))
attempt("removal", lambda: os.remove("{SECRET}"))
attempt("rename", lambda: os.rename("{SECRET}", place + "/moved"))
return bad
"""
FILLS = """
import os, tempfile
place = tempfile.gettempdir()
for i in range(10000):
    with open(place + "/%d" % i, "wb") as file:
        file.write(bytes(1 << 18))
"""
DEEP = """
import os, tempfile
os.chdir(tempfile.gettempdir())
try:
    for i in range(3000):
        os.mkdir("deep", 0o700)
        os.chdir("deep")
        os.mkdir("closed", 0)
except OSError:
    pass
return 1
"""


def scratch_places(build):
    """A folder for TMPDIR, and the prefixes of the two ways to have a folder for each task."""
    yield (), {}
    under = os.path.join(build, "under-profile")
    profile = os.path.join(tempfile.gettempdir(), "no-namespaces-%d.json" % os.getpid())
    with open(profile, "w") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["clone"], "action": "SCMP_ACT_ERRNO",
             "args": [{"index": 0, "value": 0x10000000, "valueTwo": 0x10000000,
                       "op": "SCMP_CMP_MASKED_EQ"}]}]}, file)
    yield (under, profile), {}
    os.remove(profile)


@case
def a_task_writes_to_a_folder_of_its_own_and_nowhere_else(build):
    target = Target()
    try:
        for prefix, _ in scratch_places(build):
            place = tempfile.mkdtemp(prefix="scratch-")
            with Pair(build, prefix=prefix, N8N_RUNNERS_TASK_TMP_MB="8", TMPDIR=place,
                      N8N_RUNNERS_TASK_TIMEOUT="20", **PLAIN) as pair:
                for _ in range(2):  # the second finds nothing of the first
                    assert result_of(pair.broker.run(WRITES)) == [True, [], "hello", ["b"]]
                event = pair.broker.run(target.fill_in(ESCAPES, 0))
                assert result_of(event) == [] and CANARY not in str(event), event
                error = error_of(pair.broker.run(FILLS))
                assert "No space left" in error["message"] or \
                    "N8N_RUNNERS_TASK_TMP_MB" in error["description"], error
                pair.broker.run(DEEP)
                assert result_of(pair.broker.run("return 1")) == 1
                folders = os.listdir(place)
            assert os.listdir(place) == [], (folders, os.listdir(place))
            os.rmdir(place)
            assert target.state() == target.before
    finally:
        shutil.rmtree(target.folder, ignore_errors=True)


@case
def without_a_folder_the_refusal_names_the_setting(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="io,os") as pair:
        error = error_of(pair.broker.run("import io\nio.open('/tmp/x', 'w')"))
        assert error["message"] == "Security violation detected", error
        assert "`/tmp/x`" in error["description"], error
        assert "N8N_RUNNERS_TASK_TMP_MB" in error["description"], error


def state_of(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return "gone"


HOG = """
import threading, time
try:
    while True:
        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()
except RuntimeError:
    print("full")
time.sleep(1)
return "hog"
"""


@case
def tasks_wait_while_no_process_can_be_made(build):
    """As where a container's limit of processes is reached: one task has taken them all."""
    if os.geteuid() != 0 or not readable_for_others(build):
        return
    copy = copy_for_everybody(build)
    alone = ("setpriv", "--reuid", "54321", "--clear-groups", "prlimit", "--nproc=30:30")
    try:
        with Pair(copy, prefix=alone, N8N_RUNNERS_SANDBOX="off", N8N_RUNNERS_STDLIB_ALLOW="threading,time",
                  N8N_RUNNERS_MAX_CONCURRENCY="4") as pair:
            hog = pair.broker.task(HOG)
            pair.broker.wait("rpc", taskId=hog)
            tasks = [hog] + [pair.broker.task("return %d" % n) for n in range(2)]
            given_up = pair.broker.task("while True: pass")
            pair.broker.wait("accepted", taskId=given_up)
            pair.broker.say(cmd="cancel", taskId=given_up, reason="stopped by the user")
            ends = {}
            while len(ends) < 4:  # one may have come while something else was waited for
                ends = {e["taskId"]: e for e in pair.broker.seen if e["event"] in ("done", "error")}
                if len(ends) < 4:
                    pair.broker.wait("done", "error")
            assert [result_of(ends[task]) for task in tasks] == ["hog", 0, 1]
            assert error_of(ends[given_up])["message"] == "Task was cancelled"
            pair.runner.line("No process for a task can be forked")
            assert len(processes_below(pair.runner.process.pid)) < 10
            for _ in range(200):
                busy = [pid for pid in processes_below(pair.runner.process.pid) if state_of(pid) == "R"]
                if not busy:
                    break
                time.sleep(0.02)
            assert not busy, busy
    finally:
        shutil.rmtree(copy, ignore_errors=True)


# ---- the sandbox

def profile_without(names):
    path = os.path.join(tempfile.gettempdir(), "profile-%d.json" % os.getpid())
    with open(path, "w") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW",
                   "syscalls": [{"names": names, "action": "SCMP_ACT_ERRNO"}]}, file)
    return path


@case
def walls_that_are_required_and_missing_end_the_start(build):
    profile = profile_without(["landlock_create_ruleset"])
    prefix = (os.path.join(build, "under-profile"), profile)
    broker = Broker(build)
    runner = Runner(build, broker, prefix=prefix, N8N_RUNNERS_SANDBOX="require")
    assert runner.wait() == 1
    text = "\n".join(runner.err)
    assert "N8N_RUNNERS_SANDBOX is `require`" in text and "Landlock does not stand" in text, text
    broker.stop()
    os.remove(profile)


@case
def what_is_missing_is_said_and_the_rest_stands(build):
    profile = profile_without(["landlock_create_ruleset", "unshare", "setns", "mount"])
    prefix = (os.path.join(build, "under-profile"), profile)
    target = Target()
    with Pair(build, prefix=prefix, N8N_RUNNERS_STDLIB_ALLOW="io,os") as pair:
        pair.runner.line("not here: Landlock")
        for code in ("import io\nreturn io.open('{SECRET}').read()",
                     "import io\nreturn io.open('{FOLDER}/new', 'w')"):
            event = pair.broker.run(target.fill_in(code, 0))
            assert error_of(event)["message"] in ("Security violation detected",) or \
                "No such file" in error_of(event)["message"], event
    with Pair(build, prefix=prefix, **PLAIN) as pair:  # seccomp alone: nothing is written
        error_of(pair.broker.run(target.fill_in("return open('{FOLDER}/new', 'w')", 0)))
        assert target.state() == target.before
    shutil.rmtree(target.folder)
    os.remove(profile)


@case
def walls_that_are_required_stand_here(build):
    with Pair(build, N8N_RUNNERS_SANDBOX="require") as pair:
        line = pair.runner.line("walls: ")
        assert "seccomp, Landlock" in line, line
        assert result_of(pair.broker.run("return 1")) == 1


@case
def walls_that_are_down_are_said_at_every_start(build):
    with Pair(build, N8N_RUNNERS_SANDBOX="off") as pair:
        pair.runner.line("N8N_RUNNERS_SANDBOX is `off`")
        assert result_of(pair.broker.run("return 1")) == 1
    with Pair(build, **PLAIN) as pair:
        pair.runner.line("tasks run plain Python, and only the kernel's walls hold them")


# ---- check

@case
def check_tries_the_walls_and_holds(build):
    copy = copy_for_everybody(build)
    for prefix in ((), as_user()) if readable_for_others(copy) else ((),):
        code, out, err = check(copy, "--json", prefix=prefix,
                               N8N_RUNNERS_STDLIB_ALLOW="json,datetime")
        report = json.loads(out)
        assert code == 0 and report["holds"] is True, (out, err)
        assert len(report["attempts"]) > 15
        assert not [a for a in report["attempts"] if a["succeeded"]], report
        assert [(p["name"], p["works"]) for p in report["packages"]] == [("datetime", True),
                                                                        ("json", True)]
    shutil.rmtree(copy)
    code, out, err = check(build, N8N_RUNNERS_STDLIB_ALLOW="json")
    assert code == 0 and "All that the settings ask for holds." in out, out


@case
def it_stands_on_a_read_only_root_for_a_user_without_a_name(build):
    if os.geteuid() != 0 or not readable_for_others(build):
        return  # only root can make the root read-only
    copy = copy_for_everybody(build)
    prefix = ("unshare", "--mount", "sh", "-c", "mount --bind / / && mount -o remount,bind,ro / && "
              "exec setpriv --reuid 65532 --regid 65532 --clear-groups --bounding-set=-all \"$@\"", "sh")
    if subprocess.run([*prefix, "true"], stderr=subprocess.DEVNULL).returncode:
        print("left out: the root can't be made read-only here", flush=True)
        shutil.rmtree(copy)
        return
    try:
        with Pair(copy, prefix=prefix, N8N_RUNNERS_SANDBOX="require") as pair:
            assert result_of(pair.broker.run("return 1")) == 1
        code, out, err = check(copy, prefix=prefix, N8N_RUNNERS_STDLIB_ALLOW="json")
        assert code == 0, out + err
    finally:
        shutil.rmtree(copy)


@case
def check_names_what_is_missing(build):
    code, out, err = check(build, N8N_RUNNERS_EXTERNAL_ALLOW="PIL_no,yaml")
    assert code == 1 and "MISSING  yaml" in out and "`PyYAML`" in out, (out, err)


@case
def check_sees_acts_that_succeed(build):
    code, out, err = check(build, "--json", N8N_RUNNERS_SANDBOX="off")
    report = json.loads(out)
    succeeded = {a["name"] for a in report["attempts"] if a["succeeded"]}
    assert {"read /etc/passwd", "start a process", "open a Unix socket"} <= succeeded, out
    assert code == 0 and "`off`" in err


@case
def check_fails_when_a_wall_that_is_asked_for_lets_an_act_through(build):
    profile = profile_without(["landlock_create_ruleset", "landlock_restrict_self"])
    with open(profile) as file:
        rules = json.load(file)
    rules["syscalls"].append({"names": ["clone"], "action": "SCMP_ACT_ERRNO", "args": [
        {"index": 0, "value": 0x10000000, "valueTwo": 0x10000000, "op": "SCMP_CMP_MASKED_EQ"}]})
    with open(profile, "w") as file:
        json.dump(rules, file)
    code, out, err = check(build, prefix=(os.path.join(build, "under-profile"), profile))
    assert code == 1 and "SUCCEEDS read /etc/passwd" in out, out
    os.remove(profile)
