"""The search space of ``fastnn search``: hyper-parameters of networks for tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..layers import BatchNorm, Dense, Dropout, Layer
from ..network import Network
from ..optimizers import OPTIMIZERS, Optimizer
from ..search import integers, log_integers, log_uniform, uniform

#: Default number of epochs: enough for so many updates of 128 rows, within these limits.
_UPDATES, _BATCH_SIZE = 5000, 128
_MIN_EPOCHS, _MAX_EPOCHS = 27, 324
#: Rungs of successive halving below the last epoch: 1/27, 1/9 and 1/3 of the epochs.
_RUNGS = 27

#: Momentum of SGD.
_MOMENTUM = 0.9


def space(n_rows: int) -> dict[str, Any]:
    """Return the hyper-parameters to search for `n_rows` training rows.

    The hidden layers have one width, so that every trial has all hyper-parameters: samplers learn
    more from few trials, and any sampler can be used.
    """
    max_batch_size = max(32, min(256, n_rows // 16))
    return {
        "layers": integers(1, 3),
        "units": log_integers(16, 256),
        "activation": ["relu", "gelu", "tanh"],
        "batch_norm": [False, True],
        "dropout": uniform(0.0, 0.5),
        "optimizer": ["adam", "rmsprop", "sgd"],
        "learning_rate": log_uniform(1e-4, 1e-1),
        "weight_decay": log_uniform(1e-6, 1e-2),
        "batch_size": [size for size in (16, 32, 64, 128, 256) if size <= max_batch_size],
    }


@dataclass(frozen=True)
class TableNetwork:
    """Build a network from the parameters of a trial.

    Attributes
    ----------
    outputs : int
    classes : bool
        Whether outputs are classes, or one number.
    seed : int or None
    """

    outputs: int
    classes: bool
    seed: int | None = None

    def __call__(self, params: dict[str, Any]) -> Network:
        """Return the network of the parameters."""
        hidden: list[Layer] = []
        for _ in range(params["layers"]):
            hidden.append(Dense(params["units"], params["activation"]))
            if params["batch_norm"]:
                hidden.append(BatchNorm())
            hidden.append(Dropout(params["dropout"]))
        options = {"momentum": _MOMENTUM} if params["optimizer"] == "sgd" else {}
        kind: Callable[..., Optimizer] = OPTIMIZERS[params["optimizer"]]
        optimizer = kind(
            learning_rate=params["learning_rate"], weight_decay=params["weight_decay"], **options
        )
        return Network(
            [*hidden, Dense(self.outputs)],
            loss="softmax_cross_entropy" if self.classes else "mean_squared_error",
            optimizer=optimizer,
            metrics=["accuracy"] if self.classes else [],
            seed=self.seed,
        )


def epochs_for(n_rows: int) -> int:
    """Return the default number of epochs, a multiple of 27 for whole rungs of halving."""
    epochs = _UPDATES / math.ceil(n_rows / _BATCH_SIZE)
    return _RUNGS * math.ceil(min(max(epochs, _MIN_EPOCHS), _MAX_EPOCHS) / _RUNGS)


def min_epochs_for(epochs: int) -> int:
    """Return the first rung of successive halving."""
    return max(1, epochs // _RUNGS)
