"""Embedding: whole numbers of the input, such as categories, as vectors that are learned."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import initializers
from ..errors import ArgumentError
from ..initializers import Initializer
from ..ir.parameter import Parameter
from ..ir.program import gradient_of
from ..utils import checks
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["Embedding"]

#: Largest number of rows of a table: kernels sort by 32 bits.
MOST_CODES = 2**31
#: Elements of X that are checked together.
PIECE = 1 << 18


@dataclass(frozen=True)
class Embedding(ShapedLayer):
    """Replace every whole number of the input by a row of a table, which is learned.

    X holds numbers in [0, input_dim), of any dtype; rows of shape (k,) become (k, output_dim), so a
    `Flatten` usually follows. They are checked whenever data come in. The table learns as any other
    weights do; columns that share a meaning share the table. For a table of a file, whose columns
    have tables of their own beside plain numbers, see `TabularInput`.

    With ``sparse=True`` a step touches the rows of its batch alone: they move as they would under
    the optimizer by themselves, while all others keep their place, and their moments and weight
    decay wait. That is another algorithm with any optimizer but plain gradient descent, and for
    large tables a much faster one.

    Parameters
    ----------
    input_dim : int
        Different numbers there are, at most 2³¹; at most 2²⁴ in a float32 network, whose input is
        float32.
    output_dim : int
        Length of a vector.
    initializer : str or Initializer
        Initialiser of the table; uniform in ±0.05 by default, as in Keras.
    sparse : bool
    l1, l2 : float, optional
        Penalties on the table, as for `Dense`; None takes the network's. A sparse table has none.
    weight_decay : float, optional
        Decoupled decay of the table; None takes the optimizer's.
    trainable : bool
        Whether training moves the table; `Network.freeze` and `unfreeze` change it.
    learning_rate_multiplier : float
        Positive; multiplies the learning rate for the table.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also `ValueError` and `TypeError`: a size is not positive, a penalty negative or given with
        sparse. From `Network`, if another layer than `Flatten` stands before this one; from
        everything that takes X, if a number is not whole or not in range.

    References
    ----------
    Bengio, Ducharme, Vincent, Jauvin: A neural probabilistic language model. JMLR 3, 2003. Guo,
    Berkhahn: Entity embeddings of categorical variables. arXiv:1604.06737, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Embedding, Flatten, Network
    >>> net = Network([Embedding(7, 3), Flatten(), Dense(1)], loss="mean_squared_error", seed=0)
    >>> weekday, sales = np.array([[0], [3], [6]]), np.array([1.0, 2.0, 9.0])
    >>> history = net.fit(weekday, sales, epochs=2, verbose=0)
    >>> net.predict([[7]])
    Traceback (most recent call last):
    ...
    fastnn.errors.ArgumentError: X[0, 0] is 7, but layer 'embedding_1' takes whole numbers in [0, 7)
    """

    input_dim: int
    output_dim: int
    _: KW_ONLY
    initializer: str | Initializer = "uniform"
    sparse: bool = False
    l1: float | None = None
    l2: float | None = None
    weight_decay: float | None = None
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    follows = ("Flatten",)

    def __post_init__(self) -> None:
        self._set_fields(
            input_dim=checks.integer("input_dim", self.input_dim, low=1, high=MOST_CODES),
            output_dim=checks.integer("output_dim", self.output_dim, low=1),
            initializer=initializers.get("initializer", self.initializer),
            sparse=checks.boolean("sparse", self.sparse),
        )
        self._check_regularization("l1", "l2", "weight_decay")
        if self.sparse and (self.l1 or self.l2):
            raise ArgumentError(
                "l1 and l2 cannot be given to a sparse embedding: they would touch every row, got "
                f"l1={self.l1}, l2={self.l2}"
            )
        self._check_training()
        super().__post_init__()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*input_shape, self.output_dim)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        return (self.table("embeddings"),)

    def table(self, name: str) -> Parameter:
        """Return the table as a parameter of that name."""
        l1, l2 = (0.0, 0.0) if self.sparse else (self.l1, self.l2)
        return Parameter(
            name,
            (self.input_dim, self.output_dim),
            self.initializer,  # type: ignore[arg-type]
            l1,
            l2,
            weight_decay=self.weight_decay,
            max_norm=0.0,  # which is for the weights of units
            sparse=self.sparse,
        )

    def check_input(self, name: str, x: np.ndarray, dtype: np.dtype, first_column: int = 0) -> None:
        limit = 2 ** (np.finfo(dtype).nmant + 1)
        if self.input_dim > limit:
            raise ArgumentError(
                f"input_dim is {self.input_dim:,} in layer {name!r}, but {dtype} holds whole "
                f"numbers exactly up to {limit:,} only; use dtype='float64'"
            )
        _require_codes(name, x, self.input_dim, first_column)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        w, codes = parameters["embeddings"], x.as_matrix(1)
        y = builder.activation(self.output_shape(x.shape))
        builder.emit("forward", "embedding_fwd", y.as_matrix(self.output_dim), codes, w, 0, 0)

        def pullback(dy: Ref, need_dx: bool) -> None:
            self.lower_gradient(builder, w, dy.as_matrix(self.output_dim), codes, 0, 0)

        return y, pullback

    def lower_gradient(
        self, builder: PlanBuilder, w: Ref, dy: Ref, x: Ref, column: int, at: int
    ) -> None:
        """Emit the gradient of a table that `embedding_fwd` looked rows up in."""
        if not self.trainable:
            return
        if self.sparse and builder.sparse_steps:
            g = builder.sparse_gradient(w, x.per_row)
            arguments = (g.values, g.rows, g.order, dy, x, self.input_dim, column, at)
            builder.emit("backward", "embedding_sparse_bwd", *arguments)
        else:
            builder.emit("backward", "embedding_bwd", gradient_of(w), dy, x, column, at)


def _require_codes(name: str, x: np.ndarray, count: int, first_column: int) -> None:
    """Raise `ArgumentError` unless every number of x (n, …) is whole and in [0, count)."""
    step = max(1, PIECE * len(x) // x.size)
    for start in range(0, len(x), step):
        piece = x[start : start + step]
        wrong = ~((piece >= 0) & (piece < count))
        if piece.dtype.kind == "f":
            wrong |= piece != np.floor(piece)
        if wrong.any():
            row, *place = (int(i) for i in np.argwhere(wrong)[0])
            value = piece[row, *place]
            place[-1] += first_column
            at = ", ".join(map(str, [start + row, *place]))
            raise ArgumentError(
                f"X[{at}] is {value}, but layer {name!r} takes whole numbers in [0, {count})"
            )
