"""Checks of the preprocessing that a model file holds: anybody may have written it.

What passes makes an encoder and a target that serve any table, and fit the file's network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks
from ..errors import ArgumentError, ArgumentTypeError, ModelFileError
from .columns import KINDS

if TYPE_CHECKING:
    from ..network import Network

#: What is divided by keeps quotients within float64.
_SMALLEST_SPREAD = float(np.finfo(np.float64).tiny)
#: After arcsinh numbers are below 10³; their quotients by this are within float32.
_MOST_SQUASHED, _SMALLEST_SCALE = 1e4, 1e-30


def check_form(data: Mapping[str, Any]) -> None:
    """Raise `ArgumentError` or `ArgumentTypeError`, naming the entry at fault."""
    columns = _list("columns", data["columns"])
    if not columns:
        raise ArgumentError("columns must hold at least one column, got none")
    for number, column in enumerate(columns):
        _check_column(f"columns[{number}]", _object(f"columns[{number}]", column))
    _check_target(_object("target", data["target"]))
    names = [column["name"] for column in columns]
    _check_different("names of columns", [*names, data["target"]["name"]])
    for name, reason in _object("dropped", data["dropped"]).items():
        _text("a name of dropped", name)
        _text(f"dropped[{name!r}]", reason)
    dialect = _object("dialect", data.get("dialect", {}))
    if dialect:
        _texts("dialect.missing", dialect["missing"])


def check_fit(data: Mapping[str, Any], network: Network) -> None:
    """Raise `ModelFileError` unless the inputs and outputs are those of the network."""
    inputs = sum(_width(column) for column in data["columns"])
    if network.input_shape != (inputs,):
        raise ModelFileError(
            f"its preprocessing makes {inputs} inputs, but its network takes rows of shape "
            f"{network.input_shape}"
        )
    classes = data["target"]["classes"]
    outputs = len(classes) or 1
    if network.output_shape != (outputs,):
        raise ModelFileError(
            f"its preprocessing has {len(classes)} classes, but its network gives rows of shape "
            f"{network.output_shape}"
        )


def _width(column: Mapping[str, Any]) -> int:
    """Inputs that a column becomes."""
    return 1 + column["flag_missing"] if column["kind"] == "number" else len(column["categories"])


def _check_column(place: str, column: Mapping[str, Any]) -> None:
    _text(f"{place}.name", column["name"])
    checks.member(f"{place}.kind", column["kind"], dict.fromkeys(KINDS))
    for name, mark in _object(f"{place}.notation", column.get("notation", {})).items():
        _text(f"{place}.notation[{name!r}]", mark)
    if column["kind"] != "number":
        if column.get("rare") is not None:
            _texts(f"{place}.rare", column["rare"])
        categories = _texts(f"{place}.categories", column["categories"])
        if not categories:
            raise ArgumentError(f"{place}.categories must hold at least one, got none")
        return
    checks.flag(f"{place}.flag_missing", column["flag_missing"])

    def number(name: str, low: float = -math.inf, high: float = math.inf) -> None:
        checks.real(f"{place}.{name}", column[name], low=low, high=high)

    number("median")
    number("center")
    number("spread", _SMALLEST_SPREAD)
    number("mean", -_MOST_SQUASHED, _MOST_SQUASHED)
    number("scale", _SMALLEST_SCALE, _MOST_SQUASHED)
    if "low" in column:
        number("low")
        number("high", float(column["low"]))


def _check_target(target: Mapping[str, Any]) -> None:
    _text("target.name", target["name"])
    checks.member("target.kind", target["kind"], dict.fromkeys(KINDS))
    classes = _texts("target.classes", target["classes"])
    if bool(classes) == (target["kind"] == "number"):
        raise ArgumentError(
            f"target.classes has {len(classes)}, which does not go with kind {target['kind']!r}"
        )
    checks.real("target.mean", target["mean"])
    checks.real("target.scale", target["scale"], low=0, open_low=True)


def _object(place: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ArgumentTypeError(f"{place} must be an object, got {checks.shown(value):.80}")
    return value


def _list(place: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ArgumentTypeError(f"{place} must be a list, got {checks.shown(value):.80}")
    return value


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{place} must be a string, got {checks.shown(value):.80}")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ArgumentError(f"{place} has half of a surrogate pair, which no file can hold")
    return value


def _texts(place: str, values: Any) -> list[str]:
    texts = [_text(f"{place}[{i}]", value) for i, value in enumerate(_list(place, values))]
    _check_different(place, texts)
    return texts


def _check_different(what: str, texts: Sequence[str]) -> None:
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            raise ArgumentError(f"{what} must differ, got {text!r:.80} twice")
        seen.add(text)
