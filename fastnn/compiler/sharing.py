"""Plans that networks of equal descriptions share.

The folds of a cross-validation, the members of an ensemble and the trials of a search are often one
network built many times. A plan is immutable and depends on the description alone, so that sharing
it changes no bit.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from typing import Any

from ..ir.builder import PlanMode
from ..ir.program import Plan
from ..utils.signatures import is_users
from ..utils.specification import Specification
from .architecture import Architecture

#: Plans by the rows of their largest batch, and their purpose.
Plans = dict[tuple[int, PlanMode], Plan]

#: Descriptions whose plans are kept; before one more, all are dropped.
MOST_SHARED = 32

#: Entries of the longest tuple in a description that is shared.
LONGEST = 16

_PLAIN = frozenset({type(None), bool, int, float, str})

_shared: dict[tuple[Any, ...], Plans] = {}


def plans_of(net: Architecture) -> Plans:
    """Return the plans made so far for networks that are described alike.

    A network with a part of the user's, such as a layer, a function or an array, has its own.
    """
    key: list[Any] = [net.dtype.char, net.names, net.shapes[0], net.penalty_scale]
    for segment in net.segments:
        key += vars(segment.options).values()
    for part in (*net.layers, net.loss, net.optimizer, net.weight_average):
        if not _describe(part, key):
            return {}
    described = tuple(key)
    plans = _shared.get(described)
    if plans is None:
        if len(_shared) >= MOST_SHARED:
            _shared.clear()
        plans = _shared.setdefault(described, {})
    return plans


@functools.cache
def _names(kind: type[Specification]) -> tuple[str, ...]:
    """Return the names of the fields, without what an object may hold beside them."""
    return tuple(field.name for field in dataclasses.fields(kind))  # type: ignore[arg-type]


def _describe(value: Any, key: list[Any]) -> bool:
    """Append what tells a value from others; return False if it cannot be shared.

    Types belong to the key: a number equals others of another type.
    """
    kind = type(value)
    if kind in _PLAIN:
        key += kind, value
        return True
    entries: Iterable[Any]
    if kind is tuple and len(value) <= LONGEST:
        key += kind, len(value)
        entries = value
    elif isinstance(value, Specification) and not is_users(value):
        key.append(kind)
        entries = [getattr(value, name) for name in _names(kind)]  # type: ignore[arg-type]
    else:
        return False
    for entry in entries:
        if type(entry) in _PLAIN:  # most are, and calls would take twice as long
            key += type(entry), entry
        elif not _describe(entry, key):
            return False
    return True
