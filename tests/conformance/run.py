"""Runs every conformance case: python -I run.py BUILD [PATTERN]; ends in `conformance: N passed, N failed`."""
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from harness import cases_of, kill_leftovers  # noqa: E402


def main():
    build, pattern = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    passed, failed = 0, []
    for name, function in cases_of(HERE):
        if pattern not in name:
            continue
        began = time.monotonic()
        try:
            function(build)
            passed += 1
            print("ok      %-70s %6.2f s" % (name, time.monotonic() - began), flush=True)
        except Exception:
            failed.append(name)
            print("FAILED  %s\n%s" % (name, traceback.format_exc()), flush=True)
        finally:
            kill_leftovers()
    if failed:
        print("failed: %s" % ", ".join(failed))
    print("conformance: %d passed, %d failed" % (passed, len(failed)))
    return 1 if failed or not passed else 0


sys.exit(main())
