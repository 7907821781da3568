"""``fastnn predict``: from a model file and a CSV file to predictions."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from ..errors import ArgumentError, ModelFileError
from .files import check_output, tables
from .options import add_command

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


def run(options: argparse.Namespace) -> None:
    """Load, read, predict, write."""
    out = options.out and check_output(options.out, inputs=(options.model, options.data))
    table = tables()
    from ..network import Network
    from ..serialization import atomic

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
        print(f"fastnn: columns the model does not know: {', '.join(unused)}", file=sys.stderr)
    text = predictions.to_csv(index=False, float_format="%.7g")  # what float32 carries
    if out:
        atomic.write(out, [text.encode()])
    else:
        sys.stdout.write(text)
