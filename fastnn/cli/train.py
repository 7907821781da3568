"""``fastnn train``: train a network on a CSV file, and write a model file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from ..utils.counting import count
from . import streams
from .files import check_output, existing, tables, tell_replaced
from .options import add_command, add_table_options, add_task_arguments, real, say_nothing, whole

if TYPE_CHECKING:
    from ..layers import Layer
    from ..network import Network
    from ..optimizers import Optimizer
    from ..tables import Target

_EXAMPLE = """\
example:
  fastnn train churn.csv --target Churn --hidden 128,64 --dropout 0.2 --out churn.safetensors

Cells are numbers, categories or blank. Whether the target is a class or a number is decided by
its values. A part of the rows is held out to test the model; the figures are printed beside those
of always predicting the most frequent class, or the mean. Ctrl-C ends without a model file.
"""


def add_parser(commands: Any) -> None:
    """Add the parser of ``fastnn train``."""
    parser = add_command(
        commands,
        "train",
        run,
        help="train a network on a CSV file",
        description="Train a network on a CSV file and write it to a model file.",
        example=_EXAMPLE,
    )
    add_task_arguments(
        parser, out="model.safetensors", metavar="FILE", help="model file to write or replace"
    )

    add_table_options(parser)

    network = parser.add_argument_group("network")
    add = network.add_argument
    add("--hidden", default="128,64", metavar="SIZES", help='hidden layers (128,64), or "none"')
    add("--activation", default="relu", metavar="NAME", help="of the hidden layers (relu)")
    add("--dropout", type=real, default=0.2, metavar="RATE", help="after each of them (0.2)")
    add("--l2", type=real, default=0.0, metavar="L2", help="penalty on their weights (0)")

    training = parser.add_argument_group("training")
    add = training.add_argument
    add("--epochs", type=whole, metavar="N", help="at most; by default by the number of rows")
    add("--batch-size", type=whole, default=128, metavar="N", help="rows per update (128)")
    add("--optimizer", default="adam", metavar="NAME", help="adam, adamw, rmsprop or sgd (adam)")
    add("--learning-rate", type=real, metavar="LR", help="by default the optimizer's own")
    add(
        "--validation-fraction",
        type=real,
        default=0.1,
        metavar="F",
        help="training rows that choose the best epoch (0.1); 0 trains for all epochs",
    )
    add("--seed", type=whole, default=0, metavar="N", help="of split, weights and dropout (0)")


def run(options: argparse.Namespace) -> None:
    """Read, train, test, write."""
    out = check_output(options.out, inputs=(options.data,))
    tables()  # raises an error that says what to install
    from . import preparation, scores, train_network

    say = say_nothing if options.quiet else streams.say
    hidden, optimizer = train_network.check_options(options)
    table = preparation.read(options)
    n_rows, n_columns = len(table.frame), len(table.names)
    say(f"{options.data}: {count(n_rows, 'row', ',')}, {count(n_columns, 'column')}")

    prepared = preparation.prepare(table, options)
    target = prepared.preprocessing.target
    preparation.tell(prepared, options.target, say)

    network = _network(hidden, optimizer, target, options)
    network.build(prepared.x_train.shape[1])
    say(f"training on {count(len(prepared.train), 'row', ',')}, testing on {len(prepared.test):,}")
    say(f"layers: {_sizes(network)}, {count(network.n_parameters, 'parameter', ',')}")
    say(train_network.fit(network, prepared.x_train, target.encode(prepared.train), options))
    scores.tell(network, prepared)
    replaced = existing([out])
    network.save(out, preprocessing=prepared.preprocessing.to_dict())
    tell_replaced(replaced)
    say(f"model: {out} ({out.stat().st_size / 1024:.0f} KiB)")


def _network(
    hidden: list[Layer], optimizer: Optimizer, target: Target, options: argparse.Namespace
) -> Network:
    from ..layers import Dense
    from ..network import Network

    return Network(
        [*hidden, Dense(target.outputs)],
        loss="softmax_cross_entropy" if target.classes else "mean_squared_error",
        optimizer=optimizer,
        metrics=["accuracy"] if target.classes else [],
        seed=options.seed,
    )


def _sizes(network: Network) -> str:
    """Return the inputs and the units of the dense layers as text: 46-128-64-2."""
    units = [layer.units for layer in network.layers if hasattr(layer, "units")]
    return "-".join(map(str, [*network.input_shape, *units]))
