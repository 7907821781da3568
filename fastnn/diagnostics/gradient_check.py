"""Gradient check: backpropagation against central differences of the loss, in float64.

A kink is a point where the loss is not differentiable: of an activation, of the loss or of an L1
penalty. Two things do not count as errors of the gradient: differences across a kink, and
differences that rounding alone explains.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..compiler.architecture import Architecture
from ..data import arrays
from ..data.data_set import DataSet
from ..errors import ArgumentError, ArgumentTypeError
from ..ir.parameter import Segment
from ..model.base import model_of
from ..model.data_sets import data_set
from ..network import Network
from ..runtime.random_streams import Stream, check_seed, permutation, stream_offset
from ..utils import checks
from ..utils.call_errors import explains
from .gradient_check_result import ArrayCheck, GradientCheck
from .loss_surface import LossSurface

FLOAT64 = np.dtype(np.float64)

#: Below, rounding dominates the differences; above, curvature does.
MIN_EPSILON, MAX_EPSILON = 1e-8, 1e-2


@explains
def gradient_check(
    net: Network,
    X: Any,
    y: Any,
    *,
    epsilon: float = 1e-6,
    n: int | None = None,
    sample_weight: Any = None,
    seed: int | None = None,
    verbose: int = 1,
) -> GradientCheck:
    """Compare the gradients of backpropagation with central differences of the loss.

    Frozen parameters, which have no gradient, are left out. The check runs in float64, whatever the
    network's dtype, on a copy of the parameters, with the dropout masks of the network's current
    step, on the active back end and with the kernels that `Network.fit` runs. The network is built
    if it was not, and otherwise left as it was. It costs two losses of all rows per entry, so a few
    rows and, for large arrays, a sample of `n` entries are enough.

    Parameters
    ----------
    net : Network
    X : array-like of numbers, shape (rows, …)
    y : array-like of numbers
        Targets, as `Network.fit` takes them.
    epsilon : float
        Distance to either side, in [1e-8, 0.01].
    n : int, optional
        Entries to draw from each array that has more; all of them by default.
    sample_weight : array-like, shape (rows,), optional
    seed : int, optional
        Selects the entries to draw; the network's seed by default.
    verbose : {0, 1} or bool
        Whether to print the table.

    Returns
    -------
    GradientCheck
        `max_relative_error`, `relative_errors` by array, `worst`, `kinks`, `noise`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument cannot be used, the network has no parameters, the loss is not finite, or a
        parameter is so large that epsilon does not move it.

    Notes
    -----
    In float64, errors up to 1e-7 are right, errors from 1e-2 are wrong, and those between are
    suspicious.
    A faulty layer spoils the gradients of all layers before it, so the fault is most likely in the
    layer of the last wrong array of the table.

    An entry counts as being at a kink, and is not compared, if a kinked activation (relu,
    leaky_relu, elu, selu, a custom one with `kinks`, or a layer of your own that calls
    ``builder.kinks``) changes sides anywhere in the network, if
    the loss goes from one smooth piece to another (absolute error, quantile, Huber), or if a weight
    under an L1 penalty changes its sign when the entry moves by ±epsilon. Where ‖g − ĝ‖ over the m
    compared entries of an array is at most ``10 √m 2⁻⁵² max(1, |loss|) / epsilon``, rounding
    explains it, and the error is 0.

    References
    ----------
    Bengio: Practical recommendations for gradient-based training of deep architectures. In Neural
    Networks: Tricks of the Trade, 2nd ed., 2012. Ng: Improving deep neural networks, week 1
    (the relative error of whole arrays). Stanford CS231n, notes on gradient checks (kinks,
    dropout, which errors to expect).

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> import fastnn
    >>> from fastnn import Dense, Dropout, Network
    >>> X, y = load_digits(return_X_y=True)
    >>> net = Network(
    ...     [Dense(16, "relu"), Dropout(0.2), Dense(10)], loss="softmax_cross_entropy", seed=0
    ... )
    >>> check = fastnn.gradient_check(net, X[:20] / 16, y[:20], n=50, verbose=0)
    >>> list(check.relative_errors)
    ['dense_1/weights', 'dense_1/bias', 'dense_2/weights', 'dense_2/bias']
    >>> check.max_relative_error < 1e-7
    True
    """
    epsilon = checks.number("epsilon", epsilon, low=MIN_EPSILON, high=MAX_EPSILON)
    n = None if n is None else checks.integer("n", n, low=1)
    seed = None if seed is None else check_seed(seed)
    verbose = checks.verbosity(verbose, high=1)
    if not isinstance(net, Network):
        raise ArgumentTypeError(f"net must be a Network, got {type(net).__name__}")
    architecture, data = _in_float64(net, X, y, sample_weight)
    net.build(architecture.shapes[0])
    surface = LossSurface(net, architecture, data)
    result = _compare(surface, epsilon, n, net.seed if seed is None else seed)
    if verbose:
        print(result)
    return result


def _in_float64(net: Network, X: Any, y: Any, sample_weight: Any) -> tuple[Architecture, DataSet]:
    """Return the network's architecture and the checked data, both in float64; build nothing."""
    shape = net.input_shape if net.built else arrays.inputs(X, None, FLOAT64).shape[1:]
    architecture = model_of(net).architecture_for(shape, FLOAT64)
    if not any(segment.options.trainable for segment in architecture.segments):
        raise ArgumentError("net must have parameters to check, but its layers have none to learn")
    return architecture, data_set(architecture, X, y, sample_weight)


def _compare(surface: LossSurface, epsilon: float, n: int | None, seed: int) -> GradientCheck:
    loss, gradients = surface.loss_and_gradients()
    regions = surface.smooth_regions()
    arena = surface.arena
    results = []
    for index, segment in enumerate(arena.segments):
        if not segment.options.trainable:
            continue
        entries = _sample(segment.size, n, seed, index)
        estimate = _central_differences(surface, regions, segment, entries, epsilon)
        smooth = ~np.isnan(estimate)
        g = arena.view(gradients, segment).reshape(-1)[entries]
        difference, scale = _distance(g[smooth], estimate[smooth])
        compared = int(smooth.sum())
        noise = 10 * math.sqrt(compared) * 2.0**-52 * max(1, abs(loss)) / epsilon
        kinks = len(entries) - compared
        results.append(
            ArrayCheck(segment.name, segment.size, compared, kinks, difference, scale, noise)
        )
    return GradientCheck(tuple(results), loss, epsilon)


def _sample(size: int, n: int | None, seed: int, index: int) -> np.ndarray:
    """Return the entries of the index-th array to compare, in ascending order."""
    if n is None or n >= size:
        return np.arange(size)
    return np.sort(permutation(size, seed, stream_offset(Stream.SAMPLE, index))[:n])


def _central_differences(
    surface: LossSurface,
    regions: list[np.ndarray],
    segment: Segment,
    entries: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    """Return derivatives of the loss by `entries`, shape (entries,); NaN across a kink.

    `regions` are the smooth regions at the present parameters.
    """
    values = surface.arena.view(surface.arena.parameters, segment).reshape(-1)
    _require_movable(segment.name, values[entries], epsilon)
    derivatives = np.empty(len(entries))
    for i, entry in enumerate(entries):
        p = values[entry]
        points = p - epsilon, p + epsilon
        spans_kink = segment.options.l1 > 0 and abs(p) <= epsilon
        losses = []
        for point in points:
            values[entry] = point
            losses.append(surface.loss())
            spans_kink |= not all(map(np.array_equal, regions, surface.smooth_regions()))
        values[entry] = p
        # The points are 2 epsilon apart only up to rounding.
        quotient = (losses[1] - losses[0]) / (points[1] - points[0])
        derivatives[i] = math.nan if spans_kink else quotient
    return derivatives


def _distance(g: np.ndarray, estimate: np.ndarray) -> tuple[float, float]:
    """Return ‖g − ĝ‖ and ‖g‖ + ‖ĝ‖; infinite where g is not finite."""
    if not np.isfinite(g).all():
        return math.inf, math.inf
    norm = np.linalg.norm
    return float(norm(g - estimate)), float(norm(g) + norm(estimate))


def _require_movable(name: str, values: np.ndarray, epsilon: float) -> None:
    stuck = (values - epsilon == values) | (values + epsilon == values)
    if stuck.any():
        raise ArgumentError(
            f"epsilon={epsilon:g} is lost in rounding beside {values[stuck][0]:g} in {name}"
        )
