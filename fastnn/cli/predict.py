"""``fastnn predict``: predict the rows of a CSV file with a model file."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, ModelFileError
from . import streams
from .files import check_output, existing, tables, tell_replaced
from .options import add_command, add_data_argument, add_dialect_options, dialect

if TYPE_CHECKING:
    import numpy as np

    from ..tables import Preprocessing

Writer = Callable[[Iterable[str]], None]

_EXAMPLE = """\
example:
  fastnn predict churn.safetensors new.csv --out predictions.csv

Writes one line per row of the CSV file: the class and the probability of each class, or the value
in the target's own units. The file needs the columns that the model was trained on, in any order.
"""


def add_parser(commands: Any) -> None:
    """Add the parser of ``fastnn predict``."""
    parser = add_command(
        commands,
        "predict",
        run,
        help="predict with a trained model",
        description="Predict the rows of a CSV file with a model of `fastnn train`.",
        example=_EXAMPLE,
    )
    parser.add_argument("model", metavar="MODEL", help="model file (.safetensors)")
    add_data_argument(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        help='CSV file to write, or "-" for standard output; by default standard output, with '
        "control characters escaped",
    )
    add_dialect_options(
        parser.add_argument_group("table", "where it is written otherwise than in training")
    )


def run(options: argparse.Namespace) -> None:
    """Load, read, predict, write."""
    write = _writer(options)
    table = tables()
    given = dialect(options)
    from ..network import Network

    if options.model == "-":
        raise ArgumentError("MODEL -: a model is read from a file, not from standard input")
    network = Network.load(options.model)
    try:
        preprocessing = table.Preprocessing.from_dict(network.preprocessing, network)
    except ModelFileError as error:
        raise ModelFileError(f"{options.model}: {error}") from error
    x = _inputs(preprocessing.in_dialect(given), options.data)
    write(table.csv_of(preprocessing.target, network.predict(x)))


def _inputs(preprocessing: Preprocessing, data: str) -> np.ndarray:
    """Return the encoded table, shape (n, features); note on standard error what is unusual."""
    from ..tables import CsvFile
    from ..tables.cell_arrays import check_columns

    encoder = preprocessing.encoder
    file = CsvFile.open(data, preprocessing.dialect)
    try:
        check_columns(encoder.columns, file.names)
        table = file.table(known=preprocessing.notations)
        cells = encoder.read(table.frame)
    except ArgumentError as error:
        where = "" if str(error).startswith(data) else f"{data}: "
        raise ArgumentError(f"{where}{error}") from error
    for notice in [*table.notices, *encoder.unfamiliar(cells)]:
        streams.note(notice)
    unused = preprocessing.unused(table.names)
    if unused:
        streams.note(f"columns the model does not know: {', '.join(unused)}")
    return encoder.encode(cells)


def _writer(options: argparse.Namespace) -> Writer:
    """Return a function that writes predictions, after a check that they can be written."""
    if options.out is None or options.out == "-":
        exact = options.out is not None
        return lambda pieces: streams.write_table(pieces, exact=exact)
    out = check_output(options.out, inputs=(options.model, options.data), streaming=True)
    if out.exists() and not out.is_file():
        return lambda pieces: _write_to_pipe(out, pieces)
    return lambda pieces: _write_to_file(out, pieces)


def _write_to_file(out: Path, pieces: Iterable[str]) -> None:
    from ..utils import atomic_write

    replaced = existing([out])
    atomic_write.write(out, (text.encode() for text in pieces))
    tell_replaced(replaced)


def _write_to_pipe(out: Path, pieces: Iterable[str]) -> None:
    try:
        with suppress(BrokenPipeError), open(out, "wb") as file:  # its reader may stop early
            for text in pieces:
                file.write(text.encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), f"--out {out}") from error
