"""Runs every conformance case: python -I run.py BUILD [WORD]; ends in `conformance: N passed, N failed`."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from harness import run_suite  # noqa: E402

sys.exit(run_suite(HERE))
