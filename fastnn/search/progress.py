"""What a search shows while it runs."""

from __future__ import annotations

from collections.abc import Sequence

from .keeping import Kept


class Progress:
    """A tqdm bar over the trials: best value so far, trials per second, time left.

    Parameters
    ----------
    total : int or None
        Trials; None if only time is limited.
    done : int
        Those that the study had before.
    shown : bool
    """

    def __init__(self, total: int | None, done: int, shown: bool):
        from tqdm.auto import tqdm

        self._bar = tqdm(
            total=total,
            initial=done,
            unit=" trials",
            desc="search",
            dynamic_ncols=True,
            disable=not shown,
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.close()

    def training(self, trials: int, epochs: int) -> None:
        """So many trials are being trained up to so many epochs."""
        self._bar.set_description(f"search: {trials} trials to epoch {epochs}")

    def waiting(self, trials: int) -> None:
        """So many trials are with other searchers, and none is left to begin."""
        self._bar.set_description(f"search: {trials} trials with other searchers")

    def ended(self, best: Sequence[Kept], failed: int) -> None:
        """One trial more has ended; `best` are those on the front."""
        self._bar.update()
        facts = {}
        if best and len(best[0].values) == 1:
            facts["best"] = f"{best[0].values[0]:.5g}"
        elif best:
            facts["front"] = f"{len(best)} trials"
        if failed:
            facts["failed"] = str(failed)
        self._bar.set_postfix(facts, refresh=False)
