"""Training as a generator of ranges of batches, which its caller runs.

`Network.fit` runs those of one network one after the other; `fit_population` runs those of many
networks on many threads.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

if TYPE_CHECKING:
    from ..execution.batches import BatchRange
    from ..execution.executor import Executor
    from ..runtime.interrupts import DeferredInterrupt

T = TypeVar("T")


class RangeTask(NamedTuple):
    """A range of batches to train on, and the executor that does it."""

    executor: Executor
    batch_range: BatchRange

    def run(self, interrupt: DeferredInterrupt) -> int:
        """Train; return the number of the next batch.

        Raises
        ------
        Diverged
        """
        return self.executor.run(self.batch_range, interrupt)


#: Yields tasks; is sent the number of the batch that each of them reached, or has thrown into it
#: what that raised; returns its result.
RangeTasks = Generator[RangeTask, int, T]


class LoopDriver(Generic[T]):
    """Takes the tasks of a training loop one by one.

    Attributes
    ----------
    result : T or None
        What the loop returned, in the end.
    """

    def __init__(self, tasks: RangeTasks[T]):
        self._tasks = tasks
        self.result: T | None = None

    def start(self) -> RangeTask | None:
        """Return the first task; None if there is nothing to do."""
        return self._next(self._tasks.__next__)

    def resume(self, reached: int) -> RangeTask | None:
        """Return the next task, or None; the one before has reached that batch."""
        return self._next(self._tasks.send, reached)

    def throw(self, error: BaseException) -> RangeTask | None:
        """Return the next task, or None; the one before has raised an error."""
        return self._next(self._tasks.throw, error)

    def close(self) -> None:
        """End the loop where it stands."""
        self._tasks.close()

    def _next(self, proceed: Any, *arguments: Any) -> RangeTask | None:
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


def run_all(tasks: RangeTasks[T], interrupt: DeferredInterrupt) -> T:
    """Do all tasks, one after the other; return the result of the loop."""
    driver = LoopDriver(tasks)
    try:
        task = driver.start()
        while task is not None:
            try:
                reached = task.run(interrupt)
            except BaseException as error:
                task = driver.throw(error)
            else:
                task = driver.resume(reached)
    finally:
        driver.close()
    return driver.result  # type: ignore[return-value]
