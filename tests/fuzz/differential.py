"""Generated documents through our JSON code and Python's: differential.py [COUNT] [SEED]

Each document is made from the seed alone. A text, as it is or spoilt, is taken by the host's check, our
reader and json.loads, or by none of them, and is the same value to both readers. A value, with all that
Python can put into one, is written as json.dumps writes it, but for what JSON does not have: NaN and the
infinities become null, a lone surrogate its escape. print shows what json.dumps shows.
"""
import json
import math
import random
import re
import sys
import time

import ours  # the embedding program's: tests/fuzz/zygote/differential.c

SURROGATES = re.compile("[\ud800-\udfff]")
ALPHABETS = ("abcdefgh", "aZ09 _-/", "\"\\\b\f\n\r\t\x00\x1f\x7f", "äß\u20ac\u2028\uffff", "\U0001f600\U0010ffff\U00010000",
             "\ud800\udbff\udc00\udfff")
KEYS = ("json", "binary", "id", "a", "b", "name", "pairedItem", "")
BLANKS = (" ", "\n", "\t", "\r", "  ", "\r\n  ")
SPOILS = (b"", b",", b":", b'"', b"\\", b"[", b"]", b"{", b"}", b"0", b"-", b".", b"e", b"+", b"\x00", b"\x1f",
          b"\x80", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\xc3", b"\\u", b"\\ud800",
          b"\\udc00", b"NaN", b"-Infinity", b"nul", b"true", b" ", b"\x0b", b"\xc2\xa0", b"'", b"//", b"1_0", b"0x1")


class Maker:
    """Values and texts, drawn from one generator of random numbers."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def string(self):
        chance = self.chance
        if chance.random() < 0.3:
            return chance.choice(KEYS)
        length = chance.choice((1, 2, 3, 7, 8, 9, 15, 16, 17, 40, 70))
        letters = ALPHABETS[0] if chance.random() < 0.5 else "".join(chance.sample(ALPHABETS, 2))
        return "".join(chance.choices(letters, k=length))

    def number(self):
        chance = self.chance
        kind = chance.randrange(6)
        if kind == 0:
            return chance.randrange(-1000, 1000)
        if kind == 1:
            return chance.choice((-1, 1)) * (1 << chance.choice((31, 53, 62, 63, 64, 100))) + chance.randrange(-2, 3)
        if kind == 2:
            return chance.choice((-1, 1)) * 10 ** chance.choice((16, 17, 18, 19, 20, 62, 63, 64, 500, 5000))
        if kind == 3:
            return chance.choice((0.0, -0.0, 0.1, 1e16, 1e-7, 5e-324, 1.7976931348623157e308, 123456789.125))
        if kind == 4:
            return math.ldexp(chance.uniform(-1, 1), chance.randrange(-1070, 1024))
        return chance.uniform(-1e6, 1e6)

    def scalar(self):
        draw = self.chance.random()
        if draw < 0.5:
            return self.string()
        return self.number() if draw < 0.8 else self.chance.choice((None, True, False))

    def value(self, room, scalar, key):
        """A value of about `room` parts, of what `scalar` and `key` make."""
        chance = self.chance
        if room <= 1 or chance.random() < 0.1:
            return scalar()
        if chance.random() < 0.03:
            return self.nested(scalar, key)
        count = chance.randrange(min(room, 6) + 1)
        if chance.random() < 0.5:
            return [self.value(room // 2, scalar, key) for _ in range(count)]
        return {key(): self.value(room // 2, scalar, key) for _ in range(count)}

    def nested(self, scalar, key):
        value = scalar()
        for _ in range(self.chance.randrange(60)):
            value = [value] if self.chance.random() < 0.5 else {key(): value}
        return value

    def literal(self, text):
        """One of the many ways to write a string."""
        chance = self.chance
        draw = chance.random()
        if draw < 0.6:
            return escape_surrogates(json.dumps(text, ensure_ascii=False))
        if draw < 0.8:
            return json.dumps(text).replace("/", "\\/")
        return '"%s"' % "".join(
            "".join(chance.choice(("\\u%04x", "\\u%04X")) % unit for unit in units(letter))
            if letter in '"\\' or not " " <= letter <= "~" or chance.random() < 0.2 else letter for letter in text)

    def blank(self):
        return self.chance.choice(BLANKS) if self.chance.random() < 0.1 else ""

    def text(self, value):
        """One of the many ways to write a value."""
        if isinstance(value, str):
            body = self.literal(value)
        elif isinstance(value, list):
            body = "[%s%s]" % (self.blank(), ",".join(map(self.text, value)))
        elif isinstance(value, dict):
            members = ["%s%s%s:%s" % (self.blank(), self.literal(key), self.blank(), self.text(member))
                       for key, member in value.items()]
            if members and self.chance.random() < 0.1:
                members.append(self.chance.choice(members))
            body = "{%s%s}" % (self.blank(), ",".join(members))
        elif isinstance(value, float):
            body = self.float_text(value)
        else:
            body = json.dumps(value)
        return self.blank() + body + self.blank()

    def float_text(self, value):
        form = self.chance.choice(("%r", "%.3e", "%.20E", "%.17g", "%.30f", "%r"))
        text = form % value
        if re.fullmatch(r"-?\d+\.\d+", text) and self.chance.random() < 0.2:
            text += self.chance.choice(("e0", "E+5", "e-3", "e999", "E-999"))
        return text

    def spoil(self, text):
        """The same, but for a few bytes."""
        chance = self.chance
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            at = chance.randrange(len(text) + 1)
            cut = chance.choice((0, 0, 1, 1, 2, len(text)))
            text = text[:at] + chance.choice(SPOILS) + text[at + cut:]
        return text

    # what a task may return beside what JSON has

    def any_scalar(self):
        draw = self.chance.random()
        if draw < 0.85:
            return self.scalar()
        if draw < 0.9:
            return self.chance.choice((math.inf, -math.inf, math.nan))
        return self.chance.choice((b"x\xff\"", 1j, (), {1}, range(3), Ellipsis, (1, ("a", [2.5]))))

    def any_key(self):
        if self.chance.random() < 0.6:
            return self.string()
        return self.chance.choice((0, -7, 1 << 70, 1.5, -0.0, True, False, None, math.inf, -math.inf, math.nan))


def units(letter):
    code = ord(letter)
    return (code,) if code < 0x10000 else (0xd800 + (code - 0x10000 >> 10), 0xdc00 + (code & 0x3ff))


def escape_surrogates(text):
    return SURROGATES.sub(lambda found: "\\u%04x" % ord(found[0]), text)


def refuse(name):
    raise ValueError(name)


def their_loads(text):
    """json.loads of UTF-8, without NaN and Infinity: a value in a tuple, or None."""
    try:
        return (json.loads(text.decode("utf-8", "strict"), parse_constant=refuse),)
    except ValueError:
        return None


def our_read(text):
    try:
        return (ours.read(text),)
    except ValueError:
        return None


def without_infinities(value):
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: without_infinities(member) for key, member in value.items()}
    return [without_infinities(member) for member in value] if isinstance(value, (list, tuple)) else value


def must(holds, what, document):
    if not holds:
        print("differential: %s:\n%r" % (what, document), file=sys.stderr)
        sys.exit(1)


def compare_text(text):
    """True when it is JSON."""
    theirs, read = their_loads(text), our_read(text)
    must(ours.check(text) == (theirs is not None), "the host's check does not agree with json.loads", text)
    must((read is not None) == (theirs is not None), "json_read does not agree with json.loads", text)
    # repr tells 1 from 1.0 from True, 0.0 from -0.0, and keys in another order
    must(repr(read) == repr(theirs), "json_read and json.loads make different values", text)
    return theirs is not None


def compare_value(value):
    plain = json.dumps(without_infinities(value), ensure_ascii=False, separators=(",", ":"), default=str)
    written = ours.write(value)
    must(written == escape_surrogates(plain).encode(), "json_write and json.dumps differ", value)
    must(ours.check(written), "the host refuses what is written", written)
    compare_text(written)
    if isinstance(value, (list, dict)):
        shown = escape_surrogates(json.dumps(value, ensure_ascii=False, default=str))
        must(ours.read(ours.show(value)) == shown, "print shows something else than json.dumps", value)


def compare_depths():
    """Python's own limits differ from one version to the next; these are ours."""
    for depth in (1, 999, 1000, 1001, 9999, 10000, 10001):
        text = b"[" * depth + b"]" * depth
        read, written = our_read(text), None
        must(ours.check(text) == (read is not None) == (depth <= 10000), "depth has no limit, or another", depth)
        try:
            written = ours.write(read[0]) if read else None
        except ValueError:
            pass
        must(written == (text if depth <= 1000 else None), "depth has no limit, or another, when it is written", depth)


def main(count=100000, seed=1):
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    started, valid = time.monotonic(), 0
    compare_depths()
    for number in range(count):
        maker = Maker(seed * 1000003 + number)
        room = maker.chance.choice((1, 2, 2, 4, 4, 8, 8))
        if number % 4 == 3:
            compare_value(maker.value(room, maker.any_scalar, maker.any_key))
            valid += 1
            continue
        text = maker.text(maker.value(room, maker.scalar, maker.string)).encode()
        valid += compare_text(maker.spoil(text) if number % 4 == 2 else text)
    print("differential: %d documents (%d of them no JSON) are the same to our code and to Python's json, in %.1f s" % (
        count, count - valid, time.monotonic() - started))


main(*map(int, sys.argv[1:]))
