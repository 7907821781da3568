"""Keys of functions of the user: equal keys, equal machine code.

Numba takes a function's bytecode and, as they are when it compiles, defaults, closure and globals.
All of these are in the key, and those of the functions that it calls. Where something is of a kind
that is not known here, there is no key, and nothing is shared.
"""

from __future__ import annotations

import builtins
import cmath
import hashlib
import math
import operator
import sys
from collections.abc import Callable, Hashable
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numba
import numpy as np

#: Modules whose attributes are never replaced.
_FIXED = frozenset({builtins, math, cmath, operator, np, numba})
#: Packages whose functions and types are known by their names.
_FIXED_PACKAGES = ("builtins", "math", "cmath", "operator", "numpy", "numba")
#: Types whose text says all; classes derived from them may hide, or add, what counts.
_PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))
#: Elements of the arrays that keys can hold the digest of.
_MOST_ELEMENTS = 1 << 20


class _UnknownError(Exception):
    """Something may change, or make a difference, that cannot be told."""


def fingerprint(function: Callable[..., Any]) -> Hashable | None:
    """Return the key of a function; None where it cannot be told what it depends on.

    Parameters
    ----------
    function : callable
        Written in Python, with or without `numba.njit`.
    """
    try:
        return _value(function, [])
    except (_UnknownError, RecursionError):
        return None


def _value(value: Any, around: list[Any]) -> Hashable:
    """Return the key of what a function refers to; `around` are the functions under way."""
    kind = type(value)
    if kind in _PLAIN:
        return kind.__name__, repr(value)  # 1, 1.0 and True are equal, and 0.0 and -0.0
    if kind is tuple:
        return "tuple", tuple(_value(item, around) for item in value)
    if kind is frozenset:
        return "frozenset", tuple(sorted(repr(_value(item, around)) for item in value))
    if kind is np.ndarray:
        return _array(value)
    if isinstance(value, np.generic):
        return "scalar", _format(value.dtype), value.tobytes()
    if isinstance(value, CodeType):
        return _code(value, around)
    if isinstance(value, ModuleType):
        if value in _FIXED:
            return "module", value.__name__
        raise _UnknownError
    if _is_fixed(value):
        return "named", value.__module__, value.__qualname__
    name = getattr(value, "__name__", "")
    if isinstance(value, np.ufunc) and getattr(np, name, None) is value:
        return "ufunc", name
    if hasattr(value, "py_func"):
        options = getattr(value, "targetoptions", None)
        return "compiled", repr(options), _value(value.py_func, around)
    if isinstance(value, FunctionType):
        return _function(value, around)
    raise _UnknownError


def _is_fixed(value: Any) -> bool:
    """Return whether it is what stands under its name in a package that does not change."""
    module, names = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(names, str)):
        return False
    if module.partition(".")[0] not in _FIXED_PACKAGES:
        return False
    found: Any = sys.modules.get(module)
    for name in names.split("."):
        found = getattr(found, name, None)
    return found is value


def _format(dtype: np.dtype) -> str:
    """Return the text of a dtype; it would say nothing of fields and objects."""
    if dtype.hasobject or dtype.names is not None:
        raise _UnknownError
    return dtype.str


def _array(array: np.ndarray) -> Hashable:
    if array.size > _MOST_ELEMENTS:
        raise _UnknownError
    return "array", _format(array.dtype), array.shape, array.flags.f_contiguous, _digest(array)


def _digest(array: np.ndarray) -> bytes:
    return hashlib.sha256(array.tobytes()).digest()


def _function(function: FunctionType, around: list[Any]) -> Hashable:
    if function in around:
        return "recursion", around.index(function)
    inner = [*around, function]
    cells = function.__closure__ or ()
    try:
        closure = tuple(_value(cell.cell_contents, inner) for cell in cells)
    except ValueError:  # a cell that is empty still
        raise _UnknownError from None
    return (
        "function",
        _code(function.__code__, inner),
        _value(function.__defaults__, inner),
        tuple((k, _value(v, inner)) for k, v in sorted((function.__kwdefaults__ or {}).items())),
        closure,
        _globals(function, inner),
    )


def _globals(function: FunctionType, around: list[Any]) -> Hashable:
    """Return the keys of the globals that a function names; attributes of modules are fixed."""
    known, own = function.__globals__, vars(builtins)
    found = []
    for name in sorted(_names(function.__code__)):
        if name in known:
            found.append((name, _value(known[name], around)))
        elif name in own:
            found.append((name, _value(own[name], around)))
    return tuple(found)


def _names(code: CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _code(code: CodeType, around: list[Any]) -> Hashable:
    return (
        "code",
        code.co_code,
        code.co_exceptiontable,
        tuple(_value(const, around) for const in code.co_consts),
        code.co_names,
        code.co_varnames,
        code.co_freevars,
        code.co_cellvars,
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
    )
