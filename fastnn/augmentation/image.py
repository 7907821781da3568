"""Random changes to images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..errors import ArgumentError
from ..runtime.random_streams import Stream
from ..utils import checks
from .base import Augmentation
from .pipeline import PipelineBuilder, Transform

FILL_MODES = {mode: mode for mode in ("constant", "nearest", "reflect", "wrap")}

#: Largest side and number of elements: float32 holds all coordinates, int32 all indices.
MAX_SIDE, MAX_SIZE = 1 << 20, 1 << 30

#: Estimated nanoseconds for an element, for an element that is sampled, and for the draws.
ELEMENT_COST, SAMPLE_COST, DRAW_COST = 0.2, 2.0, 200.0


@dataclass(frozen=True)
class ImageAugmentation(Augmentation):
    """Move, mirror, brighten and cut out images at random, each in its own way.

    Rows are images of shape (H, W), or (H, W, C) with the channels last, of any dtype. An image is
    flipped, enlarged, sheared, rotated about its centre and shifted, in this order, as one affine
    map, and read by one bilinear interpolation; then it is brightened, then cut out. All channels
    of an image are treated alike. Draws are uniform and independent of each other.

    Parameters
    ----------
    rotation : float
        Degrees in [0, 180]: angles are from [−rotation, rotation].
    shift : float
        In [0, 1], a share of height and of width: images move by up to this much each way.
    zoom : float
        In [0, 0.99]: what is shown becomes 1 − zoom to 1 + zoom times as large, the same in height
        and in width.
    shear : float
        Degrees in [0, 89]: vertical lines lean by up to this angle.
    horizontal_flip, vertical_flip : bool
        Whether half of the images are mirrored left to right, or top to bottom.
    brightness : float
        In [0, 1]: images are multiplied by a factor from [1 − brightness, 1 + brightness].
    cutout : int
        Side in pixels of a square that is set to `cval`, around a pixel drawn from all of them; so
        parts of it may lie outside (DeVries and Taylor, 2017). 0 for none.
    fill_mode : {"nearest", "constant", "reflect", "wrap"}
        Values beyond the edge of an image a b c d, named as in Keras: a a a | d d d; cval;
        c b a | d c b; b c d | a b c. `scipy.ndimage` calls two of them grid-constant and grid-wrap.
    cval : float
        A value as the network sees it, after `Rescaling`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Also `ValueError` and `TypeError`: an argument is out of range. From `Network.fit`, if the
        rows are no images.

    Notes
    -----
    Values are not clipped, as their range is unknown. With flips alone, pixels are copied, not
    computed. Coordinates are computed in the network's dtype: with float32, to some 1e-7 of the
    side.

    References
    ----------
    DeVries, Taylor, "Improved regularization of convolutional neural networks with cutout", 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from fastnn import Dense, Flatten, Network, Rescaling
    >>> from fastnn.augmentation import ImageAugmentation
    >>> rng = np.random.default_rng(0)
    >>> images, labels = rng.integers(0, 256, (64, 12, 12), np.uint8), rng.integers(0, 10, 64)
    >>> layers = [Rescaling(1 / 255), Flatten(), Dense(16, "relu"), Dense(10)]
    >>> net = Network(layers, loss="softmax_cross_entropy", seed=0)
    >>> augmentation = ImageAugmentation(rotation=15, shift=0.1, zoom=0.1)
    >>> history = net.fit(images, labels, augmentation=augmentation, epochs=2, verbose=0)
    """

    rotation: float = 0.0
    shift: float = 0.0
    zoom: float = 0.0
    shear: float = 0.0
    horizontal_flip: bool = False
    vertical_flip: bool = False
    brightness: float = 0.0
    cutout: int = 0
    fill_mode: str = "nearest"
    cval: float = 0.0

    def __post_init__(self) -> None:
        self._set_fields(
            rotation=checks.number("rotation", self.rotation, low=0, high=180),
            shift=checks.number("shift", self.shift, low=0, high=1),
            zoom=checks.number("zoom", self.zoom, low=0, high=0.99),
            shear=checks.number("shear", self.shear, low=0, high=89),
            horizontal_flip=checks.boolean("horizontal_flip", self.horizontal_flip),
            vertical_flip=checks.boolean("vertical_flip", self.vertical_flip),
            brightness=checks.number("brightness", self.brightness, low=0, high=1),
            cutout=checks.integer("cutout", self.cutout, low=0, high=MAX_SIDE),
            fill_mode=checks.one_of("fill_mode", self.fill_mode, FILL_MODES),
            cval=checks.number("cval", self.cval),
        )

    def lower(self, builder: PipelineBuilder) -> None:
        from ..kernels.numba.images import SETTINGS, image_rows

        height, width, channels = _image_shape(builder.shape)
        if abs(self.cval) > float(np.finfo(builder.dtype).max):
            raise ArgumentError(f"cval is {self.cval}, more than {builder.dtype} can hold")
        moves = any((self.rotation, self.shift, self.zoom, self.shear))
        settings = np.zeros(1, SETTINGS)
        for name in set(SETTINGS.names or ()) & set(self.__dataclass_fields__):
            settings[name] = getattr(self, name)
        settings["first_block"] = builder.first_block
        settings["height"], settings["width"], settings["moves"] = height, width, moves
        for angle in ("rotation", "shear"):
            settings[angle] = math.radians(getattr(self, angle))
        function = image_rows(self.fill_mode, channels, builder.dtype)
        cost = DRAW_COST + builder.size * (SAMPLE_COST if moves else ELEMENT_COST)
        builder.x.append(
            Transform(function, settings, Stream.AUGMENTATION, builder.shape, builder.dtype, cost)
        )
        builder.parts += 1


def _image_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return height, width and channels of a row."""
    if len(shape) not in (2, 3):
        raise ArgumentError(
            "ImageAugmentation needs images, rows of shape (H, W) or (H, W, C), but the rows of X "
            f"have shape {shape}; give X its shape, as in X.reshape(-1, H, W), and let a Flatten "
            "layer make tables of it"
        )
    height, width, channels = (*shape, 1)[:3]
    if max(height, width) > MAX_SIDE or math.prod(shape) > MAX_SIZE:
        raise ArgumentError(
            f"images of shape {shape} are too large to augment: sides may have {MAX_SIDE} pixels, "
            f"and an image {MAX_SIZE} elements"
        )
    return height, width, channels
