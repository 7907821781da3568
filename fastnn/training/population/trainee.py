"""One network of a population: where its training stands, and what of it is still to be done."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...execution.native_executor import NativeExecutor, reached
from ...model.history import History
from .. import prepare
from ..batch_ranges import LoopDriver, RangeTask
from .memory import Need, needs

if TYPE_CHECKING:
    from ...compiler.architecture import Architecture
    from ...execution.batches import BatchRange
    from ...execution.executor import Executor
    from ...network import Network
    from ...runtime.interrupts import DeferredInterrupt
    from ..trainer import Session

#: Nanoseconds of a multiplication and addition, of an optimizer's update of one parameter, and of
#: whatever a step takes beside. They only rank networks that have not been timed yet.
MULTIPLY_TIME, UPDATE_TIME, STEP_TIME = 0.03, 0.3, 3000.0
#: Seconds after which Python's executor comes back to see whether it should stop.
PATIENCE = 0.1


class Trainee:
    """A network with its fit, of which one thread at a time does the next task.

    Attributes
    ----------
    index : int
        In the population.
    network : Network
    session : Session
    need : Need
        Memory that it takes.
    error : Exception or None
        What ended the fit, if anything did.
    begun, finished : bool
    """

    def __init__(self, index: int, network: Network, session: Session, net: Architecture):
        self.index, self.network, self.session = index, network, session
        self.need: Need = needs(network, net, session)
        self.error: Exception | None = None
        self.begun = self.finished = False
        self._estimate = _epoch_time(net, session)
        self._spent = 0.0  # seconds
        self._driver: LoopDriver[History] | None = None
        self._task: RangeTask | None = None
        # What Python code sees of its surroundings (np.errstate) moves with it between threads.
        self._context = contextvars.copy_context()

    @property
    def history(self) -> History:
        """The epochs so far."""
        return self.network.history.since(self.session.first_epoch)

    @property
    def rows_to_train(self) -> int:
        """Over all epochs."""
        return self.session.settings.epochs * len(self.session.train)

    @property
    def epochs_left(self) -> int:
        done = self.network.state.epoch - self.session.first_epoch
        return self.session.settings.epochs - done

    @property
    def work_left(self) -> float:
        """Seconds that the epochs left will take: by those done, or else by a rough estimate."""
        left = self.epochs_left
        done = self.session.settings.epochs - left
        return left * (self._spent / done if done else self._estimate)

    def begin(self, interrupt: DeferredInterrupt) -> None:
        """Build the network, and come to its first task."""
        self.begun = True

        def first() -> RangeTask | None:
            with interrupt.allowed():
                trainer = prepare.trainer(self.network, self.session)
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
        """Go on to the next task: the one at hand was done by a native run, in so much time."""
        self._spent += seconds
        self._go_on(lambda executor, batch_range: reached(run, batch_range))

    def run(self, interrupt: DeferredInterrupt) -> None:
        """Do the task at hand, or the beginning of it, in this thread; go on to the next."""
        start = time.monotonic()

        def train(executor: Executor, batch_range: BatchRange) -> int:
            return executor.run(batch_range.within(PATIENCE), interrupt)

        self._go_on(train)
        self._spent += time.monotonic() - start

    def close(self) -> None:
        """Leave the fit as it stands."""
        self.finished = True
        if self._driver is not None:
            self._driver.close()

    def give_back_memory(self) -> None:
        """Keep what lasts, and nothing that only training needs."""
        if self.network.built:
            self.network.executors.release()

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
        """Take Python's part of the training, up to the next task or the end."""
        self.network.lock.hand_over()
        try:
            self._task = self._context.run(step, *arguments)
        except Exception as error:
            self.error = error
            self._task = None
        self.finished = self._task is None


def _epoch_time(net: Architecture, session: Session) -> float:
    """Seconds of an epoch, as far as can be told from sizes."""
    rows, batch = len(session.train), session.settings.batch_size
    steps = -(-rows // batch)
    multiplications = 3 * rows * net.size
    return 1e-9 * (multiplications * MULTIPLY_TIME + steps * (STEP_TIME + net.size * UPDATE_TIME))
