"""Base of all augmentations: descriptions of random changes to the rows of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import arrays
from ..errors import ArgumentError, ArgumentTypeError
from ..ir.program import Batch
from ..runtime.random_streams import SEED_BITS
from ..runtime.threads import default_threads
from ..utils import checks
from ..utils.counting import count
from ..utils.specification import Specification
from .pipeline import Pipeline, PipelineBuilder

STEP_BITS = 48


class Augmentation(Specification, family=True):
    """Base of all augmentations: immutable, without arrays or generators.

    Give one, or a list of them, to `Network.fit` or `Network.train_on_batch`. It changes the rows
    of each batch on their way into the network, after `Rescaling` and conversion to the network's
    dtype, and never those of validation or prediction. What happens to a row is a function of the
    network's seed, the step, and the row's place in the batch: the same for any number of threads
    and on any back end. Called with arrays, it returns changed copies.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn.augmentation import Augmentation, Mixup
    >>> mixup = Mixup(0.2)
    >>> isinstance(mixup, Augmentation)
    True
    >>> X, y = mixup(np.eye(4), y=np.eye(4), seed=0, step=0)
    >>> X.shape, bool((X == y).all())
    ((4, 4), True)
    """

    def lower(self, builder: PipelineBuilder) -> None:
        """Add the loops to the pipeline; raise `ArgumentError` for rows of an unsuitable shape."""
        raise NotImplementedError

    def bind(
        self, shape: tuple[int, ...], dtype: np.dtype, outputs: int = 1, labels: bool = False
    ) -> Pipeline:
        """Compile it for rows of `shape`, and targets of `outputs` values or one class number."""
        builder = PipelineBuilder(shape, dtype, outputs, labels)
        self.lower(builder)
        loops = tuple(builder.x), tuple(builder.target), tuple(builder.weight)
        return Pipeline(*loops, self.to_config())

    def __call__(self, X: Any, y: Any = None, *, seed: int = 0, step: int = 0) -> Any:
        """Change the rows of one batch, on as many threads as `fastnn.get_num_threads` says.

        Parameters
        ----------
        X : array-like of numbers, shape (n, …)
        y : array-like of numbers, shape (n,) or (n, outputs), optional
            Values, or class probabilities. Class numbers, which cannot be mixed, are
            ``np.eye(classes)[y]``.
        seed : int
            In [0, 2**64).
        step : int
            In [0, 2**48). A network of this seed sees the same rows at its update number `step`,
            counted from 0.

        Returns
        -------
        ndarray, or a pair of them with `y`
            float64 if X is, else float32.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X does not suit the augmentation, or an argument is out of range.

        Examples
        --------
        >>> import numpy as np
        >>> from fastnn.augmentation import ImageAugmentation
        >>> turn = ImageAugmentation(rotation=15, fill_mode="nearest")
        >>> turn(np.ones((5, 28, 28), np.float32), seed=1).shape
        (5, 28, 28)
        """
        seed = checks.integer("seed", seed, low=0, high=2**SEED_BITS - 1)
        step = checks.integer("step", step, low=0, high=2**STEP_BITS - 1)
        dtype = np.dtype("f8" if getattr(X, "dtype", None) == np.float64 else "f4")
        x = arrays.inputs(X, None, dtype)
        target = None if y is None else _values(y, len(x), dtype)
        outputs = 1 if target is None else target.shape[1]
        pipeline = self.bind(x.shape[1:], dtype, outputs)
        batch = pipeline(Batch(x.astype(dtype, copy=False), target), seed, step, default_threads())
        if target is None:
            return batch.x
        assert batch.target is not None  # no transform drops it
        return batch.x, batch.target.reshape(np.shape(y))


def _values(y: Any, n_rows: int, dtype: np.dtype) -> np.ndarray:
    """Return targets that can be mixed, shape (n, outputs)."""
    values = arrays.numbers("y", y)
    if len(values) != n_rows:
        raise ArgumentError(f"X has {count(n_rows, 'row')}, but y has {len(values)}")
    if values.ndim > 2:
        raise ArgumentError(f"y must have shape (n,) or (n, outputs), got {values.shape}")
    if values.ndim == 1 and values.dtype.kind != "f":
        raise ArgumentError(
            f"y has shape {values.shape} and dtype {values.dtype}: class numbers cannot be mixed. "
            "Pass np.eye(classes)[y], or y.astype(float) if they are values"
        )
    return np.ascontiguousarray(values.reshape(n_rows, -1), dtype)


@dataclass(frozen=True)
class Compose(Augmentation):
    """Several augmentations, one after the other; a list of them means the same.

    Parameters
    ----------
    parts : sequence of Augmentation

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There are no parts, or one is no augmentation.

    Examples
    --------
    >>> from fastnn.augmentation import Compose, ImageAugmentation, Mixup
    >>> both = Compose([ImageAugmentation(horizontal_flip=True), Mixup(0.2)])
    >>> len(both.parts)
    2
    """

    parts: tuple[Augmentation, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.parts, Sequence) or isinstance(self.parts, str):
            raise ArgumentTypeError(
                f"parts must be a sequence of augmentations, got {self.parts!r}"
            )
        if not self.parts:
            raise ArgumentError("parts must hold at least one augmentation")
        parts = (augmentation_of(f"parts[{i}]", part) for i, part in enumerate(self.parts))
        self._set_fields(parts=tuple(parts))

    def lower(self, builder: PipelineBuilder) -> None:
        for part in self.parts:
            part.lower(builder)

    def to_config(self) -> dict[str, Any]:
        return {"type": "Compose", "parts": [part.to_config() for part in self.parts]}


def augmentation_of(argument: str, value: Any) -> Augmentation:
    """Return the augmentation for `value`: one, a list of them, or the dict of one.

    Parameters
    ----------
    argument : str
        Its name in messages.
    value : Augmentation, sequence of Augmentation, or dict

    Returns
    -------
    Augmentation

    Raises
    ------
    ArgumentError, ArgumentTypeError
        It is none of these.

    Examples
    --------
    >>> from fastnn.augmentation import GaussianJitter, Mixup, augmentation_of
    >>> type(augmentation_of("augmentation", [GaussianJitter(0.1), Mixup(0.2)])).__name__
    'Compose'
    """
    if isinstance(value, Augmentation):
        return value
    if isinstance(value, Mapping):
        return Augmentation.from_config(value)
    if isinstance(value, (list, tuple)):
        return Compose(value)  # type: ignore[arg-type]
    raise ArgumentTypeError(
        f"{argument} must be an augmentation or a list of them, got {type(value).__name__}"
    )
