"""Estimators around networks, and layers within `hidden_layer_sizes`."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification
from sklearn.model_selection import cross_val_score

import fastnn
from fastnn import Dense, Dropout, MLPClassifier, MLPRegressor, Network

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS, DIGIT = DIGITS[:400] / 16, DIGIT[:400]
NAMES = np.array([f"digit {i}" for i in range(10)])
PATIENTS, PROGRESS = load_diabetes(return_X_y=True)
DOCUMENTS, LABELS = make_multilabel_classification(200, random_state=0)


def trained(X, y, outputs, loss, *hidden, **options):
    hidden = hidden or (Dense(20, "gelu", name="features"), fastnn.LayerNorm(), Dropout(0.1))
    net = Network([*hidden, Dense(outputs)], loss=loss, seed=1, **options)
    net.fit(X, y, epochs=5, verbose=0)
    return net


def digits_network(**options):
    return trained(DIGITS, DIGIT, 10, "softmax_cross_entropy", **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_classifier_predicts_as_its_network(dtype):
    net = digits_network(dtype=dtype)
    wrapped = MLPClassifier.from_network(net, NAMES)
    np.testing.assert_array_equal(wrapped.predict_proba(DIGITS), net.predict(DIGITS))
    np.testing.assert_array_equal(wrapped.predict(DIGITS), NAMES[net.predict(DIGITS).argmax(1)])
    assert wrapped.loss_curve_ == net.history["loss"]
    assert (wrapped.n_iter_, wrapped.n_features_in_, wrapped.out_activation_) == (5, 64, "softmax")
    restored = pickle.loads(pickle.dumps(wrapped))
    np.testing.assert_array_equal(restored.predict(DIGITS), wrapped.predict(DIGITS))
    before = wrapped.predict_proba(DIGITS)
    net.parameters[:] = 0  # it has a copy
    np.testing.assert_array_equal(wrapped.predict_proba(DIGITS), before)


def test_two_classes_of_one_output_and_of_two():
    large = DIGIT > 4
    for outputs, loss in ((1, "sigmoid_cross_entropy"), (2, "softmax_cross_entropy")):
        net = trained(DIGITS, large, outputs, loss)
        wrapped = MLPClassifier.from_network(net, classes=["large", "small"])
        probability = wrapped.predict_proba(DIGITS)[:, 1]
        np.testing.assert_array_equal(probability, net.predict(DIGITS)[:, -1])
        np.testing.assert_array_equal(wrapped.predict(DIGITS) == "small", probability > 0.5)
        refitted = clone(wrapped).set_params(max_iter=2).fit(DIGITS, large)
        assert refitted.predict_proba(DIGITS).shape == (400, 2)


def test_labels():
    net = trained(DOCUMENTS, LABELS, 5, "sigmoid_cross_entropy")
    wrapped = MLPClassifier.from_network(net)
    np.testing.assert_array_equal(wrapped.predict_proba(DOCUMENTS), net.predict(DOCUMENTS))
    np.testing.assert_array_equal(wrapped.predict(DOCUMENTS), net.predict(DOCUMENTS) > 0.5)
    assert wrapped.partial_fit(DOCUMENTS, LABELS).predict(DOCUMENTS).shape == LABELS.shape


def test_a_regressor_predicts_as_its_network():
    net = trained(PATIENTS, PROGRESS, 1, fastnn.Huber(2.0))
    wrapped = MLPRegressor.from_network(net)
    np.testing.assert_array_equal(wrapped.predict(PATIENTS), net.predict(PATIENTS)[:, 0])
    assert wrapped.partial_fit(PATIENTS, PROGRESS).loss == fastnn.Huber(2.0)


def test_partial_fit_goes_on_where_the_network_stopped():
    net = digits_network(optimizer=fastnn.Adam(0.01))
    wrapped = MLPClassifier.from_network(net).set_params(shuffle=False, batch_size=32)
    wrapped.partial_fit(DIGITS, DIGIT)
    net.fit(DIGITS, DIGIT, epochs=1, shuffle=False, verbose=0)
    np.testing.assert_array_equal(wrapped.network_.parameters, net.parameters)


def test_fit_begins_anew_with_the_same_layers():
    net = digits_network()
    wrapped = MLPClassifier.from_network(net).set_params(max_iter=3, random_state=0)
    score = wrapped.score(DIGITS, DIGIT)
    copied = clone(wrapped).fit(DIGITS, DIGIT)
    wrapped.fit(DIGITS, DIGIT)
    assert [type(layer) for layer in copied.network_.layers] == [type(a) for a in net.layers]
    np.testing.assert_array_equal(copied.coefs_[0], wrapped.coefs_[0])
    warm = MLPClassifier.from_network(net).set_params(max_iter=1, warm_start=True)
    assert warm.fit(DIGITS, DIGIT).score(DIGITS, DIGIT) > score - 0.05
    assert cross_val_score(wrapped, DIGITS, DIGIT, cv=2).shape == (2,)


def test_given_layers_initialise_themselves_from_the_random_state():
    layers = [Dense(8, "relu", initializer="orthogonal", name="given"), 6]
    a, b, c = (
        MLPClassifier(layers, max_iter=1, learning_rate_init=1e-30, random_state=seed)
        .fit(DIGITS, DIGIT)
        .coefs_
        for seed in (0, 0, 1)
    )
    np.testing.assert_allclose(a[0].T @ a[0], np.eye(8), atol=1e-6)
    np.testing.assert_array_equal(a[0], b[0])
    assert not np.array_equal(a[0], c[0])
    assert [w.shape for w in a] == [(64, 8), (8, 6), (6, 10)]


REFUSED = {
    "not built": (lambda: Network([Dense(3)], loss="huber"), None, "built or trained"),
    "numbers": (lambda: trained(PATIENTS, PROGRESS, 1, "huber"), None, "huber.*regression"),
    "no network": (lambda: "net", None, "must be a Network"),
    "too few": (digits_network, ["a", "b"], "10 labels in ascending order"),
    "not in order": (digits_network, NAMES[::-1], "ascending"),
    "not at the end": (
        lambda: Network([Dense(3), Dropout(0.5)], loss="softmax_cross_entropy").build(4),
        None,
        "end with a Dense",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_other_networks_are_refused(case):
    make, classes, message = REFUSED[case]
    with pytest.raises(fastnn.errors.ArgumentError, match=message):
        MLPClassifier.from_network(make(), classes)


def test_a_network_for_classes_is_no_regressor():
    with pytest.raises(ValueError, match="softmax_cross_entropy"):
        MLPRegressor.from_network(digits_network())
