"""The arguments of `fit_population`, checked for all networks before any of them changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...callbacks import Callback
from ...data.data_set import DataSet, require_weight
from ...errors import ArgumentError, ArgumentTypeError, NetworkBusyError, naming
from ...model.base import Model, model_of
from ...model.base_network import BaseNetwork
from ...utils.counting import count
from .. import prepare
from ..arguments import FitArguments, validation_arrays
from .network_fit import NetworkFit
from .sharing import Fold, SharedArrays, check_folds


def check_networks(networks: Any) -> tuple[Any, ...]:
    """Return the networks, which must be different ones, at least one."""
    if not isinstance(networks, Iterable) or isinstance(networks, str):
        raise ArgumentTypeError(f"networks must be a sequence of networks, got {networks!r}")
    networks = tuple(networks)
    if not networks:
        raise ArgumentError("networks must hold at least one network, got none")
    seen: dict[int, int] = {}
    for index, network in enumerate(networks):
        if not isinstance(network, BaseNetwork):
            raise ArgumentTypeError(f"networks[{index}] must be a Network, got {network!r}")
        first = seen.setdefault(id(network), index)
        if first != index:
            raise ArgumentError(
                f"networks[{index}] is networks[{first}]: "
                "clone() makes another one of the same description"
            )
    return networks


def each(name: str, value: Any, networks: int) -> list[Any]:
    """Return one value for each network, of one for all or a sequence of them."""
    if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, str):
        return [value] * networks
    if len(value) != networks:
        raise ArgumentError(
            f"{name} holds {count(len(value), 'value')} for {count(networks, 'network')}"
        )
    return list(value)


def callback_lists(
    callbacks: Sequence[Any] | Callable[[int], Iterable[Callback]] | None, networks: int
) -> list[list[Callback]]:
    """Return the callbacks of each network; one that has a state cannot be in two lists."""
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
class SharedData:
    """The data of one network: rows of arrays that all networks share.

    Attributes
    ----------
    arrays : SharedArrays
    validation : SharedArrays or None
        Of `validation_data`.
    fold : Fold or None
    class_weight : dict or "balanced" or None
    """

    arrays: SharedArrays
    validation: SharedArrays | None
    fold: Fold | None
    class_weight: Any

    def data_sets(self, model: Model) -> tuple[DataSet, DataSet | None]:
        """Return the rows to train on, and those to validate on if there are any."""
        net = self.arrays.architecture_for(model)
        rows, held_out = self.fold or (None, None)
        factors = self.arrays.class_factors(net, rows, self.class_weight)
        train, validation = self.arrays.part(net, rows, factors), None
        require_weight(train, "train on")
        if held_out is not None:
            validation = self.arrays.part(net, held_out, factors)
        elif self.validation is not None:
            with naming("validation_data"):
                validation = self.validation.part(net, None, factors)
        if validation is not None:
            require_weight(validation, "validate on")
        return train, validation


def shared_data(
    n_networks: int, arrays: SharedArrays, folds: Any, validation_data: Any, class_weight: Any
) -> list[SharedData]:
    """Return the data of each network, checked as far as they do not depend on it."""
    pairs = check_folds(folds, n_networks, len(arrays))
    validation = None
    if validation_data is not None:
        if pairs is not None and any(held_out is not None for _, held_out in pairs):
            raise ArgumentError("give validation_data or folds with rows to validate on, not both")
        with naming("validation_data"):
            validation = SharedArrays(*validation_arrays(validation_data))
    chosen = [None] * n_networks if pairs is None else pairs
    return [SharedData(arrays, validation, fold, class_weight) for fold in chosen]


def prepared(
    networks: Sequence[BaseNetwork], arguments: Callable[[int], FitArguments]
) -> list[NetworkFit]:
    """Return the fits of networks, each checked; nothing is built or changed yet."""
    found = []
    for index, network in enumerate(networks):
        with _naming(index):
            model = model_of(network)
            session = prepare.prepare(model, arguments(index))
            prepare.check(model, session)
            found.append(NetworkFit(index, model, session))
    return found


@contextmanager
def locked(networks: Sequence[BaseNetwork]) -> Iterator[None]:
    """Hold the locks of all networks; entered where Ctrl-C waits."""
    with ExitStack() as stack:
        for index, network in enumerate(networks):
            with _naming(index):
                stack.callback(model_of(network).lock.take().release)
        yield


@contextmanager
def _naming(index: int) -> Iterator[None]:
    """Prefix errors about one network with its index."""
    try:
        yield
    except (ArgumentError, ArgumentTypeError, NetworkBusyError) as error:
        raise type(error)(f"networks[{index}]: {error}") from None
