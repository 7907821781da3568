"""``fastnn predict``: from a model file and a CSV file to predictions."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, ModelFileError
from . import streams
from .files import check_output, existing, tables, tell_replaced
from .options import add_command, add_data_argument

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
    add_data_argument(parser)
    parser.add_argument(
        "--out",
        metavar="FILE",
        help='CSV file to write, or "-" for standard output; by default standard output, with '
        "control characters escaped",
    )


def run(options: argparse.Namespace) -> None:
    """Load, read, predict, write."""
    write = _writer(options)
    table = tables()
    from ..network import Network

    if options.model == "-":
        raise ArgumentError("MODEL -: a model is read from a file, not from standard input")
    network = Network.load(options.model)
    try:
        preprocessing = table.Preprocessing.from_dict(network.preprocessing, network)
    except ModelFileError as error:
        raise ModelFileError(f"{options.model}: {error}") from error
    frame = table.read_csv(options.data)
    try:
        x = preprocessing.encoder.transform(frame)
    except ArgumentError as error:
        raise ArgumentError(f"{options.data}: {error}") from error
    predictions = preprocessing.target.to_frame(network.predict(x))
    unused = preprocessing.unused(frame)
    if unused:
        streams.note(f"columns the model does not know: {', '.join(map(str, unused))}")
    write(predictions.to_csv(index=False, float_format="%.7g"))  # what float32 carries


def _writer(options: argparse.Namespace) -> Callable[[str], None]:
    """Return how the predictions are written, after a look whether they can be."""
    if options.out is None or options.out == "-":
        exact = options.out is not None
        return lambda text: streams.write_table(text, exact=exact)
    out = check_output(options.out, inputs=(options.model, options.data), streaming=True)
    if out.exists() and not out.is_file():
        return lambda text: _write_to_pipe(out, text)
    return lambda text: _write_to_file(out, text)


def _write_to_file(out: Path, text: str) -> None:
    from ..serialization import atomic

    replaced = existing([out])
    atomic.write(out, [text.encode()])
    tell_replaced(replaced)


def _write_to_pipe(out: Path, text: str) -> None:
    with suppress(BrokenPipeError), open(out, "wb") as file:  # its reader has seen enough
        file.write(text.encode())
