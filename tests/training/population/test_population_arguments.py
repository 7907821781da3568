"""Arguments that populations refuse before anything changes."""

import numpy as np
import pytest
from populations import ROWS, contents, data, network

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Dense, NetworkBusyError

X, Y, _ = data()
EVEN, ODD = np.arange(0, ROWS, 2), np.arange(1, ROWS, 2)


def refused(error, match, nets=None, x=X, y=Y, **options):
    nets = [network(Dense(4), seed=i) for i in range(3)] if nets is None else nets
    with pytest.raises(error, match=match):
        fastnn.fit_population(nets, x, y, **options)
    for net in nets if isinstance(nets, list) else []:
        if isinstance(net, fastnn.Network):
            assert not net.built
            assert not net.history.epoch
            with net._model.lock.held():
                pass


@pytest.mark.parametrize(
    ("error", "match", "options"),
    [
        (ArgumentError, r"batch_size holds 2 values for 3 networks", {"batch_size": [1, 2]}),
        (ArgumentError, r"networks\[2\]: batch_size must be .* got 0", {"batch_size": [1, 2, 0]}),
        (ArgumentError, r"epochs holds 4 values for 3 networks", {"epochs": [1, 2, 3, 4]}),
        (ArgumentError, r"networks\[1\]: epochs must be .* got -1", {"epochs": [1, -1, 2]}),
        (ArgumentTypeError, r"networks\[0\]: epochs must be", {"epochs": "3"}),
        (ArgumentTypeError, r"networks\[0\]: shuffle", {"shuffle": 1}),
        (ArgumentError, r"threads must be an integer >= 1, got 0", {"threads": 0}),
        (ArgumentTypeError, r"threads", {"threads": 1.5}),
        (ArgumentError, r"max_time must be a finite number > 0, got 0", {"max_time": 0}),
        (ArgumentError, r"memory_limit .* got -5", {"memory_limit": -5}),
        (ArgumentError, r"memory_limit is 10 bytes, but .* need [\d,]+", {"memory_limit": 10}),
        (ArgumentError, r"on_error 'ignore'", {"on_error": "ignore"}),
        (ArgumentError, r"verbose", {"verbose": 2}),
        (ArgumentError, r"sample_weight has shape \(2,\)", {"sample_weight": [1.0, 2.0]}),
        (ArgumentError, r"names class 9", {"class_weight": {9: 1.0}}),
        (ArgumentTypeError, r"validation_data must be", {"validation_data": [X, Y]}),
        (ArgumentError, r"X has 3 features", {"validation_data": (X[:, :3], Y)}),
        (ArgumentTypeError, r"callbacks must be a list for each", {"callbacks": 3}),
        (ArgumentError, r"callbacks holds 1 value for 3", {"callbacks": [[]]}),
        (ArgumentTypeError, r"networks\[1\]: callbacks must hold", {"callbacks": [[], [1], []]}),
    ],
)
def test_arguments(error, match, options):
    refused(error, match, **options)


@pytest.mark.parametrize(
    ("error", "match", "fold"),
    [
        (ArgumentTypeError, r"folds\[1\] must be \(training rows, validation rows\)", EVEN),
        (ArgumentError, r"folds\[1\]\[0\] holds no rows", (EVEN[:0], ODD)),
        (ArgumentError, r"folds\[1\]\[1\] holds no rows", (EVEN, ODD[:0])),
        (ArgumentError, rf"folds\[1\]\[0\] has row {ROWS}, but X has the rows 0", ([ROWS], ODD)),
        (ArgumentError, r"folds\[1\]\[1\] has row -1", (EVEN, [-1])),
        (ArgumentError, r"folds\[1\] has row 4 to train on and to validate on", (EVEN, [1, 4])),
        (ArgumentError, r"folds\[1\]\[0\] has a row twice", ([0, 2, 0], ODD)),
        (ArgumentTypeError, r"folds\[1\]\[0\] must be a vector .* float64", (EVEN * 1.0, ODD)),
        (ArgumentTypeError, r"folds\[1\]\[0\] must be a vector .* bool", (X[:, 0] > 0, ODD)),
        (
            ArgumentTypeError,
            r"folds\[1\]\[1\] must be a vector .*\(2, 2\)",
            (EVEN, ODD[:4].reshape(2, 2)),
        ),
    ],
)
def test_folds(error, match, fold):
    refused(error, match, folds=[(EVEN, ODD), fold, (EVEN, None)])


def test_numbers_of_folds_and_kinds_of_validation():
    refused(ArgumentError, "folds holds 1 pair for 3 networks", folds=[(EVEN, ODD)])
    refused(ArgumentTypeError, "folds must be a list", folds=3)
    both = {"folds": [(EVEN, ODD)] * 3, "validation_data": (X, Y)}
    refused(ArgumentError, "give validation_data or folds", **both)


def test_weights_that_leave_a_fold_nothing():
    weight = np.ones(ROWS)
    weight[EVEN] = 0
    refused(
        ArgumentError,
        r"networks\[0\]: sample_weight is 0 for every row",
        folds=[(EVEN, None)] * 3,
        sample_weight=weight,
    )


def test_networks():
    refused(ArgumentError, "at least one network", nets=[])
    refused(ArgumentTypeError, "networks must be a sequence", nets=network(Dense(2)))
    refused(
        ArgumentTypeError, r"networks\[1\] must be a Network, got 'x'", [network(Dense(2)), "x"]
    )
    net = network(Dense(2))
    refused(ArgumentError, r"networks\[2\] is networks\[0\]", [net, network(Dense(3)), net])


def test_arrays_that_do_not_suit_one_network():
    others = [network(Dense(4)), fastnn.Network([Dense(1)], loss="sigmoid_cross_entropy", seed=0)]
    refused(ArgumentError, r"networks\[1\]: ", others)
    built = network(Dense(2)).build(4)
    with pytest.raises(ArgumentError, match=r"networks\[1\]: X has 9 features, but .* for 4"):
        fastnn.fit_population([network(Dense(2)), built], X, Y)
    refused(ArgumentError, "X has 301 rows, but y has 10", y=Y[:10])
    refused(ArgumentError, r"X must have one row per sample", x=X[:, 0])
    bad = X.copy()
    bad[3, 1] = np.nan
    refused(ArgumentError, r"X\[3, 1\] is nan", x=bad)


def test_a_busy_network():
    nets = [network(Dense(2), seed=i) for i in range(2)]
    with nets[1]._model.lock.held(), pytest.raises(NetworkBusyError, match=r"networks\[1\]"):
        fastnn.fit_population(nets, X, Y)
    fastnn.fit_population(nets, X, Y)


def test_callbacks_that_remember_are_not_shared():
    stopping = fastnn.EarlyStopping("loss")
    for callbacks in ([stopping], lambda index: [stopping], [[stopping], [], [stopping]]):
        refused(ArgumentError, "share a EarlyStopping", callbacks=callbacks)


def test_lbfgs_refuses_augmentation_in_its_own_words():
    nets = [network(Dense(4)), network(Dense(4), optimizer="lbfgs")]
    noise = fastnn.augmentation.GaussianJitter(0.1)
    refused(
        ArgumentError,
        r"networks\[1\]: augmentation cannot be used with LBFGS",
        nets,
        augmentation=noise,
    )


def test_refusals_leave_trained_networks_alone():
    net = network(Dense(4))
    net.fit(X, Y, verbose=0)
    before = contents(net)
    with pytest.raises(ArgumentError, match="epochs"):
        fastnn.fit_population([net], X, Y, epochs=0)
    assert contents(net) == before
