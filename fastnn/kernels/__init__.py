"""The kernels, checked and public, and the choice of the back end that runs them.

Every kernel of the table is a function of this module, such as ``fastnn.kernels.adam_step``: it
checks its arguments as ``fastnn.kernels.contract`` says and calls the active back end. Its
documentation, and what it computes, is that of ``fastnn.kernels.reference``.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

from ..errors import BackendError
from ..utils import checks
from . import contract, reference
from .table import KERNELS, Kernel

__all__ = ["ACTIVATIONS", "BACKENDS", "KERNELS", "active_backend", "implementation", "use"]
__all__ += list(KERNELS)

#: Names of the activations.
ACTIVATIONS = tuple(reference.ACTIVATIONS)

#: Names of the back ends, the fastest first; each is a module here.
BACKENDS = ("native", "numba", "reference")

_active: str | None = None  # until the first use: as the environment says
_loaded: dict[str, ModuleType] = {}


class _Restore:
    """Context manager that puts the previous back end back."""

    def __init__(self, previous: str | None):
        self._previous = previous

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        global _active
        _active = self._previous


def use(backend: str) -> _Restore:
    """Choose the back end for the whole process, or for the length of a ``with`` block.

    Parameters
    ----------
    backend : {"native", "numba", "reference"}
        C with OpenMP, Numba's just-in-time compiler, or plain NumPy. The environment variable
        ``FASTNN_BACKEND`` names the one to start with; "native" where it is not set.

    Returns
    -------
    context manager
        Restores the previous choice on exit. Ignore it for a lasting choice.

    Raises
    ------
    ArgumentError
        There is no back end of that name.
    BackendError
        It cannot be used in this installation.

    Examples
    --------
    >>> import fastnn
    >>> with fastnn.kernels.use("reference"):
    ...     fastnn.kernels.active_backend()
    'reference'
    """
    global _active
    implementation(backend)
    previous, _active = _active, backend
    return _Restore(previous)


def active_backend() -> str:
    """Return the name of the back end in use.

    Returns
    -------
    str
        One of `BACKENDS`.

    Raises
    ------
    ArgumentError
        The environment variable ``FASTNN_BACKEND`` names none.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.kernels.active_backend() in fastnn.kernels.BACKENDS
    True
    """
    global _active
    if _active is None:
        name = os.environ.get("FASTNN_BACKEND", "").strip() or BACKENDS[0]
        if name not in BACKENDS:
            raise checks.unknown_name("FASTNN_BACKEND", name, BACKENDS)
        _active = name
    return _active


def implementation(backend: str | None = None) -> ModuleType:
    """Return the functions of a back end without checks, for callers that have checked.

    Parameters
    ----------
    backend : str, optional
        The active one where None.

    Returns
    -------
    module
        With one function for each row of `KERNELS`.

    Raises
    ------
    ArgumentError
        There is no back end of that name.
    BackendError
        It cannot be used in this installation.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> p = np.array([1.0])
    >>> fastnn.kernels.implementation("reference").sgd_step(p, np.array([2.0]), 0.25, 0.0); p
    array([0.5])
    """
    name = active_backend() if backend is None else backend
    try:
        return _loaded[name]
    except (KeyError, TypeError):
        return _load(name)


def _load(backend: str) -> ModuleType:
    if backend not in BACKENDS:
        raise checks.unknown_name("backend", backend, BACKENDS)
    try:
        module = importlib.import_module(f"{__name__}.{backend}")
    except ImportError as error:
        raise BackendError(
            f"the {backend!r} back end cannot be used: {error}. Another one can be chosen by "
            "fastnn.kernels.use or the environment variable FASTNN_BACKEND"
        ) from error
    _loaded[backend] = module
    return module


def _checked(kernel: Kernel) -> Callable[..., Any]:
    """Return the public function of a kernel."""
    name = kernel.name

    def function(*args: Any, **kwargs: Any) -> Any:
        call = getattr(implementation(), name)
        checked = getattr(call, "checked", None)
        if checked is not None:  # native: most arguments need no check in Python
            return checked(args, kwargs)
        return call(*contract.check(kernel, contract.bind(kernel, args, kwargs)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = kernel.function.__doc__
    function.__signature__ = kernel.signature  # type: ignore[attr-defined]
    return function


def __getattr__(name: str) -> Any:
    if name not in KERNELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    function = globals()[name] = _checked(KERNELS[name])
    return function


def __dir__() -> list[str]:
    return sorted(globals().keys() | set(__all__))
