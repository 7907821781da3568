"""Random changes to the rows of a batch, on their way into training.

`ImageAugmentation` moves and mirrors images, `GaussianJitter` adds noise to tables, `Mixup` mixes
rows and their targets, `Compose` or a list does several. Give one to `Network.fit`, or call it with
arrays.

    base       the base class, also called with arrays
    pipeline   an augmentation compiled for rows of known shape and dtype, as executors run it
"""

from .base import Augmentation, Compose, augmentation_of
from .image import ImageAugmentation
from .jitter import GaussianJitter
from .mixup import Mixup

__all__ = [
    "Augmentation",
    "Compose",
    "GaussianJitter",
    "ImageAugmentation",
    "Mixup",
    "augmentation_of",
]
