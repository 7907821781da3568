"""Errors for wrong calls that name similar keywords, or write the call by keywords.

They replace Python's own `TypeError`, so a correct call costs nothing.
"""

from __future__ import annotations

import functools
import inspect
from abc import ABCMeta
from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import ArgumentTypeError
from . import foreign_names

F = TypeVar("F", bound=Callable[..., Any])


class WrongCallError(ArgumentTypeError):
    """A call whose arguments do not fit the function."""


class Explained(ABCMeta):
    """Metaclass of classes whose constructors raise `WrongCallError` for a wrong call."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except TypeError as error:
            if _raised_within(error):
                raise
            raise explained(cls.__name__, inspect.signature(cls), args, kwargs, error) from None

    @property
    def __signature__(cls) -> inspect.Signature:
        """The signature of the constructor; `inspect` would take the metaclass's."""
        return _without_self(inspect.signature(cls.__init__))  # type: ignore[misc]


def explains(function: F) -> F:
    """Decorate a function, or method, to raise `WrongCallError` for a wrong call."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            if _raised_within(error):
                raise
            signature = inspect.signature(function)
            if "self" in signature.parameters:
                signature, args = _without_self(signature), args[1:]
            raise explained(function.__name__, signature, args, kwargs, error) from None

    return wrapper  # type: ignore[return-value]


def _without_self(signature: inspect.Signature) -> inspect.Signature:
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def _raised_within(error: TypeError) -> bool:
    """Return whether the error comes from the body of the function, not from the call."""
    assert error.__traceback__ is not None
    return error.__traceback__.tb_next is not None


def explained(
    name: str,
    signature: inspect.Signature,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    error: TypeError,
) -> WrongCallError:
    """Return the error for a call that does not fit the signature."""
    parameters = signature.parameters
    unknown = [keyword for keyword in kwargs if keyword not in parameters]
    positional = [p.name for p in parameters.values() if p.kind is not p.KEYWORD_ONLY]
    missing = [
        p.name
        for p in list(parameters.values())[len(args) :]
        if p.default is p.empty and p.name not in kwargs and p.kind is not p.VAR_KEYWORD
    ]
    if unknown and not any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        text = f"{name} takes no {unknown[0]!r}: {_near(unknown[0], list(parameters))}"
    elif len(args) > len(positional):
        text = _by_name(name, positional, list(parameters), args, kwargs)
    elif missing:
        text = f"{name} needs {' and '.join(missing)}, as in {name}({_example(parameters)})"
    else:
        text = str(error)
    return WrongCallError(text)


def _near(keyword: str, known: list[str]) -> str:
    if keyword in foreign_names.KEYWORD_ADVICE:
        return foreign_names.KEYWORD_ADVICE[keyword]
    import difflib

    habit = [one for one in foreign_names.KEYWORDS.get(keyword, ()) if one in known]
    near = habit or difflib.get_close_matches(keyword, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}It takes {', '.join(known) or 'nothing'}"


def _by_name(
    name: str,
    positional: list[str],
    known: list[str],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> str:
    """Return the message for too many arguments by position, with the call by name."""
    if len(args) > len(known):
        return f"{name} takes {len(known)} arguments at most, got {len(args)}"
    written = ["…"] * len(positional)
    for keyword, value in zip(known[len(positional) :], args[len(positional) :], strict=False):
        written.append(f"{keyword}={value!r:.40}")
    written += [f"{keyword}=…" for keyword in kwargs]
    first = ", ".join(positional) or "nothing"
    return f"{name} takes {first} by position, and the rest by name: {name}({', '.join(written)})"


def _example(parameters: Any) -> str:
    """Return the arguments of a call that has all that are needed."""
    needed = [p for p in parameters.values() if p.default is p.empty]
    return ", ".join(f"{p.name}=…" if p.kind is p.KEYWORD_ONLY else p.name for p in needed)
