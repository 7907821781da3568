"""The model: what a network is and holds between calls, from its layers to its arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from ..compiler.architecture import Architecture, infer_shapes, takes_images
from ..compiler.model_config import ModelConfig, layer_names
from ..data.data_set import DataSet
from ..errors import ArgumentError, NotBuiltError
from ..execution.arena import ParameterArena
from ..execution.executor_pool import ExecutorPool
from ..ir.program import RunState
from ..layers import Layer
from ..layers.geometry import looks_channels_first
from ..losses import Loss
from ..runtime.interrupts import DeferredInterrupt
from ..runtime.random_streams import Stream, stream_offset
from ..utils import checks
from ..utils.warn import warn_caller
from . import input_statistics
from .history import History
from .learning_rates import LearningRates
from .lock import TrainingLock
from .running_fit import RunningFit

T = TypeVar("T")


class Model:
    """Layers, a loss and an optimizer; once built, also sizes, arrays and executors.

    `fastnn.Network` is its public face and has its parameters, each of which is an attribute.

    Attributes
    ----------
    history : History
        All epochs of all fits.
    stop_training : bool
        Whether the fit under way ends after the current epoch.
    preprocessing : dict or None
        Description of how inputs were prepared, as saved with the network.
    state : RunState
        Seed, steps, epochs and learning rate so far.
    learning_rates : LearningRates
    updates_skipped : dict of str to int
        Updates during which layers were frozen; see `fastnn.model.freezing`.
    session : RunningFit or None
        The fit under way.
    lock : TrainingLock
        Held by the thread that trains the model.
    """

    def __init__(self, config: ModelConfig):
        self.layers, self.layer_names = config.layers, layer_names(config.layers)
        self.loss, self.optimizer, self.metrics = config.loss, config.optimizer, config.metrics
        self.seed, self.dtype = config.seed, config.dtype
        self.l1, self.l2, self.max_norm = config.l1, config.l2, config.max_norm
        self.penalty_scale, self.weight_average = config.penalty_scale, config.weight_average
        self.history = History()
        self.stop_training = False
        self.preprocessing: dict[str, Any] | None = None
        self.learning_rates = LearningRates(self.optimizer.learning_rate)
        self.state = RunState(self.seed, self.learning_rates.initial)
        self.updates_skipped: dict[str, int] = {}
        self.session: RunningFit | None = None
        self.lock = TrainingLock()
        self._architecture: Architecture | None = None
        self._arena: ParameterArena | None = None
        self._pool: ExecutorPool | None = None
        self._inferred: Architecture | None = None  # the latest, of a model not built yet

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"session": None}

    # ------------------------------------------------------------------------- once it is built

    @property
    def built(self) -> bool:
        """Return whether sizes are known and parameters drawn."""
        return self._pool is not None

    @property
    def architecture(self) -> Architecture:
        """Return the layers with their sizes; raise `NotBuiltError` before `build`."""
        return _of_built(self._architecture)

    @property
    def arena(self) -> ParameterArena:
        """Return the memory of parameters, gradients, optimizer slots and buffers."""
        return _of_built(self._arena)

    @property
    def executors(self) -> ExecutorPool:
        """Return the pool of plans and of executors that run them."""
        return _of_built(self._pool)

    @property
    def parameters(self) -> np.ndarray:
        """Return all parameters as one flat array, each padded with zeros; it is the memory."""
        return self.arena.parameters

    @property
    def buffers(self) -> dict[str, np.ndarray]:
        """Return views of the arrays beside parameters, by layer and name."""
        arena = self.arena
        return {s.name: arena.view(arena.buffers, s) for s in arena.buffer_segments}

    @property
    def n_parameters(self) -> int:
        """Return the number of parameters, padding not counted."""
        return sum(segment.size for segment in self.arena.segments)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Return the shape of one row of X."""
        return self.architecture.shapes[0]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Return the shape of one row of the output."""
        return self.architecture.shapes[-1]

    # ---------------------------------------------------------------------------------- building

    def build(self, input_shape: int | tuple[int, ...] | None = None) -> None:
        """Infer all sizes and draw the initial parameters; see `fastnn.Network.build`."""
        if input_shape is None:
            input_shape = self.layers[0].declared_input
        if input_shape is None:
            raise ArgumentError("input_shape is needed: the first layer does not state its input")
        shape = checks.shape("input_shape", input_shape)
        if not self.built:
            self.adopt(shape, {})
        elif shape != self.input_shape:
            raise ArgumentError(
                f"input_shape is {shape}, but the network was built for {self.input_shape}"
            )

    def build_for(self, data: DataSet) -> None:
        """Build for checked rows, whose statistics layers take that have none yet."""
        if not self.built or not input_statistics.are_known(self.arena):
            shape = data.x.shape[1:]
            self.adopt(shape, input_statistics.compute(self.architecture_for(shape), data))

    def adopt(self, input_shape: tuple[int, ...], statistics: input_statistics.Statistics) -> None:
        """Give layers the statistics of rows of this shape; build what is not built."""
        if self.built:
            with DeferredInterrupt(waiting=True):
                input_statistics.assign(self.arena, statistics)
            return
        architecture = self.architecture_for(input_shape)
        _warn_of_channels_first(architecture)
        arena = ParameterArena(architecture)
        offsets = (stream_offset(Stream.INITIALIZER, i) for i in range(len(arena.segments)))
        arena.initialize(self.seed, offsets)
        input_statistics.assign(arena, statistics)
        self.attach(architecture, arena)

    def attach(self, architecture: Architecture, arena: ParameterArena) -> None:
        """Take over the arrays that `build`, or the reader of a file, made for these sizes."""
        executors = ExecutorPool(architecture, arena)
        with DeferredInterrupt(waiting=True):
            self._architecture, self._arena, self._pool = architecture, arena, executors
            self._inferred = None

    def architecture_for(
        self, input_shape: tuple[int, ...], dtype: np.dtype | None = None
    ) -> Architecture:
        """Return the sizes it has, or would have if built for this input or in another dtype."""
        if dtype is not None and dtype != self.dtype:
            return infer_shapes(replace(self._config(), dtype=dtype), input_shape)
        if self.built:
            return self.architecture
        known = self._inferred
        if known is None or known.layers is not self.layers or known.shapes[0] != input_shape:
            known = self._inferred = infer_shapes(self._config(), input_shape)
        return known

    # --------------------------------------------------------------- other layers, the same arrays

    def update_architecture(self, layers: Sequence[Layer], updates_skipped: dict[str, int]) -> None:
        """Replace layers and `updates_skipped`, all at once; arrays must be the same."""
        layers = tuple(layers)
        if not self.built:
            self.layers, self.updates_skipped = layers, updates_skipped
            return
        config = replace(self._config(), layers=layers, updates_skipped=updates_skipped)
        architecture, arena = infer_shapes(config, self.input_shape), self.arena
        pool = ExecutorPool(architecture, arena)
        new = architecture.segments, layers, updates_skipped, architecture, pool
        with DeferredInterrupt(waiting=True):  # one statement: no error comes in between
            arena.segments, self.layers, self.updates_skipped, self._architecture, self._pool = new

    def replace_config(self, layers: Sequence[Layer], loss: Loss, l1: float, l2: float) -> None:
        """Replace layers, loss and penalties of a built model; arrays and progress stay.

        Raises
        ------
        ArgumentError
            The layers need arrays of other names or shapes; nothing is changed.
        """
        changed = {"layers": layers, "loss": loss, "l1": l1, "l2": l2, "metrics": ()}
        config = ModelConfig.checked(**vars(self._config()) | changed)
        architecture = infer_shapes(config, self.input_shape)
        if not self.arena.fits(architecture.segments, architecture.buffer_segments):
            raise ArgumentError(
                "the layers need arrays of other names or shapes than the network has; train a new "
                "one"
            )
        with DeferredInterrupt(waiting=True):
            self.layer_names, self.loss = layer_names(config.layers), config.loss
            self.l1, self.l2 = config.l1, config.l2
            self.update_architecture(config.layers, self.updates_skipped)

    def _config(self) -> ModelConfig:
        return ModelConfig(
            self.layers,
            self.loss,
            self.optimizer,
            self.metrics,
            self.seed,
            self.dtype,
            self.l1,
            self.l2,
            self.max_norm,
            self.penalty_scale,
            self.weight_average,
            self.updates_skipped,
        )


def _of_built(part: T | None) -> T:
    """Return a part of a model that only a built one has."""
    if part is None:
        raise NotBuiltError("the network has no parameters yet: call build or fit first")
    return part


class Face(Protocol):
    """An object through which users see a model: a network."""

    _model: Model


def model_of(network: Face) -> Model:
    """Return the model of a network."""
    return network._model


def _warn_of_channels_first(architecture: Architecture) -> None:
    shape = architecture.shapes[0]
    if takes_images(architecture) and looks_channels_first(shape):
        warn_caller(
            f"X looks like images with channels first; rows of shape {shape} are taken as (height, "
            "width, channels), and np.moveaxis(X, 1, -1) puts channels last"
        )
