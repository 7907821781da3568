"""Every network of a population ends with the bits of a fit of its own."""

import numpy as np
import pytest
from populations import BATCH_SIZES, EPOCHS, ROWS, contents, data, folds, network, zoo
from programs import output_of

import fastnn
from fastnn import Dense, augmentation, kernels
from fastnn.training.batch_ranges import RangeTask

# All networks alone, one thread; then as populations, by pools of all sizes.
PROGRAM = """
    import sys
    import fastnn
    from fastnn.kernels import native
    from populations import BATCH_SIZES, EPOCHS, contents, data, folds, zoo

    X, y, weight = data()
    rows = folds()
    fastnn.set_num_threads(1)
    alone = zoo()
    for net, (a, b), batch_size, epochs in zip(alone, rows, BATCH_SIZES, EPOCHS):
        net.fit(X[a], y[a], batch_size=batch_size, epochs=epochs, sample_weight=weight[a],
                validation_data=(X[b], y[b], weight[b]), class_weight="balanced", verbose=0)
    expected = [contents(net) for net in alone]
    for threads in map(int, sys.argv[1:]):
        fastnn.set_num_threads(threads)
        nets = zoo()
        population = fastnn.fit_population(
            nets, X, y, batch_size=BATCH_SIZES, epochs=EPOCHS, folds=rows, sample_weight=weight,
            class_weight="balanced")
        assert [contents(net) for net in nets] == expected, threads
        assert [len(history.epoch) for history in population.histories] == \\
            [len(net.history.epoch) for net in alone]
    print("done")
"""


@pytest.mark.parametrize("team", ["auto", "force"])
def test_bits_do_not_depend_on_the_pool(team):
    assert output_of(PROGRAM, 1, 2, 3, 7, FASTNN_TEAM=team) == "done"


def fit_alone(nets, X, y, **options):
    for net, batch_size, epochs in zip(nets, BATCH_SIZES, EPOCHS, strict=True):
        net.fit(X, y, batch_size=batch_size, epochs=epochs, verbose=0, **options)
    return [contents(net) for net in nets]


def test_without_folds():
    X, y, _ = data()
    alone, together = zoo(), zoo()
    options = {"validation_data": (X[:50], y[:50]), "class_weight": {1: 2.0}, "shuffle": False}
    expected = fit_alone(alone, X, y, **options)
    fastnn.fit_population(together, X, y, batch_size=BATCH_SIZES, epochs=EPOCHS, **options)
    assert [contents(net) for net in together] == expected


def test_other_back_ends(backend):
    """Their networks go through the same scheduler, a task at a time."""
    X, y, _ = data()
    alone, together = zoo()[:4], zoo()[:4]
    for net in alone:
        net.fit(X, y, epochs=2, verbose=0)
    fastnn.fit_population(together, X, y, epochs=2)
    assert [contents(net) for net in together] == [contents(net) for net in alone]


def test_early_stopping_with_the_best_weights():
    X, y, _ = data()
    nets = [network(Dense(64, "relu"), seed=i, optimizer=fastnn.SGD(1.0)) for i in range(5)]
    options = {"epochs": 40, "batch_size": 16, "validation_data": (X[200:], y[200:])}

    def stopping():
        return fastnn.EarlyStopping(patience=2, restore_best_weights=True)

    expected = []
    for net in nets:
        twin = net.clone()
        twin.fit(X[:200], y[:200], callbacks=[stopping()], verbose=0, **options)
        expected.append(contents(twin))
    callbacks = [[stopping()] for _ in nets]
    fastnn.fit_population(nets, X[:200], y[:200], callbacks=callbacks, **options)
    assert [contents(net) for net in nets] == expected
    assert all(own[0].stopped_epoch is not None for own in callbacks)


def test_augmentation():
    X, y, _ = data()
    X = np.abs(X).astype(np.float32).reshape(ROWS, 3, 3, 1)
    change = [augmentation.GaussianJitter(0.1), augmentation.Mixup(0.3)]

    def nets():
        layers = [fastnn.Flatten(), Dense(16, "relu")]
        return [network(*layers, seed=i) for i in range(4)]

    alone, together = nets(), nets()
    for net in alone:
        net.fit(X, y, epochs=3, augmentation=change, verbose=0)
    fastnn.fit_population(together, X, y, epochs=3, augmentation=change)
    assert [contents(net) for net in together] == [contents(net) for net in alone]


def test_class_weights_count_the_rows_of_the_fold():
    X, y, _ = data()
    few = np.flatnonzero(y != 2)[:90]
    rest = np.setdiff1d(np.arange(ROWS), few)
    net, twin = network(Dense(4)), network(Dense(4))
    twin.fit(X[few], y[few], class_weight="balanced", validation_data=(X[rest], y[rest]), verbose=0)
    fastnn.fit_population([net], X, y, folds=[(few, rest)], class_weight="balanced")
    assert contents(net) == contents(twin)


@pytest.mark.parametrize("splits", [(2, 3), (1, 1, 3), (5,)])
def test_pausing(splits):
    X, y, _ = data()
    whole, parts = zoo(), zoo()
    for nets, counts in [(whole, [5]), (parts, splits)]:
        nets.pop(5)  # L-BFGS begins anew
        for count in counts:
            fastnn.fit_population(nets, X, y, epochs=count, folds=folds()[: len(nets)])
    assert [contents(net) for net in parts] == [contents(net) for net in whole]
    for net in parts:
        assert net.history.epoch == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("backend", ["native", "numba"])
def test_x_is_shared(backend, monkeypatch):
    """No copy for a fold, nor for a network of another dtype."""
    X, y, _ = data()
    seen = []

    def spy(executor, batch_range):
        seen.append(batch_range.batches.data.x)
        return RangeTask(executor, batch_range)

    monkeypatch.setattr("fastnn.training.trainer.RangeTask", spy)
    nets = [network(Dense(4), dtype=dtype) for dtype in ("float32", "float64")]
    with kernels.use(backend):
        fastnn.fit_population(nets, X, y, folds=folds()[:2])
    assert seen
    assert all(np.shares_memory(x, X) for x in seen)
