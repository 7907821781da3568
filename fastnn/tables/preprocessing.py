"""The preprocessing in a model file: the columns it reads and the target it predicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..errors import ArgumentError, ModelFileError
from . import stored
from .dialect import Dialect
from .encoder import TableEncoder
from .notation import Notation
from .target import Target

_FORMAT = "fastnn table 1"


class Shaped(Protocol):
    """The shapes of a network, which a table must fit."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one row of its input."""

    @property
    def output_shape(self) -> tuple[int, ...]:
        """The shape of one row of its output."""


@dataclass(frozen=True)
class Preprocessing:
    """The encoding of a table as a network's inputs, and of its outputs as predictions.

    Attributes
    ----------
    encoder : TableEncoder
        Fitted.
    target : Target
    dropped : dict of str to str
        Columns of the training table that are not used, and why.
    dialect : Dialect
        Notation and words for missing cells that were given in training.

    Examples
    --------
    >>> import pandas as pd
    >>> from fastnn.tables import Column, Preprocessing, TableEncoder, Target
    >>> table = pd.DataFrame({"size": [1.0, 2.0, 3.0], "price": [2.0, 4.1, 5.9]})
    >>> encoder = TableEncoder([Column("size", "number")]).fit(table)
    >>> price = Column("price", "number")
    >>> preprocessing = Preprocessing(encoder, Target.learn(price, price.read(table)))
    >>> preprocessing.unused(table.assign(town="Bern"))
    ['town']
    """

    encoder: TableEncoder
    target: Target
    dropped: dict[str, str] = field(default_factory=dict)
    dialect: Dialect = field(default_factory=Dialect)

    def unused(self, names: Iterable[str]) -> list[str]:
        """Return the columns of a new table, or of their names, that training has not seen."""
        seen = {column.name for column in self.encoder.columns} | set(self.dropped)
        seen.add(self.target.column.name)
        return [name for name in names if name not in seen]

    @property
    def notations(self) -> dict[str, Notation | None]:
        """The notations of the columns that are read; None for words."""
        return {
            column.name: column.notation if column.kind == "number" else None
            for column in self.encoder.columns
        }

    def in_dialect(self, dialect: Dialect) -> Preprocessing:
        """Return the preprocessing of a table in another dialect; marks not given stay."""
        given = {"decimal": dialect.decimal, "thousands": dialect.thousands}
        marks = {name: mark for name, mark in given.items() if mark is not None}
        if dialect.decimal is not None:
            marks.setdefault("thousands", "")
        columns = [
            replace(column, notation=replace(column.notation, **marks))
            for column in self.encoder.columns
        ]
        joined = Dialect(
            dialect.decimal or self.dialect.decimal,
            dialect.thousands or (None if dialect.decimal else self.dialect.thousands),
            (*self.dialect.missing, *dialect.missing),
        )
        return replace(self, encoder=self.encoder.with_columns(columns), dialect=joined)

    def to_dict(self) -> dict[str, Any]:
        """Return itself as JSON-able data: numbers, strings, lists and dictionaries."""
        return {
            "format": _FORMAT,
            "target": self.target.to_dict(),
            "columns": self.encoder.to_list(),
            "dropped": dict(self.dropped),
        } | ({} if self.dialect == Dialect() else {"dialect": self.dialect.to_dict()})

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any] | None, network: Shaped | None = None
    ) -> Preprocessing:
        """Return the preprocessing that `to_dict` described, for `network` if one is given.

        Raises
        ------
        ModelFileError
            `data` is not such a description, or not one for the network.
        """
        if not isinstance(data, Mapping) or data.get("format") != _FORMAT:
            raise ModelFileError(
                "the model holds no preprocessing of a table; was it written by `fastnn train`?"
            )
        try:
            stored.check_dropped(data["dropped"])
            preprocessing = cls(
                TableEncoder.from_list(data["columns"]),
                Target.from_dict(data["target"]),
                dict(data["dropped"]),
                Dialect.from_dict(data["dialect"]) if "dialect" in data else Dialect(),
            )
            preprocessing._check_target_is_no_input()
        except KeyError as error:
            raise ModelFileError(
                f"the model's preprocessing is malformed: it lacks {error}"
            ) from error
        except (IndexError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ModelFileError(
                f"the model's preprocessing is malformed: {error!s:.400}"
            ) from error
        if network is not None:
            preprocessing.check_network(network)
        return preprocessing

    def _check_target_is_no_input(self) -> None:
        name = self.target.column.name
        if any(column.name == name for column in self.encoder.columns):
            raise ArgumentError(f"names of columns must differ, got {name!r:.80} twice")

    def check_network(self, network: Shaped) -> None:
        """Raise `ModelFileError` unless inputs and outputs are those of the network."""
        if network.input_shape != (self.encoder.features,):
            raise ModelFileError(
                f"its preprocessing makes {self.encoder.features} inputs, but its network takes "
                f"rows of shape {network.input_shape}"
            )
        if network.output_shape != (self.target.outputs,):
            raise ModelFileError(
                f"its preprocessing has {len(self.target.classes)} classes, but its network gives "
                f"rows of shape {network.output_shape}"
            )
