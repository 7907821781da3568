"""Convolutions of each channel by itself, alone or followed by a product over channels."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any

from ..activations.custom import CustomActivation
from ..initializers import Initializer
from ..utils import checks
from . import geometry
from .affine import AffineOps
from .convolution import WindowedLayer, convolution_ops
from .weighted import bias_of, check_weighted, weights_and_bias, weights_of

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.parameter import Parameter
    from ..ir.program import Ref

__all__ = ["DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D"]


class _ByChannel(WindowedLayer, listed=False):
    """Base of the layers with windows for each channel."""

    depth_multiplier: int

    def _depthwise_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the weights of windows: as many filters for each channel."""
        cells = self.windows.cells[2 - self.rank :]
        return (*cells, 1, input_shape[-1] * self.depth_multiplier)

    def _depthwise_ops(
        self, input_shape: tuple[int, ...], activation: str | CustomActivation
    ) -> AffineOps:
        image = self.image(input_shape)
        filters = image[2] * self.depth_multiplier
        ops = convolution_ops(self.windows, image, activation, filters, groups=image[2])
        return ops.trained(self.trainable)


@dataclass(frozen=True)
class _DepthwiseConv(_ByChannel):
    """Base of both depthwise convolutions."""

    kernel_size: int | tuple[int, ...]
    activation: str | CustomActivation = "identity"
    _: KW_ONLY
    depth_multiplier: int = 1
    strides: int | tuple[int, ...] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, ...] = 1
    initializer: str | Initializer = "auto"
    bias_initializer: str | Initializer = "zeros"
    use_bias: bool = True
    l1: float | None = None
    l2: float | None = None
    weight_decay: float | None = None
    max_norm: float | None = None
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        multiplier = checks.integer("depth_multiplier", self.depth_multiplier, low=1)
        self._set_fields(depth_multiplier=multiplier)
        self._check_windows()
        check_weighted(self, few_inputs=True)

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        outputs = self.window_outputs(input_shape)
        filters = input_shape[-1] * self.depth_multiplier
        return geometry.row_shape((*outputs, filters), self.rank)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        shape = self._depthwise_shape(input_shape)
        return weights_and_bias(self, shape, shape[-1])

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        ops = self._depthwise_ops(x.shape, self.activation)
        shape = self.output_shape(x.shape)
        return ops.lower(builder, x, shape, parameters["weights"], parameters.get("bias"))


@dataclass(frozen=True)
class _SeparableConv(_ByChannel):
    """Base of both separable convolutions."""

    filters: int
    kernel_size: int | tuple[int, ...]
    activation: str | CustomActivation = "identity"
    _: KW_ONLY
    depth_multiplier: int = 1
    strides: int | tuple[int, ...] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, ...] = 1
    initializer: str | Initializer = "auto"
    bias_initializer: str | Initializer = "zeros"
    use_bias: bool = True
    l1: float | None = None
    l2: float | None = None
    weight_decay: float | None = None
    max_norm: float | None = None
    trainable: bool = True
    learning_rate_multiplier: float = 1.0
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        self._set_fields(
            filters=checks.integer("filters", self.filters, low=1),
            depth_multiplier=checks.integer("depth_multiplier", self.depth_multiplier, low=1),
        )
        self._check_windows()
        check_weighted(self, few_inputs=True)

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        outputs = self.window_outputs(input_shape)
        return geometry.row_shape((*outputs, self.filters), self.rank)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        depthwise = self._depthwise_shape(input_shape)
        pointwise = (depthwise[-1], self.filters)
        return (
            weights_of(self, depthwise, "depthwise_weights"),
            weights_of(self, pointwise, "pointwise_weights"),
            *bias_of(self, self.filters),
        )

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        depthwise, pointwise = parameters["depthwise_weights"], parameters["pointwise_weights"]
        shape = self.output_shape(x.shape)
        first = self._depthwise_ops(x.shape, "identity")
        between = (*shape[:-1], depthwise.shape[-1])
        y, first_pullback = first.lower(builder, x, between, depthwise, None)
        second = AffineOps("dense", self.activation, pointwise.shape, trainable=self.trainable)
        y, second_pullback = second.lower(builder, y, shape, pointwise, parameters.get("bias"))

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            between = second_pullback(dy, True)
            assert between is not None
            return first_pullback(between, need_dx)

        return y, pullback


@dataclass(frozen=True)
class DepthwiseConv1D(_DepthwiseConv):
    """Convolution of series (time, channels) in which each channel has filters of its own.

    It is a `Conv1D` with as many groups as channels; output c · depth_multiplier + m is that of
    filter m of channel c.

    Parameters
    ----------
    kernel_size : int
    activation : str or CustomActivation
    depth_multiplier : int
        Filters for each channel.
    strides, padding, dilation
        As for `Conv1D`.
    initializer, bias_initializer : str or Initializer
        As for `Conv1D` with groups.
    use_bias, l1, l2, weight_decay, max_norm, trainable, learning_rate_multiplier
        As for `Dense`.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        As for `Conv1D`.

    Examples
    --------
    >>> from fastnn import DepthwiseConv1D
    >>> DepthwiseConv1D(5, padding="same", depth_multiplier=2).output_shape((100, 3))
    (100, 6)
    """

    rank = 1


@dataclass(frozen=True)
class DepthwiseConv2D(_DepthwiseConv):
    """Convolution of images (height, width, channels) in which each channel has its own filters.

    It is a `Conv2D` with as many groups as channels; output c · depth_multiplier + m is that of
    filter m of channel c.

    Parameters
    ----------
    kernel_size : int or (int, int)
    activation : str or CustomActivation
    depth_multiplier : int
        Filters for each channel.
    strides, padding, dilation
        As for `Conv2D`.
    initializer, bias_initializer : str or Initializer
        As for `Conv2D` with groups.
    use_bias, l1, l2, weight_decay, max_norm, trainable, learning_rate_multiplier
        As for `Dense`.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        As for `Conv2D`.

    References
    ----------
    Howard et al.: MobileNets: efficient convolutional neural networks for mobile vision
    applications. arXiv:1704.04861, 2017.

    Examples
    --------
    >>> from fastnn import DepthwiseConv2D
    >>> DepthwiseConv2D(3, padding="same").output_shape((28, 28, 16))
    (28, 28, 16)
    """

    rank = 2


@dataclass(frozen=True)
class SeparableConv1D(_SeparableConv):
    """A depthwise convolution of series (time, channels), then a product over channels.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int
    activation : str or CustomActivation
        Of the output; there is none in between.
    depth_multiplier : int
        Filters for each channel of the first step.
    strides, padding, dilation
        As for `Conv1D`, of the first step.
    initializer, bias_initializer : str or Initializer
        As for `Conv1D` with groups; of both arrays of weights, as are penalties.
    use_bias, l1, l2, weight_decay, max_norm, trainable, learning_rate_multiplier
        As for `Dense`.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        As for `Conv1D`.

    Examples
    --------
    >>> from fastnn import SeparableConv1D
    >>> SeparableConv1D(16, 5, "relu", padding="same").output_shape((100, 3))
    (100, 16)
    """

    rank = 1


@dataclass(frozen=True)
class SeparableConv2D(_SeparableConv):
    """A depthwise convolution of images (height, width, channels), then a product over channels.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or (int, int)
    activation : str or CustomActivation
        Of the output; there is none in between.
    depth_multiplier : int
        Filters for each channel of the first step.
    strides, padding, dilation
        As for `Conv2D`, of the first step.
    initializer, bias_initializer : str or Initializer
        As for `Conv2D` with groups; of both arrays of weights, as are penalties.
    use_bias, l1, l2, weight_decay, max_norm, trainable, learning_rate_multiplier
        As for `Dense`.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        As for `Conv2D`.

    References
    ----------
    Chollet: Xception: deep learning with depthwise separable convolutions. CVPR 2017.

    Examples
    --------
    >>> from fastnn import SeparableConv2D
    >>> SeparableConv2D(32, 3, "relu").output_shape((28, 28, 16))
    (26, 26, 32)
    """

    rank = 2
