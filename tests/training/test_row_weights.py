"""Weights of rows: every figure is Σ w l / Σ w, in training and in validation."""

import numpy as np
import pytest

import fastnn
from fastnn import SGD, BatchNorm, Dense, Network
from fastnn.data.data_set import split_rows

ROWS = 90
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 4))
Y = X @ [1.0, 2.0, 3.0, -1.0] + 5
LABELS = (X[:, 0] + 0.3 * RNG.normal(size=ROWS) > 0.8).astype(int)
WEIGHT = RNG.gamma(0.5, size=ROWS)
WEIGHT[10:25] = 0  # with batches of 5, some weigh nothing
STILL = SGD(1e-12)  # the weights of the last batch are those of the first


def regression(**options):
    settings = {"loss": "mean_squared_error", "optimizer": STILL, "dtype": "float64", "seed": 0}
    return Network([Dense(1)], **settings | options)


def classifier(**options):
    settings = {"optimizer": STILL, "dtype": "float64", "seed": 0, "metrics": ["accuracy"]}
    return Network([Dense(2)], loss="softmax_cross_entropy", **settings | options)


def squares(net, weight):
    return np.average((net.predict(X)[:, 0] - Y) ** 2, weights=weight)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [5, 7, 200])
def test_the_loss_of_an_epoch_is_the_weighted_mean_of_its_rows(backend, batch_size, shuffle):
    net = regression()
    options = {"batch_size": batch_size, "shuffle": shuffle, "verbose": 0}
    history = net.fit(X, Y, sample_weight=WEIGHT, validation_data=(X, Y, WEIGHT), **options)
    right = squares(net, WEIGHT)
    assert history["loss"][0] == pytest.approx(right, rel=1e-7)
    assert history["val_loss"][0] == pytest.approx(right, rel=1e-12)
    evaluated = net.evaluate(X, Y, sample_weight=WEIGHT, batch_size=batch_size)
    assert evaluated["loss"] == pytest.approx(right, rel=1e-12)


def test_losses_of_batches_count_by_their_weight():
    seen = []
    watch = fastnn.LambdaCallback(
        on_batch_end=lambda net, batch, logs: seen.append((logs["loss"], logs["weight"]))
    )
    history = regression().fit(
        X, Y, sample_weight=WEIGHT, batch_size=5, callbacks=[watch], verbose=0
    )
    losses, weights = np.transpose(seen)
    assert np.average(losses, weights=weights) == pytest.approx(history["loss"][0], rel=1e-12)
    assert (losses[weights == 0] == 0).all()


def test_progress_tells_the_weighted_mean_so_far(monkeypatch):
    monkeypatch.setattr(fastnn.training.trainer, "PROGRESS_INTERVAL", 0.0)
    told = {}
    watch = fastnn.LambdaCallback(
        on_progress=lambda net, logs: told.setdefault(logs["rows"], logs["loss"])
    )
    options = {"batch_size": 5, "shuffle": False, "verbose": 0}
    net = regression()
    weight = np.where(np.arange(ROWS) < 20, 0, WEIGHT)
    net.fit(X, Y, sample_weight=weight, callbacks=[watch], **options)
    errors = (net.predict(X)[:, 0] - Y) ** 2
    for rows, loss in told.items():
        if weight[:rows].any():
            right = np.average(errors[:rows], weights=weight[:rows])
            assert loss == pytest.approx(right, rel=1e-7)
        else:
            assert np.isnan(loss)


@pytest.mark.parametrize("scale", [2.0**-200, 2.0**60])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_power_of_two_on_all_weights_changes_no_bit(backend, dtype, scale):
    def trained(weight):
        net = regression(optimizer="adam", dtype=dtype, l2=0.1)
        history = net.fit(
            X, Y, sample_weight=weight, batch_size=8, epochs=3, validation_fraction=0.2, verbose=0
        )
        return dict(history), net.evaluate(X, Y, sample_weight=weight), net.parameters.tobytes()

    assert trained(WEIGHT * scale) == trained(WEIGHT)


@pytest.mark.parametrize("scale", [1e-60, 0.3, 1e50])
def test_a_factor_on_all_weights_changes_nothing_but_rounding(scale):
    nets = [regression(optimizer="adam", dtype="float32", l2=0.1) for _ in range(2)]
    for net, factor in zip(nets, (1, scale), strict=True):
        net.fit(X, Y, sample_weight=WEIGHT * factor, batch_size=8, epochs=3, verbose=0)
    np.testing.assert_allclose(nets[1].parameters, nets[0].parameters, rtol=1e-4, atol=1e-6)
    gradients = [
        fastnn.gradient_check(nets[0], X, Y, sample_weight=WEIGHT * factor, n=3, verbose=0)
        for factor in (1, scale)
    ]
    assert gradients[1].loss == pytest.approx(gradients[0].loss, rel=1e-9)


def test_weights_are_not_scaled_where_penalties_are_measured_against_their_sum():
    """ℓ = (Σ w l + penalty) / Σ w, as in scikit-learn."""
    options = {"batch_size": None, "verbose": 0}
    for factor in (1.0, 4.0):
        net = regression(l2=0.5, penalty_scale="sum")
        history = net.fit(X, Y, sample_weight=WEIGHT * factor, **options)
        penalty = 0.25 * np.square(net.get_weights()[0]).sum() / (WEIGHT.sum() * factor)
        assert history["loss"][0] == pytest.approx(squares(net, WEIGHT) + penalty, rel=1e-9)


def test_validation_has_no_penalty_and_the_training_loss_has():
    net = regression(l1=0.3, l2=0.5)
    history = net.fit(X, Y, validation_data=(X, Y), verbose=0)
    w = net.get_weights()[0]
    penalty = 0.3 * np.abs(w).sum() + 0.25 * np.square(w).sum()
    assert history["val_loss"][0] == pytest.approx(squares(net, None), rel=1e-12)
    assert history["loss"][0] == pytest.approx(squares(net, None) + penalty, rel=1e-9)
    assert net.evaluate(X, Y)["loss"] == history["val_loss"][0]


def test_the_smaller_penalty_does_not_win_by_being_small():
    """Results are compared by the error on other rows, not by the objective."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(60, 30))
    target = rows[:, 0] + 2 * rng.normal(size=60)
    nets = [
        Network([Dense(1)], loss="mean_squared_error", optimizer="lbfgs", l2=l2, seed=0)
        for l2 in (1e-6, 1.0)
    ]
    losses = []
    for net in nets:
        options = {"validation_data": (rows[30:], target[30:]), "epochs": 50, "verbose": 0}
        losses.append(net.fit(rows[:30], target[:30], **options)["val_loss"][-1])
    assert losses[1] < losses[0] / 2


@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 50.0}, {1: 3.0}, "balanced"])
def test_class_weights_count_in_validation_however_its_rows_are_given(class_weight):
    rows, held_out = split_rows(ROWS, 0.3, 0)
    factors = np.array([1.0, 1.0])
    if class_weight == "balanced":
        factors = len(rows) / (2 * np.bincount(LABELS[rows]))
    else:
        for label, value in class_weight.items():
            factors[label] = value
    weight = WEIGHT * factors[LABELS]
    fraction, given, fold = classifier(), classifier(), classifier()
    histories = [
        fraction.fit(
            X, LABELS, sample_weight=WEIGHT, class_weight=class_weight, validation_fraction=0.3,
            verbose=0,
        ),
        given.fit(
            X[rows], LABELS[rows], sample_weight=WEIGHT[rows], class_weight=class_weight,
            validation_data=(X[held_out], LABELS[held_out], WEIGHT[held_out]), verbose=0,
        ),
        *fastnn.fit_population(
            [fold], X, LABELS, sample_weight=WEIGHT, class_weight=class_weight,
            folds=[(rows, held_out)],
        ).histories,
    ]  # fmt: skip
    right = given.evaluate(X[held_out], LABELS[held_out], sample_weight=weight[held_out])
    for history in histories:
        assert history["val_loss"][0] == pytest.approx(right["loss"], rel=1e-9)
        assert history["val_accuracy"][0] == pytest.approx(right["accuracy"], rel=1e-12)
    seen = given.evaluate(X[rows], LABELS[rows], sample_weight=weight[rows])
    assert histories[1]["loss"][0] == pytest.approx(seen["loss"], rel=1e-7)


def test_class_weights_of_shared_validation_data_are_those_of_each_network():
    few = np.r_[np.flatnonzero(LABELS == 1)[:3], np.flatnonzero(LABELS == 0)[:30]]
    rest = np.setdiff1d(np.arange(ROWS), few)
    validation = (X[:40], LABELS[:40])
    nets = [classifier(), classifier()]
    population = fastnn.fit_population(
        nets, X, LABELS, folds=[(few, None), (rest, None)], class_weight="balanced",
        validation_data=validation,
    )  # fmt: skip
    for rows, history in zip((few, rest), population.histories, strict=True):
        twin = classifier().fit(
            X[rows], LABELS[rows], class_weight="balanced", validation_data=validation, verbose=0
        )
        assert dict(history) == dict(twin)


def test_a_dict_of_class_weights_may_name_a_class_that_these_rows_lack():
    net = classifier()
    scores = net.train_on_batch(X[:8], np.zeros(8, int), class_weight={0: 2.0, 1: 5.0})
    assert scores["accuracy"] == pytest.approx(net.evaluate(X[:8], np.zeros(8, int))["accuracy"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sample_weight": np.zeros(ROWS)}, "sample_weight is 0 for every row"),
        ({"class_weight": {0: 0.0, 1: 0.0}}, "is 0 for every row to train on"),
        ({"class_weight": {1: 0.0}, "sample_weight": LABELS}, "is 0 for every row to train on"),
        ({"validation_data": (X[:9], LABELS[:9], np.zeros(9))}, "^validation_data: sample_weight"),
        (
            {"validation_data": (X[LABELS == 0], LABELS[LABELS == 0]), "class_weight": {0: 0.0}},
            "is 0 for every row to validate on",
        ),
        (
            {"sample_weight": np.isin(np.arange(ROWS), split_rows(ROWS, 0.3, 0)[0]),
             "validation_fraction": 0.3},
            "is 0 for every row to validate on",
        ),
        (
            {"sample_weight": np.isin(np.arange(ROWS), split_rows(ROWS, 0.3, 0)[1]),
             "validation_fraction": 0.3},
            "is 0 for every row to train on",
        ),
    ],
)  # fmt: skip
def test_rows_that_weigh_nothing_at_all_are_refused(arguments, message):
    net = classifier()
    with pytest.raises(fastnn.ArgumentError, match=message):
        net.fit(X, LABELS, verbose=0, **arguments)
    assert not net.built


def test_a_batch_that_weighs_nothing_takes_no_update(backend):
    net = Network([Dense(4), BatchNorm(), Dense(1)], loss="huber", seed=0)
    net.fit(X, Y, sample_weight=WEIGHT, batch_size=5, shuffle=False, verbose=0)
    assert net.state.step == ROWS // 5 - 3


def test_the_estimators_loss_counts_batches_by_rows_as_scikit_learn_does():
    from sklearn.neural_network import MLPRegressor

    options = {
        "hidden_layer_sizes": (3,), "solver": "sgd", "learning_rate_init": 1e-9, "max_iter": 1,
        "random_state": 0, "batch_size": 20, "shuffle": False, "alpha": 0.1,
    }  # fmt: skip
    with pytest.warns(UserWarning, match="converge"):
        ours = fastnn.MLPRegressor(**options).fit(X, Y, WEIGHT)
    with pytest.warns(UserWarning, match="converge"):
        theirs = MLPRegressor(**options).fit(X, Y, WEIGHT)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=1e-6)
