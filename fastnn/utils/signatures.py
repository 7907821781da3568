"""Whether a function of the user can be called as it will be, asked before time is spent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ArgumentTypeError


def parameters(function: Callable[..., Any]) -> list[str]:
    """Return the names of what a method takes by position, without `self`."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def require(what: str, function: Any, names: Sequence[str], keywords: Sequence[str] = ()) -> None:
    """Refuse a function that cannot take arguments of these names, by position.

    Parameters
    ----------
    what : str
        Names the function in the error.
    function : callable
        One that does not tell its signature, as some of C do not, is taken, and so is one of
        fastnn.
    names, keywords : sequence of str
        What it will be given by position, in this order, and by name.

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
    """Return whether an object, or a function, is a user's, and not one of fastnn."""
    return not (getattr(value, "__module__", None) or "").startswith("fastnn.")


def accepts_keyword(function: Callable[..., Any], keyword: str) -> bool:
    """Return whether a function has a parameter of that name; False if it does not tell."""
    try:
        return keyword in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return False
