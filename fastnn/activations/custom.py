"""Activations of the user, written in Python and compiled by Numba."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import initializers, kernels
from ..errors import ArgumentTypeError
from ..initializers import Initializer
from ..kernels.functions import ElementFunction, SlopeFunction
from ..utils import checks
from . import custom_checks

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref


@dataclass(frozen=True, repr=False)
class CustomActivation:
    """An activation made by `fastnn.activation`, accepted wherever a name is.

    Attributes
    ----------
    name : str
        Name of the function, stored in model files.
    initializer : Initializer
        Initialiser "auto" of a `Dense` with this activation.

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
        """Emit the op that applies it to `z`; return the output and its backward function."""
        y, derivative = builder.activation(z.shape), self.derivative
        builder.emit("forward", "custom_activation_fwd", y, z, self.function)
        return y, builder.pullback_in_place(
            "custom_activation_bwd", lambda dy: (dy, dy, y, z, derivative)
        )

    def to_config(self) -> dict[str, str]:
        """Return the entry of model files: a name, for which `Network.load` is given the object."""
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
        ``derivative(x, y)``, the derivative at x, where y is ``function(x)``.
    name : str, optional
        The function's own by default. Shown in summaries, and stored in model files instead of
        the functions: see `Network.load`.
    kinks : sequence of float
        Points where the function is not differentiable. `gradient_check` ignores differences
        across them.
    initializer : str or Initializer
        Initialiser of the weights of a `Dense` with this activation, unless it has its own.

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
        ElementFunction(custom_checks.written_in_python("function", function), kinks),
        SlopeFunction(custom_checks.written_in_python("derivative", derivative)),
        custom_checks.check_name(name, function, "activation", kernels.ACTIVATIONS),
        initializers.get("initializer", initializer),
    )
    custom_checks.check_activation(made.function, made.derivative)
    return made


def _kinks(kinks: Any) -> tuple[float, ...]:
    if not isinstance(kinks, Sequence) or isinstance(kinks, str):
        raise ArgumentTypeError(f"kinks must be a sequence of numbers, got {kinks!r}")
    return tuple(sorted({checks.number("kinks", kink) for kink in kinks}))
