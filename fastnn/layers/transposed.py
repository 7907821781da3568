"""Transposed convolutions, which enlarge series and images."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

from ..activations.custom import CustomActivation
from ..errors import ArgumentError
from ..initializers import Initializer
from ..utils import checks
from . import geometry
from .affine import AffineOps
from .convolution import WindowedLayer
from .geometry import Windows
from .weighted import check_weighted, weights_and_bias

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.parameter import Parameter
    from ..ir.program import Ref

__all__ = ["Conv1DTranspose", "Conv2DTranspose"]


@dataclass(frozen=True)
class _TransposedConvolution(WindowedLayer):
    """Base of both: the input gradient of the convolution from its output's shape to its input's.

    The largest output that this convolution maps to so many windows is taken, so that strides
    lose nothing: n strides cells with "same", and otherwise
    (n − 1) strides + max(reach, strides) − padding.
    """

    wider_padding = "Cropping{}D cuts off"

    filters: int
    kernel_size: int | tuple[int, ...]
    activation: str | CustomActivation = "identity"
    _: KW_ONLY
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
        self._set_fields(filters=checks.integer("filters", self.filters, low=1))
        self._check_windows(causal=False)
        check_weighted(self)
        if self.max_norm:
            raise ArgumentError(f"max_norm is not offered by {self.kind}, got {self.max_norm}")

    def output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        image, windows = self.image(input_shape), self.windows
        larger = self._larger(image, windows)
        if min(larger) < 1:
            raise ArgumentError(
                f"{self.kind} cuts off all of its output: input of shape {input_shape}, windows "
                f"that reach over {geometry.times(windows.reach[2 - self.rank :])} cells, "
                f"padding={self.padding!r}"
            )
        return geometry.row_shape((*larger, self.filters), self.rank)

    def _larger(self, image: tuple[int, ...], windows: Windows) -> tuple[int, int]:
        """Return height and width of the output for an input image."""
        strides, reaches = windows.strides, windows.reach
        if windows.padding == "same":
            return image[0] * strides[0], image[1] * strides[1]
        axes = zip(image, strides, reaches, windows.pads(image), strict=False)
        height, width = ((n - 1) * s + max(r, s) - sum(pad) for n, s, r, pad in axes)
        return height, width

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        cells = self.windows.cells[2 - self.rank :]
        shape = (*cells, self.filters, input_shape[-1])
        weights, *bias = weights_and_bias(self, shape, self.filters)
        return replace(weights, max_norm=0.0), *bias

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        shape, windows = self.output_shape(x.shape), self.windows
        larger = (1, *shape) if self.rank == 1 else shape
        weights = parameters["weights"]
        ops = AffineOps(
            "conv_transpose",
            self.activation,
            (*windows.cells, self.filters, x.shape[-1]),
            geometry.as_image,
            (*windows.numbers(larger), *windows.dilation, 1),
            self.trainable,
        )
        return ops.lower(builder, x, shape, weights, parameters.get("bias"))


@dataclass(frozen=True)
class Conv1DTranspose(_TransposedConvolution):
    """Transposed convolution of series (time, channels): each step writes to several of the output.

    It is the input gradient of the `Conv1D` with the same windows, with w of shape (kernel_size,
    filters, channels).

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int
    activation : str or CustomActivation
    strides : int
        Steps of the output for each of the input.
    padding : {"valid", "same"}, int or (int, int)
        Steps of the output to cut off. "valid": none, so that there are
        (time − 1) strides + max(kernel_size, strides); "same": those beyond time · strides, an odd
        one at the end.
    dilation : int
        As for `Conv1D`.
    initializer : str or Initializer
        As for `Dense`; drawn for the array as it is stored, as Keras does.
    bias_initializer, use_bias, l1, l2, weight_decay, trainable, learning_rate_multiplier
        As for `Dense`.
    max_norm : None
        Not offered, and the network's does not hold for this layer.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        As for `Conv1D`; or padding cuts off the whole output.

    Examples
    --------
    >>> from fastnn import Conv1DTranspose
    >>> Conv1DTranspose(8, 4, strides=2, padding="same").output_shape((50, 16))
    (100, 8)
    """

    rank = 1


@dataclass(frozen=True)
class Conv2DTranspose(_TransposedConvolution):
    """Transposed convolution of images (height, width, channels): each cell writes to a window.

    It is the input gradient of the `Conv2D` with the same windows, with w of shape (kernel height,
    kernel width, filters, channels).

    Parameters
    ----------
    filters : int
        Channels of the output.
    kernel_size : int or (int, int)
    activation : str or CustomActivation
    strides : int or (int, int)
        Cells of the output for each of the input.
    padding : {"valid", "same"}, int, or pairs of int
        Cells of the output to cut off. "valid": none, so that n become
        (n − 1) strides + max(kernel_size, strides); "same": those beyond n · strides, an odd one at
        the bottom and to the right.
    dilation : int or (int, int)
        As for `Conv2D`.
    initializer : str or Initializer
        As for `Dense`; drawn for the array as it is stored, as Keras does.
    bias_initializer, use_bias, l1, l2, weight_decay, trainable, learning_rate_multiplier
        As for `Dense`.
    max_norm : None
        Not offered, and the network's does not hold for this layer.
    input_shape : tuple of int, optional
    name : str, optional

    Raises
    ------
    ArgumentError
        As for `Conv2D`; or padding cuts off the whole output.

    Examples
    --------
    >>> from fastnn import Conv2DTranspose
    >>> Conv2DTranspose(16, 3, "relu", strides=2, padding="same").output_shape((7, 7, 32))
    (14, 14, 16)
    """

    rank = 2
