"""make install-n8n and its way back, in a tree like the one npm makes."""
import os
import shutil
import subprocess
import tempfile

from harness import Broker, case

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = "@n8n/task-runner-python/.venv/bin/python"


class Tree:
    """A folder with node_modules/n8n, as `npm install n8n` leaves it."""

    def __enter__(self):
        self.folder = os.path.realpath(tempfile.mkdtemp())
        self.root = os.path.join(self.folder, "node_modules")
        self.put("n8n/package.json", '{\n  "name": "n8n",\n  "version": "2.41.1"\n}\n')
        self.put("n8n/dist/task-runners/x.js", "")
        self.put("@n8n/config/package.json", '{"name": "@n8n/config"}')
        self.python = os.path.join(self.root, PYTHON)
        return self

    def __exit__(self, *error):
        shutil.rmtree(self.folder)

    def put(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def state(self):
        """Everything in it: folders, links and what files hold."""
        found = {}
        for folder, folders, files in os.walk(self.folder):
            for name in folders + files:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    found[path] = ("link", os.readlink(path))
                elif os.path.isdir(path):
                    found[path] = ("folder", os.stat(path).st_mode)
                else:
                    with open(path) as file:
                        found[path] = ("file", os.stat(path).st_mode, file.read())
        return found


def make(build, goal, n8n):
    return subprocess.run(["make", "-s", "-C", REPOSITORY, goal, "BUILD=" + build, *(["N8N=" + n8n] if n8n else [])],
                          capture_output=True, text=True, env={"PATH": os.environ["PATH"]})


def works(build, goal, n8n):
    done = make(build, goal, n8n)
    assert done.returncode == 0, (goal, done.stdout, done.stderr)
    return done.stdout


def refuses(build, goal, n8n, *words):
    done = make(build, goal, n8n)
    said = [line for line in done.stderr.splitlines() if line.startswith("install-n8n: ")]
    assert done.returncode != 0 and len(said) == 1 and all(word in said[0] for word in words), (done.stdout, done.stderr)


@case
def it_goes_where_n8n_looks_and_away_again(build):
    for where in ("", "node_modules", "node_modules/n8n", "node_modules/n8n/"):
        with Tree() as tree:
            before = tree.state()
            n8n = os.path.join(tree.folder, where)
            works(build, "install-n8n", n8n)
            assert os.path.realpath(tree.python) == os.path.realpath(os.path.join(build, "task-runner-python")), where
            works(build, "uninstall-n8n", n8n)
            assert tree.state() == before, where


@case
def what_was_there_comes_back(build):
    for there in ("link", "dangling", "file"):
        with Tree() as tree:
            tree.put("@n8n/task-runner-python/src/main.py", "x = 1\n")
            os.makedirs(os.path.dirname(tree.python))
            if there == "file":
                tree.put(PYTHON, "#!/bin/sh\n")
                os.chmod(tree.python, 0o755)
            else:
                os.symlink("/bin/sh" if there == "link" else "/nowhere/python3.13", tree.python)
            before = tree.state()
            for _ in range(3):  # once more does not lose what was there
                works(build, "install-n8n", tree.folder)
            assert tree.state() != before
            works(build, "uninstall-n8n", tree.folder)
            assert tree.state() == before, there


@case
def a_python_put_there_since_is_not_lost(build):
    with Tree() as tree:
        works(build, "install-n8n", tree.folder)
        os.unlink(tree.python)
        tree.put(PYTHON, "another")
        refuses(build, "uninstall-n8n", tree.folder, tree.python)
        works(build, "install-n8n", tree.folder)
        works(build, "uninstall-n8n", tree.folder)
        with open(tree.python) as another:
            assert another.read() == "another"


@case
def what_others_put_there_stays(build):
    with Tree() as tree:
        works(build, "install-n8n", tree.folder)
        tree.put("@n8n/task-runner-python/.venv/mine", "mine")
        works(build, "uninstall-n8n", tree.folder)
        assert not os.path.lexists(tree.python)
        with open(os.path.join(tree.root, "@n8n/task-runner-python/.venv/mine")) as mine:
            assert mine.read() == "mine"


@case
def a_package_behind_a_link_is_found_where_it_is(build):
    with Tree() as tree, tempfile.TemporaryDirectory() as other:
        os.mkdir(os.path.join(other, "node_modules"))
        os.symlink(os.path.join(tree.root, "n8n"), os.path.join(other, "node_modules", "n8n"))
        works(build, "install-n8n", other)
        assert os.path.islink(tree.python)
        works(build, "uninstall-n8n", other)


@case
def what_is_wrong_is_said(build):
    with Tree() as tree, tempfile.TemporaryDirectory() as empty:
        before = tree.state()
        for goal in ("install-n8n", "uninstall-n8n"):
            refuses(build, goal, None, "N8N=")
            refuses(build, goal, empty + "/nowhere", empty + "/nowhere")
            refuses(build, goal, empty, empty, "no n8n")
            refuses(build, goal, os.path.join(tree.root, "@n8n/config"), "no n8n")
        refuses(empty, "install-n8n", tree.folder, "not built", "make build")
        refuses(build, "uninstall-n8n", tree.folder, "nothing is installed", tree.root)
        assert tree.state() == before


@case
def it_starts_through_the_link(build):
    """As n8n and as its launcher start it, with their arguments, from the package's folder."""
    for arguments in (("-m", "src.main"), ("-I", "-B", "-X", "disable_remote_debug", "-m", "src.main")):
        with Tree() as tree:
            works(build, "install-n8n", tree.folder)
            broker = Broker(build)
            env = {"PATH": os.environ["PATH"], "HOME": tree.folder, "N8N_RUNNERS_TASK_BROKER_URI": broker.uri,
                   "N8N_RUNNERS_AUTH_TOKEN": broker.token}
            process = subprocess.Popen([tree.python, *arguments], env=env, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL,
                                       cwd=os.path.join(tree.root, "@n8n/task-runner-python"))
            try:
                broker.wait("offer")
                assert broker.run("return 1")["data"]["result"] == 1
                process.terminate()
                assert process.wait(60) == 0
            finally:
                process.kill()
                process.wait()
                broker.stop()
