"""The part of a network that needs neither training nor files, and that callbacks know."""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self, TextIO

import numpy as np

from ..data import arrays
from ..errors import ArgumentError
from ..ir.program import RunState
from ..layers import Layer
from ..losses import Loss
from ..metrics.scoring import Metric
from ..optimizers import Optimizer
from ..optimizers.averaging import WeightAverage
from ..runtime.interrupts import DeferredInterrupt
from ..utils import checks
from ..utils.call_errors import Explained, explains
from ..utils.counting import count
from . import attributes, batch_statistics, data_sets, freezing, inference, pictures, weight_average
from .attributes import ARGUMENT, OfModel, SettableOfModel
from .base import Model
from .history import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class BaseNetwork(metaclass=Explained):
    """Base of `fastnn.Network`, and the type that callbacks know of it.

    Nothing of it is stored here: everything stands in the model.
    """

    _model: Model

    layers = OfModel[tuple[Layer, ...]](
        "The layers, in their order; `freeze` changes their `trainable`.",
        "make a new network with Network(layers, …); freeze() and unfreeze() change what is "
        "trainable",
    )
    layer_names = OfModel[tuple[str, ...]](
        "Names of the layers: those given, or dense_1, dropout_1, dense_2 …",
        "layers have an argument name, as in Dense(…, name=…)",
    )
    loss = OfModel[Loss]("The loss.")
    optimizer = OfModel[Optimizer](
        "The optimizer.", f"{ARGUMENT}. learning_rate can be set, if it has no schedule"
    )
    metrics = OfModel[tuple[Metric, ...]]("The metrics, in their order.")
    seed = OfModel[int]("The seed, as given or drawn.")
    dtype = OfModel[np.dtype]("The dtype of parameters and predictions.")
    l1 = OfModel[float]("Strength of the l1 penalty of layers without their own.")
    l2 = OfModel[float]("Strength of the l2 penalty of layers without their own.")
    max_norm = OfModel[float | None]("Limit of norms of layers without their own.")
    penalty_scale = OfModel[str]("What penalties are added to: mean or sum of losses.")
    weight_average = OfModel[WeightAverage | None]("The average of weights that is kept.")
    history = OfModel[History](
        "Loss and metrics of all epochs of all fits.", "the network that clone() returns has none"
    )
    stop_training = SettableOfModel[bool](
        "Set to True, by a callback, to end a fit after the current epoch.", checks.boolean
    )
    preprocessing = SettableOfModel[dict[str, Any] | None](
        "How inputs were prepared: a dict to save with the network, or that was; or None.",
        attributes.preprocessing,
    )
    state = OfModel[RunState](
        "Steps and epochs so far, the learning rate of the latest update, and the seed.",
        "save(…, optimizer=True) and Network.load carry it over; learning_rate can be set",
    )
    built = OfModel[bool]("True once sizes are known and parameters drawn.", "build() builds")
    input_shape = OfModel[tuple[int, ...]]("Shape of one row of X.", "build(input_shape) takes it")
    output_shape = OfModel[tuple[int, ...]](
        "Shape of one row of the output.", "it follows from the last layer"
    )
    parameters = OfModel[np.ndarray](
        """All parameters as one flat array, 64-byte aligned, each array padded with zeros.

        It is the network's own memory: writing to it between calls changes the network.
        """,
        "write to the array itself, or call set_weights()",
    )
    buffers = OfModel[dict[str, np.ndarray]](
        """Arrays beside parameters, such as running statistics, by layer and name.

        The arrays are the network's own memory: writing to them between calls changes the network.
        """,
        "write to its arrays themselves",
    )
    n_parameters = OfModel[int](
        "Number of parameters, padding not counted.", "it follows from the layers"
    )

    def __copy__(self) -> Self:
        """Return a network of the same arrays, state and history, with its own description."""
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__, _model=copy.copy(self._model))
        return twin

    # ------------------------------------------------------------------------ sizes and progress

    def build(self, input_shape: int | tuple[int, ...] | None = None) -> Self:
        """Infer all sizes and draw the initial parameters.

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
        self._model.build(input_shape)
        return self

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update.

        Can be set, by callbacks during a fit too, unless the optimizer has a schedule; the rate
        stays until it is set again, and is saved with ``optimizer=True``.
        """
        return float(self._model.learning_rates.next_rates(self._model.state, 1)[0])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._model.learning_rates.set(self._model.state, value)

    def summary(self, file: TextIO | None = None) -> None:
        """Print layers, output shapes, numbers of parameters, and which executor runs the network.

        Parameters
        ----------
        file : text stream, optional
            Standard output by default.
        """
        from .summary import summary

        print(summary(self._model), file=file or sys.stdout)

    # ----------------------------------------------------------------------------------- weights

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of all parameter arrays, layer by layer, weights (inputs, units) first."""
        arena = self._model.arena
        return [arena.view(arena.parameters, segment).copy() for segment in arena.segments]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all parameters by arrays as `get_weights` returns them.

        Raises
        ------
        ArgumentError
            Wrong number of arrays, a wrong shape, or a value that is not finite; nothing is
            changed.
        """
        arena = self._model.arena
        if len(weights) != len(arena.segments):
            raise ArgumentError(
                f"weights holds {count(len(weights), 'array')}, expected {len(arena.segments)}"
            )
        checked = [arrays.numbers(f"weights[{i}]", w) for i, w in enumerate(weights)]
        for i, (array, segment) in enumerate(zip(checked, arena.segments, strict=True)):
            if array.shape != segment.shape:
                raise ArgumentError(
                    f"weights[{i}] ({segment.name}) has shape {array.shape}, "
                    f"expected {segment.shape}"
                )
        with DeferredInterrupt(waiting=True):
            for array, segment in zip(checked, arena.segments, strict=True):
                arena.view(arena.parameters, segment)[...] = array

    # --------------------------------------------------------------------------------- inference

    @explains
    def predict(self, X: Any, *, batch_size: int = inference.BATCH_SIZE) -> np.ndarray:
        """Return predictions for the rows of X, of shape (n, outputs) and the network's dtype.

        Class probabilities for a cross-entropy loss, rates for poisson, values for the others. Safe
        to call from several threads at once.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X cannot be used.
        NotBuiltError
            The network has neither been built nor trained.
        """
        x = data_sets.inputs_for(self._model.architecture, X)
        return inference.predict(self._model, x, checks.integer("batch_size", batch_size, low=1))

    @explains
    def evaluate(
        self, X: Any, y: Any, *, sample_weight: Any = None, batch_size: int = inference.BATCH_SIZE
    ) -> dict[str, float]:
        """Return loss, without penalties, and metrics on given data, as a dict.

        The loss is the mean Σ w l / Σ w over all rows, of the weights w in `sample_weight`.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X, y or sample_weight cannot be used.
        NotBuiltError
            The network has neither been built nor trained.
        """
        data = data_sets.data_set(self._model.architecture, X, y, sample_weight)
        return inference.evaluate(
            self._model, data, checks.integer("batch_size", batch_size, low=1)
        )

    # ---------------------------------------------------------------------------------- pictures

    def plot_filters(
        self, layer: str | None = None, *, n: int = 64, ax: Axes | None = None
    ) -> Axes:
        """Draw the filters of a convolution, red where weights are positive, blue where negative.

        Filters of one channel stand side by side, those of three channels in colours; otherwise
        each has a row with a picture for each channel. Those of series are channels × time.

        Parameters
        ----------
        layer : str, optional
            Name of a convolution, as in conv2d_1 or residual_1/conv2d_1; the first by default.
        n : int
            The largest number of filters, and of channels of each, to draw.
        ax : matplotlib Axes, optional
            A new figure's by default.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            The network has no convolution, or none of that name.
        NotBuiltError
            The network has neither been built nor trained.
        MissingDependencyError
            matplotlib, of the extra ``plot``, is not installed.
        """
        return pictures.plot_filters(self._model, layer, n, ax)

    def plot_activations(
        self, x: Any, layers: str | Sequence[str] | None = None, *, n: int = 64, ax: Any = None
    ) -> list[Axes]:
        """Draw a row of X, and what layers make of it in a panel each, with all channels.

        Parameters
        ----------
        x : array-like of numbers
            One row of X, alone or as an array of one row.
        layers : str or sequence of str, optional
            Names of layers whose outputs are images or series; all convolutions by default.
        n : int
            The largest number of channels to draw of each.
        ax : matplotlib Axes or array of them, optional
            One for x and one for each layer; new ones by default.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            x cannot be used, the network has no convolution, or no such layer.
        NotBuiltError
            The network has neither been built nor trained.
        MissingDependencyError
            matplotlib, of the extra ``plot``, is not installed.
        """
        return pictures.plot_activations(self._model, x, layers, n, ax)

    # ------------------------------------------------------------ frozen layers, averaged weights

    def freeze(self, *layers: str) -> None:
        """Keep training from moving the parameters of some layers.

        No gradients are computed for them, and none at all in front of the first trainable layer.
        Their penalties, which no longer change, leave the loss. The optimizer's state waits.

        Parameters
        ----------
        *layers : str
            Names; none at all means every layer that has parameters.

        Raises
        ------
        ArgumentError
            There is no such layer, or it has no argument `trainable`; nothing is changed.
        NetworkBusyError
            The network is being trained.

        Examples
        --------
        >>> from fastnn import Dense, Network
        >>> net = Network([Dense(8, name="features"), Dense(1, name="head")], loss="huber")
        >>> net.freeze("features")
        >>> [layer.trainable for layer in net.layers]
        [False, True]
        >>> net.unfreeze()
        """
        with self._model.lock.held():
            freezing.set_trainable(self._model, layers, False)

    def unfreeze(self, *layers: str) -> None:
        """Let training move the parameters of some layers again; the inverse of `freeze`."""
        with self._model.lock.held():
            freezing.set_trainable(self._model, layers, True)

    def averaged(self) -> AbstractContextManager[Self]:
        """Return a context in which the average of the weights takes the place of the weights.

        The context may be entered again within itself. Files and copies made within it hold the
        average as their weights.

        Raises
        ------
        ArgumentError
            The network keeps no average, or has not begun to.
        NetworkBusyError
            The network is being trained by another thread. Within the context it cannot be trained.

        Examples
        --------
        See `EMA`.
        """
        weight_average.require_started(self._model)
        return weight_average.SwappedIn(self._model, self)

    def use_average(self) -> None:
        """Make the average of the weights the weights; raise what `averaged` does.

        Within `averaged`, whose end would undo it, it is refused with `NetworkBusyError`.

        Examples
        --------
        See `SWA`.
        """
        with self._model.lock.shared_with_own_fit():
            weight_average.require_not_swapped_in(self._model)
            weight_average.require_started(self._model)
            weight_average.assign_to_weights(self._model)

    def update_batch_statistics(self, X: Any, *, batch_size: int = inference.BATCH_SIZE) -> None:
        """Measure anew, with the weights as they are, the running statistics of `BatchNorm` layers.

        Running statistics are those of the weights that were trained, which an average of weights
        never met. In one pass over X, without dropout, every such layer normalises by the batch at
        hand; then its moving mean and variance are the means over the batches, each counted by its
        rows. Within `averaged`, they are the average's and last as long as the context.

        Parameters
        ----------
        X : array-like of numbers, shape (n, …)
            The training data, or enough of them.
        batch_size : int
            Large, as a variance within small batches is smaller than that of all rows.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X cannot be used, or the network has no `BatchNorm`; it is unchanged.
        NotBuiltError
            The network has neither been built nor trained.
        NetworkBusyError
            Another thread is training this network.

        References
        ----------
        Izmailov, Podoprikhin, Garipov, Vetrov, Wilson: Averaging weights leads to wider optima and
        better generalization. UAI 2018, section 3.2.

        Examples
        --------
        >>> import fastnn
        >>> from fastnn import BatchNorm, Dense, Network
        >>> X, y = [[0.0], [1.0], [4.0]], [1.0, 3.0, 9.0]
        >>> layers = [BatchNorm(), Dense(1)]
        >>> net = Network(layers, loss="huber", weight_average=fastnn.SWA(), seed=0)
        >>> history = net.fit(X, y, epochs=2, verbose=0)
        >>> net.use_average()
        >>> net.update_batch_statistics(X)
        >>> net.buffers["batchnorm_1/moving_mean"]
        array([1.6666666], dtype=float32)
        """
        with self._model.lock.shared_with_own_fit() as interrupt:
            with interrupt.allowed():
                x = data_sets.inputs_for(self._model.architecture, X)
                n_rows = checks.integer("batch_size", batch_size, low=1)
                measured = batch_statistics.measure(self._model, x, n_rows)
            batch_statistics.store(measured)
