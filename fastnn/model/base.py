"""What a network holds: its description and, once built, sizes, arrays and executors."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from .. import losses, optimizers
from ..compiler.architecture import (
    Architecture,
    check_dtype,
    check_head,
    check_layers,
    layer_names,
    settle,
)
from ..data import data_set
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
from ..training.trainer import Session
from ..utils import checks
from ..utils.call_errors import Explained
from . import input_statistics
from .history import History
from .learning_rates import LearningRates
from .lock import TrainingLock


class Assembly(metaclass=Explained):
    """Layers, a loss and an optimizer put together; `Network`, which says more, sets them to work.

    Every argument of the constructor is an attribute of the same name.
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
        self.session: Session | None = None
        self._executors: ExecutorPool | None = None
        self._settled: Architecture | None = None  # the latest, of a network not built yet
        self.lock = TrainingLock()

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"session": None}

    def clone(self) -> Self:
        """A network described as this one is, seed included, but not built and not trained."""
        arguments = inspect.signature(type(self)).parameters
        return type(self)(**{name: getattr(self, name) for name in arguments})

    # ---------------------------------------------------------------------------------- building

    @property
    def built(self) -> bool:
        """Whether sizes are settled and parameters drawn."""
        return self._executors is not None

    def build(self, input_shape: int | tuple[int, ...] | None = None) -> Self:
        """Settle all sizes and draw the initial parameters.

        Parameters
        ----------
        input_shape : int or tuple of int, optional
            Number of features, or shape of one row. May be left out if the first layer states it.

        Returns
        -------
        Network
            The network itself.

        Raises
        ------
        ArgumentError
            The shape contradicts the first layer, or the network was built for another one.
        """
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
        return self

    def build_for(self, rows: DataSet) -> None:
        """Build for checked rows, from which layers learn what they have not learned yet."""
        if not self.built or not input_statistics.adapted(self.arena):
            shape = rows.x.shape[1:]
            self.adopt(shape, input_statistics.learn(self.settled(shape), rows))

    def adopt(self, input_shape: tuple[int, ...], learned: input_statistics.Learned) -> None:
        """Let layers know what they learned from rows of this shape; build what is not built."""
        if self.built:
            with DeferredInterrupt(waiting=True):
                input_statistics.store(self.arena, learned)
            return
        architecture = self.settled(input_shape)
        arena = architecture.arena()
        offsets = (stream_offset(Stream.INITIALIZER, i) for i in range(len(arena.segments)))
        arena.initialize(self.seed, offsets)
        input_statistics.store(arena, learned)
        self.attach(architecture, arena)

    def attach(self, architecture: Architecture, arena: ParameterArena) -> None:
        """Take over the arrays that `build`, or the reader of a file, made for these sizes."""
        self._executors = ExecutorPool(architecture, arena)
        self._settled = None

    def settled(self, input_shape: tuple[int, ...], dtype: np.dtype | None = None) -> Architecture:
        """The sizes that the network has, or would have if built for this input or in a dtype."""
        if dtype is not None and dtype != self.dtype:
            return self._settle(input_shape, dtype)
        if self.built:
            return self.architecture
        known = self._settled
        if known is None or known.layers is not self.layers or known.shapes[0] != input_shape:
            known = self._settled = self._settle(input_shape, self.dtype)
        return known

    def settle_for(self, X: Any) -> Architecture:
        """The settled network, or what it would be if built for X."""
        if self.built:
            return self.architecture
        return self.settled(data_set.inputs(X, None, self.dtype).shape[1:])

    def resettle(self, layers: Sequence[Layer], updates_skipped: dict[str, int]) -> None:
        """Take on layers and `updates_skipped` that need the same arrays, all at once."""
        layers = tuple(layers)
        if not self.built:
            self.layers, self.updates_skipped = layers, updates_skipped
            return
        arena = self.arena
        architecture = self._settle(self.input_shape, self.dtype, layers, updates_skipped)
        executors = ExecutorPool(architecture, arena)
        with DeferredInterrupt(waiting=True):
            self.layers, self.updates_skipped, arena.segments, self._executors = (
                layers,
                updates_skipped,
                architecture.segments,
                executors,
            )

    def redescribe(self, layers: Sequence[Layer], loss: Loss, l1: float, l2: float) -> None:
        """Take on another description of the same arrays; the network is built.

        Weights, optimizer and progress stay.

        Raises
        ------
        ArgumentError
            The layers need arrays of other names or shapes; nothing is changed.
        """
        own: dict[str, Any] = {"optimizer": self.optimizer, "seed": self.seed, "dtype": self.dtype}
        other = Assembly(layers, loss=loss, l1=l1, l2=l2, **own)
        settled = other._settle(self.input_shape, self.dtype)
        if not self.arena.fits(settled.segments, settled.buffer_segments):
            raise ArgumentError(
                "the layers need arrays of other names or shapes than the network has; train a new "
                "one"
            )
        with DeferredInterrupt(waiting=True):
            self.layer_names, self.loss = other.layer_names, other.loss
            self.l1, self.l2 = other.l1, other.l2
            self.resettle(other.layers, self.updates_skipped)

    def _settle(
        self,
        input_shape: tuple[int, ...],
        dtype: np.dtype,
        layers: tuple[Layer, ...] | None = None,
        updates_skipped: dict[str, int] | None = None,
    ) -> Architecture:
        weight_decay = self.optimizer.weight_decay
        return settle(
            self.layers if layers is None else layers,
            self.loss,
            self.optimizer,
            dtype,
            input_shape,
            regularization=Regularization(self.l1, self.l2, weight_decay, self.max_norm or 0.0),
            weight_average=self.weight_average,
            penalty_scale=self.penalty_scale,
            skipped=self.updates_skipped if updates_skipped is None else updates_skipped,
        )

    # ----------------------------------------------------------------------------- once it is built

    @property
    def executors(self) -> ExecutorPool:
        """The network's plans, and the executors that run them."""
        if self._executors is None:
            raise NotBuiltError("the network has no parameters yet: call build or fit first")
        return self._executors

    @property
    def architecture(self) -> Architecture:
        """The network with its sizes settled; raises `NotBuiltError` before `build`."""
        return self.executors.architecture

    @property
    def arena(self) -> ParameterArena:
        """Where parameters, gradients and optimizer slots live."""
        return self.executors.arena

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row of X."""
        return self.architecture.shapes[0]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one row of the output."""
        return self.architecture.shapes[-1]

    @property
    def parameters(self) -> np.ndarray:
        """All parameters as one flat array, 64-byte aligned, each array padded with zeros.

        It is the network's own memory: writing to it between calls changes the network.
        """
        return self.arena.parameters

    @property
    def buffers(self) -> dict[str, np.ndarray]:
        """What layers keep beside parameters, such as running statistics, by layer and name.

        The arrays are the network's own memory: writing to them between calls changes the network.
        """
        arena = self.arena
        return {s.name: arena.view(arena.buffers, s) for s in arena.buffer_segments}

    @property
    def n_parameters(self) -> int:
        """Number of parameters, padding not counted."""
        return sum(segment.size for segment in self.arena.segments)

    def get_weights(self) -> list[np.ndarray]:
        """Copies of all parameter arrays, layer by layer, weights (inputs, units) before bias."""
        arena = self.arena
        return [arena.view(arena.parameters, segment).copy() for segment in arena.segments]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all parameters by arrays as `get_weights` returns them.

        Raises
        ------
        ArgumentError
            Wrong number of arrays, a wrong shape, or a value that is not finite; nothing is
            changed.
        """
        arena = self.arena
        if len(weights) != len(arena.segments):
            raise ArgumentError(
                f"weights holds {len(weights)} arrays, expected {len(arena.segments)}"
            )
        arrays = [data_set.numbers(f"weights[{i}]", w) for i, w in enumerate(weights)]
        for i, (array, segment) in enumerate(zip(arrays, arena.segments, strict=True)):
            if array.shape != segment.shape:
                raise ArgumentError(
                    f"weights[{i}] ({segment.name}) has shape {array.shape}, "
                    f"expected {segment.shape}"
                )
        with DeferredInterrupt(waiting=True):
            for array, segment in zip(arrays, arena.segments, strict=True):
                arena.view(arena.parameters, segment)[...] = array

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update.

        Can be set, by callbacks during a fit too, unless the optimizer has a schedule; the rate
        stays until it is set again, and is saved with ``optimizer=True``.
        """
        return float(self.learning_rates.next_rates(self.state, 1)[0])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.learning_rates.set(self.state, value)

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self.layers))
        return f"Network([{layers}], loss={self.loss!r}, optimizer={self.optimizer!r})"
