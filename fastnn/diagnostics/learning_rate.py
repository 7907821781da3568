"""`lr_find`: a sweep over learning rates that finds where the loss falls fastest."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError
from ..execution import selection
from ..execution.arena import ParameterArena
from ..execution.batches import BatchPass, BatchRange
from ..execution.executor import Diverged
from ..model.base import model_of
from ..plotting import style
from ..plotting.style import QUIET, TRAINING, VALIDATION, dress
from ..runtime.interrupts import DeferredInterrupt
from ..runtime.random_streams import Stream, permutation, stream_offset
from ..utils import checks
from .samples import checked_data, require_network

if TYPE_CHECKING:
    from os import PathLike

    from matplotlib.axes import Axes

    from ..data.data_set import DataSet
    from ..network import Network

#: The sweep ends when the smoothed loss is this many times its lowest value so far: it has
#: diverged, and stays so at larger rates.
DIVERGED = 4.0

#: Decay of the running mean of the loss at each step.
DECAY = 0.9

#: Steps on either side, as a share of all, of the lines that are fitted to the losses.
HALF_WINDOW = 0.1


@dataclass(frozen=True)
class LearningRateSweep:
    """Losses over learning rates; prints as a sentence.

    Attributes
    ----------
    learning_rates, losses : ndarray, shape (steps,)
        The rate of each step, and the loss of its batch before the step was taken.
    smoothed : ndarray, shape (steps,)
        The losses without the noise of batches: lines fitted to neighbouring steps.
    suggestion : float or None
        Rate where the smoothed loss falls most steeply over log(rate); None if it never falls.
    diverged : bool
        Whether the sweep ended early.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastnn import Dense, Network, lr_find
    >>> X, y = load_digits(return_X_y=True)
    >>> net = Network([Dense(32, "relu"), Dense(10)], loss="softmax_cross_entropy", seed=0)
    >>> sweep = lr_find(net, X / 16, y)
    >>> len(sweep.losses) == len(sweep.learning_rates) > 20
    True
    """

    learning_rates: np.ndarray
    losses: np.ndarray
    smoothed: np.ndarray
    suggestion: float | None
    diverged: bool

    def __str__(self) -> str:
        low, high = self.learning_rates[0], self.learning_rates[-1]
        end = "where the loss diverged" if self.diverged else "without divergence"
        found = "the loss never fell: no suggestion"
        if self.suggestion is not None:
            found = f"suggested learning rate {self.suggestion:.2g}"
        return f"{found} ({len(self.losses)} steps from {low:.2g} to {high:.2g}, {end})"

    def plot(self, ax: Any = None) -> Axes:
        """Draw loss against rate into `ax`, or new axes; needs matplotlib."""
        [axes] = style.panels(ax, 1)
        self._draw(axes)
        return axes

    def to_png(self, path: str | PathLike[str]) -> None:
        """Write the plot to a file; needs matplotlib."""
        made, axes = style.figure(1, 1)
        self._draw(axes[0, 0])
        style.save(made, path)

    def _draw(self, axes: Axes) -> None:
        axes.plot(
            self.learning_rates, self.losses, color=QUIET, alpha=0.5, linewidth=1, label="batch"
        )
        axes.plot(self.learning_rates, self.smoothed, color=TRAINING, label="fitted lines")
        if self.suggestion is not None:
            label = f"suggestion {self.suggestion:.2g}"
            axes.axvline(self.suggestion, color=VALIDATION, linestyle="--", label=label)
        low, high = self.smoothed.min(), self.smoothed[: len(self.smoothed) // 2].max()
        margin = 0.2 * (high - low)
        axes.set_ylim(low - margin, high + 2 * margin)
        axes.set_xscale("log")
        axes.legend(frameon=False)
        dress(axes, "learning-rate sweep", "learning rate", "loss")


def lr_find(
    net: Network,
    X: Any,
    y: Any,
    *,
    min_lr: float = 1e-6,
    max_lr: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
) -> LearningRateSweep:
    """Train a copy of the network while the learning rate grows from step to step.

    The network is built if it was not, and otherwise left as it is: parameters, optimizer slots,
    step, history and learning rate.

    Parameters
    ----------
    net : Network
    X, y : array-like of numbers
        As `Network.fit` takes them.
    min_lr, max_lr : float
        First and last rate; between them, each is the same multiple of the one before.
    steps : int
        At least 10.
    batch_size : int
        Batch size of the training to come, on which the best rate depends.

    Returns
    -------
    LearningRateSweep
        `suggestion`, ``plot()``, and the curve itself.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument cannot be used; or already the first loss is not finite.

    Notes
    -----
    The sweep ends early where a loss or gradient is not finite, or a running mean of the losses
    exceeds 4 × its lowest value. The suggestion is the rate at which the loss falls most steeply
    over log(rate), by lines fitted to the steps around (Savitzky, Golay, 1964), between the start
    and the lowest point. Smith reads the range off the
    curve by eye; the steepest point is what most libraries take for a constant rate. As a peak
    of a schedule, take up to three times as much.

    References
    ----------
    Smith: Cyclical learning rates for training neural networks. WACV 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> import fastnn
    >>> X, y = load_digits(return_X_y=True)
    >>> layers = [fastnn.Dense(32, "relu"), fastnn.Dense(10)]
    >>> net = fastnn.Network(layers, loss="softmax_cross_entropy", seed=0)
    >>> sweep = fastnn.lr_find(net, X / 16, y)
    >>> 1e-4 < sweep.suggestion < 1e-1
    True
    """
    require_network(net)
    min_lr = checks.number("min_lr", min_lr, low=0, open_low=True)
    max_lr = checks.number("max_lr", max_lr, low=0, open_low=True)
    if min_lr >= max_lr:
        raise ArgumentError(f"min_lr must be below max_lr, got {min_lr:g} and {max_lr:g}")
    steps = checks.integer("steps", steps, low=10)
    batch_size = checks.integer("batch_size", batch_size, low=1)
    data = checked_data(net, X, y)
    rates = np.geomspace(min_lr, max_lr, steps)
    return _sweep(rates, _losses(net, data, rates, min(batch_size, len(data))))


def _losses(net: Network, data: DataSet, rates: np.ndarray, batch_size: int) -> Iterator[float]:
    """Yield the loss of each batch, and take a step at the next rate."""
    model = model_of(net)
    plan = model.executors.plan(batch_size, training=True, labels=data.labels)
    arena = ParameterArena(model.architecture)
    arena.copy_from(model.arena)
    executor = selection.executor_class(plan)(plan, arena)
    state = replace(net.state)
    batches = BatchPass(data, batch_size)
    with DeferredInterrupt() as interrupt:
        for step in range(len(rates)):
            number = step % len(batches)
            if number == 0:
                offset = stream_offset(Stream.SHUFFLE, net.state.epoch + step // len(batches))
                batches.order = permutation(len(data), state.seed, offset)
            try:
                rate = rates[step : step + 1]
                executor.run(BatchRange(batches, number, number + 1, state, rate), interrupt)
            except Diverged:
                return
            yield float(batches.losses[number])


def _sweep(rates: np.ndarray, losses: Iterator[float]) -> LearningRateSweep:
    """Return the sweep of losses up to their divergence."""
    taken: list[float] = []
    mean, lowest = 0.0, math.inf
    for step, loss in enumerate(losses, start=1):
        taken.append(loss)
        mean = DECAY * mean + (1 - DECAY) * loss
        unbiased = mean / (1 - DECAY**step)  # the running mean begins at 0
        lowest = min(lowest, unbiased)
        if unbiased > DIVERGED * lowest:
            break
    if len(taken) < 2:
        raise ArgumentError(
            f"training diverges at once, at min_lr={rates[0]:g}: scale X, or draw smaller weights"
        )
    curve, used = np.array(taken), rates[: len(taken)]
    smoothed, slopes = _fitted_lines(curve, len(rates))
    lowest_at = int(smoothed.argmin())
    steepest = int(slopes[: lowest_at + 1].argmin())
    suggestion = float(used[steepest]) if slopes[steepest] < 0 else None
    diverged = len(taken) < len(rates) or unbiased > DIVERGED * lowest
    return LearningRateSweep(used, curve, smoothed, suggestion, diverged)


def _fitted_lines(losses: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Return height and slope, at each step, of the line fitted to the losses around it.

    A running mean would lag behind the losses, and make the suggestion too large.
    """
    from scipy.signal import savgol_filter

    window = min(2 * max(2, round(steps * HALF_WINDOW)) + 1, len(losses) - 1 + len(losses) % 2)
    height, slope = (savgol_filter(losses, window, min(1, window - 1), deriv=d) for d in (0, 1))
    return height, slope
