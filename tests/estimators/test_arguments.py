"""Every argument beside scikit-learn's own: the same values are taken, the same refused."""

import contextlib
import io
import itertools
import re

import numpy as np
import pytest
import sklearn.neural_network
from sklearn.model_selection import train_test_split

import fastnn
from fastnn import MLPClassifier, MLPRegressor
from fastnn.estimators import splitting

pytestmark = pytest.mark.filterwarnings("ignore")

N = 40
X = np.random.default_rng(0).normal(size=(N, 3))
CLASSES, NUMBERS = np.arange(N) % 2, np.abs(X[:, 0])  # none negative, for a Poisson loss
TARGETS = {"MLPClassifier": CLASSES, "MLPRegressor": NUMBERS}

NOT_A_VALUE = object()
VALUES = {
    "integers": [0, 1, -1, 5, np.int64(3), np.int32(3), np.array(5)],
    "floats": [2.0, 10.5, 0.5, 1.0, 0.0, -0.5, np.float32(0.5), np.float64(2), 1e-320],
    "no numbers": [np.nan, np.inf, -np.inf, 1j],
    "booleans": [True, False, np.True_, np.False_],
    "words": ["auto", "5", "", "relu", "RELU", "logistic", "adam", "lbfgs", "constant", "adaptive"],
    "more words": ["squared_error", "poisson", b"relu", "None", "True"],
    "sizes": [(5,), [5, 4], (), (0,), (-1,), (5, 0), range(3, 5), np.array([4, 3]), {5: 4}],
    "sizes of other types": [(np.int64(4),), (True,), (np.int8(2), 3), np.array([[4, 3]])],
    "sizes that are no integers": [
        (10.5,),
        (10.0,),
        np.array([4.0, 3.0]),
        np.linspace(4, 8, 3),
        (None,),
        ("5",),
        ((5,),),
        (np.nan,),
        (np.inf,),
        (np.float32(4),),
    ],
    "objects": [None, {}, {5}, np.random, np.random.RandomState(0), NOT_A_VALUE],
}

#: Arguments that matter only beside others.
BESIDE = {
    "momentum": {"solver": "sgd"},
    "nesterovs_momentum": {"solver": "sgd"},
    "learning_rate": {"solver": "sgd"},
    "power_t": {"solver": "sgd", "learning_rate": "invscaling"},
    "max_fun": {"solver": "lbfgs"},
    "tol": {"solver": "lbfgs"},
    "validation_fraction": {"early_stopping": True},
}

SHARED = [
    *(("MLPClassifier", name) for name in sklearn.neural_network.MLPClassifier().get_params()),
    *(("MLPRegressor", name) for name in sklearn.neural_network.MLPRegressor().get_params()),
]


def outcome(module, kind, name, value):
    """Return the predictions of a fit with this argument, or its error."""
    options = {"hidden_layer_sizes": (3,), "max_iter": 2, "random_state": 0}
    net = getattr(module, kind)(**options | BESIDE.get(name, {}) | {name: value})
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return net.fit(X, TARGETS[kind]).predict(X)
    except Exception as error:
        return error


@pytest.mark.parametrize(("kind", "name"), SHARED)
def test_the_same_values_are_taken_and_give_the_same_predictions(kind, name):
    for value in itertools.chain(*VALUES.values()):
        if name == "random_state" and isinstance(value, np.random.RandomState):
            continue  # the first fit draws from it
        theirs, ours = (outcome(m, kind, name, value) for m in (sklearn.neural_network, fastnn))
        case = f"{name}={value!r}: scikit-learn {theirs!r}, here {ours!r}"
        refused = isinstance(theirs, Exception)
        assert isinstance(ours, Exception) == refused, case
        if not refused and not (name == "random_state" and value in (None, np.random)):
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-8, err_msg=case)
        elif refused:
            assert isinstance(ours, (ValueError, TypeError)), case


#: Where scikit-learn takes what is refused here, and why.
EXCEPTIONS = {"negative weights": "a loss that grows without bound is no aim of training"}

WEIGHTS = {
    "none": None,
    "a number": 1.0,
    "a list": [1.0] * N,
    "too few": np.ones(5),
    "negative weights": -np.ones(N),
    "zeros": np.zeros(N),
    "nan": np.full(N, np.nan),
    "inf": np.full(N, np.inf),
    "a column": np.ones((N, 1)),
    "numerals": ["1"] * N,
    "text": ["a"] * N,
    "booleans": CLASSES == 1,
    "float32": np.arange(N, dtype=np.float32),
    "tiny": np.full(N, 1e-300),
    "huge": np.full(N, 1e300),
}
MORE_TARGETS = {
    "booleans": CLASSES == 1,
    "text": np.array(["a", "b"])[CLASSES],
    "one class": np.zeros(N),
    "a column": CLASSES[:, None],
    "labels": np.c_[CLASSES, 1 - CLASSES],
    "labels as floats": np.c_[CLASSES, 1 - CLASSES] * 1.0,
    "two numbers": np.c_[NUMBERS, NUMBERS],
    "nan": np.where(CLASSES, np.nan, NUMBERS),
    "empty": [],
    "too few": CLASSES[:5],
    "negative classes": CLASSES * 2 - 1,
    "as many classes as rows": np.arange(N),
    "two columns of classes": np.c_[np.arange(N) % 3, CLASSES],
    "a list of lists": [[0, 1]] * N,
    "small integers": CLASSES.astype(np.uint8),
    "complex": NUMBERS + 0j,
}
INPUTS = {
    "float32": X.astype(np.float32),
    "integers": (10 * X).astype(int),
    "booleans": X > 0,
    "one dimension": X[:, 0],
    "three dimensions": X[:, :, None],
    "no rows": X[:0],
    "no columns": X[:, :0],
    "nan": np.where(X > 1, np.nan, X),
    "inf": np.where(X > 1, np.inf, X),
    "lists": X.tolist(),
    "objects": X.astype(object),
    "Fortran's order": np.asfortranarray(X),
    "one row": X[:1],
    "float16": X.astype(np.float16),
    "read-only": np.frombuffer(X.tobytes()).reshape(X.shape),
    "swapped bytes": X.astype(">f8"),
    "complex": X + 0j,
}
FITS = {
    **{f"weights: {case}": {"sample_weight": w} for case, w in WEIGHTS.items()},
    **{f"targets: {case}": {"y": y} for case, y in MORE_TARGETS.items()},
    **{f"inputs: {case}": {"X": x} for case, x in INPUTS.items()},
}


@pytest.mark.parametrize("kind", TARGETS)
@pytest.mark.parametrize("case", FITS)
def test_the_same_data_are_taken_and_learnt(kind, case):
    given = FITS[case]
    arguments = {"X": X, "y": TARGETS[kind][: len(given.get("X", X))]} | given

    def fit(module):
        net = getattr(module, kind)(hidden_layer_sizes=(3,), max_iter=2, random_state=0)
        try:
            return net.fit(**arguments)
        except (ValueError, TypeError) as error:
            return error

    theirs, ours = fit(sklearn.neural_network), fit(fastnn)
    if case.partition(": ")[2] in EXCEPTIONS:
        assert isinstance(ours, ValueError)
        return
    assert isinstance(ours, Exception) == isinstance(theirs, Exception), (theirs, ours)
    if isinstance(theirs, Exception):
        return
    rows = arguments["X"]
    a, b = theirs.predict(rows), ours.predict(rows)
    assert (a.dtype, a.shape) == (b.dtype, b.shape)
    if kind == "MLPClassifier":
        assert ours.classes_.dtype == theirs.classes_.dtype
        np.testing.assert_array_equal(a, b)
    for name in vars(theirs):
        if name.endswith("_") and not name.startswith("_"):
            assert hasattr(ours, name)
    np.testing.assert_allclose(ours.loss_, theirs.loss_, rtol=1e-4)


# --- class weights --------------------------------------------------------------------------------


def weighted(class_weight, y=CLASSES, rows=X):
    net = MLPClassifier((3,), max_iter=3, random_state=0, class_weight=class_weight)
    return net.fit(rows, y)


def test_class_weights_may_name_a_class_that_the_rows_lack():
    np.testing.assert_array_equal(
        weighted({0: 1.0, 1: 2.0, 2: 9.0}).predict_proba(X),
        weighted({0: 1.0, 1: 2.0}).predict_proba(X),
    )
    words = np.array(["no", "yes"])[CLASSES]
    assert weighted({"no": 1.0, "yes": 2.0, "perhaps": 3.0}, words).classes_.tolist() == [
        "no",
        "yes",
    ]


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ({0: 1.0, 2: 9.0}, r"class_weight names 2, but the classes are \[0, 1\]"),
        ({"0": 1.0}, "class_weight names '0'"),
        ({0: 1.0, 1: -1.0, 2: 1.0}, "class_weight must be a finite number >= 0, got -1.0"),
        ({0: 1.0, 1: 1.0, 2: np.nan}, "class_weight must be a finite number >= 0, got nan"),
        ([{0: 1.0}], "class_weight must be a dict, as y has one class a row; got a list"),
    ],
)
def test_class_weights_that_fit_no_classes_are_refused(class_weight, message):
    with pytest.raises(ValueError, match=message):
        weighted(class_weight)


def test_several_labels_have_a_dict_each():
    y = np.c_[CLASSES, np.arange(N) % 3 == 0]
    net = weighted([{0: 1.0, 1: 3.0}, {1: 2.0}], y)
    same = MLPClassifier((3,), max_iter=3, random_state=0)
    same.fit(X, y, np.where(y[:, 0], 3.0, 1.0) * np.where(y[:, 1], 2.0, 1.0))
    np.testing.assert_array_equal(net.predict_proba(X), same.predict_proba(X))
    for wrong in ({0: 1.0}, [{0: 1.0}], [1.0, 2.0], [{0: 1.0}, {2: 1.0}]):
        with pytest.raises(ValueError, match="class_weight"):
            weighted(wrong, y)


# --- the split for early stopping -----------------------------------------------------------------


@pytest.mark.parametrize("y", [CLASSES, np.array(["a", "b"])[CLASSES], CLASSES * 2.0])
def test_rows_are_held_out_as_in_scikit_learn(y):
    options = {"max_iter": 3, "early_stopping": True, "random_state": 0}
    ours = MLPClassifier(**options).fit(X, y)
    theirs = sklearn.neural_network.MLPClassifier(**options).fit(X, y)
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-6)


@pytest.mark.parametrize("rows", [5, 10, 20, 99, 100, 1000])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.25, 0.5, 0.99])
def test_splits_are_train_test_splits(rows, share, fraction):
    """Also where strata tie for the last row, and where nothing can be held out."""
    for seed in range(5):
        strata = np.random.default_rng(seed).random(rows) < share
        for given in (strata, None):
            one, other = np.random.RandomState(seed), np.random.RandomState(seed)
            column = None if given is None else given.reshape(-1, 1)
            try:
                expected = train_test_split(
                    np.arange(rows), test_size=fraction, stratify=column, random_state=one
                )
            except ValueError as error:
                with pytest.raises(ValueError, match=re.escape(str(error)[:20])):
                    splitting.split(rows, fraction, given, other)
                continue
            found = splitting.split(rows, fraction, given, other)
            for a, b in zip(found, expected, strict=True):
                np.testing.assert_array_equal(a, b)
            assert one.randint(2**31) == other.randint(2**31)  # as many draws


def test_splits_make_no_text_or_list_of_rows(monkeypatch):
    """Sorting took ten times as long as the rest of the split."""
    monkeypatch.setattr(splitting, "train_test_split", None)
    train, held_out = splitting.split(N, 0.1, CLASSES == 1, np.random.RandomState(0))
    assert np.bincount(CLASSES[held_out]).tolist() == [2, 2]
    assert sorted([*train, *held_out]) == list(range(N))
    assert MLPRegressor()._strata(NUMBERS) is None
