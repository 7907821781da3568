"""`diagnose`: measure a network on training and validation data, and report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import ArgumentTypeError
from ..metrics.scoring import CLASSIFICATION
from ..model.base import model_of
from ..network import Network
from ..utils import checks
from .actions import Evidence, next_actions
from .bias_variance import BiasVariance
from .callback import LayerHealth
from .hardest import hardest, row_losses
from .layer_flags import find_flags
from .learning_curve import SIZES, check_sizes, error_rate, learning_curve
from .measurement import LayerMeter
from .report import Diagnosis
from .samples import checked_data, require_network, sample
from .scores import ClassScores, Residuals

#: Epochs of the learning curve for an untrained network.
CURVE_EPOCHS = 10


def diagnose(
    net: Network,
    X: Any,
    y: Any,
    X_val: Any,
    y_val: Any,
    human_error: float | None = None,
    *,
    curve_sizes: Sequence[float] | None = SIZES,
    curve_epochs: int | None = None,
    batch_size: int = 32,
    rows: int = 128,
    n_hardest: int = 10,
    health: LayerHealth | None = None,
) -> Diagnosis:
    """Find out what a network needs next.

    The network is built if it was not, and otherwise left as it is, bit for bit.

    Parameters
    ----------
    net : Network
    X, y : array-like of numbers
        Training data.
    X_val, y_val : array-like of numbers
        Validation data.
    human_error : float, optional
        The error of people, or the best known: a share of wrong answers in [0, 1], or for
        regression the root mean squared error in units of y. None counts as 0.
    curve_sizes : sequence of float or None
        Shares of the training rows, ascending, to train clones on for the learning curve; None
        leaves the curve out. Each costs as much as training on all rows.
    curve_epochs : int, optional
        Epochs of the clone that is trained on all rows; the others take as many updates. The
        default is the number of epochs that the network was trained for, or 10.
    batch_size : int
        Batch size of the clones.
    rows : int
        Number of training rows, drawn by the network's seed, on which layers are measured.
    n_hardest : int
        Number of validation rows to list.
    health : LayerHealth, optional
        A callback of the training, whose curves are added to the plots.

    Returns
    -------
    Diagnosis
        `verdict`, `actions`, `flags` and the evidence; ``print`` it, or write it with `to_html` or
        `to_png`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument cannot be used.

    Notes
    -----
    Bias is high where training error exceeds human-level error, variance where validation error
    exceeds training error, by more than 2 points (and 5 % of the error of a constant answer; for
    regression, that alone) and more than 2 standard errors. Errors are measured as predictions are
    made, without dropout. Layers are measured in one training step on a copy.

    References
    ----------
    Ng: Machine learning yearning, 2018, chapters 20 to 32. Glorot, Bengio: Understanding the
    difficulty of training deep feedforward neural networks. AISTATS 2010.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> import fastnn
    >>> X, y = load_digits(return_X_y=True)
    >>> layers = [fastnn.Dense(32, "relu"), fastnn.Dense(10)]
    >>> net = fastnn.Network(layers, loss="softmax_cross_entropy", seed=0)
    >>> _ = net.fit(X[:1200] / 16, y[:1200], epochs=30, verbose=0)
    >>> found = fastnn.diagnose(
    ...     net, X[:1200] / 16, y[:1200], X[1200:] / 16, y[1200:], curve_sizes=None
    ... )
    >>> found.verdict
    'high variance'
    >>> found.flags
    ()
    """
    require_network(net)
    classification = net.loss.task in CLASSIFICATION
    if human_error is not None:
        high = 1.0 if classification else math.inf
        human_error = checks.number("human_error", human_error, low=0, high=high)
    sizes = None if curve_sizes is None else check_sizes(curve_sizes)
    if curve_epochs is not None:
        curve_epochs = checks.integer("curve_epochs", curve_epochs, low=1)
    batch_size = checks.integer("batch_size", batch_size, low=1)
    rows = checks.integer("rows", rows, low=1)
    n_hardest = checks.integer("n_hardest", n_hardest, low=0)
    if health is not None and not isinstance(health, LayerHealth):
        raise ArgumentTypeError(f"health must be a LayerHealth, got {type(health).__name__}")
    train = checked_data(net, X, y)
    validation = checked_data(net, X_val, y_val, "validation data: ")

    errors = BiasVariance(
        error_rate(net, train), error_rate(net, validation), human_error, classification
    )
    layers = LayerMeter(net, sample(train, rows, net.seed)).measure()
    flags = find_flags(net, layers)
    curve = None
    if sizes is not None:
        epochs = curve_epochs or net.state.epoch or CURVE_EPOCHS
        curve = learning_curve(
            net, train, validation, sizes=sizes, epochs=epochs, batch_size=batch_size
        )
    losses, predictions = row_losses(net, validation)
    task, true, known = net.loss.task, validation.target, train.target
    assert true is not None
    assert known is not None
    classes = ClassScores.of(task, known, true, predictions) if classification else None
    imbalance = None if classes is None else classes.imbalance
    return Diagnosis(
        describe(net),
        errors,
        next_actions(Evidence(net, errors, flags, curve, imbalance)),
        layers,
        flags,
        curve,
        classes,
        None if classification else Residuals.of(true, predictions),
        hardest(task, true, predictions, losses, n_hardest),
        net.history,
        health,
    )


def describe(net: Network) -> str:
    """Return a network's sizes, layers and optimizer in a line."""
    shapes = " → ".join("×".join(map(str, shape)) for shape in model_of(net).architecture.shapes)
    if len(shapes) > 60:
        shapes = f"{len(net.layers)} layers"
    return (
        f"Network {shapes}, {net.n_parameters:,} parameters, {type(net.optimizer).__name__}, "
        f"{net.state.epoch} epochs"
    )
