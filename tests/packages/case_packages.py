"""Packages from the index, behind all the walls, in children that share nothing by chance."""
import glob
import json
import os
import subprocess

from environment import Environment
from harness import Pair, case, error_of, result_of
from target import as_user, readable_for_others

PACKAGES = "numpy,pandas,requests,pydantic,dateutil,lxml,PIL,sklearn,faker"

# what each is for, and what must come out of it
USES = {
    "numpy": ("""
import numpy as np
a = np.arange(12, dtype=float).reshape(3, 4)
return [float((a @ a.T).trace()), round(float(np.linalg.det(np.eye(3) * 2)), 6), np.int64(7), a[0]]
""", [506.0, 8.0]),
    "numpy, in threads of its own": ("""
import numpy as np
a = np.ones((700, 700))
first = float((a @ a).sum())
return [first, float((a @ a).sum())]
""", [343000000.0, 343000000.0]),
    "numpy, in the code's threads": ("""
import numpy as np
from concurrent.futures import ThreadPoolExecutor
a = np.ones((300, 300))
with ThreadPoolExecutor(4) as pool:
    return list(pool.map(lambda n: float((a * n @ a).sum()), range(4)))
""", [0.0, 27000000.0, 54000000.0, 81000000.0]),
    "pandas": ("""
import io
import pandas as pd
frame = pd.DataFrame([item["json"] for item in _items])
totals = frame.groupby("name")["n"].sum()
text = pd.read_csv(io.StringIO("a,b\\n1,2\\n3,4")).to_csv(index=False)
return [totals.to_dict(), text, str(pd.Timestamp("2026-03-01") + pd.Timedelta(days=1)),
        pd.to_datetime("2026-03-01").tz_localize("Europe/Berlin").isoformat()]
""", [{"a": 3, "b": 3}, "a,b\n1,2\n3,4\n", "2026-03-02 00:00:00", "2026-03-01T00:00:00+01:00"]),
    "requests": ("""
import requests
prepared = requests.Request("GET", "http://example.invalid/", params={"q": "a b"}).prepare()
try:
    requests.get("http://127.0.0.1:9/", timeout=1)
except Exception as error:
    return [prepared.url, type(error).__name__]
""", ["http://example.invalid/?q=a+b"]),
    "pydantic": ("""
from pydantic import TypeAdapter, ValidationError, create_model
Row = create_model("Row", n=(int, ...), when=(str, "now"))
try:
    Row(n="many")
except ValidationError as error:
    return [Row(n="7").model_dump(), error.error_count(), TypeAdapter(list[int]).validate_json("[1, 2]")]
""", [{"n": 7, "when": "now"}, 1, [1, 2]]),
    "dateutil": ("""
from dateutil import parser, rrule, tz
day = parser.parse("3 Feb 2026 10:00 UTC")
return [day.isoformat(), day.astimezone(tz.gettz("America/New_York")).isoformat(),
        len(list(rrule.rrule(rrule.DAILY, dtstart=day, count=3)))]
""", ["2026-02-03T10:00:00+00:00", "2026-02-03T05:00:00-05:00", 3]),
    "lxml": ("""
from lxml import etree, html
tree = etree.fromstring("<a><b x='1'>t</b></a>")
page = html.fromstring("<p>one<p>two")
return [tree.xpath("string(//b/@x)"), etree.tostring(tree).decode(), [p.text for p in page.iter("p")]]
""", ["1", '<a><b x="1">t</b></a>', ["one", "two"]]),
    "PIL": ("""
import base64, io
from PIL import Image, ImageDraw
image = Image.new("RGB", (40, 30), "white")
ImageDraw.Draw(image).rectangle((5, 5, 9, 9), fill="red")
sizes = []
for kind in ("PNG", "JPEG", "WEBP"):
    out = io.BytesIO()
    image.resize((20, 15)).save(out, kind)
    sizes.append(Image.open(io.BytesIO(out.getvalue())).size)
return [sizes, image.getpixel((6, 6)), base64.b64encode(b"x").decode()]
""", [[[20, 15]] * 3, [255, 0, 0], "eA=="]),
    "sklearn": ("""
from sklearn.linear_model import LinearRegression
from sklearn.ensemble import RandomForestClassifier
from sklearn.cluster import KMeans
x = [[n, n * n] for n in range(20)]
line = LinearRegression().fit(x, [3 * a + 1 for a, _ in x])
forest = RandomForestClassifier(10, random_state=0).fit(x, [n % 2 for n in range(20)])
means = KMeans(2, n_init=2, random_state=0).fit(x)
return [round(float(line.predict([[30, 900]])[0]), 6), len(forest.estimators_), len(set(means.labels_.tolist()))]
""", [91.0, 10, 2]),
}
ITEMS = [{"json": {"name": "a", "n": 1}}, {"json": {"name": "b", "n": 3}}, {"json": {"name": "a", "n": 2}}]


class Packages(Pair):
    """A pair on the environment that has them."""

    def __init__(self, build, prefix=(), **settings):
        settings = {"N8N_RUNNERS_EXTERNAL_ALLOW": PACKAGES,
                    "N8N_RUNNERS_PYTHON_VENV": os.path.join(build, "packages", "venv"),
                    "N8N_RUNNERS_STDLIB_ALLOW": "io,base64,concurrent,random,uuid", **settings}
        settings["N8N_RUNNERS_BUILTINS_DENY"] = "eval,exec,open"
        super().__init__(build, prefix=prefix, **settings)


def uses(pair):
    for name, (code, expected) in USES.items():
        result = result_of(pair.broker.run(code, ITEMS))
        assert result[:len(expected)] == expected, (name, result)


@case
def each_does_what_it_is_for(build):
    with Packages(build) as pair:
        pair.runner.line("Packages for tasks: ")
        uses(pair)
        assert all("of no use without the network" in line for line in pair.runner.err), pair.runner.err


@case
def each_works_with_a_memory_limit_and_a_folder(build):
    with open(os.path.join(build, "flags")) as flags:
        if "-fsanitize=address" in flags.read():
            return  # which can't live with a limit of address space
    with Packages(build, N8N_RUNNERS_TASK_MEMORY_MB="1024", N8N_RUNNERS_TASK_TMP_MB="16") as pair:
        uses(pair)


@case
def each_works_for_an_ordinary_user_in_a_container(build):
    """With Docker's profile, where the gate has fetched it: then there are no namespaces."""
    if not readable_for_others(build):
        print("left out: other users can't read the interpreter", flush=True)
        return
    profile = os.environ.get("DOCKER_PROFILE")
    under = (os.path.join(build, "under-profile"), profile) if profile else ()
    with Packages(build, prefix=(*as_user(), *under)) as pair:
        uses(pair)


@case
def each_works_at_the_same_time(build):
    with Packages(build) as pair:
        ids = [(name, pair.broker.task(code, ITEMS), expected) for name, (code, expected) in USES.items()]
        ends = {}
        while len(ends) < len(ids):
            event = pair.broker.wait("done", "error")
            ends[event["taskId"]] = event
        for name, task, expected in ids:
            assert result_of(ends[task])[:len(expected)] == expected, (name, ends[task])


@case
def no_two_tasks_draw_the_same_numbers(build):
    code = """
import random, uuid
import numpy as np
from faker import Faker
from sklearn.utils import check_random_state
return [random.random(), str(uuid.uuid4()), float(np.random.rand()), float(np.random.default_rng().random()),
        Faker().uuid4(), float(check_random_state(None).rand()), float(np.random.RandomState(1).rand())]
"""
    with Packages(build) as pair:
        columns = list(zip(*[result_of(pair.broker.run(code)) for _ in range(6)]))
        for column in columns[:-1]:
            assert len(set(column)) == 6, column
        assert len(set(columns[-1])) == 1, columns[-1]


@case
def what_a_package_drew_at_its_import_is_not_drawn_on(build):
    dice = """
import numpy as np
np.random.randn()  # draws two, and keeps the second
by_chance = np.random.RandomState()
by_chance.randn()
by_number = np.random.RandomState(1)
by_number.randn()
generator = np.random.default_rng()
others = np.random.Generator(np.random.PCG64DXSM()), np.random.Generator(np.random.SFC64())
sequence = np.random.SeedSequence(pool_size=8)
counted = np.random.default_rng(7)
import gc
gc.freeze()
"""
    code = """
import dice
import numpy as np
def one(generator):
    return float(generator.random())
def words(sequence):
    return str(sequence.generate_state(4))
return [float(np.random.randn()), float(np.random.rand()), float(dice.by_chance.randn()), one(dice.by_chance),
        one(dice.generator), *map(one, dice.others),
        words(dice.sequence), *map(words, dice.sequence.spawn(1) + dice.generator.bit_generator.seed_seq.spawn(1)),
        dice.sequence.pool_size, float(dice.by_number.randn()), one(dice.by_number), one(dice.counted)]
"""
    with Environment(build).add("dice", dice) as environment:
        for path in glob.glob(os.path.join(build, "packages", "venv", "lib", "python3*", "site-packages", "numpy*")):
            os.symlink(path, os.path.join(environment.packages, os.path.basename(path)))
        with Packages(build, N8N_RUNNERS_EXTERNAL_ALLOW="numpy,dice",
                      N8N_RUNNERS_PYTHON_VENV=environment.path) as pair:
            columns = list(zip(*[result_of(pair.broker.run(code)) for _ in range(4)]))
            assert [len(set(column)) for column in columns] == [4] * 10 + [1] * 4, columns
            second_of_seed_1 = -0.6117564136500754
            assert [columns[10][0], columns[11][0]] == [8, second_of_seed_1], columns
            assert pair.runner.err == [], pair.runner.err


@case
def they_are_imported_ahead(build):
    done = subprocess.run([os.path.join(build, "task-runner-python"), "check", "--json"], capture_output=True,
                          env=dict(N8N_RUNNERS_EXTERNAL_ALLOW=PACKAGES,
                                   N8N_RUNNERS_PYTHON_VENV=os.path.join(build, "packages", "venv")))
    report = json.loads(done.stdout)
    found = {p["name"]: (p["works"], p["ahead"]) for p in report["packages"]}
    assert found == {name: (True, True) for name in PACKAGES.split(",")}, (found, done.stderr)


@case
def what_is_not_allowed_stays_out(build):
    with Packages(build, N8N_RUNNERS_EXTERNAL_ALLOW="pandas") as pair:
        assert result_of(pair.broker.run("import pandas as pd\nreturn [len(pd.DataFrame())]")) == [0]
        message = error_of(pair.broker.run("import numpy"))["description"]
        assert "Import of external package 'numpy' is disallowed. Allowed external packages: pandas" in message
