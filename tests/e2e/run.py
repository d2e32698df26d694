"""Runs the real runner under a real n8n: python -I run.py BUILD N8N [WORD]; ends in `n8n: N passed, N failed`.

N8N is the folder that get-n8n prints. Where the system allows it, all of it happens in a network
namespace that has nothing but loopback.
"""
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from harness import cases_of, kill_leftovers  # noqa: E402
from place import Place  # noqa: E402

ALONE = "N8N_TEST_ALONE"  # set inside the network namespace
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def leave_the_network():
    """Starts this program again where there is only loopback, if that can be had."""
    if os.environ.get(ALONE):
        with socket.socket() as any_socket:
            request = struct.pack("16sh22x", b"lo", 0)
            flags = struct.unpack("16sh22x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
            fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh22x", b"lo", flags | IFF_UP))
        return
    unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--net", "--map-root-user"]
    try:
        can = subprocess.run([*unshare, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        can = False
    if can:
        os.environ[ALONE] = "1"
        os.execvp(unshare[0], [*unshare, sys.executable, "-I", *sys.argv])
    print("(no network namespace can be made here: n8n is only told to keep to itself)", flush=True)


def main():
    leave_the_network()
    build, home = os.path.abspath(sys.argv[1]), sys.argv[2]
    pattern = sys.argv[3] if len(sys.argv) > 3 else ""
    place = Place(build, home)
    passed, failed = 0, []
    try:
        for name, function in cases_of(HERE):
            if pattern not in name:
                continue
            began = time.monotonic()
            try:
                function(place)
                passed += 1
                print("ok      %-70s %6.2f s" % (name, time.monotonic() - began), flush=True)
            except Exception:
                failed.append(name)
                print("FAILED  %-70s %6.2f s\n%s\n%s" % (name, time.monotonic() - began, traceback.format_exc(),
                                                       place.story()), flush=True)
                place.reset()
    finally:
        place.clear()
        kill_leftovers()
    if failed:
        print("failed: %s" % ", ".join(failed))
    print("n8n: %d passed, %d failed" % (passed, len(failed)))
    return 1 if failed or not passed else 0


sys.exit(main())
