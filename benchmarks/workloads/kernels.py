"""A call of every kernel of the table, on arguments drawn as its row says.

Nothing here names a kernel: a row that is added to the table is measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from fastnn import kernels
from fastnn.kernels import KERNELS, Kernel, reference
from fastnn.testing import closeness, drawing

from .calls import KernelCall

#: Dimensions by size, elements for ``*``: within the first caches, and beyond the last.
SIZES = {
    "small": {"B": 64, "I": 64, "O": 64, "C": 64, "N": 1_000, "*": 10_000, "n": 10_000},
    "large": {"B": 512, "I": 512, "O": 512, "C": 512, "N": 100_000, "*": 4_000_000, "n": 4_000_000},
}
IMAGE = {"H": 14, "W": 14, "OH": 14, "OW": 14, "KH": 3, "KW": 3}
OTHER = 16  # any dimension that is not among them
DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Subject:
    """A kernel with the settings it is measured with."""

    name: str
    kernel: Kernel
    setting: Mapping[str, Any] = field(compare=False)


def subjects() -> Iterator[Subject]:
    """Yield each kernel with its first settings; with all activations where it does no more.

    Around a product, relu stands for them: it is the one that networks use most.
    """
    for name, kernel in KERNELS.items():
        by_activation = {row.get("activation"): row for row in reversed(kernel.scalars)}
        if None in by_activation:
            yield Subject(name, kernel, kernel.scalars[0])
        elif "w" in kernel.arrays:
            yield Subject(name, kernel, by_activation["relu"])
        else:
            for activation in kernels.ACTIVATIONS:
                yield Subject(f"{name}_{activation}", kernel, by_activation[activation])


@dataclass(frozen=True)
class KernelWork:
    """A subject at a size, in a dtype."""

    subject: Subject
    size: str
    dtype: str

    @property
    def kernel(self) -> Kernel:
        return self.subject.kernel

    @property
    def name(self) -> str:
        return f"{self.subject.name}, {self.size}, {self.dtype}"

    @cached_property
    def shapes(self) -> dict[str, Any]:
        """Return dimensions as `drawing` takes them: a shape for ``*``."""
        known = SIZES[self.size] | IMAGE
        sizes = {letter: known.get(letter, OTHER) for letter in self._letters}
        shapes = {k: (n,) if k == "*" else n for k, n in sizes.items()}
        return dict(drawing.fitted(self.kernel, shapes, self.subject.setting))

    @property
    def _letters(self) -> list[str]:
        return drawing.letters(self.kernel)

    @property
    def flops(self) -> float:
        return self.kernel.flops(drawing.counts(self.shapes))

    @property
    def bytes_moved(self) -> int:
        return self.kernel.bytes_moved(drawing.counts(self.shapes), np.dtype(self.dtype).itemsize)

    def arguments(self) -> dict[str, Any]:
        """Return them in the order of the signature, as training calls the kernel.

        That is with all gradients, class numbers as targets, and a copy of the pre-activation only
        where the derivative needs it.
        """
        drawn = drawing.draw(
            self.kernel,
            self.shapes,
            np.dtype(self.dtype).type,
            self.subject.setting,
            np.random.default_rng(0),
            labels=True,
        )
        activation = self.subject.setting.get("activation", "identity")
        if "z" in drawn and self.kernel.arrays["z"].optional:
            drawn["z"] = drawn["z"] if reference.ACTIVATIONS[activation].needs_z else None
        return drawn

    def call(self, backend: str | None = None) -> KernelCall:
        """Return a call of the kernel; NotImplementedError if the back end has none."""
        return KernelCall(self.kernel.name, self.arguments(), backend)

    def check(self, call: KernelCall) -> None:
        """Call it on what was drawn; AssertionError if the reference in float64 disagrees."""
        drawn = self.arguments()
        for name, value in drawn.items():
            if isinstance(value, np.ndarray):
                call.arguments[name][...] = value
        returned = call()
        oracle = drawing.widened(drawn)
        expected = getattr(reference, self.kernel.name)(**oracle)
        outcomes = {
            name: (call.arguments[name], oracle[name])
            for name, row in self.kernel.arrays.items()
            if row.written and drawn[name] is not None
        }
        if self.kernel.returns_value:
            outcomes["value"] = np.float64(returned), np.float64(expected)
        for name, pair in outcomes.items():
            closeness.check_close(self.kernel, self.shapes, self.dtype, drawn, name, *pair)


def work(name: str, size: str, dtype: str) -> KernelWork:
    """Return the work of a subject, given by its name."""
    [subject] = [subject for subject in subjects() if subject.name == name]
    return KernelWork(subject, size, dtype)
