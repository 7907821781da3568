"""The two ways through a search: in rounds, or one trial after the other as workers get free."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile

from .report.progress import Progress
from .trials import Running, Trials
from .workers.jobs import Outcome, Workers

#: Seconds between two looks at what other searchers do.
PAUSE = 0.5


class Limits:
    """How many trials there may be, and until when.

    Parameters
    ----------
    trials : Trials
    timeout : float or None
        Seconds from now.
    """

    def __init__(self, trials: Trials, timeout: float | None):
        self._trials = trials
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def take(self, wanted: int, *, wait: bool = True) -> int:
        """How many of the trials wanted may begin now; 0 once the search is over.

        Unless told not to wait: trials that are left may all be with other searchers, and whether
        one of them dies is seen only at the end.
        """
        while wanted and not self.expired:
            survey = self._trials.survey()
            if survey.free is None or survey.free:
                return wanted if survey.free is None else min(wanted, survey.free)
            if not (wait and survey.elsewhere):
                break
            time.sleep(min(PAUSE, self.remaining or PAUSE))
        return 0

    @property
    def expired(self) -> bool:
        """Whether there is no time left."""
        return self._deadline is not None and time.monotonic() >= self._deadline

    @property
    def remaining(self) -> float | None:
        """Seconds that are left, never none at all; None if time is not limited."""
        return None if self._deadline is None else max(1e-9, self._deadline - time.monotonic())


Loop = Callable[[Trials, Workers, Limits, Progress, Sequence[int], int], None]


def in_rounds(
    trials: Trials,
    workers: Workers,
    limits: Limits,
    progress: Progress,
    rungs: Sequence[int],
    size: int,
) -> None:
    """Rounds of trials that climb the rungs together: at each, all report, then each is judged.

    Everything happens in the order of the trials, so the outcome does not depend on who is fast.
    """
    while wanted := limits.take(size):
        alive = trials.begin(wanted)
        while alive:
            if limits.expired:
                trials.cut_all_short()
                return
            progress.training(len(alive), rungs[alive[0].rung])
            alive = _climb(trials, workers, limits, rungs, alive)


def _climb(
    trials: Trials,
    workers: Workers,
    limits: Limits,
    rungs: Sequence[int],
    alive: Sequence[Running],
) -> list[Running]:
    """Train all to their next rung; those that go on from there.

    What workers are done with is told in the order of the trials, each as soon as those before it.
    """
    last = alive[0].rung == len(rungs) - 1

    def told(known: Iterable[Outcome]) -> list[Running]:
        reported = [running for o in known if (running := trials.report(o)) is not None]
        return [running for running in reported if trials.judge(running)] if last else reported

    workers.start([running.job(rungs) for running in alive])
    order, outcomes = deque(running.number for running in alive), dict[int, Outcome]()
    reported: list[Running] = []
    try:
        while order:
            outcomes |= {o.number: o for o in workers.finished(limits.remaining)}
            first = list(takewhile(outcomes.__contains__, order))
            for _ in first:
                order.popleft()
            reported += told(outcomes.pop(number) for number in first)
    except BaseException:
        # Ctrl-C, or an executor that broke: nobody waits for those in between.
        told(outcomes[number] for number in order if number in outcomes)
        raise
    return [running for running in reported if trials.judge(running)]


def as_they_come(
    trials: Trials,
    workers: Workers,
    limits: Limits,
    progress: Progress,
    rungs: Sequence[int],
    size: int,
) -> None:
    """Every trial is judged as soon as it reports, and a new one takes the place of one that ends.

    Nobody waits for the others of a round; the outcome may depend on who is fast.
    """
    while (
        wanted := limits.take(size - len(trials.running), wait=not trials.running)
    ) or trials.running:
        workers.start([running.job(rungs) for running in trials.begin(wanted)])
        if not trials.running:
            continue
        progress.training(len(trials.running), rungs[-1])
        for outcome in workers.finished(limits.remaining):
            running = trials.report(outcome)
            if running is None or not trials.judge(running):
                continue
            if limits.expired:
                trials.cut_short(running)
            else:
                workers.start([running.job(rungs)])
