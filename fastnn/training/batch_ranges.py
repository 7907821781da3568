"""Training as a generator: what it asks for are stretches of batches, which others have done.

`Network.fit` has the stretches of one network done one after the other; `fit_population` those of
many networks, by many threads.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    import numpy as np

    from ..execution.batches import Pass
    from ..execution.python_executor import Executor
    from ..ir.program import RunState
    from ..runtime.interrupts import DeferredInterrupt

T = TypeVar("T")


@dataclass(frozen=True)
class Stretch:
    """Batches [start, stop) of a pass, to be trained on; the fields are what executors take."""

    executor: Executor
    rows: Pass
    start: int
    stop: int
    learning_rates: np.ndarray
    state: RunState
    seconds: float | None

    def run(self, interrupt: DeferredInterrupt, seconds: float | None = None) -> int:
        """Train, for so many seconds at most if given; returns the number of the next batch.

        Raises
        ------
        Diverged
        """
        if seconds is not None:
            limit = seconds if self.seconds is None else min(seconds, self.seconds)
            return replace(self, seconds=limit).run(interrupt)
        return self.executor.train(
            self.rows,
            self.start,
            self.stop,
            self.learning_rates,
            self.state,
            interrupt,
            self.seconds,
        )

    def native_run(self) -> Any:
        """The same as a `Run` of the native back end; None where Python has to do it."""
        return self.executor.native_run(
            self.rows, self.start, self.stop, self.state, self.learning_rates, self.seconds
        )

    def outcome(self, run: Any) -> int:
        """What `run` returns or raises, of a native run that was done."""
        return self.executor.outcome(run, self.rows)


#: Yields stretches; is sent the number of the batch that each of them reached, or has thrown into
#: it what that raised; returns its result.
Stretches = Generator[Stretch, int, T]


class Training(Generic[T]):
    """Stretches taken one by one.

    Attributes
    ----------
    result : T or None
        What came of it, in the end.
    """

    def __init__(self, stretches: Stretches[T]):
        self._stretches = stretches
        self.result: T | None = None

    def begin(self) -> Stretch | None:
        """The first stretch; None if there is nothing to do."""
        return self._next(self._stretches.__next__)

    def go_on(self, reached: int) -> Stretch | None:
        """The next stretch, or None; the one before has reached that batch."""
        return self._next(self._stretches.send, reached)

    def fail(self, error: BaseException) -> Stretch | None:
        """The same where the stretch before raised an error."""
        return self._next(self._stretches.throw, error)

    def close(self) -> None:
        """No more stretches will be taken."""
        self._stretches.close()

    def _next(self, proceed: Any, *arguments: Any) -> Stretch | None:
        try:
            return proceed(*arguments)
        except StopIteration as end:
            self.result = end.value
            return None
        except RuntimeError as error:
            # Python lets no StopIteration, which callbacks may raise, out of a generator.
            if isinstance(error.__cause__, StopIteration):
                raise error.__cause__ from None
            raise


def run_all(stretches: Stretches[T], interrupt: DeferredInterrupt) -> T:
    """Do all stretches, one after the other; returns the result."""
    training = Training(stretches)
    try:
        stretch = training.begin()
        while stretch is not None:
            try:
                reached = stretch.run(interrupt)
            except BaseException as error:
                stretch = training.fail(error)
            else:
                stretch = training.go_on(reached)
    finally:
        training.close()
    return training.result  # type: ignore[return-value]
