"""Same seed, same bits: for any number of threads, in any process."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from programs import output_of, shared_library
from workload_jobs import WORKLOADS, train

from fastnn import kernels

FULL = os.environ.get("FASTNN_FULL") == "1"

PROGRAM = textwrap.dedent(
    """
    import hashlib, sys
    import numpy as np
    import fastnn
    from fastnn import (Activation, AlphaDropout, BatchNorm, Dense, Dropout, Embedding,
                        GaussianNoise, LayerNorm, Network, TabularInput)
    from fastnn.kernels import native

    fastnn.set_num_threads(int(sys.argv[1]))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 50))
    codes = np.concatenate([rng.integers(0, 200, (300, 2)), X[:, 2:]], axis=1)
    tables = {0: (200, 70), 1: Embedding(200, 30, sparse=True)}
    normalised = [TabularInput(tables), GaussianNoise(0.1), Dense(130), BatchNorm(),
                  Activation("selu"), AlphaDropout(0.1), LayerNorm(), Dense(70, "tanh"),
                  BatchNorm()]
    teams = set()

    class Team(fastnn.Callback):
        def on_batch_end(self, network, batch, logs):
            teams.add(native.last_team())

    for dtype in ("float32", "float64"):
        for loss, outputs, y in (
            ("softmax_cross_entropy", 10, rng.integers(0, 10, 300)),
            ("huber", 3, rng.normal(size=(300, 3))),
        ):
            dense = [Dense(130, "gelu", l2=1e-3), Dropout(0.3), Dense(70), Activation("elu")]
            for hidden, x in ((dense, X), (normalised, codes)):
                net = Network(
                    [*hidden, Dense(outputs)],
                    loss=loss, optimizer=fastnn.AdamW(1e-2, clipnorm=0.1), seed=5, dtype=dtype,
                    max_norm=1.0, weight_average=fastnn.EMA(0.9))
                net.fit(x, y, batch_size=128, epochs=2, callbacks=[Team()], verbose=0)
                digest = hashlib.sha256(net.parameters.tobytes() + net.predict(x).tobytes())
                digest.update(net._model.arena.slots.tobytes() + net._model.arena.buffers.tobytes())
                print(dtype, loss, digest.hexdigest(), net.history["loss"])
    print(sorted(teams), file=sys.stderr)
    """
)


def run(threads, isa):
    environment = os.environ | {"FASTNN_TEAM": "force", "FASTNN_ISA": isa}
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(threads)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout, result.stderr.strip()


def available():
    from fastnn.kernels import native

    return native.available_isas()


@pytest.mark.parametrize("isa", available())
def test_bits_do_not_depend_on_threads(isa):
    expected, team = run(1, isa)
    assert expected.count("\n") == 8
    assert team == "[1]"
    for threads in (2, 3, 7):
        got, team = run(threads, isa)
        assert got == expected
        assert team == f"[{threads}]"


# Flush-to-zero and denormals-are-zero, as a caller of ours may have set them for the thread.
CONTROL_STATE = """
    #include <stdint.h>
    #if defined(__SSE2__)
    #include <xmmintrin.h>
    enum { FLAGS = 0x3f, FLUSH = 0x8040 };
    uint64_t control_state(void) { return _mm_getcsr() & ~FLAGS; }
    void flush_to_zero(int on) { _mm_setcsr((_mm_getcsr() & ~FLUSH) | (on ? FLUSH : 0)); }
    #elif defined(__aarch64__)
    uint64_t control_state(void) {
        uint64_t state;
        __asm__ volatile("mrs %0, fpcr" : "=r"(state));
        return state;
    }
    void flush_to_zero(int on) {
        __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)on << 24));
    }
    #else
    uint64_t control_state(void) { return 0; }
    void flush_to_zero(int on) {}
    #endif
"""

# Every workload, for every number of threads, with and without the caller's flush-to-zero, which
# threads that OpenMP starts meanwhile inherit: so that comes first.
FIFTY_STEPS = """
    import ctypes, sys
    import numpy as np
    import fastnn
    from fastnn.kernels import native
    from workload_jobs import WORKLOADS, digest, has_subnormal, train

    control = ctypes.CDLL(sys.argv[1])
    small, names = sys.argv[2] == "small", sys.argv[3].split(",")

    class Team(fastnn.Callback):
        def on_epoch_end(self, network, epoch, logs):
            teams.add(native.last_team())

    for name in names:
        for dtype in ("float32",) if small else ("float32", "float64"):
            digests = set()
            for threads in (1, 2, 3, 7):
                fastnn.set_num_threads(threads)
                for flush in (1, 0):
                    teams = set()
                    control.flush_to_zero(flush)
                    before = control.control_state()
                    net = train(name, small=small, dtype=dtype, callbacks=[Team()])
                    assert control.control_state() == before
                    control.flush_to_zero(0)
                    assert teams == {threads}, (teams, threads)
                    digests.add(digest(net))
            if dtype == "float32" and not WORKLOADS[name].image:
                assert has_subnormal(net.parameters) or has_subnormal(net._model.arena.slots)
            print(name, dtype, len(digests))
"""


@pytest.fixture(scope="module")
def control_state(tmp_path_factory):
    return shared_library(CONTROL_STATE, tmp_path_factory.mktemp("control"), "control")


def check_fifty_steps(control_state, isa, size, names, timeout):
    program = [FIFTY_STEPS, control_state, size, ",".join(names)]
    output = output_of(*program, FASTNN_ISA=isa, FASTNN_TEAM="force", timeout=timeout)
    dtypes = ["float32"] if size == "small" else ["float32", "float64"]
    lines = [f"{name} {dtype} 1" for name in names for dtype in dtypes]
    assert output.splitlines() == lines


@pytest.mark.parametrize("isa", available())
def test_fifty_steps_give_the_same_bits(isa, control_state):
    """For any number of threads, and whatever control state the caller computes in."""
    check_fifty_steps(control_state, isa, "small", list(WORKLOADS), 120)


@pytest.mark.slow
@pytest.mark.parametrize("isa", available())
def test_fifty_steps_of_full_size_give_the_same_bits(isa, control_state):
    """Without the largest network, which takes half an hour, unless FASTNN_FULL asks for it."""
    names = [name for name in WORKLOADS if name != "large" or FULL]
    check_fifty_steps(control_state, isa, "full", names, 6000)


@pytest.mark.parametrize("name", WORKLOADS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float64", 1e-11)])
def test_fifty_steps_agree_with_the_reference(name, dtype, tolerance):
    got = train(name, dtype=dtype)
    with kernels.use("reference"):
        expected = train(name, dtype=dtype)
    scale = np.abs(expected.parameters).max()
    np.testing.assert_allclose(got.parameters, expected.parameters, rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(got.history["loss"], expected.history["loss"], rtol=tolerance)


RAISING = """
    import ctypes, sys
    import numpy as np
    import fastnn
    from fastnn import Dense, Network

    control = ctypes.CDLL(sys.argv[1])
    fastnn.set_num_threads(2)
    X = np.random.default_rng(0).normal(size=(64, 200))
    net = Network([Dense(100), Dense(1)], loss="mean_squared_error", optimizer=fastnn.SGD(1e30))

    def unchanged(call):
        control.flush_to_zero(1)
        before = control.control_state()
        try:
            call()
        except fastnn.errors.FastnnError as error:
            print(type(error).__name__)
        assert control.control_state() == before
        control.flush_to_zero(0)

    unchanged(lambda: net.fit(X, X[:, 0], epochs=9, verbose=0))
    unchanged(lambda: net.predict(X[:, 1:]))
    unchanged(lambda: net.predict(X))
    unchanged(lambda: net.evaluate(X, X[:, 0]))
"""


def test_errors_leave_the_control_state_alone(control_state):
    output = output_of(RAISING, control_state, FASTNN_TEAM="force")
    assert output.split() == ["DivergenceError", "ArgumentError"]


FORKED = textwrap.dedent(
    """
    import os
    import numpy as np
    from fastnn import Dense, Dropout, Network

    X = np.random.default_rng(0).normal(size=(256, 100))

    def train():
        net = Network([Dense(200, "relu"), Dropout(0.5), Dense(1)], loss="huber", seed=0)
        net.fit(X, X[:, 0], epochs=2, verbose=0)
        return net.parameters.tobytes()

    expected = train()
    for _ in range(int(os.environ["RUNS"])):
        child = os.fork()
        if child == 0:
            os._exit(0 if train() == expected else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert train() == expected
    """
)
FORKS = 100 if FULL else 10


def test_children_train_after_the_parent_trained():
    """libgomp's threads do not survive a fork: the child must neither wait for them nor differ."""
    environment = os.environ | {
        "FASTNN_TEAM": "force",
        "FASTNN_NUM_THREADS": "2",
        "RUNS": str(FORKS),
    }
    subprocess.run([sys.executable, "-c", FORKED], env=environment, check=True, timeout=600)
