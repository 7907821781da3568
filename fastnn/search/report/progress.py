"""The progress of a search: a bar in terminals and notebooks, or lines in a file."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

from ...utils.counting import count
from ..objectives import Objective, dominates

#: Seconds between two updates of the clock of a bar, at least between two redraws, and between two
#: lines of a file.
TICK, PICTURE, LINE = 1.0, 0.05, 10.0


class Progress:
    """Best value so far, trials per second and time left: a tqdm bar, or lines in a file.

    The bar shows the share of the trials or of the time, whichever is greater. A thread updates its
    clock while networks train. The time left is estimated from the rate so far.

    Parameters
    ----------
    objectives : sequence of Objective
    total : int or None
        Trials; None if only time is limited.
    timeout : float or None
        Seconds.
    done : int
        Trials that the study had before this search.
    front : sequence of tuple of float
        Values of the best of those.
    shown : bool
    """

    def __init__(
        self,
        objectives: Sequence[Objective],
        total: int | None = None,
        timeout: float | None = None,
        *,
        done: int = 0,
        front: Sequence[tuple[float, ...]] = (),
        shown: bool = True,
    ):
        self._signs = [objective.sign for objective in objectives]
        self._total, self._timeout, self._before, self._done = total, timeout, done, done
        self._known, self._front = list(front), list(front)
        self._failed = 0
        self._doing = ""
        self._start = time.monotonic()
        self._show: _Bar | _Lines | None = (_Bar if _is_live() else _Lines)() if shown else None
        self._over = threading.Event()
        self._clock = threading.Thread(target=self._tick, daemon=True)
        if isinstance(self._show, _Bar):
            self._clock.start()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        if self._clock.is_alive():
            self._clock.join()
        if self._show is not None:
            self._doing = ""
            self._show.close(self.share, self.text)

    def training(self, trials: int, epochs: int) -> None:
        """Show how many trials are trained up to which epoch."""
        self._doing = f"{trials} to epoch {epochs}"
        self._refresh()

    def waiting(self, trials: int) -> None:
        """Show how many trials are left to other searches, if none can begin here."""
        self._doing = f"{trials} with other searchers"
        self._refresh()

    def ended(self, best: Sequence[tuple[float, ...]], failed: int) -> None:
        """Count a trial that has ended; `best` are the values of this search on the front."""
        self._done += 1
        self._failed = failed
        self._front = [*self._known, *best]
        self._refresh()

    def _refresh(self) -> None:
        if self._show is not None:
            self._show.update(self.share, self.text)

    def _tick(self) -> None:
        while not self._over.wait(TICK):
            self._refresh()

    @property
    def share(self) -> float:
        """Share of the trials or of the time that is done, whichever is greater, in [0, 1]."""
        shares = [0.0]
        if self._total:
            shares.append(self._done / self._total)
        if self._timeout:
            shares.append(self._elapsed / self._timeout)
        return min(1.0, max(shares))

    @property
    def text(self) -> str:
        """The text, most important first, since narrow terminals cut the end."""
        share = f"{self._done}/{self._total} trials"
        counted = count(self._done, "trial") if self._total is None else share
        parts = [counted, self._best(), self._rate(), self._left()]
        parts += [f"failed={self._failed}"] * bool(self._failed)
        parts += [self._doing, f"{clock(self._elapsed)} gone"]
        return ", ".join(filter(None, parts))

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._start

    def _rate(self) -> str:
        """Return trials per second, or seconds per trial, of this search."""
        ended = self._done - self._before
        if not ended:
            return ""
        rate = ended / max(self._elapsed, 1e-9)
        return f"{rate:.3g} trials/s" if rate >= 1 else f"{1 / rate:.3g} s/trial"

    def _best(self) -> str:
        """Return the best value; of several objectives, the size of the front and all bests."""
        if not self._front:
            return ""
        points = {tuple(s * v for s, v in zip(self._signs, f, strict=True)) for f in self._front}
        columns = zip(*points, strict=True)
        best = [sign * min(column) for sign, column in zip(self._signs, columns, strict=True)]
        values = "/".join(f"{value:.5g}" for value in best)
        if len(best) == 1:
            return f"best={values}"
        size = sum(not any(dominates(other, point) for other in points) for point in points)
        return f"front={size}, best={values}"

    def _left(self) -> str:
        """Return the time until the trials are done, or the timeout."""
        if self._over.is_set():
            return ""
        ended, seconds = self._done - self._before, []
        if self._timeout is not None:
            seconds.append(max(0.0, self._timeout - self._elapsed))
        if self._total is not None and ended:
            seconds.append((self._total - self._done) * self._elapsed / ended)
        return f"{clock(min(seconds))} left" if seconds else ""


def clock(seconds: float) -> str:
    """Return seconds as h:mm:ss, or m:ss below one hour."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def _is_live() -> bool:
    """Return whether output can be overwritten: in a terminal or a notebook."""
    if sys.stderr is not None and sys.stderr.isatty():
        return True
    from tqdm.auto import tqdm
    from tqdm.notebook import tqdm as notebook

    return issubclass(tqdm, notebook)


class _Bar:
    """A bar of tqdm."""

    def __init__(self) -> None:
        from tqdm.auto import tqdm

        self._bar: Any = tqdm(total=1.0, bar_format="search |{bar}|", dynamic_ncols=True)
        self._last = 0.0

    def update(self, share: float, text: str) -> None:
        """Redraw the bar unless it was drawn just now."""
        if time.monotonic() - self._last < PICTURE:
            return
        self._last = time.monotonic()
        self._bar.n = share
        self._bar.bar_format = f"search {{percentage:.0f}}%|{{bar}}| {text}"
        self._bar.refresh()

    def close(self, share: float, text: str) -> None:
        """Draw the bar for the last time."""
        self._last = 0.0
        self.update(share, text)
        self._bar.close()


class _Lines:
    """Lines in a file."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def update(self, share: float, text: str) -> None:
        """Write a line if the last one is old enough."""
        if time.monotonic() - self._last >= LINE:
            self.close(share, text)

    def close(self, share: float, text: str) -> None:
        """Write a line."""
        self._last = time.monotonic()
        print(f"search {share:.0%}: {text}", file=sys.stderr, flush=True)
