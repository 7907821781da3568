"""Losses of a classifier: the task and the number of outputs that follow from each."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..losses import LOSSES, Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy

#: scikit-learn's name for the cross-entropy that suits the targets.
LOG_LOSS = "log_loss"

#: Names that a classifier takes.
NAMES = {LOG_LOSS, SoftmaxCrossEntropy.kernel, SigmoidCrossEntropy.kernel}

#: Links that map outputs to probabilities.
PROBABILITIES = ("softmax", "sigmoid")


def chosen(loss: Any) -> Loss | None:
    """Return the loss of a name or an object; None if it depends on the targets."""
    if isinstance(loss, Loss):
        return loss
    return None if loss == LOG_LOSS else LOSSES[loss]()


def for_task(loss: Any, task: str) -> Loss:
    """Return the loss to train for a task."""
    own = chosen(loss)
    if own is not None:
        return own
    return SoftmaxCrossEntropy() if task == "multiclass" else SigmoidCrossEntropy(reduction="sum")


def infer_task(loss: Any, target_type: str, n_classes: int) -> tuple[str, int]:
    """Return the task and the number of outputs.

    Parameters
    ----------
    loss : str or Loss
    target_type : str
        As returned by `sklearn.utils.multiclass.type_of_target`.
    n_classes : int

    Returns
    -------
    task : {"binary", "multiclass", "multilabel"}
        "binary" is one output for the second of two classes, "multilabel" a yes/no output for each.
    outputs : int

    Raises
    ------
    ArgumentError
        The loss is not for such targets.
    """
    own = chosen(loss)
    task = None if own is None else own.task
    if task == "regression":
        raise ArgumentError(f"loss={loss!r} is for numbers, not for classes")
    if target_type == "multilabel-indicator":
        if task == "multiclass":
            raise ArgumentError(f"loss={loss!r} is for one class a row, but y has several labels")
        return "multilabel", n_classes
    if task == "multiclass" or (task is None and n_classes > 2):
        return "multiclass", max(n_classes, 2)
    if n_classes > 2:
        raise ArgumentError(f"loss={loss!r} is for two classes or several labels, got {n_classes}")
    return "binary", 1


def predicts_probabilities(estimator: Any) -> bool:
    """Return whether predictions are probabilities rather than scores."""
    fitted = hasattr(estimator, "network_")
    loss = estimator.network_.loss if fitted else chosen(estimator.loss)
    return loss is None or loss.link in PROBABILITIES


def has_predict_proba(estimator: Any) -> bool:
    """Return True if predictions are probabilities; raise `AttributeError` otherwise."""
    if not predicts_probabilities(estimator):
        raise AttributeError(f"loss={estimator.loss!r} gives scores: see decision_function")
    return True
