"""Learning-rate schedules, for the `learning_rate` of an optimizer.

=====================  =============================================================================
`Constant`             one rate
`StepDecay`            a tenth every so many steps
`ExponentialDecay`     a power of the time
`InverseTimeDecay`     one over the time
`PolynomialDecay`      a straight line, or another power, down to a final rate
`PiecewiseConstant`    given rates between given boundaries
`CosineDecay`          half a period of the cosine
`CosineDecayRestarts`  cosine decay with warm restarts: SGDR
`OneCycle`             up to a large rate, then down to a very small one
`Warmup`               a straight line up in front of any of them
`ReduceOnPlateau`      any of them, scaled down when a value stops improving
=====================  =============================================================================

>>> import fastnn
>>> from fastnn.schedules import CosineDecay, Warmup
>>> optimizer = fastnn.SGD(Warmup(CosineDecay(0.1, decay_steps=900), steps=100), momentum=0.9)
>>> optimizer.learning_rate([0, 50, 100, 1000])
array([0.  , 0.05, 0.1 , 0.  ])
"""

from __future__ import annotations

from .base import Schedule, get
from .cosine import CosineDecay, CosineDecayRestarts, OneCycle
from .decay import (
    Constant,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstant,
    PolynomialDecay,
    StepDecay,
)
from .plateau import Plateau, ReduceOnPlateau
from .warmup import Warmup

__all__ = [
    "Constant",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "OneCycle",
    "PiecewiseConstant",
    "Plateau",
    "PolynomialDecay",
    "ReduceOnPlateau",
    "Schedule",
    "StepDecay",
    "Warmup",
    "get",
]
