"""The network: what one can do with layers, a loss and an optimizer."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np

from .augmentation import Augmentation
from .callbacks import Callback, Checkpoint
from .data import data_set
from .data.data_set import DataSet
from .errors import ArgumentError
from .model import batch_statistics, freezing, inference, input_statistics, weight_average
from .model.base import Assembly
from .model.history import History
from .training import prepare
from .training.trainer import Session, train_on_batch
from .utils import checks, foreign_names
from .utils.call_errors import explains

if TYPE_CHECKING:
    from os import PathLike

    from .activations.custom import CustomActivation
    from .losses.custom import CustomLoss


class Network(Assembly):
    """A feed-forward network that trains on NumPy arrays.

    Parameters
    ----------
    layers : sequence of Layer
    loss : str or Loss
        softmax_cross_entropy, sigmoid_cross_entropy, mean_squared_error, mean_absolute_error,
        huber, poisson or quantile, or one made by `fastnn.loss`. Cross-entropy and Poisson losses
        want a linear last layer; `predict` applies the softmax, sigmoid or exponential.
    optimizer : str or Optimizer
        The name of a class of `fastnn.optimizers` in lower case, such as adam or sgd.
    metrics : sequence of str or callable, or dict of name to callable
        accuracy, balanced_accuracy, precision, recall, f1 (means over the classes),
        precision_per_class and so on, matthews_corrcoef, roc_auc, average_precision, log_loss; for
        regression r2, explained_variance, mae, mse, rmse, mape, median_absolute_error. Each is
        scikit-learn's score of that name. Or functions of your own, see the notes.
    seed : int, optional
        In [0, 2**64). Initial weights, shuffles, dropout and augmentation are functions of it: the
        same seed gives the same bits for any number of threads. None draws one; ``Network.seed``
        tells which.
    dtype : {"float32", "float64"}
    l1, l2 : float
        Penalties for the weights of layers that have none of their own: l1 Σ|w| + ½ l2 Σw².
    max_norm : float, optional
        For such layers, the longest vector of weights of one unit; see `Dense`.
    penalty_scale : {"mean", "sum"}
        What penalties are added to: the mean of the rows' losses, so that strengths do not depend
        on the size of batches; or their weighted sum, so that each update divides strengths by the
        sum of its batch's sample weights, as scikit-learn does with its alpha.
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
        Updates that layers sat out while they were frozen; see `freeze`.
    session : Session or None
        The fit under way.
    lock : TrainingLock
        Held by whoever trains the network.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: an unknown name (with the nearest known one), a metric
        that does not fit the loss, layers whose sizes do not fit.

    Notes
    -----
    A metric of your own is a function of targets and predictions that returns a number; it is given
    ``sample_weight`` too, an array (n,) or None, if it has a parameter of that name. Predictions
    are those of `predict`, of all rows of an epoch at once. Class numbers come as targets (n,)
    beside predictions (n, classes); else both have the shape (n, outputs), or (n,) for a single
    output. `Network.load` takes it as ``custom_objects={"name": function}``.

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

    # ---------------------------------------------------------------------------------- training

    @explains
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
            Scored after each epoch, under names that begin with ``val_``, as `evaluate` does:
            `val_loss` has no penalties.
        validation_fraction : float, optional
            Share of the rows, drawn by the seed, to hold out instead of `validation_data`.
        sample_weight : array-like, shape (n,), optional
            Not negative, and not 0 for all. Losses and metrics are means Σ w l / Σ w, so only
            ratios of weights matter (up to rounding; a power of two changes no bit). With
            ``penalty_scale="sum"`` their sum matters too.
        class_weight : dict or "balanced", optional
            Factor on the weight of each class's rows, in training and in validation alike;
            "balanced" is n / (classes · rows of the class), counted in the rows to train on.
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
        verbose : {0, 1, 2} or bool
            Nothing, a progress bar, or a line per epoch.

        Returns
        -------
        History
            Loss and metrics of each epoch of this call. Training figures are those seen while the
            weights moved; `loss` is the objective, penalties included, and `val_loss` is not.

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
            After Ctrl-C. The network is usable, and ``Network.history`` holds the finished epochs.
        """
        with self.lock.held() as interrupt:
            with interrupt.allowed():
                listeners = prepare.listeners(self, callbacks, verbose)
                train, validation = prepare.data_sets(
                    self, X, y, sample_weight, class_weight, validation_data, validation_fraction
                )
                settings = prepare.settings(
                    self,
                    train,
                    batch_size=batch_size,
                    epochs=epochs,
                    shuffle=shuffle,
                    augmentation=augmentation,
                )
                session = Session(self.state.epoch, listeners, settings, train, validation)
                trainer = prepare.trainer(self, session, resume_from)
            return trainer.run(interrupt)

    def train(self, session: Session) -> History:
        """Run a fit whose data and settings are prepared and checked; what `fit` is made of.

        Raises
        ------
        DivergenceError, NetworkBusyError, KeyboardInterrupt
            As from `fit`.
        """
        with self.lock.held() as interrupt:
            with interrupt.allowed():
                trainer = prepare.trainer(self, session)
            return trainer.run(interrupt)

    @explains
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
        with self.lock.held() as interrupt:
            with interrupt.allowed():
                rows = prepare.batch(self, X, y, sample_weight, class_weight)
                pipeline = prepare.bound(augmentation, self, rows)
                prepare.warn_of_lone_rows(self, rows, len(rows))
                self.build_for(rows)
            return train_on_batch(self, rows, interrupt, pipeline)

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
        with self.lock.held() as interrupt:
            with interrupt.allowed():
                architecture = self.settle_for(X)
                learned = input_statistics.learn(
                    architecture, DataSet(data_set.inputs_for(architecture, X))
                )
            self.adopt(architecture.shapes[0], learned)
        return self

    # --------------------------------------------------------------------------------- inference

    @explains
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
        x = data_set.inputs_for(self.architecture, X)
        return inference.predict(self, x, checks.integer("batch_size", batch_size, low=1))

    @explains
    def evaluate(
        self, X: Any, y: Any, *, sample_weight: Any = None, batch_size: int = inference.BATCH_SIZE
    ) -> dict[str, float]:
        """Loss, without penalties, and metrics on given data, as a dict.

        The loss is the mean Σ w l / Σ w over all rows, of the weights w in `sample_weight`.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X, y or sample_weight cannot be used.
        NotBuiltError
            The network has neither been built nor trained.
        """
        rows = data_set.data_set(self.architecture, X, y, sample_weight)
        return inference.evaluate(self, rows, checks.integer("batch_size", batch_size, low=1))

    # ------------------------------------------------------------ frozen layers, averaged weights

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
        with self.lock.held():
            freezing.set_trainable(self, layers, False)

    def unfreeze(self, *layers: str) -> None:
        """Let training move the parameters of some layers again; the inverse of `freeze`."""
        with self.lock.held():
            freezing.set_trainable(self, layers, True)

    def averaged(self) -> AbstractContextManager[Network]:
        """A context in which the average of the weights takes the place of the weights.

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
        weight_average.require_begun(self)
        return weight_average.InPlaceOfWeights(self)

    def use_average(self) -> None:
        """Make the average of the weights the weights; raises what `averaged` does.

        Within `averaged`, whose end would undo it, it is refused with `NetworkBusyError`.

        Examples
        --------
        See `SWA`.
        """
        with self.lock.shared_with_own_fit():
            weight_average.require_elsewhere(self)
            weight_average.require_begun(self)
            weight_average.use(self)

    def update_batch_statistics(self, X: Any, *, batch_size: int = inference.BATCH_SIZE) -> None:
        """Measure anew, with the weights as they are, what `BatchNorm` layers know of their inputs.

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
        with self.lock.shared_with_own_fit() as interrupt:
            with interrupt.allowed():
                x = data_set.inputs_for(self.architecture, X)
                rows = checks.integer("batch_size", batch_size, low=1)
                measured = batch_statistics.measure(self, x, rows)
            batch_statistics.store(measured)

    # ---------------------------------------------------------------------------- files and text

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

    def summary(self, file: TextIO | None = None) -> None:
        """Print layers, output shapes, numbers of parameters, and which executor runs the network.

        Parameters
        ----------
        file : text stream, optional
            Standard output by default.
        """
        from .model.summary import summary

        print(summary(self), file=file or sys.stdout)

    def __getattr__(self, name: str) -> Any:
        hint = foreign_names.METHODS.get(name)
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
            + (f": {hint}" if hint else ""),
            name=name,
            obj=self,
        )
