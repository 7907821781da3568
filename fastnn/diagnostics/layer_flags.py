"""Rules that flag layers by their figures, with the likely cause and advice for each problem."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..initializers import Zeros
from ..layers.sequence import nested
from ..model.base import model_of
from .measurement import LayerFigures

if TYPE_CHECKING:
    from ..network import Network

#: Length of the gradient at a layer's output over that at the network's, below which it vanishes
#: and above which it explodes. Initialisers that keep variances (Glorot, Bengio, AISTATS 2010; He
#: et al., ICCV 2015) hold it near 1, and trained networks within a factor of some ten; at a
#: thousand, no learning rate suits both ends of the network.
VANISHING_SIGNAL, EXPLODING_SIGNAL = 1e-3, 1e3

#: ‖Δ parameters‖ / ‖parameters‖ of one step. Around 1e-3 is usual (Stanford CS231n, "ratio of
#: weights:updates"), and ten times that is normal in Adam's first steps. At 0.1 ten steps are as
#: large as the layer itself; at 1e-6 a million.
LARGE_UPDATE, SMALL_UPDATE = 0.1, 1e-6

#: Share of a layer's units that are never active, or of its outputs with a derivative near 0. Half
#: of a rectified layer's *outputs* are 0 at the start, by design; if half of its *units* are 0 on
#: every row, half of the layer computes nothing.
MANY_DEAD, MANY_SATURATED = 0.5, 0.5

#: Size of the weights over that of the initialiser for the activation. Beyond, outputs of tanh and
#: sigmoid leave the range in which their derivative is not small.
LARGE_WEIGHTS = 2.0

#: Share of the (logarithmic) change of the gradient that the size of the weights must explain to be
#: its cause.
EXPLAINED = 0.5


@dataclass(frozen=True)
class Flag:
    """A problem of some layers.

    Attributes
    ----------
    problem : str
        "vanishing gradient", "exploding gradient", "dead units", "saturated units", "large
        updates" or "small updates".
    layers : tuple of str
        From the input to the output.
    cause : str
        The likely cause: "initialisation", "learning rate", "activation", "missing normalisation",
        or another flag that explains this one ("dead units", "vanishing gradient" and so on).
    advice : str
        The observation and the cure.
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
    """Return the problems of a network's layers, gradients first.

    Parameters
    ----------
    net : Network
        The network that was measured.
    layers : sequence of LayerFigures
        From the input to the output.
    """
    last = layers[-1].signal if layers else math.nan
    measured = [_Layer(f, f.signal / last if last else math.nan) for f in layers]
    found = (rule.flag(net, measured) for rule in _RULES)
    return tuple(flag for flag in found if flag is not None)


class _Layer(NamedTuple):
    """A layer's figures, and its gain: the gradient at its output over that at the network's."""

    figures: LayerFigures
    gain: float

    def overflows(self) -> bool:
        return self.figures.signal == math.inf or not math.isfinite(self.figures.std)


@dataclass(frozen=True)
class _Problem:
    """The layers that a rule flags, and the facts that tell its causes apart."""

    net: Network
    layers: Sequence[_Layer]
    flagged: Sequence[_Layer]
    worst: _Layer

    @property
    def passed(self) -> Sequence[_Layer]:
        """Return the layers that the gradient passes on its way back to the worst layer.

        Branches are taken as if they stood in a row.
        """
        return self.layers[self.layers.index(self.worst) + 1 :]

    @property
    def passed_scale(self) -> float:
        """Return the typical size of the weights that the gradient passes."""
        return _typical_scale(self.passed or self.layers)

    @property
    def own_scale(self) -> float:
        """Return the typical size of the flagged layers' weights."""
        return _typical_scale(self.flagged)

    @property
    def growth(self) -> str:
        if not math.isfinite(self.worst.gain):
            return "Numbers overflow."
        return f"Its length grows to {self.worst.gain:.0e} × what it is at the output."

    @property
    def bounded(self) -> str:
        """Return the bounded activation that the gradient passes, "" for none."""
        names = [layer.figures.activation for layer in self.passed]
        names = [name for name in names if name in ("sigmoid", "tanh")]
        slope = " (slope at most 1/4)" if "sigmoid" in names else ""
        return f"{names[0]}{slope}" if names else ""

    def is_untrained(self) -> bool:
        return self.net.state.step == 0

    def is_normalized(self) -> bool:
        return any(layer.normalizes for layer in nested(self.net.layers))

    def has_large_steps(self) -> bool:
        return any(layer.figures.update_ratio > LARGE_UPDATE for layer in self.layers)

    def has_biases(self) -> bool:
        """Return whether a flagged layer starts from biases other than 0."""
        named = model_of(self.net).architecture.all_layers()
        layers = {name: layer for layer, name, _ in named}
        flagged = [layers[layer.figures.name] for layer in self.flagged]
        initializers = [getattr(layer, "bias_initializer", Zeros()) for layer in flagged]
        return not all(isinstance(initializer, Zeros) for initializer in initializers)

    def starts_dead(self) -> bool:
        return self.has_biases() or self.is_untrained()

    def passes_dead_units(self) -> bool:
        return any(layer.figures.dead > MANY_DEAD for layer in self.passed)

    def passes_saturated_units(self) -> bool:
        return any(layer.figures.saturated > MANY_SATURATED for layer in self.passed)

    def passes_large_weights(self) -> bool:
        return self.passed_scale > LARGE_WEIGHTS

    def passes_bounded(self) -> bool:
        return bool(self.bounded)

    def is_explained_by_weights(self) -> bool:
        """Return whether the size of the weights accounts for most of the gain."""
        gain = self.worst.gain
        if gain == 1:
            return False
        scales = [f.weight_scale for f, _ in self.passed if f.weight_scale > 0]
        if gain == 0 or not math.isfinite(gain):
            return bool(scales) and not 0.5 < statistics.median(scales) < LARGE_WEIGHTS
        return sum(map(math.log, scales)) / math.log(gain) > EXPLAINED

    def starts_exploding(self) -> bool:
        """Return whether large weights explain the gain, and large steps do not explain them."""
        large = self.passes_large_weights() or self.is_explained_by_weights()
        return large and (self.is_untrained() or not self.has_large_steps())

    def has_large_weights(self) -> bool:
        return self.own_scale > LARGE_WEIGHTS

    def any_vanishes(self) -> bool:
        return any(layer.gain < VANISHING_SIGNAL for layer in self.flagged)

    def any_explodes(self) -> bool:
        return any(layer.gain > EXPLODING_SIGNAL for layer in self.flagged)


def _typical_scale(layers: Sequence[_Layer]) -> float:
    """Return the median of the weights' sizes, 1 where no layer has weights."""
    scales = [f.weight_scale for f, _ in layers if math.isfinite(f.weight_scale)]
    return statistics.median(scales) if scales else 1.0


@dataclass(frozen=True)
class _Rule:
    """A problem that layers have under a condition, and its likely causes.

    Attributes
    ----------
    problem : str
    condition : callable
        Returns whether a layer has the problem.
    severity : callable
        Returns how badly; the texts describe the worst layer.
    observation : str
        A format string with `p` for the `_Problem`.
    causes : tuple of (cause, cure, *conditions)
        The first whose conditions hold is the likely one. Cures are format strings too.
    """

    problem: str
    condition: Callable[[_Layer], bool]
    severity: Callable[[_Layer], float]
    observation: str
    causes: tuple[tuple[str, str, *tuple[Callable[[_Problem], bool], ...]], ...]

    def flag(self, net: Network, layers: Sequence[_Layer]) -> Flag | None:
        """Return the flag of the layers that meet the condition; None if there are none."""
        flagged = [layer for layer in layers if self.condition(layer)]
        if not flagged:
            return None
        problem = _Problem(net, layers, flagged, max(flagged, key=self.severity))
        cause, cure = next(
            (cause, cure)
            for cause, cure, *conditions in self.causes
            if all(holds(problem) for holds in conditions)
        )
        names = tuple(layer.figures.name for layer in flagged)
        return Flag(self.problem, names, cause, (self.observation + cure).format(p=problem))


_OTHER_WEIGHTS = "Weights are {p.passed_scale:.2g} × what keeps the signal: use initializer='auto'"
_LARGE_WEIGHTS = (
    "Weights are {p.own_scale:.2g} × Glorot's: initializer='auto', smaller steps, or l2."
)
_SATURATED = "Most outputs it has to pass are saturated: smaller weights, or relu."
_SHRUNK = "{p.bounded} shrinks it layer by layer: use relu with He initialisation"
_FEWER = "Fewer layers, or a normalisation layer in front of each activation, keep it alive."
_CLIP = "Clip the gradient (global_clipnorm=1.0), or normalise in front of each activation."

_RULES = (
    _Rule(
        "vanishing gradient",
        lambda layer: layer.gain < VANISHING_SIGNAL,
        lambda layer: -layer.gain,
        "Its length falls to {p.worst.gain:.0e} of what it is at the output. ",
        (
            (
                "dead units",
                "Most units it has to pass are never active; see there.",
                _Problem.passes_dead_units,
            ),
            ("initialisation", f"{_OTHER_WEIGHTS}.", _Problem.is_explained_by_weights),
            (
                "initialisation",
                _SATURATED,
                _Problem.passes_saturated_units,
                _Problem.passes_large_weights,
            ),
            ("activation", _SATURATED, _Problem.passes_saturated_units),
            ("activation", f"{_SHRUNK}.", _Problem.passes_bounded, _Problem.is_normalized),
            (
                "activation",
                f"{_SHRUNK}, or a normalisation layer before each activation.",
                _Problem.passes_bounded,
            ),
            ("initialisation", _FEWER, _Problem.is_normalized),
            ("missing normalisation", _FEWER),
        ),
    ),
    _Rule(
        "exploding gradient",
        lambda layer: layer.gain > EXPLODING_SIGNAL or layer.overflows(),
        lambda layer: layer.gain,
        "{p.growth} ",
        (
            ("initialisation", f"{_OTHER_WEIGHTS} (He).", _Problem.starts_exploding),
            (
                "learning rate",
                "Steps are so large that weights run away: see the updates.",
                _Problem.has_large_steps,
            ),
            ("learning rate", _CLIP, _Problem.is_normalized),
            ("missing normalisation", _CLIP),
        ),
    ),
    _Rule(
        "dead units",
        lambda layer: layer.figures.dead > MANY_DEAD,
        lambda layer: layer.figures.dead,
        "Up to {p.worst.figures.dead:.0%} of the units are 0 on every row, and learn nothing. ",
        (
            (
                "initialisation",
                "Start from biases of 0 and He weights, on inputs of mean 0.",
                _Problem.starts_dead,
            ),
            (
                "learning rate",
                "Too large a step has pushed biases far below 0, most likely: a smaller learning "
                "rate, leaky_relu, or a normalisation layer in front.",
            ),
        ),
    ),
    _Rule(
        "saturated units",
        lambda layer: layer.figures.saturated > MANY_SATURATED,
        lambda layer: layer.figures.saturated,
        "Up to {p.worst.figures.saturated:.0%} of the outputs lie where the activation has hardly "
        "a slope. ",
        (
            ("learning rate", "Steps are too large: see the updates.", _Problem.has_large_steps),
            ("initialisation", _LARGE_WEIGHTS, _Problem.has_large_weights, _Problem.is_untrained),
            ("learning rate", _LARGE_WEIGHTS, _Problem.has_large_weights),
            (
                "missing normalisation",
                "Inputs are too large for such weights: standardise X, or normalise in front.",
            ),
        ),
    ),
    _Rule(
        "large updates",
        lambda layer: layer.figures.update_ratio > LARGE_UPDATE,
        lambda layer: layer.figures.update_ratio,
        "One step changes a layer by {p.worst.figures.update_ratio:.2g} of its size, where 0.001 "
        "to 0.01 is usual",
        (
            ("exploding gradient", "; see there.", _Problem.any_explodes),
            ("learning rate", ": a smaller learning rate (fastnn.lr_find suggests one)."),
        ),
    ),
    _Rule(
        "small updates",
        lambda layer: (
            layer.figures.update_ratio < SMALL_UPDATE and not layer.figures.dead > MANY_DEAD
        ),
        lambda layer: -layer.figures.update_ratio,
        "One step changes a layer by {p.worst.figures.update_ratio:.1g} of its size, where 0.001 "
        "is usual",
        (
            ("vanishing gradient", "; see the gradient.", _Problem.any_vanishes),
            ("learning rate", ": a larger learning rate."),
        ),
    ),
)
