"""Metrics by name, against scikit-learn, and functions of the user."""

import pickle
import warnings

import numpy as np
import pytest
import sklearn.metrics as oracle

import fastnn
from fastnn import SGD, ArgumentError, ArgumentTypeError, Dense, EarlyStopping, Network
from fastnn.metrics.scoring import METRICS
from fastnn.model.tally import block_batches

ROWS = 300
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 4))
WEIGHT = RNG.gamma(1.0, size=ROWS)
WEIGHT[:8] = 0
STILL = SGD(1e-12)
TARGETS = {
    "multiclass": np.argmax(X[:, :3] + RNG.normal(size=(ROWS, 3)), axis=1),
    "binary": (X[:, 0] + RNG.normal(size=ROWS) > 0.5).astype(int),
    "multilabel": (X[:, :3] + RNG.normal(size=(ROWS, 3)) > 0).astype(int),
    "regression": X[:, :2] + RNG.normal(size=(ROWS, 2)),
}
HEADS = {
    "multiclass": (3, "softmax_cross_entropy"),
    "binary": (1, "sigmoid_cross_entropy"),
    "multilabel": (3, "sigmoid_cross_entropy"),
    "regression": (2, "mean_squared_error"),
}


def network(kind, metrics, **options):
    outputs, loss = HEADS[kind]
    settings = {"metrics": metrics, "seed": 0, "dtype": "float64", "optimizer": STILL} | options
    return Network([Dense(8, "tanh"), Dense(outputs)], loss=loss, **settings)


def by_hand(name, kind, y, p, weight):
    """The score by the function of scikit-learn that a reader would choose."""
    w = {"sample_weight": weight}
    one = p[:, 0] if kind == "binary" else p
    guess = {"multiclass": p.argmax(axis=1), "regression": p}.get(kind, (one >= 0.5).astype(int))
    columns = range(3)
    if name == "roc_auc":
        return oracle.roc_auc_score(y, one, multi_class="ovr", **w)
    if name == "average_precision":
        if kind == "multiclass":
            y = np.eye(3)[y]
        return oracle.average_precision_score(y, one, **w)
    if name == "log_loss":
        if kind == "multilabel":
            return np.mean([oracle.log_loss(y[:, k], p[:, k], **w) for k in columns])
        return oracle.log_loss(y, one, **w)
    if name in ("balanced_accuracy", "matthews_corrcoef"):
        score = getattr(oracle, name.replace("accuracy", "accuracy_score"))
        if kind == "multilabel":
            return np.mean([score(y[:, k], guess[:, k], **w) for k in columns])
        return score(y, guess, **w)
    if name in ("precision", "recall", "f1"):
        return getattr(oracle, f"{name}_score")(y, guess, average="macro", zero_division=0, **w)
    function = {
        "accuracy": "accuracy_score", "r2": "r2_score",
        "explained_variance": "explained_variance_score", "mae": "mean_absolute_error",
        "mse": "mean_squared_error", "mape": "mean_absolute_percentage_error",
        "rmse": "root_mean_squared_error", "median_absolute_error": "median_absolute_error",
    }[name]  # fmt: skip
    return getattr(oracle, function)(y, guess, **w)


def cases():
    for name, metric in METRICS.items():
        for kind in TARGETS:
            task = "binary" if kind == "multilabel" else kind
            if task in metric.tasks and not metric.per_class:
                yield name, kind


@pytest.mark.parametrize("blocks", ["one", "many"])
@pytest.mark.parametrize("weight", [None, WEIGHT], ids=["plain", "weighted"])
@pytest.mark.parametrize(("name", "kind"), list(cases()))
def test_every_metric_is_that_of_scikit_learn(name, kind, weight, blocks, monkeypatch, backend):
    if blocks == "many":
        monkeypatch.setattr("fastnn.model.tally.BLOCK_ELEMENTS", 20)
    y = TARGETS[kind]
    net = network(kind, [name])
    history = net.fit(
        X, y, sample_weight=weight, batch_size=7, validation_data=(X, y, weight), verbose=0
    )
    right = by_hand(name, kind, y, net.predict(X), weight)
    assert net.evaluate(X, y, sample_weight=weight, batch_size=11)[name] == pytest.approx(right)
    assert history[name][0] == pytest.approx(right, rel=1e-6)
    assert history[f"val_{name}"][0] == pytest.approx(right, rel=1e-9)


def test_blocks_leave_decisions_exactly_as_they_are(monkeypatch):
    """Not only up to rounding: what is kept is every decision."""
    metrics = [name for name, kind in cases() if kind == "multiclass" and name != "log_loss"]
    y = TARGETS["multiclass"]
    whole = network("multiclass", metrics).build(4).evaluate(X, y, batch_size=10)
    monkeypatch.setattr("fastnn.model.tally.BLOCK_ELEMENTS", 20)
    pieces = network("multiclass", metrics).build(4)
    assert pieces.evaluate(X, y, batch_size=10) == whole


@pytest.mark.parametrize(
    ("metrics", "batches"),
    [(["accuracy", "f1_per_class"], 2), (["log_loss"], 2), (["accuracy", "roc_auc"], 40)],
)
def test_predictions_are_kept_only_where_a_metric_needs_them_all(metrics, batches):
    """5,000 classes in batches of 100: 500,000 numbers a batch."""
    found = network("multiclass", metrics).metrics
    assert block_batches(found, 40, 100, 5000) == batches


def test_accuracy_keeps_no_row_of_classes():
    """The largest array of a pass over many rows is that of one block."""
    net = Network([Dense(400)], loss="softmax_cross_entropy", metrics=["accuracy"], seed=0).build(4)
    rows = np.zeros((40_000, 4), np.float32)
    import tracemalloc

    tracemalloc.start()
    net.evaluate(rows, np.zeros(len(rows), int))
    net.fit(rows, np.zeros(len(rows), int), batch_size=1000, verbose=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(rows) * 400 * 4 / 3


def test_scores_do_not_depend_on_where_time_cuts_an_epoch(monkeypatch):
    """A progress bar ends ranges of batches after some time; blocks end where sizes say."""
    monkeypatch.setattr("fastnn.model.tally.BLOCK_ELEMENTS", 60)
    metrics = ["accuracy", "log_loss"]
    plain = network("multiclass", metrics, optimizer="adam")
    cut = network("multiclass", metrics, optimizer="adam")
    options = {"batch_size": 7, "epochs": 3, "verbose": 0}
    plain.fit(X, TARGETS["multiclass"], **options)
    monkeypatch.setattr("fastnn.training.trainer.PROGRESS_INTERVAL", 1e-9)
    watch = fastnn.LambdaCallback(on_progress=lambda net, logs: None)
    cut.fit(X, TARGETS["multiclass"], callbacks=[watch], **options)
    assert dict(plain.history) == dict(cut.history)


def test_scores_of_undefined_areas_are_those_of_the_classes_that_have_them():
    y = TARGETS["multiclass"].copy()
    y[y == 2] = 0
    net = network("multiclass", ["roc_auc", "average_precision"]).build(4)
    p = net.predict(X)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scores = net.evaluate(X, y)
        alone = net.evaluate(X[:5], np.zeros(5, int))
    pairs = [(y == k, p[:, k]) for k in (0, 1)]
    assert scores["roc_auc"] == pytest.approx(np.mean([oracle.roc_auc_score(*ab) for ab in pairs]))
    assert np.isnan(alone["roc_auc"])


# --- functions of the user ------------------------------------------------------------------------


def cost(targets, predictions):
    return float(np.mean(np.abs(targets - predictions)))


def weighted_error(targets, predictions, sample_weight=None):
    return np.average((targets - predictions) ** 2, weights=sample_weight)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_function_gets_targets_and_predictions_of_all_rows(kind):
    seen = []

    def look(targets, predictions, *, sample_weight):
        seen.append((targets.copy(), predictions.copy(), sample_weight))
        return len(seen)

    net = network(kind, {"look": look})
    y = TARGETS[kind]
    history = net.fit(X, y, sample_weight=WEIGHT, batch_size=7, shuffle=False, verbose=0)
    assert history["look"] == [1]
    assert net.evaluate(X, y)["look"] == 2
    for (targets, predictions, weight), expected in zip(seen, (WEIGHT, None), strict=True):
        p = net.predict(X)
        p = p[:, 0] if kind == "binary" else p
        np.testing.assert_array_equal(targets, y)
        counted = slice(8, None) if weight is not None else slice(None)
        np.testing.assert_allclose(predictions[counted], p[counted], rtol=1e-6)
        if expected is None:
            assert weight is None
        else:
            ratio = weight / expected.max()
            np.testing.assert_allclose(ratio / ratio.max(), expected / expected.max())


def test_targets_and_predictions_of_one_output_can_be_subtracted():
    net = Network([Dense(1)], loss="huber", metrics=[cost, weighted_error], seed=0).build(4)
    y = X[:, 0]
    scores = net.evaluate(X, y, sample_weight=WEIGHT)
    p = net.predict(X)[:, 0]
    assert scores["cost"] == pytest.approx(np.abs(y - p).mean(), rel=1e-6)
    assert scores["weighted_error"] == pytest.approx(
        np.average((y - p) ** 2, weights=WEIGHT), rel=1e-5
    )


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([lambda a, b: 0.0], "needs a name"),
        ({"not a name": cost}, "needs a name"),
        ({"mae": cost}, "cannot be called 'mae'"),
        ({"val_cost": cost}, "cannot be called 'val_cost'"),
        ({"loss": cost}, "cannot be called 'loss'"),
        ([cost, cost], "'cost' twice"),
        (["mae", "mae"], "'mae' twice"),
        ([abs], r"metric 'abs' must take \(targets, predictions\)"),
        ({"f": lambda targets: 0.0}, r"metric 'f' must take \(targets, predictions\)"),
        ("mae", "metrics must be a list of names and functions"),
        (cost, "metrics must be a list of names and functions"),
        ([3], "metric must be one of"),
        (["accuracy"], "does not fit a regression loss"),
    ],
)
def test_metrics_that_cannot_be(metrics, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        Network([Dense(1)], loss="huber", metrics=metrics)


def test_what_a_function_returns_or_raises_is_told_with_its_name():
    y = X[:, 0]
    net = Network([Dense(1)], loss="huber", metrics={"f": lambda t, p: p}, seed=0).build(4)
    with pytest.raises(ArgumentTypeError, match="metric 'f': it must return a number, got array"):
        net.evaluate(X, y)
    wrong = Network([Dense(1)], loss="huber", metrics={"f": lambda t, p: 1 / 0}, seed=0).build(4)
    with pytest.raises(ZeroDivisionError) as caught:
        wrong.evaluate(X, y)
    assert caught.value.__notes__ == ["raised by the metric 'f'"]


def test_metrics_of_the_user_travel_in_files_and_pickles(tmp_path):
    y = X[:, 0]
    net = Network([Dense(1)], loss="huber", metrics=[cost, "mae"], seed=0).build(4)
    net.save(tmp_path / "net")
    loaded = Network.load(tmp_path / "net", custom_objects={"cost": cost})
    for other in (loaded, pickle.loads(pickle.dumps(net)), net.clone().build(4)):
        assert other.evaluate(X, y) == net.evaluate(X, y)
    with pytest.raises(fastnn.ModelFileError, match="custom metric 'cost'; pass it to load as"):
        Network.load(tmp_path / "net")
    with pytest.raises(fastnn.ModelFileError, match="metric 'cost' must take"):
        Network.load(tmp_path / "net", custom_objects={"cost": abs})


# --- which way is better --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "falls"),
    [("log_loss", True), ("roc_auc", False), ("mse", True), ("balanced_accuracy", False),
     ("val_rmse", True), ("val_f1_per_class_2", False), ("explained_variance", False),
     ("median_absolute_error", True), ("mape", True), ("val_loss", True)],
)  # fmt: skip
def test_the_direction_of_every_metric_is_known(name, falls):
    monitor = fastnn.metrics.monitor.Monitor(name)
    assert monitor.improves({name: 1.0})
    assert monitor.improves({name: 0.5}) == falls


@pytest.mark.parametrize(
    ("name", "best"), [("my_error", 2), ("my_score", 3), ("gain_auc", 3), ("loss_of_money", 2)]
)
def test_the_name_of_a_function_tells_the_direction(name, best):
    values = iter([2.0, 1.0, 3.0])
    net = Network([Dense(1)], loss="huber", metrics={name: lambda t, p: next(values)}, seed=0)
    stopping = EarlyStopping(name, patience=9)
    net.fit(X, X[:, 0], epochs=3, callbacks=[stopping], verbose=0)
    assert stopping.best_epoch == best


def test_a_function_whose_name_does_not_tell_needs_a_mode():
    def trained(**options):
        net = Network([Dense(1)], loss="huber", metrics={"gain": cost}, seed=0)
        stopping = EarlyStopping("gain", **options)
        net.fit(X, X[:, 0], epochs=2, callbacks=[stopping], verbose=0)
        return net

    with pytest.raises(ArgumentError, match="mode must be 'min' or 'max' for the monitor 'gain'"):
        trained()
    assert trained(mode="min").built


@pytest.mark.parametrize(
    ("objective", "best"), [("val_log_loss", min), ("val_roc_auc", max), ("val_my_error", min)]
)
def test_searches_know_which_way_is_better(objective, best):
    from fastnn.search import search

    def build(parameters):
        metrics = {"log_loss": "log_loss", "roc_auc": "roc_auc", "my_error": weighted_error}
        return network("binary", metrics, optimizer=SGD(parameters["rate"]))

    found = search(
        build, {"rate": [1e-9, 1e-3, 1.0]}, X, TARGETS["binary"], objective=objective,
        trials=3, sampler="grid", epochs=2, seed=0, verbose=0,
    )  # fmt: skip
    assert found.best_value == best(trial.value for trial in found.study.trials)
