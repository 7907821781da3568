"""Model files to predict with: tables, arrays and single rows, prepared as the file says."""

import pickle
import threading
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import fastnn
from fastnn.cli import main
from fastnn.tables import RowEncoder, TableEncoder, find_columns


def table(seed, rows=300):
    """Numbers of all sizes, holes, codes, categories with blanks and odd spellings."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"plain": rng.normal(size=rows)})
    frame["large"] = rng.normal(size=rows) * 10.0 ** rng.integers(-3, 9, rows)
    frame["holes"] = np.where(rng.random(rows) < 0.2, np.nan, rng.normal(size=rows))
    frame["text of numbers"] = rng.integers(0, 9999, rows).astype(str)
    frame["code"] = rng.integers(0, 5, rows)
    frame["town"] = rng.choice(["Ulm", " Bern", "Köln ", "", "n/a"], rows)
    frame["mixed"] = rng.choice(["1", "1.0", "one", "None"], rows)
    frame["y"] = np.where(frame["plain"] + rng.normal(size=rows) > 0, "no", "yes")
    return frame


def odd_cells(rng):
    """Cells that a service may be sent, most of them not seen in training."""
    numbers = [0, -7, 1e-300, 1e31, -1e300, np.inf, np.nan, None, pd.NA, "", " 2.5 ", "NA", "1e3"]
    numbers += [np.float32(0.1), np.int64(3), np.float64("nan"), Decimal("1.5"), 2**60]
    words = ["Ulm", "Graz", "", None, np.nan, 1, 1.0, True, "1", " Bern ", np.str_("Ulm"), "N/A"]
    row = {name: numbers[rng.integers(len(numbers))] for name in ("plain", "large", "holes")}
    row["text of numbers"] = numbers[rng.integers(len(numbers))]
    for name in ("code", "town", "mixed"):
        row[name] = words[rng.integers(len(words))]
    return row


def outcome(function, argument):
    """Return the result of a function, or the text of its error."""
    try:
        return function(argument).tobytes()
    except fastnn.ArgumentError as error:
        return str(error)


@pytest.mark.filterwarnings("ignore::fastnn.errors.TableWarning")  # frames alone are told
@pytest.mark.parametrize("seed", range(4))
def test_a_row_becomes_what_a_table_of_it_alone_becomes(seed):
    frame = table(seed)
    schema = find_columns(frame, "y", categorical=["mixed"])
    fitted = TableEncoder(schema.columns).fit(frame)
    for encoder in (fitted, TableEncoder.from_list(fitted.to_list())):
        encode = RowEncoder(encoder)
        whole = encoder.transform(frame)
        for row, expected in zip(frame.to_dict("records"), whole, strict=True):
            assert encode([row[name] for name in encode.names]).tobytes() == expected.tobytes()
        rng = np.random.default_rng(seed)
        for _ in range(100):
            row = odd_cells(rng)
            one = outcome(lambda row: encoder.transform(pd.DataFrame([row]))[0], row)  # noqa: B023
            cells = [row[name] for name in encode.names]
            assert outcome(encode, cells) == one, row
            assert outcome(encode, cells) == one, row  # the second time from memory


def test_rows_of_a_table_of_categories_or_of_numbers_alone():
    for frame in (table(0)[["plain", "y"]], table(0)[["town", "y"]]):
        encoder = TableEncoder(find_columns(frame, "y").columns).fit(frame)
        row = RowEncoder(encoder)([frame.iloc[5, 0]])
        np.testing.assert_array_equal(row, encoder.transform(frame)[5])


@pytest.fixture(scope="module", params=["classification", "regression"])
def trained(request, tmp_path_factory):
    """A table and the path of a model that was trained on it."""
    folder = tmp_path_factory.mktemp("model")
    frame = table(1)
    if request.param == "regression":
        frame["y"] = frame["plain"] * 3 + 100
    frame.to_csv(folder / "table.csv", index=False)
    options = ["--target", "y", "--epochs", "3", "--quiet", "--out", str(folder / "m")]
    assert main(["train", str(folder / "table.csv"), *options]) == 0
    return frame.drop(columns="y"), folder / "m"


def same(a, b):
    """Equal, or for numbers in float64 equal to rounding."""
    return np.array_equal(a, b) or np.allclose(np.asarray(a, float), np.asarray(b, float), 1e-12)


def test_rows_are_predicted_as_frames_are(trained):
    frame, path = trained
    model = fastnn.load(path)
    classes = model.info["task"] == "classification"
    methods = [model.predict, model.predict_proba] if classes else [model.predict]
    rows = frame.to_dict("records")[:40]
    for method in methods:
        whole = method(frame)
        assert len(whole) == len(frame)
        assert same(method(frame[frame.columns[::-1]].assign(extra=1)), whole)
        assert same(method(rows), whole[:40])
        for row, expected in zip(rows, whole, strict=False):
            assert same(method(row), expected)
            assert same(method(row | {"extra": 1}), expected)
            assert same(method([row[name] for name in model.feature_names]), expected)
        lists = [[row[name] for name in model.feature_names] for row in rows]
        assert same(method(lists), whole[:40])


def test_predictions_are_those_of_the_command(trained, tmp_path, capsys):
    frame, path = trained
    frame.to_csv(tmp_path / "new.csv", index=False)
    assert (
        main(["predict", str(path), str(tmp_path / "new.csv"), "--out", str(tmp_path / "p")]) == 0
    )
    model = fastnn.load(path)
    printed = pd.read_csv(tmp_path / "p")
    predicted = model.predict(fastnn.tables.read_csv(tmp_path / "new.csv"))
    if model.classes is not None:
        assert printed["y"].tolist() == predicted.tolist()
    else:
        np.testing.assert_allclose(printed["y"], predicted, rtol=1e-6)


def test_what_a_file_holds_can_be_asked(trained):
    frame, path = trained
    model = fastnn.load(path)
    assert model.target_name == "y"
    assert model.feature_names == list(frame.columns)
    assert model.info["path"] == str(path)
    assert model.info["features"] == model.feature_names
    assert model.info["parameters"] == model.network.n_parameters
    if model.info["task"] == "classification":
        assert model.classes.tolist() == model.info["classes"] == ["no", "yes"]
        assert model.predict(frame.to_dict("records")[0]) in ("no", "yes")
    else:
        assert model.classes is None
        with pytest.raises(fastnn.ArgumentError, match="numbers, which have no probabilities"):
            model.predict_proba(frame)
    assert "y" in repr(model)


def test_rows_that_do_not_fit_are_named(trained):
    frame, path = trained
    model = fastnn.load(path)
    row = frame.to_dict("records")[0]
    for wrong, message in (
        ({**row, "plain": "big"}, "column 'plain' holds numbers"),
        ({name: cell for name, cell in row.items() if name != "town"}, "lacks 'town'"),
        (frame.drop(columns="town"), "lacks 'town'"),
        (list(row.values())[:-1], "rows of 6 cells, expected 7"),
        ([list(row.values())[:-1]], "rows of 6 cells, expected 7"),
        (np.zeros((3, 2)), "rows of 2 cells"),
    ):
        with pytest.raises(fastnn.ArgumentError, match=message):
            model.predict(wrong)
    for wrong in ("text", None, 3.0, {name: [1, 2] for name in row}):
        with pytest.raises(fastnn.ArgumentTypeError, match="X"):
            model.predict(wrong)
    polars = pytest.importorskip("polars")
    for wrong, cure in (
        (frame.iloc[0], r"got Series: pass X\.to_dict\(\)"),
        (polars.from_pandas(frame).lazy(), r"got LazyFrame: .*pass X\.collect\(\)"),
        (iter([row]), r"read only once: pass numpy\.array\(list\(X\)\)"),
    ):
        with pytest.raises(fastnn.ArgumentTypeError, match=cure):
            model.predict(wrong)


def test_threads_share_a_model(trained):
    frame, path = trained
    model = fastnn.load(path)
    rows = frame.to_dict("records")
    expected = [model.predict(row) for row in rows]
    found = {}

    def ask(number):
        found[number] = [model.predict(row) for row in rows]

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers == expected for answers in found.values())
    assert len(found) == 4


@pytest.mark.parametrize(
    ("loss", "units"),
    [
        ("softmax_cross_entropy", 3),
        ("sigmoid_cross_entropy", 1),
        ("sigmoid_cross_entropy", 2),
        ("huber", 1),
        ("huber", 2),
    ],
)
def test_files_without_a_table_take_arrays(tmp_path, loss, units):
    network = fastnn.Network([fastnn.Dense(units)], loss=loss, seed=0).build(4)
    network.save(tmp_path / "m")
    model = fastnn.load(tmp_path / "m")
    x = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    outputs = network.predict(x)
    if loss == "softmax_cross_entropy":
        expected, classes = outputs.argmax(axis=1), [0, 1, 2]
        np.testing.assert_array_equal(model.predict_proba(x), outputs)
    elif loss == "sigmoid_cross_entropy":
        expected, classes = (outputs > 0.5).astype(int), [0, 1] if units == 1 else None
        assert model.predict_proba(x).shape == (5, 2)
    else:
        expected, classes = outputs, None
    expected = expected[:, 0] if expected.shape[1:] == (1,) else expected
    np.testing.assert_array_equal(model.predict(x), expected)
    assert (None if model.classes is None else model.classes.tolist()) == classes
    assert model.feature_names is model.target_name is None
    for row in (x[2], x[2].tolist()):
        np.testing.assert_array_equal(model.predict(row), expected[2])
    with pytest.raises(fastnn.ArgumentTypeError, match="no preprocessing of a table"):
        model.predict({"a": 1})
    with pytest.raises(fastnn.ArgumentError, match="4"):
        model.predict([1.0, 2.0])


def test_a_single_row_keeps_the_digits_of_columns_far_from_zero(tmp_path):
    X = np.random.default_rng(0).normal([1e4, -5e4, 2e3], size=(500, 3)).astype(np.float32)
    y = (X - X.mean(axis=0)) @ [1, 2, 3]
    layers = [fastnn.Normalization(), fastnn.Dense(1)]
    net = fastnn.Network(layers, loss="mean_squared_error", optimizer=fastnn.Adam(0.05), seed=0)
    net.fit(X, y, epochs=5, verbose=0)
    net.save(tmp_path / "linear")
    model = fastnn.load(tmp_path / "linear")
    single = [model.predict(row) for row in X]
    np.testing.assert_allclose(single, model.predict(X), rtol=0, atol=1e-5 * np.abs(y).max())


def test_files_of_images_take_one_or_many(tmp_path):
    network = fastnn.Network([fastnn.Flatten(), fastnn.Dense(2)], loss="huber", seed=0).build(
        (3, 3)
    )
    network.save(tmp_path / "m")
    model = fastnn.load(tmp_path / "m")
    images = np.random.default_rng(0).normal(size=(4, 3, 3)).astype(np.float32)
    np.testing.assert_array_equal(model.predict(images[1]), model.predict(images)[1])


def test_a_loaded_model_goes_to_other_processes(trained):
    frame, path = trained
    model = fastnn.load(path)
    row = frame.to_dict("records")[0]
    expected = model.predict(row)
    assert pickle.loads(pickle.dumps(model)).predict(row) == expected


def test_foreign_files_are_refused(tmp_path):
    (tmp_path / "m").write_text("nothing")
    with pytest.raises(fastnn.ModelFileError, match="m"):
        fastnn.load(tmp_path / "m")
    network = fastnn.Network([fastnn.Dense(1)], loss="huber", seed=0).build(4)
    network.save(tmp_path / "m", preprocessing={"mean": 1.0})
    with pytest.raises(fastnn.ModelFileError, match="no preprocessing of a table"):
        fastnn.load(tmp_path / "m")


def test_a_preprocessing_of_another_network_is_refused(trained, tmp_path):
    _, path = trained
    preprocessing = fastnn.Network.load(path).preprocessing
    network = fastnn.Network([fastnn.Dense(1)], loss="huber", seed=0).build(4)
    network.save(tmp_path / "m", preprocessing=preprocessing)
    with pytest.raises(fastnn.ModelFileError, match=r"m: its preprocessing makes \d+ inputs"):
        fastnn.load(tmp_path / "m")
