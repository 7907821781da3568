"""Estimators of networks whose layers are given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

from ..augmentation import Augmentation
from ..errors import ArgumentTypeError
from ..layers import Layer
from . import class_losses
from .array_rows import ArrayRowsMixin
from .classifier import MLPClassifier
from .layer_parameters import layer_parameters, with_parameters
from .regressor import MLPRegressor

__all__ = ["NetworkClassifier", "NetworkRegressor"]

_CONSTRAINTS: dict[str, list[Any]] = {
    "layers": [list, tuple, callable],
    "augmentation": [Augmentation, list, tuple, None],
}


class _GivenLayers(ArrayRowsMixin):
    """The layers of the parameter `layers`, whose arguments are parameters of the estimator."""

    layers: Any

    #: What the MLPs say of their hidden layers, and given layers say themselves.
    activation: Any = "relu"
    dropout: Any = 0.0
    batch_norm: bool = False

    @property
    def hidden_layer_sizes(self) -> list[Layer]:
        """The layers, in the place of the hidden ones of the MLPs."""
        return _made(self.layers)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters; if `deep`, also the arguments of layers.

        These are called ``layers__NAME__ARGUMENT``, by the names that the layers have in a network:
        those given, or dense_1, conv2d_1 and so on; layers within others are
        ``layers__residual_1__conv2d_1__ARGUMENT``.
        """
        parameters = super().get_params(deep=deep)  # type: ignore[misc]
        if deep and (callable(self.layers) or _are_layers(self.layers)):
            for key, value in layer_parameters(_made(self.layers)).items():
                parameters[f"layers__{key}"] = value
        return parameters

    def set_params(self, **parameters: Any) -> Self:
        """Set parameters; those of layers put changed layers into a new list.

        Raises
        ------
        ValueError
            There is no parameter, or no layer, of that name; or a layer refuses the value.
        """
        prefix = "layers__"
        own = {
            key.removeprefix(prefix): parameters.pop(key)
            for key in list(parameters)
            if key.startswith(prefix)
        }
        if own:  # refused before anything changes
            layers = _made(parameters.get("layers", self.layers))
            parameters["layers"] = with_parameters(layers, own)
        return super().set_params(**parameters)  # type: ignore[misc]


def _made(layers: Any) -> list[Layer]:
    """Return the layers, or those that a function makes; raise `ArgumentTypeError` otherwise."""
    made = layers() if callable(layers) else layers
    if not _are_layers(made):
        raise ArgumentTypeError(
            f"layers must be a list of layers, or a function of nothing that makes one, got "
            f"{made!r}"
        )
    return list(made)


def _are_layers(value: Any) -> bool:
    return isinstance(value, Sequence) and all(isinstance(one, Layer) for one in value)


class NetworkClassifier(_GivenLayers, MLPClassifier):
    """Classifier made of any layers.

    Rows of X may have axes of their own. If such X of the first fit holds bytes (uint8), they are
    divided by 255, and `predict` takes numbers of the same units; bytes of a matrix stay as they
    are. After a fit on another dtype, bytes with such axes are refused.

    Parameters
    ----------
    layers : list of Layer, or a function of nothing that returns one
        All layers but the last: a `Dense` with an output for each class is added. Arguments of
        layers are parameters of the estimator, such as ``layers__conv2d_1__filters``.
    augmentation : Augmentation or list of them, default=None
        Random changes to the rows of each batch, see `fastnn.augmentation`.
    solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, \
    random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, \
    validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, l1, weight_decay, \
    clipvalue, clipnorm, global_clipnorm, callbacks, max_time, progress, class_weight, loss
        As in `MLPClassifier`.

    Attributes
    ----------
    row_shape_ : tuple of int
        Shape of a row of X of the first fit.
    classes_, loss_, best_loss_, loss_curve_, validation_scores_, validation_loss_curve_, \
    best_validation_score_, t_, coefs_, intercepts_, n_iter_, n_layers_, n_outputs_, \
    out_activation_, n_features_in_, network_
        As in `MLPClassifier`; `n_features_in_` counts the numbers of a row.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastnn import Conv2D, Flatten, MaxPooling2D, NetworkClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> layers = [Conv2D(8, 3, "relu"), MaxPooling2D(2), Flatten()]
    >>> classifier = NetworkClassifier(layers, tol=0.01, n_iter_no_change=2, random_state=0)
    >>> classifier = classifier.set_params(layers__conv2d_1__filters=16)
    >>> images = X.reshape(-1, 8, 8) / 16
    >>> classifier.fit(images[:1500], y[:1500]).score(images[1500:], y[1500:]) > 0.8
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MLPClassifier._parameter_constraints,
        **_CONSTRAINTS,
    }

    def __init__(
        self,
        layers: Any = None,
        *,
        augmentation: Any = None,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        l1: float = 0.0,
        weight_decay: float = 0.0,
        clipvalue: float | None = None,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        callbacks: Any = None,
        max_time: float | None = None,
        progress: bool = False,
        class_weight: Any = None,
        loss: Any = class_losses.LOG_LOSS,
    ):
        self._keep_parameters(locals())


class NetworkRegressor(_GivenLayers, MLPRegressor):
    """Regressor made of any layers, which takes X as `NetworkClassifier` does.

    Parameters
    ----------
    layers, augmentation
        As in `NetworkClassifier`; the `Dense` that is added has an output for each target.
    solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, \
    random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, \
    validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, l1, weight_decay, \
    clipvalue, clipnorm, global_clipnorm, callbacks, max_time, progress, loss, quantile, \
    scale_target
        As in `MLPRegressor`.

    Attributes
    ----------
    row_shape_ : tuple of int
        Shape of a row of X of the first fit.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, t_, coefs_, \
    intercepts_, n_iter_, n_layers_, n_outputs_, out_activation_, n_features_in_, network_
        As in `MLPRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Conv1D, GlobalAveragePooling1D, NetworkRegressor
    >>> waves = np.sin(np.outer(np.linspace(0.1, 1, 200), np.arange(60)))
    >>> layers = [Conv1D(16, 5, "relu"), GlobalAveragePooling1D()]
    >>> regressor = NetworkRegressor(layers, learning_rate_init=0.01, max_iter=50, random_state=0)
    >>> regressor.fit(waves[..., None], np.linspace(0.1, 1, 200)).score(
    ...     waves[..., None], np.linspace(0.1, 1, 200)
    ... ) > 0.5
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MLPRegressor._parameter_constraints,
        **_CONSTRAINTS,
    }

    def __init__(
        self,
        layers: Any = None,
        *,
        augmentation: Any = None,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        l1: float = 0.0,
        weight_decay: float = 0.0,
        clipvalue: float | None = None,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        callbacks: Any = None,
        max_time: float | None = None,
        progress: bool = False,
        loss: Any = "squared_error",
        quantile: Any = 0.5,
        scale_target: bool = False,
    ):
        self._keep_parameters(locals())
