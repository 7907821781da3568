"""The two loops of a search: synchronous, in rounds, or asynchronous."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Sequence
from itertools import takewhile

from .report.progress import Progress
from .trials import Running, Trials
from .workers.jobs import Outcome, Workers

#: Seconds between two reads of what other searches do.
POLL_SECONDS = 0.5


class Limits:
    """The limits of a search: number of trials, and time.

    Parameters
    ----------
    trials : Trials
    timeout : float or None
        Seconds from now.
    """

    def __init__(self, trials: Trials, timeout: float | None):
        self._trials = trials
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def grant(self, wanted: int, *, wait: bool = True) -> int:
        """Return how many of the trials wanted may begin now; 0 once the search is over.

        With `wait`, wait while the trials that are left are run by other searches, which may die.
        """
        while wanted and not self.expired:
            status = self._trials.status()
            if status.free is None or status.free:
                return wanted if status.free is None else min(wanted, status.free)
            if not (wait and status.held_by_others):
                break
            time.sleep(min(POLL_SECONDS, self.remaining or POLL_SECONDS))
        return 0

    @property
    def expired(self) -> bool:
        """True once no time is left."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def remaining(self) -> float | None:
        """Seconds that are left, above 0; None without a time limit."""
        return None if self._deadline is None else max(1e-9, self._deadline - time.monotonic())


def run_synchronous(
    trials: Trials,
    workers: Workers,
    limits: Limits,
    progress: Progress,
    rungs: Sequence[int],
    size: int,
) -> None:
    """Train rounds of trials: at each rung all report, then each is pruned or goes on.

    Reports and decisions are in the order of the trials: results do not depend on speed.
    """
    while wanted := limits.grant(size):
        group = trials.begin(wanted)
        while group:
            if limits.expired:
                trials.cut_all_short()
                return
            progress.training(len(group), rungs[group[0].rung])
            group = _train_to_rung(trials, workers, limits, rungs, group)


def _train_to_rung(
    trials: Trials, workers: Workers, limits: Limits, rungs: Sequence[int], group: Sequence[Running]
) -> list[Running]:
    """Train all trials to their next rung; return those that go on.

    Outcomes are reported in the order of the trials, each as soon as those before it are there.
    """
    last = group[0].rung == len(rungs) - 1

    def report(known: Iterable[Outcome]) -> list[Running]:
        reported = [running for o in known if (running := trials.report(o)) is not None]
        return [running for running in reported if trials.advance(running)] if last else reported

    workers.start([running.job(rungs) for running in group])
    order, outcomes = deque(running.number for running in group), dict[int, Outcome]()
    reported: list[Running] = []
    try:
        while order:
            outcomes |= {o.number: o for o in workers.finished(limits.remaining)}
            first = list(takewhile(outcomes.__contains__, order))
            for _ in first:
                order.popleft()
            reported += report(outcomes.pop(number) for number in first)
    except BaseException:
        # Ctrl-C or a broken executor: report what is there, with gaps in the order.
        report(outcomes[number] for number in order if number in outcomes)
        raise
    return [running for running in reported if trials.advance(running)]


def run_asynchronous(
    trials: Trials,
    workers: Workers,
    limits: Limits,
    progress: Progress,
    rungs: Sequence[int],
    size: int,
) -> None:
    """Prune each trial as soon as it reports, and replace one that ends by a new one.

    No trial waits for others; results may depend on speed.
    """
    while (
        wanted := limits.grant(size - len(trials.running), wait=not trials.running)
    ) or trials.running:
        workers.start([running.job(rungs) for running in trials.begin(wanted)])
        if not trials.running:
            continue
        progress.training(len(trials.running), rungs[-1])
        for outcome in workers.finished(limits.remaining):
            running = trials.report(outcome)
            if running is None or not trials.advance(running):
                continue
            if limits.expired:
                trials.cut_short(running)
            else:
                workers.start([running.job(rungs)])
