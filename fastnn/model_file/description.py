"""A model's description as JSON values, and back."""

from __future__ import annotations

import dataclasses
import json
import math
import reprlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .._version import __version__
from ..compiler.architecture import Architecture
from ..compiler.model_config import DTYPES, ModelConfig
from ..errors import ArgumentError, ArgumentTypeError, ModelFileError
from ..ir.program import RunState
from ..layers import Layer
from ..losses import Loss
from ..losses.custom import CustomLoss
from ..model.base import Model
from ..model.history import History
from ..optimizers import Optimizer
from ..optimizers.averaging import WeightAverage
from ..utils import checks
from .container import compact_json
from .custom_objects import CustomObjects, check_names

#: Version of the layout that the package's docstring describes.
FORMAT_VERSION = 1

#: Errors of constructors for values of the wrong kind; `ArgumentError` is among them.
_UNUSABLE = (AttributeError, OverflowError, RecursionError, TypeError, ValueError)
_MAX_COUNT = 2**48 - 1  # what the random streams leave for the number of a step or an epoch


def describe(
    model: Model, preprocessing: Mapping[str, Any] | None, training: bool
) -> dict[str, Any]:
    """Return the description of a model's file, all but the digest.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Something in it is not of JSON's types.
    """
    description = {
        "format_version": FORMAT_VERSION,
        "fastnn_version": __version__,
        "architecture": architecture_config(model, model.input_shape),
    }
    if preprocessing is not None:
        description["preprocessing"] = _preprocessing(preprocessing)
    if training:
        description["training"] = _training(model)
    return description


def check_fields(model: Model) -> None:
    """Refuse parts of a model that hold what no file can, such as an array in an own layer.

    Raises
    ------
    ArgumentTypeError
    """
    layers = zip(model.layer_names, model.layers, strict=True)
    parts = [(f"layer {name!r}", layer) for name, layer in layers]
    for part, made in (*parts, ("the loss", model.loss), ("the optimizer", model.optimizer)):
        for field, value in made.to_config().items():
            try:
                compact_json(value)
            except (TypeError, ValueError):
                raise ArgumentTypeError(
                    f"{part} cannot be saved: its field {field!r} holds {reprlib.repr(value)}; a "
                    "file takes finite numbers, text, booleans, None, and lists of them"
                ) from None


def check_version(description: Mapping[str, Any]) -> None:
    """Refuse, with `ModelFileError`, files of other versions of the format."""
    version = description.get("format_version")
    if version != FORMAT_VERSION:
        writer = description.get("fastnn_version")
        raise ModelFileError(
            f"it has format version {reprlib.repr(version)} and was written by fastnn "
            f"{reprlib.repr(writer)}, but fastnn {__version__} reads version {FORMAT_VERSION}"
        )


def model_from(description: Mapping[str, Any], custom: CustomObjects) -> tuple[Model, Architecture]:
    """Return the model that is described, without arrays, and its sizes; allocate nothing.

    Raises
    ------
    ArgumentError
        `custom` holds what the network has no use for.
    ModelFileError
        The description is incomplete, or names parts that do not exist or do not fit together.
    """
    with refusing():
        described = section(description, "architecture")
        model = _model(described, custom)
        if "preprocessing" in description:
            model.preprocessing = section(description, "preprocessing")
        if "training" in description:
            training_of(description).restore(model)
        architecture = model.architecture_for(checks.shape("input_shape", described["input_shape"]))
    custom.check_used()
    return model, architecture


@contextmanager
def refusing(what: str = "its description") -> Iterator[None]:
    """Turn what a description makes constructors raise into `ModelFileError`."""
    try:
        yield
    except ModelFileError:
        raise
    except KeyError as error:
        raise ModelFileError(f"{what} lacks {error}") from error
    except _UNUSABLE as error:
        raise ModelFileError(f"{what} cannot be used: {error!s:.400}") from error


def section(description: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the entry of that name, which must be a JSON object."""
    value = description[name]
    if not isinstance(value, dict):
        raise ModelFileError(f"its {name} is not a JSON object")
    return value


# ------------------------------------------------------------------------------------- architecture


def architecture_config(model: Model, input_shape: tuple[int, ...]) -> dict[str, Any]:
    """Return all that a model was made with, as JSON values; it need not be built."""
    check_names(model)
    average = model.weight_average
    return {
        "layers": [layer.to_config() for layer in model.layers],
        "names": list(model.layer_names),
        "loss": model.loss.to_config(),
        "optimizer": model.optimizer.to_config(),
        "metrics": [metric.to_config() for metric in model.metrics],
        "seed": model.seed,
        "dtype": model.dtype.name,
        "input_shape": list(input_shape),
        "l1": model.l1,
        "l2": model.l2,
        "max_norm": model.max_norm,
        "penalty_scale": model.penalty_scale,
        "weight_average": None if average is None else average.to_config(),
    }


def _model(described: Mapping[str, Any], custom: CustomObjects) -> Model:
    if described["dtype"] not in DTYPES:  # before NumPy sees it, whose own strings mean much more
        raise ArgumentError(f"dtype must be one of {', '.join(DTYPES)}, got {described['dtype']!r}")
    layers = [Layer.from_config(custom.filled_in(config)) for config in described["layers"]]
    loss = custom.resolved(described["loss"])
    average = described["weight_average"]
    config = ModelConfig.checked(
        layers=layers,
        loss=loss if isinstance(loss, CustomLoss) else Loss.from_config(loss),
        optimizer=Optimizer.from_config(described["optimizer"]),
        metrics=custom.metrics(described["metrics"]),
        seed=described["seed"],
        dtype=described["dtype"],
        l1=described["l1"],
        l2=described["l2"],
        max_norm=described["max_norm"],
        penalty_scale=described["penalty_scale"],
        weight_average=None if average is None else WeightAverage.from_config(average),
    )
    model = Model(config)
    if described["names"] != list(model.layer_names):
        raise ArgumentError("names do not match the layers")
    return model


# ------------------------------------------------------------------------------------ preprocessing


def _preprocessing(preprocessing: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(preprocessing, Mapping):
        raise ArgumentTypeError(f"preprocessing must be a dict, got {type(preprocessing).__name__}")
    expected = (
        "preprocessing must hold JSON's own types: dicts with string keys, lists, strings, finite "
        "numbers, booleans and None"
    )
    try:
        plain = json.loads(compact_json(dict(preprocessing)))
        unchanged = plain == dict(preprocessing)
    except TypeError as error:
        raise ArgumentTypeError(f"{expected}; {error}") from None
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{expected}; {error}") from None
    if not unchanged:  # JSON silently turns tuples into lists, and keys into strings
        raise ArgumentTypeError(f"{expected}; it has tuples, or keys that are not strings")
    return plain


# ----------------------------------------------------------------------------------------- training


@dataclasses.dataclass(frozen=True)
class Training:
    """The progress of the training of a model; `plateau` is None without `ReduceOnPlateau`."""

    state: RunState
    history: History
    plateau: dict[str, Any] | None
    updates_skipped: dict[str, int]

    def restore(self, model: Model) -> None:
        """Give it to the model."""
        plateau = model.learning_rates.plateau
        if plateau is not None:
            plateau.load_state_dict(self.plateau or {})
        model.update_architecture(model.layers, self.updates_skipped)
        model.state, model.history = self.state, self.history


def training_of(description: Mapping[str, Any]) -> Training:
    """Return the training state in a file's description; raise `ModelFileError`."""
    with refusing():
        described = section(description, "training")
        state, history = _state(described["state"]), _history(described["history"])
        skipped = _skipped(described["updates_skipped"], state.step)
        return Training(state, history, described.get("plateau"), skipped)


def _training(model: Model) -> dict[str, Any]:
    state = dataclasses.asdict(_state(dataclasses.asdict(model.state)))
    described = {
        "state": state,
        "history": _plain_history(model.history),
        "updates_skipped": model.updates_skipped,
    }
    plateau = model.learning_rates.plateau
    return described if plateau is None else described | {"plateau": plateau.state_dict()}


def _state(described: Mapping[str, Any]) -> RunState:
    return RunState(
        seed=checks.integer("seed", described["seed"], low=0, high=2**64 - 1),
        learning_rate=checks.number("learning_rate", described["learning_rate"], low=0),
        step=checks.integer("step", described["step"], low=0, high=_MAX_COUNT),
        epoch=checks.integer("epoch", described["epoch"], low=0, high=_MAX_COUNT),
    )


def _skipped(described: Mapping[str, Any], step: int) -> dict[str, int]:
    return {
        name: checks.integer("updates_skipped", count, low=-step, high=step)
        for name, count in described.items()
    }


def _plain_history(history: History) -> dict[str, Any]:
    """Return the history as JSON values; NaN and infinity, which JSON lacks, as strings."""
    values = {
        name: [float(value) if math.isfinite(value) else str(float(value)) for value in column]
        for name, column in history.items()
    }
    return {"epoch": list(history.epoch), "values": values}


def _history(described: Mapping[str, Any]) -> History:
    epochs = [checks.integer("epoch", epoch, low=0) for epoch in described["epoch"]]
    columns = {
        name: [float(value) for value in column] for name, column in described["values"].items()
    }
    if any(len(column) != len(epochs) for column in columns.values()):
        raise ArgumentError("history has columns of different lengths")
    history = History()
    for row, epoch in enumerate(epochs):
        history.append(epoch, {name: column[row] for name, column in columns.items()})
    return history
