"""The arguments of `fit_population`, checked for all networks before any of them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...callbacks import Callback
from ...data import data_set
from ...errors import ArgumentError, ArgumentTypeError, NetworkBusyError, naming
from ...network import Network
from .. import prepare
from ..trainer import Session
from .sharing import Fold, SharedArrays, check_folds
from .trainee import Trainee


def check_networks(networks: Any) -> tuple[Network, ...]:
    """Different networks, at least one."""
    if not isinstance(networks, Iterable) or isinstance(networks, str):
        raise ArgumentTypeError(f"networks must be a sequence of networks, got {networks!r}")
    networks = tuple(networks)
    if not networks:
        raise ArgumentError("networks must hold at least one network, got none")
    seen: dict[int, int] = {}
    for index, network in enumerate(networks):
        if not isinstance(network, Network):
            raise ArgumentTypeError(f"networks[{index}] must be a Network, got {network!r}")
        first = seen.setdefault(id(network), index)
        if first != index:
            raise ArgumentError(
                f"networks[{index}] is networks[{first}]: "
                "clone() makes another one of the same description"
            )
    return networks


def each(name: str, value: Any, networks: int) -> list[Any]:
    """One value for each network, of one for all or a sequence of them."""
    if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, str):
        return [value] * networks
    if len(value) != networks:
        raise ArgumentError(f"{name} holds {len(value)} values for {networks} networks")
    return list(value)


def callback_lists(
    callbacks: Sequence[Any] | Callable[[int], Iterable[Callback]] | None, networks: int
) -> list[list[Callback]]:
    """Of each network; what remembers something cannot be in two of them."""
    if callbacks is None:
        return [[] for _ in range(networks)]
    if callable(callbacks):
        lists = [list(callbacks(index)) for index in range(networks)]
    elif not isinstance(callbacks, Sequence) or isinstance(callbacks, str):
        raise ArgumentTypeError(
            f"callbacks must be a list for each network, or a function of its index; "
            f"got {callbacks!r}"
        )
    elif all(isinstance(callback, Callback) for callback in callbacks):
        lists = [list(callbacks) for _ in range(networks)]
    else:
        lists = [list(own) for own in each("callbacks", callbacks, networks)]
    owner: dict[int, int] = {}
    for index, own in enumerate(lists):
        for callback in own:
            first = owner.setdefault(id(callback), index)
            if first != index and callback.state_dict():
                raise ArgumentError(
                    f"networks[{first}] and networks[{index}] share a "
                    f"{type(callback).__name__}, which remembers one fit: give each its own"
                )
    return lists


@dataclass(frozen=True)
class Request:
    """Arguments of one call that hold for all networks, or for each one in turn."""

    arrays: SharedArrays
    validation: SharedArrays | None
    folds: list[Fold] | None
    batch_sizes: list[Any]
    epochs: list[Any]
    class_weight: Any
    shuffle: bool
    augmentation: Any
    callbacks: list[list[Callback]]

    def trainees(self, networks: Sequence[Network], reporters: Sequence[Callback]) -> list[Trainee]:
        """The networks and their fits; nothing is built or changed yet."""
        trainees = []
        for index, network in enumerate(networks):
            with _naming(index):
                trainees.append(self._trainee(index, network, reporters))
        return trainees

    def _trainee(self, index: int, network: Network, reporters: Sequence[Callback]) -> Trainee:
        net = self.arrays.settle(network)
        rows, held_out = (None, None) if self.folds is None else self.folds[index]
        factors = self.arrays.class_factors(net, rows, self.class_weight)
        train, validation = self.arrays.part(net, rows, factors), None
        data_set.require_weight(train, "train on")
        if held_out is not None:
            validation = self.arrays.part(net, held_out, factors)
        elif self.validation is not None:
            with naming("validation_data"):
                validation = self.validation.part(net, None, factors)
        if validation is not None:
            data_set.require_weight(validation, "validate on")
        settings = prepare.settings(
            network,
            train,
            batch_size=self.batch_sizes[index],
            epochs=self.epochs[index],
            shuffle=self.shuffle,
            augmentation=self.augmentation,
        )
        listeners = prepare.listeners(network, [*self.callbacks[index], *reporters], verbose=0)
        session = Session(network.state.epoch, listeners, settings, train, validation)
        prepare.check(network, session)
        return Trainee(index, network, session, net)


def request(
    networks: int,
    X: Any,
    y: Any,
    *,
    sample_weight: Any,
    validation_data: Any,
    folds: Any,
    batch_size: Any,
    epochs: Any,
    callbacks: Any,
    **same_for_all: Any,
) -> Request:
    """What `fit_population` was asked for, checked as far as it does not depend on a network."""
    arrays = SharedArrays(X, y, sample_weight, training=True)
    pairs = check_folds(folds, networks, len(arrays))
    validation = None
    if validation_data is not None:
        if pairs is not None and any(held_out is not None for _, held_out in pairs):
            raise ArgumentError("give validation_data or folds with rows to validate on, not both")
        with naming("validation_data"):
            validation = SharedArrays(*prepare.validation_arrays(validation_data))
    return Request(
        arrays,
        validation,
        pairs,
        each("batch_size", batch_size, networks),
        each("epochs", epochs, networks),
        callbacks=callback_lists(callbacks, networks),
        **same_for_all,
    )


@contextmanager
def held(networks: Sequence[Network]) -> Iterator[None]:
    """A context in which nobody else may train the networks; entered where Ctrl-C waits."""
    with ExitStack() as stack:
        for index, network in enumerate(networks):
            with _naming(index):
                stack.callback(network.lock.take().release)
        yield


@contextmanager
def _naming(index: int) -> Iterator[None]:
    """Errors about one network say which."""
    try:
        yield
    except (ArgumentError, ArgumentTypeError, NetworkBusyError) as error:
        raise type(error)(f"networks[{index}]: {error}") from None
