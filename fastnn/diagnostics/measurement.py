"""Measurement of every layer in one training step on a copy of the network.

The plan is the one without fusion, with an observer at each layer, which reads the layer's output
in the forward pass and the gradient of the loss by it in the backward pass. It runs in the Python
executor, in an arena of its own, so nothing of the network changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..activations.named import ACTIVATIONS
from ..compiler.lowering import compile_plan
from ..execution.arena import ParameterArena
from ..execution.batches import BatchPass
from ..execution.python_executor import GRADIENT_STAGES, PythonExecutor
from ..initializers import Initializer, deviation
from ..ir.builder import PlanMode
from ..ir.parameter import Segment
from ..ir.program import Result
from ..layers import Layer
from ..layers.convolution import WindowedLayer
from ..layers.sequence import Branched
from ..model.base import model_of

if TYPE_CHECKING:
    from ..compiler.architecture import Architecture
    from ..data.data_set import DataSet
    from ..network import Network

#: A bounded activation is saturated where its derivative is below this share of the largest: beyond
#: 0.975 in absolute value for tanh, within 0.0127 of either end for sigmoid.
SATURATED_DERIVATIVE = 0.05

#: Names of the parameters whose scale is measured.
WEIGHTS = ("weights", "depthwise_weights", "pointwise_weights")

#: Derivative as a share of the largest, computed from the output.
_DERIVATIVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda y: 4 * y * (1 - y),
    "tanh": lambda y: 1 - y * y,
}


@dataclass(frozen=True)
class LayerFigures:
    """Measurements of a layer in one training step.

    Attributes
    ----------
    name, kind : str
        As in ``"dense_1"``, ``"Dense (relu)"``; a layer within another is ``"residual_1/dense_1"``.
    activation : str or None
    mean, std : float
        Mean and standard deviation of the layer's outputs, over rows, positions and units.
    dead : float
        Share of the units that are 0 on every row, and of an image's or series' channels that are
        at every position too; NaN unless the activation is relu.
    saturated : float
        Share of the outputs where the derivative is below 5 % of the largest; NaN unless the
        activation is sigmoid or tanh.
    signal : float
        ‖∂ loss / ∂ output‖, the gradient that reaches the layer; NaN where none does.
    gradient_norm : float
        ‖∂ loss / ∂ parameters‖, before clipping; NaN for a layer without trainable parameters.
    update_ratio : float
        ‖Δ parameters‖ / ‖parameters‖ of the optimizer's next step; NaN where none are trainable,
        where all are 0, or where the step would be skipped because numbers are not finite.
    weight_scale : float
        Standard deviation of the weights over that of the initialiser for the activation (He for
        rectified units, LeCun for selu, Glorot for others); the product of both where a separable
        convolution has two arrays; NaN where there are none.
    """

    name: str
    kind: str
    activation: str | None
    mean: float
    std: float
    dead: float
    saturated: float
    signal: float
    gradient_norm: float
    update_ratio: float
    weight_scale: float


#: Names of the measured numbers.
FIGURES = tuple(field.name for field in fields(LayerFigures) if field.type == "float")


class _Probe:
    """Record statistics of one layer's output, and of the gradient at it."""

    def __init__(self, activation: str | None):
        self._rectified = activation == "relu"
        self._derivative = _DERIVATIVES.get(activation or "")
        self.mean = self.std = self.signal = self.dead = self.saturated = math.nan

    def record_output(self, y: np.ndarray) -> None:
        """Record y, shape (B, …)."""
        self.mean, self.std = float(y.mean(dtype=np.float64)), float(y.std(dtype=np.float64))
        if self._rectified:
            self.dead = float(np.mean(~y.any(axis=tuple(range(y.ndim - 1)))))
        if self._derivative is not None:
            self.saturated = float(np.mean(self._derivative(y) < SATURATED_DERIVATIVE))

    def record_gradient(self, dy: np.ndarray) -> None:
        """Record dy, of the shape of y."""
        self.signal = norm(dy)


class LayerMeter:
    """Measure the layers of a built network on fixed rows, any number of times.

    Layers within others count one by one, under names such as residual_1/conv2d_1. Layers without
    parameters and activation (Flatten, Dropout, pooling) are left out.
    """

    def __init__(self, net: Network, data: DataSet):
        self._model = model_of(net)
        architecture = self._model.architecture
        self._layers = {
            name: layer
            for name, layer, parameters in _single_layers(architecture)
            if hasattr(layer, "activation") or parameters
        }
        self._segments = {name: architecture.segments_of(name) for name in self._layers}
        self._probes = {name: _Probe(_activation(layer)) for name, layer in self._layers.items()}
        mode = PlanMode(training=True, labels=data.labels)
        plan = compile_plan(architecture, len(data), mode, self._probes)
        self._arena = ParameterArena(architecture)
        self._executor = PythonExecutor(plan, self._arena)
        self._batch = BatchPass(data, len(data)).batch(0, plan)

    def measure(self) -> tuple[LayerFigures, ...]:
        """Return the figures of each layer at the network's present parameters, slots and step."""
        self._arena.copy_from(self._model.arena)
        state = replace(self._model.state)
        with np.errstate(all="ignore"):  # overflow is reported, without warnings
            found = self._executor.run_stages(GRADIENT_STAGES, self._batch, state)
            finite = math.isfinite(found[Result.LOSS]) and not found[Result.NONFINITE]
            if finite:
                self._executor.run_stages(("update",), self._batch, state)
            return tuple(self._figures(name, finite) for name in self._layers)

    def _figures(self, name: str, updated: bool) -> LayerFigures:
        layer, probe = self._layers[name], self._probes[name]
        arena, segments = self._arena, self._segments[name]
        gradient_norm = update_ratio = math.nan
        if parts := [slice(s.offset, s.offset + s.size) for s in segments if s.options.trainable]:
            before = self._model.arena.parameters
            length = math.hypot(*(norm(before[part]) for part in parts))
            gradient_norm = math.hypot(*(norm(arena.gradients[part]) for part in parts))
            if updated and length:
                moves = (norm(arena.parameters[part] - before[part]) for part in parts)
                update_ratio = math.hypot(*moves) / length
        activation = _activation(layer)
        return LayerFigures(
            name,
            type(layer).__name__ + (f" ({activation})" if activation else ""),
            activation,
            probe.mean,
            probe.std,
            probe.dead,
            probe.saturated,
            probe.signal,
            gradient_norm,
            update_ratio,
            self._weight_scale(layer, segments),
        )

    def _weight_scale(self, layer: Layer, segments: list[Segment]) -> float:
        """Return the scale of a layer's weights; of two arrays in a row, the product."""
        matrices = [s for s in segments if s.own_name in WEIGHTS and len(s.shape) > 1]
        if not matrices:
            return math.nan
        initializer = _usual_initializer(layer)
        parameters = self._model.arena.parameters
        return math.prod(
            float(self._model.arena.view(parameters, s).std()) / deviation(initializer, s.shape)
            for s in matrices
        )


def _single_layers(architecture: Architecture) -> Iterator[tuple[str, Layer, bool]]:
    """Yield layers that hold no others: name, layer, and whether it has parameters."""
    for layer, name, shape in architecture.all_layers():
        if not isinstance(layer, Branched):
            yield name, layer, bool(layer.parameters(shape))


def _usual_initializer(layer: Layer) -> Initializer | str:
    """Return the initialiser that a layer's activation wants."""
    activation = _activation(layer)
    activation = activation if activation in ACTIVATIONS else "identity"
    if isinstance(layer, WindowedLayer):  # whose outputs may see few of the inputs
        usual: Any = replace(layer, activation=activation, initializer="auto")  # type: ignore[type-var]
        return usual.initializer
    return ACTIVATIONS[activation].initializer


def _activation(layer: Layer) -> str | None:
    """Return the name of a layer's activation; None if it has none."""
    activation = getattr(layer, "activation", None)
    return None if activation is None else str(activation)


def norm(array: np.ndarray) -> float:
    """Return the Euclidean norm, also where squares of the dtype overflow or underflow."""
    limits = np.finfo(array.dtype)
    with np.errstate(over="ignore"):
        found = float(np.linalg.norm(array))
    if math.sqrt(limits.tiny) < found * limits.eps and math.isfinite(found):
        return found
    return float(np.linalg.norm(array.astype(np.float64)))
