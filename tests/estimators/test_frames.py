"""Frames of pandas, Polars and PyArrow: taken, or refused with column, dtype and cure."""

import datetime
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import Dense, MLPClassifier, MLPRegressor, Network

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N = 40
RANDOM = np.random.default_rng(0)
SIZE, WIDTH = RANDOM.normal(size=(2, N))
YES = np.arange(N) % 2
TOWN = [None, *RANDOM.choice(["Ulm", "Bern"], N - 1).tolist()]
PAIR = np.c_[SIZE, WIDTH]
ARROW_DICTIONARY = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))


def in_pandas(values, dtype):
    return pd.DataFrame({"size": SIZE, "town": pd.Series(values, dtype=dtype)})


NUMBERS = {
    "pandas": pd.DataFrame({"a": SIZE, "b": WIDTH}),
    "nullable": pd.DataFrame({"a": SIZE, "b": WIDTH}).astype("Float64"),
    "arrow in pandas": pd.DataFrame({"a": SIZE, "b": WIDTH}).astype("float64[pyarrow]"),
    "objects in pandas": pd.DataFrame({"a": SIZE, "b": WIDTH}).astype(object),
    "polars": pl.DataFrame({"a": SIZE, "b": WIDTH}),
    "arrow table": pa.table({"a": SIZE, "b": WIDTH}),
    "arrow batch": pa.record_batch({"a": SIZE, "b": WIDTH}),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_columns_of_numbers_are_taken_with_their_names(kind):
    X = NUMBERS[kind]
    plain = MLPRegressor(max_iter=2, random_state=0).fit(PAIR, YES)
    framed = MLPRegressor(max_iter=2, random_state=0).fit(X, YES)
    np.testing.assert_array_equal(framed.predict(X), plain.predict(PAIR))
    assert framed.feature_names_in_.tolist() == ["a", "b"]
    net = Network([Dense(1)], loss="huber", seed=0).build(2)
    np.testing.assert_array_equal(net.predict(X), net.predict(PAIR))


def test_columns_of_an_arrow_table_are_held_against_their_names():
    table = NUMBERS["arrow table"]
    net = MLPRegressor(max_iter=2, random_state=0).fit(table, YES)
    for other in (table.select(["b", "a"]), table.select(["b", "a"]).to_batches()[0]):
        with pytest.raises(ValueError, match="feature names should match"):
            net.predict(other)


CATEGORIES = {
    "categories": in_pandas(TOWN, "category"),
    "categories of strings": in_pandas(pd.array(TOWN, "string"), "category"),
    "arrow dictionary in pandas": in_pandas(TOWN, ARROW_DICTIONARY),
    "polars categories": pl.DataFrame(
        {"size": SIZE, "town": pl.Series(TOWN, dtype=pl.Categorical)}
    ),
    "polars enum": pl.DataFrame(
        {"size": SIZE, "town": pl.Series(TOWN, dtype=pl.Enum(["Ulm", "Bern"]))}
    ),
    "arrow dictionary": pa.table({"size": SIZE, "town": pa.array(TOWN).dictionary_encode()}),
    "arrow batch": pa.record_batch({"size": SIZE, "town": pa.array(TOWN).dictionary_encode()}),
}
TEXT = {
    "text": in_pandas(TOWN, "str"),
    "strings with NA": in_pandas(TOWN, "string"),
    "objects with None": in_pandas(TOWN, object),
    "objects with NA": in_pandas([pd.NA, *TOWN[1:]], object),
    "arrow text in pandas": in_pandas(TOWN, pd.ArrowDtype(pa.string())),
    "polars text": pl.DataFrame({"size": SIZE, "town": TOWN}),
    "arrow text": pa.table({"size": SIZE, "town": TOWN}),
}


def probabilities(X, features):
    net = MLPClassifier((4,), max_iter=2, random_state=0, categorical_features=features)
    return net.fit(X, YES), net.predict_proba(X)


@pytest.mark.parametrize("kind", CATEGORIES | TEXT)
@pytest.mark.parametrize("features", ["from_dtype", ["town"], [1]])
def test_categories_of_any_frame_give_the_same_network(kind, features):
    if kind in TEXT and features == "from_dtype":
        pytest.skip("no categorical dtype")
    X = (CATEGORIES | TEXT)[kind]
    _, expected = probabilities(CATEGORIES["categories"], "from_dtype")
    net, found = probabilities(X, features)
    np.testing.assert_array_equal(found, expected)
    one = net.predictor()
    np.testing.assert_allclose(one([SIZE[0], None]), found[0], rtol=1e-12)
    np.testing.assert_allclose(one([SIZE[5], TOWN[5]]), found[5], rtol=1e-12)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net)).predict_proba(X), found)


@pytest.mark.parametrize("kind", CATEGORIES | TEXT)
@pytest.mark.parametrize("features", [None, "from_dtype"])
def test_text_is_named_with_its_column_and_a_cure(kind, features):
    if kind in CATEGORIES and features == "from_dtype":
        pytest.skip("taken")
    X = (CATEGORIES | TEXT)[kind]
    with pytest.raises(
        ValueError, match=r"column 'town' of X holds text .dtype .*\b(Ulm|Bern)\b"
    ) as e:
        MLPClassifier(max_iter=2, categorical_features=features).fit(X, YES)
    assert "categorical_features" in str(e.value)
    with pytest.raises(TypeError, match="column 'town' of X holds text"):
        Network([Dense(1)], loss="huber").fit(X, YES, verbose=0)


def test_text_in_arrays_is_named_by_its_place():
    X = np.c_[PAIR.astype(object), np.array(TOWN, object)]
    with pytest.raises(ValueError, match=r"X\[:, 2\] holds text"):
        MLPClassifier().fit(X, YES)
    net = MLPClassifier(max_iter=2).fit(PAIR, YES)
    with pytest.raises(ValueError, match=r"X\[:, 1\] holds text"):
        net.predict(X[:, 1:])


def test_categories_of_several_types_are_named():
    X = in_pandas([1, *TOWN[1:]], object)
    with pytest.raises(ValueError, match="column 'town' of X mixes categories of types int, str"):
        MLPClassifier(categorical_features=["town"]).fit(X, YES)


DATES = [datetime.date(2024, 1, 1)] * N
TIMES = {
    "pandas": pd.DataFrame({"a": SIZE, "when": pd.date_range("2024", periods=N)}),
    "polars": pl.DataFrame({"a": SIZE, "when": DATES}),
    "arrow": pa.table({"a": SIZE, "when": DATES}),
    "array": np.full((N, 2), np.datetime64("2024-01-01")),
}


@pytest.mark.parametrize("kind", TIMES)
def test_dates_are_no_numbers(kind):
    for fit in (MLPRegressor().fit, Network([Dense(1)], loss="huber").fit):
        with pytest.raises(TypeError, match=r"holds times .*days since a date"):
            fit(TIMES[kind], SIZE)


def test_what_is_no_array_is_called_what_it_is():
    net = MLPClassifier(max_iter=2, random_state=0).fit(PAIR, YES)
    lazy = pl.DataFrame({"a": SIZE, "b": WIDTH}).lazy()
    for X, message in (
        (lazy, r"got LazyFrame: .*pass X.collect\(\)"),
        ((row for row in PAIR), r"got generator: .*numpy.array\(list\(X\)\)"),
        ({"a": SIZE}, "got dict: pass an array or a data frame"),
        ("table.csv", "got str: .*read_csv"),
    ):
        for use in (net.predict, net.predict_proba, lambda X: MLPClassifier().fit(X, YES)):
            with pytest.raises(fastnn.FastnnError, match=message):
                use(X)
    with pytest.raises(TypeError, match=r"y must be .* got LazyFrame: .*y.collect\(\)"):
        net.fit(PAIR, lazy)
    with pytest.raises(ValueError, match=r"X has masked entries: pass X.filled"):
        net.predict(np.ma.masked_less(PAIR, 0))
    with pytest.raises(ValueError, match="X has 2 columns named 'a'"):
        MLPClassifier().fit(pd.DataFrame(PAIR, columns=["a", "a"]), YES)


def test_weights_are_named_too():
    for weight, message in (
        (["a"] * N, "sample_weight holds text .*'a'.*weights are numbers"),
        ((1.0 for _ in range(N)), "sample_weight must be an array of numbers, got generator"),
        ({0: 1.0}, "sample_weight must be an array of numbers, got dict"),
    ):
        with pytest.raises(fastnn.FastnnError, match=message):
            MLPClassifier().fit(PAIR, YES, weight)


LABELS = {
    "series of strings": pd.Series(TOWN[1:], dtype="string"),
    "series of text": pd.Series(TOWN[1:]),
    "categories": pd.Series(pd.Categorical(TOWN[1:])),
    "arrow dictionary in pandas": pd.Series(TOWN[1:]).astype(ARROW_DICTIONARY),
    "objects": np.array(TOWN[1:], object),
    "polars": pl.Series(TOWN[1:]),
    "polars categories": pl.Series(TOWN[1:], dtype=pl.Categorical),
    "arrow": pa.array(TOWN[1:]),
    "arrow dictionary": pa.array(TOWN[1:]).dictionary_encode(),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_of_any_column(kind):
    y = LABELS[kind]
    net = MLPClassifier(max_iter=2, random_state=0).fit(PAIR[1:], y)
    assert net.classes_.tolist() == ["Bern", "Ulm"]
    same = MLPClassifier(max_iter=2, random_state=0).fit(PAIR[1:], TOWN[1:])
    np.testing.assert_array_equal(net.predict_proba(PAIR), same.predict_proba(PAIR))
    with pytest.raises(ValueError, match=r"y holds text .*MLPRegressor needs numbers"):
        MLPRegressor().fit(PAIR[1:], y)
    with pytest.raises(TypeError, match=r"y must hold numbers, but y holds text .*classes are num"):
        Network([Dense(2)], loss="softmax_cross_entropy").fit(PAIR[1:], y, verbose=0)


@pytest.mark.parametrize(
    "y", [np.array(TOWN, object), pd.Series(TOWN, dtype="string"), pd.Series(TOWN), pl.Series(TOWN)]
)
def test_missing_labels_are_counted(y):
    with pytest.raises(ValueError, match=r"y contains missing labels \(1\), the first in row 0"):
        MLPClassifier().fit(PAIR, y)


def test_objects_that_are_numbers_are_labels_too():
    for y in (YES.astype(object), pd.Series(YES, dtype=object)):
        assert MLPClassifier(max_iter=2).fit(PAIR, y).classes_.tolist() == [0, 1]
    np.testing.assert_array_equal(
        MLPRegressor(max_iter=2, random_state=0).fit(PAIR, SIZE.astype(object)).predict(PAIR),
        MLPRegressor(max_iter=2, random_state=0).fit(PAIR, SIZE).predict(PAIR),
    )
