"""Many fits in one process: no memory is lost, and each has the bits of its seed."""

import ctypes
import gc
import hashlib
import pickle
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from programs import output_of
from sklearn.datasets import load_digits

import fastnn
from fastnn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X, Y = X[:100] / 16, Y[:100]


class MallocInfo(ctypes.Structure):
    """The structure that glibc's mallinfo2 returns."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks",
            "fordblks", "keepcost",
        )
    ]  # fmt: skip


def bytes_in_use():
    """Return bytes of malloc and mmap, and a word or more for each of Python's own objects."""
    gc.collect()
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallinfo2"):
        pytest.skip("only glibc 2.33 and newer count")
    libc.mallinfo2.restype = MallocInfo
    info = libc.mallinfo2()
    return info.uordblks + info.hblkhd + 16 * sys.getallocatedblocks()


def growth(work, repeats):
    """Bytes that one call of `work(i)` leaves behind, once all that is kept was made."""
    for i in range(60):
        work(i)
    before = bytes_in_use()
    for i in range(repeats):
        work(i)
    return (bytes_in_use() - before) / repeats


def steps(i):
    net = MLPClassifier((8 + i % 3,), max_iter=2, random_state=i).fit(X, Y)
    net.predict_proba(X[: 1 + i % 30])
    net.predictor()(X[0])


def full_batch(i):
    MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", max_iter=2, random_state=i).fit(X, Y)


def many_parts(i):
    options = {"dropout": 0.2, "batch_norm": True, "early_stopping": True, "loss": "log_loss"}
    net = MLPClassifier((8,), max_iter=2, random_state=i, callbacks=[fastnn.Callback()], **options)
    pickle.loads(pickle.dumps(net.fit(X, Y))).to_network()


def refused(i):
    with pytest.raises(ValueError, match="dropout"):
        MLPClassifier((8,), dropout=[0.1, 0.2]).fit(X, Y)


@pytest.mark.parametrize("work", [steps, full_batch, many_parts, refused])
def test_fits_lose_no_memory(work):
    assert growth(work, repeats=120) < 1024


@pytest.mark.slow
def test_ten_thousand_fits_lose_no_memory():
    def resident():
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * 4096

    growth(steps, repeats=500)
    before = resident()
    assert growth(steps, repeats=10_000) < 1024
    assert (resident() - before) / 10_000 < 1024


def test_the_measure_sees_what_is_kept():
    kept = []
    assert growth(lambda i: kept.append(np.zeros(200)), repeats=100) > 1024


SEEDS = range(100)
OPTIONS = [{}, {"dropout": 0.2, "batch_norm": True}, {"solver": "lbfgs", "max_iter": 3}]


def fitted(seed):
    options = {"hidden_layer_sizes": 16, "max_iter": 2, "batch_size": 40} | OPTIONS[seed % 3]
    return MLPClassifier(random_state=seed, **options).fit(X, Y)


def test_seeds_pickles_and_predictions_agree():
    weights = set()
    for seed in SEEDS:
        net, again = fitted(seed), fitted(seed)
        restored = pickle.loads(pickle.dumps(net))
        expected = net.predict_proba(X)
        np.testing.assert_array_equal(net.network_.parameters, again.network_.parameters)
        for copied in (again, restored):
            np.testing.assert_array_equal(copied.predict_proba(X), expected)
        assert restored.loss_ == net.loss_
        weights.add(hashlib.sha256(net.network_.parameters.tobytes()).digest())
    assert len(weights) == len(SEEDS)


PROGRAM = textwrap.dedent(
    """
    import hashlib, sys, warnings
    sys.path.append(sys.argv[1])
    import fastnn
    from fastnn.kernels import native
    from test_many_fits import SEEDS, X, fitted

    warnings.simplefilter("ignore")
    outcomes, teams = set(), []
    for threads in (1, 2, 3):
        fastnn.set_num_threads(threads)
        digest = hashlib.sha256()
        for seed in SEEDS:
            net = fitted(seed)
            digest.update(net.network_.parameters.tobytes() + net.predict_proba(X).tobytes())
        outcomes.add(digest.hexdigest())
        teams.append(native.last_team())
    print(len(outcomes), *teams)
    """
)


def test_seeds_agree_for_any_number_of_threads():
    assert output_of(PROGRAM, Path(__file__).parent, FASTNN_TEAM="force") == "1 1 2 3"
