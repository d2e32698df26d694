"""The compose files of the README: they are YAML, and say nothing that neither we nor n8n know."""
import json
import os
import re
import subprocess

from harness import case
from image import TOP, settings_of_the_runner

SERVICE = {"image", "restart", "depends_on", "environment", "ports", "volumes", "command", "read_only", "cap_drop",
           "security_opt", "mem_limit", "pids_limit", "tmpfs", "secrets"}
OF_N8N = {"N8N_RUNNERS_ENABLED", "N8N_RUNNERS_MODE", "N8N_RUNNERS_BROKER_LISTEN_ADDRESS", "N8N_RUNNERS_AUTH_TOKEN",
          "N8N_NATIVE_PYTHON_RUNNER", "N8N_ENCRYPTION_KEY", "EXECUTIONS_MODE",
          "OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS", "QUEUE_BULL_REDIS_HOST", "DB_TYPE", "DB_POSTGRESDB_HOST",
          "DB_POSTGRESDB_DATABASE", "DB_POSTGRESDB_USER", "DB_POSTGRESDB_PASSWORD"}
OF_POSTGRES = {"POSTGRES_DB", "POSTGRES_USER", "POSTGRES_PASSWORD"}
PARSE = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))"


def readme():
    with open(os.path.join(TOP, "README.md")) as file:
        return file.read()


def compose_files():
    blocks = re.findall(r"^```yaml\n(.*?)^```$", readme(), re.M | re.S)
    # Debian's python3 has Debian's yaml; the Python that is embedded may be another
    return [json.loads(subprocess.run(["/usr/bin/python3", "-I", "-c", PARSE], input=block, check=True, text=True,
                                      stdout=subprocess.PIPE).stdout) for block in blocks]


def known_to(image):
    if image == "task-runner-python":
        return {name + end for name in settings_of_the_runner() for end in ("", "_FILE")}
    if image.startswith("postgres:"):
        return OF_POSTGRES
    return OF_N8N if image.startswith("n8nio/n8n:") else OF_N8N | {"N8N_RUNNERS_TASK_BROKER_URI"}


@case
def its_compose_files_are_whole():
    files = compose_files()
    assert len(files) == 3, len(files)
    for file in files:
        assert {key for key in file if not key.startswith("x-")} <= {"services", "volumes", "secrets"}, file
        for name, service in file["services"].items():
            assert set(service) <= SERVICE, (name, set(service) - SERVICE)
            unknown = set(service.get("environment", {})) - known_to(service["image"])
            assert not unknown, (name, unknown)
            for other in service.get("depends_on", []):
                assert other in file["services"], (name, other)
            for volume in service.get("volumes", []):
                assert volume.split(":")[0] in file["volumes"], (name, volume)
            for secret in service.get("secrets", []):
                assert secret in file["secrets"], (name, secret)


@case
def every_n8n_of_its_files_has_a_sidecar():
    for file in compose_files():
        services = file["services"]
        brokers = {"http://%s:5679" % name for name, service in services.items()
                   if service["image"].startswith("n8nio/n8n:")}
        served = {service["environment"]["N8N_RUNNERS_TASK_BROKER_URI"] for service in services.values()
                  if service["image"] == "task-runner-python"}
        assert not brokers or served == brokers, (brokers, served)


@case
def its_table_has_every_setting():
    listed = set(re.findall(r"`([A-Z][A-Z0-9_]+)`", readme()))
    left_out = set(settings_of_the_runner()) - listed - {"N8N_RUNNERS_HEALTH_CHECK_SERVER_PORT"}  # as `_PORT`
    assert not left_out, left_out
