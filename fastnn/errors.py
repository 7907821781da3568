"""Exceptions. All derive from `FastnnError`; those about a value are `ValueError` too."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .search.result import SearchResult


class FastnnError(Exception):
    """Base of every error that fastnn raises on purpose."""


class ArgumentError(FastnnError, ValueError):
    """An argument has a value that cannot be used; the message names it."""


class ArgumentTypeError(FastnnError, TypeError):
    """An argument is of a type that cannot be used; the message names it."""


class CustomFunctionError(FastnnError, RuntimeError):
    """A function of the user's own activation or loss raised an exception where C called it."""


class NotBuiltError(FastnnError, RuntimeError):
    """The network has no parameters yet: call `build` or `fit` first."""


class NetworkBusyError(FastnnError, RuntimeError):
    """The network is being trained by another thread."""


class DivergenceError(FastnnError, ArithmeticError):
    """Training produced a non-finite loss or gradient; the last finite weights are kept.

    Attributes
    ----------
    epoch, batch : int
        Where it happened, both counted from 1.
    layer : str
        First layer, in the order of computation, with a non-finite value.
    """

    def __init__(self, message: str, *, epoch: int, batch: int, layer: str):
        super().__init__(message)
        self.epoch = epoch
        self.batch = batch
        self.layer = layer

    def __reduce__(self) -> tuple[Any, ...]:
        known = functools.partial(type(self), epoch=self.epoch, batch=self.batch, layer=self.layer)
        return known, self.args, self.__dict__


class ModelFileError(FastnnError, ValueError):
    """A model file is truncated, altered, foreign or too large."""


class MissingDependencyError(FastnnError, ImportError):
    """A package that this function needs is not installed; the message says how to get it."""


class SearchError(FastnnError, RuntimeError):
    """All trials of a search failed; the error of the first is its cause."""


class ExecutorError(FastnnError, RuntimeError):
    """The executor of a search can take no more work, for instance since a worker was killed.

    Attributes
    ----------
    result : SearchResult or None
        What the search has found until then; None if no trial was trained.
    """

    result: SearchResult | None = None


class BackendError(FastnnError, RuntimeError):
    """A kernel back end cannot be used on this machine."""


def unknown_name(argument: str, name: object, known: Iterable[str]) -> FastnnError:
    """The error for a name that is not among the known ones, with the nearest one suggested."""
    known = sorted(known)
    if not isinstance(name, str):
        return ArgumentTypeError(
            f"{argument} must be one of {', '.join(known)}; got {type(name).__name__}"
        )
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return ArgumentError(f"unknown {argument} {name!r}: {hint}Known: {', '.join(known)}")
