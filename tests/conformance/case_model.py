"""A few seconds of a random broker, and what the reference model says of the runner's answers; `make model` goes
on for longer."""
import os
import sys

from harness import case

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "soak"))

from model import check  # noqa: E402


@case
def the_runner_says_what_the_model_allows(build):
    for seed in (1, 2):
        check(build, seed, steps=600)
