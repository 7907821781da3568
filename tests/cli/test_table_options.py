"""Options for tables: notation, columns, and messages on cells."""

import numpy as np
import pandas as pd
import pytest
from commands import refused

import fastnn
from fastnn.cli import column_names, main

NUMBERS = np.random.default_rng(0).normal(size=120).round(3)
CLASSES = ["yes" if value > 0 else "no" for value in NUMBERS]


def write(path, columns, sep=","):
    rows = [
        sep.join(columns),
        *(sep.join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def warnings_in(error):
    """Lines of standard error but those on the network's quality."""
    return [line for line in error.splitlines() if "no better on the test rows" not in line]


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Run a command in a folder; what it printed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        assert main([*map(str, arguments)]) == 0
        return capsys.readouterr()

    return run


def train(run, data, *options, target="y"):
    return run("train", data, "--target", target, "--epochs", "2", "--out", "m", *options)


@pytest.mark.parametrize(
    "labels", [("001", "010"), ("+1", "-1"), ("1.0", "0.0"), ("TRUE", "FALSE"), (" a", "b ")]
)
def test_predictions_are_labels_as_they_stand(run, tmp_path, labels):
    y = [labels[int(value > 0)] for value in NUMBERS]
    data = write(tmp_path / "d.csv", {"x": NUMBERS, "y": y})
    said = train(run, data).out
    lines = run("predict", "m", data).out.splitlines()
    assert {line.split(",")[0] for line in lines[1:]} <= set(labels)
    assert set(lines[0].split(",")[1:]) == {f"probability_{label}" for label in labels}
    assert set(fastnn.Network.load("m").preprocessing["target"]["classes"]) == set(labels)
    assert any(f"always {label}" in said for label in labels)


def test_decimal_commas_are_found_and_kept_in_the_model(run, tmp_path):
    comma = [f"{value:.3f}".replace(".", ",") for value in NUMBERS]
    data = write(tmp_path / "d.csv", {"x": comma, "y": CLASSES}, sep=";")
    assert "x: numbers with decimal comma" in train(run, data).out
    point = write(tmp_path / "p.csv", {"x": [f"{value:.3f}" for value in NUMBERS]})
    expected = run("predict", "m", data).out
    assert run("predict", "m", point, "--decimal", ".").out == expected
    assert main(["predict", "m", point]) == 2
    one = write(tmp_path / "one.csv", {"x": ["1,234"]}, sep=";")  # alone, it could be thousands
    plain = write(tmp_path / "plain.csv", {"x": ["1.234"]})
    assert run("predict", "m", one).out == run("predict", "m", plain, "--decimal", ".").out


def test_marks_and_words_are_given_and_kept_in_the_model(run, tmp_path):
    cells = [f"{1000 + 9 * i:,}".replace(",", ".") for i in range(119)] + ["k.A."]
    data = write(tmp_path / "d.csv", {"x": cells, "y": CLASSES}, sep=";")
    options = ["--decimal", ",", "--thousands", ".", "--na", "k.A.,none at all"]
    said = train(run, data, *options)
    assert "x: numbers with decimal comma, '.' between thousands, 1 missing cell" in said.out
    assert warnings_in(said.err) == []
    assert run("predict", "m", data).err == ""
    kept = fastnn.Network.load("m").preprocessing["dialect"]
    assert kept == {"decimal": ",", "thousands": ".", "missing": ["k.A.", "none at all"]}


def test_words_may_be_given_twice(run, tmp_path):
    data = write(tmp_path / "d.csv", {"x": [*NUMBERS[:119], "k.A."], "y": CLASSES})
    train(run, data, "--na", "k.A.,k.A.", "--na", "k.A.")
    assert fastnn.Network.load("m").preprocessing["dialect"]["missing"] == ["k.A."]
    assert len(run("predict", "m", data).out.splitlines()) == 121


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--decimal", ";"], '--decimal must be "." or ","'),
        (["--thousands", "ab"], "--thousands must be one mark"),
        (["--thousands", "."], "--thousands and --decimal are both '.'; give --decimal another"),
        (["--na", "\udcff"], "--na has half of a surrogate pair"),
    ],
)
def test_marks_that_cannot_be_are_refused(tmp_path, capsys, options, message):
    data = write(tmp_path / "d.csv", {"x": NUMBERS, "y": CLASSES})
    arguments = ["--target", "y", "--out", tmp_path / "m", *options]
    assert message in refused(capsys, "train", data, *arguments)


@pytest.mark.parametrize(
    ("header", "given", "column"),
    [
        (["a", " b", "y"], " b", " b"),
        (["a", " b", "y"], "b", " b"),
        (["a", '"size, m2"', "y"], "size, m2", "size, m2"),
        (["a", '"size, m2"', "y"], '"size, m2"', "size, m2"),
        (["a", '"size, m2"', "y"], "size\\, m2", "size, m2"),
        (["a", '"say ""x"""', "y"], 'say "x"', 'say "x"'),
        (["a", "[b]", "y"], "[b]", "[b]"),
        (["a", "", "y"], "Unnamed: 1", "Unnamed: 1"),
    ],
)
def test_every_column_can_be_named(run, tmp_path, header, given, column):
    rows = dict(zip(header, (NUMBERS, NUMBERS[::-1], CLASSES), strict=True))
    data = write(tmp_path / "d.csv", rows)
    assert f"{column}: dropped, as asked" in train(run, data, "--drop", given).out


def test_lists_of_names_are_split_and_joined():
    known = ["a", "b, c", " d", 'e "f"', "g,h", "i\\j"]
    assert column_names.resolved(["a, d", "b, c", '"g,h",a'], known) == ["a", " d", "b, c", "g,h"]
    assert column_names.resolved(["unknown , a"], known) == ["unknown", "a"]
    assert column_names.split(column_names.joined(known)) == [name.lstrip() for name in known]
    assert column_names.resolved([column_names.joined(known)], known) == known


def test_cells_that_cannot_be_read_are_counted_on_standard_error(run, tmp_path):
    x = ["bad", "inf", *NUMBERS[2:]]
    price = [*(f"{value:.3f}" for value in NUMBERS[1:]), "n/a?"]
    data = write(tmp_path / "d.csv", {"Unnamed: 0": np.arange(120)[::-1] * 3, "x": x, "y": price})
    said = warnings_in(train(run, data, "--quiet").err)
    assert said == [
        "fastnn: warning: y: 1 target counted as missing, since no number, such as 'n/a?' in data "
        "row 120",
        "fastnn: warning: Unnamed: 0: taken for an index and left out, since its name and its "
        "values are those of an index",
        "fastnn: warning: cells that are no numbers count as missing: x (1 row, such as 'bad' in "
        "data row 1)",
        "fastnn: warning: infinite numbers count as missing: x (1 row)",
    ]
    new = write(tmp_path / "new.csv", {"x": ["1e9", *NUMBERS[1:]], "z": NUMBERS})
    assert run("predict", "m", new).err.splitlines() == [
        "fastnn: numbers far outside those of training: x (1 row, such as 1e+09 in data row 1)",
        "fastnn: columns the model does not know: z",
    ]


def test_short_rows_and_encodings_are_said(run, tmp_path):
    data = tmp_path / "d.csv"
    rows = [f"{value},é,{label}" for value, label in zip(NUMBERS, CLASSES, strict=True)]
    rows[3] = "0.5"
    data.write_bytes(("x,w,y\n" + "\n".join(rows)).encode("latin-1"))
    said = train(run, data).err
    assert "not UTF-8: read as Windows-1252" in said
    assert "1 row with fewer cells than the header, the first of them data row 4" in said


def test_models_of_old_are_read(run, tmp_path):
    data = write(tmp_path / "d.csv", {"x": NUMBERS, "c": ["u", "v"] * 60, "y": CLASSES})
    train(run, data)
    network = fastnn.Network.load("m")
    old = dict(network.preprocessing)
    old["columns"] = [
        {key: value for key, value in column.items() if key not in ("low", "high")}
        for column in old["columns"]
    ]
    assert old["columns"] != network.preprocessing["columns"]
    network.save("old", preprocessing=old)
    assert run("predict", "old", data) == run("predict", "m", data)


def test_predictions_of_many_classes_are_written_in_pieces(run, tmp_path, monkeypatch):
    from fastnn.utils import atomic_write

    classes = [f"c{i % 60:02}" for i in range(6000)]
    data = write(tmp_path / "d.csv", {"x": np.arange(6000) % 101 / 7, "y": classes})
    train(run, data)
    pieces = []
    save = atomic_write.write
    monkeypatch.setattr(
        atomic_write,
        "write",
        lambda path, chunks: save(path, (pieces.append(len(c)) or c for c in chunks)),
    )
    run("predict", "m", data, "--out", "p.csv")
    assert len(pieces) > 2
    assert sum(pieces) == (tmp_path / "p.csv").stat().st_size
    assert pd.read_csv("p.csv").shape == (6000, 61)
