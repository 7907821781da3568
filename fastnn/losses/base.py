"""Base of all losses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..errors import ArgumentError
from ..ir.program import Result
from ..utils.specification import Specification

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder
    from ..ir.program import Ref

__all__ = ["Loss"]

#: Reductions of the losses of one row's outputs to the loss of the row.
REDUCTIONS = ("mean", "sum")


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
        """The name of the loss in messages."""
        return self.kernel

    @property
    def settings(self) -> tuple[Any, ...]:
        """The further arguments of the kernel that are numbers."""
        return ()

    def levels(self, outputs: int) -> tuple[float, ...] | None:
        """Return the further argument of the kernel with one number per output, or None."""
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
        value_factor, gradient_factor = self.factors(outputs)
        builder.emit("loss", self.kernel, *arguments, result=Result.LOSS, factor=value_factor)
        if gradient is not None and gradient_factor != 1:
            builder.emit("loss", "scale", gradient, gradient_factor)

    def factors(self, outputs: int) -> tuple[float, float]:
        """Return the factors of the kernel's value and of its gradient."""
        return 1.0, 1.0

    def lower_prediction(self, builder: PlanBuilder, output: Ref) -> Ref:
        """Emit the op that turns outputs into predictions; return their ref."""
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
                + ("; put Flatten() in front of a Dense layer" if len(shape) > 1 else "")
            )

    def smooth_region(self, output: np.ndarray, target: np.ndarray) -> np.ndarray | None:
        """Return the number of the smooth region of the loss for each output; None if only one.

        A finite difference between points of different regions does not estimate a derivative.
        """
        return None

    def check_target(self, y: np.ndarray, outputs: int) -> None:
        """Raise `ArgumentError` for values the loss cannot score; y has shape (n, outputs)."""

    def prepare_target(self, y: Any, outputs: int, dtype: np.dtype) -> np.ndarray:
        """Return the targets as the kernel takes them.

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


def reduction_factors(reduction: str, outputs: int) -> tuple[float, float]:
    """Return the factors of a kernel that takes the mean over the outputs."""
    factor = float(outputs) if reduction == "sum" else 1.0
    return factor, factor


def first_row(wrong: np.ndarray | np.bool) -> int:
    """Return the number of the first row that is wrong."""
    return int(np.flatnonzero(wrong)[0])
