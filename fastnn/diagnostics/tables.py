"""The tables of a report: lists of rows of text, the heading first."""

from __future__ import annotations

import math
from typing import Any

from ..utils.text import table
from .bias_variance import BiasVariance
from .hardest import HardExample
from .learning_curve import LearningCurve
from .measurement import LayerFigures
from .scores import ClassScores, Residuals

Rows = list[tuple[str, ...]]


def error_rows(errors: BiasVariance) -> Rows:
    """Return the errors and their parts."""
    human = "human level" if errors.human_error is not None else "human level (taken as 0)"
    bias, variance = errors.avoidable_bias, errors.variance
    return [
        ("rows", "error" if errors.classification else "RMSE", "part", "", ""),
        (human, errors.format(errors.human_error or 0.0), "", "", ""),
        (
            "training",
            errors.format(errors.training.value),
            "avoidable bias",
            errors.format(bias),
            _level(errors.high_bias, errors.dominant == "bias"),
        ),
        (
            "validation",
            errors.format(errors.validation.value),
            "variance",
            errors.format(variance),
            _level(errors.high_variance, errors.dominant == "variance"),
        ),
        ("constant answer", errors.format(errors.validation.baseline), "", "", ""),
    ]


def _level(high: bool, dominant: bool) -> str:
    return "high, dominates" if dominant else "high" if high else "low"


def layer_rows(layers: tuple[LayerFigures, ...]) -> Rows:
    """Return a row for each layer."""
    heading = ("layer", "type", "mean", "std", "dead", "saturated", "‖∂output‖", "‖∂w‖", "update")
    return [
        heading,
        *(
            (
                f.name,
                f.kind,
                number(f.mean),
                number(f.std),
                share(f.dead),
                share(f.saturated),
                number(f.signal),
                number(f.gradient_norm),
                number(f.update_ratio),
            )
            for f in layers
        ),
    ]


def curve_rows(curve: LearningCurve, errors: BiasVariance) -> Rows:
    """Return a row for each number of training rows."""
    return [
        ("rows", "updates", "training", "validation"),
        *(
            (
                f"{p.rows:,}",
                f"{p.updates:,}",
                errors.format(p.training.value),
                errors.format(p.validation.value),
            )
            for p in curve.points
        ),
    ]


def class_rows(classes: ClassScores) -> Rows:
    """Return a row for each class."""
    columns = zip(
        classes.training_rows,
        classes.validation_rows,
        classes.precision,
        classes.recall,
        classes.f1,
        strict=True,
    )
    return [
        ("class", "training", "validation", "precision", "recall", "f1"),
        *(
            (str(k), f"{n_train:,}", f"{n_val:,}", share(precision), share(recall), share(f1))
            for k, (n_train, n_val, precision, recall, f1) in enumerate(columns)
        ),
    ]


def confusion_rows(classes: ClassScores) -> list[tuple[str, Rows]]:
    """Return the confusion matrix, or that of each output, with its title."""
    confusion = classes.confusion
    if confusion.ndim == 2:
        return [("Confusion: true classes down, predicted across", _matrix(confusion))]
    return [(f"Confusion of output {k}", _matrix(matrix)) for k, matrix in enumerate(confusion)]


def confusion_shares(classes: ClassScores) -> list[tuple[str, Rows, Any]]:
    """Return what `confusion_rows` returns, each with the shares (classes, classes) to shade by."""
    shares = classes.confusion_shares
    matrices = shares if shares.ndim == 3 else shares[None]
    return [(*entry, own) for entry, own in zip(confusion_rows(classes), matrices, strict=True)]


def _matrix(confusion: Any) -> Rows:
    return [
        ("", *map(str, range(len(confusion)))),
        *((str(k), *map(str, row)) for k, row in enumerate(confusion.tolist())),
    ]


def residual_rows(residuals: Residuals) -> Rows:
    """Return a row for each output."""
    heading = ("output", "mean", "std", "5 %", "50 %", "95 %", "MAE", "R²", "spread")
    low, _, middle, _, high = residuals.quantiles
    columns = zip(
        residuals.mean,
        residuals.std,
        low,
        middle,
        high,
        residuals.mae,
        residuals.r2,
        residuals.spread,
        strict=True,
    )
    return [heading, *((str(k), *map(number, row)) for k, row in enumerate(columns))]


def residual_text(residuals: Residuals) -> str:
    """Return the table as text, with an explanation of its last column."""
    rows = table(residual_rows(residuals), frozenset(range(9)))
    return f"{rows}\nspread: rank correlation of |residual| with the prediction"


def hardest_rows(examples: tuple[HardExample, ...]) -> Rows:
    """Return a row for each example."""
    return [
        ("row", "loss", "true", "predicted"),
        *((f"{e.row}", number(e.loss), answer(e.true), answer(e.predicted)) for e in examples),
    ]


def answer(value: int | float | tuple[int | float, ...]) -> str:
    """Return a class, a value, or several of them as text."""
    values = value if isinstance(value, tuple) else (value,)
    return " ".join(str(v) if isinstance(v, int) else f"{v:.4g}" for v in values)


def number(value: float) -> str:
    """Return a number with three digits; nothing for NaN."""
    return "" if math.isnan(value) else f"{value:.3g}"


def share(value: float) -> str:
    """Return a share in percent; nothing for NaN."""
    return "" if math.isnan(value) else f"{value:.1%}"
