"""Base of all schedules, with the check of the rates that they give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks
from ..utils.specification import Specification

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNITS = ("step", "epoch")


class Schedule(Specification, family=True):
    """Base of the schedules: a learning rate as a function of the steps, or epochs, done so far.

    Pass one as the `learning_rate` of any optimizer. A schedule is immutable and holds no state:
    one object may serve many optimizers. The network keeps the counts of steps and epochs, and
    saves them, so a second `fit`, or a network read from a file, continues the schedule.

    A schedule of your own is a frozen dataclass that derives from this class and has a method
    `rate`. A model file names the class, which must exist when the file is loaded.

    Attributes
    ----------
    unit : {"step", "epoch"}
        Unit of t: the updates done, or the epochs completed, since the network was built. Both
        begin at 0.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import fastnn
    >>> @dataclass(frozen=True)
    ... class Sawtooth(fastnn.schedules.Schedule):
    ...     peak: float
    ...     period: int
    ...     def rate(self, t):
    ...         return self.peak * (1 - t % self.period / self.period)
    >>> Sawtooth(1.0, 4)([0, 1, 2, 3, 4])
    array([1.  , 0.75, 0.5 , 0.25, 1.  ])
    >>> fastnn.SGD(Sawtooth(1.0, 4)).learning_rate.peak
    1.0
    """

    unit: str = "step"

    @property
    def plateau(self) -> Schedule | None:
        """The `ReduceOnPlateau` within the schedule, if there is one."""
        return None

    def rate(self, t: np.ndarray) -> np.ndarray:
        """Return the learning rates at the counts `t`, whole numbers from 0 as float64."""
        raise NotImplementedError

    @overload
    def __call__(self, t: int) -> float: ...

    @overload
    def __call__(self, t: Any) -> Any: ...

    def __call__(self, t: Any) -> Any:
        """Return the learning rate at one count of `unit`, or at each of an array of them.

        Raises
        ------
        ArgumentError
            A rate is negative or not finite; the message has the count.
        """
        counts = np.asarray(t, np.float64)
        rates = self._checked(np.atleast_1d(counts))
        return float(rates[0]) if counts.ndim == 0 else rates

    def _checked(self, t: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            rates = np.broadcast_to(np.asarray(self.rate(t), np.float64), t.shape)
        wrong = ~(np.isfinite(rates) & (rates >= 0))
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise ArgumentError(
                f"learning_rate must be finite and >= 0, got {rates.flat[first]:g} at {self.unit} "
                f"{t.flat[first]:.0f} from {self!r}"
            )
        return rates

    def plot(self, steps: int, ax: Axes | None = None) -> Axes:
        """Draw the learning rate over the first `steps` steps, or epochs, whichever it counts.

        Parameters
        ----------
        steps : int
        ax : matplotlib Axes, optional
            A new figure's by default.

        Returns
        -------
        Axes

        Raises
        ------
        ArgumentError, ArgumentTypeError
            `steps` is no positive integer, or a rate cannot be used.
        MissingDependencyError
            matplotlib, of the extra ``plot``, is not installed.

        Examples
        --------
        >>> import fastnn
        >>> schedule = fastnn.schedules.CosineDecay(0.1, 100)
        >>> axes = schedule.plot(120)
        >>> axes.get_ylabel()
        'learning rate'
        """
        steps = checks.integer("steps", steps, low=1)
        rates = self(np.arange(steps))
        from ..plotting import style

        [axes] = style.panels(ax, 1)
        drawstyle = "steps-post" if self.unit == "epoch" else "default"
        axes.plot(rates, color=style.TRAINING, drawstyle=drawstyle)
        style.dress(axes, type(self).__name__, self.unit, "learning rate")
        return axes

    def _check_unit(self) -> None:
        checks.one_of("unit", self.unit, dict.fromkeys(UNITS))

    def _check_rates(self, **rates: float) -> None:
        """Check fields that are learning rates."""
        self._set_fields(**{name: checks.number(name, rate, low=0) for name, rate in rates.items()})

    def _check_counts(self, **counts: int) -> None:
        """Check fields that count steps or epochs."""
        self._set_fields(**{name: checks.integer(name, n, low=1) for name, n in counts.items()})


def get(argument: str, value: Any) -> float | Schedule:
    """Return a learning rate as optimizers hold it: a positive number or a schedule.

    Parameters
    ----------
    argument : str
        Its name in messages.
    value : float, Schedule or dict

    Returns
    -------
    float or Schedule

    Raises
    ------
    ArgumentError, ArgumentTypeError
        It stands for none.

    Examples
    --------
    >>> from fastnn import schedules
    >>> schedules.get("learning_rate", schedules.Constant(0.1).to_config())
    Constant(learning_rate=0.1, unit='step')
    """
    if isinstance(value, Schedule | Mapping):
        return Schedule.resolve(argument, value, {})
    if callable(value):
        raise ArgumentTypeError(
            f"{argument} must be a number or an object of fastnn.schedules, got {value!r}; a "
            "function of the epoch goes into callbacks=[fastnn.LearningRateScheduler(function)]"
        )
    return checks.number(argument, value, low=0, open_low=True)
