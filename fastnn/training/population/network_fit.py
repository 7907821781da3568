"""One network of a population: its fit, done piece by piece by different threads."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...execution.native_executor import NativeExecutor, reached
from ...model.history import History
from .. import start
from ..batch_ranges import LoopDriver, RangeTask
from .memory import MemoryNeeded, memory_needed

if TYPE_CHECKING:
    from ...compiler.architecture import Architecture
    from ...execution.batches import BatchRange
    from ...execution.executor import Executor
    from ...model.base import Model
    from ...runtime.interrupts import DeferredInterrupt
    from ..session import Session

#: Nanoseconds of a multiplication and addition, of an optimizer's update of one parameter, and of
#: whatever a step takes beside. They only rank networks that have not been timed yet.
MULTIPLY_TIME, UPDATE_TIME, STEP_TIME = 0.03, 0.3, 3000.0
#: Seconds after which Python's executor comes back to see whether it should stop.
PATIENCE = 0.1


class NetworkFit:
    """The fit of one network, of which one thread at a time does the next task.

    Attributes
    ----------
    index : int
        In the population.
    model : Model
    session : Session
    need : MemoryNeeded
        Memory that it takes.
    error : Exception or None
        What ended the fit, if anything did.
    begun, finished : bool
    """

    def __init__(self, index: int, model: Model, session: Session):
        net = model.architecture_for(session.train.x.shape[1:])
        self.index, self.model, self.session = index, model, session
        self.need: MemoryNeeded = memory_needed(model, net, session)
        self.error: Exception | None = None
        self.begun = self.finished = False
        self._estimate = _epoch_time(net, session)
        self._spent = 0.0  # seconds
        self._driver: LoopDriver[History] | None = None
        self._task: RangeTask | None = None
        # Context variables (np.errstate) move with the code between threads.
        self._context = contextvars.copy_context()

    @property
    def history(self) -> History:
        """Return the epochs so far."""
        return self.model.history.since(self.session.first_epoch)

    @property
    def rows_to_train(self) -> int:
        """Return the number of rows of all epochs together."""
        return self.session.epochs * self.session.n_rows

    @property
    def epochs_left(self) -> int:
        """Return the number of epochs that are still to be done."""
        done = self.model.state.epoch - self.session.first_epoch
        return self.session.epochs - done

    @property
    def work_left(self) -> float:
        """Return the seconds that the epochs left will take, from those done or an estimate."""
        left = self.epochs_left
        done = self.session.epochs - left
        return left * (self._spent / done if done else self._estimate)

    def begin(self, interrupt: DeferredInterrupt) -> None:
        """Build the network, and prepare its first task."""
        self.begun = True

        def first() -> RangeTask | None:
            with interrupt.allowed():
                trainer = start.trainer(self.model, self.session)
            self._driver = LoopDriver(trainer.tasks(interrupt))
            return self._driver.start()

        self._proceed(first)

    def native_run(self) -> Any:
        """Return the task at hand as a native `Run`; None if Python has to do it."""
        assert self._task is not None
        assert self._driver is not None
        executor, batch_range = self._task
        if not isinstance(executor, NativeExecutor):
            return None
        try:
            return executor.native_run(batch_range)
        except Exception as error:
            self._proceed(self._driver.throw, error)
            return None

    def conclude(self, run: Any, seconds: float) -> None:
        """Proceed to the next task: a native run has done this one, in so many seconds."""
        self._spent += seconds
        self._go_on(lambda executor, batch_range: reached(run, batch_range))

    def run(self, interrupt: DeferredInterrupt) -> None:
        """Run the task at hand, or its beginning, in this thread; proceed to the next."""
        start = time.monotonic()

        def train(executor: Executor, batch_range: BatchRange) -> int:
            return executor.run(batch_range.within(PATIENCE), interrupt)

        self._go_on(train)
        self._spent += time.monotonic() - start

    def close(self) -> None:
        """End the fit where it stands."""
        self.finished = True
        if self._driver is not None:
            self._driver.close()

    def give_back_memory(self) -> None:
        """Free what only training needs."""
        if self.model.built:
            self.model.executors.release()

    def _go_on(self, do: Callable[[Executor, BatchRange], int]) -> None:
        assert self._driver is not None
        assert self._task is not None
        try:
            number = do(*self._task)
        except BaseException as error:
            self._proceed(self._driver.throw, error)
        else:
            self._proceed(self._driver.resume, number)

    def _proceed(self, step: Callable[..., RangeTask | None], *arguments: Any) -> None:
        """Run Python's part of the training, up to the next task or the end."""
        self.model.lock.hand_over()
        try:
            self._task = self._context.run(step, *arguments)
        except Exception as error:
            self.error = error
            self._task = None
        self.finished = self._task is None


def _epoch_time(net: Architecture, session: Session) -> float:
    """Estimate the seconds of an epoch from sizes."""
    rows, batch = len(session.train), session.settings.batch_size
    steps = -(-rows // batch)
    multiplications = 3 * rows * net.size
    return 1e-9 * (multiplications * MULTIPLY_TIME + steps * (STEP_TIME + net.size * UPDATE_TIME))
