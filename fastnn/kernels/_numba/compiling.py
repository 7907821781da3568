"""How this back end compiles: lazily, without the GIL, cached on disk.

Numba's cache knows a function by its file and qualified name, looks at the age of that one file,
and cannot hold a closure over another compiled function. Hence every function that is compiled
here is a copy under a name of its own, whose globals are the compiled functions it calls, and the
name ends in a digest of all sources that may have gone into it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import numpy as np


@functools.cache
def _sources_digest() -> str:
    """Of this back end and of the reference, whose text it compiles."""
    digest = hashlib.sha256()
    for package in ("_numba", "reference"):
        for path in sorted(Path(__file__).parents[1].glob(f"{package}/*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def specialise(template: Callable, name: str, **names: Any) -> Callable:
    """Compile a copy of `template`, in which `names` are global."""
    copy = FunctionType(template.__code__, template.__globals__ | names, name)
    copy.__module__ = template.__module__
    copy.__qualname__ = f"{name}.{_sources_digest()}"
    dispatcher = numba.njit(nogil=True, error_model="numpy")(copy)
    with contextlib.suppress(RuntimeError):  # nowhere to write: every process compiles anew
        dispatcher.enable_caching()
    return dispatcher


@numba.njit
def _where(condition, if_true, if_false):
    """`np.where` of single numbers, for which Numba's own returns an array."""
    return if_true if condition else if_false


@functools.cache
def compiled(function: Callable) -> Callable:
    """Compile a reference function, or a formula of one for single numbers, with what it calls."""
    function = inspect.unwrap(function)
    names: dict[str, Callable] = {}
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if value is np.where:
            names[name] = _where
        elif isinstance(value, FunctionType):
            names[name] = compiled(value)
    return specialise(function, function.__name__, **names)


def flat(array: np.ndarray) -> np.ndarray:
    """A view of one dimension, so that one compiled function serves any shape."""
    return array.reshape(-1)
