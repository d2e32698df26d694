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
 * pages.
 */
static const char settle[] =
    "import os, sys\n"
    "random.Random.seed = seed\n"
    "generators = [g for g in by_chance.values() if type(g) is not random.SystemRandom]\n"
    "numpy = sys.modules.get('numpy')\n"
    "bits = []\n"
    "if numpy and 'numpy.random' in sys.modules:\n"
    "    import gc\n"
    "    kind = numpy.random.BitGenerator\n"
    "    twister = getattr(numpy.random, 'MT19937', None)\n"
    "    legacy = numpy.random.mtrand._rand._bit_generator\n"
    "    def is_by_chance(found):\n"
    "        seeds = getattr(found, 'seed_seq', None) or getattr(found, '_seed_seq', None)\n"
    "        entropy = getattr(seeds, 'entropy', 0)\n"
    "        return found is legacy or isinstance(entropy, int) and entropy >> 64\n"
    "    bits = [o for o in gc.get_objects() if issubclass(type(o), kind) and is_by_chance(o)]\n"
    "    if all(o is not legacy for o in bits):\n"
    "        bits.append(legacy)\n"
    "def state_of(kind):\n"
    "    if kind is not twister:\n"
    "        return kind().state\n"
    "    key = numpy.frombuffer(os.urandom(4 * 624), numpy.uint32)\n"
    "    return {'bit_generator': 'MT19937', 'state': {'key': key, 'pos': 624}}\n"
    "def anew():\n"
    "    for generator in generators:\n"
    "        seed(generator)\n"
    "    for generator in bits:\n"
    "        generator.state = state_of(type(generator))\n"
    "if generators or bits:\n"
    "    os.register_at_fork(after_in_child=anew)\n";

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
