"""What is ordered to fail, and who may be asked to: the other side of shim.h's page."""
import errno
import mmap
import os
import struct
import subprocess

KINDS = ("host", "zygote", "child")
SCOPES = ("ours", "theirs")  # our own code's calls; those of the libraries that it uses
CALLS = ("allocation", "mmap", "fork", "pipe", "memfd_create", "read", "write")
SHORT = -1

ORDER = struct.Struct("<4iQ")  # kind, scope, call, how, number
FIRED, CLOCK, FRAMES, COUNTS = 24, 32, 40, 40 + 16 * 8
SIZE = COUNTS + 8 * len(KINDS) * len(SCOPES) * len(CALLS)

HOW = {"allocation": errno.ENOMEM, "mmap": errno.ENOMEM, "fork": errno.EAGAIN, "pipe": errno.EMFILE,
       "memfd_create": errno.EMFILE, "read": errno.EIO, "write": errno.ENOSPC}


class Lane:
    """A folder of its own with the programs under test and the page they share with us: what runs in one
    lane is not disturbed by what runs in another."""

    def __init__(self, build, name):
        self.build = build
        self.folder = os.path.join(build, "lane-" + name)
        os.makedirs(self.folder, exist_ok=True)
        for program in ("task-runner-python", "task-runner-zygote", "demo-broker"):
            place = os.path.join(self.folder, program)
            if os.path.exists(place):
                os.unlink(place)
            os.link(os.path.join(build, program), place)
        venv = os.path.join(self.folder, "venv")
        if not os.path.islink(venv):
            os.symlink(os.path.join("..", "venv"), venv)
        path = os.path.join(self.folder, "faults.control")
        with open(path, "wb") as file:
            file.write(bytes(SIZE))
        with open(path, "r+b") as file:
            self.page = mmap.mmap(file.fileno(), SIZE)

    def disarm(self):
        ORDER.pack_into(self.page, 0, 0, 0, 0, 0, 0)

    def reset(self):
        self.disarm()
        self.page[FIRED:FIRED + 8] = bytes(8)
        self.page[COUNTS:SIZE] = bytes(SIZE - COUNTS)

    def arm(self, kind, scope, call, how, number):
        """From now on, as counted from here, call `number` fails; 0: all of them."""
        self.reset()
        ORDER.pack_into(self.page, 0, KINDS.index(kind), SCOPES.index(scope), CALLS.index(call), 0, number)
        struct.pack_into("<i", self.page, 12, how)  # last: it is what counts

    @property
    def fired(self):
        return struct.unpack_from("<Q", self.page, FIRED)[0]

    def set_clock(self, seconds):
        struct.pack_into("<q", self.page, CLOCK, seconds)

    def count(self, kind, scope, call):
        index = (KINDS.index(kind) * len(SCOPES) + SCOPES.index(scope)) * len(CALLS) + CALLS.index(call)
        return struct.unpack_from("<Q", self.page, COUNTS + 8 * index)[0]

    def counts(self):
        return {(kind, scope, call): self.count(kind, scope, call)
                for kind in KINDS for scope in SCOPES for call in CALLS}

    def where(self, kind):
        """The functions that led to the last call that failed, innermost first."""
        program = "task-runner-python" if kind == "host" else "task-runner-zygote"
        frames = [frame for frame in struct.unpack_from("<16Q", self.page, FRAMES) if frame]
        found = subprocess.run(["addr2line", "-fse", os.path.join(self.folder, program),
                                *("%x" % (frame - 1) for frame in frames)],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.split("\n")
        return " < ".join("%s (%s)" % (name, place) for name, place in zip(found[::2], found[1::2])
                          if name != "??") or "?"
