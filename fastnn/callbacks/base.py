"""The hooks that training calls, and the list that calls them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

from ..errors import ArgumentTypeError
from ..model.base_network import BaseNetwork
from ..model.running_fit import CallbackState
from ..utils import signatures
from ..utils.call_errors import Explained

if TYPE_CHECKING:
    from ..errors import DivergenceError
    from ..runtime.interrupts import DeferredInterrupt

Logs = Mapping[str, float]
Info = Mapping[str, Any]
#: The `fastnn.Network` that is trained. Any, so that hooks may declare that class or `BaseNetwork`.
Trained: TypeAlias = Any


class Callback(metaclass=Explained):
    """Base of the callbacks: override the hooks that you need.

    Epochs are counted from 1 over the life of the network, batches from 1 within the epoch. A hook
    that is not overridden costs nothing; `on_batch_begin` and `on_batch_end` cost most, since then
    the native back end must return from C for each batch. Setting ``network.stop_training = True``
    ends training after the current epoch.

    `on_train_end` is called however training ends, for every callback whose `on_train_begin` was
    done. If it raises, the others are called all the same; an error that ended training comes
    first, and later ones are notes on it.

    A callback with state that lasts from epoch to epoch returns it from `state_dict`; a
    `Checkpoint` saves it, and ``fit(resume_from=…)`` continues with it.

    ===================  ===========================================================================
    `check_fit`          once, before anything is built or changed
    `on_train_begin`     once, before the first epoch
    `on_epoch_begin`     before each epoch
    `on_batch_begin`     before each update
    `on_batch_end`       after each update
    `on_progress`        several times a second, between two updates
    `on_epoch_end`       after each epoch, its validation included
    `on_divergence`      the loss or a gradient became non-finite
    `on_train_end`       once, however training ended
    ===================  ===========================================================================

    Examples
    --------
    >>> import fastnn
    >>> class Stop(fastnn.Callback):
    ...     def on_epoch_end(self, network, epoch, logs):
    ...         network.stop_training = logs["loss"] < 0.1
    """

    #: Callbacks of a larger order are called later: a `Checkpoint` saves the states of the others.
    order: int = 0

    #: Names that the callback's `on_epoch_end` adds to `logs`, for the callbacks after it to watch.
    reports: Sequence[str] = ()

    def check_fit(self, network: Trained, info: Info) -> None:
        """Raise an error for a fit in which the callback cannot work.

        Called before the network is built, a file to resume from is read, or anything else changes.
        `info` is that of `on_train_begin`, but for "done".
        """

    def on_train_begin(self, network: Trained, info: Info) -> None:
        """Run before the first epoch of a fit.

        `info` has the "epochs" of this fit, how many of them are "done" already (those of the fit
        that is resumed), the "rows" of an epoch, the "validation_rows", the "batch_size", and the
        names of what epochs report: the "logs".
        """

    def on_epoch_begin(self, network: Trained, epoch: int) -> None:
        """Run before each epoch."""

    def on_batch_begin(self, network: Trained, batch: int) -> None:
        """Run before each update."""

    def on_batch_end(self, network: Trained, batch: int, logs: Logs) -> None:
        """Run after each update; `logs` has the batch's "loss", "size" and total "weight".

        The loss of an epoch is the mean of those of its batches, by weight. If all sample weights
        of a batch are 0, there is no update, and the loss is 0.
        """

    def on_progress(self, network: Trained, logs: Logs) -> None:
        """Run several times a second; `logs` has the epoch's "rows" so far and their mean "loss".

        The loss is NaN as long as all weights are 0.
        """

    def on_epoch_end(self, network: Trained, epoch: int, logs: Logs) -> None:
        """Run after each epoch; `logs` has its loss and metrics, and ``val_…`` of validation.

        Values may be added to it under the names in `reports`; the history does not hold them.
        """

    def on_divergence(self, network: Trained, error: DivergenceError) -> bool:
        """Return True to end training here, with the last finite weights, and without the error."""
        return False

    def on_train_end(self, network: Trained) -> None:
        """Run once after training, however it ended."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state to save: JSON values and, as values of the dict itself, NumPy arrays.

        Always empty for a callback without state.
        """
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore a state that `state_dict` returned; called before `on_train_begin`."""


def checked(callbacks: Iterable[Any]) -> list[Callback]:
    """Return the callbacks as a list; raise `ArgumentTypeError` for anything else."""
    if isinstance(callbacks, Callback) or not isinstance(callbacks, Iterable):
        raise ArgumentTypeError(
            f"callbacks must be a list of fastnn.Callback objects, got {callbacks!r}"
        )
    known = list(callbacks)
    for callback in known:
        if not isinstance(callback, Callback):
            raise ArgumentTypeError(
                f"callbacks must hold fastnn.Callback objects, got {callback!r}"
            )
    return known


#: The arguments of hooks, by name.
HOOKS: dict[str, list[str]] = {
    name: signatures.parameters(hook)
    for name, hook in vars(Callback).items()
    if name.startswith("on_")
}


class CallbackList:
    """Calls one hook of all callbacks that override it."""

    def __init__(self, callbacks: Iterable[Callback], network: BaseNetwork):
        self._callbacks = sorted(checked(callbacks), key=lambda callback: callback.order)
        self._network = network
        self.reports = tuple(name for callback in self._callbacks for name in callback.reports)
        self._begun: list[Callback] = []
        self._hooks = {name: [c for c in self._callbacks if _overrides(c, name)] for name in HOOKS}
        for hook, listening in self._hooks.items():
            for callback in listening:
                what = f"{type(callback).__name__}.{hook}"
                signatures.require(what, getattr(callback, hook), HOOKS[hook])

    def overrides(self, *hooks: str) -> bool:
        """Return whether any callback overrides one of these."""
        return any(self._hooks[hook] for hook in hooks)

    def __call__(self, hook: str, *arguments: Any) -> bool:
        """Call a hook; return whether any callback returned True."""
        answers = [getattr(c, hook)(self._network, *arguments) for c in self._hooks[hook]]
        return any(answer is True for answer in answers)

    def check_fit(self, info: Info) -> None:
        """Call `check_fit` of all callbacks."""
        for callback in self._callbacks:
            callback.check_fit(self._network, info)

    @contextmanager
    def during(self, info: Info, interrupt: DeferredInterrupt) -> Iterator[None]:
        """Call `on_train_begin` before the training in the context, and `on_train_end` after it.

        Ctrl-C may end a hook, but not between a hook and the note that it was called.
        """
        try:
            for callback in self._callbacks:
                with interrupt.allowed():
                    callback.on_train_begin(self._network, info)
                self._begun.append(callback)
            yield
        except BaseException as failure:
            self._end(failure, interrupt)
            raise
        else:
            self._end(None, interrupt)

    def _end(self, failure: BaseException | None, interrupt: DeferredInterrupt) -> None:
        """Call `on_train_end` of all that have begun; raise the first error unless training failed.

        The error that is raised, or ended training, has notes on all others. An interruption goes
        before errors, and a `GeneratorExit`, whose notes are never shown, after them.
        """
        errors: list[BaseException] = []
        for callback in self._begun:
            try:
                with interrupt.allowed():
                    callback.on_train_end(self._network)
            except BaseException as error:
                error.add_note(f"raised by {type(callback).__name__}.on_train_end")
                errors.append(error)
        self._begun.clear()
        interruption = next((e for e in errors if not isinstance(e, Exception)), None)
        first = failure
        if first is None or isinstance(first, GeneratorExit) or interruption is not None:
            first = interruption or next(iter(errors), None)
        if first is None:
            return
        for other in errors:
            if other is not first:
                first.add_note(f"Then {type(other).__name__}: {other} ({other.__notes__[-1]})")
        if first is not failure:
            raise first

    def stateful(self) -> list[Callback]:
        """Return the callbacks with a state."""
        return [callback for callback in self._callbacks if callback.state_dict()]

    def states(self) -> list[CallbackState]:
        """Return the states of the callbacks that have one."""
        found = [CallbackState(type(c).__name__, c.state_dict()) for c in self._callbacks]
        return [named for named in found if named.state]


def _overrides(callback: Callback, name: str) -> bool:
    """Return whether a callback's class, or the object itself, overrides a method."""
    return getattr(getattr(callback, name), "__func__", None) is not getattr(Callback, name)
