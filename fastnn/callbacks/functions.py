"""LambdaCallback: hooks as plain functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import ArgumentTypeError
from ..utils import checks, signatures
from .base import HOOKS, Callback


class LambdaCallback(Callback):
    """A callback made of functions.

    Parameters
    ----------
    **hooks : callable
        Named as the hooks of `Callback`, with the same arguments, of which the first is the
        network. Hooks that are not given cost nothing.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There is no hook of that name, or its value is not callable with the arguments of the hook.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> losses = []
    >>> def note(net, epoch, logs):
    ...     losses.append(logs["loss"])
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="huber", seed=0)
    >>> callbacks = [fastnn.LambdaCallback(on_epoch_end=note)]
    >>> history = net.fit(np.ones((4, 2)), np.ones(4), epochs=3, callbacks=callbacks, verbose=0)
    >>> losses == history["loss"]
    True
    """

    def __init__(self, **hooks: Callable[..., Any]):
        for name, function in hooks.items():
            checks.one_of("hook", name, HOOKS)
            if not callable(function):
                raise ArgumentTypeError(f"{name} must be callable, got {function!r}")
            signatures.require(name, function, HOOKS[name])
            setattr(self, name, function)
