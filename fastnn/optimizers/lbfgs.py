"""L-BFGS, which `fastnn.training.lbfgs` runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ArgumentError
from ..utils import checks
from .base import Optimizer

if TYPE_CHECKING:
    from ..ir.parameter import Segment

__all__ = ["LBFGS"]


@dataclass(frozen=True, repr=False)
class LBFGS(Optimizer):
    """Limited-memory BFGS on all rows at once, by SciPy: for small data and smooth losses.

    Each iteration searches along a quasi-Newton direction and so evaluates the loss and its
    gradient once or a few times; its epochs, as `Network.fit` counts them, are iterations, and
    `batch_size` and `shuffle` have no meaning. A fit ends early where the loss no longer falls, or
    the gradient is small. Each fit starts with an empty memory.

    Noise of layers, such as dropout masks, is drawn once for each fit, so that the loss is a
    function of the weights. Batch hooks of callbacks are not called, epoch hooks are, with the
    weights of the iterate; weights never stay at a point that the search has rejected. Memory is
    needed for the outputs of all layers for all rows. `Network.train_on_batch` is refused, and so
    are weight decay, max-norm, learning-rate multipliers and averages of the weights, which belong
    to steps of gradient descent; penalties and frozen layers are not.

    Parameters
    ----------
    history_size : int
        Pairs of steps and gradient changes that are remembered.
    tolerance_grad : float
        The fit ends where no element of the gradient is larger.
    tolerance_change : float
        The fit ends where an iteration lowers the loss f by no more than this times
        ``max(|f|, 1)``.
    max_line_search : int
        Evaluations in one iteration at most.
    max_evaluations : int, optional
        Evaluations in a fit, which ends after the iteration that has reached as many.

    References
    ----------
    Liu, Nocedal: On the limited memory BFGS method for large scale optimization. Mathematical
    Programming 45, 1989. Zhu, Byrd, Lu, Nocedal: Algorithm 778: L-BFGS-B. ACM TOMS 23, 1997, which
    SciPy has, here without bounds.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> X = np.random.default_rng(0).normal(size=(50, 3))
    >>> net = fastnn.Network(
    ...     [fastnn.Dense(1)], loss="mean_squared_error", optimizer="lbfgs", dtype="float64", seed=0
    ... )
    >>> history = net.fit(X, X @ [1.0, -2.0, 0.5], epochs=100, verbose=0)
    >>> history["loss"][-1] < 1e-8
    True
    """

    history_size: int = 10
    tolerance_grad: float = 1e-6
    tolerance_change: float = 1e-9
    max_line_search: int = 20
    max_evaluations: int | None = None

    full_batch = True

    @property
    def learning_rate(self) -> float:  # type: ignore[override]
        """The learning rate of a full quasi-Newton step: 1."""
        return 1.0

    def __post_init__(self) -> None:
        self._set_fields(
            history_size=checks.integer("history_size", self.history_size, low=1),
            tolerance_grad=checks.number("tolerance_grad", self.tolerance_grad, low=0),
            tolerance_change=checks.number("tolerance_change", self.tolerance_change, low=0),
            max_line_search=checks.integer("max_line_search", self.max_line_search, low=1),
        )

        if self.max_evaluations is not None:
            most = checks.integer("max_evaluations", self.max_evaluations, low=1)
            self._set_fields(max_evaluations=most)

    def check_segments(self, segments: tuple[Segment, ...]) -> None:
        for segment in segments:
            t = segment.options
            refused = {
                "weight_decay": t.weight_decay != 0,
                "max_norm": t.max_norm != 0,
                "learning_rate_multiplier": t.learning_rate_multiplier != 1,
            }
            for name, is_set in refused.items():
                if is_set:
                    raise ArgumentError(
                        f"{name} of {segment.name!r} belongs to steps of gradient descent, which "
                        "LBFGS does not take"
                    )
