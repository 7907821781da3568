"""Checks of the signatures of users' functions, before they are called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ArgumentTypeError


def parameters(function: Callable[..., Any]) -> list[str]:
    """Return the names of what a method takes by position, without `self`."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def require(what: str, function: Any, names: Sequence[str], keywords: Sequence[str] = ()) -> None:
    """Raise an error for a function that cannot take these arguments, by position and by name.

    Parameters
    ----------
    what : str
        Names the function in the error.
    function : callable
        Not checked if it has no signature, as some of C, or is one of fastnn.
    names, keywords : sequence of str
        The arguments that will be passed by position, in this order, and by name.

    Raises
    ------
    ArgumentTypeError
    """
    if not is_users(function):
        return
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*names, **dict.fromkeys(keywords))
    except TypeError:
        expected = ", ".join([*names, *(f"{keyword}=…" for keyword in keywords)])
        raise ArgumentTypeError(f"{what} must take ({expected}), but takes {signature}") from None


def is_users(value: Any) -> bool:
    """Return whether an object, or a function, is a user's and not one of fastnn."""
    return not (getattr(value, "__module__", None) or "").startswith("fastnn.")


def accepts_keyword(function: Callable[..., Any], keyword: str) -> bool:
    """Return whether a function has a parameter of that name; False if it has no signature."""
    try:
        return keyword in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
