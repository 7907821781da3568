"""`coefs_` and `intercepts_`: what is assigned reaches predictions, or is refused."""

import copy
import pickle

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.exceptions import NotFittedError

import fastnn
from fastnn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X = np.random.default_rng(0).normal(size=(50, 3))
Y = X @ [1.0, 2.0, 3.0]


def fitted(module=fastnn, dtype=np.float64):
    regressor = module.MLPRegressor(hidden_layer_sizes=(5,), max_iter=3, random_state=0)
    return regressor.fit(X.astype(dtype), Y)


def assign_an_entry(model, arrays):
    for i, array in enumerate(arrays):
        model.coefs_[i] = array


def assign_from_the_end(model, arrays):
    model.coefs_[-1], model.coefs_[-2] = arrays[-1], arrays[-2]


def assign_a_slice(model, arrays):
    model.coefs_[:] = arrays


def assign_all(model, arrays):
    model.coefs_ = arrays


def assign_lists(model, arrays):
    model.coefs_ = [array.tolist() for array in arrays]


def write_in_place(model, arrays):
    for own, array in zip(model.coefs_, arrays, strict=True):
        own[:] = array


def add_in_place(model, arrays):
    for i, array in enumerate(arrays):
        model.coefs_[i] += array - model.coefs_[i]


WAYS = [
    assign_an_entry,
    assign_from_the_end,
    assign_a_slice,
    assign_all,
    assign_lists,
    write_in_place,
    add_in_place,
]


@pytest.mark.parametrize("way", WAYS)
def test_assigned_weights_change_predictions_as_in_scikit_learn(way):
    theirs, ours = fitted(sklearn.neural_network), fitted()
    new = [np.random.default_rng(1).normal(size=w.shape) for w in theirs.coefs_]
    before = ours.predict(X)
    predict_one = ours.predictor()
    (assign_all if way is assign_lists else way)(theirs, [w.copy() for w in new])
    way(ours, new)
    assert not np.allclose(ours.predict(X), before)
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-12)
    np.testing.assert_allclose(predict_one(X[0]), theirs.predict(X[:1]), rtol=1e-12)


def test_assigned_biases_change_predictions():
    ours = fitted()
    before = ours.predict(X)
    ours.intercepts_[-1] = ours.intercepts_[-1] + 2.0
    np.testing.assert_allclose(ours.predict(X), before + 2.0, rtol=1e-12)
    ours.intercepts_ = [np.zeros(5), [1.0]]
    np.testing.assert_array_equal(ours.intercepts_[1], [1.0])


def test_averages_of_several_models_are_assigned():
    """Average the weights of estimators, as federated averaging does."""
    models = [fitted(), fitted().fit(X, -Y)]
    mean = [np.mean(pair, axis=0) for pair in zip(*(m.coefs_ for m in models), strict=True)]
    for model in models:
        model.coefs_ = mean
        model.intercepts_ = models[0].intercepts_
    np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))


def test_a_fit_goes_on_from_assigned_weights():
    ours, fresh = fitted(), fitted()
    ours.set_params(warm_start=True)
    ours.coefs_ = [np.zeros_like(w) for w in ours.coefs_]
    ours.intercepts_ = [np.zeros_like(b) for b in ours.intercepts_]
    ours.fit(X, Y)
    assert not np.allclose(ours.predict(X), fresh.predict(X))


REFUSED = {
    "another shape": (lambda net: net.coefs_.__setitem__(0, np.ones((5, 3))), r"coefs_\[0\] has"),
    "no number": (lambda net: net.coefs_.__setitem__(1, [["a"]] * 5), r"coefs_\[1\] must hold num"),
    "not finite": (
        lambda net: net.coefs_.__setitem__(1, [[np.nan]] * 5),
        r"coefs_\[1\]\[0, 0\] is",
    ),
    "too large": (lambda net: net.coefs_.__setitem__(1, [[1e300]] * 5), r"coefs_\[1\] in float32"),
    "too few": (lambda net: setattr(net, "coefs_", [np.ones((3, 5))]), "coefs_ has 2 arrays"),
    "second of all": (
        lambda net: setattr(net, "coefs_", [np.ones((3, 5)), np.ones(5)]),
        r"coefs_\[1\] has shape",
    ),
    "one more": (lambda net: net.intercepts_.append(np.ones(1)), "one array for each layer"),
    "one less": (lambda net: net.coefs_.pop(), "one array for each layer"),
    "deleted": (lambda net: net.coefs_.__delitem__(0), "one array for each layer"),
    "added": (lambda net: net.coefs_.__iadd__([np.ones(1)]), "one array for each layer"),
    "reversed": (lambda net: net.coefs_.reverse(), "one array for each layer"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_does_not_fit_is_refused_and_changes_nothing(case):
    change, message = REFUSED[case]
    ours = fitted(dtype=np.float32)
    before = ours.network_.parameters.copy()
    with pytest.raises(fastnn.FastnnError, match=message):
        change(ours)
    np.testing.assert_array_equal(ours.network_.parameters, before)


def test_weights_cannot_be_set_before_the_fit():
    with pytest.raises(NotFittedError):
        MLPRegressor().coefs_ = [np.ones((3, 1))]
    assert not hasattr(MLPRegressor(), "coefs_")


def test_an_activation_of_outputs_cannot_be_set():
    classifier = MLPClassifier(max_iter=2, random_state=0).fit(X, Y > 0)
    with pytest.raises(AttributeError):
        classifier.out_activation_ = "identity"
    assert classifier.out_activation_ == "logistic"


def test_copies_and_sums_are_plain_lists():
    coefs = fitted().coefs_
    assert isinstance(coefs, list)
    for other in ([*coefs], coefs[:], coefs.copy(), copy.copy(coefs), copy.deepcopy(coefs)):
        assert type(other) is list
    assert type(pickle.loads(pickle.dumps(coefs))) is list
