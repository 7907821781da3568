"""The result of a gradient check: errors by parameter array, printed as a table."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..utils.text import table


@dataclass(frozen=True)
class ArrayCheck:
    """Comparison of one parameter array.

    Attributes
    ----------
    name : str
        Layer and parameter, as in ``"dense_1/weights"``.
    size : int
        Entries of the array.
    compared : int
        Entries that were compared.
    kinks : int
        Entries that were not compared, because the loss has a kink within ±epsilon of them.
    difference : float
        ‖g − ĝ‖ over the compared entries, g from backpropagation and ĝ from differences.
    scale : float
        ‖g‖ + ‖ĝ‖.
    noise : float
        Share of rounding in `difference`, at most: ``10 √compared 2⁻⁵² max(1, |loss|) / epsilon``.
    """

    name: str
    size: int
    compared: int
    kinks: int
    difference: float
    scale: float
    noise: float

    @property
    def is_noise(self) -> bool:
        """Return whether there is a difference that rounding alone explains."""
        return 0 < self.difference <= self.noise

    @property
    def relative_error(self) -> float:
        """Return ‖g − ĝ‖ / (‖g‖ + ‖ĝ‖); NaN if nothing was compared, ∞ if g is not finite."""
        if not self.compared:
            return math.nan
        if self.difference <= self.noise:
            return 0.0
        return self.difference / self.scale if math.isfinite(self.difference) else math.inf

    @property
    def row(self) -> tuple[str, ...]:
        """Return the cells of the printed table."""
        counts = (self.name, f"{self.compared:,} of {self.size:,}", f"{self.kinks:,}")
        if not self.compared:
            return (*counts, "", "", "not compared")
        error = "0 (noise)" if self.is_noise else f"{self.relative_error:.1e}"
        return (*counts, f"{self.difference:.1e}", f"{self.noise:.1e}", error)


@dataclass(frozen=True)
class GradientCheck:
    """The result of `gradient_check`; prints as a table.

    Attributes
    ----------
    arrays : tuple of ArrayCheck
        One for each parameter array, from the input to the output.
    loss : float
        At the given data, penalties included.
    epsilon : float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> net = fastnn.Network([fastnn.Dense(2, "tanh"), fastnn.Dense(1)], loss="huber", seed=0)
    >>> check = fastnn.gradient_check(net, np.ones((3, 2)), np.zeros(3), verbose=0)
    >>> list(check.relative_errors)
    ['dense_1/weights', 'dense_1/bias', 'dense_2/weights', 'dense_2/bias']
    >>> check.max_relative_error < 1e-6
    True
    """

    arrays: tuple[ArrayCheck, ...]
    loss: float
    epsilon: float

    @property
    def relative_errors(self) -> dict[str, float]:
        """Return ‖g − ĝ‖ / (‖g‖ + ‖ĝ‖) by array; NaN where every entry was at a kink."""
        return {array.name: array.relative_error for array in self.arrays}

    @property
    def max_relative_error(self) -> float:
        """Return the largest relative error; NaN if no entry of any array could be compared."""
        return max((a.relative_error for a in self.arrays if a.compared), default=math.nan)

    @property
    def worst(self) -> str | None:
        """Return the name of the array with the largest relative error, if any was compared."""
        compared = [array for array in self.arrays if array.compared]
        return max(compared, key=lambda array: array.relative_error).name if compared else None

    @property
    def kinks(self) -> dict[str, int]:
        """Return the number of entries that were not compared because of a kink, by array."""
        return {array.name: array.kinks for array in self.arrays}

    @property
    def noise(self) -> tuple[str, ...]:
        """Return the names of the arrays whose difference, rounding noise, counted as zero."""
        return tuple(array.name for array in self.arrays if array.is_noise)

    def __str__(self) -> str:
        heading = ("parameters", "compared", "at kinks", "‖g − ĝ‖", "noise", "relative error")
        body = table([heading, *(a.row for a in self.arrays)], right=frozenset(range(1, 6)))
        if self.worst is None:
            verdict = "nothing could be compared"
        elif self.max_relative_error == 0:
            verdict = "no difference above rounding noise"
        else:
            verdict = f"largest relative error {self.max_relative_error:.1e} in {self.worst}"
        return f"{body}\n{verdict}; loss {self.loss:.6g}, epsilon {self.epsilon:g}"
