"""Virtual environments with packages of a test's own making, without pip or a network."""
import base64
import glob
import hashlib
import os
import shutil
import tempfile
import zipfile


class Environment:
    """A copy of the build's venv, for as long as the block lasts."""

    def __init__(self, build):
        self.folder = tempfile.mkdtemp(prefix="venv-")
        self.path = os.path.join(self.folder, "venv")
        shutil.copytree(os.path.join(build, "venv"), self.path, symlinks=True)
        self.packages = glob.glob(os.path.join(self.path, "lib", "python3*", "site-packages"))[0]

    def add(self, module, code, distribution=None, requested=True, parts=()):
        """A package `module`, as an installer leaves it; `parts`: names and texts of submodules."""
        os.mkdir(os.path.join(self.packages, module))
        for name, text in (("__init__", code), *parts):
            with open(os.path.join(self.packages, module, name + ".py"), "w") as file:
                file.write(text)
        info = os.path.join(self.packages, (distribution or module) + "-1.0.dist-info")
        os.mkdir(info)
        with open(os.path.join(info, "RECORD"), "w") as record:
            record.write("%s/__init__.py,,\n%s-1.0.dist-info/RECORD,,\n" % (module, distribution or module))
        if requested:
            open(os.path.join(info, "REQUESTED"), "w").close()
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        shutil.rmtree(self.folder, ignore_errors=True)


def make_wheel(folder, name, version, code="", requires=()):
    """Writes a wheel of one pure module into `folder`."""
    info = "%s-%s.dist-info" % (name, version)
    files = {
        name + ".py": code,
        info + "/METADATA": "Metadata-Version: 2.1\nName: %s\nVersion: %s\n%s" % (
            name, version, "".join("Requires-Dist: %s\n" % other for other in requires)),
        info + "/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += "%s,sha256=%s,%d\n" % (path, digest, len(text))
    files[info + "/RECORD"] = record + info + "/RECORD,,\n"
    path = os.path.join(folder, "%s-%s-py3-none-any.whl" % (name, version))
    with zipfile.ZipFile(path, "w") as wheel:
        for name_inside, text in files.items():
            wheel.writestr(name_inside, text)
