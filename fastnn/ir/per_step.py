"""Numbers that depend on the step alone: arguments of ops that are worked out ahead.

An executor makes a table of them, with a row for each step to come and a column for each operand of
the plan, before the first of the steps.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..runtime.random_streams import stream_offset


class PerStep:
    """A number that is a function of the step.

    Attributes
    ----------
    code : str
        Its type in the words of `struct`: "d" for float64, "Q" for uint64.
    """

    code: ClassVar[str] = "d"

    def value(self, t: Any, learning_rate: Any) -> Any:
        """Return the number at update t, counted from 1, with its learning rate.

        Of arrays (steps,), uint64 and float64, it is an array.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class LearningRate(PerStep):
    """The learning rate of the step, times a multiplier."""

    multiplier: float = 1.0

    def value(self, t: Any, learning_rate: Any) -> Any:
        return learning_rate * self.multiplier


@dataclass(frozen=True)
class NextStep(PerStep):
    """The number of the update under way, from 1 on, without `skipped` updates before it."""

    skipped: int = 0

    code = "Q"

    def value(self, t: Any, learning_rate: Any) -> Any:
        return t - self.skipped


@dataclass(frozen=True)
class StreamOffset(PerStep):
    """The random offset of one stream at the step."""

    stream: int

    code = "Q"

    def value(self, t: Any, learning_rate: Any) -> Any:
        return stream_offset(self.stream, t - 1)


@dataclass(frozen=True)
class AverageMomentum(PerStep):
    """The share of an exponential average of the weights that remains at step t.

    The average starts at zero, its bias is corrected: (decay − decayᵗ) / (1 − decayᵗ).
    """

    decay: float

    def value(self, t: Any, learning_rate: Any) -> Any:
        power = _power(self.decay, t)
        return (self.decay - power) / (1 - power)


@dataclass(frozen=True)
class EpsilonHat(PerStep):
    """The ε that, added after the bias correction, is `epsilon` added before it: ε / √(1 − β₂ᵗ).

    t counts the updates, less those that were skipped, as `NextStep` does.
    """

    epsilon: float
    beta2: float
    skipped: int = 0

    def value(self, t: Any, learning_rate: Any) -> Any:
        return self.epsilon / np.sqrt(1 - _power(self.beta2, t - self.skipped))


def _power(base: float, exponent: Any) -> Any:
    """Return the powers of C's library: the last bit of NumPy's depends on the processor."""
    if isinstance(exponent, int):
        return base**exponent
    return np.array([base**number for number in exponent.tolist()])


class StepTable:
    """The operands of a plan as the columns of a table, whose rows are steps.

    Attributes
    ----------
    operands : tuple of PerStep
    """

    def __init__(self, operands: Iterable[PerStep]):
        self.operands = tuple(operands)
        self._row = struct.Struct("".join([operand.code for operand in self.operands]))

    def row(self, t: int, learning_rate: float) -> list[Any]:
        """Return the numbers of update t, in the order of the operands."""
        return [operand.value(t, learning_rate) for operand in self.operands]

    def bits(self, first: int, learning_rates: np.ndarray) -> np.ndarray:
        """Return the table of the updates from number `first` on, one for each learning rate.

        Returns
        -------
        ndarray of uint64, shape (steps, operands)
            64 bits of each number, as C reads them.
        """
        shape = len(learning_rates), len(self.operands)
        if len(learning_rates) == 1:  # which takes a third of the time without arrays
            packed = self._row.pack(*self.row(first, learning_rates.item()))
            return np.ndarray(shape, np.uint64, packed)
        table = np.empty(shape, np.uint64)
        t = np.arange(first, first + len(learning_rates), dtype=np.uint64)
        for column, operand in enumerate(self.operands):
            table[:, column] = operand.value(t, learning_rates).view(np.uint64)
        return table

    def rows(self, first: int, learning_rates: np.ndarray) -> list[tuple[Any, ...]]:
        """Return the same table as Python has the numbers."""
        table = self.bits(first, learning_rates)
        columns = [table[:, i].view(o.code).tolist() for i, o in enumerate(self.operands)]
        return list(zip(*columns, strict=True)) if columns else [()] * len(table)
