"""`fit_population`: from its arguments to trained networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks, fitting
from ..callbacks import Callback
from ..errors import ArgumentError, ArgumentTypeError
from ..network import Network
from ..training import Session
from .result import Population
from .sharing import SharedArrays, check_folds

if TYPE_CHECKING:
    from ..augmentation import Augmentation
    from ..history import History


def fit_population(
    networks: Sequence[Network],
    X: Any,
    y: Any,
    *,
    batch_size: int | None | Sequence[int | None] = 32,
    epochs: int | Sequence[int] = 1,
    folds: Sequence[tuple[Any, Any]] | None = None,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | str | None = None,
    validation_data: tuple[Any, ...] | None = None,
    shuffle: bool = True,
    callbacks: Sequence[Iterable[Callback]] | Callable[[int], Iterable[Callback]] | None = None,
    augmentation: Augmentation | Sequence[Augmentation] | None = None,
    threads: int | None = None,
    max_time: float | None = None,
    memory_limit: int | None = None,
    on_error: str = "raise",
    verbose: int = 0,
) -> Population:
    """Train many networks on the same arrays."""
    started = time.monotonic()
    networks = _check_networks(networks)
    arrays = SharedArrays(X, y, sample_weight)
    pairs = check_folds(folds, len(networks), len(arrays))
    validation = None if validation_data is None else SharedArrays(*validation_data)
    sizes = _each("batch_size", batch_size, len(networks))
    counts = _each("epochs", epochs, len(networks))
    sessions = []
    with ExitStack() as locks:
        for index, network in enumerate(networks):
            with _naming(index):
                locks.enter_context(network._lock.held())
                architecture = network.settle_for(arrays.x)
                train = arrays.data_set(architecture)
                held_out = None if validation is None else validation.data_set(architecture)
                if pairs is not None:
                    rows, other = pairs[index]
                    held_out = held_out if other is None else train.take(other)
                    train = train.take(rows)
                own: Iterable[Callback] = ()
                if callbacks is not None:
                    own = callbacks(index) if callable(callbacks) else callbacks[index]
                listeners = fitting.listeners(network, own, 0)
                settings = fitting.settings(
                    network,
                    train,
                    batch_size=sizes[index],
                    epochs=counts[index],
                    shuffle=shuffle,
                    augmentation=augmentation,
                )
                sessions.append(
                    Session(network.state.epoch, listeners, settings, train, held_out)
                )
        histories: list[History] = []
        errors: list[Exception | None] = []
        for network, session in zip(networks, sessions, strict=True):
            error = None
            try:
                fitting.run(network, session, None)
            except Exception as caught:
                if on_error == "raise":
                    raise
                error = caught
            histories.append(network.history.since(session.first_epoch))
            errors.append(error)
    seconds = time.monotonic() - started
    return Population(networks, tuple(histories), tuple(errors), False, seconds)


def _check_networks(networks: Any) -> tuple[Network, ...]:
    if not isinstance(networks, Sequence) or isinstance(networks, str):
        raise ArgumentTypeError(f"networks must be a sequence of networks, got {networks!r}")
    if not networks:
        raise ArgumentError("networks must hold at least one network, got none")
    seen: dict[int, int] = {}
    for index, network in enumerate(networks):
        if not isinstance(network, Network):
            raise ArgumentTypeError(f"networks[{index}] must be a Network, got {network!r}")
        if id(network) in seen:
            raise ArgumentError(
                f"networks[{index}] is networks[{seen[id(network)]}]: "
                "clone() makes another one of the same description"
            )
        seen[id(network)] = index
    return tuple(networks)


def _each(name: str, value: Any, networks: int) -> list[Any]:
    """One value for each network, of one for all or a sequence of them."""
    if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, str):
        return [value] * networks
    if len(value) != networks:
        raise ArgumentError(f"{name} holds {len(value)} values for {networks} networks")
    return list(value)


@contextmanager
def _naming(index: int) -> Iterator[None]:
    """Errors about one network say which."""
    try:
        yield
    except (ArgumentError, ArgumentTypeError) as error:
        raise type(error)(f"networks[{index}]: {error}") from None
