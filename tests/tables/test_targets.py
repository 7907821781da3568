"""Which task a target means, which rows it leaves, and its way there and back."""

import numpy as np
import pandas as pd
import pytest

from fastnn.errors import ArgumentError
from fastnn.tables import Column, Target, find_target, usable_rows


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
