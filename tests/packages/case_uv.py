"""Building the environment with uv, where that is a command."""
import os
import subprocess
import tempfile

from environment import make_wheel
from harness import case

UV = "uv==0.9.11"
LIMIT = 300


def make_venv(python, venv, extras, text, **env):
    with open(extras, "w") as file:
        file.write(text)
    done = subprocess.run([python, "-I", os.path.join("pyvenv", "make_venv.py"), venv, extras], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT, env={**os.environ, **env})
    return done.returncode, done.stdout


@case
def uv_builds_it_as_pip_does(build):
    python = os.path.realpath(os.path.join(build, "venv", "bin", "python"))
    with tempfile.TemporaryDirectory() as folder:
        tool, venv, extras = (os.path.join(folder, name) for name in ("tool", "venv", "extras.txt"))
        code, said = make_venv(python, tool, extras, UV + "\n")
        assert code == 0, said
        make_wheel(folder, "alpha", "1.0", requires=["beta==2.0"])
        make_wheel(folder, "beta", "1.0")
        make_wheel(folder, "beta", "2.0")
        with_uv = dict(PATH=os.path.join(tool, "bin") + ":/usr/bin:/bin", UV_NO_INDEX="1", UV_FIND_LINKS=folder,
                       UV_CACHE_DIR=os.path.join(folder, "cache"))
        code, said = make_venv(python, venv, extras, "alpha==1.0\n", **with_uv)
        assert code == 0 and "no `uv`" not in said and "Installed 2 packages" in said, said
        assert make_venv(python, venv, extras, "alpha==1.0\n", **with_uv) == (0, "")
        for text, named in (("alpha==1.0\nbeta==1.0\n", "alpha==1.0 depends on beta==2.0"),
                            ("nowhere==3.1\n", "nowhere==3.1")):
            code, said = make_venv(python, venv, extras, text, **with_uv)
            last = said.splitlines()[-1]
            assert code == 1 and last.startswith("make venv: extras.txt, for Python 3.") and named in last, said
