"""Random numbers, optimizers with schedules, and averages of weights, for random networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from fastnn import EMA, LBFGS, SGD, SWA, Adagrad, Adam, AdamW, Lion, NAdam, RAdam, RMSProp
from fastnn.schedules import (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    OneCycle,
    PiecewiseConstant,
    PolynomialDecay,
    ReduceOnPlateau,
    Warmup,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Draw:
    """Draws of one generator."""

    rng: np.random.Generator

    def integer(self, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return bool(self.rng.uniform() < probability)

    def one_of(self, values: Sequence[T]) -> T:
        return values[int(self.rng.integers(len(values)))]

    def log(self, low: float, high: float) -> float:
        """A number in [low, high), uniform in its logarithm, with three digits."""
        return float(f"{np.exp(self.rng.uniform(np.log(low), np.log(high))):.3g}")

    def rarely(self, make: Callable[[], Any], otherwise: Any) -> Any:
        return make() if self.chance(0.15) else otherwise


def optimizer(draw: Draw) -> Any:
    """Any optimizer, with a schedule, clipping and weight decay at times."""
    if draw.chance(0.03):
        return LBFGS()
    start = draw.log(1e-3, 3e-2)
    rate = _schedule(draw, start) if draw.chance(0.25) else start
    options: dict[str, Any] = {}
    if draw.chance(0.25):
        options[draw.one_of(["clipvalue", "clipnorm", "global_clipnorm"])] = draw.log(1e-2, 1.0)
    if draw.chance(0.15):
        options["weight_decay"] = draw.log(1e-3, 1e-1)
    makers: Sequence[Callable[[], Any]] = (
        lambda: SGD(rate, momentum=draw.one_of([0.0, 0.9]), **options),
        lambda: SGD(rate, momentum=0.9, nesterov=True, **options),
        lambda: Adagrad(rate, epsilon=1e-3, **options),
        lambda: RMSProp(rate, epsilon=1e-3, centered=draw.chance(0.5), **options),
        lambda: Adam(rate, epsilon=1e-3, amsgrad=draw.chance(0.5), **options),
        lambda: Adam(rate, epsilon=1e-3, epsilon_hat=True, **options),
        lambda: AdamW(rate, epsilon=1e-3, **options),
        lambda: NAdam(rate, epsilon=1e-3, **options),
        lambda: RAdam(rate, epsilon=1e-3, **options),
        lambda: Lion(rate, **options),
    )
    return draw.one_of(makers)()


def _schedule(draw: Draw, rate: float) -> Any:
    unit = draw.one_of(["step", "epoch"])
    return draw.one_of(
        [
            CosineDecay(rate, 10, unit=unit),
            CosineDecayRestarts(rate, 4, unit=unit),
            ExponentialDecay(rate, 5, 0.5, staircase=draw.chance(0.5), unit=unit),
            OneCycle(rate, 1000),
            PiecewiseConstant([3, 6], [rate, rate / 2, rate / 4]),
            PolynomialDecay(rate, 10, power=2.0),
            ReduceOnPlateau(rate, monitor="loss", patience=1),
            Warmup(CosineDecay(rate, 10), 3),
        ]
    )


def weight_average(draw: Draw) -> Any:
    return draw.one_of([EMA(0.9), EMA(0.5), SWA(1), SWA(2)])
