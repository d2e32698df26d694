"""Fails one call after the other, and serves brokers that misbehave: python -I run.py BUILD [WORD], where
BUILD has been made with FAULTS=1; ends in `faults: N passed, N failed`."""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from harness import run_suite  # noqa: E402

sys.exit(run_suite(HERE))
