"""Conversion of exceptions to a line on standard error and an exit code."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from contextlib import suppress

from ..errors import FastnnError
from . import streams

#: Shows tracebacks if it is set and not empty.
TRACEBACK = "FASTNN_TRACEBACK"

INTERRUPTED = 130
_REFUSED, _UNEXPECTED = 2, 1
#: What the user, the files or the machine can cause; every other exception is a defect.
_EXPECTED = (FastnnError, OSError, MemoryError, UnicodeError)


def exit_code(command: Callable[[], None]) -> int:
    """Run a command and return the exit code of the process.

    It is 0 for success, 2 for an error, 1 for a defect of fastnn (one line on standard error each)
    and 130 after Ctrl-C.
    """
    try:
        command()
        streams.flush()
    except KeyboardInterrupt as interrupt:
        streams.note(f"interrupted; {str(interrupt) or 'no file was written'}")
        return _flushed(INTERRUPTED)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            streams.note_lines("".join(traceback.format_exception(error)))
        streams.note(f"error: {describe(error)}")
        return _flushed(_REFUSED if _expected(error) else _UNEXPECTED)
    return 0


def describe(error: Exception) -> str:
    """Return the message of an exception, with the file of an `OSError` first.

    An exception of a library whose cause is an error of the machine, such as a full disk, is
    described by that error.
    """
    error = _expected(error) or error
    if _is_of_database(error):
        return f"the database: {error}"
    if isinstance(error, OSError) and error.strerror:
        where = f"{os.fsdecode(error.filename) or repr('')}: " if _is_name(error.filename) else ""
        return f"{where}{error.strerror}"
    if isinstance(error, MemoryError):
        return f"not enough memory ({error})" if str(error) else "not enough memory"
    if isinstance(error, _EXPECTED):
        return str(error)
    return (
        f"unexpected {type(error).__name__}: {error}; please report it, with what "
        f"{TRACEBACK}=1 in the environment shows"
    )


def _expected(error: BaseException | None) -> Exception | None:
    """Return the first of an exception and its causes that is no defect; None if all are."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, Exception) and (
            isinstance(error, _EXPECTED) or _is_of_database(error)
        ):
            return error
        seen.add(id(error))
        error = error.__cause__
    return None


def _is_of_database(error: BaseException) -> bool:
    """Return whether an error is of SQLite, which some builds of Python lack: import nothing."""
    return type(error).__module__ == "sqlite3"


def _is_name(filename: object) -> bool:
    return isinstance(filename, (str, bytes, os.PathLike))


def _flushed(code: int) -> int:
    """Return `code` after flushing standard output, whose own errors are ignored."""
    with suppress(OSError):
        streams.flush()
    return code
