"""The figures of every layer, from one training step on a copy of the network.

The plan is the plain one, with a probe beside each layer's ops: a Python function that reads the
layer's output as it appears, and the gradient there before the layer passes it on. It runs in the
Python executor, in an arena of its own, so nothing of the network changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..activations.named import ACTIVATIONS
from ..compiler.lowering import compile_plan
from ..execution.arena import ParameterArena
from ..execution.batches import BatchPass
from ..execution.python_executor import GRADIENT_STAGES, PythonExecutor
from ..initializers import deviation
from ..ir.builder import PlanMode
from ..ir.parameter import Segment
from ..ir.program import Ref, Result
from ..layers import Layer
from ..model.base import model_of

if TYPE_CHECKING:
    from ..data.data_set import DataSet
    from ..ir.builder import PlanBuilder, Pullback
    from ..network import Network

#: A bounded activation is saturated where its slope is below this share of its greatest: beyond
#: 0.975 in absolute value for tanh, within 0.0127 of either end for sigmoid.
SATURATED_SLOPE = 0.05

#: Slope, from the output, as a share of the greatest.
_SLOPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "sigmoid": lambda y: 4 * y * (1 - y),
    "tanh": lambda y: 1 - y * y,
}


@dataclass(frozen=True)
class LayerFigures:
    """What one training step shows of a layer.

    Attributes
    ----------
    name, kind : str
        As in ``"dense_1"``, ``"Dense (relu)"``.
    activation : str or None
    mean, std : float
        Of the layer's outputs, over the rows and units of the sample.
    dead : float
        Share of the units that are 0 on every row; NaN unless the activation is relu.
    saturated : float
        Share of the outputs where the slope is below 5 % of the greatest; NaN unless the activation
        is sigmoid or tanh.
    signal : float
        ‖∂ loss / ∂ output‖, what reaches the layer in the backward pass; NaN where nothing does.
    gradient_norm : float
        ‖∂ loss / ∂ parameters‖, before clipping; NaN for a layer without parameters.
    update_ratio : float
        ‖Δ parameters‖ / ‖parameters‖ of the optimizer's next step; NaN where there are none, where
        all are 0, or where the step would be given up.
    weight_scale : float
        Standard deviation of the weights over that of the initialiser meant for the activation (He
        for rectified units, LeCun for selu, Glorot for others); NaN where there are none.
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


#: Names of the numbers among them.
FIGURES = tuple(field.name for field in fields(LayerFigures) if field.type == "float")


class _Reading:
    """What the probes of one layer saw last."""

    def __init__(self, activation: str | None):
        self._rectified = activation == "relu"
        self._slope = _SLOPES.get(activation or "")
        self.mean = self.std = self.signal = self.dead = self.saturated = math.nan

    def see_output(self, y: np.ndarray) -> None:
        """y has shape (B, …)."""
        self.mean, self.std = float(y.mean(dtype=np.float64)), float(y.std(dtype=np.float64))
        if self._rectified:
            self.dead = float(np.mean(~y.any(axis=0)))
        if self._slope is not None:
            self.saturated = float(np.mean(self._slope(y) < SATURATED_SLOPE))

    def see_gradient(self, dy: np.ndarray) -> None:
        """dy has the shape of y."""
        self.signal = norm(dy)


@dataclass(frozen=True, eq=False)
class _Probed(Layer):
    """A layer with probes around it."""

    layer: Layer
    reading: _Reading
    name: str | None = None

    def lower(self, builder: PlanBuilder, x: Ref, *arguments: Any) -> tuple[Ref, Pullback]:
        y, pullback = self.layer.lower(builder, x, *arguments)
        builder.emit("forward", self.reading.see_output, y)

        def probed(dy: Ref, need_dx: bool) -> Ref | None:
            builder.emit("backward", self.reading.see_gradient, dy)
            return pullback(dy, need_dx)

        return y, probed


class LayerMeter:
    """Measures the layers of one built network on fixed rows, again and again.

    Layers that neither learn nor apply an activation (Flatten, Dropout) are left out.
    """

    def __init__(self, net: Network, rows: DataSet):
        self._model = model_of(net)
        architecture = self._model.architecture
        self._segments = {
            index: [s for s in architecture.segments if s.layer == index]
            for index, layer in enumerate(net.layers)
            if hasattr(layer, "activation") or any(s.layer == index for s in architecture.segments)
        }
        self._readings = {i: _Reading(_activation(net.layers[i])) for i in self._segments}
        layers = tuple(
            _Probed(layer, self._readings[i]) if i in self._readings else layer
            for i, layer in enumerate(net.layers)
        )
        probed = replace(architecture, layers=layers)
        plan = compile_plan(probed, len(rows), PlanMode(training=True, labels=rows.labels))
        self._arena = ParameterArena(architecture)
        self._executor = PythonExecutor(plan, self._arena)
        self._batch = BatchPass(rows, len(rows)).batch(0, plan)

    def measure(self) -> tuple[LayerFigures, ...]:
        """The figures at the network's present parameters, slots and step, layer by layer."""
        self._arena.copy_from(self._model.arena)
        state = replace(self._model.state)
        with np.errstate(all="ignore"):  # what overflows is to be reported, not warned of
            found = self._executor.run_stages(GRADIENT_STAGES, self._batch, state)
            finite = math.isfinite(found[Result.LOSS]) and not found[Result.NONFINITE]
            if finite:
                self._executor.run_stages(("update",), self._batch, state)
            return tuple(self._figures(index, finite) for index in self._segments)

    def _figures(self, index: int, updated: bool) -> LayerFigures:
        layer, reading = self._model.layers[index], self._readings[index]
        arena, segments = self._arena, self._segments[index]
        gradient_norm = update_ratio = math.nan
        if segments:
            parts = [slice(s.offset, s.offset + s.size) for s in segments]
            before = self._model.arena.parameters
            length = math.hypot(*(norm(before[part]) for part in parts))
            gradient_norm = math.hypot(*(norm(arena.gradients[part]) for part in parts))
            if updated and length:
                moves = (norm(arena.parameters[part] - before[part]) for part in parts)
                update_ratio = math.hypot(*moves) / length
        activation = _activation(layer)
        return LayerFigures(
            self._model.layer_names[index],
            type(layer).__name__ + (f" ({activation})" if activation else ""),
            activation,
            reading.mean,
            reading.std,
            reading.dead,
            reading.saturated,
            reading.signal,
            gradient_norm,
            update_ratio,
            self._weight_scale(activation, segments),
        )

    def _weight_scale(self, activation: str | None, segments: list[Segment]) -> float:
        matrices = [s for s in segments if s.parameter.name == "weights" and len(s.shape) == 2]
        if not matrices:
            return math.nan
        known = ACTIVATIONS.get(activation or "", ACTIVATIONS["identity"])
        [segment] = matrices
        weights = self._model.arena.view(self._model.arena.parameters, segment)
        return float(weights.std()) / deviation(known.initializer, segment.shape)


def _activation(layer: Layer) -> str | None:
    """Name of the activation that a layer applies; None if it has none."""
    activation = getattr(layer, "activation", None)
    return None if activation is None else str(activation)


def norm(array: np.ndarray) -> float:
    """Euclidean norm, also where squares of the dtype overflow or vanish."""
    limits = np.finfo(array.dtype)
    with np.errstate(over="ignore"):
        found = float(np.linalg.norm(array))
    if math.sqrt(limits.tiny) < found * limits.eps and math.isfinite(found):
        return found
    return float(np.linalg.norm(array.astype(np.float64)))
