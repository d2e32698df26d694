"""Draws how cost grows: python -I plot.py FIGURES.json DRAWING.svg

Six plots, all axes logarithmic: above time or throughput, below memory; against payload, items, slots.
What is known of n8n's own Python runner is drawn where it says something.
"""
import json
import math
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from svg import FAINT, INK, Drawing  # noqa: E402

# n8n's Python runner, as it was measured on a 2-core machine: from the least to the most, and what lies between.
N8N_TRIVIAL_MS = (170, 190, 207)   # a trivial task, settings to result
N8N_MB_PER_SECOND = (2.5, 2, 1.6)  # items in and out
N8N_PER_SECOND = (5, 10)           # with so many slots, so many tasks
N8N_REST_MB = (32, 41)             # memory of all its processes at rest

WIDTH, HEIGHT = 1190, 684
PANEL_WIDTH, PANEL_HEIGHT = 280, 200
LEFTS, TOPS = (66, 456, 846), (128, 424)
OURS, THEIRS, GRID = "#1668b8", "#cf5b16", "#e4e8ec"


def si(value, units, base=1.0):
    """`value` with the unit that suits: units are (text, size) from small to large."""
    text, size = next(((text, size) for text, size in reversed(units) if value >= size * base), units[0])
    return "%.3g%s" % (value / size, text)


def bytes_text(value):
    return si(value, [(" B", 1), (" KB", 1e3), (" MB", 1e6), (" GB", 1e9)])


def count_text(value):
    return "{:,.0f}".format(value)


def time_text(milliseconds):
    return si(milliseconds, [(" ms", 1), (" s", 1e3)])


def memory_text(megabytes):
    return si(megabytes, [(" MB", 1), (" GB", 1e3)])


def short(text):
    """A figure beside a line needs no third digit: it is one machine's."""
    number, unit, rest = text.partition(" ")
    return "%.2g" % float(number) + unit + rest if "." in number else text


class Axis:
    """A logarithmic axis from `least` to `most`, on the drawing from `start` to `end`."""

    def __init__(self, least, most, start, end, text, ticks=None):
        self.ticks = ticks or self.decades(least, most)
        self.least, self.most = min(least, self.ticks[0]), max(most, self.ticks[-1])
        self.start, self.end, self.text = start, end, text

    @staticmethod
    def decades(least, most):
        """Those within the range, or almost: the axis is made to reach them."""
        powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
        steps = (1, 2, 5) if math.log10(most / least) < 1.8 else (1,)
        return [tick for tick in (step * 10.0 ** power for power in powers for step in steps)
                if least * 0.8 <= tick <= most * 1.25]

    def at(self, value):
        part = math.log(value / self.least) / math.log(self.most / self.least)
        return self.start + part * (self.end - self.start)


class Panel:
    def __init__(self, drawing, column, row, x, y, title, what):
        """`x` and `y` are an axis's least, most and text, and its ticks where they are not decades."""
        self.drawing = drawing
        self.left, self.top = LEFTS[column], TOPS[row]
        self.bottom, self.right = self.top + PANEL_HEIGHT, self.left + PANEL_WIDTH
        self.x = Axis(x[0], x[1], self.left, self.right, *x[2:])
        self.y = Axis(y[0], y[1], self.bottom, self.top, *y[2:])
        drawing.text(self.left, self.top - 14, title, size=13.5, font_weight=600)
        self.frame(what)

    def frame(self, what):
        for tick in self.y.ticks:
            at = self.y.at(tick)
            self.drawing.line(self.left, at, self.right, at, GRID)
            self.drawing.text(self.left - 8, at + 4, self.y.text(tick), size=11, fill=FAINT, text_anchor="end")
        for tick in self.x.ticks:
            at = self.x.at(tick)
            self.drawing.line(at, self.top, at, self.bottom, GRID)
            self.drawing.text(at, self.bottom + 17, self.x.text(tick), size=11, fill=FAINT, text_anchor="middle")
        self.drawing.line(self.left, self.bottom, self.right, self.bottom, "#9aa5b1")
        self.drawing.line(self.left, self.top, self.left, self.bottom, "#9aa5b1")
        self.drawing.text((self.left + self.right) / 2, self.bottom + 36, what, size=12, fill=INK, text_anchor="middle")

    def spots(self, points):
        return [(self.x.at(x), self.y.at(y)) for x, y in points]

    def ours(self, points):
        spots = self.spots(points)
        self.drawing.path(spots, OURS, stroke_width=2.2, stroke_linejoin="round")
        for (x, y), (left, top) in zip(points, spots):
            self.drawing.dot(left, top, 3.2, OURS, hover="%s: %s" % (self.x.text(x), self.y.text(y)))
        (left, top), (last_left, last_top) = spots[0], spots[-1]
        self.label(left + 2, top + 20 if top < self.top + 22 else top - 10, short(self.y.text(points[0][1])), OURS)
        self.label(last_left + 8, last_top + 4, short(self.y.text(points[-1][1])), OURS)

    def label(self, left, top, text, fill, anchor="start"):
        """With a white edge, so that it can be read on a line."""
        self.drawing.text(left, top, text, size=11.5, fill=fill, font_weight=600, text_anchor=anchor,
                          stroke="#ffffff", stroke_width=3, paint_order="stroke", stroke_linejoin="round")

    def theirs(self, points_of):
        """Their line, within what is between their least and their most."""
        least, middle, most = (self.spots(points_of(which)) for which in range(3))
        self.drawing.add("polygon", points=" ".join("%.1f,%.1f" % spot for spot in [*least, *reversed(most)]),
                         fill=THEIRS, fill_opacity=0.13)
        self.drawing.path(middle, THEIRS, stroke_width=1.8, stroke_dasharray="6 4")

    def band(self, least, most):
        top, bottom = self.y.at(most), self.y.at(least)
        self.drawing.rect(self.left, top, PANEL_WIDTH, bottom - top, THEIRS, fill_opacity=0.18)
        self.label(self.left + 6, top - 5, "n8n’s, at rest: %d–%d MB" % (least, most), THEIRS)


def reach(values):
    """From the half decade below the least to the one above the most."""
    steps = [math.log10(value) * 2 for value in values]
    return 10 ** ((math.floor(min(steps) - 0.15)) / 2), 10 ** (math.ceil(max(steps) + 0.15) / 2)


def n8n_ms(which, size):
    return N8N_TRIVIAL_MS[which] + size / N8N_MB_PER_SECOND[which] / 1e3


def draw_tasks(drawing, column, points, key, text, named):
    """Time and memory of tasks that give back what they get, against what `key` counts."""
    title, what = named
    across = (points[0][key], points[-1][key], text)
    times = [point["ms"] for point in points] + [n8n_ms(which, point["bytes"]) for point in points for which in (0, 2)]
    panel = Panel(drawing, column, 0, across, (*reach(times), time_text), "Time of a task, by " + title, what)
    panel.theirs(lambda which: [(point[key], n8n_ms(which, point["bytes"])) for point in points])
    panel.ours([(point[key], point["ms"]) for point in points])
    memory = [(point[key], point["mb"]) for point in points]
    panel = Panel(drawing, column, 1, across, (*reach([*N8N_REST_MB, *(mb for _, mb in memory)]), memory_text),
                  "Most memory, by " + title, what)
    panel.band(*N8N_REST_MB)
    panel.ours(memory)


def draw_slots(drawing, column, points):
    slots = [point["slots"] for point in points]
    across = (slots[0], slots[-1], count_text, slots)
    what = "slots, all of them busy with small tasks"
    rates = [(point["slots"], point["perSecond"]) for point in points]
    panel = Panel(drawing, column, 0, across, (*reach([N8N_PER_SECOND[1], *(rate for _, rate in rates)]), count_text),
                  "Tasks a second, by slots", what)
    (left, top), = panel.spots([N8N_PER_SECOND])
    drawing.dot(left, top, 4.5, THEIRS, hover="n8n’s Python runner: %d a second with %d slots" % (
        N8N_PER_SECOND[1], N8N_PER_SECOND[0]))
    panel.label(left + 10, top + 4, "n8n’s, %d slots: %d" % N8N_PER_SECOND, THEIRS)
    panel.ours(rates)
    memory = [(point["slots"], point["mb"]) for point in points]
    panel = Panel(drawing, column, 1, across, (*reach([*N8N_REST_MB, *(mb for _, mb in memory)]), memory_text),
                  "Most memory, by slots", what)
    panel.band(*N8N_REST_MB)
    panel.ours(memory)


def draw_head(drawing, found):
    drawing.text(20, 34, "How cost grows", size=20, font_weight=600)
    drawing.text(20, 56, "%s; CPython %s, every wall up. Medians; memory is the most PSS of all processes. "
                 "Logarithmic axes." % (found["machine"], found["python"]), size=12, fill=FAINT)
    drawing.line(20, 76, 46, 76, OURS, stroke_width=2.2)
    drawing.dot(33, 76, 3.2, OURS)
    drawing.text(54, 80, "this runner", size=12)
    drawing.rect(146, 70, 26, 12, THEIRS, fill_opacity=0.15)
    drawing.line(146, 76, 172, 76, THEIRS, stroke_width=1.8, stroke_dasharray="6 4")
    drawing.text(180, 80, "n8n’s Python runner, derived: %d ms + size / (%g MB/s), with the spread of what was "
                 "measured on a 2-core machine" % (N8N_TRIVIAL_MS[1], N8N_MB_PER_SECOND[1]), size=12)


def main():
    with open(sys.argv[1]) as file:
        found = json.load(file)
    drawing = Drawing(WIDTH, HEIGHT, "How the cost of tasks grows with payload, items and slots")
    draw_head(drawing, found)
    draw_tasks(drawing, 0, found["payload"], "bytes", bytes_text, ("payload", "items in, and the same out"))
    draw_tasks(drawing, 1, found["items"], "items", count_text, ("items", "items of some 20 bytes, in and out"))
    draw_slots(drawing, 2, found["slots"])
    drawing.write(sys.argv[2])
    return 0


if __name__ == "__main__":
    sys.exit(main())
