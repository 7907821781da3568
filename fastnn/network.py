"""The network: the public face of a model, which it trains, saves and loads."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from .augmentation import Augmentation
from .callbacks import Callback, Checkpoint
from .compiler.model_config import ModelConfig
from .data.data_set import DataSet
from .errors import ArgumentError
from .layers import Layer
from .losses import Loss
from .model import data_sets, input_statistics
from .model.base import Model
from .model.base_network import BaseNetwork
from .model.history import History
from .optimizers import Optimizer
from .optimizers.averaging import WeightAverage
from .training import prepare, start
from .training.arguments import FitArguments, FitData
from .training.trainer import train_on_batch
from .utils import foreign_names
from .utils.call_errors import explains

if TYPE_CHECKING:
    from os import PathLike

    from .model_file.custom_objects import CustomObject


class Network(BaseNetwork):
    """A feed-forward network that trains on NumPy arrays.

    Parameters
    ----------
    layers : sequence of Layer
    loss : str or Loss
        softmax_cross_entropy, sigmoid_cross_entropy, mean_squared_error, mean_absolute_error,
        huber, poisson or quantile, or one made by `fastnn.loss`. Cross-entropy and Poisson losses
        want a linear last layer; `predict` applies the softmax, sigmoid or exponential.
    optimizer : str or Optimizer
        The name of a class of ``fastnn.optimizers`` in lower case, such as adam or sgd.
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
        Whatever was saved with the network to prepare its inputs; can be set, for `save`.
    state : RunState
        Numbers of steps and epochs so far (`step`, `epoch`), and the learning rate of the latest
        update.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: an unknown name (with the nearest known one), a metric
        that does not fit the loss, layers whose sizes do not fit.

    Notes
    -----
    The arguments are attributes too, which cannot be set.

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
        config = ModelConfig.checked(
            layers=layers,
            loss=loss,
            optimizer=optimizer,
            metrics=metrics,
            seed=seed,
            dtype=dtype,
            l1=l1,
            l2=l2,
            max_norm=max_norm,
            penalty_scale=penalty_scale,
            weight_average=weight_average,
        )
        self._model = Model(config)

    def clone(self) -> Self:
        """Return a network of the same description, seed included, that is not built."""
        arguments = inspect.signature(type(self)).parameters
        return type(self)(**{name: getattr(self, name) for name in arguments})

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
            Not negative, and not 0 for all. Losses and metrics are means Σ w l / Σ w, over each
            batch and over the epoch, both in training and in validation, so only ratios of weights
            matter (up to rounding; a power of two changes no bit). With ``penalty_scale="sum"``
            their sum matters too.
        class_weight : dict or "balanced", optional
            Factor on the weight of each class's rows, both in training and in validation;
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
        model = self._model
        with model.lock.held() as interrupt:
            with interrupt.allowed():
                data = FitData(
                    X,
                    y,
                    sample_weight=sample_weight,
                    class_weight=class_weight,
                    validation_data=validation_data,
                    validation_fraction=validation_fraction,
                )
                arguments = FitArguments(
                    data=data,
                    callbacks=prepare.listeners(self, callbacks, verbose),
                    batch_size=batch_size,
                    epochs=epochs,
                    shuffle=shuffle,
                    augmentation=augmentation,
                )
                session = prepare.prepare(model, arguments)
                trainer = start.trainer(model, session, resume_from)
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
        """Take one step on all rows of (X, y); return loss and metrics from before the update.

        Parameters and errors are those of `fit`; the epoch count does not move. `LBFGS`, which does
        not take single steps, is refused.
        """
        if self.optimizer.full_batch:
            raise ArgumentError(
                f"train_on_batch takes one step; {self.optimizer} needs a whole fit"
            )
        model = self._model
        with model.lock.held() as interrupt:
            with interrupt.allowed():
                batch = prepare.batch(model, X, y, sample_weight, class_weight)
                pipeline = prepare.bound(augmentation, model, batch)
                prepare.warn_of_lone_rows(model, batch, len(batch))
                model.build_for(batch)
            return train_on_batch(model, batch, interrupt, pipeline)

    def adapt(self, X: Any) -> Network:
        """Compute anew the statistics that layers such as `Normalization` take from the data.

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
        model = self._model
        with model.lock.held() as interrupt:
            with interrupt.allowed():
                x, architecture = data_sets.inputs_and_sizes(model, X)
                statistics = input_statistics.compute(architecture, DataSet(x))
            model.adopt(x.shape[1:], statistics)
        return self

    # ---------------------------------------------------------------------------- files and text

    def save(
        self,
        path: str | PathLike[str],
        *,
        optimizer: bool = False,
        preprocessing: Mapping[str, Any] | None = None,
    ) -> None:
        """Write the network to a safetensors file; see `fastnn.serialization.save`."""
        from .model_file.model import write

        write(self._model, path, optimizer=optimizer, preprocessing=preprocessing)

    @classmethod
    def load(
        cls,
        path: str | PathLike[str],
        custom_objects: Mapping[str, CustomObject] | None = None,
    ) -> Network:
        """Read a network from a file that `save` wrote; see `fastnn.serialization.load`."""
        from .model_file.model import read

        return network_of(read(path, custom_objects))

    def __getattr__(self, name: str) -> Any:
        hint = foreign_names.METHODS.get(name)
        if "_model" not in vars(self):  # in the constructor of a subclass
            hint = "call super().__init__() first"
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}"
            + (f": {hint}" if hint else ""),
            name=name,
            obj=self,
        )

    def __repr__(self) -> str:
        layers = ", ".join(map(repr, self.layers))
        return f"Network([{layers}], loss={self.loss!r}, optimizer={self.optimizer!r})"


def network_of(model: Model) -> Network:
    """Return a network, as copies and pickles do without its constructor, around a model."""
    network = Network.__new__(Network)
    network._model = model
    return network
