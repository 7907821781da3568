"""A description of a search as JSON: data, validation rows, objective, what `build` makes.

Searches that differ in any of it must not share a study: their values cannot be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ...model.base import model_of
from ...model_file.container import compact_json
from ...model_file.description import architecture_config
from ...network import Network
from ..workers.jobs import Task

#: Keys of a description that describe the data.
DATA = ("X", "y", "sample_weight", "data", "validation")

#: Elements converted at a time.
_BLOCK = 1 << 20
#: Types whose repr identifies a value.
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def describe(space: dict[str, str], task: Task, model: Any) -> dict[str, Any]:
    """Describe what two searches must have in common to share a study.

    Parameters
    ----------
    space : dict of str to str
        As `Space.describe` returns it.
    task : Task
    model : Network or estimator
        Built from a draw that depends on the seed of the search alone.
    """
    fit_params = dict(task.fit_params)
    weight = fit_params.pop("sample_weight", None)
    described: dict[str, Any] = {
        "space": space,
        "objective": {objective.name: objective.direction for objective in task.objectives},
        "epochs": task.epochs,
        "X": array_text(task.X),
        "y": array_text(task.y),
        "sample_weight": None if weight is None else array_text(weight),
        "validation": task.split.describe() + f", digest {_split_digest(task)}",
        "build": f"what makes {_model_text(model)}",
        "batch_size": None if callable(task.batch_size) else task.batch_size,
    }
    return described | {name: _text(value) for name, value in sorted(fit_params.items())}


def array_text(values: Any) -> str:
    """Return the shape of a table and a digest of its values, whatever kind of table it is."""
    return f"{list(np.shape(values))}, digest {_digest(_array_bytes(values))}"


def _digest(pieces: Iterator[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()[:16]


def _array_bytes(values: Any) -> Iterator[bytes]:
    """Yield the values as bytes, the same for equal numbers of any dtype and container."""
    if hasattr(values, "tocsr"):
        matrix = values.tocsr().copy()
        matrix.sum_duplicates()
        for part in (matrix.indptr, matrix.indices, matrix.data):
            yield from _array_bytes(part)
        return
    names = getattr(values, "column_names", None)  # of Arrow's; `columns` of all other frames
    names = getattr(values, "columns", None) if names is None else names
    if names is None:
        yield from _numbers(np.asarray(values))
        return
    for name in names:
        yield from _numbers(np.asarray(values[name]))


def _numbers(array: np.ndarray) -> Iterator[bytes]:
    flat = array.reshape(-1)
    for start in range(0, flat.size, _BLOCK):
        block = flat[start : start + _BLOCK]
        if array.dtype.kind in "biuf":
            yield np.ascontiguousarray(block, "<f8").tobytes()
        else:
            yield repr(block.tolist()).encode(errors="surrogatepass")


def _split_digest(task: Task) -> str:
    split = task.split
    if split.validation_data is not None:
        return _digest(piece for part in split.validation_data for piece in _array_bytes(part))
    return _digest(rows.tobytes() for fold in split.folds for rows in fold)


def _model_text(model: Any) -> str:
    """Return the class of a model and a digest of its architecture or parameters."""
    text = _network_text(model) if isinstance(model, Network) else _text(model.get_params())
    return f"{type(model).__name__} {hashlib.sha256(text.encode()).hexdigest()[:16]}"


def _network_text(network: Network) -> str:
    try:
        return compact_json(architecture_config(model_of(network), ()), sort_keys=True)
    except Exception:  # layers that cannot be serialized
        return _text([type(layer).__name__ for layer in network.layers])


def _text(value: Any) -> str:
    """Return a value as text that is equal in every process; the name of other objects."""
    if isinstance(value, _PLAIN):
        return repr(value)
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{_text(k)}: {_text(v)}" for k, v in value.items())) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(_text, value)) + "]"
    if isinstance(value, np.ndarray):
        return array_text(value)
    config = getattr(value, "to_config", None)
    if callable(config) and not isinstance(value, type):
        return f"{type(value).__name__} {_text(config())}"
    named = value if hasattr(value, "__qualname__") else type(value)
    return f"{named.__module__}.{named.__qualname__}"
