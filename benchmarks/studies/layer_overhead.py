"""Measure what normalisation, regularisation and augmentation add to a training step.

    python benchmarks/studies/layer_overhead.py --threads 1 2

Each variant trains the network 784-512-512-10 on images in batches of 128; variants take turns in
one process, and a ratio is that of an epoch to the bare one of the same round. Shown are medians
and quartiles of the ratios, beside the largest that is wanted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from studies.turns import in_turn, line
from workloads import TRAINING

import fastnn
from fastnn import Activation, Adam, BatchNorm, Dense, Dropout, Flatten, Network, Rescaling
from fastnn.augmentation import ImageAugmentation
from fastnn.schedules import OneCycle

WORKLOAD = TRAINING[3]
STEPS = 63  # of an epoch
REPEATS = 15
TARGETS = {
    "BatchNorm + Dropout + L2 + one-cycle": 1.25,
    "rotation + shift + zoom": 1.3,
    "figures of the layers, each epoch": 1.05,
}


def variants() -> dict[str, Callable[[], object]]:
    """Return an epoch of each variant, the bare one first."""
    rng = np.random.default_rng(0)
    rows = STEPS * WORKLOAD.batch
    images = rng.integers(0, 256, (rows, 28, 28), np.uint8)
    labels = rng.integers(0, 10, rows)

    def epochs_of(net: Network, **options: object) -> Callable[[], object]:
        return lambda: net.fit(images, labels, batch_size=WORKLOAD.batch, verbose=0, **options)

    moves = ImageAugmentation(rotation=15, shift=0.1, zoom=0.1, fill_mode="constant")
    health = fastnn.LayerHealth(images, labels)
    return {
        "bare": epochs_of(plain()),
        "BatchNorm + Dropout + L2 + one-cycle": epochs_of(regularized()),
        "rotation + shift + zoom": epochs_of(plain(), augmentation=moves),
        "weight average (EMA)": epochs_of(plain(weight_average=fastnn.EMA(0.999))),
        "max-norm": epochs_of(plain(max_norm=3.0)),
        "figures of the layers, each epoch": epochs_of(plain(), callbacks=[health]),
    }


def plain(**options: object) -> Network:
    """Return the network of the workload, which takes bytes."""
    return network([Dense(units, "relu") for units in WORKLOAD.sizes[1:-1]], 1e-3, **options)


def regularized() -> Network:
    """Return the same with normalisation, dropout, penalties and a schedule."""
    hidden = [
        layer
        for units in WORKLOAD.sizes[1:-1]
        for layer in (
            Dense(units, use_bias=False, l2=1e-4),
            BatchNorm(),
            Activation("relu"),
            Dropout(0.2),
        )
    ]
    # Longer than the benchmark, so that the rate moves in every step.
    return network(hidden, OneCycle(1e-3, 100_000))


def network(hidden: Sequence[fastnn.Layer], rate: object, **options: object) -> Network:
    """Return a network from images of bytes to ten classes."""
    layers = [Rescaling(1 / 255), Flatten(), *hidden, Dense(WORKLOAD.sizes[-1])]
    return Network(layers, loss="softmax_cross_entropy", optimizer=Adam(rate), seed=0, **options)


def measure(threads: int, repeats: int) -> None:
    """Time all variants in turn and print their ratios."""
    fastnn.set_num_threads(threads)
    times = in_turn(variants(), repeats)
    bare = times.pop("bare")
    print(f"\n{threads} thread(s): {np.median(bare) / STEPS * 1e3:.2f} ms a bare step")
    for name, seconds in times.items():
        print(line(name, seconds / bare, f"≤ {TARGETS[name]:.2f}" if name in TARGETS else ""))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure for each number of threads."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], metavar="N")
    parser.add_argument("--repeats", type=int, default=REPEATS, metavar="N")
    options = parser.parse_args(arguments)
    for threads in options.threads:
        measure(threads, options.repeats)


if __name__ == "__main__":
    main()
