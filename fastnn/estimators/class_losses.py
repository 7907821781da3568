"""What the loss of a classifier asks of its network: how many outputs, and what they mean."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError
from ..losses import LOSSES, Loss, SigmoidCrossEntropy, SoftmaxCrossEntropy

#: scikit-learn's: the cross-entropy that fits the targets.
LOG_LOSS = "log_loss"

#: Names that a classifier takes.
NAMES = {LOG_LOSS, SoftmaxCrossEntropy.kernel, SigmoidCrossEntropy.kernel}

#: Links that make probabilities of outputs.
PROBABILITIES = ("softmax", "sigmoid")


def chosen(loss: Any) -> Loss | None:
    """The loss that a name or an object stands for; None leaves the choice to the targets."""
    if isinstance(loss, Loss):
        return loss
    return None if loss == LOG_LOSS else LOSSES[loss]()


def for_task(loss: Any, task: str) -> Loss:
    """The loss to train, once the task is settled."""
    own = chosen(loss)
    if own is not None:
        return own
    return SoftmaxCrossEntropy() if task == "multiclass" else SigmoidCrossEntropy(reduction="sum")


def settle(loss: Any, kind: str, classes: int) -> tuple[str, int]:
    """The task and the number of outputs.

    Parameters
    ----------
    loss : str or Loss
    kind : str
        Of the targets, as `sklearn.utils.multiclass.type_of_target` has it.
    classes : int

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
    wanted = None if own is None else own.task
    if wanted == "regression":
        raise ArgumentError(f"loss={loss!r} is for numbers, not for classes")
    if kind == "multilabel-indicator":
        if wanted == "multiclass":
            raise ArgumentError(f"loss={loss!r} is for one class a row, but y has several labels")
        return "multilabel", classes
    if wanted == "multiclass" or (wanted is None and classes > 2):
        return "multiclass", max(classes, 2)
    if classes > 2:
        raise ArgumentError(f"loss={loss!r} is for two classes or several labels, got {classes}")
    return "binary", 1


def probabilistic(estimator: Any) -> bool:
    """Whether predictions are probabilities, rather than scores: by the loss of the fit, if any."""
    fitted = hasattr(estimator, "network_")
    loss = estimator.network_.loss if fitted else chosen(estimator.loss)
    return loss is None or loss.link in PROBABILITIES


def gives_probabilities(estimator: Any) -> bool:
    """Whether a classifier has `predict_proba`; `AttributeError` says why not."""
    if not probabilistic(estimator):
        raise AttributeError(f"loss={estimator.loss!r} gives scores: see decision_function")
    return True
