"""A task as one block of bytes, which a file can hold and another process can map.

    ┌───────┬─────────────────┬────────┬──────────┬─────┐
    │ count │ sizes, as uint64│ pickle │ buffer 1 │ …   │   each segment at a multiple of 64 bytes
    └───────┴─────────────────┴────────┴──────────┴─────┘

The buffers are those of pickle's protocol 5 (PEP 574): the memory of arrays, frames and sparse
matrices. Unpacked arrays are views of the block; only what the pickle itself holds is copied.
"""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...errors import ArgumentTypeError
from ...utils import optional
from .jobs import Task

#: Alignment of segments in bytes, that of a cache line.
ALIGNMENT = 64
#: Alignment that array elements need at most, and that NumPy's memory has.
SIMPLE = 16

#: Argument of `search` for fields of the task with another name.
_ARGUMENTS = {"split": "cv or validation_data", "objectives": "objective"}


def pickled(thing: Any, buffers: list[pickle.PickleBuffer] | None = None) -> bytes:
    """Pickle by value what others cannot import: lambdas, closures, the main module."""
    cloudpickle = optional.module("cloudpickle", extra="search", need="executor=")
    callback = None if buffers is None else buffers.append
    return cloudpickle.dumps(thing, protocol=5, buffer_callback=callback)


def pack(task: Task) -> list[memoryview | bytes]:
    """Return the pieces of the block.

    Raises
    ------
    ArgumentTypeError
        Something cannot be pickled; the message names the argument.
    """
    whole = dataclasses.replace(task, X=_in_one_piece(task.X), y=_in_one_piece(task.y))
    buffers: list[pickle.PickleBuffer] = []
    try:
        stream = pickled(whole, buffers)
    except Exception as error:
        raise _complaint(task, error) from error
    return list(_pieces([memoryview(stream), *(buffer.raw() for buffer in buffers)]))


def _in_one_piece(array: Any) -> Any:
    """Copy strided views, and views of file maps, which would become part of the pickle."""
    if type(array) not in (np.ndarray, np.memmap):
        return array
    plain = np.asarray(array)
    return plain if plain.flags.forc else np.ascontiguousarray(plain)


def _pieces(segments: list[memoryview]) -> Iterator[memoryview | bytes]:
    sizes = np.array([len(segments), *(segment.nbytes for segment in segments)], dtype="<u8")
    yield sizes.tobytes()
    yield bytes(-sizes.nbytes % ALIGNMENT)
    for segment in segments:
        yield segment
        yield bytes(-segment.nbytes % ALIGNMENT)


def _complaint(task: Task, error: Exception) -> ArgumentTypeError:
    """Return an error that names the argument that cannot be pickled."""
    for field in dataclasses.fields(task):
        try:
            pickled(getattr(task, field.name))
        except Exception as own:
            name, error = _ARGUMENTS.get(field.name, field.name), own
            break
    else:
        name = "the search"
    return ArgumentTypeError(
        f"{name} cannot be sent to the processes of the executor: {type(error).__name__}: {error}"
    )


def unpack(block: np.ndarray) -> Task:
    """Return the task; its arrays are views of the block (uint8), or of a copy if unaligned."""
    if block.ctypes.data % SIMPLE:
        block = block.copy()
    view = memoryview(block.data)
    count = int.from_bytes(view[:8], "little")
    sizes = [int(size) for size in np.frombuffer(view[8 : 8 * (count + 1)], dtype="<u8")]
    segments, start = [], 8 * (count + 1)
    for size in sizes:
        start += -start % ALIGNMENT
        segments.append(view[start : start + size])
        start += size
    return pickle.loads(segments[0], buffers=segments[1:])
