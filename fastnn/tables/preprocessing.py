"""All that a model file says about its table: the columns it reads and the target it predicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from ..errors import ModelFileError
from . import stored
from .encoder import TableEncoder
from .target import Target

if TYPE_CHECKING:
    from ..network import Network

_FORMAT = "fastnn table 1"


@dataclass(frozen=True)
class Preprocessing:
    """How a table becomes a network's inputs, and its outputs predictions.

    Attributes
    ----------
    encoder : TableEncoder
        Fitted.
    target : Target
    dropped : dict of str to str
        Columns of the training table that are not used, and why.

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

    def unused(self, frame: pd.DataFrame) -> list[str]:
        """Columns of a new table that training has not seen."""
        seen = {column.name for column in self.encoder.columns} | set(self.dropped)
        return [name for name in frame.columns if name not in seen | {self.target.column.name}]

    def to_dict(self) -> dict[str, Any]:
        """Itself as JSON-able data: numbers, strings, lists and dictionaries."""
        return {
            "format": _FORMAT,
            "target": self.target.to_dict(),
            "columns": self.encoder.to_list(),
            "dropped": dict(self.dropped),
        }

    @classmethod
    def from_dict(
        cls, data: Mapping[str, Any] | None, network: Network | None = None
    ) -> Preprocessing:
        """The preprocessing that `to_dict` described, for `network` if one is given.

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
            stored.check_form(data)
            if network is not None:
                stored.check_fit(data, network)
            encoder = TableEncoder.from_list(data["columns"])
            return cls(encoder, Target.from_dict(data["target"]), dict(data["dropped"]))
        except KeyError as error:
            raise ModelFileError(
                f"the model's preprocessing is malformed: it lacks {error}"
            ) from error
        except (IndexError, TypeError, ValueError, OverflowError, RecursionError) as error:
            if isinstance(error, ModelFileError):
                raise
            raise ModelFileError(
                f"the model's preprocessing is malformed: {error!s:.400}"
            ) from error
