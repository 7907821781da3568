"""Rows to train on and rows to score, as scikit-learn's `train_test_split` draws them."""

from __future__ import annotations

import math

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.extmath import _approximate_mode


def split(
    rows: int, fraction: float, strata: np.ndarray | None, random: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the rows to train on, and of those to hold out.

    The draws, and so the bits, are those of ``train_test_split(stratify=strata)``, which for two
    strata of a million rows takes ten times as long: it gathers them in lists.

    Parameters
    ----------
    rows : int
    fraction : float
        Share to hold out.
    strata : ndarray of bool, shape (rows,), or None
        Both parts have the same share of each stratum, to a row.
    random : RandomState
        Drawn from.

    Raises
    ------
    ValueError
        scikit-learn's, where a part would be empty or a stratum has a single row.
    """
    held_out = math.ceil(fraction * rows)
    members = [] if strata is None else [np.flatnonzero(~strata), np.flatnonzero(strata)]
    if not members or min(held_out, rows - held_out, *map(len, members)) < 2:
        texts = None if strata is None else strata.astype(str)  # which its errors quote
        return train_test_split(
            np.arange(rows), test_size=fraction, stratify=texts, random_state=random
        )
    counts = np.array([len(own) for own in members])
    training = _approximate_mode(counts, rows - held_out, random)
    scoring = _approximate_mode(counts - training, held_out, random)
    shuffled = [own[random.permutation(len(own))] for own in members]
    ends = training + scoring
    train = [own[:n] for own, n in zip(shuffled, training, strict=True)]
    score = [own[n:end] for own, n, end in zip(shuffled, training, ends, strict=True)]
    return random.permutation(np.concatenate(train)), random.permutation(np.concatenate(score))
