"""The arguments of a search as text, for reports."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

#: Characters of a text; longer ones are replaced by the type.
LENGTH = 120
#: Passwords in the URLs of databases.
_PASSWORD = re.compile(r"(?<=://)([^/@:]*):[^@]*@")


def settings_of(given: Mapping[str, Any], function: Callable[..., Any]) -> dict[str, str]:
    """Return the arguments that are not the defaults of a function, without the seed."""
    defaults = {name: p.default for name, p in inspect.signature(function).parameters.items()}
    return {
        name: text_of(value)
        for name, value in given.items()
        if name != "seed" and not _same(value, defaults.get(name))
    }


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, Mapping | list | tuple) and not value:
        return not default
    return value is default or (type(value) is type(default) and value == default)


def text_of(value: Any) -> str:
    """Return a value as in a call, or its type where that is long."""
    if isinstance(value, str):
        text = repr(_PASSWORD.sub(r"\1:***@", value))
    elif isinstance(value, Mapping):
        text = "{" + ", ".join(f"{k!r}: {text_of(v)}" for k, v in value.items()) + "}"
    elif isinstance(value, list | tuple) and len(value) <= 10:
        text = "[" + ", ".join(map(text_of, value)) + "]"
    elif hasattr(value, "shape"):
        text = f"<{' × '.join(map(str, value.shape))} {type(value).__name__}>"
    elif callable(value) and hasattr(value, "__qualname__"):
        text = value.__qualname__
    else:
        text = repr(value)
    return text if len(text) <= LENGTH else f"<{type(value).__name__}>"
