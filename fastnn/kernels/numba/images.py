"""Images moved by random affine maps, brightened and cut out: one bilinear sampling for each.

Rows are images (height, width, channels), flattened. `fastnn.augmentation.ImageAugmentation` has
the meaning of the settings. Everything is computed by the same loops wherever an image lies and
however far it moves, so the bits do not depend on a path taken.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np

from ..reference.random import philox_block
from .compiling import compiled
from .rows import RowFunction, on_stack, row_function, unit

#: Pixels of a line of the output whose places are computed together, by vectors without a tail.
PIXELS = 32
PLACES, WEIGHTS = 4 * PIXELS, 2 * PIXELS

#: Settings of `_image_rows`: angles in radians, shift as a share of the size, cutout in pixels.
SETTINGS = np.dtype(
    [
        ("first_block", "u8"),
        *((name, "i8") for name in ("height", "width", "moves")),
        *((name, "f8") for name in ("rotation", "shift", "zoom", "shear")),
        *((name, "i8") for name in ("horizontal_flip", "vertical_flip", "cutout")),
        *((name, "f8") for name in ("brightness", "cval")),
    ]
)
BLOCKS = 3  # of random words for each image
FAR = -(1 << 30)  # added to any place, says that it is outside

# `image_rows` replaces these, and the functions of `FillMode`.
real, channels = np.float32, 1


# -------------------------------------------------------------------------- beyond the edge
#
# Where a coordinate u of an axis of n pixels lies: between which two pixels, and how far from the
# first to the second.


def _nearest(u, n):
    """Repeat the edge: a a a | a b c d | d d d."""
    u = min(max(u, real(0)), n - real(1))
    low = np.floor(u)
    return low, min(low + real(1), n - real(1)), u - low


def _reflect(u, n):
    """Mirror at the edge: c b a | a b c d | d c b."""
    u = u + real(0.5)
    u = u - real(2) * n * np.floor(u / (real(2) * n))
    u = min(u, real(2) * n - u) - real(0.5)
    return _nearest(u, n)


def _wrap(u, n):
    """Repeat the axis: b c d | a b c d | a b c."""
    u = min(max(u - n * np.floor(u / n), real(0)), n)
    low = min(np.floor(u), n - real(1))
    high = low + real(1)
    return low, high if high < n else real(0), u - low


def _constant(u, n):
    """Read a constant beyond the edge: k k k | a b c d | k k k."""
    u = min(max(u, real(-1)), n)
    low = np.floor(u)
    return low, low + real(1), u - low


# What a line's or a column's number adds to the place of an element, and the element at a place.


def _place(number, n, stride):
    return np.int32(number) * stride


def _place_or_far(number, n, stride):
    return np.int32(number) * stride if 0 <= number < n else FAR


def _read(source, place, cval):
    return source[np.uint64(place)]


def _read_or_cval(source, place, cval):
    return source[np.uint64(place)] if place >= 0 else cval


class FillMode(NamedTuple):
    """Functions that `_sample` calls for places beyond the edge."""

    fold: Callable = _nearest
    place: Callable = _place
    read: Callable = _read


FILL_MODES = {
    "constant": FillMode(_constant, _place_or_far, _read_or_cval),
    "nearest": FillMode(_nearest),
    "reflect": FillMode(_reflect),
    "wrap": FillMode(_wrap),
}

fold, place, read = FILL_MODES["nearest"]


# ---------------------------------------------------------------------------------- the loops


def _image_rows(out, x, begin, end, rows, settings, seed, offset):
    s = numba.carray(settings, 1, SETTINGS)[0]
    size = s.height * s.width * channels
    batch, sources = numba.carray(out, rows * size, real), numba.carray(x, rows * size, real)
    for row in range(begin, end):
        first = s.first_block + np.uint64(BLOCKS * row)
        a = philox_block(first, seed, offset)
        b = philox_block(first + np.uint64(1), seed, offset)
        c = philox_block(first + np.uint64(2), seed, offset)
        up = s.vertical_flip == 1 and unit(b[1]) < 0.5
        left = s.horizontal_flip == 1 and unit(b[2]) < 0.5
        image, source = batch[row * size : (row + 1) * size], sources[row * size :]
        if s.moves:
            _sample(image, source, s, _inverse_map(s, a, b, up, left))
        else:
            _turn(image, source, s, up, left)
        if s.brightness > 0:
            factor = real(1 + s.brightness * (2 * unit(b[3]) - 1))
            for i in range(size):
                image[i] *= factor
        if s.cutout > 0:
            _cut(image, s, unit(c[0]), unit(c[1]))


def _inverse_map(s, a, b, up, left):
    """Return (M, t) such that the pixel at p of the output shows the place M p + t of the source.

    The output is the source flipped, enlarged by z, sheared, rotated and shifted, in this order and
    about its centre c: p' − c = R S Z F (p − c) + shift, so that M = F⁻¹ Z⁻¹ S⁻¹ R⁻¹.
    """
    angle, shear = s.rotation * (2 * unit(a[0]) - 1), s.shear * (2 * unit(a[1]) - 1)
    zoom = 1 + s.zoom * (2 * unit(a[2]) - 1)
    cos, sin, slope = math.cos(angle), math.sin(angle), math.tan(shear)
    fy, fx = (-1 if up else 1) / zoom, (-1 if left else 1) / zoom
    yy, yx = fy * cos, fy * sin
    xy, xx = fx * (-sin - slope * cos), fx * (cos - slope * sin)
    cy, cx = (s.height - 1) / 2, (s.width - 1) / 2
    y = cy + s.shift * s.height * (2 * unit(a[3]) - 1)
    x = cx + s.shift * s.width * (2 * unit(b[0]) - 1)
    return yy, yx, xy, xx, cy - yy * y - yx * x, cx - xy * y - xx * x


def _sample(image, source, s, places):
    """Sample bilinearly; the places of `PIXELS` pixels at a time stand on the stack."""
    yy, yx, xy, xx, ty, tx = places
    height, width, cval = s.height, s.width, real(s.cval)
    stack = numba.carray(on_stack(np.int32(0), PLACES), (4, PIXELS))
    y0, y1, x0, x1 = stack[0], stack[1], stack[2], stack[3]
    weights = numba.carray(on_stack(real(0), WEIGHTS), (2, PIXELS))
    wy, wx = weights[0], weights[1]
    for i in range(height):
        line_y, line_x = real(yy * i + ty), real(xy * i + tx)
        for first in range(0, width, PIXELS):
            for k in range(PIXELS):
                j = real(np.int32(first + k))
                low, high, wy[k] = fold(line_y + real(yx) * j, real(height))
                y0[k] = place(low, height, width * channels)
                y1[k] = place(high, height, width * channels)
                low, high, wx[k] = fold(line_x + real(xx) * j, real(width))
                x0[k], x1[k] = place(low, width, channels), place(high, width, channels)
            line = image[(i * width + first) * channels :]
            for k in range(min(PIXELS, width - first)):
                for c in range(channels):
                    top, bottom, left, right = y0[k] + c, y1[k] + c, x0[k], x1[k]
                    nw, ne = read(source, top + left, cval), read(source, top + right, cval)
                    sw, se = read(source, bottom + left, cval), read(source, bottom + right, cval)
                    north, south = _between(nw, ne, wx[k]), _between(sw, se, wx[k])
                    line[np.uint64(k * channels + c)] = _between(north, south, wy[k])


def _between(a, b, share):
    return a + share * (b - a)


def _turn(image, source, s, up, left):
    """Copy or mirror an image, exactly, since nothing is computed."""
    height, width = s.height, s.width
    for i in range(height):
        line = (height - 1 - i if up else i) * width
        for j in range(width):
            to = (i * width + j) * channels
            of = (line + (width - 1 - j if left else j)) * channels
            for c in range(channels):
                image[np.uint64(to + c)] = source[np.uint64(of + c)]


def _cut(image, s, u, v):
    """Fill a square around a pixel drawn from all of them, as far as it lies in the image."""
    top = int(u * s.height) - s.cutout // 2
    left = int(v * s.width) - s.cutout // 2
    for i in range(max(top, 0), min(top + s.cutout, s.height)):
        start = i * s.width + max(left, 0)
        stop = i * s.width + min(left + s.cutout, s.width)
        image[start * channels : stop * channels] = real(s.cval)


@functools.cache
def image_rows(fill_mode: str, depth: int, dtype: np.dtype) -> RowFunction:
    """Return the function of rows for one fill mode, number of channels and dtype of the images."""
    suffix = f"_{fill_mode}_{depth}_{dtype}"
    names: dict[str, Any] = {"real": dtype.type, "channels": depth}
    for name, function in FILL_MODES[fill_mode]._asdict().items():
        names[name] = compiled(function, suffix, **names)
    return row_function(_image_rows, suffix, **names)
