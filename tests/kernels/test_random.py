"""Philox, shuffles and dropout: published vectors, distributions, independence."""

import numpy as np
import pytest
from scipy import stats

from fastnn import kernels
from fastnn.kernels import native, reference
from fastnn.kernels.reference.random import philox_block

# Random123's known answers for philox4x32 with 10 rounds: counter, key, output. The last row is
# made of the digits of pi.
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


def word64(low, high):
    return np.uint64(int(low, 16) | int(high, 16) << 32)


@pytest.mark.parametrize(("counter", "key", "output"), KNOWN_ANSWERS)
@pytest.mark.parametrize("compiler", ["none", "numba"])
def test_philox_gives_the_published_words(counter, key, output, compiler):
    block = philox_block
    if compiler == "numba":
        from fastnn.kernels.numba.compiling import compiled

        block = compiled(philox_block)
    c, k = counter.split(), key.split()
    words = block(word64(*c[:2]), word64(*k), word64(*c[2:]))
    assert [f"{int(word):08x}" for word in words] == output.split()


def draw_words(n, seed=0, offset=0):
    words = np.empty(n, np.uint32)
    kernels.philox(words, seed, offset)
    return words


def test_philox_of_zeros_is_the_published_block(backend):
    assert " ".join(f"{word:08x}" for word in draw_words(4)) == KNOWN_ANSWERS[0][2]


def test_philox_streams_differ_in_every_bit_of_seed_and_offset(backend):
    streams = {tuple(draw_words(4))}
    for bit in range(64):
        streams |= {tuple(draw_words(4, seed=1 << bit)), tuple(draw_words(4, offset=1 << bit))}
    assert len(streams) == 129


def shuffled(n, seed, offset=0):
    order = np.empty(n, np.int64)
    kernels.permutation(order, seed, offset)
    return order


@pytest.mark.parametrize("n", [0, 1, 2, 3, 1000])
def test_permutation_holds_every_index_once(backend, n):
    np.testing.assert_array_equal(np.sort(shuffled(n, seed=7)), np.arange(n))


def test_permutations_are_equally_likely(backend):
    """All 24 orders of 4, in a chi-square test on seeds that never change."""
    codes = [shuffled(4, seed) @ [64, 16, 4, 1] for seed in range(4800)]
    counts = np.unique(codes, return_counts=True)[1]
    assert len(counts) == 24
    assert 1e-3 < stats.chisquare(counts).pvalue < 0.999


def test_every_index_goes_everywhere(backend):
    n = 50
    orders = np.array([shuffled(n, seed=3, offset=k) for k in range(2000)])
    counts = np.apply_along_axis(np.bincount, 0, orders, minlength=n)
    statistic = np.sum((counts - 2000 / n) ** 2) / (2000 / n)  # (n - 1)^2 degrees of freedom
    assert 1e-3 < stats.chi2.sf(statistic, (n - 1) ** 2) < 0.999


def drop(x, rate, seed=0, offset=0):
    y, mask = np.empty_like(x), np.empty((x.size + 7) // 8, np.uint8)
    kernels.dropout_fwd(y, mask, x, rate, seed, offset)
    return y, np.unpackbits(mask, bitorder="little")


@pytest.mark.parametrize("rate", [0.0, 1e-5, 0.1, 0.3, 0.5, 0.9, 0.999999])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_keeps_and_scales_by_the_probability_of_16_bits(backend, rate, dtype):
    """An element is kept where its 16 bits reach the threshold, and only there."""
    n = 100_003
    y, kept = drop(np.ones(n, dtype), rate, seed=9, offset=4)
    halves = draw_words((n + 1) // 2, seed=9, offset=4).astype("<u4").view("<u2")[:n]
    threshold = min(round(rate * 65536), 65535)
    np.testing.assert_array_equal(kept[:n], halves >= threshold)
    np.testing.assert_array_equal(kept[n:], 0)
    keep = 1 - threshold / 65536
    np.testing.assert_array_equal(y, kept[:n] * dtype(1 / keep))
    deviation = np.sqrt(n * keep * (1 - keep))
    assert abs(int(kept.sum()) - n * keep) <= 4 * deviation


# Around the sizes at which loops are cut into chunks of another number or size.
CUTS = [2047, 2048, 2049, 4097, 8191, 16 * 2048 - 1, 16 * 2048 + 1, 100_003, 512 * 2048 + 1]


@pytest.mark.parametrize("size", CUTS)
def test_cuts_of_a_loop_leave_nothing_out_and_do_nothing_twice(size):
    """Chunks begin where words and bytes of masks do: the results are those of NumPy, uncut."""
    words, expected_words = np.zeros(size, np.uint32), np.zeros(size, np.uint32)
    native.philox(words, 7, 9)
    reference.philox(expected_words, 7, 9)
    np.testing.assert_array_equal(words, expected_words)
    x = np.arange(1, size + 1, dtype=np.float32)
    y, expected = np.zeros_like(x), np.zeros_like(x)
    mask, expected_mask = (np.zeros((size + 7) // 8, np.uint8) for _ in range(2))
    native.dropout_fwd(y, mask, x, 0.5, 7, 9)
    reference.dropout_fwd(expected, expected_mask, x, 0.5, 7, 9)
    np.testing.assert_array_equal(mask, expected_mask)
    np.testing.assert_array_equal(y, expected)
    native.scale(x, 2.0)
    np.testing.assert_array_equal(x, 2 * np.arange(1, size + 1, dtype=np.float32))
    assert native.count_nonfinite(np.full(size, np.nan, np.float32)) == size


def test_dropout_masks_are_independent(backend):
    """Neighbours, steps, layers and seeds are uncorrelated: 4 standard deviations of n draws."""
    n = 80_000
    x = np.ones(n)
    masks = [drop(x, 0.5, *key)[1] for key in [(0, 0), (1, 0), (0, 1), (0, 1 << 48)]]
    signs = np.array(masks) * 2.0 - 1
    products = [signs[0] * signs[k] for k in (1, 2, 3)]
    products += [signs[0] * np.roll(signs[0], lag) for lag in (1, 2, 4, 8, 32)]
    assert np.max(np.abs(np.sum(products, axis=1))) < 4 * np.sqrt(n)


def test_dropout_gradient_uses_the_mask(backend):
    x = np.arange(1.0, 20.0)
    y, mask = np.empty_like(x), np.empty(3, np.uint8)
    kernels.dropout_fwd(y, mask, x, 0.3, 5, 6)
    dx = np.empty_like(x)
    kernels.dropout_bwd(dx, mask, x, 0.3)
    np.testing.assert_array_equal(dx, y)


def test_dropped_infinities_are_zeros(backend):
    y, kept = drop(np.full(16, np.inf), 0.5)
    assert 0 < kept.sum() < 16
    np.testing.assert_array_equal(y, np.where(kept, np.inf, 0.0))


def test_numpy_random_state_is_left_alone(backend):
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - the global state is the point
    drop(np.ones(9), 0.5)
    shuffled(9, 1)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
