"""Conv1D and Conv2D, the convolutions of series and images."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ..activations.custom import CustomActivation
from ..errors import ArgumentError
from ..initializers import Initializer
from ..utils import checks
from . import geometry
from .affine import AffineOps
from .geometry import Windows
from .spatial import SpatialLayer
from .weighted import check_weighted, weights_and_bias

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.parameter import Parameter
    from ..ir.program import Ref

__all__ = ["Conv1D", "Conv2D"]


class WindowedLayer(SpatialLayer, listed=False):
    """Base of the layers whose weights slide over images or series.

    Subclasses declare the fields, of which this one knows kernel_size, strides, padding, dilation
    and input_shape.
    """

    #: What adds the padding that the layer refuses, with the number of axes to fill in.
    wider_padding: ClassVar[str] = "ZeroPadding{}D adds"

    kernel_size: int | tuple[int, ...]
    strides: int | tuple[int, ...]
    padding: Any
    dilation: int | tuple[int, ...]
    input_shape: tuple[int, ...] | None

    @property
    def windows(self) -> Windows:
        """Return the windows that the layer looks through."""
        return Windows.along(self.kernel_size, self.strides, self.padding, self.dilation)

    def _check_windows(self, *, causal: bool = True) -> None:
        """Check kernel_size, strides, padding, dilation and input_shape."""
        rank = self.rank
        names = ("kernel_size", "strides", "dilation")
        checked = {name: geometry.sizes(name, getattr(self, name), rank) for name in names}
        padding = geometry.windows_padding(self.padding, rank, causal=causal)
        self._set_fields(**checked, padding=padding)
        if self.input_shape is not None:
            self._set_fields(input_shape=checks.shape("input_shape", self.input_shape))
        windows = self.windows
        windows.check_reach("padding", f"{self.wider_padding.format(rank)} any number")
        if max(windows.strides) > 1 and max(windows.dilation) > 1:
            raise ArgumentError(
                f"strides and dilation cannot both be above 1, got strides={self.strides!r} and "
                f"dilation={self.dilation!r}"
            )

    def window_outputs(self, input_shape: tuple[int, ...]) -> tuple[int, int]:
        """Return the number of windows along height and width.

        Raises
        ------
        ArgumentError
            The input has other axes, or is smaller than a window.
        """
        image, windows = self.image(input_shape), self.windows
        outputs = windows.outputs(image)
        if min(outputs) < 1:
            pads = windows.pads(image)
            padded = [n + sum(pad) for n, pad in zip(image, pads, strict=False)][2 - self.rank :]
            raise ArgumentError(
                f"{self.kind} has a kernel that reaches over "
                f"{geometry.times(windows.reach[2 - self.rank :])} cells, but its input of shape "
                f"{input_shape} has {geometry.times(padded)} with padding={self.padding!r}"
            )
        return outputs


@dataclass(frozen=True)
class _Convolution(WindowedLayer):
    """Base of both convolutions."""

    filters: int
    kernel_size: int | tuple[int, ...]
    activation: str | CustomActivation = "identity"
    _: KW_ONLY
    strides: int | tuple[int, ...] = 1
    padding: Any = "valid"
    dilation: int | tuple[int, ...] = 1
    groups: int = 1
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
        filters = checks.integer("filters", self.filters, low=1)
        groups = checks.integer("groups", self.groups, low=1)
        self._set_fields(filters=filters, groups=groups)
        if filters % groups:
            raise ArgumentError(f"filters must be a multiple of groups={groups}, got {filters}")
        self._check_windows()
        check_weighted(self, few_inputs=groups > 1)

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        outputs = self.window_outputs(input_shape)
        channels = input_shape[-1]
        if channels % self.groups:
            raise ArgumentError(
                f"{self.kind} has groups={self.groups}, but the {channels} channels of its input "
                f"of shape {input_shape} do not divide into so many"
            )
        return geometry.row_shape((*outputs, self.filters), self.rank)

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        cells = self.windows.cells[2 - self.rank :]
        shape = (*cells, input_shape[-1] // self.groups, self.filters)
        return weights_and_bias(self, shape, self.filters)

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        weights, image = parameters["weights"], self.image(x.shape)
        ops = convolution_ops(self.windows, image, self.activation, self.filters, self.groups)
        ops = ops.trained(self.trainable)
        shape = self.output_shape(x.shape)
        return ops.lower(builder, x, shape, weights, parameters.get("bias"))


def convolution_ops(
    windows: Windows,
    image: tuple[int, int, int],
    activation: str | CustomActivation,
    filters: int,
    groups: int = 1,
) -> AffineOps:
    """Return the ops of a convolution of an image (height, width, channels).

    One of single cells, with neither strides nor padding, is a product of matrices.
    """
    depth = image[2] // groups
    numbers = (*windows.numbers(image), *windows.dilation, groups)
    if math.prod(windows.cells) == groups == 1 and numbers[:4] == (1, 1, 0, 0):
        return AffineOps("dense", activation, (depth, filters))
    shape = (*windows.cells, depth, filters)
    return AffineOps("conv", activation, shape, geometry.as_image, numbers)


@dataclass(frozen=True)
class Conv1D(_Convolution):
    """Convolution of series (time, channels): each output sees a few steps of all channels.

    y[t, o] = activation(b[o] + Σ w[k, c, o] x[t · strides + k · dilation − before, c]), with w of
    shape (kernel_size, channels / groups, filters). Steps outside the series count as 0.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int
        Steps that an output sees.
    activation : str or CustomActivation
        See `Dense`.
    strides : int
        Steps from one output to the next.
    padding : {"valid", "same", "causal"}, int or (int, int)
        Zeros before and after the series. "valid": none; "same": as many as give ⌈time / strides⌉
        outputs, an odd one to the end; "causal": before the series alone, so that no output sees
        later steps; or as many on either side, or before and after.
    dilation : int
        Distance of the steps that an output sees. Not together with strides.
    groups : int
        Divides channels and filters; each group of filters sees its own group of channels.
    initializer, bias_initializer : str or Initializer
        As for `Dense`; "auto" with groups takes LeCun's in the place of Glorot's.
    use_bias : bool
    l1, l2, weight_decay, max_norm : float, optional
        As for `Dense`; max_norm limits the weights of one filter.
    trainable : bool
    learning_rate_multiplier : float
    input_shape : tuple of int, optional
        (time, channels) of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: an argument is out of range, or strides and dilation are both above 1.
        From `Network.build` and `Network.fit`: the series is shorter than a window, has other axes,
        or channels that groups do not divide.

    Examples
    --------
    >>> from fastnn import Conv1D
    >>> Conv1D(8, 3, "relu", padding="causal", dilation=2).output_shape((100, 1))
    (100, 8)
    """

    rank = 1


@dataclass(frozen=True)
class Conv2D(_Convolution):
    """Convolution of images (height, width, channels), which come last.

    y[i, j, o] = activation(b[o] + Σ w[p, q, c, o] x[i · strides + p · dilation − top, …, c]), with
    w of shape (kernel height, kernel width, channels / groups, filters). Cells outside the image
    count as 0. Images (height, width) at the input of a network are taken as one channel.

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or (int, int)
        Height and width of the window that an output sees.
    activation : str or CustomActivation
        See `Dense`.
    strides : int or (int, int)
        Cells from one output to the next.
    padding : {"valid", "same"}, int, or pairs of int
        Zeros around the image. "valid": none; "same": as many as give ⌈n / strides⌉ outputs, an odd
        line at the bottom and an odd column to the right; or as many on all sides, (height, width),
        or ((top, bottom), (left, right)).
    dilation : int or (int, int)
        Distance of the cells of a window. Not together with strides.
    groups : int
        Divides channels and filters; each group of filters sees its own group of channels.
    initializer, bias_initializer : str or Initializer
        As for `Dense`; "auto" with groups takes LeCun's in the place of Glorot's.
    use_bias : bool
    l1, l2, weight_decay, max_norm : float, optional
        As for `Dense`; max_norm limits the weights of one filter.
    trainable : bool
    learning_rate_multiplier : float
    input_shape : tuple of int, optional
        (height, width, channels) of one row, where it is to be fixed before data is seen.
    name : str, optional

    Raises
    ------
    ArgumentError
        Also a `ValueError`: an argument is out of range, or strides and dilation are both above 1.
        From `Network.build` and `Network.fit`: the image is smaller than a window, has other axes,
        or channels that groups do not divide.

    Examples
    --------
    >>> from fastnn import Conv2D
    >>> Conv2D(16, 3, "relu", strides=2, padding="same").output_shape((28, 28, 1))
    (14, 14, 16)
    """

    rank = 2
