"""scikit-learn's callback protocol, experimental since its version 1.9: epochs as tasks of a fit.

Only this module uses it. Below 1.9 estimators have no `set_callbacks`, and no fit has tasks.
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
        """Stand in for scikit-learn's class, and add nothing."""


class EpochTasks(Callback):
    """Call scikit-learn's callbacks for each epoch, and stop training when one asks for it.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
    data : dict
        "X", "y" and "metadata" as passed to `fit`.
    """

    def __init__(self, estimator: Any, data: dict[str, Any]):
        self._estimator, self._data = estimator, data
        self._fit: Any = None  # the tasks under way
        self._epoch: Any = None

    def on_train_begin(self, network: Network, info: Mapping[str, int]) -> None:
        """Begin the task of the fit."""
        self._fit = self._estimator._init_callback_context(max_subtasks=info["epochs"])
        self._fit.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def on_epoch_begin(self, network: Network, epoch: int) -> None:
        """Begin the task of an epoch."""
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(estimator=self._estimator, **self._data)

    def on_epoch_end(self, network: Network, epoch: int, logs: Logs) -> None:
        """End the task of the epoch."""
        ended, self._epoch = self._epoch, None
        if ended.call_on_fit_task_end(
            estimator=self._estimator, **self._data, reconstruction_attributes=self._fitted
        ):
            network.stop_training = True

    def close(self) -> None:
        """End the task of an interrupted epoch, and that of the fit."""
        if self._epoch is not None:
            self._epoch.call_on_fit_task_end(estimator=self._estimator)
        self._fit.call_on_fit_task_end(
            estimator=self._estimator, **self._data, reconstruction_attributes=self._fitted
        )

    def _fitted(self) -> dict[str, Any]:
        """Return a copy of the fitted attributes as they are now."""
        attributes = vars(self._estimator)
        return copy.deepcopy({name: attributes[name] for name in attributes if name[-1] == "_"})


@contextmanager
def epoch_tasks(estimator: Any, X: Any, y: Any, sample_weight: Any) -> Iterator[list[Callback]]:
    """Run the training of an estimator as a task; the context gives the callbacks to train with."""
    if not getattr(estimator, "_skl_callbacks", None):
        yield []
        return
    metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
    tasks = EpochTasks(estimator, {"X": X, "y": y, "metadata": metadata})
    yield [tasks]
    tasks.close()
