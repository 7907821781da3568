"""Measure what the checks of a public kernel cost beside its work.

    python benchmarks/studies/kernel_calls.py [--kernels adam_step softmax …]

Each kernel runs on arrays of 64 elements, or of a few rows, once as a function of `fastnn.kernels`,
which checks, and once as one of `fastnn.kernels.implementation()`, which does not. Shown are the
least microseconds of both, and what the checks add, with a mark above the most that is wanted.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from workloads.timing import duration

from fastnn import kernels
from fastnn.kernels import KERNELS
from fastnn.testing.drawing import SMALL, draw, letters

CALLS, ROUNDS = 500, 30
TARGET = 1.5e-6  # seconds


def seconds(name: str, rounds: int = ROUNDS) -> tuple[float, float]:
    """Return the least seconds of a call with and without checks."""
    kernel = KERNELS[name]
    shapes = {letter: SMALL[letter] for letter in letters(kernel)} | {"*": (64,)}
    drawn = draw(kernel, shapes, np.float32, kernel.scalars[0], np.random.default_rng(0))
    arguments = tuple(drawn.values())
    functions = getattr(kernels, name), getattr(kernels.implementation(), name)
    works = [lambda function=function: function(*arguments) for function in functions]
    times = [[duration(work, CALLS) / CALLS for work in works] for _ in range(rounds)]
    checked, unchecked = np.min(times, axis=0)
    return float(checked), float(unchecked)


def main() -> None:
    """Print a line for each kernel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kernels", nargs="+", choices=KERNELS, default=list(KERNELS))
    print(f"{'kernel':<26}checked  unchecked  checks")
    for name in parser.parse_args().kernels:
        checked, unchecked = seconds(name)
        added = checked - unchecked
        verdict = "" if added <= TARGET else f"  > {1e6 * TARGET:.1f}"
        print(f"{name:<26}{1e6 * checked:7.2f}{1e6 * unchecked:11.2f}{1e6 * added:8.2f}{verdict}")


if __name__ == "__main__":
    main()
