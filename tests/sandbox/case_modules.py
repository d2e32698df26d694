"""What a module of the standard library leads to, when it is the only one that is allowed."""
import os
import subprocess
import threading

from harness import Pair, case, kill_leftovers
from target import denied_without, sanitized

# Modules that open windows or browsers, or print, when they are imported.
LEFT_OUT = {"antigravity", "idlelib", "this", "tkinter", "turtle", "turtledemo", "_tkinter"}
# With AddressSanitizer, which puts a function of its own in the place of crypt().
NOT_SANITIZED = {"crypt", "_crypt"}
AT_ONCE = 4

# The code of a node: walks from the module through its attributes, and those of its classes' empty
# instances, and says which modules it got hold of that are not the allowed one's own.
WALK = """
%(imports)s
kind = type(%(module)s)
found, seen, left = [], set(), [20000]

def is_foreign(value):
    name = value.__name__
    return name.split(".")[0] != "%(module)s" and name not in aliases

def look(value, path, depth):
    for name in dir(value):
        left[0] -= 1
        if left[0] < 0:
            return
        try:
            inner = getattr(value, name)
        except BaseException:
            continue
        visit(inner, path + "." + name, depth)

def visit(value, path, depth):
    if type(value) is kind:
        if value is not %(module)s and is_foreign(value):
            found.append(path)
            return
    if id(value) in seen or depth == 0 or type(value) in (int, str, bytes, float, bool):
        return
    seen.add(id(value))
    look(value, path, depth - 1)
    if type(value) is type and depth > 1:
        try:
            visit(value(), path + "()", depth - 1)
        except BaseException:
            pass

aliases = %(aliases)r
visit(%(module)s, "%(module)s", 4)
return found
"""
# dunder names are refused in a node's text; the test reads module names by a built one
WALK = WALK.replace("value.__name__", "getattr(value, '__na' + 'me__')")


def submodules(python, module):
    """Every submodule of a package, found by the interpreter under test."""
    code = ("import pkgutil, %s as m\n"
            "print(*(i.name for i in pkgutil.iter_modules(getattr(m, '__path__', []), '%s.')))"
            % (module, module))
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    return [name for name in done.stdout.split()
            if not any(part in name for part in ("__main__", ".test", "idle"))]


def stdlib(python):
    """Every module of the interpreter under test that it has, with its submodules."""
    code = ("import sys, importlib.util\n"
            "print(*(n for n in sorted(sys.stdlib_module_names) if importlib.util.find_spec(n)))")
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    return [name for name in done.stdout.split() if name not in LEFT_OUT]


def code_for(python, module):
    imports = ["import " + module]
    for name in submodules(python, module):
        imports += ["try:", "    import " + name, "except BaseException:", "    pass"]
    # os.path is posixpath, by whatever name
    aliases = {"posixpath", "genericpath"} if module == "os" else set()
    return WALK % dict(imports="\n".join(imports), module=module, aliases=sorted(aliases))


def walk(build, python, module, allowed):
    """The modules that `module` leads to when `allowed` is; None when the walk itself was ended."""
    denied = denied_without("getattr", "dir", "type", "globals")
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW=allowed, N8N_RUNNERS_BUILTINS_DENY=denied,
              N8N_RUNNERS_TASK_TIMEOUT="10") as pair:
        event = pair.broker.run(code_for(python, module))
    if event["event"] == "done":
        return event["data"]["result"]
    if event["error"].get("description", "").endswith(": import " + module):
        return None  # it is for another system
    # an instance may end the process, or take its time
    assert "timed out" in event["error"]["message"] or "exited" in event["error"]["message"], event
    return None


@case
def no_module_leads_to_one_that_is_not_allowed(build):
    python = os.path.join(build, "venv", "bin", "python")
    waiting = [name for name in stdlib(python)
               if not (sanitized(build) and name in NOT_SANITIZED)]
    problems, walked, lock = [], [], threading.Lock()
    assert len(waiting) > 150, waiting
    assert "json.codecs" in walk(build, python, "json", "*"), "the walk finds nothing"

    def work():
        while True:
            with lock:
                if not waiting or len(problems) > 10:
                    return
                module = waiting.pop()
            try:
                found = walk(build, python, module, module)
                walked.append(found is not None)
                if found:
                    problems.append("%s leads to %s" % (module, found[:10]))
            except Exception as error:
                problems.append("%s: %r" % (module, error))

    threads = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kill_leftovers()
    assert not problems, "\n".join(problems)
    assert sum(walked) > 150, "%d walks came to their end" % sum(walked)
