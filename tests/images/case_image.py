"""The image: what is in it, and how it serves tasks as a hardened container beside n8n."""
import contextlib
import glob
import json
import os

from harness import Broker, case, error_of, result_of
from image import Container, settings_of_the_runner

USE_BOTH = """
import numpy
from slugify import slugify
return [{"json": {"sum": int(numpy.arange(5).sum()), "slug": slugify("A Task, Run")}}]
"""


@contextlib.contextmanager
def serve(build, image, **environment):
    """A broker, and a container that serves it."""
    broker = Broker(build)
    try:
        with Container(image, N8N_RUNNERS_TASK_BROKER_URI=broker.uri, N8N_RUNNERS_AUTH_TOKEN=broker.token,
                       **environment) as container:
            broker.wait("offer")
            yield broker, container
    finally:
        broker.stop()


@case
def says_what_it_is(image, build):
    config = image.config
    labels = {name.rpartition(".")[2]: text for name, text in config["Labels"].items()
              if name.startswith("org.opencontainers.image.")}
    code, version = image.run("task-runner-python", "--version")
    assert code == 0 and labels["version"] in version, (labels, version)
    assert labels["title"] and labels["description"] and labels["licenses"] == "MIT", labels
    assert config["User"] == "runner" and "5680/tcp" in config["ExposedPorts"], config
    assert config["Entrypoint"][0] == "tini" and config["Cmd"] == ["python"], config


@case
def has_no_more_than_it_needs(image, build):
    for command in ("cc", "gcc", "clang", "tcc", "ld", "as", "make", "git"):
        assert image.run("sh", "-c", "command -v " + command)[0] != 0, command
    left = [name for pattern in ("root/.cache", "home/runner/.cache", "usr/include/*.h", "usr/include/python3*",
                                 "usr/local/include/python3*", "var/lib/apt/lists/*_*", "var/cache/apt/*.bin",
                                 "src", "runtime-packages", "usr/local/lib/task-runner-python/demo-broker")
            for name in glob.glob(image.path(pattern))]
    assert not left, left


@case
def hands_every_setting_on(image, build):
    of_the_launcher = {
        "N8N_RUNNERS_TASK_BROKER_URI", "N8N_RUNNERS_GRANT_TOKEN", "N8N_RUNNERS_AUTH_TOKEN", "N8N_RUNNERS_ID",
        "N8N_RUNNERS_HEALTH_CHECK_SERVER_ENABLED", "N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT"}
    with open(image.path("etc/task-runners.json")) as file:
        runner, = json.load(file)["task-runners"]
    assert os.readlink(image.path("etc/n8n-task-runners.json")) == "task-runners.json"
    assert runner["runner-type"] == "python" and not runner["env-overrides"], runner
    known, allowed = set(settings_of_the_runner()), runner["allowed-env"]
    assert len(known) > 20 and len(allowed) == len(set(allowed)), (known, allowed)
    wanted = known - of_the_launcher
    files = {name + "_FILE" for name in wanted} - {"SSL_CERT_FILE_FILE"}
    assert set(allowed) == wanted | files | {"NO_COLOR", "TMPDIR"}, set(allowed) ^ (wanted | files)


@case
def its_packages_are_there_when_they_are_allowed(image, build):
    with serve(build, image, N8N_RUNNERS_EXTERNAL_ALLOW="numpy,slugify") as (broker, _):
        assert result_of(broker.run(USE_BOTH)) == [{"json": {"sum": 10, "slug": "a-task-run"}}]


@case
def settings_from_outside_reach_the_tasks(image, build):
    with serve(build, image, N8N_RUNNERS_STDLIB_ALLOW="json,colorsys", N8N_RUNNERS_BUILTINS_DENY="") as (broker, _):
        assert result_of(broker.run("import colorsys\nreturn [str(type(1))]")) == ["<class 'int'>"]
    with serve(build, image) as (broker, _):
        error = error_of(broker.run("import colorsys\nreturn [type(1)]"))
        assert "'colorsys' is disallowed" in error["description"], error


@case
def settings_from_files_do_too(image, build):
    with open(image.path("home/runner/allowed"), "w") as file:
        file.write("colorsys\n")
    with serve(build, image, N8N_RUNNERS_STDLIB_ALLOW_FILE="/home/runner/allowed") as (broker, _):
        assert result_of(broker.run("import colorsys\nreturn [colorsys.rgb_to_hsv(0, 0, 0)[0]]")) == [0.0]


@case
def nothing_can_be_written_and_no_user_is_root(image, build):
    with serve(build, image) as (broker, container):
        _, output = container.beside(
            "sh", "-c", "id -u; touch /home/runner/x /tmp/x /etc/x; cat /proc/1/status")
        assert output.count("Read-only file system") == 3 and "1000\n" in output, output
        assert "CapEff:\t0000000000000000" in output and "NoNewPrivs:\t1" in output, output
    code, output = image.run("task-runner-python", "check")
    assert code == 0, output


@case
def its_health_check_sees_the_launcher(image, build):
    check = image.config["Healthcheck"]["Test"]
    assert check[0] == "CMD", check
    assert image.run(*check[1:])[0] == 1
    with serve(build, image, N8N_RUNNERS_LAUNCHER_HEALTH_CHECK_PORT="5690") as (broker, container):
        container.line("the runner is healthy")
        assert container.beside(*check[1:], N8N_RUNNERS_LAUNCHER_HEALTH_CHECK_PORT="5690") == (0, "")
        assert container.beside(*check[1:])[0] == 1


@case
def a_runner_follows_a_runner_and_all_stop_together(image, build):
    with serve(build, image, N8N_RUNNERS_AUTO_SHUTDOWN_TIMEOUT="1") as (broker, container):
        container.line("the runner has ended with 0")
        broker.wait("offer")
        assert result_of(broker.run("return [1]")) == [1]
        assert container.stop() == 0, container.lines
        container.line("launcher: stopped")
