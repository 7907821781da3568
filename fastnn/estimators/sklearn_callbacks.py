"""scikit-learn's callback protocol, experimental since its version 1.9: epochs as tasks of a fit.

The one place that knows of it. Below 1.9 estimators have no `set_callbacks`, and no fit has tasks.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..callbacks import Callback
from ..callbacks.base import Logs
from ..network import Network

try:
    from sklearn.callback import CallbackSupportMixin
except ModuleNotFoundError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Nothing to add."""


class EpochTasks(Callback):
    """Tells scikit-learn's callbacks of each epoch, and stops training when one of them wants to.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    data : dict
        "X", "y" and "metadata" as `fit` was given them.
    """

    def __init__(self, estimator: Any, data: dict[str, Any]):
        self._estimator, self._data = estimator, data
        self._fit: Any = None  # the tasks under way
        self._epoch: Any = None

    def on_train_begin(self, network: Network, info: Mapping[str, int]) -> None:
        self._fit = self._estimator._init_callback_context(max_subtasks=info["epochs"])
        self._fit.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def on_epoch_begin(self, network: Network, epoch: int) -> None:
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        ended, self._epoch = self._epoch, None
        if ended.call_on_fit_task_end(
            estimator=self._estimator, **self._data, reconstruction_attributes=self._fitted
        ):
            network.stop_training = True

    def close(self) -> None:
        """End an epoch that was interrupted, and the fit."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
        self._fit.call_on_fit_task_end(
            estimator=self._estimator, **self._data, reconstruction_attributes=self._fitted
        )

    def _fitted(self) -> dict[str, Any]:
        """Fitted attributes as they are now, which training will not change."""
        attributes = vars(self._estimator)
        return copy.deepcopy({name: attributes[name] for name in attributes if name[-1] == "_"})


@contextmanager
def epoch_tasks(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Iterator[list[Callback]]:
    """A context around the training of an estimator, with what is to be told of its epochs."""
    if not getattr(estimator, "_skl_callbacks", None):
        yield []
        return
    metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
    tasks = EpochTasks(estimator, {"X": X, "y": y, "metadata": metadata})
    yield [tasks]
    tasks.close()
