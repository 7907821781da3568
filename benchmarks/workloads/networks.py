"""The networks that every benchmark trains: their sizes, data, first weights and arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

# Of Adam, as all have them by default.
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


# The most that a short run does.
QUICK_STEPS, QUICK_FLOPS = 100, 4e9


@dataclass(frozen=True, kw_only=True)
class Training:
    """A training by Adam in float32.

    Parameters
    ----------
    batch : int
    steps : int
        Updates in one epoch; rows = batch · steps, so that no batch is short.
    learning_rate : float
    epochs : int
        How many epochs one call trains, so that the cost of a call does not hide that of a step.
    """

    batch: int
    steps: int
    learning_rate: float = 1e-3
    epochs: int = 1

    @property
    def rows(self) -> int:
        return self.batch * self.steps

    @property
    def updates(self) -> int:
        """Return the number of updates in one call."""
        return self.steps * self.epochs

    def short(self) -> Self:
        """Return the same network for one short epoch, for a quick look."""
        steps = min(self.steps, QUICK_STEPS, max(2, int(QUICK_FLOPS / self.flops)))
        return replace(self, steps=steps, epochs=1)

    def for_check(self) -> Self:
        """Return the same network on few rows, with small steps.

        With larger ones the first steps of a wide network overshoot, to losses that scikit-learn
        clips.
        """
        return replace(self, steps=2, epochs=2, learning_rate=1e-4)


@dataclass(frozen=True)
class Workload(Training):
    """A multilayer perceptron with ReLU hidden layers.

    Parameters
    ----------
    sizes : tuple of int
        Inputs, hidden layers, outputs. One output means regression on the mean squared error, more
        mean classification by softmax cross-entropy.
    """

    sizes: tuple[int, ...]

    @property
    def name(self) -> str:
        return f"{'-'.join(map(str, self.sizes))}, {self.batch}"

    @property
    def row_shape(self) -> tuple[int, ...]:
        return self.sizes[:1]

    @property
    def regression(self) -> bool:
        return self.sizes[-1] == 1

    @property
    def flops(self) -> int:
        """Return those of a step's products: y = xW, dW and dx, 2BIO each, without the first dx."""
        first, *others = (i * o for i, o in zip(self.sizes, self.sizes[1:], strict=False))
        return self.batch * (4 * first + 6 * sum(others))

    @cached_property
    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return X (rows, inputs) float32, and y (rows,): float32 values or int64 classes.

        Targets come from a random linear map of the inputs, so that there is something to learn.
        """
        random = np.random.default_rng(0)
        x = random.standard_normal((self.rows, self.sizes[0]), np.float32)
        w = random.standard_normal((self.sizes[0], self.sizes[-1]), np.float32)
        z = x @ w / math.sqrt(self.sizes[0])
        return x, z[:, 0].copy() if self.regression else z.argmax(axis=1)

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """Return weights (I, O) and biases (O,) in turn, float32: He's normal, and zero."""
        random = np.random.default_rng(1)
        arrays = []
        for i, o in zip(self.sizes, self.sizes[1:], strict=False):
            scale = np.float32(math.sqrt(2 / i))
            arrays += [scale * random.standard_normal((i, o), np.float32), np.zeros(o, np.float32)]
        return arrays


TRAINING = (
    Workload((8, 32, 32, 2), batch=32, steps=100, epochs=10),
    Workload((64, 100, 10), batch=200, steps=20, epochs=5),
    Workload((20, 256, 256, 2), batch=256, steps=20),
    Workload((784, 512, 512, 10), batch=128, steps=20),
    Workload((1024, 2048, 2048, 10), batch=512, steps=6),
)

#: Hardly any arithmetic: what a step costs besides.
OVERHEAD = Workload((4, 4, 1), batch=1, steps=1000, epochs=2)
