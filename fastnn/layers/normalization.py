"""BatchNorm, which normalises columns by the batch, and LayerNorm, which normalises rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, ClassVar

from .. import initializers
from ..errors import ArgumentError
from ..initializers import Initializer
from ..ir.parameter import Buffer, Parameter
from ..ir.program import gradient_of
from ..utils import checks
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["BatchNorm", "LayerNorm"]


@dataclass(frozen=True)
class _ScaledNorm(ShapedLayer):
    """Base of both layers: a scale γ and a shift β for each element of the last axis."""

    normalizes: ClassVar[bool] = True

    _: KW_ONLY
    axis: int = -1
    epsilon: float = 1e-3
    center: bool = True
    scale: bool = True
    beta_initializer: str | Initializer = "zeros"
    gamma_initializer: str | Initializer = "ones"
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(
            axis=checks.integer("axis", self.axis, low=-1),
            epsilon=checks.number("epsilon", self.epsilon, low=0, open_low=True),
            center=checks.boolean("center", self.center),
            scale=checks.boolean("scale", self.scale),
            beta_initializer=initializers.get("beta_initializer", self.beta_initializer),
            gamma_initializer=initializers.get("gamma_initializer", self.gamma_initializer),
        )
        self._check_training()
        super().__post_init__()

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        if self.axis not in (-1, len(input_shape)):
            raise ArgumentError(
                f"axis must name the last axis of rows of shape {input_shape}, -1 or "
                f"{len(input_shape)}, got {self.axis}"
            )
        return input_shape

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        shape = input_shape[-1:]
        result = []
        if self.scale:
            result.append(Parameter("gamma", shape, self.gamma_initializer, decays=False))  # type: ignore[arg-type]
        if self.center:
            result.append(Parameter("beta", shape, self.beta_initializer, decays=False))  # type: ignore[arg-type]
        return tuple(result)

    def _gradients(self, parameters: dict[str, Ref]) -> Sequence[Ref | None]:
        """Return the refs of the gradients of γ and β; None for those that are not trained."""
        found = (parameters.get(name) if self.trainable else None for name in ("gamma", "beta"))
        return [None if parameter is None else gradient_of(parameter) for parameter in found]


@dataclass(frozen=True)
class BatchNorm(_ScaledNorm):
    """Normalise every feature by its mean and variance over the batch, then scale and shift it.

    In training, y = γ (x − mean) / √(variance + ε) + β with the statistics of the batch at hand,
    short last batches included; of images (…, channels), over all positions too. All rows count
    alike, whatever their sample weights. Each update moves running averages of both statistics,
    which inference uses: average ← momentum · average + (1 − momentum) · statistic. The running
    variance is that of the batch itself, divided by its number of rows, as in Keras (PyTorch
    divides by one less).

    A batch of a single row has variance 0: its output is β, no gradient passes, and the running
    averages move as after any other batch; `Network.fit` warns of it. Prefer batches of some 16
    rows and more.

    Behind a linear `Dense`, or in front of one, inference costs nothing: the layer is folded into
    the weights, where there are rows enough to make that pay. A `Dense` in front may do without its
    bias (``use_bias=False``): normalisation takes it away again, so its gradient is 0. γ and β are
    exempt from weight decay.

    Parameters
    ----------
    axis : int
        Axis of the features: the last, as -1 or by its number, rows being axis 0.
    momentum : float
        In [0, 1).
    epsilon : float
        Added to the variance.
    center, scale : bool
        Whether to learn β, and γ.
    beta_initializer, gamma_initializer : str or Initializer
    trainable : bool
        Whether training moves γ and β; running averages always move.
        `Network.freeze` and `unfreeze` change it.
    learning_rate_multiplier : float
        Positive; multiplies the learning rate for γ and β.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: momentum or epsilon out of range, an unknown initialiser. From
        `Network.build` and `Network.fit`, if axis is not the last one.

    References
    ----------
    Ioffe, Szegedy: Batch normalization: accelerating deep network training by reducing internal
    covariate shift. ICML 2015. There, the running variance is divided by one row less.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Activation, BatchNorm, Dense, Network
    >>> hidden = [Dense(8, use_bias=False), BatchNorm(), Activation("relu")]
    >>> net = Network([*hidden, Dense(1)], loss="mean_squared_error", seed=0).build(4)
    >>> sorted(net.buffers)
    ['batchnorm_1/moving_mean', 'batchnorm_1/moving_variance']
    """

    _: KW_ONLY
    momentum: float = 0.99

    def __post_init__(self) -> None:
        self._set_fields(
            momentum=checks.number("momentum", self.momentum, low=0, high=1, open_high=True)
        )
        super().__post_init__()

    def normalized_columns(self, input_shape: tuple[int, ...]) -> int | None:
        return input_shape[-1]

    def buffers(self, input_shape: tuple[int, ...]) -> tuple[Buffer, ...]:
        shape = input_shape[-1:]
        return Buffer("moving_mean", shape, 0.0), Buffer("moving_variance", shape, 1.0)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        channels = x.shape[-1]
        flat_x = x.as_matrix(channels)
        gamma, beta = parameters.get("gamma"), parameters.get("beta")
        averages = parameters["moving_mean"], parameters["moving_variance"]
        if not builder.batch_statistics:
            y, given = builder.elementwise(x), (*averages, gamma, beta, self.epsilon)
            builder.emit("forward", "standardize_fwd", y.as_matrix(channels), flat_x, *given)
            return y, lambda dy, need_dx: None  # inference has no backward pass
        y = builder.activation(x.shape)
        statistics = [builder.fixed((channels,)) for _ in averages]
        scaling = gamma, beta, self.epsilon
        builder.emit(
            "forward", "batch_norm_fwd", y.as_matrix(channels), *statistics, flat_x, *scaling
        )
        for average, statistic in zip(averages, statistics, strict=True):
            builder.emit("update", "moving_average_step", average, statistic, self.momentum)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            flat_dy = dy.as_matrix(channels)
            dx = flat_dy if need_dx else None
            arguments = (flat_dy, flat_x, *statistics, gamma, self.epsilon)
            builder.emit("backward", "batch_norm_bwd", dx, *self._gradients(parameters), *arguments)
            return dy if need_dx else None

        return y, pullback


@dataclass(frozen=True)
class LayerNorm(_ScaledNorm):
    """Normalise every row by its own mean and variance, then scale and shift its features.

    y = γ (x − mean) / √(variance + ε) + β, with statistics over the last axis; the same in training
    and inference, for any batch. γ and β are exempt from weight decay.

    Parameters
    ----------
    axis : int
        Over which to normalise: the last, as -1 or by its number, rows being axis 0.
    epsilon : float
        Added to the variance; 1e-3 as in Keras.
    center, scale : bool
        Whether to learn β, and γ.
    beta_initializer, gamma_initializer : str or Initializer
    trainable : bool
        Whether training moves γ and β; `Network.freeze` and `unfreeze` change it.
    learning_rate_multiplier : float
        Positive; multiplies the learning rate for γ and β.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: epsilon not positive, an unknown initialiser. From `Network.build` and
        `Network.fit`, if axis is not the last one.

    References
    ----------
    Ba, Kiros, Hinton: Layer normalization. arXiv:1607.06450, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, LayerNorm, Network
    >>> net = Network([LayerNorm(), Dense(1)], loss="mean_squared_error", seed=0).build(4)
    >>> bool(np.allclose(net.predict(np.eye(4)), net.predict(100 * np.eye(4)), rtol=0.01))
    True
    """

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        columns = x.shape[-1]
        y, flat_x = builder.elementwise(x), x.as_matrix(columns)
        gamma, beta = parameters.get("gamma"), parameters.get("beta")
        saved = [builder.buffer(x.shape[:-1]) if builder.training else None for _ in range(2)]
        mean, rstd = (None if ref is None else ref.as_vector() for ref in saved)
        scaling = gamma, beta, self.epsilon
        flat_y = y.as_matrix(columns)
        builder.emit("forward", "layer_norm_fwd", flat_y, mean, rstd, flat_x, *scaling)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            flat_dy = dy.as_matrix(columns)
            dx = flat_dy if need_dx else None
            arguments = (flat_dy, flat_x, mean, rstd, gamma)
            builder.emit("backward", "layer_norm_bwd", dx, *self._gradients(parameters), *arguments)
            return dy if need_dx else None

        return y, pullback
