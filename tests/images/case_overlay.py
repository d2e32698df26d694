"""n8n's own image with this runner where its interpreter stood."""
import os
import subprocess

from case_image import serve
from harness import case, error_of, result_of
from image import Existing

VENV = "opt/runners/task-runner-python/.venv/"
OWN = "usr/local/lib/task-runner-python"


@case
def nothing_else_has_changed(overlay, build):
    stock = Existing(overlay.name.replace("/overlay:", "/runners:"))
    differences = subprocess.run(
        ["diff", "--recursive", "--no-dereference", "--brief", "--exclude=dev", stock.root, overlay.root],
        stdout=subprocess.PIPE, text=True).stdout.replace(stock.root, "STOCK").replace(overlay.root, "NOW")
    different = set(differences.splitlines())
    assert different == {
        "Only in NOW/usr/local/lib: task-runner-python",
        "Only in NOW/usr/local/bin: task-runner-python",
        "Symbolic links STOCK/%sbin/python and NOW/%sbin/python differ" % (VENV, VENV),
    }, differences
    assert {k: v for k, v in overlay.config.items() if k in ("Cmd", "Entrypoint", "Env", "User")} == \
        {k: v for k, v in stock.config.items() if k in ("Cmd", "Entrypoint", "Env", "User")}
    print("          %d MB more" % (overlay.megabytes() - stock.megabytes()))


@case
def it_serves_as_the_launcher_starts_it(overlay, build):
    with serve(build, overlay) as (broker, container):
        container.line("the runner is healthy")
        assert result_of(broker.run("import json, stock\nreturn [json.dumps(stock.where)]")) == ['"in the image"']
        error = error_of(broker.run("import numpy"))
        assert "Allowed external packages: stock" in error["description"], error
        program = os.readlink(overlay.path(VENV + "bin/python"))
        assert program == "/" + OWN + "/task-runner-python", program
        assert container.stop() == 0


@case
def it_brings_the_libraries_that_were_missing(overlay, build):
    brought = os.listdir(overlay.path(OWN + "/lib"))
    assert any(name.startswith("libwebsockets") for name in brought), brought
    assert not any(name.startswith(("libc.", "libpython")) for name in brought), brought
