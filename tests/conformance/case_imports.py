"""What user code may import and touch: the static check's sentences, and the judgement at run time."""
from harness import Pair, case, error_of, result_of

BECAUSE = "because it can be used to bypass security restrictions."
STDLIB = "Import of standard library module '%s' is disallowed. Allowed stdlib modules: %s"

# the code, and each line of the description
SENTENCES = [
    ("import os", ["Line 1: " + STDLIB % ("os", "json, re")]),
    ("import os.path", ["Line 1: " + STDLIB % ("os.path", "json, re")]),
    ("x = 1\nfrom os.path import join", ["Line 2: " + STDLIB % ("os.path", "json, re")]),
    ("import json, os, sys", ["Line 1: " + STDLIB % ("os", "json, re"), "Line 1: " + STDLIB % ("sys", "json, re")]),
    ("import numpy", ["Line 1: Import of external package 'numpy' is disallowed. Allowed external packages: none"]),
    ("from . import a", ["Line 1: Relative imports are disallowed."]),
    ("__import__('os')", ["Line 1: " + STDLIB % ("os", "json, re")]),
    ("n = 'os'\n__import__(n)", ["Line 2: Dynamic __import__() calls are not allowed for security reasons."]),
    ("return __builtins__", ["Line 1: Access to name '__builtins__' is disallowed, " + BECAUSE]),
    ("__name__ = 1", ["Line 1: Access to name '__name__' is disallowed, " + BECAUSE]),
    ("return ().__class__", ["Line 1: Access to attribute '__class__' is disallowed, " + BECAUSE]),
    ("return _items.tb_frame", ["Line 1: Access to attribute 'tb_frame' is disallowed, " + BECAUSE]),
    ("return '__subclasses__'", ["Line 1: String pattern accessing '__subclasses__' is disallowed, " + BECAUSE]),
    ("return '__sub' + 'classes' + '__'",
     ["Line 1: String pattern accessing '__subclasses__' is disallowed, " + BECAUSE]),
    ("return '{0.__class__}'.format(1)", ["Line 1: String pattern accessing '__class__' is disallowed, " + BECAUSE]),
    ("return '{:{0.__class__}}'.format(1)", ["Line 1: String pattern accessing '__class__' is disallowed, " + BECAUSE]),
    ("return x._A__b", ["Line 1: Access to name-mangled attributes (pattern: _ClassName__attr) is disallowed "
                        "for security reasons."]),
    ("match 1:\n    case int(__class__=c):\n        pass",
     ["Line 2: Match pattern extracting attribute '__class__' is disallowed, " + BECAUSE]),
    ("match 1:\n    case int(x):\n        pass",
     ["Line 2: Positional match patterns are disallowed for security reasons."]),
    ("global __loader__", ["Line 1: Global declaration of '__loader__' is disallowed, " + BECAUSE]),
    ("def __spec__(): pass", ["Line 1: Function named '__spec__' is disallowed, " + BECAUSE]),
    ("class __spec__: pass", ["Line 1: Class named '__spec__' is disallowed, " + BECAUSE]),
    ("def f(__globals__): pass", ["Line 1: Parameter named '__globals__' is disallowed, " + BECAUSE]),
    ("f = lambda __globals__: 1", ["Line 1: Parameter named '__globals__' is disallowed, " + BECAUSE]),
    ("import json as __loader__", ["Line 1: Access to name '__loader__' is disallowed, " + BECAUSE]),
    ("from json import __spec__", ["Line 1: Access to attribute '__spec__' is disallowed, " + BECAUSE]),
    ("try: pass\nexcept ValueError as __name__: pass", ["Line 2: Access to name '__name__' is disallowed, " + BECAUSE]),
    ("f = 'x'.format", ["Line 1: Extracting 'format' as a bound method is disallowed; call it directly on its "
                        "receiver instead."]),
]


@case
def the_static_check_says_what_and_where(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="re,json") as pair:
        for code, lines in SENTENCES:
            error = error_of(pair.broker.run(code))
            assert error["message"] == "Security violations detected", (code, error)
            assert error["description"].split("\n") == lines, (code, error)


# the allowed modules, the code, the module that is refused (None: another sentence)
REFUSED = [
    ("json", "import json\nreturn json.codecs.builtins.open", "codecs"),
    ("json", "import json\nx = json.codecs\nreturn x.open('/etc/passwd')", "codecs"),
    ("json", "import json\nreturn [m.codecs for m in [json]][0].open", "codecs"),
    ("json", "import json\nreturn (lambda m: m.codecs)(json)", "codecs"),
    ("json", "import json\nwith json.codecs as c: pass", "codecs"),
    ("json", "import json\nreturn f'{json.codecs}'", "codecs"),
    ("json", "from json import codecs\nreturn codecs.open", "codecs"),
    ("re", "import re\nreturn re.enum", "enum"),
    ("collections", "import collections\nreturn collections._sys", "sys"),
    ("sys", "import sys\nreturn sys.modules['os'].system", None),
    ("sys", "from sys import modules\nreturn modules['os'].system", None),
    ("json,collections", "import json\nfrom collections.abc import Hashable\nmatch json:\n"
                         "    case Hashable(codecs=c):\n        return c.open", "codecs"),
    ("json,collections", "import json\nfrom collections.abc import Hashable\nmatch json:\n"
                         "    case Hashable(codecs=Hashable(open=f)):\n        return str(f)", "codecs"),
    ("importlib", "import importlib\nreturn importlib.import_module('os').system", "os"),
    ("importlib", "import importlib\nf = importlib.import_module\nreturn f('os').system", "os"),
    ("importlib", "from importlib import import_module\nreturn import_module('os').system", "os"),
    ("importlib", "import importlib\nreturn importlib.sys", "sys"),
    ("importlib,functools", "import importlib, functools\n"
                            "return functools.partial(importlib.import_module, 'os')()", "os"),
    ("json", "f = __import__\nn = 'o' + 's'\nreturn f(n)", "os"),
    ("json", "f = __import__\nn = 'o' + 's'\nreturn f(n, fromlist=[])", "os"),
]


@case
def modules_outside_the_lists_are_not_handed_out(build):
    pairs = {}
    try:
        for allowed, code, module in REFUSED:
            if allowed not in pairs:
                pairs[allowed] = Pair(build, N8N_RUNNERS_STDLIB_ALLOW=allowed)
            error = error_of(pairs[allowed].broker.run(code))
            if module:
                names = ", ".join(sorted(allowed.split(",")))
                assert error["message"] == "Security violation detected", (code, error)
                assert error["description"].split("\n")[0] == STDLIB % (module, names), (code, error)
            else:
                assert error["message"] == "'os'", (code, error)
    finally:
        for pair in pairs.values():
            pair.__exit__(None)


# the allowed modules, the code, its result
ALLOWED = [
    ("os", "import os\nreturn [os.path.join('a', 'b'), os.sep]", ["a/b", "/"]),
    ("os", "import os.path as p\nfrom os import path\nfrom os.path import join\nreturn join('a', p.basename('b'))", "a/b"),
    ("datetime", "from datetime import datetime\nreturn datetime.strptime('2024-02-03', '%Y-%m-%d').day", 3),
    ("collections", "from collections.abc import Mapping\nimport collections.abc\n"
                    "return [isinstance({}, Mapping), collections.abc.Mapping is Mapping]", [True, True]),
    ("xml", "import xml.etree.ElementTree as E\nreturn E.fromstring('<a b=\"1\"/>').attrib", {"b": "1"}),
    ("json", "try:\n    import json\n    json.codecs\nexcept ImportError as e:\n    return e.name", "codecs"),
    ("sys", "import sys\nreturn ['os' in sys.modules, 'sys' in sys.modules]", [False, True]),
    ("importlib", "import importlib\nreturn importlib.import_module('importlib').__name__"
     .replace(".__name__", " is importlib"), True),
    ("json", "return __import__('json').dumps([1])", "[1]"),
    ("types", "import types\nx = types.SimpleNamespace(a=1, b=[1])\nx.a += 2\nx.b += [2]\nx.a <<= 2\nreturn [x.a, x.b]",
     [12, [1, 2]]),
    ("types", "import types\nx = types.SimpleNamespace(k=5, p=types.SimpleNamespace(q=6))\nmatch x:\n"
              "    case types.SimpleNamespace(k=5, p=types.SimpleNamespace(q=w) | types.SimpleNamespace(r=w)) if w > 5:\n"
              "        return w\nreturn 0", 6),
    ("types", "import types\nx = types.SimpleNamespace(k=5)\nmatch [5, {5: 1}]:\n    case [x.k, {x.k: v, **rest}]:\n"
              "        return [v, rest]", [1, {}]),
    ("string", "import string\nreturn string.Formatter().format('{0:>4}|{a}', 1, a=[2])", "   1|[2]"),
    ("json", "return ['{:05.1f} {x[k]}'.format(1.25, x={'k': 'v'}), '{a}'.format_map({'a': 1})]", ["001.2 v", "1"]),
    ("json", "def g():\n    x = yield 1\n    yield x\ni = g()\nreturn [next(i), i.send(2)]", [1, 2]),
    ("asyncio", "import asyncio\nasync def f():\n    await asyncio.sleep(0)\n    return 7\nreturn asyncio.run(f())", 7),
    ("decimal,json", "from decimal import Decimal\nreturn Decimal('1.10')", "1.10"),
    ("concurrent", "from concurrent.futures import ThreadPoolExecutor\n"
                   "with ThreadPoolExecutor(2) as e:\n    return list(e.map(abs, [-1, 2]))", [1, 2]),
]


@case
def what_is_allowed_works(build):
    pairs = {}
    try:
        for allowed, code, result in ALLOWED:
            if allowed not in pairs:
                pairs[allowed] = Pair(build, N8N_RUNNERS_STDLIB_ALLOW=allowed)
            event = pairs[allowed].broker.run(code)
            assert event["event"] == "done" and result_of(event) == result, (code, event)
    finally:
        for pair in pairs.values():
            pair.__exit__(None)


@case
def templates_are_checked_when_they_are_used(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="string") as pair:
        for code in ("t = '{0.' + '_' * 2 + 'class' + '_' * 2 + '}'\nreturn t.format(1)",
                     "t = '{a.' + '_' * 2 + 'class' + '_' * 2 + '}'\nreturn t.format_map({'a': 1})",
                     "t = '{0:{0.' + '_' * 2 + 'class' + '_' * 2 + '}}'\nreturn t.format(1)",
                     "t = '{0.' + '_' * 2 + 'class' + '_' * 2 + '}'\nreturn str.format(t, 1)",
                     "import string\nt = '{0.' + '_' * 2 + 'class' + '_' * 2 + '}'\nreturn string.Formatter().format(t, 1)",
                     "import string\nt = '{0.' + '_' * 2 + 'class' + '_' * 2 + '}'\n"
                     "return string.Formatter().vformat(t, [1], {})",
                     "import string\nt = '0.' + '_' * 2 + 'class' + '_' * 2\n"
                     "return string.Formatter().get_field(t, [1], {})"):
            error = error_of(pair.broker.run(code))
            assert error["message"] == "Security violation detected", (code, error)
            assert error["description"].startswith("String pattern accessing '__class__' is disallowed"), (code, error)


@case
def templates_reach_no_module_that_is_not_allowed(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="string,json,sys") as pair:
        for code in ("import json\nreturn '{0.codecs}'.format(json)",
                     "import json\nreturn '{} {.codecs.open}'.format(1, json)",
                     "import json\nreturn '{m.codecs.open}'.format(m=json)",
                     "import json\nreturn '{m[0].codecs}'.format_map({'m': [json]})",
                     "import json\nreturn '{0:{1.codecs}}'.format('', json)",
                     "import json\nreturn str.format('{.codecs}', json)",
                     "import json, string\nreturn string.Formatter().format('{0.codecs}', json)",
                     "import json, string\nreturn string.Formatter().vformat('{a.codecs}', (), {'a': json})",
                     "import json, string\nreturn string.Formatter().vformat(format_string='{a.codecs}', args=(),"
                     " kwargs={'a': json})",
                     "import json, string\nreturn string.Formatter().get_field('0.codecs.open', [json], {})[0]",
                     "import sys\nreturn '{0.modules[os].system}'.format(sys)"):
            error = error_of(pair.broker.run(code))
            assert error["message"] == "Security violation detected", (code, error)
        assert result_of(pair.broker.run(
            "import json\nreturn ['{0.real} {1[a][0]} {x.imag:>{w}}'.format(1, {'a': [2]}, x=3, w=4),"
            " '{0.decoder.JSONDecodeError}'.format(json)]")) == ["1 2    0", "<class 'json.decoder.JSONDecodeError'>"]


@case
def denied_builtins_are_absent(build):
    denied = ("eval,exec,compile,open,input,breakpoint,getattr,object,type,vars,setattr,delattr,hasattr,dir,"
              "memoryview,globals,locals,license,help,credits,copyright")
    with Pair(build) as pair:
        for name in denied.split(","):
            error = error_of(pair.broker.run("return %s" % name))
            assert error["message"] == "name '%s' is not defined" % name, error
        error_of(pair.broker.run("class A: pass"))


@case
def a_denied_import_function_is_absent(build):
    with Pair(build, N8N_RUNNERS_BUILTINS_DENY="__import__", N8N_RUNNERS_STDLIB_ALLOW="json") as pair:
        for code in ("import json", "return __import__('json')", "f = __import__\nreturn f('json')"):
            error_of(pair.broker.run(code))


@case
def an_empty_deny_list_gives_all_builtins(build):
    with Pair(build, N8N_RUNNERS_BUILTINS_DENY="", N8N_RUNNERS_STDLIB_ALLOW="json") as pair:
        assert result_of(pair.broker.run(
            "class A:\n    def __init__(self, n):\n        self.n = n\n    def more(self):\n        self.n += 1\n"
            "        return self.n\nreturn [A(1).more(), getattr('a', 'upper')(), type(1) is int, eval(' 1 + 1'),"
            " hasattr(1, 'real')]")) == [2, "A", True, 2, True]
        for code in ("import json\nreturn getattr(json, 'codecs')", "import json\nreturn eval('json.codecs')",
                     "import json\nd = {'json': json}\nexec('x = json.codecs', d)\nreturn d['x']",
                     "import json\nreturn eval(compile('json.codecs', 'f', 'eval'))",
                     "import json\nreturn vars(json)['codecs'].open", "d = {}\nexec('from json import *', d)\n"
                     "exec('import os', d)\nreturn d['os']"):
            error_of(pair.broker.run(code))


@case
def with_everything_allowed_nothing_is_checked(build):
    with Pair(build, N8N_RUNNERS_STDLIB_ALLOW="*", N8N_RUNNERS_EXTERNAL_ALLOW="*") as pair:
        assert result_of(pair.broker.run("import json\nreturn json.codecs.__name__ + str(().__class__)")) == \
            "codecs<class 'tuple'>"
