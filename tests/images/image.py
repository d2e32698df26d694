"""Images that are built without a daemon, and containers of them: see prepare, buildah and in-image."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from harness import LIMIT, started

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
                     "task-runner-python", "images")
EXTRAS = "numpy\npython-slugify\n"  # one with machine code in it, one that is Python alone


def settings_of_the_runner():
    """The names that the program knows."""
    with open(os.path.join(TOP, "runner", "host", "config.c")) as file:
        return re.findall(r'^    \{"([A-Z0-9_]+)", ', file.read(), re.M)


def buildah(*arguments, **options):
    return subprocess.run([os.path.join(HERE, "buildah"), CACHE, *arguments], check=True, text=True,
                          stdout=subprocess.PIPE, **options).stdout.strip()


def prepare(suite):
    os.makedirs(CACHE, exist_ok=True)
    subprocess.run([os.path.join(HERE, "prepare"), CACHE, suite], check=True)


def tidy():
    """What a run leaves behind: working containers, and images that have lost their names to newer ones."""
    buildah("rm", "--all")
    buildah("rmi", "--prune")


@contextlib.contextmanager
def context():
    """A copy of the tree, without what git ignores, in which extras.txt has packages."""
    with tempfile.TemporaryDirectory() as folder:
        names = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                               cwd=TOP, check=True, stdout=subprocess.PIPE).stdout
        for name in filter(None, names.decode().split("\0")):
            if os.path.exists(os.path.join(TOP, name)):
                os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
                shutil.copy2(os.path.join(TOP, name), os.path.join(folder, name), follow_symlinks=False)
        with open(os.path.join(folder, "extras.txt"), "w") as file:
            file.write(EXTRAS)
        yield folder


class Image:
    """One image: its configuration, and its files in a folder."""

    def __init__(self, name, suite, target=None):
        self.name, self.began = "localhost/%s:%s" % (name, suite), time.monotonic()
        base = "localhost/debian-python:" + suite
        options = ["--build-arg", "PYTHON_IMAGE=" + base, "--build-arg", "RUNNERS_PYTHON_IMAGE=" + base,
                   "--build-arg", "RUNNERS_IMAGE=localhost/runners:" + suite]
        with context() as folder, tempfile.TemporaryFile("w+") as log:
            try:
                buildah("build", "--quiet", "--format", "docker", *options, "--tag", self.name,
                        *(["--target", target] if target else []), folder, stderr=log)
            except subprocess.CalledProcessError:
                log.seek(0)
                sys.stderr.write("".join(log.readlines()[-60:]))
                raise
        self.seconds = time.monotonic() - self.began
        self.open()

    def open(self):
        self.config = json.loads(buildah("inspect", "--type", "image", self.name))["Docker"]["config"]
        self.container = buildah("from", self.name)
        self.root = buildah("mount", self.container)

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def megabytes(self):
        sizes = subprocess.run(["du", "-sxm", self.root], check=True, text=True, stdout=subprocess.PIPE).stdout
        return int(sizes.split()[0])

    def command(self, *command):
        """What runs a command, or else what the image starts, in a container of the image."""
        return [os.path.join(HERE, "in-image"), self.root, "1000", self.config.get("WorkingDir") or "/",
                *(command or [*self.config["Entrypoint"], *self.config["Cmd"]])]

    def environment(self, **more):
        return {**dict(pair.split("=", 1) for pair in self.config["Env"]), **more}

    def run(self, *command, **environment):
        """Exit code and output of a command in a container of its own."""
        done = subprocess.run(self.command(*command), env=self.environment(**environment), timeout=LIMIT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout


class Container:
    """What the image starts, started."""

    def __init__(self, image, **environment):
        self.image, self.lines = image, []
        self.process = subprocess.Popen(image.command(), env=image.environment(**environment),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        started.append(self.process)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if error[0]:
            print("".join(self.lines))
        self.kill()

    def kill(self):
        """Ends process 1, and so all of them: what ends with its parent no longer does after a setuid()."""
        if self.process.poll() is None:
            with contextlib.suppress(IndexError, ProcessLookupError):
                os.kill(self.first_process(), signal.SIGKILL)
            self.process.wait()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def line(self, text):
        """Waits for a line of output that has `text`."""
        deadline = time.monotonic() + LIMIT
        while not any(text in line for line in list(self.lines)):
            assert time.monotonic() < deadline, "no line has %r: %s" % (text, "".join(self.lines))
            time.sleep(0.02)

    def first_process(self):
        """The process id, out here, of the container's process 1."""
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid)) as file:
            return int(file.read().split()[0])

    def beside(self, *command, **environment):
        """Exit code and output of a command in this container."""
        done = subprocess.run(
            ["nsenter", "--target", str(self.first_process()), "--mount", "--pid", "--root", "--setuid", "1000",
             "--setgid", "1000", "--", *command], env=self.image.environment(**environment),
            timeout=LIMIT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def stop(self):
        """As `docker stop` does it. Returns the exit code."""
        os.kill(self.first_process(), signal.SIGTERM)
        return self.process.wait(LIMIT)


class Existing(Image):
    """An image that is there already."""

    def __init__(self, name):
        self.name = name
        self.open()
