"""The command line: ``fastnn demo | train | predict | search | info``, also ``python -m fastnn``.

Each command is a module with `add_parser` and `run`. They import what they need when they run, so
that ``fastnn --help`` answers at once. This module imports next to nothing before `main` runs,
where Ctrl-C is answered.

Exit codes: 0, 2 for an error (one line on standard error), 130 after Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of the process by default.

    Examples
    --------
    >>> from fastnn.cli import main
    >>> main(["train", "no-such-file.csv", "--target", "y", "--out", "model.safetensors"])
    2
    """
    try:
        return _run(argv)
    except KeyboardInterrupt as interrupt:
        print(f"fastnn: interrupted; {str(interrupt) or 'no file was written'}", file=sys.stderr)
        return 130


def _run(argv: Sequence[str] | None) -> int:
    """Do what the command line asks for; returns the exit code of its success or error."""
    from ..errors import FastnnError

    try:
        arguments = build_parser().parse_args(argv)
        arguments.run(arguments)
        sys.stdout.flush()
    except (FastnnError, OSError) as error:
        if isinstance(error, BrokenPipeError):
            return _reader_left()
        print(f"fastnn: error: {_one_line(error)}", file=sys.stderr)
        return 2
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line; `run` of its result is the command's function."""
    from .._version import __version__
    from . import demo, info, predict, search, train
    from .parser import Parser

    parser = Parser(
        prog="fastnn",
        description="Train neural networks on CPUs.",
        epilog="example: fastnn train houses.csv --target price --out houses.safetensors",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"fastnn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (demo, train, predict, search, info):
        command.add_parser(commands)
    return parser


def _one_line(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return " ".join(str(error).split())


def _reader_left() -> int:
    """The reader of a pipe, such as ``head``, has seen enough."""
    # Python flushes standard output once more at exit; that must not fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
