"""Building the environment: whole or not at all, only when something changed, and clear about failures."""
import glob
import os
import subprocess
import tempfile

from environment import make_wheel
from harness import case

LIMIT = 120


class Place:
    """A folder with an extras.txt, and wheels to install from instead of an index."""

    def __init__(self, build, uv=False):
        self.python = os.path.realpath(os.path.join(build, "venv", "bin", "python"))
        self.folder = tempfile.TemporaryDirectory()
        self.venv = os.path.join(self.folder.name, "venv")
        self.wheels = os.path.join(self.folder.name, "wheels")
        os.mkdir(self.wheels)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.folder.cleanup()

    def make(self, extras, **env):
        """Runs it; returns the exit code and what it printed."""
        with open(os.path.join(self.folder.name, "extras.txt"), "wb") as file:
            file.write(extras if isinstance(extras, bytes) else extras.encode())
        done = subprocess.run(
            [self.python, "-I", os.path.join("pyvenv", "make_venv.py"), self.venv, file.name],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=LIMIT,
            env=dict(PATH="/usr/bin:/bin", PIP_NO_INDEX="1", PIP_FIND_LINKS=self.wheels,
                     PIP_CONFIG_FILE=os.devnull, HOME=self.folder.name, **env))
        return done.returncode, done.stdout

    def has(self, module):
        return bool(glob.glob(os.path.join(self.venv, "lib", "python3*", "site-packages", module + ".py")))

    def left(self):
        return sorted(name for name in os.listdir(self.folder.name) if name.startswith(".task"))


@case
def packages_come_from_wheels_and_only_when_something_changed(build):
    with Place(build) as place:
        make_wheel(place.wheels, "alpha", "1.0")
        assert place.make("# nothing yet\n") == (0, "")
        code, said = place.make("alpha==1.0  # a comment\n")
        assert code == 0 and place.has("alpha") and "installing alpha==1.0" in said, said
        stamp = os.stat(os.path.join(place.venv, "stamp")).st_ino
        assert place.make("alpha==1.0  # a comment\n") == (0, "")
        assert os.stat(os.path.join(place.venv, "stamp")).st_ino == stamp
        scripts = [open(p, errors="replace").read() for p in glob.glob(place.venv + "/bin/*") if not os.path.islink(p)]
        assert not any("/.task-runner-venv-" in text for text in scripts), "a script names the place it was built in"
        assert not glob.glob(os.path.join(place.venv, "lib", "*", "site-packages", "pip"))
        code, said = place.make("\n")
        assert code == 0 and not place.has("alpha") and place.left() == [], (said, place.left())


@case
def a_failure_names_the_package_and_leaves_what_was_there(build):
    with Place(build) as place:
        make_wheel(place.wheels, "alpha", "1.0", requires=["beta==2.0"])
        make_wheel(place.wheels, "beta", "1.0")
        make_wheel(place.wheels, "beta", "2.0")
        assert place.make("beta==1.0\n")[0] == 0
        for extras, named in (("beta==1.0\nnowhere==3.1\n", "there is no wheel of `nowhere==3.1` for Python 3."),
                              ("beta==9.9\n", "; there are 1.0, 2.0"),
                              ("alpha==1.0\nbeta==1.0\n", "Cannot install alpha==1.0 and beta==1.0")):
            code, said = place.make(extras)
            last = said.splitlines()[-1]
            assert code == 1 and last.startswith("make venv: extras.txt: ") and named in last, said
            assert place.has("beta") and place.left() == [], (said, place.left())


@case
def what_a_killed_build_leaves_is_swept_up(build):
    with Place(build) as place:
        os.makedirs(os.path.join(place.folder.name, ".task-runner-venv-old", "venv"))
        os.makedirs(os.path.join(place.folder.name, ".venv-of-another"))
        assert place.make("") == (0, "")
        assert os.path.exists(os.path.join(place.folder.name, ".venv-of-another"))
        assert place.left() == [] and os.path.exists(os.path.join(place.venv, "pyvenv.cfg"))


@case
def what_can_not_be_read_is_said_in_one_line(build):
    with Place(build) as place:
        for extras, named in ((b"\xff\xfe\x00", "is no UTF-8 text"), ("ok-not-here==1\r\n", "`ok-not-here==1`")):
            code, said = place.make(extras)
            assert code == 1 and named in said.splitlines()[-1] and "Traceback" not in said, said
