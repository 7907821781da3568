"""Compile lazily, without the GIL, cached on disk.

Numba's cache finds a function by its file and qualified name, looks at the age of that one file,
and cannot hold a closure over another compiled function. Hence every function that is compiled
here is a copy under a name of its own, whose globals are the compiled functions it calls, and the
name ends in a digest of all sources that may have gone into it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import inspect
from collections.abc import Callable, Container
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
import numpy as np


@functools.cache
def _sources_digest() -> str:
    """Return a digest of this back end and of the reference, whose text it compiles."""
    digest = hashlib.sha256()
    for package in ("numba", "reference"):
        for path in sorted(Path(__file__).parents[1].glob(f"{package}/*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def copy_of(template: Callable, name: str, **names: Any) -> FunctionType:
    """Return a copy of `template` with global `names`, which Numba's cache finds by `name`."""
    copy = FunctionType(template.__code__, template.__globals__ | names, name)
    copy.__module__ = template.__module__
    copy.__qualname__ = f"{name}.{_sources_digest()}"
    return copy


def specialise(template: Callable, name: str, **names: Any) -> Callable:
    """Compile a copy of `template`, in which `names` are global."""
    copy = copy_of(template, name, **names)
    dispatcher = numba.njit(nogil=True, error_model="numpy")(copy)
    with contextlib.suppress(RuntimeError):  # nowhere to write: every process compiles anew
        dispatcher.enable_caching()
    return dispatcher


@numba.njit
def _where(condition, if_true, if_false):
    """Compute `np.where` of single numbers, for which Numba's own returns an array."""
    return if_true if condition else if_false


@functools.cache
def compiled(function: Callable, suffix: str = "", **names: Any) -> Callable:
    """Compile a reference function, or a formula of one for single numbers, with what it calls.

    `names` are global in all functions that use them; `suffix` tells their copies from others.
    """
    function = inspect.unwrap(function)
    if not _uses(function, names):
        suffix, names = "", {}
    return specialise(function, function.__name__ + suffix, **called_by(function, suffix, **names))


def called_by(function: Callable, suffix: str = "", **names: Any) -> dict[str, Any]:
    """Return `names`, and the compiled functions that a function calls by their global names."""
    called = dict(names)
    for name, value in _globals_of(function).items():
        if name in names:
            continue
        if value is np.where:
            called[name] = _where
        elif isinstance(value, FunctionType):
            called[name] = compiled(value, suffix, **names)
    return called


def _uses(function: Callable, names: Container[str]) -> bool:
    """Return whether a function, or one that it calls, has one of the names."""
    return any(
        name in names or (isinstance(value, FunctionType) and _uses(value, names))
        for name, value in _globals_of(function).items()
    )


def _globals_of(function: Callable) -> dict[str, Any]:
    """Return the values of the global names in the text of a function."""
    known = function.__globals__
    return {name: known[name] for name in function.__code__.co_names if name in known}


def flat(array: np.ndarray) -> np.ndarray:
    """Return a view of one dimension, so that one compiled function serves any shape."""
    return array.reshape(-1)
