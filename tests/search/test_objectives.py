"""Objectives of trials: scorers, folds, several at once; compared with values by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, make_scorer, mean_squared_error, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from small_searches import SPACE, X, Y, build, data, run

from fastnn import Adam, ArgumentError, Dense, MLPClassifier, MLPRegressor, Network
from fastnn.data.data_set import split_rows
from fastnn.errors import ArgumentTypeError
from fastnn.search import log_uniform, search

TRAIN, HELD_OUT = split_rows(len(X), 0.2, 0)


def test_the_default_is_the_loss_of_rows_that_the_seed_holds_out():
    result = run()
    assert [o.name for o in result.objectives] == ["val_loss"]
    assert result.study.direction.name == "MINIMIZE"
    scores = result.best_network.evaluate(X[HELD_OUT], Y[HELD_OUT])
    assert result.best_value == pytest.approx(scores["loss"], rel=1e-6)
    assert result.best_value == result.trials["val_loss"].min()
    assert run(seed=0).best_value == result.best_value
    assert run(validation_fraction=0.5).best_value != result.best_value


@pytest.mark.parametrize(
    ("objective", "judge"),
    [
        ("accuracy", lambda p: accuracy_score(Y[HELD_OUT], p.argmax(1))),
        ("neg_log_loss", lambda p: -log_loss(Y[HELD_OUT], p)),
        ("roc_auc_ovr", lambda p: roc_auc_score(Y[HELD_OUT], p, multi_class="ovr")),
        (make_scorer(accuracy_score), lambda p: accuracy_score(Y[HELD_OUT], p.argmax(1))),
        (lambda e, X, y: e.score(X, y), lambda p: accuracy_score(Y[HELD_OUT], p.argmax(1))),
        ("val_accuracy", lambda p: accuracy_score(Y[HELD_OUT], p.argmax(1))),
    ],
)
def test_scores_are_those_of_scikit_learn(objective, judge):
    result = run(objective=objective, epochs=6)
    assert result.study.direction.name == "MAXIMIZE"
    predictions = result.best_network.predict(X[HELD_OUT])
    assert result.best_value == pytest.approx(judge(predictions), rel=1e-5)
    [name] = [o.name for o in result.objectives]
    assert result.best_value == result.trials[name].max()


@pytest.mark.parametrize(
    ("loss", "outputs", "target", "scorer"),
    [
        ("sigmoid_cross_entropy", 1, (Y > 0).astype(int), "roc_auc"),
        ("sigmoid_cross_entropy", 1, (Y > 0).astype(int), "f1"),
        ("sigmoid_cross_entropy", 2, np.eye(3, dtype=int)[Y][:, :2], "f1_macro"),
        ("mean_squared_error", 1, X.sum(axis=1), "r2"),
        ("mean_squared_error", 2, X[:, :2] ** 2, "neg_mean_squared_error"),
    ],
)
def test_scorers_know_what_kind_of_network_it_is(loss, outputs, target, scorer):
    def build(params):
        return Network([Dense(4, "tanh"), Dense(outputs)], loss=loss, optimizer="adam")

    result = search(
        build,
        {"unused": [1, 2]},
        X,
        target,
        sampler="grid",
        objective=scorer,
        epochs=20,
        batch_size=8,
        seed=0,
        verbose=0,
    )
    predicted = result.best_network.predict(X[HELD_OUT])
    true = target[HELD_OUT]
    if scorer == "roc_auc":
        expected = roc_auc_score(true, predicted[:, 0])
    elif scorer == "neg_mean_squared_error":
        expected = -mean_squared_error(true, predicted)
    else:
        from sklearn.metrics import f1_score, r2_score

        decided = (predicted >= 0.5).astype(int)
        expected = {
            "f1": lambda: f1_score(true, decided[:, 0]),
            "f1_macro": lambda: f1_score(true, decided, average="macro"),
            "r2": lambda: r2_score(true, predicted[:, 0]),
        }[scorer]()
    assert result.best_value == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("cv", [3, KFold(4, shuffle=True, random_state=1)])
def test_the_value_of_folds_is_their_mean(cv):
    result = run(cv=cv, trials=2, objective="accuracy", epochs=4)
    splitter = StratifiedKFold(3) if cv == 3 else cv
    networks = result.best.models
    scores = []
    for (train, held_out), network in zip(splitter.split(X, Y), networks, strict=True):
        alone = build(result.best_params)
        alone = Network(
            alone.layers,
            loss=alone.loss,
            optimizer=alone.optimizer,
            metrics=["accuracy"],
            seed=network.seed,
        )
        alone.fit(X[train], Y[train], epochs=4, verbose=0)
        assert np.array_equal(alone.parameters, network.parameters)
        scores.append(accuracy_score(Y[held_out], alone.predict(X[held_out]).argmax(1)))
    assert result.best_value == pytest.approx(np.mean(scores), rel=1e-12)


def test_estimators_are_cross_validated_as_scikit_learn_does():
    def build(params):
        return make_pipeline(StandardScaler(), LogisticRegression(C=params["C"]))

    result = run({"C": [0.01, 1.0]}, build, sampler="grid", trials=None, cv=3)
    for _, trial in result.trials.iterrows():
        expected = cross_val_score(build({"C": trial["params_C"]}), X, Y, cv=3).mean()
        assert trial["score"] == pytest.approx(expected, rel=1e-12)
    assert result.study.direction.name == "MAXIMIZE"


def test_our_own_estimators_and_their_open_random_states():
    def build(params):
        return MLPClassifier(params["units"], tol=0.1)

    space = {"units": [2, 4]}
    results = [run(space, build, sampler="grid", trials=None, refit=True) for _ in range(2)]
    assert np.array_equal(results[0].best_network.coefs_[0], results[1].best_network.coefs_[0])
    states = {run(space, build, trials=2).best_network.random_state for _ in range(2)}
    assert len(states) == 1
    assert results[0].best_network.n_features_in_ == 4


def test_estimators_take_no_part_in_rungs():
    def build(params):
        return LogisticRegression(C=params["C"])

    result = run({"C": log_uniform(0.01, 1)}, build, pruner="halving", epochs=3)
    assert set(result.trials["state"]) == {"complete"}


def test_validation_data_of_their_own():
    X_val, y_val = data(40, seed=5)
    result = run(validation_data=(X_val, y_val), objective=["val_loss", "accuracy"])
    best = result.pareto_front[0]
    [network] = best.models
    assert best.values["val_loss"] == pytest.approx(network.evaluate(X_val, y_val)["loss"])
    assert best.values["accuracy"] == accuracy_score(y_val, network.predict(X_val).argmax(1))


def test_the_pareto_front_against_brute_force():
    result = run(
        {"units": list(range(2, 12)), "rate": log_uniform(1e-3, 1)},
        trials=24,
        objective=["val_loss", "parameters"],
    )
    points = result.trials[["val_loss", "parameters"]].to_numpy()
    front = [
        number
        for number, point in enumerate(points)
        if not any((other <= point).all() and (other < point).any() for other in points)
    ]
    assert [candidate.number for candidate in result.pareto_front] == front
    assert len(front) > 1
    for candidate in result.pareto_front:
        [network] = candidate.models
        assert network.n_parameters == candidate.values["parameters"]
        units = candidate.params["units"]
        assert network.n_parameters == 4 * units + units + 3 * units + 3
    with pytest.raises(ArgumentError, match="several objectives has no best trial"):
        _ = result.best_params


def test_refit_needs_a_single_objective_and_says_so_before_the_first_trial():
    begun = []
    with pytest.raises(ArgumentError, match=r"refit=True .* needs a single objective"):
        run(
            objective=["val_loss", "parameters"],
            refit=True,
            callbacks=[lambda study, trial: begun.append(trial)],
        )
    assert begun == []


def test_latency_is_measured_in_seconds():
    result = run(objective="latency", trials=1)
    assert 0 < result.best_value < 0.1


def test_directions_may_be_given():
    result = run(objective=["val_loss", "parameters"], direction=["minimize", "maximize"])
    assert [d.name for d in result.study.directions] == ["MINIMIZE", "MAXIMIZE"]
    largest = result.trials["parameters"].max()
    assert max(c.values["parameters"] for c in result.pareto_front) == largest


def test_batch_size_may_be_searched():
    result = run(
        {"rows": [8, 72]},
        lambda params: build({}),
        sampler="grid",
        trials=None,
        batch_size=lambda params: params["rows"],
        epochs=3,
    )
    steps = {8: 3 * 9, 72: 3}
    assert result.best_network.state.step == steps[result.best_params["rows"]]
    assert len(set(result.trials["val_loss"])) == 2


def test_arguments_of_the_fit_are_passed_on():
    plain, weighted = run(), run(fit_params={"class_weight": {0: 5.0}})
    assert plain.best_value != weighted.best_value


def test_refitting_trains_on_all_rows_from_the_same_weights():
    result = run(refit=True, epochs=3)
    network = build(result.best_params)
    seed = result.best.models[0].seed
    again = Network(network.layers, loss=network.loss, optimizer=network.optimizer, seed=seed)
    again.fit(X, Y, epochs=3, verbose=0)
    assert np.array_equal(again.parameters, result.best_network.parameters)
    assert run(cv=3, refit=True, trials=2).best_network.state.epoch == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"objective": "val_lose"}, ArgumentError, "objective 'val_lose' is not reported"),
        ({"objective": "val_f1"}, ArgumentError, r"build returns have metrics=\['accuracy'\]"),
        ({"objective": "acuracy"}, ArgumentError, "unknown objective 'acuracy': did you mean 'acc"),
        ({"objective": 3}, ArgumentTypeError, "objective must be a name"),
        ({"objective": []}, ArgumentError, "objective is an empty list"),
        ({"objective": ["accuracy", "accuracy"]}, ArgumentError, "one thing twice"),
        ({"direction": "up"}, ArgumentError, "unknown direction 'up'"),
        ({"direction": ["minimize"] * 2}, ArgumentError, "direction has 2 entries for 1 objectiv"),
        ({"cv": 3, "validation_fraction": 0.1}, ArgumentError, "give cv or validation_fraction"),
        ({"cv": 100}, ArgumentError, "cv=100 cannot split these rows"),
        ({"cv": 0.5}, ArgumentError, "cv=0.5 cannot split these rows"),
        ({"validation_fraction": 1.0}, ArgumentError, "validation_fraction must be a number"),
        ({"validation_data": X}, ArgumentTypeError, r"validation_data must be \(X, y\)"),
        ({"fit_params": {"sample_wait": 1}}, ArgumentError, "did you mean 'sample_weight'"),
    ],
)
def test_objectives_and_splits_that_cannot_be_used_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        run(**options)


def test_reported_values_need_networks():
    with pytest.raises(ArgumentError, match="build returned a MLPRegressor; choose a scorer"):
        run(SPACE, lambda params: MLPRegressor(), objective="val_loss")


def test_sample_weights_of_estimators_go_with_their_rows():
    weight = np.linspace(0.1, 2, len(X))

    def build(params):
        return LogisticRegression(C=params["C"])

    result = run({"C": [0.5]}, build, trials=1, cv=3, fit_params={"sample_weight": weight})
    scores = []
    for train, held_out in StratifiedKFold(3).split(X, Y):
        alone = build({"C": 0.5}).fit(X[train], Y[train], sample_weight=weight[train])
        scores.append(alone.score(X[held_out], Y[held_out]))
    assert result.best_value == pytest.approx(np.mean(scores), rel=1e-12)


def test_a_search_over_a_penalty_finds_one_that_holds_off_overfitting():
    """The penalty is no part of `val_loss`; with it, the smallest one would be the best."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 40)).astype(np.float32)
    y = (X[:, :3].sum(axis=1) + 1.5 * rng.normal(size=120) > 0).astype(np.int64)

    def build(params):
        layers = [Dense(2, l2=params["l2"])]
        return Network(layers, loss="softmax_cross_entropy", optimizer=Adam(0.02))

    penalties = [0.0, 1e-6, 1e-4, 1e-2, 1e-1]
    for sampler, cv in (("grid", None), ("grid", 3)):
        result = search(
            build,
            {"l2": penalties},
            X,
            y,
            sampler=sampler,
            trials=len(penalties),
            epochs=60,
            cv=cv,
            pruner="none",
            seed=0,
            verbose=0,
        )
        assert result.best.params["l2"] >= 1e-2
        losses = result.trials.set_index("params_l2")["val_loss"]
        assert losses.idxmin() == result.best.params["l2"]
        assert losses[0.0] > 1.1 * losses.min()
