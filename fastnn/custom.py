"""Activations and losses of the user, written in Python and compiled by Numba."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from . import checks, custom_checks, initializers, kernels
from .errors import ArgumentError, ArgumentTypeError
from .initializers import Initializer
from .kernels.functions import ElementFunction, RowGradient, RowLoss, SlopeFunction
from .losses import LOSSES, Loss, SoftmaxCrossEntropy

if TYPE_CHECKING:
    from .compiler import PlanBuilder, Pullback
    from .plan import Ref

TASKS = {task: task for task in ("regression", "binary", "multiclass")}
LINKS = {link: link for link in (*kernels.ACTIVATIONS, "softmax")}


@dataclass(frozen=True, repr=False)
class CustomActivation:
    """What `fastnn.activation` returns; give it wherever the name of an activation is taken.

    Attributes
    ----------
    name : str
        Of the function; model files hold it.
    initializer : Initializer
        What "auto" stands for in a `Dense` with this activation.

    Examples
    --------
    >>> import fastnn
    >>> cube = fastnn.activation(lambda x: x**3, derivative=lambda x, y: 3 * x * x, name="cube")
    >>> type(cube).__name__, cube.name
    ('CustomActivation', 'cube')
    >>> layer = fastnn.Dense(8, cube)
    """

    function: ElementFunction
    derivative: SlopeFunction
    name: str
    initializer: Initializer

    def lower(self, builder: PlanBuilder, z: Ref) -> tuple[Ref, Pullback]:
        """Emit the op that applies it to `z`; return the output and what emits the backward op."""
        y, slope = builder.activation(z.shape), self.derivative
        builder.emit("forward", "custom_activation_fwd", y, z, self.function)
        return y, builder.pullback_in_place(
            "custom_activation_bwd", lambda dy: (dy, dy, y, z, slope)
        )

    def to_config(self) -> dict[str, str]:
        """As a model file has it: a name, which `Network.load` is told the meaning of."""
        return {"custom": "activation", "name": self.name}

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"CustomActivation({self.name!r})"


def activation(
    function: Callable[[float], float],
    derivative: Callable[[float, float], float],
    *,
    name: str | None = None,
    kinks: Sequence[float] = (),
    initializer: str | Initializer = "glorot_uniform",
) -> CustomActivation:
    """Make an activation of two functions of single numbers.

    Both are compiled by Numba when they are first needed, for each dtype, and then run without the
    interpreter, on any number of threads. What they call must be known to Numba: `math`, NumPy,
    and functions under `numba.njit`. The derivative is compared here with differences of the
    function, at points from −30 to 30.

    Parameters
    ----------
    function : callable
        ``function(x)``, finite for every x, and the same for the same x.
    derivative : callable
        ``derivative(x, y)``, the slope at x, where y is ``function(x)``.
    name : str, optional
        The function's own by default. Shown in summaries, and stored in model files instead of
        the functions: see `Network.load`.
    kinks : sequence of float
        Where the slope jumps. Differences across these places are not held against a gradient.
    initializer : str or Initializer
        Of the weights of a `Dense` with this activation, unless that asks for another.

    Returns
    -------
    CustomActivation
        Immutable. It pickles if the two functions do.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A function raises, is not finite, is not deterministic or cannot be compiled; the derivative
        is wrong (the message says where, what was expected and what came); the name is taken.

    Notes
    -----
    An exception in C cannot reach the caller as it is: `CustomFunctionError` is raised, and nothing
    of the batch is kept. Indices are checked. Compiled code divides by zero, and overflows, without
    an exception; the result is infinite or NaN. Numba compiles for the processor at hand: between
    processors, or versions of Numba, the last bits may differ.

    Functions made again with the same text, closure and globals share what was compiled: a search
    may make its activation in every trial.

    Examples
    --------
    >>> import fastnn
    >>> def hard_swish(x):
    ...     return x * min(max(x + 3.0, 0.0), 6.0) / 6.0
    >>> def hard_swish_slope(x, y):
    ...     if x <= -3.0:
    ...         return 0.0
    ...     return 1.0 if x >= 3.0 else (2.0 * x + 3.0) / 6.0
    >>> swish = fastnn.activation(hard_swish, hard_swish_slope, kinks=(-3, 3))
    >>> net = fastnn.Network(
    ...     [fastnn.Dense(16, swish), fastnn.Dense(1)], loss="mean_squared_error")
    """
    kinks = _kinks(kinks)
    made = CustomActivation(
        ElementFunction(_callable("function", function), kinks),
        SlopeFunction(_callable("derivative", derivative)),
        _name(name, function, "activation", kernels.ACTIVATIONS),
        initializers.get("initializer", initializer),
    )
    custom_checks.check_activation(made.function, made.derivative)
    return made


@dataclass(frozen=True, repr=False)
class CustomLoss(Loss, listed=False):
    """What `fastnn.loss` returns; give it to `Network` as its loss.

    Attributes
    ----------
    name : str
        Of the function; model files hold it.
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
        What targets and outputs mean, which decides the metrics that fit. "multiclass" takes class
        numbers too, and shows them to the functions as one-hot rows.
    link : str, optional
        What `Network.predict` applies to the output: "softmax", "sigmoid" or any other activation.
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
        RowLoss(_callable("function", function)),
        RowGradient(_callable("gradient", gradient)),
        _name(name, function, "loss", LOSSES),
        None if outputs is None else checks.integer("outputs", outputs, low=1),
        checks.member("task", task, TASKS),
        None if link is None else checks.member("link", link, LINKS),
    )
    rows = custom_checks.example_rows(examples, made.task, made.outputs)
    custom_checks.check_loss(made.function, made.gradient, rows)
    return made


def _callable(argument: str, value: Any) -> Any:
    if not isinstance(getattr(value, "py_func", value), FunctionType):
        raise ArgumentTypeError(
            f"{argument} must be a function written in Python, with or without numba.njit, "
            f"got {value!r}"
        )
    return value


def _name(name: Any, function: Any, kind: str, taken: Any) -> str:
    if name is None:
        name = getattr(function, "__name__", None)
        if name is None or not name.isidentifier():
            raise ArgumentError(f"name must be given: the function is called {name!r}")
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name must be a string, got {name!r}")
    if not name.strip() or not name.isprintable():
        raise ArgumentError(f"name must be printable and not empty, got {name!r}")
    if name in taken:
        raise ArgumentError(f"name {name!r} is that of a built-in {kind}; give another one")
    return name


def _kinks(kinks: Any) -> tuple[float, ...]:
    if not isinstance(kinks, Sequence) or isinstance(kinks, str):
        raise ArgumentTypeError(f"kinks must be a sequence of numbers, got {kinks!r}")
    return tuple(sorted({checks.real("kinks", kink) for kink in kinks}))
