"""The command line: ``fastnn demo | train | predict | search | info``, also ``python -m fastnn``.

Each command is a module with `add_parser` and `run`, which import packages when they run, so that
``fastnn --help`` is fast. Before `main` runs, this module imports next to nothing, and
`fastnn.__main__` handles Ctrl-C.

=====================  ===========================================================================
parsing, options       command lines → options
demo, train, predict   the commands, with `search` and `info`
preparation            table and options → arrays; `column_names` finds the columns
train_network          options and arrays → a trained network
search_space           the hyper-parameters that `fastnn search` searches
scores                 test figures beside those of a constant prediction
streams, files         standard streams and output files, with their checks
failures               exceptions → exit codes
=====================  ===========================================================================

Exit codes: 0; 2 for an error, 1 for one that is a defect of fastnn (one line on standard error
each); 130 after Ctrl-C. With FASTNN_TRACEBACK=1 in the environment, errors show their tracebacks.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .parsing import Parser


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
    words = sys.argv[1:] if argv is None else [*argv]
    from . import failures, streams

    with streams.prepared():
        return failures.exit_code(lambda: _run(words))


def _run(words: Sequence[str]) -> None:
    try:
        options = build_parser().parse_args(words)
    except SystemExit:  # --help or --version, which have printed what was asked for
        return
    options.run(options)


def build_parser() -> Parser:
    """Return the parser of the whole command line; `run` of its result is the command's function.

    Returns
    -------
    Parser
    """
    from .._version import __version__
    from . import demo, info, predict, search, train
    from .parsing import Parser

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
    parser.commands = tuple(commands.choices)
    return parser
