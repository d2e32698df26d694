"""Builds the virtual environment that tasks run on, with the interpreter that runs this.

    PYTHON -I make_venv.py DIR EXTRAS

EXTRAS lists pip requirements, one a line; `#` starts a comment. They are installed from wheels alone,
by uv where that is a command and by pip otherwise. Without any, neither is needed, nor the network.

DIR is built beside its place and moved there when it is whole; a failure leaves what was there. The
stamp in it says what it was built from, and when that is still so, nothing is done.
"""
import contextlib
import fcntl
import glob
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import venv

WORK = ".task-runner-venv-"  # what is being built stands in a folder of this name's, beside its place
VERSION = "%d.%d" % sys.version_info[:2]


def stop(why):
    sys.exit("make venv: " + why)


def requirements(text):
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]


def stamp_for(text, folder):
    """What the environment depends on: the list, the interpreter, the place, and this script."""
    with open(__file__, "rb") as script:
        parts = [text.encode(), sys.version.encode(), os.path.realpath(sys.executable).encode(),
                 platform.machine().encode(), folder.encode(), script.read()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None


def pip_in(folder):
    """pip in an environment of its own, so that the tasks' has none."""
    print("make venv: no `uv` here, using pip", file=sys.stderr)
    try:
        venv.EnvBuilder(with_pip=True, symlinks=True).create(folder)
    except subprocess.CalledProcessError as error:
        stop("Python %s (%s) can't install pip: %s. On Debian, install python3-venv" % (
            VERSION, sys.executable, (error.output or b"").decode(errors="replace").strip()[-200:]))
    return os.path.join(folder, "bin", "python")


def install_command(new, extras, work):
    python = os.path.join(new, "bin", "python")
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", "install", "--python", python, "--only-binary", ":all:", "--color", "never",
                "--compile-bytecode", "--requirement", extras]
    return [pip_in(os.path.join(work, "pip")), "-I", "-m", "pip", "--python", python,
            "--disable-pip-version-check", "--no-color", "install", "--only-binary", ":all:",
            "--requirement", extras]


def name_lines(text, extras):
    """pip names some requirements by the lines they stand in."""
    lines = read(extras).splitlines()
    return re.sub(r"-r %s \(line (\d+)\)" % re.escape(extras),
                  lambda found: lines[int(found[1]) - 1].partition("#")[0].strip(), text)


def explain(output, extras):
    """The one line that names the package, from what the installer said."""
    name = os.path.basename(extras)
    fit = "Python %s on %s" % (VERSION, platform.machine())
    away = re.search(r"NewConnectionError|ConnectTimeoutError|NameResolutionError|ProxyError|SSLError", output)
    if away:
        return "%s: the package index could not be reached (%s)" % (name, away[0])
    missing = re.search(r"satisfies the requirement (.+?) \(from versions: (.*?)\)", output)
    if missing:
        others = [v for v in missing[2].split(", ") if v != "none"]
        return "%s: there is no wheel of `%s` for %s%s" % (
            name, re.sub(r" \(from .*", "", missing[1]), fit,
            "; there are %s" % ", ".join(others[-5:]) if others else ", or no such package")
    errors = re.findall(r"^(?:ERROR|error): (.*)", output, re.M)
    cause = re.search(r"(?:╰─▶|cause:) (.*?)(?:\n\s*\n|\Z)", output, re.S)
    if cause:  # uv's
        why = " ".join(cause[1].split())
        return "%s, for %s: %s" % (name, fit, why if "No solution" in output else "".join(errors[:1]) + ": " + why)
    conflict = [line for line in errors if line.startswith("Cannot install")]
    if errors:
        return "%s: %s" % (name, name_lines((conflict or errors)[0], extras))
    return "%s: %s" % (name, (output.strip().splitlines() or ["the installer gave no reason"])[-1])


def install(new, extras, work):
    command = install_command(new, extras, work)
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                           errors="replace")
    output = []
    for line in run.stdout:
        output.append(line)
        if re.match(r"(Collecting|Downloading|Installing|Resolved|Prepared|Installed) ", line):
            print("make venv: " + line.strip(), file=sys.stderr)
    if run.wait() != 0:
        stop(explain("".join(output), extras))


def tell_place(new, folder):
    """The scripts and settings of an environment name the place that it was built in."""
    for top, _, names in os.walk(os.path.join(new, "bin")):
        for path in [os.path.join(top, name) for name in names] + [os.path.join(new, "pyvenv.cfg")]:
            if os.path.islink(path):
                continue
            with open(path, "rb") as file:
                old = file.read()
            moved = old.replace(new.encode(), folder.encode())
            if moved != old:
                with open(path, "wb") as file:
                    file.write(moved)


@contextlib.contextmanager
def lock(parent):
    """One at a time; what another left behind when it was killed goes."""
    os.makedirs(parent, exist_ok=True)
    handle = os.open(parent, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        for left in glob.glob(os.path.join(glob.escape(parent), WORK + "*")):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        os.close(handle)


def build(folder, extras, wanted, stamp):
    with tempfile.TemporaryDirectory(prefix=WORK, dir=os.path.dirname(folder)) as work:
        new = os.path.join(work, "venv")
        venv.EnvBuilder(with_pip=False, symlinks=True).create(new)
        if wanted:
            print("make venv: installing %s for Python %s" % (", ".join(wanted), VERSION), file=sys.stderr)
            install(new, extras, work)
        tell_place(new, folder)
        with open(os.path.join(new, "stamp"), "w", encoding="utf-8") as file:
            file.write(stamp)
        if os.path.lexists(folder):
            os.rename(folder, os.path.join(work, "old"))
        os.rename(new, folder)


def main():
    if len(sys.argv) != 3:
        stop("PYTHON -I make_venv.py DIR EXTRAS")
    folder, extras = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    text = read(extras)
    if text is None:
        stop("`%s` is not there: it lists the packages for tasks, and may be empty" % sys.argv[2])
    stamp = stamp_for(text, folder)
    with lock(os.path.dirname(folder)):
        if read(os.path.join(folder, "stamp")) != stamp:
            build(folder, extras, requirements(text), stamp)


try:
    main()
except UnicodeDecodeError:
    stop("`%s` is no UTF-8 text" % sys.argv[2])
except OSError as error:
    stop(str(error))
except KeyboardInterrupt:
    stop("interrupted; what was there before is still there")
