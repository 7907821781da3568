"""TabularInput: the columns of a table, categories embedded and numbers normalised."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data.moments import Moments
from ..errors import ArgumentError, ArgumentTypeError
from ..ir.parameter import Buffer, Parameter
from ..utils import checks
from ..utils.counting import count
from .base import Layer, ShapedLayer
from .embedding import Embedding

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["TabularInput"]


@dataclass(frozen=True)
class TabularInput(ShapedLayer):
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
    trainable : bool
        Whether training moves the tables; `Network.freeze` and `unfreeze` change it.
    learning_rate_multiplier : float
        Positive; multiplies the learning rate for all tables, beside their own multipliers.
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
    >>> net.buffers["tabularinput_1/mean"].tolist()
    [23.66666603088379]
    """

    categorical: Any
    _: KW_ONLY
    normalize: bool = True
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    follows = ()

    def __post_init__(self) -> None:
        self._set_fields(
            categorical=_embeddings(self.categorical),
            normalize=checks.boolean("normalize", self.normalize),
        )
        self._check_training()
        super().__post_init__()

    @property
    def adapts(self) -> bool:
        return self.normalize

    def normalized_columns(self, input_shape: tuple[int, ...]) -> int | None:
        return input_shape[0]

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if len(input_shape) != 1:
            raise ArgumentError(f"TabularInput takes rows of numbers, got rows of {input_shape}")
        last = self.categorical[-1][0]
        if last >= input_shape[0]:
            raise ArgumentError(
                f"categorical names column {last}, but X has "
                f"{count(input_shape[0], 'column')}, from 0 on"
            )
        embedded = sum(embedding.output_dim for _, embedding in self.categorical)
        return (embedded + self._numeric_count(input_shape),)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        return tuple(
            replace(
                embedding.table(f"column_{column}"),
                trainable=embedding.trainable,
                learning_rate_multiplier=embedding.learning_rate_multiplier,
            )
            for column, embedding in self.categorical
        )

    def buffers(self, input_shape: tuple[int, ...]) -> tuple[Buffer, ...]:
        count = (Buffer("count", (1,)),) if self.normalize else ()
        numeric = (self._numeric_count(input_shape),)
        if numeric == (0,):
            return count
        return Buffer("mean", numeric), Buffer("variance", numeric, 1.0), *count

    def _numeric_count(self, input_shape: tuple[int, ...]) -> int:
        """Return the number of numeric columns, without a list as long as a file may claim."""
        return input_shape[0] - len(self.categorical)

    def _numeric(self, input_shape: tuple[int, ...]) -> list[int]:
        """Return the numbers of the numeric columns."""
        embedded = {column for column, _ in self.categorical}
        return [column for column in range(input_shape[0]) if column not in embedded]

    def adapt(
        self, pieces: Iterable[np.ndarray], input_shape: tuple[int, ...]
    ) -> dict[str, np.ndarray]:
        numeric = self._numeric(input_shape)
        moments = Moments(len(numeric))
        for piece in pieces:
            moments.add(piece[:, numeric])
        return moments.buffers()

    def check_input(self, name: str, x: np.ndarray, dtype: np.dtype) -> None:
        for column, embedding in self.categorical:
            embedding.check_input(name, x[:, column : column + 1], dtype, column)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        y = builder.activation(self.output_shape(x.shape))
        at = 0  # the first column of y that a table fills
        tables: list[tuple[Embedding, Ref, int, int]] = []
        for column, embedding in self.categorical:
            w = parameters[f"column_{column}"]
            builder.emit("forward", "embedding_fwd", y, x, w, column, at)
            tables.append((embedding, w, column, at))
            at += embedding.output_dim
        self._lower_numeric(builder, y, x, parameters, at)

        def pullback(dy: Ref, need_dx: bool) -> None:
            for embedding, w, column, start in tables if self.trainable else ():
                embedding.lower_gradient(builder, w, dy, x, column, start)

        return y, pullback

    def _lower_numeric(
        self, builder: PlanBuilder, y: Ref, x: Ref, parameters: dict[str, Ref], at: int
    ) -> None:
        """Emit one op for each run of neighbouring numeric columns, from column `at` of y on."""
        numeric = self._numeric(x.shape)
        for _, group in groupby(enumerate(numeric), key=lambda pair: pair[1] - pair[0]):
            run = list(group)
            (first, column), length = run[0], len(run)
            statistics = [parameters[name].part(first, length) for name in ("mean", "variance")]
            builder.emit(
                "forward", "standardize_columns_fwd", y, x, *statistics, column, at + first
            )


def _embeddings(categorical: Any) -> tuple[tuple[int, Embedding], ...]:
    """Return (column, embedding) in the order of the columns; the plain-data form has pairs."""
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
