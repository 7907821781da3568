"""The border between users' arrays and ours: what is taken, converted, and refused."""

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import Dense, Network
from fastnn.data import arrays

# --- what is taken --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        lambda X: np.asfortranarray(X),
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: X[::-1][::-1],
        lambda X: X.astype(">f8"),
        lambda X: X.tolist(),
        lambda X: X.astype(object),
        lambda X: np.ma.masked_array(X),
    ],
    ids=["fortran", "strided", "reversed", "byte-swapped", "list", "objects", "nothing masked"],
)
def test_layout_of_the_input_does_not_matter(form):
    X, y = data()
    X.flags.writeable = y.flags.writeable = False
    a, b = network(), network()
    a.fit(X, y, epochs=2, verbose=0)
    b.fit(form(X), form(y), epochs=2, verbose=0)
    np.testing.assert_array_equal(a.parameters, b.parameters)
    np.testing.assert_array_equal(a.predict(X), b.predict(form(X)))


class Counted:
    """An array that counts how often it is converted."""

    def __init__(self, values):
        self.values, self.conversions = values, 0

    def __array__(self, dtype=None, copy=None):
        self.conversions += 1
        return self.values


@pytest.mark.parametrize(
    "train",
    [
        lambda net, X, y: net.fit(X, y, verbose=0),
        lambda net, X, y: net.build(X.values.shape[1]).fit(X, y, verbose=0),
        lambda net, X, y: net.fit(X, y, validation_fraction=0.2, verbose=0),
        lambda net, X, y: net.train_on_batch(X, y),
        lambda net, X, y: net.adapt(X),
        lambda net, X, y: fastnn.fit_population([net, network(dtype="float64")], X, y),
    ],
    ids=["fit", "built", "held out", "batch", "adapt", "population"],
)
def test_inputs_are_checked_and_converted_once(train, monkeypatch):
    values, y = data()
    X, checked, original = Counted(values), [], arrays.numbers

    def numbers(argument, values):
        checked.append(argument)
        return original(argument, values)

    monkeypatch.setattr(arrays, "numbers", numbers)
    train(network(), X, y)
    assert X.conversions == checked.count("X") == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, bool, np.float16, np.float32])
def test_other_dtypes_are_converted(dtype):
    X = np.random.default_rng(0).integers(0, 2, size=(30, 5))
    y = np.arange(30) % 2
    a, b = (Network([Dense(2)], loss="softmax_cross_entropy", seed=0) for _ in range(2))
    a.fit(X.astype(dtype), y.astype(np.int8), verbose=0)
    b.fit(X.astype(np.float64), y.astype(np.float64), verbose=0)
    np.testing.assert_array_equal(a.parameters, b.parameters)


def test_inputs_are_never_written():
    X, y = data()
    w = np.ones(60)
    copies = [X.copy(), y.copy(), w.copy()]
    network().fit(X, y, sample_weight=w, verbose=0)
    for now, then in zip((X, y, w), copies, strict=True):
        np.testing.assert_array_equal(now, then)


def test_frames_of_mixed_numbers_are_taken():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [True, False], "b": [1.5, 2.5], "c": pd.array([1, 2], "Int64")})
    net = Network([Dense(1)], loss="huber", seed=0).build(3)
    np.testing.assert_array_equal(net.predict(frame), net.predict([[1, 1.5, 1], [0, 2.5, 2]]))
    frame.loc[0, "c"] = pd.NA
    with pytest.raises(ValueError, match=r"X\[0, 2\] is nan"):
        net.predict(frame)
    with pytest.raises(
        TypeError, match=r"X must hold numbers, but column 'a' of X holds text .*'yes'"
    ):
        net.predict(frame.assign(a=["yes", "no"]))


def test_frames_are_taken():
    pd = pytest.importorskip("pandas")
    X, y = data()
    a, b = network(), network()
    a.fit(pd.DataFrame(X), pd.Series(y[:, 0]), verbose=0)
    b.fit(X, y, verbose=0)
    np.testing.assert_array_equal(a.parameters, b.parameters)


# --- what is refused ------------------------------------------------------------------------------


def snapshot(net):
    return net.parameters.copy() if net.built else None, net.state.step, net.state.epoch


def assert_unchanged(net, before):
    parameters, step, epoch = before
    assert (net.state.step, net.state.epoch) == (step, epoch)
    assert net.built == (parameters is not None)
    if parameters is not None:
        np.testing.assert_array_equal(net.parameters, parameters)


NAN = np.full((60, 5), np.nan)
X60, Y60 = data()


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"X": NAN}, r"X\[0, 0\] is nan"),
        ({"X": np.where(np.arange(300).reshape(60, 5) == 7, np.inf, X60)}, r"X\[1, 2\] is inf"),
        ({"y": np.full(60, -np.inf)}, r"y\[0\] is -inf"),
        ({"y": Y60[:59]}, "X has 60 rows, but y has 59"),
        ({"X": np.empty((0, 5)), "y": np.empty(0)}, "at least one row"),
        ({"X": np.empty((60, 0))}, "at least one row"),
        ({"X": (row for row in X60)}, "X must be an array of numbers, got generator"),
        ({"X": dict(enumerate(X60.T))}, "X must be an array of numbers, got dict"),
        ({"X": "table.csv"}, "X must be an array of numbers, got str: pass what the file holds"),
        ({"y": None}, "y must be an array of numbers, got NoneType"),
        ({"X": np.ma.masked_less(X60, 0)}, r"X has masked entries: pass X.filled\(numpy.nan\)"),
        ({"X": np.full((60, 5), np.datetime64("2024-01-01"))}, r"X holds times \(dtype datetime64"),
        ({"X": np.where(X60[3, 2] == X60, "a", X60.astype(object))}, r"X\[:, 2\] holds text .*'a'"),
        ({"X": np.where(X60[3, 2] == X60, None, X60.astype(object))}, r"X\[3, 2\] is nan"),
        ({"X": np.full((60, 5), object())}, "X must hold numbers, got object objects"),
        ({"y": np.full(60, "a", object)}, "y holds text .*classes are numbers 0, 1, 2"),
        ({"X": np.full((60, 5), "a")}, "X must hold numbers"),
        ({"X": X60 + 0j}, "X must hold numbers, got dtype complex128"),
        ({"X": [[1.0], [1.0, 2.0]]}, "rectangular"),
        ({"X": X60[:, 0]}, r"reshape\(-1, 1\)"),
        ({"X": 3.0}, "at least one row"),
        ({"y": np.ones((60, 2))}, r"y has shape \(60, 2\).*\(60, 1\) or \(60,\)"),
        ({"y": np.ones((60, 1, 1))}, "y has shape"),
        ({"sample_weight": np.ones(59)}, r"sample_weight has shape \(59,\), expected \(60,\)"),
        ({"sample_weight": -np.ones(60)}, r"sample_weight\[0\] is -1.0"),
        ({"sample_weight": np.zeros(60)}, "0 for every row"),
        ({"sample_weight": np.full(60, np.nan)}, "sample_weight"),
        ({"class_weight": "balanced"}, "class_weight needs targets that are classes"),
        ({"batch_size": 0}, "batch_size must be an integer >= 1, got 0"),
        ({"batch_size": 1.5}, "batch_size"),
        ({"epochs": 0}, "epochs must be an integer >= 1"),
        ({"epochs": -2}, "epochs"),
        ({"shuffle": "yes"}, "shuffle"),
        ({"verbose": 3}, "verbose"),
        ({"callbacks": [print]}, "callbacks must hold"),
        ({"validation_fraction": 0.0}, "validation_fraction"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"validation_fraction": 0.001}, "leaves 60 to train on and 0"),
        ({"validation_data": X60}, "validation_data must be"),
        ({"validation_data": (X60[:, :4], Y60)}, "validation_data: X has 4 features, but the net"),
        ({"validation_data": (X60, ["a"] * 60)}, "validation_data: y must hold numbers"),
        ({"validation_data": (X60, Y60), "validation_fraction": 0.5}, "not both"),
    ],
)
def test_bad_fit_arguments_change_nothing(arguments, message, built):
    net = network()
    if built:
        net.fit(X60, Y60, verbose=0)
    before = snapshot(net)
    history = len(net.history.epoch)
    settings = {"X": X60, "y": Y60, "verbose": 0} | arguments
    with pytest.raises(fastnn.FastnnError, match=message):
        net.fit(settings.pop("X"), settings.pop("y"), **settings)
    assert_unchanged(net, before)
    assert len(net.history.epoch) == history
    net.fit(X60, Y60, verbose=0)  # and the network can still be trained


@pytest.mark.parametrize(
    ("loss", "outputs", "y", "message"),
    [
        ("softmax_cross_entropy", 3, [0, 1, 2, 3], r"y\[3\] is 3.*integers in \[0, 2\]"),
        ("softmax_cross_entropy", 3, [0, -1, 2, 0], r"y\[1\] is -1"),
        ("softmax_cross_entropy", 3, [0, 0.5, 2, 0], r"y\[1\] is 0.5"),
        ("softmax_cross_entropy", 3, [["a"], ["b"], ["c"], ["d"]], "classes are numbers 0, 1"),
        ("softmax_cross_entropy", 2, [[1, 0], [0, 1], [1, 1], [0, 0]], "row 2 does not"),
        ("softmax_cross_entropy", 2, [[1, 0], [2, -1], [1, 0], [0, 1]], "row 1 does not"),
        ("sigmoid_cross_entropy", 1, [0, 1, 2, 1], r"y\[2\] is \[2\]"),
        ("poisson", 1, [1, 2, -3, 0], r"y\[2\] is \[-3\]"),
    ],
)
def test_targets_outside_their_range(loss, outputs, y, message):
    net = Network([Dense(outputs)], loss=loss, seed=0)
    with pytest.raises(fastnn.FastnnError, match=message):
        net.fit(np.ones((4, 2)), y, verbose=0)
    assert not net.built


def test_wrong_feature_count():
    net = network().build(5)
    for use in (net.predict, lambda X: net.fit(X, Y60), lambda X: net.evaluate(X, Y60)):
        with pytest.raises(ValueError, match="X has 4 features, but the network was built for 5"):
            use(X60[:, :4])


def test_class_weights_that_name_no_class():
    net = Network([Dense(2)], loss="softmax_cross_entropy")
    y = np.arange(60) % 2
    for weights, message in (
        ({2: 1.0}, "class 2, but the network's classes are 0 to 1"),
        ({"1": 1.0}, "class '1', but the network's classes are 0 to 1"),
        ({0: -1.0}, "class_weight"),
        ([1, 2], "class_weight must be 'balanced' or a dict"),
        ("balance", "class_weight must be 'balanced' or a dict"),
    ):
        with pytest.raises(fastnn.FastnnError, match=message):
            net.fit(X60, y, class_weight=weights, verbose=0)


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_class_weights_may_name_classes_that_the_rows_lack(outputs):
    loss = "sigmoid_cross_entropy" if outputs == 1 else "softmax_cross_entropy"
    weighted, plain = (Network([Dense(outputs)], loss=loss, seed=0) for _ in range(2))
    weights = dict.fromkeys(range(max(outputs, 2)), 3.0)
    weighted.fit(X60, np.zeros(60), class_weight=weights, verbose=0)
    plain.fit(X60, np.zeros(60), verbose=0)
    np.testing.assert_allclose(weighted.parameters, plain.parameters, rtol=1e-6)


@pytest.mark.parametrize("shown", [True, np.True_, 1])
def test_verbose_may_be_a_bool(shown, capsys):
    net = network()
    net.fit(X60, Y60, verbose=False)
    assert capsys.readouterr() == ("", "")
    net.fit(X60, Y60, verbose=shown)
    assert "epoch 1/1" in capsys.readouterr().err
    fastnn.fit_population([net], X60, Y60, verbose=False)
    assert "relative" in str(fastnn.gradient_check(net, X60, Y60, n=5, verbose=False))
    assert capsys.readouterr() == ("", "")


def test_values_beyond_float32_are_refused():
    net = network(dtype="float32")
    with pytest.raises(ValueError, match=r"X\[0, 0\] is .*e[+].*, which float32 cannot hold"):
        net.fit(X60 * 1e300, Y60, verbose=0)


def test_sparse_input_is_refused_by_name():
    import scipy.sparse

    with pytest.raises(TypeError, match=r"X is sparse; pass X.toarray\(\)"):
        network().fit(scipy.sparse.csr_matrix(X60), Y60, verbose=0)
