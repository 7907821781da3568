"""Targets: the task they mean, rows left out, encoding and decoding."""

import io

import numpy as np
import pandas as pd
import pytest

from fastnn.errors import ArgumentError
from fastnn.tables import (
    Column,
    Dialect,
    Notation,
    Target,
    csv_of,
    find_target,
    read_target,
    usable_rows,
    writing,
)


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        (["no", "yes"], "category", "text"),
        ([True, False], "category", "text"),
        ([0, 1], "code", "2 distinct"),
        (["0", "1.0", ""], "code", "2 distinct"),
        ([0.5, 1.5], "category", "2 distinct"),
        (range(20), "code", "20 distinct"),
        (range(21), "number", "21 distinct"),
        ([1.5, 2.5, 3.0], "number", "fractions"),
        (["1", "x", "2"], "category", "text"),
    ],
)
def test_task_is_decided_by_the_values(values, kind, reason):
    column, why = find_target(pd.DataFrame({"y": list(values)}), "y")
    assert column == Column("y", kind)
    assert reason in why


def test_task_can_be_given():
    frame = pd.DataFrame({"y": [1, 2, 3]})
    assert find_target(frame, "y", "regression")[0].kind == "number"
    assert find_target(frame, "y", "classification")[0].kind == "code"
    with pytest.raises(ArgumentError, match="did you mean 'regression'"):
        find_target(frame, "y", "regresion")
    with pytest.raises(ArgumentError, match="no column is called 'z'"):
        find_target(frame, "z")


def test_rows_without_target_and_lonely_classes_are_left_out():
    column = Column("y", "category")
    values = np.array(["a", "", "b", "a", "b", "c"], dtype=object)
    rows, notices = usable_rows(column, values)
    assert rows.tolist() == [0, 2, 3, 4]
    assert notices == [
        "y: 1 row without a target left out",
        "y: 1 class with a single row left out: c",
    ]
    rows, _ = usable_rows(Column("y", "number"), np.array([1.0, np.nan, 2.0]))
    assert rows.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        ("category", ["a", "a"], "only one class, a"),
        ("number", [2.0, 2.0], "only one value, 2"),
        ("category", ["a", ""], "1 usable row;"),
        ("number", [np.nan, np.nan], "0 usable rows;"),
        ("category", [*map(str, range(30)), "0"], "too many to be classes"),
        ("category", ["a", "a", "b"], "at least 2 rows"),
    ],
)
def test_hopeless_targets_are_refused(kind, values, message):
    values = np.array(values, dtype=float if kind == "number" else object)
    with pytest.raises(ArgumentError, match=message):
        usable_rows(Column("y", kind), values)


def test_classes_there_and_back():
    values = np.array(["10", "9", "10", "-1"], dtype=object)
    target = Target.learn(Column("y", "code"), values)
    assert target.classes == ("-1", "9", "10")  # by number, not by letter
    encoded = target.encode(values)
    assert encoded.tolist() == [2, 1, 2, 0]
    assert target.decode(np.eye(3)[encoded]).tolist() == values.tolist()
    frame = target.to_frame(np.array([[0.25, 0.5, 0.25]]))
    assert frame.to_dict("list") == {
        "y": ["9"],
        "probability_-1": [0.25],
        "probability_9": [0.5],
        "probability_10": [0.25],
    }


def test_values_there_and_back():
    values = np.array([1e6, 2e6, 4e6])
    target = Target.learn(Column("y", "number"), values)
    encoded = target.encode(values)
    assert encoded.shape == (3, 1)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose([encoded.mean(), encoded.std()], [0, 1], atol=1e-6)
    np.testing.assert_allclose(target.decode(encoded), values, rtol=1e-6)


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e40, 1e200, 1e307])
def test_numbers_of_any_size_are_standardised(unit):
    values = unit * np.array([1.0, 2.0, 4.0, 5.0])
    target = Target.learn(Column("y", "number"), values)
    encoded = target.encode(values)
    np.testing.assert_allclose(encoded[:, 0], np.array([-2, -1, 1, 2]) / np.sqrt(2.5), rtol=1e-6)
    np.testing.assert_allclose(target.decode(encoded), values, rtol=1e-6)


def test_a_target_that_differs_by_rounding_alone_is_not_stretched():
    values = np.full(10, 0.3)
    values[::2] = 0.1 + 0.2
    assert Target.learn(Column("y", "number"), values).scale == 1


@pytest.mark.parametrize("mark", ["?", "-", ".", "None", " ? "])
@pytest.mark.parametrize("task", ["auto", "classification"])
def test_marks_for_missing_numbers_are_no_class_among_numbers(mark, task):
    cells = pd.Series(["1", "02", "1", mark, "02"])
    column, _ = find_target(cells.to_frame("y"), "y", task)
    assert column.kind == "code"
    values, _ = read_target(column, cells)
    assert values.tolist() == ["1", "02", "1", "", "02"]
    rows, notices = usable_rows(column, values)
    assert rows.tolist() == [0, 1, 2, 4]
    assert notices == ["y: 1 row without a target left out"]
    assert Target.learn(column, values[rows]).classes == ("1", "02")


def test_a_mark_beside_a_single_number_is_a_class():
    cells = pd.Series(["1", "-", "1", "-"])
    column, _ = find_target(cells.to_frame("y"), "y")
    values, _ = read_target(column, cells)
    assert Target.learn(column, values).classes == ("-", "1")


PRICES = [f"{100_000 + 37 * i}" for i in range(200)]


@pytest.mark.parametrize("odd", ["n/a?", "$", "unknown"])
def test_a_word_among_prices_makes_no_classes_of_them(odd):
    frame = pd.DataFrame({"y": [*PRICES, odd]})
    column, reason = find_target(frame, "y")
    assert column == Column("y", "number")
    assert reason == "it has 200 distinct numbers"
    values, notices = read_target(column, frame["y"])
    assert np.isnan(values).tolist() == [False] * 200 + [True]
    assert notices == [
        f"y: 1 target counted as missing, since no number, such as {odd!r} in data row 201"
    ]
    rows, _ = usable_rows(column, values)
    assert rows.tolist() == list(range(200))


def test_infinite_targets_are_missing_and_large_ones_are_not():
    frame = pd.DataFrame({"y": [*(f"{i + 1}e300" for i in range(40)), "inf", "1e400"]})
    column, _ = find_target(frame, "y")
    values, [notice] = read_target(column, frame["y"])
    assert "2 targets counted as missing, since infinite" in notice
    assert np.isnan(values).sum() == 2
    target = Target.learn(column, values[:40])
    encoded = target.encode(values[:40])
    np.testing.assert_allclose([encoded.mean(), encoded.std()], [0, 1], atol=1e-6)
    np.testing.assert_allclose(target.decode(encoded), values[:40], rtol=1e-6)


@pytest.mark.parametrize(
    ("cells", "notation"),
    [
        (["1,5", "2,25"] * 15 + ["3,125"], Notation(",")),
        ([f"$1,{i:03}" for i in range(40)], Notation(".", ",", "$")),
        ([f"{i}.5 %" for i in range(40)], Notation(unit="%")),
        ([f"{i}.000,25 €" for i in range(1, 40)], Notation(",", ".", "€")),
    ],
)
def test_values_are_read_in_their_own_notation(cells, notation):
    column, _ = find_target(pd.DataFrame({"y": cells}), "y")
    assert column == Column("y", "number", notation)
    assert not np.isnan(read_target(column, pd.Series(cells))[0]).any()


def test_values_that_can_be_read_in_two_ways_are_refused():
    frame = pd.DataFrame({"y": [f"1,{i:03}" for i in range(40)]})
    with pytest.raises(ArgumentError, match=r"two ways; give --decimal , .*--thousands"):
        find_target(frame, "y")
    column, _ = find_target(frame, "y", dialect=Dialect(decimal=","))
    assert column.notation == Notation(",")
    column, _ = find_target(frame, "y", dialect=Dialect(thousands=","))
    assert column.notation == Notation(".", ",")


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["001", "010", "1"], ("001", "1", "010")),
        (["+1", "-1"], ("-1", "+1")),
        (["1.0", "0.0"], ("0.0", "1.0")),
        (["1e3", "20"], ("20", "1e3")),
        (
            ["1234567890123456790", "1234567890123456789"],
            ("1234567890123456789", "1234567890123456790"),
        ),
        (["30%", "5%", "10%"], ("5%", "10%", "30%")),
        (["€ 10", "€ 9"], ("€ 9", "€ 10")),
        (["3,0", "10,0"], ("3,0", "10,0")),
        (["1.000.000", "2.000"], ("2.000", "1.000.000")),
        (["TRUE", "False"], ("False", "TRUE")),
        ([" >50K", "<=50K "], (" >50K", "<=50K ")),
    ],
)
def test_labels_stay_as_they_stand(cells, classes):
    cells = pd.Series(cells * 3, name="y")
    column, _ = find_target(cells.to_frame(), "y")
    values, _ = read_target(column, cells)
    target = Target.learn(column, values)
    assert target.classes == classes
    assert target.decode(np.eye(len(classes))[target.encode(values)]).tolist() == cells.tolist()


def test_labels_that_differ_in_blanks_are_one_and_in_digits_two():
    values, notices = read_target(Column("y", "category"), pd.Series(["a", " a", " a", "b"]))
    assert values.tolist() == [" a", " a", " a", "b"]
    assert not notices
    _, notices = read_target(Column("y", "code"), pd.Series(["1", "1.0", "2"]))
    assert notices == ["y: '1' and '1.0' are one number, but different classes"]
    _, notices = read_target(
        Column("y", "code", Notation(",", "", "%")), pd.Series(["1%", "1,0 %"])
    )
    assert notices == ["y: '1%' and '1,0 %' are one number, but different classes"]


@pytest.mark.parametrize("missing", ["?", "-", ".", "none", "NA", " ? "])
@pytest.mark.parametrize("task", ["auto", "classification"])
def test_marks_of_missing_numbers_are_no_classes_among_numbers(missing, task):
    cells = pd.Series(["0", "1", missing] * 4, name="y")
    column, reason = find_target(cells.to_frame(), "y", task)
    assert task != "auto" or "2 distinct" in reason
    assert read_target(column, cells)[0].tolist() == ["0", "1", ""] * 4


def test_hundreds_of_classes_with_few_rows_each_are_refused_unless_meant():
    values = np.array([f"c{i % 150}" for i in range(600)], dtype=object)
    column = Column("y", "category")
    with pytest.raises(ArgumentError, match=r"150 distinct values in 600 rows.*--task classif"):
        usable_rows(column, values)
    assert len(usable_rows(column, values, many_classes=True)[0]) == 600
    assert len(usable_rows(column, np.repeat(values, 2))[0]) == 1200
    mixed = np.array([*PRICES, *(["n/a?"] * 60)], dtype=object)
    with pytest.raises(ArgumentError, match=r"numbers, others not, such as 'n/a\?'.*--na 'n/a\?'"):
        usable_rows(column, mixed)


@pytest.mark.parametrize(
    "amount", ["({}.5)", "{}.5k", "₹1,23,{:03d}", "{}.2 kg", "US$ 1,23,{:03d}"]
)
def test_amounts_in_no_known_notation_are_told_from_classes(amount):
    values = np.array([amount.format(i) for i in range(200)], dtype=object)
    with pytest.raises(ArgumentError, match=r"too many to be classes.*write them as plain numbers"):
        usable_rows(Column("y", "category"), values)
    names = np.array([f"A{i}" for i in range(200)], dtype=object)
    with pytest.raises(ArgumentError, match=r"too many to be classes$"):
        usable_rows(Column("y", "category"), names)


def test_long_numbers_and_those_with_zeros_in_front_are_classes():
    for cells in ([f"{i:04}" for i in range(30)], [f"12345678901234567{i}" for i in range(30)]):
        column, _ = find_target(pd.DataFrame({"y": cells * 9}), "y")
        assert column.kind == "code"


def test_large_means_take_no_digits_from_predictions():
    values = 1.7e9 + np.arange(100.0)
    target = Target.learn(Column("y", "number"), values)
    lines = "".join(csv_of(target, target.encode(values))).splitlines()
    assert lines[0] == "y"
    np.testing.assert_allclose([float(line) for line in lines[1:]], values, rtol=0, atol=1e-4)


def test_predictions_are_written_in_pieces_that_pandas_reads(monkeypatch):
    monkeypatch.setattr(writing, "_CELLS", 7)
    labels = ("a,b", 'say "x"', "two\nlines", "c\rd")
    outputs = np.random.default_rng(0).dirichlet(np.ones(4), 20).astype(np.float32)
    target = Target(Column("y,\nz", "category"), labels)
    read = pd.read_csv(io.StringIO("".join(csv_of(target, outputs))))
    assert list(read.columns) == target.names
    assert read["y,\nz"].tolist() == target.decode(outputs).tolist()
    np.testing.assert_allclose(read.iloc[:, 1:], outputs, rtol=1e-6)
