"""``fastnn search``: search for the best network for a CSV file, and report."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError
from ..utils import optional
from ..utils.counting import count
from ..utils.text import printable
from . import column_names, streams
from .files import check_folder, check_output, existing, tables, tell_replaced
from .options import (
    add_command,
    add_table_options,
    add_task_arguments,
    duration,
    real,
    say_nothing,
    whole,
)

if TYPE_CHECKING:
    from ..network import Network
    from ..search.result import SearchResult
    from .preparation import Prepared
    from .search_space import TableNetwork

_EXAMPLE = """\
example:
  fastnn search churn.csv --target Churn --trials 64 --time 5m --out churn

Writes the model of the best trial, trained on all rows but the test rows; a report; and the command
that repeats the search. What is searched: layers, units, activation, batch normalisation, dropout,
optimizer, learning rate, weight decay, batch size. The trials are kept in a file beside the folder,
or in any database: the same command goes on with them after Ctrl-C or any other end, and on several
machines at once it shares them.
"""

#: Number of trials where neither it nor the time is given.
_TRIALS = 64
_FILES = ("model.safetensors", "command.txt", "report.html")  # that a search writes
#: Arguments of `search.search` that are options of the command, under the same names.
_SEARCH_ARGUMENTS = (
    "trials",
    "epochs",
    "sampler",
    "pruner",
    "objective",
    "validation_fraction",
    "cv",
    "threads",
    "storage",
    "study_name",
)


def add_parser(commands: Any) -> None:
    """Add the parser of ``fastnn search``."""
    parser = add_command(
        commands,
        "search",
        run,
        help="search for the best network for a CSV file",
        description="Search for the best hyper-parameters of a network for a CSV file.",
        example=_EXAMPLE,
    )
    add_task_arguments(parser, out="fastnn-search", metavar="DIR", help="folder to write to")

    limits = parser.add_argument_group("limits")
    add = limits.add_argument
    add("--trials", type=whole, metavar="N", help=f"in all ({_TRIALS}, if no time is given)")
    add("--time", type=duration, metavar="TIME", help="of this run, such as 90s, 5m or 1h30m")
    add("--epochs", type=whole, metavar="N", help="of a trial; by default by the number of rows")
    add("--threads", type=whole, metavar="N", help="by default all cores")

    how = parser.add_argument_group("search")
    add = how.add_argument
    add("--sampler", default="tpe", metavar="NAME", help="tpe, random, cma or qmc (tpe)")
    add("--pruner", default="halving", metavar="NAME", help="none, median, halving or hyperband")
    add(
        "--objective",
        default="val_loss",
        metavar="NAME",
        help="val_loss, val_accuracy or a scorer of scikit-learn such as roc_auc or r2; a target "
        "of numbers counts in its standard deviations (val_loss)",
    )
    add("--validation-fraction", type=real, metavar="F", help="rows to judge by (0.2)")
    add("--cv", type=whole, metavar="K", help="judge by K folds instead")
    add("--seed", type=whole, default=0, metavar="N", help="of splits, draws and weights (0)")

    storage = parser.add_argument_group("storage")
    add = storage.add_argument
    add("--storage", metavar="URL", help="of a database, by default sqlite:///DIR.db")
    add("--study-name", default="fastnn", metavar="NAME", help="in the database (fastnn)")

    add_table_options(parser)


def run(options: argparse.Namespace) -> None:
    """Read, search, train the best anew, test, write."""
    from ..utils import checks

    checks.integer("--seed", options.seed, low=0, high=2**64 - 1)
    checks.number("--test-fraction", options.test_fraction, low=0, high=1, open_high=True)
    out = _check_out(Path(options.out), options.data)
    tables()  # raises an error that says what to install
    optional.module("optuna", extra="search", need="fastnn search")
    from ..search.study.storages import without_password
    from . import preparation, scores, search_space

    say = say_nothing if options.quiet else streams.say
    table = preparation.read(options)
    if not Path(options.data).is_file():
        streams.note(f"{options.data}: the command that repeats the search needs this table again")
    n_rows, n_columns = len(table.frame), len(table.names)
    say(f"{options.data}: {count(n_rows, 'row', ',')}, {count(n_columns, 'column')}")
    prepared = preparation.prepare(table, options)
    target = prepared.preprocessing.target
    preparation.tell(prepared, options.target, say)
    _fill_in_defaults(options, out, len(prepared.train))
    say(f"searching on {count(len(prepared.train), 'row', ',')}, testing on {len(prepared.test):,}")
    storage = without_password(options.storage)
    say(f"trials: {_limits(options)}, of {count(options.epochs, 'epoch')}, in {storage}")

    build = search_space.TableNetwork(target.outputs, bool(target.classes))
    result = _search(build, prepared, options)
    say(_best_trial(result))
    network = _network_at_hand(result) if result.interrupted else None
    network = network or _best(build, result, prepared, options.seed)
    scores.tell(network, prepared)
    _write(out, network, prepared, result, options, say)
    if result.interrupted:
        raise KeyboardInterrupt(
            f"the best so far is in {out / 'model.safetensors'}; the same command goes on"
        )


def _check_out(out: Path, data: str) -> Path:
    """Return the output folder, after a check that it can be written, or can be made."""
    if out.exists() and not out.is_dir():
        raise ArgumentError(f"--out {out}: is a file, expected the name of a folder")
    around = next(folder for folder in (out, *out.absolute().parents) if folder.exists())
    check_folder(around)
    if out.exists():
        for name in _FILES:
            check_output(out / name, inputs=(data,))
    return out


def _fill_in_defaults(options: argparse.Namespace, out: Path, n_rows: int) -> None:
    """Set options that were not given, so that the command that is written has all of them."""
    from . import search_space

    if options.trials is None and options.time is None:
        options.trials = _TRIALS
    if options.epochs is None:
        options.epochs = search_space.epochs_for(n_rows)
    if options.storage is None:
        file = out.with_name(f"{out.name}.db")
        file.parent.mkdir(parents=True, exist_ok=True)
        options.storage = f"sqlite:///{file}"


def _limits(options: argparse.Namespace) -> str:
    limits = [] if options.trials is None else [f"{options.trials}"]
    limits += [] if options.time is None else [f"{options.time:g} s of time"]
    return ", at most ".join(limits)


def _search(build: TableNetwork, prepared: Prepared, options: argparse.Namespace) -> SearchResult:
    from .. import search
    from . import search_space

    try:
        return search.search(
            build,
            search_space.space(len(prepared.train)),
            prepared.x_train,
            prepared.preprocessing.target.encode(prepared.train),
            trials=options.trials,
            timeout=options.time,
            sampler=options.sampler,
            pruner=options.pruner,
            objective=options.objective,
            epochs=options.epochs,
            min_epochs=search_space.min_epochs_for(options.epochs),
            batch_size=itemgetter("batch_size"),
            validation_fraction=options.validation_fraction,
            cv=options.cv,
            seed=options.seed,
            threads=options.threads,
            storage=options.storage,
            study_name=options.study_name,
            verbose=0 if options.quiet else 1,
        )
    except ArgumentError as error:
        raise ArgumentError(_in_options(str(error), options)) from error


def _in_options(message: str, given: argparse.Namespace) -> str:
    """Return a message about an argument of `search.search` with the option's name instead."""
    from ..search.study.storages import without_password

    if " is of other data: " in message:
        where = without_password(given.storage)
        message = f"{given.data} is another file than that of the trials in {where}: {message}"
    message = message.replace("another study_name", "another --study-name, --storage or --out")
    stored = re.search(r" its seed is (\d+), ", message)  # None, for the stored one, is no option
    message = message.replace("give seed=None", f"give --seed {stored[1]}" if stored else "")
    options = {name: f"--{name.replace('_', '-')}" for name in _SEARCH_ARGUMENTS}
    options["timeout"] = "--time"
    names = "|".join(options)
    with_value = rf"(?<![\w-])({names})(?==)"
    as_subject = rf"^({names})(?= must | is | has | names | ')|(?<=^unknown )({names})"
    as_choice = rf"(?<=give )({names})(?= or )|(?<= or )({names})(?=, not both)"
    argument = rf"{with_value}|{as_subject}|{as_choice}|\bstudy_name\b"
    return re.sub(argument, lambda found: options[found[0]], message)


def _best_trial(result: SearchResult) -> str:
    """Return lines of text about the best trial."""
    best = result.best
    [(name, value)] = best.values.items()
    lines = [
        f"best of {count(len(result.trials), 'trial')}: number {best.number}, {name} {value:.5g}"
    ]
    lines += [f"  {name}: {_number(value)}" for name, value in best.params.items()]
    return "\n".join(lines)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _best(build: TableNetwork, result: SearchResult, prepared: Prepared, seed: int) -> Network:
    """Return the network of the best trial, trained again on all rows but the test rows.

    It depends on the study alone, not on which process ran which trial.
    """
    best = result.best
    network = replace(build, seed=seed)(best.params)
    y = prepared.preprocessing.target.encode(prepared.train)
    network.fit(
        prepared.x_train, y, batch_size=best.params["batch_size"], epochs=best.epochs, verbose=0
    )
    return network


def _network_at_hand(result: SearchResult) -> Network | None:
    """Return the network of the best trial as it was trained; None if it is not kept.

    It is used after Ctrl-C, in place of another training.
    """
    models = result.best.models
    return models[0] if models is not None and len(models) == 1 else None


def _write(
    out: Path,
    network: Network,
    prepared: Prepared,
    result: SearchResult,
    options: argparse.Namespace,
    say: Callable[[str], object],
) -> None:
    """Write model, command and report; after Ctrl-C no report, which takes longest."""
    from ..utils import atomic_write

    out.mkdir(parents=True, exist_ok=True)
    command = _command(options)
    replaced = existing([out / "model.safetensors"])
    network.save(out / "model.safetensors", preprocessing=prepared.preprocessing.to_dict())
    text = _instructions(command, result, options)
    atomic_write.write(out / "command.txt", [text.encode(errors="surrogateescape")])
    tell_replaced(replaced)
    say(f"model:   {out / 'model.safetensors'}")
    say(f"command: {command}")
    if not result.interrupted:
        result.report(out / "report.html", command=printable(command))
        say(f"report:  {out / 'report.html'}")


def _command(options: argparse.Namespace) -> str:
    """Return the command line with every option that the result depends on."""
    data = options.data
    words = ["fastnn", "search", f"./{data}" if data.startswith("-") and data != "-" else data]
    for name, value in vars(options).items():
        if name not in ("run", "data", "quiet", "threads"):
            for text in _as_given(name, value):
                words += _as_parsed(f"--{name.replace('_', '-')}", text)
    return shlex.join(words)


def _as_parsed(name: str, text: str | None) -> list[str]:
    """Return the words of an option; its text is None if it takes no value."""
    if text is None:
        return [name]
    return [f"{name}={text}"] if text.startswith("-") else [name, text]


def _as_given(name: str, value: Any) -> list[str | None]:
    """Return the values of an option as text, one for each time it is given."""
    from ..search.study.storages import without_password

    if value is None or value is False:
        return []
    if value is True:
        return [None]
    if isinstance(value, list):
        return [column_names.joined([name]) for name in value]
    if name == "time":
        return [f"{value:.15g}s"]
    return [without_password(value) if name == "storage" else str(value)]


def _instructions(command: str, result: SearchResult, options: argparse.Namespace) -> str:
    """Return the content of command.txt."""
    from .._version import __version__

    lines = [
        f"# fastnn {__version__}, seed {result.seed}; {count(len(result.trials), 'trial')}.",
        "# Goes on with the trials that are kept in the storage, and with all of them there writes "
        "the same",
        "# files again. To repeat the search from its beginning, give another --storage.",
    ]
    if "***" in command:
        lines.append("# Put the password of the storage in the place of ***.")
    if options.time is not None:
        ended = (result.trials["state"] != "cut short").sum()
        lines.append(
            f"# In the time given, {count(ended, 'trial')} ended: repeat it by --trials {ended}."
        )
    return "\n".join([*lines, command, ""])
