"""Estimators that are small convolutional networks."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any, ClassVar

from sklearn.utils._param_validation import Interval

from ..augmentation import Augmentation
from ..errors import ArgumentError
from ..layers import Activation, BatchNorm, Conv2D, Flatten, Layer, MaxPooling2D
from ..utils import checks
from . import class_losses
from .array_rows import ArrayRowsMixin
from .build_network import SKLEARN_ACTIVATIONS
from .classifier import MLPClassifier
from .regressor import MLPRegressor
from .row_arrays import same_rows

__all__ = ["CNNClassifier", "CNNRegressor"]

_CONSTRAINTS: dict[str, list[Any]] = {
    "filters": ["array-like", Interval(Integral, 1, None, closed="left")],
    "kernel_size": [Interval(Integral, 1, None, closed="left"), "array-like"],
    "pool_size": [Interval(Integral, 1, None, closed="left"), "array-like"],
    "image_shape": ["array-like", None],
    "augmentation": [Augmentation, list, tuple, None],
}


class _Convolutions(ArrayRowsMixin):
    """The layers of images in front of the dense ones."""

    _takes_images = True

    filters: Any
    kernel_size: Any
    pool_size: Any
    image_shape: Any
    activation: Any
    batch_norm: bool
    dropout: Any

    def _shape_of_rows(self, given: tuple[int, ...]) -> tuple[int, ...]:
        """Return (height, width, channels)."""
        if len(given) > 3:
            raise ArgumentError(
                "X must hold images (n, height, width) or (n, height, width, channels), or rows; "
                f"got rows of shape {given}"
            )
        shape = given if self.image_shape is None else checks.shape("image_shape", self.image_shape)
        if len(shape) == 1:
            shape = (1, *shape)
        if self.image_shape is not None and len(given) > 1 and not same_rows(shape, given):
            raise ArgumentError(
                f"image_shape={self.image_shape!r} is not the shape of the images of X, {given}"
            )
        elements = math.prod(given)
        if len(shape) not in (2, 3) or math.prod(shape) != elements:
            raise ArgumentError(
                f"image_shape={self.image_shape!r} does not fit rows of {elements} numbers"
            )
        return shape if len(shape) == 3 else (*shape, 1)

    def _front_layers(self) -> list[Layer]:
        filters = [self.filters] if isinstance(self.filters, Integral) else list(self.filters)
        height, width, _ = self.row_shape_
        pool = _pair("pool_size", self.pool_size)
        layers = super()._front_layers()
        for count in filters:
            size = min(pool[0], height), min(pool[1], width)
            height, width = height // size[0], width // size[1]
            layers += [*self._convolution(count), *([MaxPooling2D(size)] if size != (1, 1) else [])]
        return [*layers, Flatten()]

    def _convolution(self, filters: Any) -> list[Layer]:
        count = checks.integer("filters", filters, low=1)
        activation = self.activation
        if isinstance(activation, list | tuple):  # those of the dense layers
            activation = "relu"
        elif isinstance(activation, str):
            activation = SKLEARN_ACTIVATIONS.get(activation, activation)
        kernel = _pair("kernel_size", self.kernel_size)
        if not self.batch_norm:
            return [Conv2D(count, kernel, activation, padding="same")]
        initializer = Conv2D(count, kernel, activation).initializer
        linear = Conv2D(count, kernel, padding="same", use_bias=False, initializer=initializer)
        return [linear, BatchNorm(), Activation(activation)]


def _pair(argument: str, value: Any) -> tuple[int, int]:
    values = (value, value) if isinstance(value, Integral) else tuple(value)
    if len(values) != 2:
        raise ArgumentError(f"{argument} must be an integer or a pair of them, got {value!r}")
    height, width = (checks.integer(argument, one, low=1) for one in values)
    return height, width


class CNNClassifier(_Convolutions, MLPClassifier):
    """Classifier of small images: convolutions with pooling, then dense layers.

    Each entry of `filters` is a convolution, padded to keep its size, and a pooling of the largest
    values; then come the hidden layers of `MLPClassifier`. Images of bytes (uint8) are divided by
    255 if the first fit is on such; `predict` after a fit on another dtype refuses bytes.

    Parameters
    ----------
    filters : int or array-like of int, default=(32, 64)
        Filters of each convolution.
    kernel_size : int or (int, int), default=3
    pool_size : int or (int, int), default=2
        Windows of pooling behind each convolution, as far as the image has so many cells left; 1
        does not pool.
    hidden_layer_sizes : int or array-like of int, default=(128,)
        Units of each dense layer; () is none.
    activation : str, CustomActivation or list of them, default='relu'
        As in `MLPClassifier`; convolutions take it too, but 'relu' where it is a list.
    image_shape : tuple of int, default=None
        (height, width) or (height, width, channels) of images that X holds as rows. Rows without it
        are taken as images of one line.
    augmentation : Augmentation or list of them, default=None
        Random changes to the images of each batch, see `fastnn.augmentation`.
    solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, \
    random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, \
    validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dropout, batch_norm, \
    l1, weight_decay, clipvalue, clipnorm, global_clipnorm, callbacks, max_time, progress, \
    class_weight, loss
        As in `MLPClassifier`; dropout is that of the dense layers.

    Attributes
    ----------
    row_shape_ : tuple of int
        (height, width, channels) of the images of the first fit.
    classes_, loss_, best_loss_, loss_curve_, validation_scores_, validation_loss_curve_, \
    best_validation_score_, t_, coefs_, intercepts_, n_iter_, n_layers_, n_outputs_, \
    out_activation_, n_features_in_, network_
        As in `MLPClassifier`; `n_features_in_` counts the numbers of an image.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastnn import CNNClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> images = X.reshape(-1, 8, 8) / 16
    >>> classifier = CNNClassifier((16, 32), tol=0.01, n_iter_no_change=2, random_state=0)
    >>> classifier.fit(images[:1500], y[:1500]).score(images[1500:], y[1500:]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MLPClassifier._parameter_constraints,
        **_CONSTRAINTS,
    }

    def __init__(
        self,
        filters: Any = (32, 64),
        kernel_size: Any = 3,
        pool_size: Any = 2,
        hidden_layer_sizes: Any = (128,),
        activation: Any = "relu",
        *,
        image_shape: tuple[int, ...] | None = None,
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
        dropout: Any = 0.0,
        batch_norm: bool = False,
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


class CNNRegressor(_Convolutions, MLPRegressor):
    """Regressor of small images: convolutions with pooling, then dense layers.

    Images of bytes are divided by 255 as by `CNNClassifier`.

    Parameters
    ----------
    filters, kernel_size, pool_size, hidden_layer_sizes, activation, image_shape, augmentation
        As in `CNNClassifier`.
    solver, alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, \
    random_state, tol, verbose, warm_start, momentum, nesterovs_momentum, early_stopping, \
    validation_fraction, beta_1, beta_2, epsilon, n_iter_no_change, max_fun, dropout, batch_norm, \
    l1, weight_decay, clipvalue, clipnorm, global_clipnorm, callbacks, max_time, progress, loss, \
    quantile, scale_target
        As in `MLPRegressor`.

    Attributes
    ----------
    row_shape_ : tuple of int
        (height, width, channels) of the images of the first fit.
    loss_, best_loss_, loss_curve_, validation_scores_, best_validation_score_, t_, coefs_, \
    intercepts_, n_iter_, n_layers_, n_outputs_, out_activation_, n_features_in_, network_
        As in `MLPRegressor`.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastnn import CNNRegressor
    >>> X, y = load_digits(return_X_y=True)
    >>> regressor = CNNRegressor(8, image_shape=(8, 8), tol=0.01, scale_target=True, random_state=0)
    >>> regressor.fit(X[:500] / 16, y[:500]).score(X[500:600] / 16, y[500:600]) > 0.4
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **MLPRegressor._parameter_constraints,
        **_CONSTRAINTS,
    }

    def __init__(
        self,
        filters: Any = (32, 64),
        kernel_size: Any = 3,
        pool_size: Any = 2,
        hidden_layer_sizes: Any = (128,),
        activation: Any = "relu",
        *,
        image_shape: tuple[int, ...] | None = None,
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
        dropout: Any = 0.0,
        batch_norm: bool = False,
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
