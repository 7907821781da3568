"""Compare convolutions with fastnn's own matrix products of the same size.

    python benchmarks/studies/convolutions.py [--rounds 200]

A convolution of B images sums, for each of the M = B · OH · OW windows and N filters, K = KH · KW ·
C products; so does a product (M, K) · (K, N), and its two gradients. Both work in turn on one
thread, each on one batch. A line has the product's time over that of the convolution: 1 where
the convolution costs no more, and the convolution's GFLOP/s.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from studies.turns import in_turn, line
from workloads.engines import stay_on
from workloads.timing import Work

import fastnn
from fastnn import kernels

BATCH, ROUNDS, TARGET = 16, 100, 0.9


class Layer(NamedTuple):
    """A convolution with stride 1 that keeps the size of a square image."""

    size: int
    channels: int
    filters: int
    kernel: int

    @property
    def name(self) -> str:
        image = f"{self.size}×{self.size}"
        return f"{image}, {self.channels} → {self.filters}, {self.kernel}×{self.kernel}"

    @property
    def product(self) -> tuple[int, int, int]:
        """Return (M, K, N)."""
        return BATCH * self.size**2, self.kernel**2 * self.channels, self.filters


LAYERS = (
    *(Layer(size, *pair, 3) for size in (14, 28) for pair in ((16, 32), (32, 64), (64, 64))),
    Layer(14, 128, 128, 3),
    Layer(14, 32, 32, 5),
    Layer(28, 64, 64, 1),
)


def works(layer: Layer) -> Iterator[tuple[str, Work, Work]]:
    """Yield a name, the convolution and the product, of the forward pass and both gradients."""
    random, active = np.random.default_rng(0), kernels.implementation()

    def array(*shape: int) -> np.ndarray:
        return random.standard_normal(shape, np.float32)

    image, (m, k, n) = (BATCH, layer.size, layer.size), layer.product
    x, y, dy = array(*image, layer.channels), array(*image, n), array(*image, n)
    w = array(layer.kernel, layer.kernel, layer.channels, n)
    a, b, c, dc = array(m, k), array(k, n), array(m, n), array(m, n)
    pad = layer.kernel // 2
    settings = "identity", 1, 1, pad, pad, 1, 1, 1
    forward, backward = active.conv_fwd, active.conv_bwd
    dense = active.dense_bwd
    yield (
        "forward",
        partial(forward, y, x, w, None, *settings),
        partial(active.dense_fwd, c, a, b, None, "identity"),
    )
    yield (
        "gradient of the input",
        partial(backward, np.empty_like(x), None, None, dy, y, x, w, *settings),
        partial(dense, np.empty_like(a), None, None, dc, c, a, b, "identity"),
    )
    yield (
        "gradient of the weights",
        partial(backward, None, np.empty_like(w), None, dy, y, x, w, *settings),
        partial(dense, None, np.empty_like(b), None, dc, c, a, b, "identity"),
    )


def main() -> None:
    """Print a line for each pass of each layer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N")
    rounds = parser.parse_args().rounds
    stay_on(1)
    fastnn.set_num_threads(1)
    for layer in LAYERS:
        print(layer.name)
        flops = 2 * np.prod(layer.product, dtype=float)
        for name, convolution, product in works(layer):
            times = in_turn({"convolution": convolution, "product": product}, rounds)
            ratios = times["product"] / times["convolution"]
            rate = flops / np.median(times["convolution"]) / 1e9
            print(line(f"  {name}", ratios, f"≥ {TARGET}", f"{rate:.0f} GFLOP/s"))


if __name__ == "__main__":
    main()
