"""Initial values of parameters, for the `initializer` of a layer, by name or object.

>>> from fastnn import Dense
>>> Dense(64, "tanh").initializer  # "auto", for this activation
GlorotUniform()
>>> from fastnn.initializers import Orthogonal
>>> layer = Dense(64, initializer=Orthogonal(gain=0.5), bias_initializer="ones")
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .runtime.random_streams import normal, uniform
from .utils import checks
from .utils.specification import Specification

__all__ = [
    "Constant",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "LeCunNormal",
    "LeCunUniform",
    "Normal",
    "Ones",
    "Orthogonal",
    "Uniform",
    "Zeros",
]


class Initializer(Specification, family=True):
    """Base of the initialisers: `draw` gives the values of one array.

    The numbers depend on (seed, offset) and the shape alone; they are drawn in float64 and rounded
    to the network's dtype. One of your own is a frozen dataclass with a `draw`.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from fastnn import Dense, Network
    >>> from fastnn.initializers import Initializer
    >>> @dataclass(frozen=True)
    ... class Identity(Initializer):
    ...     def draw(self, shape, seed, offset):
    ...         return np.eye(*shape)
    >>> net = Network([Dense(2, initializer=Identity())], loss="huber").build(2)
    >>> net.predict([[3.0, 4.0]])
    array([[3., 4.]], dtype=float32)
    """

    def draw(self, shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
        """Return the initial values of one parameter array.

        Parameters
        ----------
        shape : tuple of int
            Weights are (inputs, units).
        seed, offset : int
            Seed of the network; number of the array, so that each has its own stream.

        Returns
        -------
        ndarray of float64, of that shape
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Zeros(Initializer):
    """All zeros: right for biases; as weights, it never breaks the symmetry between units.

    Examples
    --------
    >>> from fastnn.initializers import Zeros
    >>> Zeros().draw((2,), seed=0, offset=0)
    array([0., 0.])
    """

    def draw(self, shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
        return np.zeros(shape)


@dataclass(frozen=True)
class Ones(Initializer):
    """All ones.

    Examples
    --------
    >>> from fastnn.initializers import Ones
    >>> Ones().draw((2,), seed=0, offset=0)
    array([1., 1.])
    """

    def draw(self, shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
        return np.ones(shape)


@dataclass(frozen=True)
class Constant(Initializer):
    """Every element equal to `value`.

    Parameters
    ----------
    value : float

    Examples
    --------
    >>> from fastnn.initializers import Constant
    >>> Constant(0.5).draw((2,), seed=0, offset=0)
    array([0.5, 0.5])
    """

    value: float = 0.0

    def __post_init__(self) -> None:
        self._set_fields(value=checks.number("value", self.value))

    def draw(self, shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
        return np.full(shape, self.value)


@dataclass(frozen=True)
class Normal(Initializer):
    """Normal numbers with mean 0 and standard deviation `scale`.

    Parameters
    ----------
    scale : float
        Not negative.

    Examples
    --------
    >>> from fastnn.initializers import Normal
    >>> Normal(0.1).draw((2000, 10), seed=0, offset=0).std().round(3)
    np.float64(0.1)
    """

    scale: float = 0.05

    def __post_init__(self) -> None:
        self._set_fields(scale=checks.number("scale", self.scale, low=0))

    def draw(self, shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
        return self.scale * normal(shape, seed, offset)


@dataclass(frozen=True)
class Uniform(Initializer):
    """Uniform numbers between −scale and scale.

    Parameters
    ----------
    scale : float
        Not negative.

    Examples
    --------
    >>> from fastnn.initializers import Uniform
    >>> abs(Uniform(0.1).draw((2000, 10), seed=0, offset=0)).max().round(3)
    np.float64(0.1)
    """

    scale: float = 0.05

    def __post_init__(self) -> None:
        self._set_fields(scale=checks.number("scale", self.scale, low=0))

    def draw(self, shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
        return self.scale * (2 * uniform(shape, seed, offset) - 1)


@dataclass(frozen=True)
class Orthogonal(Initializer):
    """A matrix with orthonormal rows or columns, whichever are fewer, times `gain`.

    Saxe, McClelland, Ganguli: Exact solutions to the nonlinear dynamics of learning in deep linear
    neural networks. ICLR 2014. Q of the QR decomposition of a normal matrix, with the signs of R's
    diagonal made positive so that it is uniform over all such matrices.

    Parameters
    ----------
    gain : float

    Examples
    --------
    >>> from fastnn.initializers import Orthogonal
    >>> w = Orthogonal().draw((3, 2), seed=0, offset=0)
    >>> abs((w.T @ w).round(12))
    array([[1., 0.],
           [0., 1.]])
    """

    gain: float = 1.0

    def __post_init__(self) -> None:
        self._set_fields(gain=checks.number("gain", self.gain))

    def draw(self, shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
        from threadpoolctl import threadpool_limits

        n_columns = shape[-1]
        n_rows = math.prod(shape[:-1])
        matrix = normal((max(n_rows, n_columns), min(n_rows, n_columns)), seed, offset)
        with threadpool_limits(1, "blas"):  # the order of LAPACK's sums depends on its threads
            q, r = np.linalg.qr(matrix)
        q *= np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q if n_rows >= n_columns else q.T).reshape(shape)


def _fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return inputs and outputs per unit; leading axes of a kernel are its receptive field."""
    field = math.prod(shape[:-2])
    return (field * shape[-2] if len(shape) > 1 else shape[0]), field * shape[-1]


class _VarianceScaling(Initializer):
    """Numbers whose variance is set by the fans of the array: `variance(fan_in, fan_out)`."""

    distribution: str

    @staticmethod
    def variance(fan_in: int, fan_out: int) -> float:
        raise NotImplementedError

    def draw(self, shape: tuple[int, ...], seed: int, offset: int) -> np.ndarray:
        deviation = math.sqrt(self.variance(*_fans(shape)))
        if self.distribution == "normal":
            return deviation * normal(shape, seed, offset)
        return math.sqrt(3) * deviation * (2 * uniform(shape, seed, offset) - 1)


class _Glorot(_VarianceScaling):
    @staticmethod
    def variance(fan_in: int, fan_out: int) -> float:
        return 2 / (fan_in + fan_out)


class _He(_VarianceScaling):
    @staticmethod
    def variance(fan_in: int, fan_out: int) -> float:
        return 2 / fan_in


class _LeCun(_VarianceScaling):
    @staticmethod
    def variance(fan_in: int, fan_out: int) -> float:
        return 1 / fan_in


@dataclass(frozen=True)
class GlorotNormal(_Glorot):
    """Normal, variance 2 / (fan_in + fan_out), also called Xavier.

    Glorot, Bengio: Understanding the difficulty of training deep feedforward networks. AISTATS
    2010.

    Examples
    --------
    >>> from fastnn.initializers import GlorotNormal
    >>> GlorotNormal().draw((2000, 10), seed=0, offset=0).var().round(4)
    np.float64(0.001)
    """

    distribution = "normal"


@dataclass(frozen=True)
class GlorotUniform(_Glorot):
    """Uniform, variance 2 / (fan_in + fan_out), limits ±√(6 / (fan_in + fan_out)).

    See `GlorotNormal`.

    Examples
    --------
    >>> from fastnn.initializers import GlorotUniform
    >>> abs(GlorotUniform().draw((2000, 400), seed=0, offset=0)).max().round(4)
    np.float64(0.05)
    """

    distribution = "uniform"


@dataclass(frozen=True)
class HeNormal(_He):
    """Normal, variance 2 / fan_in, for rectified units; not truncated.

    He, Zhang, Ren, Sun: Delving deep into rectifiers. ICCV 2015.

    Examples
    --------
    >>> from fastnn.initializers import HeNormal
    >>> HeNormal().draw((200, 100), seed=0, offset=0).var().round(3)
    np.float64(0.01)
    """

    distribution = "normal"


@dataclass(frozen=True)
class HeUniform(_He):
    """Uniform, variance 2 / fan_in: limits ±√(6 / fan_in); see `HeNormal`.

    Examples
    --------
    >>> from fastnn.initializers import HeUniform
    >>> abs(HeUniform().draw((600, 100), seed=0, offset=0)).max().round(3)
    np.float64(0.1)
    """

    distribution = "uniform"


@dataclass(frozen=True)
class LeCunNormal(_LeCun):
    """Normal, variance 1 / fan_in; not truncated.

    LeCun, Bottou, Orr, Müller: Efficient BackProp. 1998.

    Examples
    --------
    >>> from fastnn.initializers import LeCunNormal
    >>> LeCunNormal().draw((100, 200), seed=0, offset=0).var().round(3)
    np.float64(0.01)
    """

    distribution = "normal"


@dataclass(frozen=True)
class LeCunUniform(_LeCun):
    """Uniform, variance 1 / fan_in: limits ±√(3 / fan_in); see `LeCunNormal`.

    Examples
    --------
    >>> from fastnn.initializers import LeCunUniform
    >>> abs(LeCunUniform().draw((300, 100), seed=0, offset=0)).max().round(3)
    np.float64(0.1)
    """

    distribution = "uniform"


#: Names that stand for a default object.
INITIALIZERS: dict[str, type[Initializer]] = {
    "zeros": Zeros,
    "ones": Ones,
    "constant": Constant,
    "normal": Normal,
    "uniform": Uniform,
    "orthogonal": Orthogonal,
    "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform,
    "xavier_normal": GlorotNormal,
    "xavier_uniform": GlorotUniform,
    "he_normal": HeNormal,
    "he_uniform": HeUniform,
    "lecun_normal": LeCunNormal,
    "lecun_uniform": LeCunUniform,
}


def deviation(initializer: str | Initializer, shape: tuple[int, ...]) -> float:
    """Return the standard deviation of an initialiser, or of that name, which scales by fans."""
    found = get("initializer", initializer)
    assert isinstance(found, _VarianceScaling)
    return math.sqrt(found.variance(*_fans(shape)))


def get(argument: str, value: str | Initializer) -> Initializer:
    """Return the initialiser that `value`, a name or an object, stands for."""
    return Initializer.resolve(argument, value, INITIALIZERS)
