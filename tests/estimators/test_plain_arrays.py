"""Arrays that scikit-learn's validation would return as they are, which does not see them."""

import warnings

import numpy as np
import pytest
from sklearn.utils.multiclass import type_of_target, unique_labels

from fastnn import MLPClassifier, MLPRegressor
from fastnn.estimators import inputs, targets

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer")


@pytest.mark.parametrize("seed", range(60))
def test_classes_and_their_type_are_those_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    size, dtype = rng.integers(1, 60), rng.choice(["i1", "u2", "i4", "i8", "f4", "f8", "?"])
    y = rng.integers(0, rng.integers(1, 9), size).astype(dtype)
    with warnings.catch_warnings(record=True) as expected:
        warnings.simplefilter("always")
        classes, kind = unique_labels(y), type_of_target(y)
    with warnings.catch_warnings(record=True) as got:
        warnings.simplefilter("always")
        found, found_kind = targets.classes_and_type(y)
    assert (found.tolist(), found.dtype, found_kind) == (classes.tolist(), classes.dtype, kind)
    assert {str(w.message) for w in got} == {str(w.message) for w in expected}


ROWS = np.linspace(-1, 1, 40).reshape(20, 2)
LABELS = np.arange(20) % 3
INPUTS = {
    "float64": ROWS,
    "float32": ROWS.astype("f4"),
    "columns": np.asfortranarray(ROWS),
    "strided": np.repeat(ROWS, 2, axis=1)[:, ::2],
}


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_plain_arrays_train_as_if_validated(kind, estimator, monkeypatch):
    X, fits = INPUTS[kind], []
    for checked in (False, True):
        if checked:
            monkeypatch.setattr(inputs, "_suits", lambda y, X: False)
        else:
            monkeypatch.setattr(inputs, "validate_data", None)
        model = estimator(hidden_layer_sizes=4, max_iter=3, random_state=0, tol=0)
        model.fit(X, LABELS)
        fits.append((model.n_features_in_, [w.tobytes() for w in model.coefs_]))
        monkeypatch.undo()
    assert fits[0] == fits[1]


def with_entry(value):
    X = ROWS.copy()
    X[3, 1] = value
    return X


SPOILT = {
    "NaN": (with_entry(np.nan), LABELS, "NaN"),
    "infinite": (with_entry(np.inf), LABELS, "infinity"),
    "too few labels": (ROWS, LABELS[:-1], "inconsistent numbers of samples"),
    "one dimension": (ROWS[:, 0], LABELS, "Expected 2D array"),
    "no rows": (ROWS[:0], LABELS[:0], "0 sample"),
    "NaN as label": (ROWS, np.where(LABELS == 1, np.nan, LABELS), "NaN"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_other_arrays_get_the_errors_of_scikit_learn(name):
    X, y, message = SPOILT[name]
    with pytest.raises(ValueError, match=message):
        MLPClassifier(max_iter=1).fit(X, y)


def test_a_second_fit_may_have_other_columns_and_partial_fit_may_not():
    model = MLPClassifier(hidden_layer_sizes=2, max_iter=1)
    assert model.fit(ROWS, LABELS).n_features_in_ == 2
    assert model.fit(ROWS[:, :1], LABELS).n_features_in_ == 1
    with pytest.raises(ValueError, match="X has 2 features"):
        model.partial_fit(ROWS, LABELS)


def test_names_of_columns_are_forgotten_by_a_fit_without():
    pandas = pytest.importorskip("pandas")
    model = MLPClassifier(hidden_layer_sizes=2, max_iter=1)
    model.fit(pandas.DataFrame(ROWS, columns=["a", "b"]), LABELS)
    assert list(model.feature_names_in_) == ["a", "b"]
    model.fit(ROWS, LABELS)
    assert not hasattr(model, "feature_names_in_")
