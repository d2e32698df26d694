"""Owns the flame graph: stacks, counted into a tree, and the tree drawn with its root at the bottom.

A frame is as wide as the part of the samples that it is in; what it called stands on it. A frame is
(function, library); a stack is a list of them, outermost first.
"""
import zlib

from svg import FAINT, Drawing

WIDTH, MARGIN, ROW, HEAD, FOOT = 1400, 12, 17, 74, 12
LETTER = 6.4  # a letter's width, about, at the size that frames are written in
LEAST = 1.0   # a frame narrower than that is not drawn, nor what stands on it

# what a frame is of, as the legend says it, and its hue, saturation and lightness
KINDS = {
    "ours": ("this runner", (128, 45, 72)),
    "python": ("libpython", (212, 62, 77)),
    "libc": ("C library", (46, 78, 74)),
    "kernel": ("kernel", (12, 74, 76)),
    "other": ("other libraries", (275, 38, 81)),
    "process": ("a process", (210, 10, 85)),
}


class Node:
    def __init__(self):
        self.count, self.below = 0, {}


def kind_of(library):
    for word, kind in (("task-runner-", "ours"), ("python", "python"), ("kernel", "kernel"), ("libc.", "libc"),
                       ("ld-", "libc"), ("musl", "libc"), ("vdso", "libc"), ("process", "process")):
        if library.startswith(word) or word in ("python", "musl") and word in library:
            return kind
    return "other"


def tree(counted):
    """From {stack: how often}."""
    root = Node()
    for stack, count in counted.items():
        node = root
        node.count += count
        for frame in stack:
            node = node.below.setdefault(frame, Node())
            node.count += count
    return root


def depth(node, scale):
    return 1 + max((depth(below, scale) for below in node.below.values() if below.count * scale >= LEAST), default=0)


def colour(frame):
    """One of its kind's, and always the same for a function, so that it is found again."""
    hue, saturation, lightness = KINDS[kind_of(frame[1])][1]
    spread = zlib.crc32(frame[0].encode())
    return "hsl(%d, %d%%, %d%%)" % (hue + spread % 13 - 6, saturation, lightness + spread // 13 % 9 - 4)


def shown(name, width):
    fits = int((width - 6) / LETTER)
    if fits >= len(name):
        return name
    return name[:fits - 1] + "…" if fits > 3 else ""


def draw_frame(drawing, frame, node, x, y, width, total):
    name, library = frame
    drawing.rect(x, y, width, ROW - 1, colour(frame), rx=2, hover="%s (%s): %d samples, %.2f%%" % (
        name, library, node.count, 100 * node.count / total))
    if shown(name, width):
        drawing.text(x + 3, y + 12, shown(name, width), size=11, pointer_events="none")


def draw_above(drawing, node, x, y, scale, total):
    """What a node called, by name, so that two profiles can be compared by eye; processes as they came."""
    for frame, below in sorted(node.below.items(), key=lambda each: () if each[0][1] == "process" else each[0]):
        width = below.count * scale
        if width >= LEAST:
            draw_frame(drawing, frame, below, x, y, width - 0.3, total)
            draw_above(drawing, below, x, y - ROW, scale, total)
        x += width


def write(path, counted, title, caption):
    root = tree(counted)
    scale = (WIDTH - 2 * MARGIN) / root.count
    height = HEAD + ROW * (depth(root, scale) - 1) + FOOT
    drawing = Drawing(WIDTH, height, title)
    drawing.text(MARGIN, 27, title, size=17, font_weight=600)
    drawing.text(MARGIN, 46, caption, fill=FAINT)
    x = MARGIN
    for kind, (what, _) in KINDS.items():
        drawing.rect(x, 54, 11, 11, "hsl(%d, %d%%, %d%%)" % KINDS[kind][1], rx=2)
        drawing.text(x + 16, 64, what, size=11, fill=FAINT)
        x += 32 + LETTER * len(what)
    draw_above(drawing, root, MARGIN, height - FOOT - ROW, scale, root.count)
    drawing.write(path)
