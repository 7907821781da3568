"""Checks of the preprocessing in a model file, which anybody may have written.

An entry that passes makes an encoder and a target for any table. All checks raise `ArgumentError`
or `ArgumentTypeError`, naming the entry, or KeyError if one is missing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import ArgumentError, ArgumentTypeError
from ..utils import checks

#: The kinds of columns: numbers; whole numbers that stand for categories; categories.
KINDS = ("number", "code", "category")

#: The smallest divisor with quotients within float64.
_SMALLEST_SPREAD = float(np.finfo(np.float64).tiny)
#: After arcsinh numbers are below 10³; their quotients by this are within float32.
_MOST_SQUASHED, _SMALLEST_SCALE = 1e4, 1e-30


def check_columns(data: Any) -> None:
    """Check the result of `TableEncoder.to_list`."""
    columns = _list("columns", data)
    if not columns:
        raise ArgumentError("columns must hold at least one column, got none")
    for number, column in enumerate(columns):
        _check_column(f"columns[{number}]", _object(f"columns[{number}]", column))
    _check_different("names of columns", [column["name"] for column in columns])


def check_target(data: Any) -> None:
    """Check the result of `Target.to_dict`."""
    target = _object("target", data)
    check_text("target.name", target["name"])
    checks.one_of("target.kind", target["kind"], dict.fromkeys(KINDS))
    classes = _texts("target.classes", target["classes"])
    if (len(classes) > 1) == (target["kind"] == "number") or len(classes) == 1:
        raise ArgumentError(
            f"target.classes has {len(classes)}, which does not go with kind {target['kind']!r}"
        )
    checks.number("target.mean", target["mean"])
    checks.number("target.scale", target["scale"], low=0, open_low=True)


def check_notation(data: Any) -> None:
    """Check the result of `Notation.to_dict`; marks may be missing."""
    notation = _object("notation", data)
    for name, mark in notation.items():
        checks.one_of("mark of notation", name, dict.fromkeys(("decimal", "thousands", "unit")))
        check_text(f"notation.{name}", mark)
    checks.one_of("notation.decimal", notation.get("decimal", "."), dict.fromkeys(".,"))
    if len(notation.get("thousands", "")) > 1:
        raise ArgumentError(f"notation.thousands must be one mark, got {notation['thousands']!r}")


def check_dialect(data: Any) -> None:
    """Check the result of `Dialect.to_dict`, except for the checks of `Dialect` itself."""
    _list("dialect.missing", _object("dialect", data)["missing"])


def check_dropped(data: Any) -> None:
    """Check the names of the columns that are not used, and the reasons."""
    for name, reason in _object("dropped", data).items():
        check_text("a name of dropped", name)
        check_text(f"dropped[{name!r}]", reason)


def _check_column(place: str, column: Mapping[str, Any]) -> None:
    check_text(f"{place}.name", column["name"])
    checks.one_of(f"{place}.kind", column["kind"], dict.fromkeys(KINDS))
    if column["kind"] != "number":
        if column.get("rare") is not None:
            _texts(f"{place}.rare", column["rare"])
        categories = _texts(f"{place}.categories", column["categories"])
        if not categories:
            raise ArgumentError(f"{place}.categories must hold at least one, got none")
        return
    checks.boolean(f"{place}.flag_missing", column["flag_missing"])

    def number(name: str, low: float = -math.inf, high: float = math.inf) -> None:
        checks.number(f"{place}.{name}", column[name], low=low, high=high)

    number("median")
    number("center")
    number("spread", _SMALLEST_SPREAD)
    number("mean", -_MOST_SQUASHED, _MOST_SQUASHED)
    number("scale", _SMALLEST_SCALE, _MOST_SQUASHED)
    if "low" in column:
        number("low")
        number("high", float(column["low"]))


def _object(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{place} must be an object, got {checks.shown(value):.80}")
    return value


def _list(place: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ArgumentTypeError(f"{place} must be a list, got {checks.shown(value):.80}")
    return value


def check_text(place: str, value: Any) -> str:
    """Return a string, if a file can hold it."""
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{place} must be a string, got {checks.shown(value):.80}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ArgumentError(f"{place} has half of a surrogate pair, which no file can hold")
    return value


def _texts(place: str, values: Any) -> list[str]:
    texts = [check_text(f"{place}[{i}]", value) for i, value in enumerate(_list(place, values))]
    _check_different(place, texts)
    return texts


def _check_different(what: str, texts: Sequence[str]) -> None:
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            raise ArgumentError(f"{what} must differ, got {text!r:.80} twice")
        seen.add(text)
