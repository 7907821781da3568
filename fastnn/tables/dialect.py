"""Dialects: the notation of the cells of a table, as far as it is known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import ArgumentError
from . import stored
from .notation import Notation, notation_of


@dataclass(frozen=True)
class Dialect:
    """Known notation and words for missing cells of a file.

    Attributes
    ----------
    decimal : {".", ","}, optional
        Decimal mark; by default it is found for each column.
    thousands : str, optional
        Separator of thousands, one character; by default it is found for each column.
    missing : tuple of str
        Words that mean "missing", beside the usual ones.

    Examples
    --------
    >>> from fastnn.tables import Dialect
    >>> Dialect(decimal=",", missing=("k.A.",)).missing
    ('k.A.',)
    """

    decimal: str | None = None
    thousands: str | None = None
    missing: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.decimal not in (None, ".", ","):
            raise ArgumentError(f'decimal must be "." or ",", got {self.decimal!r}')
        separator = self.thousands
        if separator is not None and (
            not isinstance(separator, str) or len(separator) != 1 or separator.isalnum()
        ):
            raise ArgumentError(f"thousands must be one mark, such as ',', got {separator!r}")
        if separator is not None and separator == (self.decimal or "."):
            raise ArgumentError(
                f"thousands and decimal are both {separator!r}; give decimal another mark"
            )
        for word in self.missing:
            stored.check_text("missing", word)

    @property
    def notation(self) -> Notation:
        """The notation of numbers where no other is found."""
        return Notation(self.decimal or ".", self.thousands or "")

    def notation_of(self, texts: Iterable[str]) -> tuple[Notation, ...]:
        """Find the notations of a column's cells that agree with the dialect."""
        return notation_of(texts, decimal=self.decimal, thousands=self.thousands)

    def to_dict(self) -> dict[str, Any]:
        """Return itself as JSON-able data."""
        return {"decimal": self.decimal, "thousands": self.thousands, "missing": list(self.missing)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Dialect:
        """Return the dialect that `to_dict` described.

        Raises
        ------
        ArgumentError, ArgumentTypeError, KeyError
            `data` is not such a description.
        """
        stored.check_dialect(data)
        return cls(data["decimal"], data["thousands"], tuple(data["missing"]))
