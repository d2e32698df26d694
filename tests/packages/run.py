"""Runs every case with packages from the index: python -I run.py BUILD [WORD]; ends in `packages: N passed, N failed`."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "sandbox")]

from harness import run_suite  # noqa: E402

sys.exit(run_suite(HERE))
