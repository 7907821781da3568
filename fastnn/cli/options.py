"""Options that several commands have, and how their values are written."""

from __future__ import annotations

import argparse
import re
from typing import Any

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+(?:\.\d*)?[smhd])+|\d+(?:\.\d*)?")
_PART = re.compile(r"(\d+(?:\.\d*)?)([smhd]?)")


def add_table_options(parser: Any) -> None:
    """What says how a table is read."""
    table = parser.add_argument_group("table")
    add = table.add_argument
    names = {"type": _names, "action": "extend", "default": [], "metavar": "COLS"}
    add("--task", default="auto", metavar="TASK", help="auto, classification or regression")
    add("--drop", **names, help="columns to leave out, A,B")
    add("--numeric", **names, help="columns to read as numbers")
    add("--categorical", **names, help="columns to read as categories")
    add("--test-fraction", type=float, default=0.2, metavar="F", help="rows to test on (0.2)")


def duration(text: str) -> float:
    """Seconds from "90", "90s", "5m", "1.5h" or "1h30m"."""
    if not _DURATION.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"expected a time such as 90s, 5m, 1.5h or 1h30m, got {text!r}"
        )
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in _PART.findall(text))


def say_nothing(text: str) -> None:
    """Stands for `print` where the user wants quiet."""


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
