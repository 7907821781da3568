"""Restoring an estimator whose `fit` fails before training begins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..callbacks import Callback
from ..network import Network


class RollbackOnError(Callback):
    """Context that restores an estimator's attributes if `fit` fails before training begins.

    As a callback of the fit it is told when training begins.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    """

    def __init__(self, estimator: Any):
        self._estimator = estimator
        self._training_began = False

    def on_train_begin(self, network: Network, info: Mapping[str, int]) -> None:
        """Keep the attributes from now on."""
        self._training_began = True

    def __enter__(self) -> RollbackOnError:
        self._before = dict(vars(self._estimator))
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not self._training_began:
            self._estimator.__dict__ = self._before  # one assignment, which no interrupt can split
