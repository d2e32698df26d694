"""Packages: which environment tasks run on, what is imported ahead of them, and what is said of it."""
import os
import shutil
import sys
import tempfile

from environment import Environment
from harness import Broker, Pair, Runner, case, error_of, result_of

COUNTED = "import os\nLOADED_BY = os.getpid()\n"
WHO = "import %s, os\nreturn [%s.LOADED_BY == os.getpid()]"


def pair_on(environment, build, external, **settings):
    return Pair(build, N8N_RUNNERS_PYTHON_VENV=environment.path, N8N_RUNNERS_EXTERNAL_ALLOW=external,
                N8N_RUNNERS_STDLIB_ALLOW="os", **settings)


def exits_at_once(build, demo=None, **settings):
    """The one line that a runner leaves with."""
    broker = Broker(demo or build)
    runner = Runner(build, broker, **settings)
    assert runner.wait() == 1, runner.err
    assert len(runner.err) == 1, runner.err
    broker.stop()
    return runner.err[0]


@case
def allowed_packages_are_imported_once_and_ahead(build):
    with Environment(build).add("early", COUNTED) as environment:
        with pair_on(environment, build, "early") as pair:
            pair.runner.line("Packages for tasks: 1 in `%s` (N8N_RUNNERS_PYTHON_VENV)" % environment.path)
            assert result_of(pair.broker.run(WHO % ("early", "early"))) == [False]
            pids = result_of(pair.broker.run("import early\nreturn [early.LOADED_BY]"))
            assert result_of(pair.broker.run("import early\nreturn [early.LOADED_BY]")) == pids
            assert pair.runner.err == [], pair.runner.err


@case
def with_a_star_only_what_was_asked_for_is_imported_ahead(build):
    with Environment(build).add("asked", COUNTED).add("brought", COUNTED, requested=False) as environment:
        with pair_on(environment, build, "*") as pair:
            assert result_of(pair.broker.run(WHO % ("asked", "asked"))) == [False]
            assert result_of(pair.broker.run(WHO % ("brought", "brought"))) == [True]


@case
def with_a_star_the_common_part_of_the_library_is_there(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="*") as pair:
        loaded = result_of(pair.broker.run("import sys\nreturn sorted(sys.modules)"))
        assert {"json", "re", "datetime", "urllib.parse"} <= set(loaded), loaded
        assert "tkinter" not in loaded and "asyncio" not in loaded, loaded


@case
def a_package_that_leaves_a_thread_is_left_to_the_tasks(build):
    code = COUNTED + "import threading, time\nthreading.Thread(target=time.sleep, args=(999,), daemon=True).start()\n"
    with Environment(build).add("threaded", code).add("early", COUNTED) as environment:
        with pair_on(environment, build, "early,threaded") as pair:
            line = pair.runner.line("threaded is not imported ahead: its import starts a thread")
            assert "do so themselves" in line, line
            assert result_of(pair.broker.run(WHO % ("threaded", "threaded"))) == [True]
            assert result_of(pair.broker.run(WHO % ("early", "early"))) == [False]
            assert len(pair.runner.err) == 1, pair.runner.err


@case
def threads_that_end_before_a_fork_are_no_harm(build):
    code = COUNTED + (
        "import threading\n"
        "over = threading.Event()\n"
        "thread = threading.Thread(target=over.wait)\n"
        "thread.start()\n"
        "os.register_at_fork(before=lambda: (over.set(), thread.join()))\n")
    with Environment(build).add("pooled", code) as environment:
        with pair_on(environment, build, "pooled") as pair:
            assert result_of(pair.broker.run(WHO % ("pooled", "pooled"))) == [False]
            assert pair.runner.err == [], pair.runner.err


@case
def a_package_that_leaves_a_descriptor_is_left_to_the_tasks(build):
    with Environment(build).add("opener", COUNTED + "kept = open(__file__)\n") as environment:
        with pair_on(environment, build, "opener") as pair:
            pair.runner.line("opener is not imported ahead: its import leaves a descriptor open")
            code = "import opener\nreturn [opener.kept.read(9)]"
            assert result_of(pair.broker.run(code)) == ["import os"]


@case
def a_package_that_fails_keeps_its_error_for_the_tasks(build):
    halfway = "from . import state\nstate.loads.append(1)\nraise RuntimeError('no %d' % len(state.loads))\n"
    with Environment(build).add("broken", halfway, parts=[("state", "loads = []\n")]) as environment:
        with pair_on(environment, build, "broken") as pair:
            pair.runner.line("broken is not imported ahead: its import fails: RuntimeError: no 1")
            for _ in range(2):
                assert error_of(pair.broker.run("import broken"))["message"] == "no 1"


@case
def a_package_that_ends_python_costs_nobody_else(build):
    with Environment(build).add("early", COUNTED).add("fatal", "import os\nos._exit(3)\n") as environment:
        with pair_on(environment, build, "early,fatal") as pair:
            pair.runner.line("fatal is not imported ahead: its import ends Python")
            assert result_of(pair.broker.run(WHO % ("early", "early"))) == [False]
            assert error_of(pair.broker.run("import fatal"))["message"] == "Task subprocess exited with code 3"


@case
def what_is_unfit_is_remembered_when_python_is_started_again(build):
    with Environment(build).add("opener", "kept = open(__file__)\n") as environment:
        with pair_on(environment, build, "opener") as pair:
            pair.runner.line("opener is not imported ahead")
            pair.broker.wait("offer")
            children = "/proc/%d/task/%d/children" % ((pair.runner.process.pid,) * 2)
            with open(children) as file:
                os.kill(int(file.read().split()[0]), 9)
            pair.runner.line("starting another")
            assert result_of(pair.broker.run("return [1]")) == [1]
            assert sum("opener is not" in line for line in pair.runner.err) == 1, pair.runner.err


@case
def names_that_mean_nothing_get_advice(build):
    expected = {
        "Image_Tools": "which is a package's name and no module's: write `imgt`",
        "IMGT": "and there is no module of that name: add `IMGT`",
        "json": "a module of Python's standard library: name it in N8N_RUNNERS_STDLIB_ALLOW",
        "beautifulsoup4": "write `bs4`, add `beautifulsoup4` to extras.txt",
        "cv2": "add `opencv-python-headless` to extras.txt",
        "nowhere": "add `nowhere` to extras.txt and run `make venv`",
    }
    with Environment(build).add("imgt", COUNTED, distribution="image_tools") as environment:
        with Pair(build, N8N_RUNNERS_PYTHON_VENV=environment.path, N8N_RUNNERS_STDLIB_ALLOW="json,numpy",
                  N8N_RUNNERS_EXTERNAL_ALLOW=",".join(expected)) as pair:
            for name, advice in expected.items():
                line = pair.runner.line("N8N_RUNNERS_EXTERNAL_ALLOW names `%s`" % name)
                assert advice in line, line
            line = pair.runner.line("N8N_RUNNERS_STDLIB_ALLOW names `numpy`")
            assert "packages belong in N8N_RUNNERS_EXTERNAL_ALLOW" in line, line
            assert len(pair.runner.err) == len(expected) + 1, pair.runner.err


@case
def random_numbers_are_each_tasks_own(build):
    code = "import random\nby_chance = random.Random()\nby_number = random.Random(7)\n"
    task = "import dice\nreturn [dice.by_chance.random(), dice.by_number.random()]"
    with Environment(build).add("dice", code) as environment:
        with pair_on(environment, build, "dice") as pair:
            seen = [result_of(pair.broker.run(task)) for _ in range(4)]
            assert len({chance for chance, _ in seen}) == 4, seen
            assert len({number for _, number in seen}) == 1, seen


@case
def an_environment_of_another_version_is_refused(build):
    with Environment(build) as environment:
        path = os.path.join(environment.path, "pyvenv.cfg")
        with open(path) as file:
            lines = file.read().splitlines()
        with open(path, "w") as file:
            file.writelines("version = 3.9.1\n" if l.startswith("version") else l + "\n" for l in lines)
        line = exits_at_once(build, N8N_RUNNERS_PYTHON_VENV=environment.path)
        assert "is a virtual environment of Python 3.9, and this runner embeds Python 3." in line, line
        assert "make venv" in line and environment.path in line, line


@case
def an_environment_that_is_not_there_is_refused(build):
    line = exits_at_once(build, N8N_RUNNERS_PYTHON_VENV="/nowhere/venv")
    assert "N8N_RUNNERS_PYTHON_VENV is `/nowhere/venv`: there is no virtual environment" in line, line


def programs_in(folder, build):
    for name in ("task-runner-python", "task-runner-zygote"):
        shutil.copy(os.path.join(build, name), folder)


@case
def without_an_environment_there_are_no_packages(build):
    with tempfile.TemporaryDirectory() as folder:
        programs_in(folder, build)
        with Pair(folder, demo=build, N8N_RUNNERS_EXTERNAL_ALLOW="pip") as pair:
            pair.runner.line("Packages for tasks: none")
            pair.runner.line("there is no virtual environment to have them from")
            assert "No module named" in error_of(pair.broker.run("import pip"))["message"]
        os.symlink("gone", os.path.join(folder, "venv"))
        line = exits_at_once(folder, demo=build)
        assert "/venv` is no virtual environment" in line and "make venv" in line, line


@case
def the_environment_around_the_program_is_used_when_there_is_no_other(build):
    """As where the program takes the place of an environment's interpreter."""
    with tempfile.TemporaryDirectory() as folder, Environment(build).add("early", COUNTED) as environment:
        programs_in(folder, build)
        python = os.path.join(environment.path, "bin", "python")
        os.unlink(python)
        os.symlink(os.path.join(folder, "task-runner-python"), python)
        broker = Broker(build)
        runner = Runner(build, broker, program=python, N8N_RUNNERS_EXTERNAL_ALLOW="early",
                        arguments=("-I", "-B", "-X", "disable_remote_debug", "-m", "src.main"),
                        N8N_RUNNERS_STDLIB_ALLOW="os")
        broker.wait("offer")
        runner.line("Packages for tasks: 1 in `%s` (around the program)" % environment.path)
        assert result_of(broker.run(WHO % ("early", "early"))) == [False]
        assert runner.stop() == 0
        broker.stop()


@case
def a_folder_of_the_tasks_own_hides_no_package(build):
    """The environment stands below /tmp here, where that folder would be."""
    late = ("import tempfile\n"
            "def write():\n"
            "    with tempfile.NamedTemporaryFile('w') as file:\n"
            "        return file.write('x')\n"
            "ROOM = tempfile.gettempdir()\n")
    with Environment(build).add("early", COUNTED, parts=[("late", late)]) as environment:
        with pair_on(environment, build, "early", N8N_RUNNERS_TASK_TMP_MB="1") as pair:
            code = "import early.late\nreturn [early.late.ROOM, early.late.write()]"
            room, written = result_of(pair.broker.run(code))
            assert written == 1 and not environment.path.startswith(room + "/"), room


def with_odd_numpy(build, odd):
    """An environment with a package `odd`, and numpy as far as the runner looks at it: the state of a generator
    is how many had been made before it."""
    random = ("import itertools, types\n"
              "count = itertools.count()\n"
              "class BitGenerator:\n"
              "    def __init__(self):\n"
              "        self.state = next(count)\n"
              "mtrand = types.SimpleNamespace(_rand=types.SimpleNamespace(_bit_generator=BitGenerator()))\n")
    return Environment(build).add("numpy", "from . import random\n", parts=[("random", random)]).add("odd", odd)


def its_generator_is_seeded_anew(pair):
    state = result_of(pair.broker.run("import numpy\nreturn numpy.random.mtrand._rand._bit_generator.state"))
    assert state == 2, state  # 0 was made by the import, 1 to try it


@case
def odd_objects_in_a_package_harm_nothing(build):
    """A numpy of our own, whose generator every child seeds; and objects that can't be looked at."""
    odd = ("import weakref\n"
           "class Gone:\n    pass\n"
           "class Raises:\n"
           "    @property\n"
           "    def __class__(self):\n        raise RuntimeError('no class')\n"
           "kept = [weakref.proxy(Gone()), Raises()]\n")
    with with_odd_numpy(build, odd) as environment:
        with pair_on(environment, build, "numpy,odd") as pair:
            its_generator_is_seeded_anew(pair)
            assert pair.runner.err == [], pair.runner.err


@case
def a_generator_that_cant_be_seeded_anew_is_said_and_keeps_no_other_from_it(build):
    needy = ("import numpy, types\n"
             "class Needy(numpy.random.BitGenerator):\n"
             "    def __init__(self, name):\n"
             "        self.seed_seq = types.SimpleNamespace(entropy=1 << 100)\n"
             "class Shy(Needy):\n"
             "    def __init__(self):\n        pass\n"
             "    @property\n"
             "    def seed_seq(self):\n        raise RuntimeError('no seeds')\n"
             "kept = [Needy('a'), Needy('b'), Shy()]\n")
    with with_odd_numpy(build, needy) as environment:
        with pair_on(environment, build, "numpy,odd") as pair:
            line = pair.runner.line("tasks may draw the same random numbers from packages: ")
            for said in ("odd.Needy: TypeError(", "odd.Shy: RuntimeError('no seeds')"):
                assert said in line, line
            assert len(pair.runner.err) == 1, pair.runner.err
            its_generator_is_seeded_anew(pair)


@case
def a_numpy_that_cant_be_understood_keeps_nothing_else_from_being_seeded_anew(build):
    dice = "import random\nby_chance = random.Random()\n"
    with Environment(build).add("numpy", "from . import random\n", parts=[("random", "")]) as environment:
        with pair_on(environment.add("dice", dice), build, "numpy,dice") as pair:
            line = pair.runner.line("tasks may draw the same random numbers from packages: ")
            assert "AttributeError: module 'numpy.random' has no attribute" in line, line
            seen = {result_of(pair.broker.run("import dice\nreturn dice.by_chance.random()")) for _ in range(4)}
            assert len(seen) == 4, seen


@case
def what_an_import_writes_is_no_tasks(build):
    code = COUNTED + "import sys\nsys.stdout.write('hello from a package')\nsys.stderr.write('a warning')\n"
    with Environment(build).add("early", code) as environment:
        with pair_on(environment, build, "early") as pair:
            done = pair.broker.run("print('mine')\nreturn 1")
            assert (result_of(done), done["prints"]) == (1, [["'mine'"]]), done
            assert "a warning" not in error_of(pair.broker.run("return 1 / 0"))["description"]


@case
def signals_that_an_import_changes_are_taken_back(build):
    for change in ("signal.signal(signal.SIGCHLD, signal.SIG_IGN)", "signal.pthread_sigmask(signal.SIG_SETMASK, [])"):
        with Environment(build).add("early", "import signal\n%s\n" % change) as environment:
            with pair_on(environment, build, "early", N8N_RUNNERS_TASK_TIMEOUT="20") as pair:
                message = error_of(pair.broker.run("import os\nos._exit(3)"))["message"]
                assert message == "Task subprocess exited with code 3", message
                open_files = "/proc/%d/fd" % pair.runner.process.pid
                before = len(os.listdir(open_files))
                for _ in range(20):
                    pair.broker.run("return 1")
                assert len(os.listdir(open_files)) < before + 10


@case
def a_package_that_leaves_a_process_is_left_to_the_tasks(build):
    forks = COUNTED + "import time\nif os.fork() == 0:\n    time.sleep(600)\n"
    returns = COUNTED + "os.fork()\n"
    with Environment(build).add("forks", forks).add("returns", returns).add("early", COUNTED) as environment:
        with pair_on(environment, build, "early,forks,returns") as pair:
            for name in ("forks", "returns"):
                pair.runner.line("%s is not imported ahead: its import leaves a process behind" % name)
            assert result_of(pair.broker.run(WHO % ("early", "early"))) == [False]
            assert "can't start processes" in str(error_of(pair.broker.run("import forks"))), "walls"
            children = "/proc/%d/task/%d/children" % ((pair.runner.process.pid,) * 2)
            with open(children) as file:
                os.kill(int(file.read().split()[0]), 9)
            pair.runner.line("starting another")
            assert result_of(pair.broker.run("return [1]")) == [1]
