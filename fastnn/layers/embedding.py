"""Layers that turn whole numbers of the input, such as categories, into vectors that are learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks, initializers
from ..compiler import gradient_of
from ..errors import ArgumentError, ArgumentTypeError
from ..initializers import Initializer
from ..moments import Moments
from ..parameters import Buffer, Parameter
from .base import Layer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..compiler import PlanBuilder, Pullback
    from ..plan import Ref

#: Rows of a table: what the 32 bits that kernels sort by can tell apart.
MOST_CODES = 2**31
#: Elements of X that are checked together.
PIECE = 1 << 18


@dataclass(frozen=True)
class Embedding(Layer):
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
        Of the table; uniform in ±0.05 by default, as in Keras.
    sparse : bool
    l1, l2 : float
        Penalties on the table, as for `Dense`; 0 where it is sparse.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError, ArgumentTypeError
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
    l1: float = 0.0
    l2: float = 0.0
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    follows = ("Flatten",)

    def __post_init__(self) -> None:
        self._settle(
            input_dim=checks.integer("input_dim", self.input_dim, low=1, high=MOST_CODES),
            output_dim=checks.integer("output_dim", self.output_dim, low=1),
            initializer=initializers.get("initializer", self.initializer),
            sparse=checks.flag("sparse", self.sparse),
            l1=checks.real("l1", self.l1, low=0),
            l2=checks.real("l2", self.l2, low=0),
        )
        if self.sparse and (self.l1 or self.l2):
            raise ArgumentError(
                "l1 and l2 must be 0 for a sparse embedding: they would touch every row, got "
                f"l1={self.l1:g}, l2={self.l2:g}"
            )
        self._settle_input_shape()
        self._settle_name()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*input_shape, self.output_dim)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        shape = self.input_dim, self.output_dim
        return (
            Parameter(
                "embeddings", shape, self.initializer, self.l1, self.l2, sparse=self.sparse  # type: ignore[arg-type]
            ),
        )

    def check_input(self, name: str, x: np.ndarray, dtype: np.dtype) -> None:
        _require_exact(f"input_dim of layer {name!r}", self.input_dim, dtype)
        _require_codes(name, x, self.input_dim)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        w, codes = parameters["embeddings"], x.as_matrix(1)
        y = builder.activation(self.output_shape(x.shape))
        builder.emit("forward", "embedding_fwd", y.as_matrix(self.output_dim), codes, w, 0, 0)

        def pullback(dy: Ref, wanted: bool) -> None:
            flat = dy.as_matrix(self.output_dim)
            _lower_gradient(builder, w, flat, codes, 0, 0, sparse=self.sparse)

        return y, pullback


@dataclass(frozen=True)
class TabularInput(Layer):
    """The columns of a table side by side: categories as vectors that are learned, numbers scaled.

    X is one array (n, columns) of numbers. A row of the output holds the vectors of the categorical
    columns, in the order of the columns, and then the numeric columns.

    Parameters
    ----------
    categorical : mapping of int to Embedding or (int, int)
        By the number of the column: what embeds it, or how many different numbers there are and the
        length of the vectors. Guo and Berkhahn's networks take some half of the former for the
        latter, up to 50.
    normalize : bool
        Whether numeric columns have their mean subtracted and are divided by their standard
        deviation, learned as by `Normalization`.
    input_shape : tuple of int, optional
        (columns,), where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: categorical is not such a mapping, or empty. From
        `Network`, if another layer stands before this one; from `Network.build` and `Network.fit`,
        if there is no such column; from everything that takes X, if a category is not whole or not
        in range.

    References
    ----------
    Guo, Berkhahn: Entity embeddings of categorical variables. arXiv:1604.06737, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Network, TabularInput
    >>> table = np.array([[0, 21.5], [2, 19.0], [1, 30.5]])  # a weekday and a temperature
    >>> layers = [TabularInput({0: (7, 3)}), Dense(8, "relu"), Dense(1)]
    >>> net = Network(layers, loss="mean_squared_error", seed=0)
    >>> history = net.fit(table, [1.0, 2.0, 3.0], verbose=0)
    >>> [net.architecture.shapes[1], net.buffers["tabularinput_1/mean"].tolist()]
    [(4,), [23.66666603088379]]
    """

    categorical: Any
    _: KW_ONLY
    normalize: bool = True
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    follows = ()

    def __post_init__(self) -> None:
        self._settle(
            categorical=_embeddings(self.categorical),
            normalize=checks.flag("normalize", self.normalize),
        )
        self._settle_input_shape()
        self._settle_name()

    @property
    def adapts(self) -> bool:
        return self.normalize

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != 1:
            raise ArgumentError(f"TabularInput takes rows of numbers, got rows of {input_shape}")
        last = self.categorical[-1][0]
        if last >= input_shape[0]:
            raise ArgumentError(
                f"categorical names column {last}, but X has {input_shape[0]} columns, from 0 on"
            )
        embedded = sum(embedding.output_dim for _, embedding in self.categorical)
        return (embedded + len(self._numeric(input_shape)),)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        return tuple(
            Parameter(
                f"column_{column}", (e.input_dim, e.output_dim), e.initializer, e.l1, e.l2,
                sparse=e.sparse,
            )  # fmt: skip
            for column, e in self.categorical
        )

    def buffers(self, input_shape: tuple[int, ...]) -> tuple[Buffer, ...]:
        count = (Buffer("count", (1,)),) if self.normalize else ()
        numeric = (len(self._numeric(input_shape)),)
        if numeric == (0,):
            return count
        return Buffer("mean", numeric), Buffer("variance", numeric, 1.0), *count

    def _numeric(self, input_shape: tuple[int, ...]) -> list[int]:
        """The columns that are no categories."""
        embedded = {column for column, _ in self.categorical}
        return [column for column in range(input_shape[0]) if column not in embedded]

    def adapt(
        self, rows: Iterable[np.ndarray], input_shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        numeric = self._numeric(input_shape)
        moments = Moments(len(numeric))
        for piece in rows:
            moments.add(piece[:, numeric])
        return moments.buffers()

    def check_input(self, name: str, x: np.ndarray, dtype: np.dtype) -> None:
        for column, embedding in self.categorical:
            _require_exact(f"categorical[{column}] of layer {name!r}", embedding.input_dim, dtype)
            _require_codes(name, x[:, column : column + 1], embedding.input_dim, column)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        y = builder.activation(self.output_shape(x.shape))
        at, places = 0, []
        for column, embedding in self.categorical:
            w = parameters[f"column_{column}"]
            builder.emit("forward", "embedding_fwd", y, x, w, column, at)
            places.append((w, column, at, embedding.sparse))
            at += embedding.output_dim
        self._lower_numeric(builder, y, x, parameters, at)

        def pullback(dy: Ref, wanted: bool) -> None:
            for w, column, start, sparse in places:
                _lower_gradient(builder, w, dy, x, column, start, sparse=sparse)

        return y, pullback

    def _lower_numeric(
        self, builder: PlanBuilder, y: Ref, x: Ref, parameters: dict[str, Ref], at: int
    ) -> None:
        """One op for each run of neighbouring columns, from column `at` of y on."""
        numeric = self._numeric(x.shape)
        for _, group in groupby(enumerate(numeric), key=lambda pair: pair[1] - pair[0]):
            run = list(group)
            (first, column), length = run[0], len(run)
            statistics = [parameters[name].part(first, length) for name in ("mean", "variance")]
            builder.emit(
                "forward", "standardize_columns_fwd", y, x, *statistics, column, at + first
            )


def _lower_gradient(
    builder: PlanBuilder, w: Ref, dy: Ref, x: Ref, column: int, at: int, *, sparse: bool
) -> None:
    if sparse and builder.fused:
        gradient = builder.sparse_gradient(w, x.per_row)
        arguments = (gradient.values, gradient.rows, gradient.order, dy, x, w.shape[0], column, at)
        builder.emit("backward", "embedding_sparse_bwd", *arguments)
    else:
        builder.emit("backward", "embedding_bwd", gradient_of(w), dy, x, column, at)


def _embeddings(categorical: Any) -> tuple[tuple[int, Embedding], ...]:
    """(column, embedding) in the order of the columns; the plain-data form has lists of pairs."""
    pairs = categorical.items() if isinstance(categorical, Mapping) else categorical
    expected = "categorical must map columns to an Embedding or (input_dim, output_dim)"
    try:
        entries = [(column, what) for column, what in pairs]
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"{expected}, got {categorical!r}") from None
    if not entries:
        raise ArgumentError(f"{expected}, for at least one column, got {categorical!r}")
    embeddings = {}
    for column, what in entries:
        number = checks.integer("a column of categorical", column, low=0)
        if number in embeddings:
            raise ArgumentError(f"categorical names column {number} twice")
        embeddings[number] = _embedding(expected, what)
    return tuple(sorted(embeddings.items()))


def _embedding(expected: str, what: Any) -> Embedding:
    if isinstance(what, Embedding):
        return what
    if isinstance(what, Mapping):
        layer = Layer.from_config(what)
        if isinstance(layer, Embedding):
            return layer
    if isinstance(what, tuple | list) and len(what) == 2:
        return Embedding(*what)
    raise ArgumentTypeError(f"{expected}, got {what!r}")


def _require_exact(what: str, count: int, dtype: np.dtype) -> None:
    """Codes pass through the network's dtype."""
    limit = 2 ** (np.finfo(dtype).nmant + 1)
    if count > limit:
        raise ArgumentError(
            f"{what} is {count:,}, but {dtype} holds whole numbers exactly up to {limit:,} only; "
            "use dtype='float64'"
        )


def _require_codes(name: str, x: np.ndarray, count: int, first_column: int = 0) -> None:
    """Every number of x (n, …) must be whole and in [0, count)."""
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
