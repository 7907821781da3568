"""Members of a team decide alike: every fit ends, with the bits or the error of one thread."""

import pytest
from programs import output_of

from fastnn.kernels import native

pytestmark = pytest.mark.skipif(not native.openmp_version(), reason="built without OpenMP")

#: Of a program that takes a few seconds; where members wait for each other it never ends.
TIMEOUT = 180

COMMON = """
    import hashlib, sys, threading
    import numpy as np
    import fastnn
    from fastnn import (Activation, BatchNorm, Dense, Dropout, Embedding, EMA, Network,
                        TabularInput)

    rng = np.random.default_rng(0)
    ROWS = 400
    X, labels = rng.normal(size=(ROWS, 12)).astype("f4"), rng.integers(0, 4, ROWS)
    codes = rng.integers(0, 30, (ROWS, 3)).astype("f4")
    weight = (rng.random(ROWS) > 0.6).astype(float)  # many batches weigh nothing

    def dense(**options):
        layers = [Dense(40, "relu"), BatchNorm(), Dropout(0.2), Dense(4)]
        return Network(layers, loss="softmax_cross_entropy", seed=3, **options)

    def tables(sparse):
        layers = [TabularInput({i: Embedding(30, 16, sparse=sparse) for i in range(3)}), Dense(4)]
        return Network(layers, loss="softmax_cross_entropy", seed=3)

    def digest(net):
        arena = net._model.arena
        everything = arena.parameters.tobytes() + arena.slots.tobytes() + arena.buffers.tobytes()
        return hashlib.sha256(everything + repr(net.history["loss"]).encode()).hexdigest()
"""


def run(program, *arguments, **environment):
    options = {"FASTNN_TEAM": "force", "timeout": TIMEOUT} | environment
    return output_of(COMMON + program, *arguments, **options)


def alike(program):
    """The output of a program that has the number of threads as its argument."""
    expected = run(program, 1)
    for threads in (2, 3):
        assert run(program, threads) == expected
    return expected


def test_batches_without_weight():
    """Gathered, converted, augmented, sparse; with penalties that are divided by the weight."""
    program = """
    fastnn.set_num_threads(int(sys.argv[1]))

    def fit(net, x=X, y=labels, **options):
        settings = {"epochs": 3, "batch_size": 1, "sample_weight": weight, "verbose": 0} | options
        net.fit(x, y, **settings)
        print(digest(net), net.evaluate(x, y, sample_weight=weight, batch_size=1))

    fit(dense())
    fit(dense(), x=X.astype("f8"), batch_size=3)
    fit(dense(), sample_weight=None, class_weight={0: 0.0, 1: 0.0, 2: 0.0})
    fit(dense(l2=1e-3, penalty_scale="sum", max_norm=1.0), batch_size=2)
    fit(dense(weight_average=EMA(0.9), optimizer=fastnn.Adam(1e-2, clipnorm=0.1)))
    fit(dense(optimizer=fastnn.AdamW(1e-2, global_clipnorm=0.1), dtype="float64"))
    fit(dense(), augmentation=fastnn.augmentation.Mixup(0.5), batch_size=2)
    for sparse in (False, True):
        fit(tables(sparse), x=codes, batch_size=2)
    values = Network([Dense(8, "gelu"), Dense(1)], loss="huber", seed=1)
    fit(values, y=X[:, :1], shuffle=False)
    """
    assert len(alike(program).splitlines()) == 10


def test_numbers_that_are_not_finite():
    """The step that diverges is given up by all members; what came before it stays."""
    program = """
    fastnn.set_num_threads(int(sys.argv[1]))
    for optimizer in (fastnn.SGD(1e20), fastnn.SGD(1e18, global_clipnorm=1e12)):
        for loss in ("mean_squared_error", "poisson"):
            net = Network([Dense(30, "relu"), Dense(1)], loss=loss, optimizer=optimizer, seed=0)
            try:
                net.fit(X, abs(X[:, :1]), batch_size=7, epochs=9, verbose=0)
                print("trained", digest(net))
            except fastnn.DivergenceError as error:
                print(error, net.state.step, hashlib.sha256(net.parameters.tobytes()).hexdigest())
    """
    assert "training diverged" in alike(program)


def test_functions_that_raise():
    """Only some members meet the number at which the user's function raises."""
    program = """
    fastnn.set_num_threads(int(sys.argv[1]))

    def careful(x):
        if x > 100.0:
            raise ValueError("too large")
        return x * x

    square = fastnn.activation(careful, derivative=lambda x, y: 2 * x, name="careful")
    X[:] = np.clip(X, -1, 1)
    X[371, 5] = 700
    net = Network([Activation(square), Dense(1)], loss="huber", seed=0)
    for _ in range(5):
        try:
            net.fit(X, X[:, :1], batch_size=33, epochs=2, verbose=0)
        except fastnn.errors.CustomFunctionError as error:
            print(type(error).__name__, net.state.step, net.parameters.tobytes().hex())
    """
    assert len(alike(program).splitlines()) == 5


CHANGED = """
    fastnn.set_num_threads(int(sys.argv[1]))

    class Spoil(fastnn.Callback):
        "Changes rows that the network reads where they lie, behind the checks of a fit."
        def __init__(self, rows, value):
            self.rows, self.value = rows, value
        def on_batch_end(self, network, batch, logs):
            if batch == 3:
                self.rows[-1] = self.value

    for sparse in (False, True):
        for value in (30, -1, 2.5, float("nan"), 1e30):
            x, net = codes.copy(), tables(sparse)
            options = {"batch_size": 90, "shuffle": False, "callbacks": [Spoil(x, value)]}
            try:
                net.fit(x, labels, verbose=0, **options)
                print("trained")
            except fastnn.ArgumentError as error:
                print(net.state.step, error)
"""


def test_numbers_that_change_between_check_and_use_are_refused():
    lines = alike(CHANGED).splitlines()
    assert len(lines) == 10
    assert all(line.startswith("4 x must hold whole numbers") for line in lines)


CHANGING = """
    fastnn.set_num_threads(3)
    y, x, stop = labels.copy(), codes.copy(), threading.Event()

    def disturb():
        while not stop.is_set():
            y[::7], x[::7] = 2**40, 1e20
            y[::7], x[::7] = 1, 1

    other = threading.Thread(target=disturb)
    other.start()
    ends = {"trained": 0, "refused": 0}
    for i in range(300):
        net = tables(sparse=i % 2 == 1)
        try:
            net.fit(x, y, batch_size=50, epochs=3, shuffle=False, verbose=0)
            ends["trained"] += 1
        except fastnn.ArgumentError:
            ends["refused"] += 1
    stop.set()
    other.join()
    print(sum(ends.values()))
"""


def test_arrays_that_another_thread_changes_neither_hang_nor_crash():
    assert run(CHANGING) == "300"
