"""Same seed, same bits: for any number of threads, in any process."""

import os
import subprocess
import sys
import textwrap

import pytest

PROGRAM = textwrap.dedent(
    """
    import hashlib, sys
    import numpy as np
    import fastnn
    from fastnn import Activation, Dense, Dropout, Network
    from fastnn.kernels import _native

    fastnn.set_num_threads(int(sys.argv[1]))
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 50))
    teams = set()

    class Team(fastnn.Callback):
        def on_batch_end(self, network, batch, logs):
            teams.add(_native.last_team())

    for dtype in ("float32", "float64"):
        for loss, outputs, y in (
            ("softmax_cross_entropy", 10, rng.integers(0, 10, 300)),
            ("huber", 3, rng.normal(size=(300, 3))),
        ):
            net = Network(
                [Dense(130, "gelu", l2=1e-3), Dropout(0.3), Dense(70), Activation("elu"),
                 Dense(outputs)],
                loss=loss, optimizer=fastnn.AdamW(1e-2), seed=5, dtype=dtype)
            net.fit(X, y, batch_size=128, epochs=2, callbacks=[Team()], verbose=0)
            digest = hashlib.sha256(net.parameters.tobytes() + net.predict(X).tobytes())
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
    from fastnn.kernels import _native

    return _native.available_isas()


@pytest.mark.parametrize("isa", available())
def test_bits_do_not_depend_on_threads(isa):
    expected, team = run(1, isa)
    assert expected.count("\n") == 4
    assert team == "[1]"
    for threads in (2, 3, 7):
        got, team = run(threads, isa)
        assert got == expected
        assert team == f"[{threads}]"


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
FORKS = 100 if os.environ.get("FASTNN_FULL") == "1" else 10


def test_children_train_after_the_parent_trained():
    """libgomp's threads do not survive a fork: the child must neither wait for them nor differ."""
    environment = os.environ | {
        "FASTNN_TEAM": "force",
        "FASTNN_NUM_THREADS": "2",
        "RUNS": str(FORKS),
    }
    subprocess.run([sys.executable, "-c", FORKED], env=environment, check=True, timeout=120)
