"""Arguments for any kernel, drawn as its row of the table says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from fastnn.kernels import reference
from fastnn.kernels.table import Array, Kernel, array_size

# Around the widths of vectors and of tiles, and one that spans several blocks.
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 300)
SMALL = {"B": 5, "I": 4, "O": 3, "C": 3, "D": 2, "K": 2, "N": 6, "*": 1, "n": 1}
SMALL |= {"H": 4, "W": 5, "OH": 3, "OW": 2, "KH": 3, "KW": 2, "G": 2, "P": 4, "Q": 3, "R": 2}
IMAGE_SIDES = frozenset({"H", "W", "OH", "OW", "KH", "KW"})  # windows cost all their products
LONGEST_SIDE = 6
GUARD = 67  # elements on either side of an array; odd, so that no array starts on a cache line

Shapes = Mapping[str, Any]  # dimension -> size; "*" -> shape


def letters(kernel: Kernel) -> list[str]:
    """Return the dimensions of a kernel, each once."""
    shapes = " ".join(row.shape for row in kernel.arrays.values())
    return sorted(set(shapes.replace("bits(", "").replace(")", "").split()))


def swept_shapes(kernel: Kernel) -> Iterator[Shapes]:
    """Yield shapes with every size in every dimension, the others small."""
    derived = () if kernel.relation is None else kernel.relation.derived
    for letter in sorted(set(letters(kernel)) - set(derived)):
        for size in SIZES:
            shapes = {name: SMALL[name] for name in letters(kernel)} | {letter: size}
            yield shapes | ({"*": (shapes["*"],)} if "*" in shapes else {})


def equal_shapes(kernel: Kernel, size: int) -> Shapes:
    """Return shapes with one size in every dimension, or less along the sides of images."""
    side = min(size, LONGEST_SIDE)
    return {name: side if name in IMAGE_SIDES else size for name in letters(kernel)}


def counts(shapes: Shapes) -> dict[str, int]:
    """Return shapes as functions of the table take them, with the number of elements for ``*``."""
    return {name: math.prod(n) if name == "*" else n for name, n in shapes.items()}


def fitted(kernel: Kernel, shapes: Shapes, settings: Mapping[str, Any]) -> Shapes:
    """Return shapes that fit each other and the settings, near those given."""
    if kernel.relation is None:
        return shapes
    return kernel.relation.fit({name: shapes[name] for name in letters(kernel)}, settings)


def guarded(values: np.ndarray) -> np.ndarray:
    """Return a copy between bands of NaN (or ones), where reading shows, and so does writing."""
    buffer = np.empty(values.size + 2 * GUARD, values.dtype)
    buffer.fill(np.nan if values.dtype.kind == "f" else -1 if values.dtype.kind == "i" else 255)
    inner = buffer[GUARD:-GUARD].reshape(values.shape)
    inner[...] = values
    return inner


def guards_of(array: np.ndarray) -> bytes:
    """Return the bands around an array made by `guarded`."""
    buffer = array
    while buffer.base is not None:
        buffer = buffer.base
    return buffer[:GUARD].tobytes() + buffer[-GUARD:].tobytes()


def draw(
    kernel: Kernel,
    shapes: Shapes,
    dtype: type,
    settings: Mapping[str, Any],
    rng: np.random.Generator,
    *,
    optional: bool = True,
    labels: bool = False,
) -> dict[str, Any]:
    """Return arguments in the order of the signature; optional arrays are None unless wanted.

    Shapes are brought to fit the settings where the kernel relates them.
    """
    drawn: dict[str, Any] = {}
    shapes = fitted(kernel, shapes, settings)
    needs_z = reference.ACTIVATIONS[settings.get("activation", "identity")].needs_z
    for name in kernel.signature.parameters:
        row = kernel.arrays.get(name)
        if row is None:
            drawn[name] = settings[name]
        elif row.optional and not (optional or (name == "z" and needs_z and not row.written)):
            drawn[name] = None
        else:
            cells = settings.get("pool_h", 1) * settings.get("pool_w", 1)
            sizes = dict(shapes) | {"N": settings.get("count", shapes.get("N"))}
            sizes["index"] = shapes.get("P", cells)
            drawn[name] = guarded(_values(row, _shape(row, shapes), sizes, dtype, rng, labels))
    if "w" in drawn:
        fan_in = math.prod(drawn["w"].shape[:-1])
        drawn["w"] /= np.sqrt(fan_in)  # as initialisers do: pre-activations of order 1
    if {"dy", "y", "activation"} <= drawn.keys():  # a backward pass: y belongs to z
        z = drawn["z"] if drawn["z"] is not None else rng.normal(0, 2, drawn["y"].shape)
        drawn["y"][...] = reference.ACTIVATIONS[settings["activation"]].value(z)
    return drawn


def _shape(row: Array, shapes: Shapes) -> tuple[int, ...]:
    if row.shape == "*":
        return shapes["*"]
    if row.shape.startswith("bits("):
        return (array_size(row.shape, counts(shapes)),)
    return tuple(shapes[letter] for letter in row.shape.split())


def _values(
    row: Array,
    shape: tuple[int, ...],
    shapes: Shapes,
    dtype: type,
    rng: np.random.Generator,
    labels: bool,
) -> np.ndarray:
    if row.values == "codes":
        return rng.integers(0, shapes["N"], shape).astype(dtype)
    if row.values == "rows":  # different ones, and some that are none
        rows = rng.permutation(max(shapes["N"], *shape))[: shape[0]]
        return np.where(rows < shapes["N"], rows, -1)
    if row.values == "index":
        return rng.integers(0, shapes["index"], shape).astype(row.dtype)
    if row.dtype not in ("real", "target"):
        return rng.integers(0, 255, shape).astype(row.dtype)
    if row.access == "w":
        return np.full(shape, np.nan, dtype)
    if row.values == "labels":
        if labels:
            return rng.integers(0, shapes["C"], shape[0])
        return rng.dirichlet(np.ones(shape[1]), shape[0]).astype(dtype)
    fill = {
        "normal": lambda: rng.normal(0, 2, shape),
        "small": lambda: rng.normal(0, 0.1, shape),
        "positive": lambda: rng.uniform(0.1, 2, shape),
        "unit": lambda: rng.choice([0.0, 1.0, 0.25], shape),
        "counts": lambda: rng.poisson(2.0, shape),
    }
    return np.asarray(fill[row.values]()).astype(dtype)


def widened(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies of the arguments, real arrays in float64."""
    return {
        name: value.astype(np.float64 if value.dtype.kind == "f" else value.dtype)
        if isinstance(value, np.ndarray)
        else value
        for name, value in arguments.items()
    }


def copied(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return copies of the arguments, with guards."""
    return {
        name: guarded(value) if isinstance(value, np.ndarray) else value
        for name, value in arguments.items()
    }
