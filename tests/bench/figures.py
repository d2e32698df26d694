"""Owns figures.json: what was measured last, for each minor version of the Python that was embedded.

{"3.13": {"machine": …, "python": "3.13.0", "figures": {name: value}}, …}
"""
import json
import os
import platform
import subprocess

COMMITTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "figures.json")


def machine():
    name = platform.processor() or platform.machine()
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
    return "%s, %d processors, Linux %s" % (name, os.cpu_count(), platform.release())


def embedded_python(build):
    """The version that tasks run on, as the zygote says it: another Python may run the bench."""
    # The exit code says whether the walls hold here, which is not what is asked.
    said = subprocess.run([os.path.join(build, "task-runner-python"), "check", "--json"],
                          env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")}, stdout=subprocess.PIPE)
    return json.loads(said.stdout)["python"]


def minor(python):
    return ".".join(python.split(".")[:2])


def all_committed():
    try:
        with open(COMMITTED) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def committed(python):
    """The last figures of this minor version, by their names."""
    return all_committed().get(minor(python), {}).get("figures", {})


def keep(python, found):
    """Puts what was found in the place of what is committed; what was not measured this time stays."""
    everything = all_committed()
    kept = {"machine": machine(), "python": python, "figures": {}}
    last = everything.get(minor(python))
    # Figures of two machines, or of two releases, are never mixed.
    if last and all(last[key] == kept[key] for key in ("machine", "python")):
        kept = last
    kept["figures"].update((name, round(value, 3)) for name, value in found.items() if value is not None)
    everything[minor(python)] = kept
    write(COMMITTED, dict(sorted(everything.items(), key=lambda item: int(item[0].split(".")[1]))))


def write(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")
