"""Gradient check: backpropagation against central differences of the loss, in float64.

The differences are only as good as the loss is smooth and its rounding small, so two things are not
held against the gradient: entries whose ±epsilon crosses a kink of an activation, of the loss or of
an L1 penalty, and differences that rounding alone explains.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ..activations.named import ACTIVATIONS
from ..compiler.architecture import Architecture
from ..compiler.fusion import fuse_dense_dropout
from ..compiler.lowering import compile_plan
from ..data import arrays
from ..data.data_set import DataSet
from ..errors import ArgumentError, ArgumentTypeError
from ..execution.arena import ParameterArena
from ..execution.batches import BatchPass
from ..execution.python_executor import PythonExecutor
from ..ir.builder import PlanMode
from ..ir.parameter import Segment
from ..ir.program import Op, Ref, Result
from ..kernels.functions import ElementFunction
from ..model.base import model_of
from ..model.data_sets import data_set
from ..network import Network
from ..runtime.random_streams import Stream, check_seed, permutation, stream_offset
from ..utils import checks
from ..utils.call_errors import explains
from ..utils.text import table

FLOAT64 = np.dtype(np.float64)

#: Below, rounding drowns the differences; above, curvature does.
SMALLEST_EPSILON, LARGEST_EPSILON = 1e-8, 1e-2


@dataclass(frozen=True)
class ArrayCheck:
    """What the check found for one parameter array.

    Attributes
    ----------
    name : str
        Layer and parameter, as in ``"dense_1/weights"``.
    size : int
        Entries of the array.
    compared : int
        Entries that were compared.
    kinks : int
        Entries that were left out, because the loss has a kink within ±epsilon of them.
    difference : float
        ‖g − ĝ‖ over the compared entries, g from backpropagation and ĝ from differences.
    scale : float
        ‖g‖ + ‖ĝ‖.
    noise : float
        What rounding may add to `difference`: ``10 √compared 2⁻⁵² max(1, |loss|) / epsilon``.
    """

    name: str
    size: int
    compared: int
    kinks: int
    difference: float
    scale: float
    noise: float

    @property
    def is_noise(self) -> bool:
        """Whether there is a difference, but no larger than rounding makes it."""
        return 0 < self.difference <= self.noise

    @property
    def relative_error(self) -> float:
        """‖g − ĝ‖ / (‖g‖ + ‖ĝ‖); NaN where nothing was compared, infinite where g is not finite."""
        if not self.compared:
            return math.nan
        if self.difference <= self.noise:
            return 0.0
        return self.difference / self.scale if math.isfinite(self.difference) else math.inf

    @property
    def row(self) -> tuple[str, ...]:
        """A row of the printed table."""
        counts = (self.name, f"{self.compared:,} of {self.size:,}", f"{self.kinks:,}")
        if not self.compared:
            return (*counts, "", "", "not compared")
        error = "0 (noise)" if self.is_noise else f"{self.relative_error:.1e}"
        return (*counts, f"{self.difference:.1e}", f"{self.noise:.1e}", error)


@dataclass(frozen=True)
class GradientCheck:
    """The result of `gradient_check`; prints as a table.

    Attributes
    ----------
    arrays : tuple of ArrayCheck
        One for each parameter array, from the input to the output.
    loss : float
        At the given data, penalties included.
    epsilon : float

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> net = fastnn.Network([fastnn.Dense(2, "tanh"), fastnn.Dense(1)], loss="huber", seed=0)
    >>> check = fastnn.gradient_check(net, np.ones((3, 2)), np.zeros(3), verbose=0)
    >>> list(check.relative_errors)
    ['dense_1/weights', 'dense_1/bias', 'dense_2/weights', 'dense_2/bias']
    >>> check.max_relative_error < 1e-6
    True
    """

    arrays: tuple[ArrayCheck, ...]
    loss: float
    epsilon: float

    @property
    def relative_errors(self) -> dict[str, float]:
        """‖g − ĝ‖ / (‖g‖ + ‖ĝ‖) by array; NaN where every entry was at a kink."""
        return {array.name: array.relative_error for array in self.arrays}

    @property
    def max_relative_error(self) -> float:
        """The largest relative error; NaN if no entry of any array could be compared."""
        return max((a.relative_error for a in self.arrays if a.compared), default=math.nan)

    @property
    def worst(self) -> str | None:
        """Name of the array with the largest relative error; None if nothing could be compared."""
        compared = [array for array in self.arrays if array.compared]
        return max(compared, key=lambda array: array.relative_error).name if compared else None

    @property
    def kinks(self) -> dict[str, int]:
        """Number of entries left out because of a kink, by array."""
        return {array.name: array.kinks for array in self.arrays}

    @property
    def noise(self) -> tuple[str, ...]:
        """Names of the arrays whose difference was below rounding noise and counted as zero."""
        return tuple(array.name for array in self.arrays if array.is_noise)

    def __str__(self) -> str:
        heading = ("parameters", "compared", "at kinks", "‖g − ĝ‖", "noise", "relative error")
        body = table([heading, *(a.row for a in self.arrays)], right=frozenset(range(1, 6)))
        if self.worst is None:
            verdict = "nothing could be compared"
        elif self.max_relative_error == 0:
            verdict = "no difference above rounding noise"
        else:
            verdict = f"largest relative error {self.max_relative_error:.1e} in {self.worst}"
        return f"{body}\n{verdict}; loss {self.loss:.6g}, epsilon {self.epsilon:g}"


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
    if it was not, and otherwise left as it was. It costs two losses of all rows per entry: a few
    rows and, for large arrays, a sample of `n` entries tell enough.

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
    In float64, 1e-7 and less is right, 1e-2 and more is wrong, and what lies between is suspicious.
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
    epsilon = checks.number("epsilon", epsilon, low=SMALLEST_EPSILON, high=LARGEST_EPSILON)
    n = None if n is None else checks.integer("n", n, low=1)
    seed = None if seed is None else check_seed(seed)
    verbose = checks.verbosity(verbose, high=1)
    if not isinstance(net, Network):
        raise ArgumentTypeError(f"net must be a Network, got {type(net).__name__}")
    architecture, rows = _in_float64(net, X, y, sample_weight)
    net.build(architecture.shapes[0])
    surface = _LossSurface(net, architecture, rows)
    result = _compare(surface, epsilon, n, net.seed if seed is None else seed)
    if verbose:
        print(result)
    return result


def _in_float64(net: Network, X: Any, y: Any, sample_weight: Any) -> tuple[Architecture, DataSet]:
    """The network's architecture and the checked data, both in float64; builds nothing."""
    shape = net.input_shape if net.built else arrays.inputs(X, None, FLOAT64).shape[1:]
    architecture = model_of(net).architecture_for(shape, FLOAT64)
    if not any(segment.options.trainable for segment in architecture.segments):
        raise ArgumentError("net must have parameters to check, but its layers have none to learn")
    return architecture, data_set(architecture, X, y, sample_weight)


class _LossSurface:
    """The loss as a function of the parameters, on a float64 copy of them that may be moved.

    The step of the random state never advances, so every evaluation sees the same dropout masks.
    """

    def __init__(self, net: Network, architecture: Architecture, rows: DataSet):
        assert rows.target is not None
        plan = compile_plan(architecture, len(rows), PlanMode(training=True, labels=rows.labels))
        # The kernels that training runs; not all of `fused`, which moves gradients elsewhere.
        plan = replace(plan, stages=MappingProxyType(fuse_dense_dropout(plan.stages)))
        self.arena = _copy(model_of(net).arena, architecture)
        self._executor = PythonExecutor(plan, self.arena)
        self._batch = BatchPass(rows, len(rows)).batch(0, plan)
        self._state = replace(net.state)
        self._loss = architecture.loss
        self._target = rows.target
        self._output = self._array(plan.output)
        found = [*map(_kinks, plan.stages["forward"]), *plan.kinks]
        self._kinked = [(self._array(ref), kinks) for ref, kinks in found if kinks]

    def loss(self) -> float:
        """Loss at the current parameters, penalties included."""
        return self._run("forward", "loss", "penalty")

    def loss_and_gradients(self) -> tuple[float, np.ndarray]:
        """Loss and backpropagated gradients, in the layout of the arena."""
        loss = self._run("forward", "loss", "backward", "penalty")
        return loss, self.arena.gradients.copy()

    def pieces(self) -> list[np.ndarray]:
        """Which smooth piece the last loss lay on: the side of every kink in layers and loss."""
        sides = [np.searchsorted(kinks, array) for array, kinks in self._kinked]
        loss = self._loss.smooth_region(self._output, self._target)
        return sides if loss is None else [*sides, loss]

    def _array(self, ref: Ref) -> np.ndarray:
        array = self._executor.array(ref, self._batch)
        assert array is not None  # only the weights of a batch may be missing
        return array

    def _run(self, *stages: str) -> float:
        loss = self._executor.run_stages(stages, self._batch, self._state)[Result.LOSS]
        if not math.isfinite(loss):
            layer = self._executor.first_nonfinite_layer(self._batch)
            raise ArgumentError(
                f"the loss of X and y must be finite, but is {loss}, starting in layer {layer!r}"
            )
        return loss


def _copy(source: ParameterArena, architecture: Architecture) -> ParameterArena:
    """Parameters and buffers of `source` in an arena of their own, laid out for `architecture`."""
    arena = ParameterArena(architecture)
    for target, segment in zip(arena.segments, source.segments, strict=True):
        arena.view(arena.parameters, target)[...] = source.view(source.parameters, segment)
    for kept, buffer in zip(arena.buffer_segments, source.buffer_segments, strict=True):
        arena.view(arena.buffers, kept)[...] = source.view(source.buffers, buffer)
    return arena


def _kinks(op: Op) -> tuple[Ref, tuple[float, ...]]:
    """An array of a forward op, and the values at which the op's slope jumps.

    Outputs come first: those of the built-in activations with a kink have theirs at 0, as their
    inputs do. Of a function of the user, only the input tells.
    """
    function = op.arguments.get("function")
    if isinstance(function, ElementFunction):
        return op.arguments["z"], function.kinks
    activation = op.arguments.get("activation")
    return op.refs[0], (0.0,) if activation and ACTIVATIONS[activation].kink else ()


def _compare(surface: _LossSurface, epsilon: float, n: int | None, seed: int) -> GradientCheck:
    loss, gradients = surface.loss_and_gradients()
    pieces = surface.pieces()
    arena = surface.arena
    results = []
    for index, segment in enumerate(arena.segments):
        if not segment.options.trainable:
            continue
        entries = _sample(segment.size, n, seed, index)
        estimate = _central_differences(surface, pieces, segment, entries, epsilon)
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
    """In ascending order, the entries of the index-th array to compare."""
    if n is None or n >= size:
        return np.arange(size)
    return np.sort(permutation(size, seed, stream_offset(Stream.SAMPLE, index))[:n])


def _central_differences(
    surface: _LossSurface,
    pieces: list[np.ndarray],
    segment: Segment,
    entries: np.ndarray,
    epsilon: float,
) -> np.ndarray:
    """Slopes of the loss along `entries`, shape (entries,); NaN where they would span a kink.

    `pieces` are those of the parameters as they are.
    """
    values = surface.arena.view(surface.arena.parameters, segment).reshape(-1)
    _require_movable(segment.name, values[entries], epsilon)
    slopes = np.empty(len(entries))
    for i, entry in enumerate(entries):
        p = values[entry]
        points = p - epsilon, p + epsilon
        spans_kink = segment.options.l1 > 0 and abs(p) <= epsilon
        losses = []
        for point in points:
            values[entry] = point
            losses.append(surface.loss())
            spans_kink |= not all(map(np.array_equal, pieces, surface.pieces()))
        values[entry] = p
        # The points are 2 epsilon apart only up to rounding.
        slope = (losses[1] - losses[0]) / (points[1] - points[0])
        slopes[i] = math.nan if spans_kink else slope
    return slopes


def _distance(g: np.ndarray, estimate: np.ndarray) -> tuple[float, float]:
    """‖g − ĝ‖ and ‖g‖ + ‖ĝ‖; infinite where g is not finite."""
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
