"""What the layers' figures mean: flags, each with its likely cause and what to do about it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..initializers import Zeros
from ..layers import BatchNorm, LayerNorm
from .measurement import LayerFigures

if TYPE_CHECKING:
    from ..network import Network

#: Length of the gradient at a layer's output over that at the network's, below which it vanishes
#: and above which it explodes. Initialisers that keep variances (Glorot, Bengio, AISTATS 2010; He
#: et al., ICCV 2015) hold it near 1, and trained networks within a factor of some ten; at a
#: thousand, no learning rate suits both ends of the network.
VANISHING_SIGNAL, EXPLODING_SIGNAL = 1e-3, 1e3

#: ‖Δ parameters‖ / ‖parameters‖ of one step. Around 1e-3 is usual (Stanford CS231n, "ratio of
#: weights:updates"), and ten times that is normal in Adam's first steps. At 0.1 a layer is written
#: anew every ten steps; at 1e-6 it takes a million.
LARGE_UPDATE, SMALL_UPDATE = 0.1, 1e-6

#: Share of a layer's units that are never active, or of its outputs where the slope is nearly
#: nothing. Half of a rectified layer's *outputs* are 0 at the start, by design; that half of its
#: *units* are 0 on every row means that half of the layer computes nothing.
MANY_DEAD, MANY_SATURATED = 0.5, 0.5

#: Weights this many times as large as the initialiser for the activation draws them. Beyond,
#: outputs of tanh and sigmoid leave the range in which they have a slope.
LARGE_WEIGHTS = 2.0

#: Share of the (logarithmic) change of the gradient that the size of the weights has to explain to
#: be called its cause.
EXPLAINED = 0.5


@dataclass(frozen=True)
class Flag:
    """Something that is wrong with some layers.

    Attributes
    ----------
    problem : str
        "vanishing gradient", "exploding gradient", "dead units", "saturated units", "large
        updates" or "small updates".
    layers : tuple of str
        From the input to the output.
    cause : str
        The likely one: "initialisation", "learning rate", "activation", "missing normalisation",
        or another flag that explains this one ("dead units", "vanishing gradient" and so on).
    advice : str
        What was seen, and what to do.
    """

    problem: str
    layers: tuple[str, ...]
    cause: str
    advice: str

    def __str__(self) -> str:
        where = ", ".join(self.layers)
        if len(self.layers) > 3:
            where = f"{len(self.layers)} layers, {self.layers[0]} … {self.layers[-1]}"
        return f"{self.problem} in {where}; likely cause: {self.cause}. {self.advice}"


def find_flags(net: Network, layers: Sequence[LayerFigures]) -> tuple[Flag, ...]:
    """What is wrong, gradients first.

    Parameters
    ----------
    net : Network
        Whose layers were measured.
    layers : sequence of LayerFigures
        From the input to the output.
    """
    patient = _Patient(net, layers)
    found = (
        _vanishing(patient),
        _exploding(patient),
        _dead(patient),
        _saturated(patient),
        _large_updates(patient),
        _small_updates(patient),
    )
    return tuple(flag for flag in found if flag is not None)


@dataclass(frozen=True)
class _Patient:
    """The network and the figures of its layers."""

    net: Network
    layers: Sequence[LayerFigures]

    @property
    def normalized(self) -> bool:
        return any(isinstance(layer, (BatchNorm, LayerNorm)) for layer in self.net.layers)

    @property
    def gains(self) -> list[float]:
        """Gradient at each layer's output over that at the network's output."""
        last = self.layers[-1].signal if self.layers else math.nan
        return [figures.signal / last if last else math.nan for figures in self.layers]

    @property
    def steps_are_large(self) -> bool:
        return any(figures.update_ratio > LARGE_UPDATE for figures in self.layers)

    def between(self, index: int) -> Sequence[LayerFigures]:
        """The layers that the gradient passes on its way back to layer `index`'s output."""
        return self.layers[index + 1 :]

    def explained_by_weights(self, index: int, gain: float) -> bool:
        """Whether weights larger or smaller than meant account for most of a gain."""
        scales = [f.weight_scale for f in self.between(index) if f.weight_scale > 0]
        if gain == 0 or not math.isfinite(gain):
            return bool(scales) and not 0.5 < statistics.median(scales) < LARGE_WEIGHTS
        return sum(map(math.log, scales)) / math.log(gain) > EXPLAINED


def _vanishing(patient: _Patient) -> Flag | None:
    weak = [i for i, gain in enumerate(patient.gains) if gain < VANISHING_SIGNAL]
    if not weak:
        return None
    index = min(weak, key=lambda i: patient.gains[i])
    gain = patient.gains[index]
    seen = f"Its length falls to {gain:.0e} of what it is at the output."
    passed = patient.between(index)
    bounded = [f.activation for f in passed if f.activation in ("sigmoid", "tanh")]
    if any(f.dead > MANY_DEAD for f in passed):
        cause, cure = "dead units", "Most units it has to pass are never active; see there."
    elif patient.explained_by_weights(index, gain):
        scale = _typical_scale(passed)
        cause = "initialisation"
        cure = f"Weights are {scale:.2g} × what keeps the signal: use initializer='auto'."
    elif any(f.saturated > MANY_SATURATED for f in passed):
        cause = "initialisation" if _typical_scale(passed) > LARGE_WEIGHTS else "activation"
        cure = "Most outputs it has to pass are saturated: smaller weights, or relu."
    elif bounded:
        cause = "activation"
        slope = " (slope at most 1/4)" if "sigmoid" in bounded else ""
        cure = f"{bounded[0]}{slope} shrinks it layer by layer: use relu with He initialisation"
        cure += "." if patient.normalized else ", or a normalisation layer before each activation."
    else:
        cause = "missing normalisation" if not patient.normalized else "initialisation"
        cure = "Fewer layers, or a normalisation layer in front of each activation, keep it alive."
    return _flag("vanishing gradient", patient, weak, cause, f"{seen} {cure}")


def _exploding(patient: _Patient) -> Flag | None:
    strong = [
        i
        for i, (gain, figures) in enumerate(zip(patient.gains, patient.layers, strict=True))
        if gain > EXPLODING_SIGNAL or figures.signal == math.inf or not math.isfinite(figures.std)
    ]
    if not strong:
        return None
    index = max(strong, key=lambda i: patient.gains[i])
    gain = patient.gains[index]
    scale = _typical_scale(patient.between(index) or patient.layers)
    seen = f"Its length grows to {gain:.0e} × what it is at the output."
    if not math.isfinite(gain):
        seen = "Numbers overflow."
    ran_away = patient.net.state.step > 0 and patient.steps_are_large
    if (scale > LARGE_WEIGHTS or patient.explained_by_weights(index, gain)) and not ran_away:
        cause = "initialisation"
        cure = f"Weights are {scale:.2g} × what keeps the signal: use initializer='auto' (He)."
    elif patient.steps_are_large:
        cause, cure = "learning rate", "Steps are so large that weights run away: see the updates."
    else:
        cause = "missing normalisation" if not patient.normalized else "learning rate"
        cure = "Clip the gradient (global_clipnorm=1.0), or normalise in front of each activation."
    return _flag("exploding gradient", patient, strong, cause, f"{seen} {cure}")


def _dead(patient: _Patient) -> Flag | None:
    dead = [i for i, f in enumerate(patient.layers) if f.dead > MANY_DEAD]
    if not dead:
        return None
    share = max(patient.layers[i].dead for i in dead)
    seen = f"Up to {share:.0%} of the units are 0 on every row, and learn nothing."
    by_name = dict(zip(patient.net.layer_names, patient.net.layers, strict=True))
    biased = any(
        not isinstance(getattr(by_name[patient.layers[i].name], "bias_initializer", Zeros()), Zeros)
        for i in dead
    )
    if biased or patient.net.state.step == 0:
        cause = "initialisation"
        cure = "Start from biases of 0 and He weights, on inputs of mean 0."
    else:
        cause = "learning rate"
        cure = (
            "Too large a step has pushed biases far below 0, most likely: a smaller learning rate, "
            "leaky_relu, or a normalisation layer in front."
        )
    return _flag("dead units", patient, dead, cause, f"{seen} {cure}")


def _saturated(patient: _Patient) -> Flag | None:
    flat = [i for i, f in enumerate(patient.layers) if f.saturated > MANY_SATURATED]
    if not flat:
        return None
    share = max(patient.layers[i].saturated for i in flat)
    seen = f"Up to {share:.0%} of the outputs lie where the activation has hardly a slope."
    if patient.steps_are_large:
        cause, cure = "learning rate", "Steps are too large: see the updates."
    elif _typical_scale([patient.layers[i] for i in flat]) > LARGE_WEIGHTS:
        scale = _typical_scale([patient.layers[i] for i in flat])
        cause = "initialisation" if patient.net.state.step == 0 else "learning rate"
        cure = f"Weights are {scale:.2g} × Glorot's: initializer='auto', smaller steps, or l2."
    else:
        cause = "missing normalisation"
        cure = "Inputs are too large for such weights: standardise X, or normalise in front."
    return _flag("saturated units", patient, flat, cause, f"{seen} {cure}")


def _large_updates(patient: _Patient) -> Flag | None:
    large = [i for i, f in enumerate(patient.layers) if f.update_ratio > LARGE_UPDATE]
    if not large:
        return None
    ratio = max(patient.layers[i].update_ratio for i in large)
    advice = f"One step changes a layer by {ratio:.2g} of its size, where 0.001 to 0.01 is usual"
    if any(patient.gains[i] > EXPLODING_SIGNAL for i in large):
        return _flag("large updates", patient, large, "exploding gradient", f"{advice}; see there.")
    advice += ": a smaller learning rate (fastnn.lr_find suggests one)."
    return _flag("large updates", patient, large, "learning rate", advice)


def _small_updates(patient: _Patient) -> Flag | None:
    small = [
        i
        for i, f in enumerate(patient.layers)
        if f.update_ratio < SMALL_UPDATE and not f.dead > MANY_DEAD
    ]
    if not small:
        return None
    ratio = min(patient.layers[i].update_ratio for i in small)
    vanished = any(patient.gains[i] < VANISHING_SIGNAL for i in small)
    cause = "vanishing gradient" if vanished else "learning rate"
    advice = f"One step changes a layer by {ratio:.1g} of its size, where 0.001 is usual"
    advice += "; see the gradient." if vanished else ": a larger learning rate."
    return _flag("small updates", patient, small, cause, advice)


def _flag(problem: str, patient: _Patient, indices: Sequence[int], cause: str, advice: str) -> Flag:
    return Flag(problem, tuple(patient.layers[i].name for i in indices), cause, advice)


def _typical_scale(layers: Sequence[LayerFigures]) -> float:
    """Median of the weights' sizes, 1 where no layer has weights."""
    scales = [f.weight_scale for f in layers if math.isfinite(f.weight_scale)]
    return statistics.median(scales) if scales else 1.0
