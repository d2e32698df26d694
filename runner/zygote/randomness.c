/* See randomness.h. */
#include <Python.h>

#include "runner/zygote/randomness.h"

static PyObject *names; /* of the two pieces of code below, which go together; NULL: not watching */

static const char watch[] = "import random\n"
                            "by_chance = {}\n"
                            "seed = random.Random.seed\n"
                            "def note(self, a=None, version=2):\n"
                            "    seed(self, a, version)\n"
                            "    by_chance.pop(id(self), None)\n"
                            "    if a is None:\n"
                            "        by_chance[id(self)] = self\n"
                            "random.Random.seed = note\n";

/*
 * numpy keeps what a generator was seeded with: a number of 128 bits from the system when nobody
 * named one. The legacy functions of numpy.random share one generator, a Mersenne Twister: any bits
 * are a state of it, and the system's are sooner had than a new generator, which writes to 100
 * pages. They draw normal numbers in pairs, and keep the second: it is forgotten before the fork.
 * All is tried here, once, so that what can't be seeded is known before there is a task.
 */
static const char settle[] =
    "import os, sys\n"
    "random.Random.seed = seed\n"
    "failures = {}\n"
    "def attempt(job, o):\n"
    "    try:\n"
    "        return job(o)\n"
    "    except BaseException as error:\n"
    "        failures[type(o).__module__ + '.' + type(o).__qualname__] = error\n"
    "def renew(generator):\n"
    "    seed(generator)\n"
    "    return True\n"
    "again = [(renew, o) for o in by_chance.values() if type(o) is not random.SystemRandom]\n"
    "def anew():\n"
    "    failure = None\n"
    "    for job, o in again:\n"
    "        try:\n"
    "            job(o)\n"
    "        except BaseException as error:\n"
    "            failure = error\n"
    "    if failure:\n"
    "        raise failure\n"
    "os.register_at_fork(after_in_child=anew)\n"
    "numpy = sys.modules.get('numpy')\n"
    "if numpy and 'numpy.random' in sys.modules:\n"
    "    import gc\n"
    "    bit_generator = numpy.random.BitGenerator\n"
    "    twister = getattr(numpy.random, 'MT19937', None)\n"
    "    sequence = getattr(numpy.random, 'SeedSequence', ())\n"
    "    distributions = getattr(numpy.random, 'RandomState', ())\n"
    "    legacy = numpy.random.mtrand._rand._bit_generator\n"
    "    def is_by_chance(seeds):\n"
    "        entropy = getattr(seeds, 'entropy', 0)\n"
    "        return isinstance(entropy, int) and entropy >> 64\n"
    "    def has_chance_bits(o):\n"
    "        return o is legacy or is_by_chance(\n"
    "            getattr(o, 'seed_seq', None) or getattr(o, '_seed_seq', None))\n"
    "    def has_chance_state(o):\n"
    "        return has_chance_bits(o._bit_generator)\n"
    "    def state_of(kind):\n"
    "        if kind is not twister:\n"
    "            return kind().state\n"
    "        key = numpy.frombuffer(os.urandom(4 * 624), numpy.uint32)\n"
    "        return {'bit_generator': 'MT19937', 'state': {'key': key, 'pos': 624}}\n"
    "    def renew_bits(bits):\n"
    "        bits.state = state_of(type(bits))\n"
    "        return True\n"
    "    def renew_seeds(seeds):\n"
    "        seeds.__setstate__(sequence(pool_size=seeds.pool_size).__reduce__()[2])\n"
    "        return True\n"
    "    def forget_normal(state):\n"
    "        state.set_state({**state.get_state(legacy=False), 'has_gauss': 0, 'gauss': 0.0})\n"
    "    gc.unfreeze()\n"
    "    kinds = bit_generator, sequence, distributions\n"
    "    found = [o for o in gc.get_objects() if issubclass(type(o), kinds) and o is not legacy]\n"
    "    def choose(kind, condition):\n"
    "        return [o for o in found if issubclass(type(o), kind) and attempt(condition, o)]\n"
    "    again += [(renew_bits, o) for o in (legacy, *choose(bit_generator, has_chance_bits))]\n"
    "    again += [(renew_seeds, o) for o in choose(sequence, is_by_chance)]\n"
    "    for o in choose(distributions, has_chance_state):\n"
    "        attempt(forget_normal, o)\n"
    "    del found\n"
    "again = [work for work in again if attempt(*work)]\n"
    "if failures:\n"
    "    text = '; '.join('%s: %r' % failure for failure in failures.items())\n"
    "    del failures\n"
    "    raise RuntimeError(text)\n";

static int run(const char *code)
{
    PyObject *done = PyRun_String(code, Py_file_input, names, names);

    Py_XDECREF(done);
    return done ? 0 : -1;
}

int randomness_watch(void)
{
    names = PyDict_New();
    if (names && PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins()) == 0 &&
        run(watch) == 0)
        return 0;
    Py_CLEAR(names);
    return -1;
}

int randomness_settle(void)
{
    return names ? run(settle) : 0;
}
