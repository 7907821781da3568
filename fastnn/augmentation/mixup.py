"""Mixup: rows mixed with one another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..runtime.random_streams import Stream
from ..utils import checks
from .base import Augmentation
from .pipeline import PipelineBuilder, Transform

#: Estimated nanoseconds for a row, and for an element.
ROW_COST, ELEMENT_COST = 150.0, 0.2


@dataclass(frozen=True)
class Mixup(Augmentation):
    """Train on mixtures of two rows: p x' + (1 − p) x, and of their targets alike.

    The share p of the partner is drawn from Beta(alpha, alpha) for each row. Partners are those of
    a random rotation of the batch, so that each row is a partner once, and never its own unless it
    is alone.

    Parameters
    ----------
    alpha : float
        Positive. Below 1 most mixtures are almost pure; 0.1 to 0.4 are usual for images.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: alpha is not positive.

    Notes
    -----
    Class numbers become class probabilities; values, as in regression, are mixed. So are sample
    weights, those that `class_weight` makes among them: a row of weight 0 still is a partner.
    Metrics of the training rows compare with the unmixed targets.

    The authors draw one share for a batch; shares for each row make a batch more varied, with the
    same distribution for every row.

    References
    ----------
    Zhang, Cisse, Dauphin, Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.augmentation import Mixup
    >>> X, y = np.eye(3), np.eye(3)
    >>> mixed, targets = Mixup(0.2)(X, y, seed=1)
    >>> bool((mixed == targets).all() and np.allclose(targets.sum(axis=1), 1))
    True
    """

    alpha: float

    def __post_init__(self) -> None:
        self._set_fields(alpha=checks.number("alpha", self.alpha, low=0, open_low=True))

    def lower(self, builder: PipelineBuilder) -> None:
        from ..kernels.numba.mixing import SETTINGS, mix_labels, mix_rows

        def transform(function, shape: tuple[int, ...]) -> Transform:
            width = int(np.prod(shape))
            settings = np.zeros(1, SETTINGS)
            settings["first_block"], settings["alpha"] = builder.first_block, self.alpha
            settings["width"] = width
            cost = ROW_COST + ELEMENT_COST * width
            return Transform(
                function(builder.dtype), settings, Stream.MIXUP, shape, builder.dtype, cost
            )

        builder.x.append(transform(mix_rows, builder.shape))
        mix_targets = mix_labels if builder.labels else mix_rows
        builder.target.append(transform(mix_targets, (builder.outputs,)))
        builder.weight.append(transform(mix_rows, ()))
        builder.labels = False
        builder.parts += 1
