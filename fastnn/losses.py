"""Losses: what the network's output means, which targets fit it, and the kernel that scores it.

A loss is the weighted mean over rows, Σ w l / Σ w, of the mean over outputs (softmax cross-entropy:
of the row's one value), or of their sum where a loss can be asked for it. Cross-entropy and Poisson
losses take logits — the last layer stays linear — and `Network.predict` applies the matching link:
probabilities, or rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from . import checks
from .errors import ArgumentError
from .plan import Result
from .specification import Specification, resolve

if TYPE_CHECKING:
    from .compiler import PlanBuilder
    from .plan import Ref

__all__ = [
    "LOSSES",
    "HalfSquaredError",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Poisson",
    "Quantile",
    "SigmoidCrossEntropy",
    "SoftmaxCrossEntropy",
    "get",
]

REDUCTIONS = ("mean", "sum")

#: How far the class probabilities of a row may be from a sum of 1: they may come from float16.
SUM_TOLERANCE = 1e-3


class Loss(Specification, family=True):
    """Base of the losses.

    Attributes
    ----------
    kernel : str
        Name of the kernel that gives loss and gradient.
    task : str
        "multiclass", "binary" (each output a yes/no question of its own) or "regression": which
        metrics make sense.
    link : str or None
        Activation that turns the network's output into a prediction.
    fewest_outputs : int

    Examples
    --------
    >>> import fastnn
    >>> fastnn.Huber().task, fastnn.SoftmaxCrossEntropy().link
    ('regression', 'softmax')
    """

    kernel: ClassVar[str]
    task: ClassVar[str] = "regression"
    link: ClassVar[str | None] = None
    fewest_outputs: ClassVar[int] = 1

    @property
    def title(self) -> str:
        """What messages call it."""
        return self.kernel

    @property
    def settings(self) -> tuple[Any, ...]:
        """The kernel's further arguments that are numbers."""
        return ()

    def levels(self, outputs: int) -> tuple[float, ...] | None:
        """The kernel's further argument that is a vector, one number for each output."""
        return None

    def lower(
        self, builder: PlanBuilder, gradient: Ref | None, output: Ref, target: Ref, weight: Ref
    ) -> None:
        """Emit the op that adds up the loss and, if asked, writes its gradient."""
        arguments: tuple[Any, ...] = (gradient, output, target, weight, *self.settings)
        outputs = math.prod(output.shape)
        levels = self.levels(outputs)
        if levels is not None:
            arguments += (builder.constant(levels),)
        of_value, of_gradient = self.factors(outputs)
        builder.emit("loss", self.kernel, *arguments, result=Result.LOSS, factor=of_value)
        if gradient is not None and of_gradient != 1:
            builder.emit("loss", "scale", gradient, of_gradient)

    def factors(self, outputs: int) -> tuple[float, float]:
        """What the kernel's value, and its gradient, are multiplied by."""
        return 1.0, 1.0

    def lower_prediction(self, builder: PlanBuilder, output: Ref) -> Ref:
        """Emit the op that turns outputs into predictions; returns where they are."""
        if self.link is None:
            return output
        prediction = builder.activation(output.shape)
        if self.link == "softmax":
            builder.emit("predict", "softmax", prediction, output)
        else:
            builder.emit("predict", "activation_fwd", prediction, output, self.link)
        return prediction

    def check_outputs(self, shape: tuple[int, ...]) -> None:
        """Raise `ArgumentError` for a shape of the last layer's output that it cannot score."""
        if len(shape) != 1 or shape[0] < self.fewest_outputs:
            raise ArgumentError(
                f"loss {self.title!r} needs rows of at least {self.fewest_outputs} output(s), "
                f"but the last layer gives shape {shape}"
            )

    def pieces(self, output: np.ndarray, target: np.ndarray) -> np.ndarray | None:
        """Which smooth piece of the loss each output lies on; None where there is only one.

        A finite difference between points on different pieces is no estimate of a derivative.
        """
        return None

    def check_target(self, y: np.ndarray, outputs: int) -> None:
        """Raise `ArgumentError` for values the loss cannot score; y has shape (n, outputs)."""

    def prepare_target(self, y: Any, outputs: int, dtype: np.dtype) -> np.ndarray:
        """Targets as the kernel takes them.

        Parameters
        ----------
        y : ndarray of numbers, shape (n,) or (n, outputs), finite

        Returns
        -------
        ndarray, shape (n, outputs) of `dtype`, or (n,) int64 for class numbers
        """
        if y.ndim == 1 and outputs == 1:
            y = y.reshape(-1, 1)
        if y.ndim != 2 or y.shape[1] != outputs:
            expected = f"({len(y)}, {outputs})" + (f" or ({len(y)},)" if outputs == 1 else "")
            raise ArgumentError(f"y has shape {y.shape}, but the network's output needs {expected}")
        self.check_target(y, outputs)
        return np.ascontiguousarray(y, dtype)


@dataclass(frozen=True)
class _CrossEntropy(Loss):
    """What both cross-entropies share: targets drawn towards equal probabilities."""

    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        smoothing = checks.real("label_smoothing", self.label_smoothing, low=0, high=1)
        self._settle(label_smoothing=smoothing)

    @property
    def settings(self) -> tuple[float, ...]:
        return (self.label_smoothing,)


@dataclass(frozen=True)
class SoftmaxCrossEntropy(_CrossEntropy):
    """Cross-entropy of one class out of several, in nats; `predict` gives probabilities.

    Targets are class numbers 0 … C − 1, shape (n,), or rows of class probabilities (one-hot or
    soft), shape (n, C).

    Parameters
    ----------
    label_smoothing : float
        Share s in [0, 1] of each target that is spread over all classes: (1 − s) t + s / C
        (Szegedy et al., CVPR 2016).

    Examples
    --------
    >>> import fastnn
    >>> loss = fastnn.SoftmaxCrossEntropy(label_smoothing=0.1)
    >>> net = fastnn.Network([fastnn.Dense(3)], loss=loss)
    """

    kernel = "softmax_cross_entropy"
    task = "multiclass"
    link = "softmax"
    fewest_outputs = 2

    def check_target(self, y: np.ndarray, outputs: int) -> None:
        wrong = (y < 0).any(axis=1) | (abs(y.sum(axis=1) - 1) > SUM_TOLERANCE)
        if wrong.any():
            raise ArgumentError(
                "y must hold class numbers, or rows of class probabilities that sum to 1; "
                f"row {_first_row(wrong)} does not"
            )

    def prepare_target(self, y: Any, outputs: int, dtype: np.dtype) -> np.ndarray:
        if y.ndim == 2 and y.shape[1] == 1:
            y = y.reshape(-1)
        if y.ndim != 1:
            return super().prepare_target(y, outputs, dtype)
        labels = y.astype(np.int64)
        wrong = (labels != y) | (labels < 0) | (labels >= outputs)
        if wrong.any():
            row = _first_row(wrong)
            raise ArgumentError(
                f"y[{row}] is {y[row]}, but class numbers must be integers in [0, {outputs - 1}] "
                f"for a network with {outputs} outputs"
            )
        return labels


@dataclass(frozen=True)
class SigmoidCrossEntropy(_CrossEntropy):
    """Binary cross-entropy of each output, in nats; `predict` gives probabilities.

    Targets are 0, 1 or probabilities, shape (n, outputs), or (n,) for a single output.

    Parameters
    ----------
    label_smoothing : float
        Share s in [0, 1] by which each target is drawn to ½: (1 − s) t + s / 2, as in Keras.
    reduction : {"mean", "sum"}
        Over the outputs.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="sigmoid_cross_entropy")
    """

    reduction: str = "mean"

    kernel = "sigmoid_cross_entropy"
    task = "binary"
    link = "sigmoid"

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.member("reduction", self.reduction, dict.fromkeys(REDUCTIONS))

    def factors(self, outputs: int) -> tuple[float, float]:
        return _reduction_factors(self.reduction, outputs)

    def check_target(self, y: np.ndarray, outputs: int) -> None:
        wrong = ((y < 0) | (y > 1)).any(axis=1)
        if wrong.any():
            row = _first_row(wrong)
            raise ArgumentError(f"y[{row}] is {y[row]}, but targets must be in [0, 1]")


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """Mean of (y − t)², without a factor ½.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss=fastnn.MeanSquaredError())
    """

    kernel = "mean_squared_error"


@dataclass(frozen=True)
class HalfSquaredError(Loss):
    """Half the squared error as scikit-learn's MLPRegressor has it, for results that equal its own.

    The value is the mean over outputs of ½ (y − t)², the gradient that of the sum over outputs. For
    one output they belong together; for several, the gradient is as many times as large, as
    `gradient_check` will tell, so that no name stands for this loss.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(2)], loss=fastnn.HalfSquaredError())
    """

    kernel = "mean_squared_error"

    @property
    def title(self) -> str:
        return "half_squared_error"

    def factors(self, outputs: int) -> tuple[float, float]:
        return 0.5, 0.5 * outputs


@dataclass(frozen=True)
class MeanAbsoluteError(Loss):
    """Mean of ``|y − t|``: fits the conditional median.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="mean_absolute_error")
    """

    kernel = "mean_absolute_error"

    def pieces(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        return np.sign(output - target)


@dataclass(frozen=True)
class Huber(Loss):
    """½ e² up to ``|e| = δ``, linear beyond (Huber, 1964).

    Parameters
    ----------
    delta : float
        Positive, in units of the target.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss=fastnn.Huber(delta=0.5))
    """

    delta: float = 1.0

    kernel = "huber"

    def __post_init__(self) -> None:
        self._settle(delta=checks.real("delta", self.delta, low=0, open_low=True))

    @property
    def settings(self) -> tuple[float, ...]:
        return (self.delta,)

    def pieces(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        error = output - target
        return np.where(abs(error) > self.delta, np.sign(error), 0)


@dataclass(frozen=True)
class Poisson(Loss):
    """Half the Poisson deviance with a log link, for counts; `predict` gives rates.

    Parameters
    ----------
    reduction : {"mean", "sum"}
        Over the outputs.

    Examples
    --------
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="poisson")
    """

    reduction: str = "mean"

    kernel = "poisson"
    link = "exp"

    def __post_init__(self) -> None:
        checks.member("reduction", self.reduction, dict.fromkeys(REDUCTIONS))

    def factors(self, outputs: int) -> tuple[float, float]:
        return _reduction_factors(self.reduction, outputs)

    def check_target(self, y: np.ndarray, outputs: int) -> None:
        wrong = (y < 0).any(axis=1)
        if wrong.any():
            row = _first_row(wrong)
            raise ArgumentError(f"y[{row}] is {y[row]}, but counts must not be negative")


@dataclass(frozen=True)
class Quantile(Loss):
    """Pinball loss: fits the conditional q-quantile (Koenker, Bassett, 1978).

    Parameters
    ----------
    q : float or tuple of float
        In (0, 1). Several are the levels of as many outputs, for which y may have one column. They
        are fitted side by side, so that here and there they may cross.

    Raises
    ------
    ArgumentError
        Also a `ValueError`: a level is not in (0, 1). From `Network`, if the last layer has another
        number of outputs than there are levels.

    Examples
    --------
    >>> import fastnn
    >>> upper = fastnn.Network([fastnn.Dense(1)], loss=fastnn.Quantile(0.95))
    >>> net = fastnn.Network([fastnn.Dense(3)], loss=fastnn.Quantile((0.05, 0.5, 0.95)))
    >>> net.fit([[1.0], [2.0]], [3.0, 4.0], verbose=0).epoch
    [1]
    """

    q: float | tuple[float, ...] = 0.5

    kernel = "quantile"

    def __post_init__(self) -> None:
        if not isinstance(self.q, tuple | list):
            self._settle(q=_level(self.q))
        elif not self.q:
            raise ArgumentError("q must hold at least one level, got none")
        else:
            self._settle(q=tuple(map(_level, self.q)))

    def levels(self, outputs: int) -> tuple[float, ...]:
        return self.q if isinstance(self.q, tuple) else (self.q,) * outputs

    def check_outputs(self, shape: tuple[int, ...]) -> None:
        super().check_outputs(shape)
        if isinstance(self.q, tuple) and shape != (len(self.q),):
            raise ArgumentError(
                f"loss {self.title!r} has {len(self.q)} levels for as many outputs, but the last "
                f"layer gives shape {shape}"
            )

    def prepare_target(self, y: Any, outputs: int, dtype: np.dtype) -> np.ndarray:
        if isinstance(self.q, tuple) and y.size == len(y):
            y = np.repeat(y.reshape(-1, 1), outputs, axis=1)
        return super().prepare_target(y, outputs, dtype)

    def pieces(self, output: np.ndarray, target: np.ndarray) -> np.ndarray:
        return np.sign(output - target)


def _level(value: Any) -> float:
    return checks.real("q", value, low=0, high=1, open_low=True, open_high=True)


def _reduction_factors(reduction: str, outputs: int) -> tuple[float, float]:
    """Of kernels that take the mean over the outputs."""
    factor = float(outputs) if reduction == "sum" else 1.0
    return factor, factor


def _first_row(wrong: np.ndarray | np.bool) -> int:
    return int(np.flatnonzero(wrong)[0])


#: Names that stand for a default object: those of the kernels.
LOSSES: dict[str, type[Loss]] = {
    loss.kernel: loss
    for loss in (
        SoftmaxCrossEntropy,
        SigmoidCrossEntropy,
        MeanSquaredError,
        MeanAbsoluteError,
        Huber,
        Poisson,
        Quantile,
    )
}


def get(value: str | Loss) -> Loss:
    """The loss that `value`, a name or an object, stands for.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There is no loss of this name; it is neither a name nor a loss.

    Examples
    --------
    >>> from fastnn import losses
    >>> losses.get("huber")
    Huber(delta=1.0)
    """
    return resolve("loss", value, Loss, LOSSES)
