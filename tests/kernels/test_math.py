"""Elementary functions of the native back end: accuracy in units of the last place, and bits."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from fastnn import kernels
from fastnn.kernels import native

REALS = (np.float32, np.float64)
EVERY = pytest.mark.parametrize("activation", kernels.ACTIVATIONS)


def gelu_gate(z):
    """1 / (1 + exp(-2 u)) with u as in the tanh form, in the precision of z."""
    kind = z.dtype.type
    factor = np.sqrt(8 / (4 * np.arctan(kind(1))))
    return sigmoid(factor * (z + kind(44715) / 10**6 * z * z * z))


def sigmoid(z):
    e = np.exp(-np.abs(z))
    return np.where(z < 0, e, 1) / (1 + e)


# In the precision of their argument, which has far more digits than what they judge.
ORACLES = {
    "exp": np.exp,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "gelu": lambda z: z * gelu_gate(z),
    "silu": lambda z: z * sigmoid(z),
    "softplus": lambda z: np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z))),
    "elu": lambda z: np.where(z < 0, np.expm1(np.minimum(z, 0)), z),
}


def evaluate(activation, z):
    y = np.empty_like(z)
    native.activation_fwd(y, z, activation)
    return y


def exact(activation, z):
    wide = np.float64 if z.dtype == np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        return ORACLES[activation](z.astype(wide))


def steps_apart(a, b):
    """Count the representable numbers from a to b: 0 for two NaN, many for 0 and -0."""
    whole = np.dtype(f"i{a.itemsize}")
    with np.errstate(over="ignore"):
        steps = np.abs(a.view(whole) - b.view(whole))
    steps[steps < 0] = np.iinfo(whole).max
    steps[np.isnan(a) & np.isnan(b)] = 0
    return steps


def check_accuracy(activation, z):
    """Within 4 units of the last place; in the lower tail of gelu and silu relative to z."""
    y, want = evaluate(activation, z), exact(activation, z)
    with np.errstate(all="ignore"):
        rounded = want.astype(z.dtype)
    steps = steps_apart(y, rounded)  # 3 steps from the rounded value are 3.5 units from the exact
    if activation in ("gelu", "silu"):
        tail = z < -1
        with np.errstate(all="ignore"):
            error = np.abs(y - want) / np.abs(z)
        assert np.all(error[tail & np.isfinite(z)] <= np.finfo(z.dtype).eps)
        steps[tail & ~np.isnan(want)] = 0
    worst = np.argmax(steps)
    assert steps[worst] <= 3, f"{activation}({z[worst]!r}) = {y[worst]!r}, not {rounded[worst]!r}"


def edges(dtype):
    """Zeros, infinities, NaN, and both sides of every power of two and of each limit of exp."""
    limits = np.finfo(dtype)
    powers = np.ldexp(dtype(1), np.arange(limits.minexp - limits.nmant, limits.maxexp))
    log_2 = np.log(np.longdouble(2))
    bounds = log_2 * np.array([limits.minexp - limits.nmant - 1, limits.minexp, limits.maxexp])
    z = np.concatenate([powers, np.abs(bounds).astype(dtype), [20, 40]]).astype(dtype)
    z = np.concatenate([z, np.nextafter(z, dtype(0)), np.nextafter(z, dtype(np.inf))])
    return np.concatenate([z, -z, np.array([0.0, -0.0, np.inf, -np.inf, np.nan], dtype)])


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("activation", ORACLES)
def test_accuracy(activation, dtype):
    rng = np.random.default_rng(0)
    reach = 1.1 * np.log(float(np.finfo(dtype).max))
    samples = [rng.uniform(-span, span, 100_000) for span in (1, 10, reach)]
    samples.append(np.geomspace(np.finfo(dtype).tiny, reach, 100_000))
    samples.append(-samples[-1])
    check_accuracy(activation, np.concatenate([*samples, edges(dtype)]).astype(dtype))


@pytest.mark.slow  # some minutes for all
@pytest.mark.parametrize("activation", ["exp", "tanh", "sigmoid", "gelu"])
def test_accuracy_over_all_of_float32(activation):
    """Every number there is, or every 13th, which meets all low bits with all exponents."""
    step = 1 if os.environ.get("FASTNN_FULL") == "1" else 13
    block = step << 22

    def check(first):
        bits = np.arange(first, min(first + block, 1 << 32), step, dtype=np.uint64)
        check_accuracy(activation, bits.astype(np.uint32).view(np.float32))

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for _ in pool.map(check, range(0, 1 << 32, block)):
            pass


@pytest.mark.parametrize("dtype", REALS)
def test_log_in_the_poisson_loss(dtype):
    """exp(z) - t - t z + t log t at z = 0, for counts from subnormal to large."""
    limits = np.finfo(dtype)
    t = np.geomspace(limits.tiny, 1e6, 10_001).astype(dtype)
    t = np.concatenate([t, [0, limits.smallest_subnormal, limits.tiny / 8]]).astype(dtype)
    for value in t[:: 1 if dtype == np.float32 else 7]:
        wide = np.longdouble(value)
        want = 1 - wide + (wide * np.log(wide) if value > 0 else 0)
        got = native.poisson(None, np.zeros((1, 1), dtype), np.full((1, 1), value), None)
        assert abs(got - want) <= 4 * limits.eps * max(1, wide, abs(wide * np.log(wide or 1)))


def unaligned(values, offset):
    """A copy that begins `offset` elements after the beginning of its buffer."""
    buffer = np.empty(values.size + offset, values.dtype)
    buffer[offset:] = values
    return buffer[offset:]


@pytest.mark.parametrize("dtype", REALS)
@EVERY
def test_bits_do_not_depend_on_the_place(activation, dtype):
    """Element i of any array is element 0 of an array of one; so is its slope."""
    rng = np.random.default_rng(1)
    z, dy = rng.normal(0, 3, (2, 64)).astype(dtype)
    y, dz = np.empty_like(z), np.empty_like(z)
    for i in range(z.size):
        one = slice(i, i + 1)
        native.activation_fwd(y[one], z[one], activation)
        native.activation_bwd(dz[one], dy[one], y[one], z[one], activation)
    for size in range(1, 49):
        for offset in (0, 1, 3, 8):
            some = slice(offset, offset + size)
            values, slopes = unaligned(z[some], offset), unaligned(dy[some], offset)
            got = evaluate(activation, values)
            native.activation_bwd(slopes, slopes, got, values, activation)
            assert got.tobytes() == y[some].tobytes()
            assert slopes.tobytes() == dz[some].tobytes()


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("classes", [1, 2, 7, 10, 33, 700, 1025, 3000])
def test_rows_of_softmax_do_not_depend_on_each_other(classes, dtype):
    """Bits of a row among others, whatever block it falls into, are those of the row alone."""
    rng = np.random.default_rng(2)
    z = rng.normal(0, 3, (130 if classes < 100 else 3, classes)).astype(dtype)
    together, alone = np.empty_like(z), np.empty_like(z)
    native.softmax(together, z)
    for i in range(len(z)):
        native.softmax(alone[i : i + 1], z[i : i + 1])
    assert together.tobytes() == alone.tobytes()


@pytest.mark.parametrize("with_gradient", [True, False])
@pytest.mark.parametrize("classes", [2, 1024, 1025, 2500])
def test_cross_entropy_of_long_rows(classes, with_gradient):
    """Around the block of the exponential, in place, by a closed form in longdouble."""
    rng = np.random.default_rng(4)
    z = rng.normal(0, 3, (3, classes))
    labels, weight = np.array([0, classes - 1, classes // 2]), np.array([1.0, 0.5, 2.0])
    wide = z.astype(np.longdouble)
    p = np.exp(wide) / np.exp(wide).sum(axis=1, keepdims=True)
    picked = np.arange(3), labels
    want = -np.sum(weight * np.log(p[picked])) / weight.sum()
    p[picked] -= 1
    dz = z if with_gradient else None
    loss = native.softmax_cross_entropy(dz, z, labels, weight, 0.0)
    assert loss == pytest.approx(float(want), rel=1e-14)
    if with_gradient:
        np.testing.assert_allclose(z, p * weight[:, None] / weight.sum(), rtol=1e-12, atol=1e-16)
