"""``fastnn predict``: from a model file and a CSV file to predictions."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, ModelFileError
from .files import check_output, tables
from .options import add_command, add_dialect_options, dialect, note

if TYPE_CHECKING:
    import numpy as np

    from ..tables import Preprocessing

_EXAMPLE = """\
example:
  fastnn predict churn.safetensors new.csv --out predictions.csv

Writes one line per row of the CSV file: the class and the probability of each class, or the value
in the target's own units. The file needs the columns that the model was trained on, in any order.
"""


def add_parser(commands: Any) -> None:
    parser = add_command(
        commands,
        "predict",
        run,
        help="predict with a trained model",
        description="Predict the rows of a CSV file with a model of `fastnn train`.",
        example=_EXAMPLE,
    )
    parser.add_argument("model", metavar="MODEL", help="model file (.safetensors)")
    parser.add_argument("data", metavar="DATA.csv", help="CSV file with a header line")
    parser.add_argument("--out", metavar="FILE", help="CSV file to write; by default the screen")
    add_dialect_options(
        parser.add_argument_group("table", "where it is written otherwise than in training")
    )


def run(options: argparse.Namespace) -> None:
    """Load, read, predict, write."""
    out = options.out and check_output(options.out, inputs=(options.model, options.data))
    table = tables()
    given = dialect(options)
    from ..network import Network
    from ..serialization import atomic

    network = Network.load(options.model)
    try:
        preprocessing = table.Preprocessing.from_dict(network.preprocessing)
        preprocessing.check_sizes(network)
    except ModelFileError as error:
        raise ModelFileError(f"{options.model}: {error}") from error
    x = _inputs(preprocessing.written(given), options.data)
    lines = table.csv_of(preprocessing.target, network.predict(x))
    if out:
        atomic.write(out, (text.encode() for text in lines))
    else:
        for text in lines:
            sys.stdout.write(text)


def _inputs(preprocessing: Preprocessing, data: str) -> np.ndarray:
    """Read the table, shape (n, features), and say on standard error what is odd about it."""
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
        note(notice)
    unused = preprocessing.unused(table.names)
    if unused:
        note(f"columns the model does not know: {', '.join(unused)}")
    return encoder.encode(cells)
