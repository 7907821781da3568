"""Counter-based random numbers: Philox4x32-10 and what is drawn from it."""

from __future__ import annotations

import numpy as np

from ..table import SEEDS, Array, kernel, per

M0, M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
W0, W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
ROUNDS = 10

# 32-bit words are held in 64 bits, where their products fit.
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def philox_block(block, seed, offset):
    """Return the four words of a block, or of an array of blocks; everything is uint64."""
    c0, c1, c2, c3 = block & LOW, block >> HALF, offset & LOW, offset >> HALF
    k0, k1 = seed & LOW, seed >> HALF
    for _ in range(ROUNDS):
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


@kernel(
    arrays={"words": Array("n", "w", dtype="uint32", values="any")},
    flops=per("n", 20),
    scalars=SEEDS,
    tolerance=lambda d: 0,
)
def philox(words, seed, offset):
    """Fill an array with random 32-bit words from Philox4x32-10.

    Word 4 k + j is word j of the block with counter words (k, k >> 32, offset, offset >> 32) and
    key words (seed, seed >> 32), all modulo 2**32.

    Parameters
    ----------
    words : ndarray, shape (n,), uint32
        Written.
    seed, offset : int
        In [0, 2**64).

    References
    ----------
    Salmon et al., SC 2011; known-answer vectors from the Random123 distribution.

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> words = np.empty(2, np.uint32)
    >>> fastnn.kernels.philox(words, seed=0, offset=0); [hex(w) for w in words]
    ['0x6627e8d5', '0xe169c58d']
    """
    block = np.arange((words.size + 3) // 4, dtype=np.uint64)
    stream = np.stack(philox_block(block, np.uint64(seed), np.uint64(offset)), axis=1)
    words[...] = stream.reshape(-1)[: words.size]


def upper_53_bits(words):
    """Return the upper 53 bits of the 64-bit numbers formed by pairs of words, low half first."""
    pairs = words[0::2].astype(np.uint64) | (words[1::2].astype(np.uint64) << HALF)
    return pairs >> np.uint64(11)


@kernel(
    arrays={"order": Array("n", "w", dtype="int64", values="any")},
    flops=per("n", 41),
    scalars=SEEDS,
    tolerance=lambda d: 0,
)
def permutation(order, seed, offset):
    """Write a random permutation of 0 … n − 1, by Fisher and Yates's shuffle.

    Step i = n − 1 … 1 swaps elements i and floor(u (i + 1)), where u in [0, 1) takes the upper 53
    bits of the 64-bit number formed by Philox words 2 i (low half) and 2 i + 1 (high half).

    Parameters
    ----------
    order : ndarray, shape (n,), int64
        Written.
    seed, offset : int
        In [0, 2**64).

    Examples
    --------
    >>> import numpy as np, fastnn
    >>> order = np.empty(5, np.int64)
    >>> fastnn.kernels.permutation(order, seed=0, offset=0); sorted(order.tolist())
    [0, 1, 2, 3, 4]
    """
    n = order.size
    words = np.empty(2 * n, np.uint32)
    philox(words, seed, offset)
    u = upper_53_bits(words) * 2.0**-53
    partner = (u * np.arange(1, n + 1)).astype(np.int64).tolist()
    shuffled = list(range(n))
    for i in range(n - 1, 0, -1):
        j = partner[i]
        shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
    order[...] = shuffled
