"""The stored form of fitted estimators: arrays and plain values, for pickle, joblib and skops."""

import copy
import dataclasses
import pickle

import joblib
import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 4))
CLASSES, NUMBERS = np.arange(60) % 3, X @ [1.0, 2.0, 3.0, 4.0]
HOLES = np.where(RANDOM.random(X.shape) < 0.1, np.nan, X)
TOWNS = np.c_[X[:, :2].astype(object), RANDOM.choice(["Ulm", "Bern", None], (60, 2))]

#: The estimator, its rows, and the types beside its own that a reader has to trust.
FITTED = {
    "classifier": (MLPClassifier(), X, set()),
    "float32": (MLPClassifier(), X.astype(np.float32), set()),
    "regressor": (MLPRegressor(), X, set()),
    "early stopping": (MLPClassifier(early_stopping=True), X, set()),
    "sgd": (MLPRegressor(solver="sgd", learning_rate="adaptive"), X, set()),
    "lbfgs": (MLPRegressor(solver="lbfgs"), X, set()),
    "dropout, batch norm": (MLPClassifier(dropout=0.2, batch_norm=True), X, set()),
    "scaled": (MLPRegressor(scale_target=True), X, set()),
    "quantiles": (MLPRegressor("quantile", quantile=[0.1, 0.5, 0.9]), X, set()),
    "imputer": (MLPClassifier(imputer="median"), HOLES, {"numpy.dtype"}),
    "indicator": (MLPClassifier(imputer=SimpleImputer(add_indicator=True)), HOLES, {"numpy.dtype"}),
    "categories": (MLPClassifier(categorical_features=[2, 3]), TOWNS, set()),
    "given solver": (MLPRegressor(solver=fastnn.Adam(0.01)), X, {"fastnn.optimizers.adam.Adam"}),
    "given layer": (
        MLPClassifier([8, fastnn.Activation("gelu")]),
        X,
        {"fastnn.layers.activation.Activation"},
    ),
}


def fitted(case):
    net, rows, _ = FITTED[case]
    y = NUMBERS if isinstance(net, MLPRegressor) else CLASSES
    return copy.deepcopy(net).set_params(max_iter=3, random_state=0).fit(rows, y), rows, y


def in_skops(net):
    skops = pytest.importorskip("skops.io")
    stored = skops.dumps(net)
    return skops.loads(stored, trusted=skops.get_untrusted_types(data=stored))


WAYS = {
    "pickle": lambda net: pickle.loads(pickle.dumps(net)),
    "copy": copy.deepcopy,
    "skops": in_skops,
}


@pytest.mark.parametrize("case", FITTED)
@pytest.mark.parametrize("way", WAYS)
def test_a_stored_estimator_predicts_and_goes_on_with_the_same_bits(case, way):
    net, rows, y = fitted(case)
    again = WAYS[way](net)
    np.testing.assert_array_equal(again.predict(rows), net.predict(rows))
    assert not np.shares_memory(again.network_.parameters, net.network_.parameters)
    assert again.network_.history == net.network_.history
    assert again.out_activation_ == net.out_activation_
    assert vars(again).keys() == vars(net).keys()
    if case == "lbfgs":
        return
    for each in (net, again):
        each.set_params(early_stopping=False, alpha=1.0).partial_fit(rows, y)
    np.testing.assert_array_equal(again.network_.parameters, net.network_.parameters)
    np.testing.assert_array_equal(
        again.network_._model.arena.slots, net.network_._model.arena.slots
    )


@pytest.mark.parametrize("case", FITTED)
def test_skops_has_to_trust_the_estimator_and_given_objects_alone(case):
    skops = pytest.importorskip("skops.io")
    net, _, _ = fitted(case)
    module = type(net).__module__
    expected = {f"{module}.{type(net).__name__}"} | FITTED[case][2]
    assert set(skops.get_untrusted_types(data=skops.dumps(net))) - {"numpy.dtype"} == (
        expected - {"numpy.dtype"}
    )
    assert not any("._" in name for name in expected)


def test_skops_stores_pipelines():
    skops = pytest.importorskip("skops.io")
    model = make_pipeline(StandardScaler(), MLPClassifier(max_iter=2, random_state=0))
    stored = skops.dumps(model.fit(X, CLASSES))
    assert skops.get_untrusted_types(data=stored) == ["fastnn.estimators.classifier.MLPClassifier"]
    again = skops.loads(stored, trusted=["fastnn.estimators.classifier.MLPClassifier"])
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_state_holds_arrays_and_plain_values():
    net, _, _ = fitted("dropout, batch norm")

    def check(value):
        if isinstance(value, dict):
            assert all(isinstance(key, str) for key in value)
            value = list(value.values())
        if isinstance(value, (list, tuple)):
            for item in value:
                check(item)
        else:
            assert isinstance(value, (np.ndarray, np.number, str, int, float, bool, type(None)))

    check(net.__getstate__())


def test_an_estimator_without_a_fit_is_stored_too():
    for way in WAYS.values():
        assert way(MLPClassifier(alpha=0.5)).get_params() == MLPClassifier(alpha=0.5).get_params()


def double(x):
    return 2.0 * x


def two(x, y):
    return 2.0


@dataclasses.dataclass(frozen=True)
class Half(fastnn.Layer):
    """A layer of the user's own, in Python."""

    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", halve, y, x)

        def pullback(dy, wanted):
            if wanted:
                builder.emit("backward", halve, dy, dy)
            return dy if wanted else None

        return y, pullback


def halve(y, x):
    np.multiply(x, 0.5, out=y)


def test_parts_of_the_users_own_come_back_as_they_are():
    activation = fastnn.activation(double, two, name="double")
    for net in (
        MLPClassifier(activation=activation, max_iter=2, random_state=0),
        MLPClassifier([4, Half()], max_iter=2, random_state=0),
    ):
        net.fit(X, CLASSES)
        again = pickle.loads(pickle.dumps(net))
        np.testing.assert_array_equal(again.predict_proba(X), net.predict_proba(X))
        net.partial_fit(X, CLASSES)
        again.partial_fit(X, CLASSES)
        np.testing.assert_array_equal(again.network_.parameters, net.network_.parameters)


def test_a_network_that_was_frozen_stays_frozen():
    net = MLPRegressor(max_iter=2, random_state=0).fit(X, NUMBERS)
    net.network_.freeze("dense_1")
    again = pickle.loads(pickle.dumps(net))
    first = again.coefs_[0].copy()
    again.partial_fit(X, NUMBERS)
    np.testing.assert_array_equal(again.coefs_[0], first)


def test_memory_maps_of_joblib_are_copied(tmp_path):
    net = MLPRegressor(hidden_layer_sizes=(300, 300), max_iter=1, random_state=0)
    joblib.dump(net.fit(X, NUMBERS), tmp_path / "net.joblib")
    again = joblib.load(tmp_path / "net.joblib", mmap_mode="r")
    assert again.network_.parameters.flags.writeable
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    again.coefs_[0] = np.zeros_like(again.coefs_[0])
    again.partial_fit(X, NUMBERS)


def test_buffers_out_of_band_are_not_shared():
    net = MLPRegressor(max_iter=1, random_state=0).fit(X, NUMBERS)
    buffers = []
    stored = pickle.dumps(net, protocol=5, buffer_callback=buffers.append)
    one, other = (pickle.loads(stored, buffers=buffers) for _ in range(2))
    one.partial_fit(X, NUMBERS)
    np.testing.assert_array_equal(other.predict(X), net.predict(X))


def test_older_pickles_load_or_say_what_they_are():
    net = MLPRegressor(max_iter=1, random_state=0).fit(X, NUMBERS)
    with_objects = vars(net) | {"_fastnn_version": "0.0.1", "out_activation_": "identity"}
    again = MLPRegressor.__new__(MLPRegressor)
    with pytest.warns(UserWarning, match=r"pickled by fastnn 0\.0\.1"):
        again.__setstate__(with_objects)
    np.testing.assert_array_equal(again.predict(X), net.predict(X))
    damaged = net.__getstate__() | {"network_": {"description": {}}}
    with pytest.raises(fastnn.ModelFileError, match="this MLPRegressor was pickled by fastnn"):
        again.__setstate__(damaged)
