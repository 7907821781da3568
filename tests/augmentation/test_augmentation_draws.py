"""Laws and independence of augmentations' draws, measured on images made for it."""

import numpy as np
import pytest
from scipy import stats

from fastnn.augmentation import GaussianJitter, ImageAugmentation, Mixup

ROWS = 2000
SIDE = 33
CENTRE = (SIDE - 1) / 2
LIKELY = 1e-3  # p-values below are failures; seeds are fixed, so each test is what it is

Y, X = np.mgrid[:SIDE, :SIDE] - CENTRE


def blob(y, x):
    """An image of a smooth spot, far from the edge and large enough to be found after sampling."""
    return np.exp(-((Y - y) ** 2 + (X - x) ** 2) / 8)


def spots(spec, y, x, seed):
    """Return the place of the spot of each of `ROWS` images, from the centre: (y, x)."""
    got = spec(np.tile(blob(y, x), (ROWS, 1, 1)), seed=seed)
    mass = got.sum(axis=(1, 2))
    return (got * Y).sum(axis=(1, 2)) / mass, (got * X).sum(axis=(1, 2)) / mass


def check_uniform(values, low, high):
    assert values.min() >= low - 0.01 * (high - low)
    assert values.max() <= high + 0.01 * (high - low)
    assert stats.kstest(values, stats.uniform(low, high - low).cdf).pvalue > LIKELY


def test_shifts():
    y, x = spots(ImageAugmentation(shift=0.2, fill_mode="constant"), 0, 0, seed=1)
    check_uniform(y, -0.2 * SIDE, 0.2 * SIDE)
    check_uniform(x, -0.2 * SIDE, 0.2 * SIDE)
    assert abs(np.corrcoef(x, y)[0, 1]) < 3.3 / np.sqrt(ROWS)


def test_rotations():
    y, x = spots(ImageAugmentation(rotation=90), 0, 7, seed=2)
    check_uniform(np.degrees(np.arctan2(-y, x)), -90, 90)
    np.testing.assert_allclose(np.hypot(y, x), 7, rtol=0.01)


def test_zooms():
    y, x = spots(ImageAugmentation(zoom=0.4, fill_mode="constant"), 0, 6, seed=3)
    check_uniform(x / 6, 0.6, 1.4)
    np.testing.assert_allclose(y, 0, atol=1e-9)


def test_shears():
    y, x = spots(ImageAugmentation(shear=30, fill_mode="constant"), 6, 0, seed=4)
    check_uniform(np.degrees(np.arctan(x / 6)), -30, 30)
    np.testing.assert_allclose(y, 6, rtol=0.01)


def test_flips_and_brightness():
    spec = ImageAugmentation(horizontal_flip=True, vertical_flip=True, brightness=0.3)
    images = np.tile(np.arange(1.0, 7).reshape(1, 2, 3), (ROWS, 1, 1))
    got = spec(images, seed=5)
    left, up = got[:, 0, 0] > got[:, 0, 2], got[:, 0, 0] > got[:, 1, 0]
    counts = np.bincount(2 * left + up, minlength=4)
    assert stats.chisquare(counts).pvalue > LIKELY
    check_uniform(got.max(axis=(1, 2)) / 6, 0.7, 1.3)


@pytest.mark.parametrize("side", [1, 4, 5])
def test_cutouts(side):
    """Around any pixel with the same probability: parts of the square may lie outside."""
    got = ImageAugmentation(cutout=side)(np.ones((ROWS, 5, 6)), seed=6)
    rows, columns = (got == 0).any(axis=2), (got == 0).any(axis=1)
    first = [axis.argmax(axis=1) for axis in (rows, columns)]
    last = [axis.shape[1] - 1 - axis[:, ::-1].argmax(axis=1) for axis in (rows, columns)]
    area = np.prod([b - a + 1 for a, b in zip(first, last, strict=True)], axis=0)
    np.testing.assert_array_equal(area, (got == 0).sum(axis=(1, 2)))  # a rectangle
    possible = {}
    for y in range(5):
        for x in range(6):
            top, left = y - side // 2, x - side // 2
            ends = min(top + side, 5), min(left + side, 6)
            key = (max(top, 0), max(left, 0), *ends)
            possible[key] = possible.get(key, 0) + 1
    seen = [
        (*a, *b) for a, b in zip(zip(*first, strict=True), zip(*last, strict=True), strict=True)
    ]
    counts = [sum((a, b, c + 1, d + 1) == key for a, b, c, d in seen) for key in possible]
    expected = ROWS / 30 * np.array(list(possible.values()))
    assert stats.chisquare(counts, expected).pvalue > LIKELY


def test_steps_and_rows_are_independent():
    spec = ImageAugmentation(brightness=1)
    draws = np.array([spec(np.ones((300, 1, 1)), seed=7, step=t)[:, 0, 0] for t in range(30)])
    check_uniform(draws.reshape(-1), 0, 2)
    for a, b in ((draws[1:], draws[:-1]), (draws[:, 1:], draws[:, :-1])):
        assert abs(np.corrcoef(a.reshape(-1), b.reshape(-1))[0, 1]) < 3.3 / np.sqrt(a.size)


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 5])
def test_jitter_is_normal(columns):
    noise = GaussianJitter(2.0)(np.zeros((3000, columns)), seed=8)
    assert stats.kstest(noise.reshape(-1) / 2, stats.norm.cdf).pvalue > LIKELY
    assert abs(np.corrcoef(noise.T) - np.eye(columns)).max() < 3.5 / np.sqrt(3000)


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 0.2, 0.5, 1, 2, 8, 1e4])
def test_shares_follow_beta(alpha):
    shares = []
    for step in range(20):
        mixed = Mixup(alpha)(np.eye(100), seed=9, step=step)
        shares.extend(1 - mixed.diagonal())
    shares = np.array(shares)
    law = stats.beta(alpha, alpha)
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert abs(shares.mean() - 0.5) < 3.3 * law.std() / np.sqrt(shares.size)
    if alpha >= 0.1:  # below, all but nothing of the law lies between 0 and 1
        assert stats.kstest(shares, law.cdf).pvalue > LIKELY
    assert shares.var() == pytest.approx(law.var(), rel=0.12)


def test_partners_are_any_other_row():
    turns = [int((Mixup(1)(np.eye(5), seed=10, step=t)[0] > 0)[1:].argmax()) for t in range(ROWS)]
    assert stats.chisquare(np.bincount(turns, minlength=4)).pvalue > LIKELY
