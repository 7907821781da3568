"""Recommended next steps: against problems of layers, then against bias, then against variance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..layers.sequence import nested
from ..model.base import model_of
from .bias_variance import BiasVariance
from .layer_flags import Flag
from .learning_curve import LearningCurve

if TYPE_CHECKING:
    from ..network import Network

#: Training is unfinished if the loss fell by this share over the last tenth of the epochs.
STILL_LEARNING = 0.01

#: Count of the most frequent class over that of the rarest from which on class weights are advised.
IMBALANCE = 5.0


@dataclass(frozen=True)
class Evidence:
    """The findings that advice rests on; parts that were not computed are None or empty."""

    net: Network
    errors: BiasVariance
    flags: Sequence[Flag]
    curve: LearningCurve | None
    imbalance: float | None


def next_actions(evidence: Evidence) -> tuple[str, ...]:
    """Return recommendations in the order in which to try them."""
    errors = evidence.errors
    actions = []
    if evidence.net.state.step == 0:
        actions.append("Train the network: its weights are still the initial ones.")
    if evidence.flags:
        problems = ", ".join(dict.fromkeys(flag.problem for flag in evidence.flags))
        actions.append(f"Cure what is flagged in the layers first: {problems}.")
    against_bias = _against_bias(evidence) if errors.high_bias else []
    against_variance = _against_variance(evidence) if errors.high_variance else []
    if errors.dominant == "variance":
        actions += against_variance + against_bias
    else:
        actions += against_bias + against_variance
    if errors.dominant is None:
        actions.append("Nothing urgent: test on data that neither set has seen.")
    if evidence.imbalance is not None and evidence.imbalance >= IMBALANCE:
        actions.append(
            f"Classes are uneven, {evidence.imbalance:.0f} : 1. Look at recall class by class; "
            'fit(class_weight="balanced") gives rare ones more weight.'
        )
    if errors.variance < 0 and -errors.variance > errors.threshold:
        actions.append(
            "Validation error is below training error: are both sets drawn from the same source?"
        )
    return tuple(actions)


def _against_bias(evidence: Evidence) -> list[str]:
    """Return, in Ng's order: a bigger network, better training, another architecture."""
    return [
        f"Against bias, a bigger network: {_size(evidence.net)}.",
        f"Against bias, train longer or better: {_training(evidence.net)}.",
        *_weaker_regularization(evidence.net),
        "Against bias, another architecture or better inputs.",
    ]


def _against_variance(evidence: Evidence) -> list[str]:
    """Return, in Ng's order: more data, regularisation, another architecture."""
    return [
        f"Against variance, more data{_curve(evidence.curve)}.",
        f"Against variance, regularisation: {_regularization(evidence.net)}.",
        "Against variance, augmentation: rows altered in ways that leave their target as it is.",
        "Against variance, a smaller or another architecture.",
    ]


def _size(net: Network) -> str:
    architecture = model_of(net).architecture
    matrices = {segment.layer for segment in architecture.segments if len(segment.shape) > 1}
    *hidden, _ = sorted(matrices) or [0]
    if not hidden:
        return "it has no hidden layer"
    units = "-".join(str(architecture.shapes[index + 1][-1]) for index in hidden)
    return f"more units or layers than its hidden {units}, until the training error falls"


def _training(net: Network) -> str:
    losses = net.history.get("loss", [])
    past = losses[-max(2, math.ceil(len(losses) / 10)) :]
    epochs = f"after {len(losses)} epochs" if losses else "as far as the history tells"
    if len(past) > 1 and past[-1] < (1 - STILL_LEARNING) * past[0]:
        return f"the training loss is still falling {epochs}"
    optimizer = type(net.optimizer).__name__
    rate = "fastnn.lr_find suggests a learning rate"
    return f"{rate}, Adam helps" if optimizer == "SGD" else f"{optimizer} stands still; {rate}"


def _weaker_regularization(net: Network) -> list[str]:
    strengths = ", ".join(f"{name} {strength:g}" for name, strength in _strengths(net).items())
    return [f"Against bias, less regularisation: it has {strengths}."] if strengths else []


def _regularization(net: Network) -> str:
    held, stop = _strengths(net), _best_epoch(net)
    if not held:
        return f"none so far; add Dropout, or l2 to the Dense layers, or weight_decay{stop}"
    strengths = ", ".join(f"{name} {strength:g}" for name, strength in held.items())
    missing = "".join(f", or {n}" for n in ("Dropout", "l2", "weight_decay") if n not in held)
    return f"more than it has ({strengths}){missing}{stop}"


def _strengths(net: Network) -> dict[str, float]:
    """Return the kinds of regularisation that a network has, and the largest strength of each."""
    options = [segment.options for segment in model_of(net).architecture.segments]
    strengths = {"Dropout": max(_dropout_rates(net), default=0.0)} | {
        name: max((getattr(each, name) for each in options), default=0.0)
        for name in ("l1", "l2", "weight_decay")
    }
    return {name: strength for name, strength in strengths.items() if strength}


def _dropout_rates(net: Network) -> list[float]:
    """Return the rates of all layers that drop or disturb units."""
    return [layer.rate for layer in nested(net.layers) if getattr(layer, "rate", 0)]  # type: ignore[attr-defined]


def _best_epoch(net: Network) -> str:
    """Return advice to stop earlier, if the validation loss was lower before."""
    losses = net.history.get("val_loss", [])
    finite = [value for value in losses if math.isfinite(value)]
    if len(finite) < 2 or min(finite) >= (1 - STILL_LEARNING) * finite[-1]:
        return ""
    epoch = net.history.epoch[losses.index(min(finite))]
    return f"; the validation loss was lowest in epoch {epoch}, so stop there"


def _curve(curve: LearningCurve | None) -> str:
    if curve is None or len(curve.points) < 2:
        return ""
    n_rows = curve.points[-1].rows
    if curve.still_falling:
        return f": the validation error still falls at {n_rows:,} rows"
    return f", though going up to {n_rows:,} rows no longer lowered the error"
