"""Output to standard output and standard error, which may be closed, full, or a terminal."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from typing import Any, TextIO

from ..utils.text import printable

_STANDARD_OUTPUT = "standard output"


def say(text: object = "") -> None:
    """Print lines on standard output, with control characters escaped.

    A reader that stops early, such as ``head``, does not end the command.

    Raises
    ------
    OSError
        The lines cannot be written, for instance to a full disk.
    """
    print(printable(text, keep="\n\t"))


def note(text: object) -> None:
    """Print one line on standard error, if it is open."""
    note_lines(f"fastnn: {' '.join(str(text).split())}")


def note_lines(text: str) -> None:
    """Print lines on standard error, if it is open."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            print(printable(text, keep="\n"), file=sys.stderr, flush=True)


def write_table(pieces: Iterable[str], *, exact: bool) -> None:
    """Write CSV on standard output.

    Parameters
    ----------
    pieces : iterable of str
        Parts of the table, in order.
    exact : bool
        Whether to write cells as they are, except to a terminal; otherwise control characters are
        escaped.

    Raises
    ------
    OSError
        Standard output is closed or full.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, "is closed", _STANDARD_OUTPUT)
    sys.stdout.flush()
    escaping, escaped = sys.stdout.isatty() or not exact, False
    buffer = None if sys.stdout.isatty() else getattr(sys.stdout, "buffer", None)
    with _writing(sys.stdout) if buffer else nullcontext():
        for piece in pieces:
            shown = printable(piece, keep="\r\n\t") if escaping else piece
            escaped |= shown != piece
            if buffer is None:
                sys.stdout.write(shown)
            else:
                buffer.write(shown.encode())
    if escaped:
        note("control characters are escaped; --out FILE writes them as they are")


def flush() -> None:
    """Flush standard output; raise OSError as `say` does."""
    if sys.stdout is not None:
        sys.stdout.flush()


@contextmanager
def _writing(stream: Any) -> Iterator[None]:
    """Name standard output in errors; ignore a closed reader."""
    try:
        yield
    except BrokenPipeError:
        discard(stream)
    except OSError as error:
        discard(stream)
        raise OSError(error.errno, error.strerror or str(error), _STANDARD_OUTPUT) from error


def discard(stream: Any) -> None:
    """Redirect a stream to the null device, for what Python writes at exit too."""
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


class _Stream:
    """Text stream that handles the errors of another one."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        with self._guard():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._guard():
            self._stream.flush()

    def _guard(self) -> AbstractContextManager[None]:
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Output(_Stream):
    """Standard output, whose errors end the command."""

    def _guard(self) -> AbstractContextManager[None]:
        return _writing(self._stream)


class _Messages(_Stream):
    """Standard error, whose errors are ignored."""

    @contextmanager
    def _guard(self) -> Iterator[None]:
        try:
            yield
        except OSError:
            discard(self._stream)


@contextmanager
def prepared() -> Iterator[None]:
    """Make the standard streams safe to write to, whatever their state.

    Closed ones are opened on the null device, so that no other file gets their numbers. Characters
    that the encoding of standard output lacks are escaped. A closed reader of standard output, and
    all errors of standard error, are ignored. Warnings are printed as one line each.
    """
    _occupy_closed()
    stdout, stderr = sys.stdout, sys.stderr
    with ExitStack() as restored, warnings.catch_warnings():
        restored.callback(_assign, stdout, stderr)
        null = None if stderr else restored.enter_context(open(os.devnull, "w", encoding="utf-8"))
        _escape_unknown(stdout, restored)
        _assign(stdout and _Output(stdout), null or _Messages(stderr))
        warnings.showwarning = _show_warning
        yield


def _assign(stdout: Any, stderr: Any) -> None:
    sys.stdout, sys.stderr = stdout, stderr


def _escape_unknown(stdout: Any, restored: ExitStack) -> None:
    """Escape characters that the encoding lacks, until the streams are restored."""
    if getattr(stdout, "errors", None) == "strict" and hasattr(stdout, "reconfigure"):
        stdout.reconfigure(errors="backslashreplace")
        restored.callback(stdout.reconfigure, errors="strict")


def _occupy_closed() -> None:
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        if stream is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free


def _show_warning(message: Any, category: Any, *place: Any, **more: Any) -> None:
    note(f"warning: {message}")
