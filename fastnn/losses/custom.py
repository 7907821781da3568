"""Losses of the user, written in Python and compiled by Numba."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import kernels
from ..activations import custom_checks
from ..errors import ArgumentError
from ..kernels.functions import RowGradient, RowLoss
from ..utils import checks
from . import LOSSES, Loss, SoftmaxCrossEntropy

TASKS = {task: task for task in ("regression", "binary", "multiclass")}

LINKS = {link: link for link in (*kernels.ACTIVATIONS, "softmax")}


@dataclass(frozen=True, repr=False)
class CustomLoss(Loss, listed=False):
    """A loss made by `fastnn.loss`, to be given to `Network`.

    Attributes
    ----------
    name : str
        Name of the function, stored in model files.
    outputs : int or None
        The only number of outputs that it takes, if there is one.

    Examples
    --------
    `fastnn.loss` has more; a half squared error is

    >>> import fastnn
    >>> def value(y, target):
    ...     return 0.5 * (y[0] - target[0]) ** 2
    >>> def gradient(y, target, dy):
    ...     dy[0] = y[0] - target[0]
    >>> half = fastnn.loss(value, gradient=gradient, name="half", outputs=1)
    >>> type(half).__name__, half.name
    ('CustomLoss', 'half')
    """

    function: RowLoss
    gradient: RowGradient
    name: str
    outputs: int | None
    task: str = "regression"  # type: ignore[misc]
    link: str | None = None  # type: ignore[misc]

    kernel = "custom_loss"

    @property
    def title(self) -> str:
        return self.name

    @property
    def settings(self) -> tuple[Any, ...]:
        return self.function, self.gradient

    def check_outputs(self, shape: tuple[int, ...]) -> None:
        super().check_outputs(shape)
        if self.outputs not in (None, shape[0]):
            raise ArgumentError(
                f"loss {self.name!r} is made for {self.outputs} output(s), "
                f"but the last layer gives {shape[0]}"
            )

    def prepare_target(self, y: Any, outputs: int, dtype: np.dtype) -> np.ndarray:
        if self.task == "multiclass" and y.ndim == 1 and outputs > 1:
            y = np.eye(outputs)[SoftmaxCrossEntropy().prepare_target(y, outputs, dtype)]
        return super().prepare_target(y, outputs, dtype)

    def to_config(self) -> dict[str, Any]:
        return {"custom": "loss", "name": self.name}

    def __repr__(self) -> str:
        return f"CustomLoss({self.name!r})"


def loss(
    function: Callable[[np.ndarray, np.ndarray], float],
    gradient: Callable[[np.ndarray, np.ndarray, np.ndarray], None],
    *,
    name: str | None = None,
    task: str = "regression",
    link: str | None = None,
    outputs: int | None = None,
    examples: tuple[Any, Any] | None = None,
) -> CustomLoss:
    """Make a loss of two functions of one row.

    The loss of a batch is the weighted mean over its rows, Σ w l / Σ w. The functions are compiled
    and run as those of `fastnn.activation` are, and the gradient is compared here with differences
    of the function, on random rows of one and of three outputs.

    Parameters
    ----------
    function : callable
        ``function(output_row, target_row)``, the loss of one row, from two arrays of shape
        (outputs,) that it must not change.
    gradient : callable
        ``gradient(output_row, target_row, out)`` writes the derivative of the loss by each output
        to `out`, as NumPy's functions do; `out` comes as zeros of shape (outputs,).
    name : str, optional
        The function's own by default; see `fastnn.activation`.
    task : {"regression", "binary", "multiclass"}
        The meaning of targets and outputs, which decides the metrics that fit. "multiclass" takes
        class numbers too, and shows them to the functions as one-hot rows.
    link : str, optional
        Activation that `Network.predict` applies to the output: "softmax", "sigmoid" or any other.
    outputs : int, optional
        The only number of outputs that the functions can take.
    examples : (outputs, targets), optional
        Arrays of shape (n, outputs) to check at, for functions that are not defined for the random
        ones: outputs from a normal distribution, and targets from one (regression), from [0, 1]
        (binary), or class probabilities (multiclass).

    Returns
    -------
    CustomLoss
        Immutable. It pickles if the two functions do.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        As for `fastnn.activation`.

    Examples
    --------
    >>> import math
    >>> import fastnn
    >>> def log_cosh(output_row, target_row):
    ...     total = 0.0
    ...     for i in range(len(output_row)):
    ...         total += math.log(math.cosh(output_row[i] - target_row[i]))
    ...     return total
    >>> def log_cosh_gradient(output_row, target_row, out):
    ...     for i in range(len(output_row)):
    ...         out[i] = math.tanh(output_row[i] - target_row[i])
    >>> net = fastnn.Network([fastnn.Dense(2)], loss=fastnn.loss(log_cosh, log_cosh_gradient))
    """
    made = CustomLoss(
        RowLoss(custom_checks.written_in_python("function", function)),
        RowGradient(custom_checks.written_in_python("gradient", gradient)),
        custom_checks.check_name(name, function, "loss", LOSSES),
        None if outputs is None else checks.integer("outputs", outputs, low=1),
        checks.one_of("task", task, TASKS),
        None if link is None else checks.one_of("link", link, LINKS),
    )
    points = custom_checks.example_points(examples, made.task, made.outputs)
    custom_checks.check_loss(made.function, made.gradient, points)
    return made
