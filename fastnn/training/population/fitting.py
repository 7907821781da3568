"""`fit_population`: many networks, one call."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from ...runtime.interrupts import DeferredInterrupt
from ...runtime.threads import default_threads
from ...utils import checks
from ...utils.call_errors import explains
from ..arguments import FitArguments
from ..prepare import listeners
from .arguments import callback_lists, check_networks, each, locked, prepared, shared_data
from .callbacks import Deadline, PopulationBar
from .memory import memory_budget
from .result import N, Population
from .scheduler import Scheduler
from .sharing import SharedArrays

if TYPE_CHECKING:
    from ...augmentation import Augmentation
    from ...callbacks import Callback

ON_ERROR = ("raise", "record")


@explains
def fit_population(
    networks: Sequence[N],
    X: Any,
    y: Any,
    *,
    batch_size: int | Sequence[int | None] | None = 32,
    epochs: int | Sequence[int] = 1,
    folds: Sequence[tuple[Any, Any]] | None = None,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | str | None = None,
    validation_data: tuple[Any, ...] | None = None,
    shuffle: bool = True,
    callbacks: Sequence[Any] | Callable[[int], Iterable[Callback]] | None = None,
    augmentation: Augmentation | Sequence[Augmentation] | None = None,
    threads: int | None = None,
    max_time: float | None = None,
    memory_limit: int | None = None,
    on_error: str = "raise",
    verbose: int = 0,
) -> Population[N]:
    """Train many networks side by side, each on a core of its own.

    Each of them ends with the bits that `Network.fit` would give it, for any number of threads and
    whatever the others are. Layers, losses, optimizers, dtypes and sizes may differ; X stays one
    array in memory. A second call goes on where the first stopped, as a second `fit` does.

    Parameters
    ----------
    networks : sequence of Network
        Different objects, not being trained elsewhere.
    X, y : array-like
        As for `Network.fit`, and suitable for all networks.
    batch_size : int or None, or sequence of them
        One for all networks, or one for each.
    epochs : int or sequence of int
        One number for all networks, or one for each.
    folds : sequence of (training rows, validation rows), optional
        A pair for each network: the rows of X and y, as vectors of integers, that it trains on
        and is validated on, in that order. The outcome is that of ``fit(X[rows], y[rows])``, but
        nothing is copied. Instead of validation rows there may be None.
    sample_weight : array-like, shape (n,), optional
        Not negative. Counts in training, and for the validation rows of folds.
    class_weight : dict or "balanced", optional
        Factor on the weight of each class's rows, in training and in validation; "balanced" counts
        the rows that the network trains on.
    validation_data : (X, y) or (X, y, sample_weight), optional
        Scored by all networks after each epoch; not together with validation rows.
    shuffle : bool
        Whether to visit the rows in a new order each epoch.
    callbacks : sequence or function, optional
        A list of callbacks for each network, or a function that makes one from the network's index,
        or one list for all. Callbacks that remember something (`EarlyStopping`) cannot be shared.
        Hooks of different networks may be called by different threads.
    augmentation : Augmentation or list of them, optional
        Random changes to the rows of each batch, see `fastnn.augmentation`.
    threads : int, optional
        How many networks train at the same time at most, the default being `get_num_threads()`,
        which is the limit too. The last one left gets all of the threads.
    max_time : float, optional
        Seconds after which networks stop at the end of their epoch, and no further ones begin.
    memory_limit : int, optional
        Bytes that the networks may take, X and y not counted. It limits how many are in training at
        the same time; by an estimate, so leave some margin. The default is 80 % of what the machine
        or the container has left.
    on_error : {"raise", "record"}
        Whether a network that diverges, or whose callback raises, ends the call with its error (the
        others stop after their update), or is left where it is while the others go on.
    verbose : {0, 1} or bool
        Nothing, or a progress bar.

    Returns
    -------
    Population
        Histories and errors, network by network.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument cannot be used, by one of the networks, which the message names; or one network
        alone exceeds `memory_limit`. Nothing is changed.
    NetworkBusyError
        One of the networks is being trained elsewhere; nothing is changed.
    DivergenceError, or what a callback raised
        With ``on_error="raise"``. A note on the error tells the network.
    KeyboardInterrupt
        After Ctrl-C. The networks are usable; each has exactly the updates that it had finished.

    Examples
    --------
    Four learning rates, each with three folds, as one population:

    >>> import numpy as np, fastnn
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.model_selection import KFold
    >>> X, y = load_digits(return_X_y=True)
    >>> splits = list(KFold(3, shuffle=True, random_state=0).split(X))
    >>> rates = np.repeat([1e-4, 1e-3, 1e-2, 1e-1], len(splits))
    >>> networks = [
    ...     fastnn.Network(
    ...         [fastnn.Dense(32, "relu"), fastnn.Dense(10)],
    ...         loss="softmax_cross_entropy",
    ...         optimizer=fastnn.Adam(rate),
    ...         metrics=["accuracy"],
    ...         seed=0,
    ...     )
    ...     for rate in rates
    ... ]
    >>> population = fastnn.fit_population(networks, X / 16, y, epochs=5, folds=splits * 4)
    >>> scores = [history["val_accuracy"][-1] for history in population.histories]
    >>> means = np.reshape(scores, (4, 3)).mean(axis=1)
    >>> float(rates[::3][means.argmax()])
    0.01
    """
    started = time.monotonic()
    networks = check_networks(networks)
    threads = default_threads() if threads is None else checks.integer("threads", threads, low=1)
    end = math.inf
    if max_time is not None:
        end = started + checks.number("max_time", max_time, low=0, open_low=True)
    checks.one_of("on_error", on_error, dict.fromkeys(ON_ERROR))
    verbose = checks.verbosity(verbose, high=1)
    with DeferredInterrupt(waiting=True) as interrupt, ExitStack() as stack:
        stack.enter_context(locked(networks))
        deadline, bar = Deadline(end), PopulationBar()
        reporters = [deadline] * (max_time is not None) + [bar] * verbose
        with interrupt.allowed():
            arrays = SharedArrays(X, y, sample_weight, training=True)
            data = shared_data(len(networks), arrays, folds, validation_data, class_weight)
            batch_sizes = each("batch_size", batch_size, len(networks))
            all_epochs = each("epochs", epochs, len(networks))
            own = callback_lists(callbacks, len(networks))

            def arguments(index: int) -> FitArguments:
                return FitArguments(
                    data[index],
                    listeners(networks[index], [*own[index], *reporters], verbose=0),
                    batch_sizes[index],
                    all_epochs[index],
                    shuffle,
                    augmentation,
                )

            fits = prepared(networks, arguments)
            budget = memory_budget(memory_limit, [fit.need for fit in fits])
        if verbose:
            bar.open(len(networks), sum(fit.rows_to_train for fit in fits))
            stack.callback(bar.close)
        scheduler = Scheduler(fits, budget, interrupt, end, keep_going=on_error == "record")
        scheduler.run(threads)
        return Population(
            networks,
            tuple(fit.history for fit in fits),
            tuple(fit.error for fit in fits),
            out_of_time=deadline.passed or scheduler.out_of_time,
            seconds=time.monotonic() - started,
        )
