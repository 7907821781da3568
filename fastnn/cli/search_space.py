"""What `fastnn search` searches: networks for tables, by hyper-parameters that matter for them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..layers import BatchNorm, Dense, Dropout, Layer
from ..network import Network
from ..optimizers import OPTIMIZERS, Optimizer
from ..search import integers, log_integers, log_uniform, uniform

#: Epochs, unless told otherwise: enough for so many updates of 128 rows, within these limits.
_UPDATES, _ROWS = 5000, 128
_FEWEST_EPOCHS, _MOST_EPOCHS = 27, 324
#: Rungs of successive halving below the last epoch: 1/27, 1/9 and 1/3 of the epochs.
_RUNGS = 27

#: For SGD; other optimizers have their own kind.
_MOMENTUM = 0.9


def space(rows: int) -> dict[str, Any]:
    """Return the hyper-parameters of networks for so many training rows.

    The hidden layers are of one width, so that every trial has all hyper-parameters: samplers learn
    more from few trials, and any of them will do.
    """
    most = max(32, min(256, rows // 16))
    return {
        "layers": integers(1, 3),
        "units": log_integers(16, 256),
        "activation": ["relu", "gelu", "tanh"],
        "batch_norm": [False, True],
        "dropout": uniform(0.0, 0.5),
        "optimizer": ["adam", "rmsprop", "sgd"],
        "learning_rate": log_uniform(1e-4, 1e-1),
        "weight_decay": log_uniform(1e-6, 1e-2),
        "batch_size": [size for size in (16, 32, 64, 128, 256) if size <= most],
    }


@dataclass(frozen=True)
class TableNetwork:
    """From parameters to a network.

    Attributes
    ----------
    outputs : int
    classes : bool
        Whether they are classes, or one number.
    seed : int or None
    """

    outputs: int
    classes: bool
    seed: int | None = None

    def __call__(self, params: dict[str, Any]) -> Network:
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


def epochs_for(rows: int) -> int:
    """Return a multiple of 27, so that halving has whole rungs."""
    wanted = _UPDATES / math.ceil(rows / _ROWS)
    return _RUNGS * math.ceil(min(max(wanted, _FEWEST_EPOCHS), _MOST_EPOCHS) / _RUNGS)


def min_epochs_for(epochs: int) -> int:
    """Return the first rung of successive halving."""
    return max(1, epochs // _RUNGS)
