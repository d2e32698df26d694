"""Builds the images and runs them, without a daemon: python -I run.py BUILD [WORD]

Needs root, buildah and debootstrap. SUITE=bookworm builds them on that Debian instead of trixie. Ends in
`images: N passed, N failed`.
"""
import ctypes
import fcntl
import os
import socket
import struct
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

import case_image  # noqa: E402
import case_overlay  # noqa: E402
import case_readme  # noqa: E402
from harness import kill_leftovers  # noqa: E402
from image import Image, prepare, tidy  # noqa: E402

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def own_network():
    """A network of this process's own, with nothing but itself in it: the images use fixed ports."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        sys.exit("images: a network namespace is needed: %s" % os.strerror(ctypes.get_errno()))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))


class Count:
    passed, failed = 0, 0


def run_case(name, function, *arguments):
    began = time.monotonic()
    try:
        function(*arguments)
        Count.passed += 1
        print("ok      %-70s %6.2f s" % (name, time.monotonic() - began), flush=True)
    except Exception:
        Count.failed += 1
        print("FAILED  %s\n%s" % (name, traceback.format_exc()), flush=True)
    finally:
        kill_leftovers()


def run_cases(module, word, *arguments):
    for function in list(vars(module).values()):
        name = module.__name__[5:] + "." + getattr(function, "__name__", "")
        if getattr(function, "is_case", False) and word in name:
            run_case(name, function, *arguments)


def built(name, suite, target=None):
    print("images: building the %s on %s" % (name, suite), flush=True)
    image = Image(name, suite, target)
    print("images: built in %.0f s; it has %d MB" % (image.seconds, image.megabytes()), flush=True)
    return image


def main():
    build, word = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    suite = os.environ.get("SUITE") or "trixie"
    run_cases(case_readme, word)
    if os.geteuid() != 0:
        sys.exit("images: building them takes root")
    try:
        prepare(suite)
        overlay, image = built("overlay", suite, target="overlay"), built("image", suite)
        own_network()
        run_cases(case_overlay, word, overlay, build)
        run_cases(case_image, word, image, build)
    except Exception:
        Count.failed += 1
        traceback.print_exc()
    finally:
        tidy()
    print("images: %d passed, %d failed" % (Count.passed, Count.failed))
    return 1 if Count.failed or not Count.passed else 0


sys.exit(main())
