"""Convolutions of images (B, height, width, channels), plain and transposed, and their gradients.

A series is an image of one line, and a depthwise convolution has as many groups as channels. Group
g maps channels g G … (g + 1) G − 1 to the outputs of the same share. The transposed convolution
is the input gradient of the plain one, with the same weights.
"""

from __future__ import annotations

import numpy as np

from ..table import Array, kernel
from .activation import activation_bwd, activation_fwd
from .quiet import quiet
from .windows import CONVOLUTION, Windows, inner, padded, span, taps

_NAMES = ("stride_h", "stride_w", "pad_h", "pad_w", "dilation_h", "dilation_w", "groups")

#: Settings that tests and benchmarks run; the first are the most usual.
_SETTINGS = tuple(
    {"activation": activation} | dict(zip(_NAMES, numbers, strict=True))
    for activation, numbers in (
        ("relu", (1, 1, 1, 1, 1, 1, 1)),
        ("identity", (1, 1, 0, 0, 1, 1, 1)),
        ("gelu", (2, 2, 0, 0, 1, 1, 1)),
        ("tanh", (2, 3, 1, 2, 1, 1, 1)),
        ("relu", (1, 1, 2, 3, 2, 3, 1)),
        ("relu", (3, 1, 0, 1, 1, 1, 17)),
        ("silu", (1, 1, 1, 1, 2, 1, 5)),
        ("elu", (1, 2, 1, 0, 1, 1, 2)),
    )
)


@quiet
def correlate(z, x, w, windows, groups):
    """Compute z = the correlation of x with w, summed over the cells of a window in their order."""
    out = z.shape[1:3]
    spans = [span(k, d) for k, d in zip(w.shape, windows.dilations, strict=False)]
    whole = padded(x, spans, out, windows.strides, windows.pads)
    z[...] = 0
    for i, j, view in taps(whole, w.shape, windows.dilations, out, windows.strides):
        z += _grouped(view, w[i, j], groups)


@quiet
def input_gradient(dx, dz, w, windows, groups):
    """Compute dx, the gradient of x in `correlate`, from dz."""
    out = dz.shape[1:3]
    spans = [span(k, d) for k, d in zip(w.shape, windows.dilations, strict=False)]
    dx[...] = 0
    whole = padded(dx, spans, out, windows.strides, windows.pads)
    for i, j, view in taps(whole, w.shape, windows.dilations, out, windows.strides):
        view += _grouped(dz, _transposed(w[i, j], groups), groups)
    dx[...] = inner(whole, dx.shape, windows.pads)


@quiet
def weight_gradient(dw, dz, x, windows, groups):
    """Compute dw, the gradient of w in `correlate`, from dz."""
    out = dz.shape[1:3]
    spans = [span(k, d) for k, d in zip(dw.shape, windows.dilations, strict=False)]
    whole = padded(x, spans, out, windows.strides, windows.pads)
    depth, outputs = dw.shape[2:]
    by_group = dz.reshape(-1, groups, outputs // groups).transpose(1, 0, 2)
    for i, j, view in taps(whole, dw.shape, windows.dilations, out, windows.strides):
        columns = view.reshape(-1, groups, depth).transpose(1, 2, 0)
        product = np.matmul(columns, by_group)  # (groups, G, O / groups)
        dw[i, j] = product.transpose(1, 0, 2).reshape(depth, outputs)


def _grouped(x, w, groups):
    """Return the product of x (…, groups G) with w (G, O), each group with its own columns."""
    depth, outputs = w.shape
    if groups == 1:
        return x @ w
    by_group = x.reshape(-1, groups, depth).transpose(1, 0, 2)
    weights = w.reshape(depth, groups, outputs // groups).transpose(1, 0, 2)
    product = np.matmul(by_group, weights).transpose(1, 0, 2)
    return product.reshape(*x.shape[:-1], outputs)


def _transposed(w, groups):
    """Return the weights (O / groups, groups G) that map outputs of w (G, O) to its channels."""
    depth, outputs = w.shape
    by_group = w.reshape(depth, groups, outputs // groups)
    return by_group.transpose(2, 1, 0).reshape(outputs // groups, groups * depth)


def _flops(d, products):
    return 2 * d["B"] * d["OH"] * d["OW"] * d["O"] * (products * d["KH"] * d["KW"] * d["G"] + 1)


def _terms(d):
    """Return a bound of the terms of any sum of a backward pass."""
    cells = (d["KH"] + 2) * (d["KW"] + 2)  # padding may ask for windows larger than those given
    return max(d["B"] * d["OH"] * d["OW"], cells * max(d["O"], d["G"]))


_TRANSPOSED_WEIGHTS = {"w": Array("KH KW G O"), "b": Array("C", optional=True)}


@kernel(
    arrays={
        "y": Array("B OH OW O", "w"),
        "x": Array("B H W C"),
        "w": Array("KH KW G O"),
        "b": Array("O", optional=True),
        "z": Array("B OH OW O", "w", optional=True),
    },
    flops=lambda d: _flops(d, 1),
    scalars=_SETTINGS,
    tolerance=lambda d: 16 + (d["KH"] + 2) * (d["KW"] + 2) * d["G"],
    relative_to="array",
    relation=CONVOLUTION,
)
def conv_fwd(
    y,
    x,
    w,
    b,
    activation,
    stride_h,
    stride_w,
    pad_h,
    pad_w,
    dilation_h,
    dilation_w,
    groups,
    z=None,
):
    """Convolution: y = activation(z), with z the correlation of x and w, plus b.

    z[n, i, j, o] = b[o] + Σ w[p, q, c, o] x[n, i stride_h + p dilation_h − pad_h,
    j stride_w + q dilation_w − pad_w, g G + c] over p, q and c, where g is the group of o and
    cells outside x are 0.

    Parameters
    ----------
    y : ndarray, shape (B, OH, OW, O), real
        Written.
    x : ndarray, shape (B, H, W, C), real
        C = G groups.
    w : ndarray, shape (KH, KW, G, O), real
    b : ndarray, shape (O,), real, or None
    activation : str
        A name of `fastnn.kernels.ACTIVATIONS`.
    stride_h, stride_w : int
    pad_h, pad_w : int
        Cells of zeros above and left of x, fewer than a window reaches over. Those below and to the
        right follow from OH and OW; the last window begins in x.
    dilation_h, dilation_w : int
        Distance of the cells of a window.
    groups : int
        Divides O.
    z : ndarray, shape (B, OH, OW, O), real, optional
        Written with the pre-activation, which the backward pass of gelu and silu needs.

    References
    ----------
    Dumoulin, Visin: A guide to convolution arithmetic for deep learning. arXiv:1603.07285, 2016.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, x = np.empty((1, 1, 2, 1)), np.array([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1)
    >>> w = np.array([10.0, 1.0]).reshape(1, 2, 1, 1)
    >>> fastnn.kernels.conv_fwd(y, x, w, None, "identity", 1, 1, 0, 0, 1, 1, 1); y.ravel()
    array([12., 24.])
    """
    pre = y if z is None else z
    windows = Windows((stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w))
    correlate(pre, x, w, windows, groups)
    if b is not None:
        pre += b
    activation_fwd(y, pre, activation)


@kernel(
    arrays={
        "dx": Array("B H W C", "w", optional=True),
        "dw": Array("KH KW G O", "w", optional=True),
        "db": Array("O", "w", optional=True),
        "dy": Array("B OH OW O", "rw"),
        "y": Array("B OH OW O"),
        "x": Array("B H W C"),
        "w": Array("KH KW G O"),
        "z": Array("B OH OW O", optional=True),
    },
    flops=lambda d: _flops(d, 2),
    scalars=_SETTINGS,
    tolerance=lambda d: 32 + _terms(d),
    relative_to="array",
    relation=CONVOLUTION,
)
def conv_bwd(
    dx,
    dw,
    db,
    dy,
    y,
    x,
    w,
    activation,
    stride_h,
    stride_w,
    pad_h,
    pad_w,
    dilation_h,
    dilation_w,
    groups,
    z=None,
):
    """Gradients of `conv_fwd`: dz = dy * activation', and of it those of b, w and x.

    Parameters
    ----------
    dx : ndarray, shape (B, H, W, C), real, or None
        Written; None for a first layer, which needs none.
    dw : ndarray, shape (KH, KW, G, O), real, or None
        Written; None for frozen weights.
    db : ndarray, shape (O,), real, or None
        Written; None for a layer without bias, or with a frozen one.
    dy : ndarray, shape (B, OH, OW, O), real
        Gradient at the output; overwritten with dz.
    y : ndarray, shape (B, OH, OW, O), real
        Output of the forward pass.
    x : ndarray, shape (B, H, W, C), real
    w : ndarray, shape (KH, KW, G, O), real
    activation, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups
        As for `conv_fwd`.
    z : ndarray, shape (B, OH, OW, O), real, optional
        Pre-activation, required by gelu and silu.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x, w = np.array([1.0, 2.0, 4.0]).reshape(1, 1, 3, 1), np.ones((1, 2, 1, 1))
    >>> dw, dy = np.empty_like(w), np.ones((1, 1, 2, 1))
    >>> y, numbers = np.empty_like(dy), ("identity", 1, 1, 0, 0, 1, 1, 1)
    >>> fastnn.kernels.conv_bwd(None, dw, None, dy, y, x, w, *numbers)
    >>> dw.ravel()
    array([3., 6.])
    """
    windows = Windows((stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w))
    activation_bwd(dy, dy, y, z, activation)
    if dw is not None:
        weight_gradient(dw, dy, x, windows, groups)
    if db is not None:
        np.sum(dy, axis=(0, 1, 2), out=db)
    if dx is not None:
        input_gradient(dx, dy, w, windows, groups)


@kernel(
    arrays={
        "y": Array("B H W C", "w"),
        "x": Array("B OH OW O"),
        **_TRANSPOSED_WEIGHTS,
        "z": Array("B H W C", "w", optional=True),
    },
    flops=lambda d: _flops(d, 1),
    scalars=_SETTINGS,
    tolerance=lambda d: 32 + _terms(d),
    relative_to="array",
    relation=CONVOLUTION,
)
def conv_transpose_fwd(
    y,
    x,
    w,
    b,
    activation,
    stride_h,
    stride_w,
    pad_h,
    pad_w,
    dilation_h,
    dilation_w,
    groups,
    z=None,
):
    """Transposed convolution: y = activation(z), with z an input gradient of `conv_fwd`, plus b.

    z without b is the dx that `conv_bwd` gives for dz = x: the convolution by w, with the same
    numbers, maps the shape of y to that of x. Letters are those of that convolution.

    Parameters
    ----------
    y : ndarray, shape (B, H, W, C), real
        Written.
    x : ndarray, shape (B, OH, OW, O), real
    w : ndarray, shape (KH, KW, G, O), real
        C = G groups: the last axis is that of the channels of x.
    b : ndarray, shape (C,), real, or None
    activation, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups
        As for `conv_fwd`: a stride enlarges y, and padding is cut off.
    z : ndarray, shape (B, H, W, C), real, optional
        Written with the pre-activation, which the backward pass of gelu and silu needs.

    References
    ----------
    Dumoulin, Visin: A guide to convolution arithmetic for deep learning. arXiv:1603.07285, 2016.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> y, x = np.empty((1, 1, 4, 1)), np.array([1.0, 2.0]).reshape(1, 1, 2, 1)
    >>> w = np.array([10.0, 1.0]).reshape(1, 2, 1, 1)
    >>> fastnn.kernels.conv_transpose_fwd(y, x, w, None, "identity", 1, 2, 0, 0, 1, 1, 1)
    >>> y.ravel()
    array([10.,  1., 20.,  2.])
    """
    pre = y if z is None else z
    windows = Windows((stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w))
    input_gradient(pre, x, w, windows, groups)
    if b is not None:
        pre += b
    activation_fwd(y, pre, activation)


@kernel(
    arrays={
        "dx": Array("B OH OW O", "w", optional=True),
        "dw": Array("KH KW G O", "w", optional=True),
        "db": Array("C", "w", optional=True),
        "dy": Array("B H W C", "rw"),
        "y": Array("B H W C"),
        "x": Array("B OH OW O"),
        "w": Array("KH KW G O"),
        "z": Array("B H W C", optional=True),
    },
    flops=lambda d: _flops(d, 2),
    scalars=_SETTINGS,
    tolerance=lambda d: 64 + 4 * _terms(d),
    relative_to="array",
    relation=CONVOLUTION,
)
def conv_transpose_bwd(
    dx,
    dw,
    db,
    dy,
    y,
    x,
    w,
    activation,
    stride_h,
    stride_w,
    pad_h,
    pad_w,
    dilation_h,
    dilation_w,
    groups,
    z=None,
):
    """Gradients of `conv_transpose_fwd`: dz = dy * activation', and of it those of b, w and x.

    dx is the `conv_fwd` of dz by w, and dw the one that `conv_bwd` gives for an input dz and an
    output gradient x.

    Parameters
    ----------
    dx : ndarray, shape (B, OH, OW, O), real, or None
        Written; None for a first layer, which needs none.
    dw : ndarray, shape (KH, KW, G, O), real, or None
        Written; None for frozen weights.
    db : ndarray, shape (C,), real, or None
        Written; None for a layer without bias, or with a frozen one.
    dy : ndarray, shape (B, H, W, C), real
        Gradient at the output; overwritten with dz.
    y : ndarray, shape (B, H, W, C), real
        Output of the forward pass.
    x : ndarray, shape (B, OH, OW, O), real
    w : ndarray, shape (KH, KW, G, O), real
    activation, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups
        As for `conv_transpose_fwd`.
    z : ndarray, shape (B, H, W, C), real, optional
        Pre-activation, required by gelu and silu.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> x, w = np.array([1.0, 2.0]).reshape(1, 1, 2, 1), np.ones((1, 2, 1, 1))
    >>> dx, dy = np.empty_like(x), np.arange(4.0).reshape(1, 1, 4, 1)
    >>> numbers = "identity", 1, 2, 0, 0, 1, 1, 1
    >>> fastnn.kernels.conv_transpose_bwd(dx, None, None, dy, dy.copy(), x, w, *numbers)
    >>> dx.ravel()
    array([1., 5.])
    """
    windows = Windows((stride_h, stride_w), (pad_h, pad_w), (dilation_h, dilation_w))
    activation_bwd(dy, dy, y, z, activation)
    if dw is not None:
        weight_gradient(dw, x, dy, windows, groups)
    if db is not None:
        np.sum(dy, axis=(0, 1, 2), out=db)
    if dx is not None:
        correlate(dx, dy, w, windows, groups)
