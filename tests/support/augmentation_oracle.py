"""An oracle of `ImageAugmentation`: its draws from random words, applied by `scipy.ndimage`."""

import numpy as np
from scipy import ndimage

from fastnn import kernels

MODES = {
    "constant": "grid-constant",
    "nearest": "nearest",
    "reflect": "reflect",
    "wrap": "grid-wrap",
}
AUGMENTATION = 4  # the random stream


def uniform(rows, seed, step):
    """Twelve numbers in (−1, 1) for each row."""
    words = np.empty(12 * rows, np.uint32)
    kernels.philox(words, seed=seed, offset=AUGMENTATION << 48 | step)
    return ((words.astype(np.float64) + 0.5) * 2.0**-31 - 1).reshape(rows, 12)


def matrix(angle, shear, zoom, up, left):
    """Return the map from source to output in (y, x), y down: rotation is anticlockwise."""
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.array([[cos, -sin], [sin, cos]])
    lean = np.array([[1, 0], [np.tan(np.radians(shear)), 1]])
    flip = np.diag([-1.0 if up else 1.0, -1.0 if left else 1.0])
    return turn @ lean @ (zoom * flip)


def augmented(images, spec, seed, step):
    """The images (n, H, W, C) as float64, augmented one by one, channel by channel."""
    images = np.asarray(images, np.float64)
    size = np.array(images.shape[1:3])
    out = np.empty_like(images)
    for u, image, result in zip(uniform(len(images), seed, step), images, out, strict=True):
        forward = matrix(
            spec.rotation * u[0],
            spec.shear * u[1],
            1 + spec.zoom * u[2],
            spec.vertical_flip and u[5] < 0,
            spec.horizontal_flip and u[6] < 0,
        )
        inverse, centre = np.linalg.inv(forward), (size - 1) / 2
        offset = centre - inverse @ (centre + spec.shift * size * u[3:5])
        for c in range(image.shape[-1]):
            result[..., c] = ndimage.affine_transform(
                image[..., c], inverse, offset, order=1, mode=MODES[spec.fill_mode], cval=spec.cval
            )
        result *= 1 + spec.brightness * u[7]
        centre = np.floor((u[8:10] + 1) / 2 * size).astype(int)
        start = np.maximum(centre - spec.cutout // 2, 0)
        stop = centre - spec.cutout // 2 + spec.cutout
        result[start[0] : stop[0], start[1] : stop[1]] = spec.cval
    return out
