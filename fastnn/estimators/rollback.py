"""A fit that refuses its arguments leaves the estimator as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..callbacks import Callback
from ..network import Network


class Refusal(Callback):
    """A context that undoes what a fit wrote to the estimator, if it fails before training begins.

    It learns of that beginning as a callback of the fit.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    """

    def __init__(self, estimator: Any):
        self._estimator = estimator
        self._begun = False

    def on_train_begin(self, network: Network, info: Mapping[str, int]) -> None:
        self._begun = True

    def __enter__(self) -> Refusal:
        self._before = dict(vars(self._estimator))
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not self._begun:
            self._estimator.__dict__ = self._before  # one step: no interrupt can split it
