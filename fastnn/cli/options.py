"""Options that several commands have, and the conversion of their values."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from . import column_names

if TYPE_CHECKING:
    from ..tables import Dialect

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(?:\d+(?:\.\d*)?[smhd])+|\d+(?:\.\d*)?")
_PART = re.compile(r"(\d+(?:\.\d*)?)([smhd]?)")
#: The option for each argument of `Dialect` that its messages name.
_OPTION_OF = {"decimal": "--decimal", "thousands": "--thousands", "missing": "--na"}
_ARGUMENT = re.compile(rf"(?<!')\b({'|'.join(_OPTION_OF)})\b")


def add_command(
    commands: Any,
    name: str,
    run: Callable[[argparse.Namespace], None],
    *,
    help: str,
    description: str,
    example: str,
) -> argparse.ArgumentParser:
    """Add the parser of a command to the others and return it."""
    parser = commands.add_parser(
        name,
        help=help,
        description=description,
        epilog=example,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    return parser


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the table to read."""
    parser.add_argument(
        "data", metavar="DATA.csv", help='CSV file with a header line; "-" is standard input'
    )


def add_task_arguments(
    parser: argparse.ArgumentParser, *, out: str, metavar: str, help: str
) -> None:
    """Add the table, the target, the output path, described by `help`, and the verbosity."""
    add = parser.add_argument
    add_data_argument(parser)
    add("--target", required=True, metavar="COL", help="column to predict")
    add("--out", default=out, metavar=metavar, help=f"{help} ({out})")
    add("--quiet", action="store_true", help="print the test figures alone")


def add_table_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for reading a table."""
    table = parser.add_argument_group("table")
    add = table.add_argument
    columns: Any = {"action": "append", "default": [], "metavar": "COLS"}
    add("--task", default="auto", metavar="TASK", help="auto, classification or regression")
    add("--drop", **columns, help='columns to leave out: A,B or "with, comma",B; repeatable')
    add("--numeric", **columns, help="columns to read as numbers")
    add("--categorical", **columns, help="columns to read as categories")
    add("--test-fraction", type=real, default=0.2, metavar="F", help="rows to test on (0.2)")
    add_dialect_options(table)


def add_dialect_options(table: Any) -> None:
    """Add the options for the notation of the cells of a table."""
    add = table.add_argument
    add("--decimal", metavar="MARK", help='decimal mark, "." or ","; by default it is found')
    add("--thousands", metavar="MARK", help="what stands between thousands, such as ',' or '.'")
    add(
        "--na",
        action="append",
        default=[],
        metavar="WORDS",
        help='cells that mean "missing", A,B, beside blank, NA, n/a, null and the like',
    )


def dialect(options: argparse.Namespace) -> Dialect:
    """Return the notation of cells that the options describe.

    Raises
    ------
    ArgumentError
        A decimal or thousands mark is invalid.
    """
    from ..tables import Dialect

    try:
        words = dict.fromkeys(word for text in options.na for word in column_names.split(text))
        return Dialect(options.decimal, options.thousands, tuple(words))
    except ArgumentError as error:
        raise ArgumentError(_ARGUMENT.sub(lambda found: _OPTION_OF[found[0]], str(error))) from None


def whole(text: str) -> int:
    """Return the whole number of a text such as "1000" or "1e3"."""
    try:
        return int(text)
    except ValueError:
        number = real(text)
    if not number.is_integer():
        raise argparse.ArgumentTypeError(f"expected a whole number, got {text!r}")
    return int(number)


def real(text: str) -> float:
    """Return the number of a text."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"expected a number such as 10, 0.1 or 1e-3, got {text!r}"
        ) from None


def duration(text: str) -> float:
    """Return the seconds of a text such as "90", "90s", "5m", "1.5h" or "1h30m"."""
    if not _DURATION.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"expected a time such as 90s, 5m, 1.5h or 1h30m, got {text!r}"
        )
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in _PART.findall(text))


def say_nothing(text: object) -> None:
    """Print nothing; takes the place of `streams.say` under ``--quiet``."""
