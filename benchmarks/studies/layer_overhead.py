"""What the parts of the toolbox add to a training step: ratios to the same network without them.

    python benchmarks/studies/layer_overhead.py --threads 1 2

Each variant trains the network 784-512-512-10 on the same rows in batches of 128; variants take
turns in one process, and a ratio is that of two epochs that followed each other. Shown are medians
and quartiles of the ratios, beside the largest that is wanted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import fastnn
from fastnn import Activation, Adam, BatchNorm, Dense, Dropout, Flatten, Network, Rescaling
from fastnn.augmentation import ImageAugmentation
from fastnn.schedules import OneCycle

ROWS, BATCH, UNITS = 8064, 128, 512  # epochs of 63 batches
REPEATS = 15


@dataclass(frozen=True)
class Variant:
    """An epoch to time, and the most that it may take of the bare one."""

    name: str
    epoch: Callable[[], None]
    goal: float | None = None


def variants() -> list[Variant]:
    """The bare epoch first."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (ROWS, 28, 28), np.uint8)
    labels = rng.integers(0, 10, ROWS)

    def trained_by(network: Network, **options: object) -> Callable[[], None]:
        def epoch() -> None:
            network.fit(images, labels, batch_size=BATCH, verbose=0, **options)

        return epoch

    moves = ImageAugmentation(rotation=15, shift=0.1, zoom=0.1, fill_mode="constant")
    regularized = network(
        [
            part
            for _ in range(2)
            for part in (
                Dense(UNITS, use_bias=False, l2=1e-4),
                BatchNorm(),
                Activation("relu"),
                Dropout(0.2),
            )
        ],
        # Longer than the benchmark, so that the rate moves in every step.
        Adam(OneCycle(1e-3, 100_000)),
    )
    plain = [Dense(UNITS, "relu"), Dense(UNITS, "relu")]
    health = fastnn.LayerHealth(images, labels)
    return [
        Variant("bare", trained_by(network(plain, Adam(1e-3)))),
        Variant("BatchNorm + Dropout + L2 + one-cycle", trained_by(regularized), 1.25),
        Variant(
            "rotation + shift + zoom",
            trained_by(network(plain, Adam(1e-3)), augmentation=moves),
            1.3,
        ),
        Variant(
            "weight average (EMA)",
            trained_by(network(plain, Adam(1e-3), weight_average=fastnn.EMA(0.999))),
        ),
        Variant("max-norm", trained_by(network(plain, Adam(1e-3), max_norm=3.0))),
        Variant(
            "figures of the layers, each epoch",
            trained_by(network(plain, Adam(1e-3)), callbacks=[health]),
            1.05,
        ),
    ]


def network(hidden: Sequence[fastnn.Layer], optimizer: Adam, **options: object) -> Network:
    """Bytes in, ten classes out."""
    layers = [Rescaling(1 / 255), Flatten(), *hidden, Dense(10)]
    return Network(layers, loss="softmax_cross_entropy", optimizer=optimizer, seed=0, **options)


def seconds(epoch: Callable[[], None]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    epoch()
    return time.perf_counter() - start


def measure(threads: int, repeats: int) -> None:
    """Time all variants in turn and print their ratios."""
    fastnn.set_num_threads(threads)
    bare, *others = variants()
    for variant in (bare, *others):
        variant.epoch()
    times, ratios = [], {variant.name: [] for variant in others}
    for _ in range(repeats):
        for variant in others:
            times.append(seconds(bare.epoch))
            ratios[variant.name].append(seconds(variant.epoch) / times[-1])
    step = np.median(times) / (ROWS // BATCH) * 1e3
    print(f"\n{threads} thread(s): {step:.2f} ms a bare step")
    print(f"{'':<40}{'ratio':>8}{'quartiles':>16}{'goal':>8}")
    for variant in others:
        low, middle, high = np.percentile(ratios[variant.name], [25, 50, 75])
        goal = f"{variant.goal:.2f}" if variant.goal else ""
        spread = f"{low:.2f} – {high:.2f}"
        print(f"{variant.name:<40}{middle:>8.2f}{spread:>16}{goal:>8}")


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
