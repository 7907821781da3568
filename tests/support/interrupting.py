"""Errors raised at chosen lines of the package: each line that a piece of work runs is a place."""

import os
import signal
import sys
from collections import Counter

import fastnn

PACKAGE = os.path.dirname(fastnn.__file__) + os.sep


def interrupt():
    """Raise SIGINT, as Ctrl-C does."""
    signal.raise_signal(signal.SIGINT)


def out_of_memory():
    raise MemoryError("as if no memory were left")


class Lines:
    """Calls a function at one of the lines of the package that run, the n-th time it comes by.

    Attributes
    ----------
    seen : Counter of (file, line)
        How often each line ran.
    """

    def __init__(self, place=None, time=1, action=interrupt, of=lambda path: True):
        self.seen = Counter()
        self._place, self._time, self._action, self._of = place, time, action, of
        self._known = {}

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self._call)
        return self

    def __exit__(self, *error):
        sys.settrace(self._before)

    def _call(self, frame, event, argument):
        path = frame.f_code.co_filename
        if path not in self._known:
            inside = path.startswith(PACKAGE)
            self._known[path] = inside and self._of(path[len(PACKAGE) :])
        return self._line if self._known[path] else None

    def _line(self, frame, event, argument):
        if event == "line":
            place = frame.f_code.co_filename[len(PACKAGE) :], frame.f_lineno
            self.seen[place] += 1
            if place == self._place and self.seen[place] == self._time:
                self._action()
        return self._line


def places(work, every_time=False, of=lambda path: True):
    """Places and times of all lines that `work` runs; the last time, or every one."""
    with Lines(of=of) as lines:
        work()
    for place, times in sorted(lines.seen.items()):
        for time in range(1, times + 1) if every_time else [times]:
            yield place, time
