"""The network: layers, a loss and an optimizer, with the arrays and the state they train."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from . import (
    adaptation,
    averaging,
    checks,
    data,
    freezing,
    full_batch,
    inference,
    losses,
    optimizers,
    resuming,
)
from . import metrics as scoring
from .architecture import Architecture, check_dtype, check_head, check_layers, layer_names, settle
from .augmentation import Augmentation, augmentation_of
from .augmentation.pipeline import Pipeline
from .averaging import WeightAverage
from .callbacks import Callback, CallbackList, Checkpoint, EpochLines, ProgressBar
from .data import DataSet
from .errors import ArgumentError, ArgumentTypeError, NetworkBusyError, NotBuiltError
from .executor_pool import ExecutorPool
from .history import History
from .layers import Layer
from .learning_rates import LearningRates
from .losses import Loss
from .optimizers import Optimizer
from .parameters import ParameterArena, Regularization
from .plan import RunState
from .randomness import Stream, check_seed, stream_offset
from .training import FitSettings, Session, Trainer, train_on_batch

if TYPE_CHECKING:
    from os import PathLike

    from .custom import CustomActivation, CustomLoss


class Network:
    """A feed-forward network that trains on NumPy arrays.

    Parameters
    ----------
    layers : sequence of Layer
    loss : str or Loss
        softmax_cross_entropy, sigmoid_cross_entropy, mean_squared_error, mean_absolute_error,
        huber, poisson or quantile, or one made by `fastnn.loss`. Cross-entropy and Poisson losses
        want a linear last layer; `predict` applies the softmax, sigmoid or exponential.
    optimizer : str or Optimizer
        sgd, adagrad, rmsprop, lion, adam, adamw, nadam, radam or lbfgs.
    metrics : sequence of str
        accuracy, precision, recall, f1 (means over the classes), precision_per_class and so on; r2
        and mae for regression.
    seed : int, optional
        In [0, 2**64). Initial weights, shuffles, dropout and augmentation are functions of it: the
        same seed gives the same bits for any number of threads. None draws one; `Network.seed`
        tells which.
    dtype : {"float32", "float64"}
    l1, l2 : float
        Penalties for the weights of layers that have none of their own: l1 Σ|w| + ½ l2 Σw².
    max_norm : float, optional
        For such layers, the longest vector of weights of one unit; see `Dense`.
    weight_average : EMA or SWA, optional
        An average of the weights to keep while training; `averaged` and `use_average` apply it, and
        validation during a fit sees it.

    Attributes
    ----------
    history : History
        All epochs of all fits.
    stop_training : bool
        Set to True, by a callback, to end a fit after the current epoch.
    preprocessing : dict or None
        Whatever was saved with the network to prepare its inputs.
    updates_skipped : dict of str to int
        Updates that layers sat out while they were frozen; `fastnn.freezing` keeps the account.
    session : Session or None
        The fit under way.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: an unknown name (with the nearest known one), a metric
        that does not fit the loss, layers whose sizes do not fit.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastnn import Dense, Network
    >>> X, y = load_digits(return_X_y=True)
    >>> net = Network([Dense(32, "relu"), Dense(10)], loss="softmax_cross_entropy", seed=0)
    >>> history = net.fit(X / 16, y, epochs=5, verbose=0)
    >>> net.predict(X[:1] / 16).argmax()
    np.int64(0)
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        *,
        loss: str | Loss,
        optimizer: str | Optimizer = "adam",
        metrics: Sequence[str] = (),
        seed: int | None = None,
        dtype: Any = "float32",
        l1: float = 0.0,
        l2: float = 0.0,
        max_norm: float | None = None,
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
        self.l1 = checks.real("l1", l1, low=0)
        self.l2 = checks.real("l2", l2, low=0)
        self.max_norm = max_norm
        if max_norm is not None:
            self.max_norm = checks.real("max_norm", max_norm, low=0, open_low=True)
        self.weight_average = averaging.get(weight_average)
        if self.weight_average is not None and self.optimizer.full_batch:
            raise ArgumentError(
                f"weight_average is for optimizers that take many steps, got {self.optimizer}"
            )
        self.history = History()
        self.stop_training = False
        self.preprocessing: dict[str, Any] | None = None
        self.learning_rates = LearningRates(self.optimizer.learning_rate)
        self.state = RunState(self.seed, self.learning_rates.initial)
        self.updates_skipped: dict[str, int] = {}
        self.session: Session | None = None
        self._architecture: Architecture | None = None
        self._arena: ParameterArena | None = None
        self._executors: ExecutorPool | None = None
        self._training_lock = threading.Lock()
        self._trainer: int | None = None  # thread that holds the lock

    # ---------------------------------------------------------------------------------- building

    @property
    def built(self) -> bool:
        """Whether sizes are settled and parameters drawn."""
        return self._arena is not None

    def build(self, input_shape: int | tuple[int, ...] | None = None) -> Network:
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
        declared = self.layers[0].declared_input
        if input_shape is None:
            if declared is None:
                raise ArgumentError(
                    "input_shape is needed: the first layer does not state its input"
                )
            input_shape = declared
        shape = checks.shape("input_shape", input_shape)
        if self._architecture is not None:
            if shape != self.input_shape:
                raise ArgumentError(
                    f"input_shape is {shape}, but the network was built for {self.input_shape}"
                )
            return self
        architecture = self.settled(shape)
        arena = architecture.arena()
        offsets = (stream_offset(Stream.INITIALIZER, i) for i in range(len(arena.segments)))
        arena.initialize(self.seed, offsets)
        self.attach(architecture, arena)
        return self

    def clone(self) -> Network:
        """A network described as this one is, seed included, but not built and not trained."""
        return Network(
            self.layers,
            loss=self.loss,
            optimizer=self.optimizer,
            metrics=[metric.name for metric in self.metrics],
            seed=self.seed,
            dtype=self.dtype,
        )

    def attach(self, architecture: Architecture, arena: ParameterArena) -> None:
        """Take over the arrays that `build`, or the reader of a file, made for these sizes."""
        executors = ExecutorPool(architecture, arena)
        self._architecture, self._arena, self._executors = architecture, arena, executors

    def settled(self, input_shape: tuple[int, ...], dtype: np.dtype | None = None) -> Architecture:
        """The sizes that the network has, or would have if built for this input or in a dtype."""
        if self._architecture is not None and (dtype is None or dtype == self.dtype):
            return self._architecture
        return self._settle(input_shape, self.dtype if dtype is None else dtype)

    def _settle(self, input_shape: tuple[int, ...], dtype: np.dtype) -> Architecture:
        weight_decay = self.optimizer.weight_decay
        return settle(
            self.layers,
            self.loss,
            self.optimizer,
            dtype,
            input_shape,
            regularization=Regularization(self.l1, self.l2, weight_decay, self.max_norm or 0.0),
            weight_average=self.weight_average,
            skipped=self.updates_skipped,
        )

    def resettle(self) -> None:
        """Take note of what has become of layers and `updates_skipped`; the network is built."""
        architecture = self._settle(self.input_shape, self.dtype)
        self.arena.segments = architecture.segments
        self.attach(architecture, self.arena)

    @property
    def architecture(self) -> Architecture:
        """The network with its sizes settled; raises `NotBuiltError` before `build`."""
        if self._architecture is None:
            raise NotBuiltError("the network has no parameters yet: call build or fit first")
        return self._architecture

    @property
    def arena(self) -> ParameterArena:
        """Where parameters, gradients and optimizer slots live."""
        if self._arena is None:
            raise NotBuiltError("the network has no parameters yet: call build or fit first")
        return self._arena

    @property
    def executors(self) -> ExecutorPool:
        """The network's plans, and the executors that run them."""
        if self._executors is None:
            raise NotBuiltError("the network has no parameters yet: call build or fit first")
        return self._executors

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one row of X."""
        return self.architecture.shapes[0]

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of one row of the output."""
        return self.architecture.shapes[-1]

    # -------------------------------------------------------------------------------- parameters

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
        arrays = [data.numbers(f"weights[{i}]", w) for i, w in enumerate(weights)]
        for i, (array, segment) in enumerate(zip(arrays, arena.segments, strict=True)):
            if array.shape != segment.shape:
                raise ArgumentError(
                    f"weights[{i}] ({segment.name}) has shape {array.shape}, "
                    f"expected {segment.shape}"
                )
        for array, segment in zip(arrays, arena.segments, strict=True):
            arena.view(arena.parameters, segment)[...] = array

    def freeze(self, *layers: str) -> None:
        """Keep training from moving the parameters of some layers.

        No gradients are computed for them, and none at all in front of the first layer that learns.
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
        self._set_trainable(layers, False)

    def unfreeze(self, *layers: str) -> None:
        """Let training move the parameters of some layers again; the inverse of `freeze`."""
        self._set_trainable(layers, True)

    def _set_trainable(self, layers: tuple[str, ...], trainable: bool) -> None:
        with self._training():
            freezing.set_trainable(self, layers, trainable)
            if self._architecture is not None:
                self.resettle()

    @contextmanager
    def averaged(self) -> Iterator[Network]:
        """A context in which the average of the weights takes the place of the weights.

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
        averaging.require_begun(self)
        with self._not_training_elsewhere(), averaging.in_place_of_weights(self):
            yield self

    def use_average(self) -> None:
        """Make the average of the weights the weights; raises what `averaged` does.

        Examples
        --------
        See `SWA`.
        """
        averaging.require_begun(self)
        with self._not_training_elsewhere():
            averaging.use(self)

    # ---------------------------------------------------------------------------------- training

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next update.

        Can be set, by callbacks during a fit too, unless the optimizer has a schedule; the rate
        stays until it is set again, and is saved with ``optimizer=True``.
        """
        return float(self.learning_rates.upcoming(self.state, 1)[0])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self.learning_rates.set(self.state, value)

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        batch_size: int | None = 32,
        epochs: int = 1,
        validation_data: tuple[Any, ...] | None = None,
        validation_fraction: float | None = None,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | str | None = None,
        shuffle: bool = True,
        augmentation: Augmentation | Sequence[Augmentation] | None = None,
        callbacks: Iterable[Callback] = (),
        resume_from: str | PathLike[str] | Checkpoint | None = None,
        verbose: int = 1,
    ) -> History:
        """Train for a number of epochs; a second call goes on where the first stopped.

        Parameters
        ----------
        X : array-like of numbers, shape (n, …)
            Converted to the network's dtype if it is of another; never changed.
        y : array-like of numbers
            Class numbers (n,) or class probabilities (n, outputs) for softmax_cross_entropy; (n,)
            or (n, outputs) for the other losses.
        batch_size : int or None
            Rows per update; None, or more than there are, takes all rows at once.
        epochs : int
        validation_data : (X, y) or (X, y, sample_weight), optional
            Scored after each epoch, under names that begin with ``val_``.
        validation_fraction : float, optional
            Share of the rows, drawn by the seed, to hold out instead of `validation_data`.
        sample_weight : array-like, shape (n,), optional
            Not negative. The loss of a batch is Σ w l / Σ w.
        class_weight : dict or "balanced", optional
            Factor on the weight of each class's rows; "balanced" is n / (classes · rows of the
            class).
        shuffle : bool
            Whether to visit the rows in a new order each epoch (a single batch of all rows needs
            none).
        augmentation : Augmentation or list of them, optional
            Random changes to the rows of each batch, see `fastnn.augmentation`. Validation data
            stay as they are.
        callbacks : iterable of Callback
        resume_from : path-like or Checkpoint, optional
            A file that a `fastnn.Checkpoint` wrote in a fit that was interrupted. Network,
            arguments and callbacks must be as they were then, but for `epochs`, which counts those
            that were done already; the outcome has the bits of a fit that was never interrupted. A
            path must exist; a `Checkpoint` stands for its file if that exists, and for a new
            beginning if not.
        verbose : {0, 1, 2}
            Nothing, a progress bar, or a line per epoch.

        Returns
        -------
        History
            Loss and metrics of each epoch of this call. Training figures are those seen while the
            weights moved; losses include penalties.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            An argument cannot be used, or is not that of the fit to resume; the network is
            unchanged. Or the optimizer's schedule gives a negative or non-finite rate; the message
            has the step, before which training stopped.
        DivergenceError
            The loss or a gradient became non-finite; the last finite weights are kept.
        ModelFileError, OSError
            The file to resume from is damaged or missing, or was not written by a `Checkpoint`.
        NetworkBusyError
            Another thread is training this network.
        KeyboardInterrupt
            After Ctrl-C. The network is usable, and `Network.history` holds the finished epochs.
        """
        epochs = checks.integer("epochs", epochs, low=1)
        shuffle = checks.flag("shuffle", shuffle)
        verbose = checks.integer("verbose", verbose, low=0, high=2)
        if batch_size is not None:
            batch_size = checks.integer("batch_size", batch_size, low=1)
        if self.optimizer.full_batch:
            full_batch.refuse(self.optimizer, resume_from=resume_from, augmentation=augmentation)
            batch_size = None
        listeners = CallbackList([*callbacks, *_reporters(verbose)], self)
        with self._training():
            train, validation = self._training_data(
                X, y, sample_weight, class_weight, validation_data, validation_fraction
            )
            rows = min(batch_size or len(train), len(train))
            settings = FitSettings(epochs, rows, shuffle, self._bound(augmentation, train))
            if self.learning_rates.plateau is not None:
                self.learning_rates.plateau.monitor.check_available(validation is not None)
            session = Session(self.state.epoch, listeners, settings, train, validation)
            saved = resuming.read(resume_from, self, train.x.shape[1:], session)
            self.build_for(train)
            self.stop_training = False
            if saved is not None:
                saved.restore(self, listeners.stateful())
                session.first_epoch = saved.fit["first_epoch"]
            trainer = full_batch.FullBatchTrainer if self.optimizer.full_batch else Trainer
            return trainer(self, session).run()

    def train_on_batch(
        self,
        X: Any,
        y: Any,
        *,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | str | None = None,
        augmentation: Augmentation | Sequence[Augmentation] | None = None,
    ) -> dict[str, float]:
        """One update on all rows of (X, y); returns loss and metrics from before the update.

        Parameters and errors are those of `fit`; the epoch count does not move. `LBFGS`, which does
        not take single steps, is refused.
        """
        if self.optimizer.full_batch:
            raise ArgumentError(
                f"train_on_batch takes one step; {self.optimizer} needs a whole fit"
            )
        with self._training():
            rows, _ = self._training_data(X, y, sample_weight, class_weight)
            pipeline = self._bound(augmentation, rows)
            self.build_for(rows)
            return train_on_batch(self, rows, pipeline)

    def _training_data(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Any,
        validation_data: Any = None,
        validation_fraction: float | None = None,
    ) -> tuple[DataSet, DataSet | None]:
        """Check everything before the network is built or changed."""
        if validation_data is not None and validation_fraction is not None:
            raise ArgumentError("give validation_data or validation_fraction, not both")
        architecture = self.settle_for(X)
        train = self._data_set(architecture, X, y, sample_weight, class_weight)
        validation = None
        if validation_data is not None:
            if not isinstance(validation_data, tuple) or len(validation_data) not in (2, 3):
                raise ArgumentTypeError(
                    "validation_data must be (X, y) or (X, y, sample_weight), "
                    f"got {type(validation_data).__name__}"
                )
            X_val, y_val, *weight = validation_data
            validation = self._data_set(architecture, X_val, y_val, *weight)
        elif validation_fraction is not None:
            train, validation = data.split(train, validation_fraction, self.seed)
        return train, validation

    def build_for(self, rows: DataSet) -> None:
        """Build for checked rows, from which layers learn what they have not learned yet."""
        if not self.built or not adaptation.adapted(self.arena):
            shape = rows.x.shape[1:]
            learned = adaptation.learn(self._architecture or self.settled(shape), rows)
            self.build(shape)
            adaptation.store(self.arena, learned)

    def _bound(self, augmentation: Any, rows: DataSet) -> Pipeline | None:
        """An augmentation tied to the rows of a data set, before anything is built."""
        if augmentation is None:
            return None
        described = augmentation_of("augmentation", augmentation)
        shape = rows.x.shape[1:]
        (outputs,) = (self._architecture or self.settled(shape)).shapes[-1]
        return described.bind(shape, self.dtype, outputs, rows.labels)

    def settle_for(self, X: Any) -> Architecture:
        """The settled network, or what it would be if built for X."""
        if self._architecture is not None:
            return self._architecture
        return self.settled(data.inputs(X, None, self.dtype).shape[1:])

    def _data_set(
        self, net: Architecture, X: Any, y: Any, sample_weight: Any = None, class_weight: Any = None
    ) -> DataSet:
        rows = data.data_set(
            X,
            y,
            sample_weight,
            class_weight,
            shape=net.shapes[0],
            outputs=net.shapes[-1][0],
            loss=self.loss,
            dtype=self.dtype,
        )
        net.check_inputs(rows.x)
        return rows

    @contextmanager
    def _training(self) -> Iterator[None]:
        if not self._training_lock.acquire(blocking=False):
            raise NetworkBusyError("the network is being trained, or looked at through its average")
        self._trainer = threading.get_ident()
        try:
            yield
        finally:
            self._trainer = None
            self._training_lock.release()

    @contextmanager
    def _not_training_elsewhere(self) -> Iterator[None]:
        """As `_training`; but callbacks of a fit, which run in its thread, may enter."""
        if self._trainer == threading.get_ident():
            yield
        else:
            with self._training():
                yield

    def adapt(self, X: Any) -> Network:
        """Learn anew what layers such as `Normalization` take from the training data.

        `fit` does it by itself when nothing has been learned yet. The network is built if it was
        not.

        Parameters
        ----------
        X : array-like of numbers, shape (n, …)

        Returns
        -------
        Network
            The network itself.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X cannot be used; the network is unchanged.
        NetworkBusyError
            Another thread is training this network.
        """
        with self._training():
            architecture = self.settle_for(X)
            x = data.inputs(X, architecture.shapes[0], self.dtype)
            architecture.check_inputs(x)
            learned = adaptation.learn(architecture, DataSet(x))
            self.build(architecture.shapes[0])
            adaptation.store(self.arena, learned)
        return self

    # --------------------------------------------------------------------------------- inference

    def predict(self, X: Any, *, batch_size: int = inference.BATCH_SIZE) -> np.ndarray:
        """Predictions for the rows of X, of shape (n, outputs) and the network's dtype.

        Class probabilities for a cross-entropy loss, rates for poisson, values for the others. Safe
        to call from several threads at once.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X cannot be used.
        NotBuiltError
            The network has neither been built nor trained.
        """
        x = data.inputs(X, self.input_shape, self.dtype)
        self.architecture.check_inputs(x)
        return inference.predict(self, x, checks.integer("batch_size", batch_size, low=1))

    def evaluate(
        self, X: Any, y: Any, *, sample_weight: Any = None, batch_size: int = inference.BATCH_SIZE
    ) -> dict[str, float]:
        """Loss, penalties included, and metrics on given data, as a dict.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X, y or sample_weight cannot be used.
        NotBuiltError
            The network has neither been built nor trained.
        """
        rows = self._data_set(self.architecture, X, y, sample_weight)
        return inference.evaluate(self, rows, checks.integer("batch_size", batch_size, low=1))

    # --------------------------------------------------------------------------- files and copies

    def save(
        self,
        path: str | PathLike[str],
        *,
        optimizer: bool = False,
        preprocessing: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the network to a safetensors file; see `fastnn.serialization.save`."""
        from .serialization import save

        save(self, path, optimizer=optimizer, preprocessing=preprocessing)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        custom_objects: Mapping[str, CustomActivation | CustomLoss] | None = None,
    ) -> Network:
        """Read a network from a file that `save` wrote; see `fastnn.serialization.load`."""
        from .serialization import load

        return load(path, custom_objects)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_executors"], state["_training_lock"], state["_trainer"]
        return state | {"session": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._executors = None
        if self._architecture is not None and self._arena is not None:
            self._executors = ExecutorPool(self._architecture, self._arena)
        self._training_lock = threading.Lock()
        self._trainer = None

    # ------------------------------------------------------------------------------------ display

    def summary(self, file: TextIO | None = None) -> None:
        """Print layers, output shapes, numbers of parameters, and which executor runs the network.

        Parameters
        ----------
        file : text stream, optional
            Standard output by default.
        """
        from .summary import summary

        print(summary(self), file=file or sys.stdout)

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self.layers))
        return f"Network([{layers}], loss={self.loss!r}, optimizer={self.optimizer!r})"


def _reporters(verbose: int) -> list[Callback]:
    reporters: dict[int, list[Callback]] = {0: [], 1: [ProgressBar()], 2: [EpochLines()]}
    return reporters[verbose]
