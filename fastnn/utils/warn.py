"""Warnings at the line of the user's program that called."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

#: Packages that call fastnn for the user, whose own lines are not what a warning is about.
LIBRARIES = frozenset({"fastnn", "joblib", "optuna", "pickle", "sklearn", "skops"})


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Issue a warning at the innermost line that is of no library.

    ``stacklevel`` would count the calls in between, which differ from entry to entry.
    """
    frame = _calling_frame()
    warnings.warn_explicit(
        message,
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        module=_module(frame),
        registry=frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _calling_frame() -> FrameType:
    """Return the innermost frame outside of `LIBRARIES`; the outermost if there is none."""
    frame = sys._getframe(2)
    while _module(frame).partition(".")[0] in LIBRARIES and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))
