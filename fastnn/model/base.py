"""The model: what a network is and holds between calls, from its layers to its arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from .. import losses, optimizers
from ..compiler.architecture import (
    Architecture,
    ModelConfig,
    check_dtype,
    check_head,
    check_layers,
    infer_shapes,
    layer_names,
)
from ..data.data_set import DataSet
from ..errors import ArgumentError, NotBuiltError
from ..execution.arena import ParameterArena
from ..execution.executor_pool import ExecutorPool
from ..ir.parameter import PENALTY_SCALES, Regularization
from ..ir.program import RunState
from ..layers import Layer
from ..losses import Loss
from ..metrics import scoring
from ..optimizers import Optimizer, averaging
from ..optimizers.averaging import WeightAverage
from ..runtime.interrupts import DeferredInterrupt
from ..runtime.random_streams import Stream, check_seed, stream_offset
from ..utils import checks
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

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        loss: str | Loss,
        optimizer: str | Optimizer = "adam",
        metrics: Sequence[Any] | Mapping[str, Any] = (),
        seed: int | None = None,
        dtype: Any = "float32",
        l1: float = 0.0,
        l2: float = 0.0,
        max_norm: float | None = None,
        penalty_scale: str = "mean",
        weight_average: WeightAverage | None = None,
    ):
        self.layers = check_layers(layers)
        self.layer_names = layer_names(self.layers)
        self.loss = losses.get(loss)
        check_head(self.layers[-1], self.loss)
        self.optimizer = optimizers.get(optimizer)
        self.metrics = scoring.get(metrics, self.loss.task)
        self.seed = check_seed(seed)
        self.dtype = check_dtype(dtype)
        self.l1 = checks.number("l1", l1, low=0)
        self.l2 = checks.number("l2", l2, low=0)
        self.max_norm = max_norm
        if max_norm is not None:
            self.max_norm = checks.number("max_norm", max_norm, low=0, open_low=True)
        checks.one_of("penalty_scale", penalty_scale, dict.fromkeys(PENALTY_SCALES))
        self.penalty_scale = penalty_scale
        self.weight_average = averaging.get(weight_average, self.optimizer)
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
        own: dict[str, Any] = {"optimizer": self.optimizer, "seed": self.seed, "dtype": self.dtype}
        other = Model(layers, loss=loss, l1=l1, l2=l2, **own)
        architecture = other.architecture_for(self.input_shape)
        if not self.arena.fits(architecture.segments, architecture.buffer_segments):
            raise ArgumentError(
                "the layers need arrays of other names or shapes than the network has; train a new "
                "one"
            )
        with DeferredInterrupt(waiting=True):
            self.layer_names, self.loss = other.layer_names, other.loss
            self.l1, self.l2 = other.l1, other.l2
            self.update_architecture(other.layers, self.updates_skipped)

    def _config(self) -> ModelConfig:
        weight_decay = self.optimizer.weight_decay
        return ModelConfig(
            self.layers,
            self.loss,
            self.optimizer,
            self.dtype,
            Regularization(self.l1, self.l2, weight_decay, self.max_norm or 0.0),
            self.weight_average,
            self.penalty_scale,
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
