"""Which columns are used, and as what."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import kinds, mixed_frame, schema_of

from fastnn.errors import ArgumentError
from fastnn.tables import find_columns, find_target, read_csv

needs_data = pytest.mark.skipif(
    "FASTNN_DATA" not in os.environ, reason="FASTNN_DATA does not name a folder of data sets"
)


def test_every_kind_of_column():
    schema = find_columns(mixed_frame(), "y")
    assert kinds(schema) == {
        "number": "number",
        "holes": "number",
        "colour": "category",
        "level": "code",
        "yes": "category",
    }
    assert set(schema.dropped) == {"id", "constant", "empty"}
    said = "\n".join(schema.notices)
    for name in ("id", "constant", "empty", "holes", "level"):
        assert f"{name}: " in said


def test_numbers_with_odd_blanks_are_said():
    schema = schema_of(charges=["1.5", " ", "3", "NA", "4"] * 4)
    assert kinds(schema) == {"charges": "number"}
    assert schema.notices == [
        "charges: text that is numbers but for 8 blank cells: read as numbers"
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.arange(30) + 5, "number the rows"),
        (np.random.default_rng(0).permutation(30), "number the rows"),
        ([f"{i:04x}-x" for i in range(30)], "identify rows"),
        ([f"2024-01-{i:02}" for i in range(1, 31)], "dates"),
        (["x"] * 30, "'x' in every row"),
        ([2.5] * 30, "2.5 in every row"),
        ([""] * 30, "empty"),
        ([None] * 30, "empty"),
    ],
)
def test_useless_columns_are_dropped(values, reason):
    schema = schema_of(c=values, used=np.tile([1.5, 2.5, 3.5], 10))
    assert set(schema.dropped) == {"c"}
    assert reason in schema.dropped["c"]
    assert schema.notices == [f"c: dropped, {schema.dropped['c']}"]


def test_distinct_whole_numbers_are_an_identifier_by_their_name_only():
    values = np.random.default_rng(0).permutation(1000)[:30]
    schema = schema_of(customerID=values, order_id=values, income=values, paid=values)
    assert set(schema.dropped) == {"customerID", "order_id"}


def test_dates_and_stray_words_become_categories_and_are_said():
    schema = schema_of(
        day=["2024-01-01", "2024-01-02", "2024-01-03"] * 40,
        size=[*np.tile(["1.5", "2.5", "3.5"], 39), "1.5", "2.5", "large"],
    )
    assert kinds(schema) == {"day": "category", "size": "category"}
    assert "looks like dates" in schema.notices[0]
    assert "'large' in data row 120" in schema.notices[1]


def test_roles_given_by_the_caller_win():
    frame = mixed_frame()
    schema = find_columns(
        frame, "y", numeric=["level"], categorical=["number", "constant"], drop=["colour"]
    )
    assert kinds(schema) == {
        "number": "category",
        "holes": "number",
        "level": "number",
        "yes": "category",
        "constant": "code",
    }


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"drop": ["colours"]}, "no column is called 'colours'; did you mean 'colour'"),
        ({"numeric": ["y"]}, "'y' is the target"),
        ({"numeric": ["level"], "categorical": ["level"]}, "more than one role"),
        ({"drop": ["number", "holes", "colour", "level", "yes"]}, "no column but the target"),
    ],
)
def test_bad_roles_are_refused(roles, message):
    with pytest.raises(ArgumentError, match=message):
        find_columns(mixed_frame(), "y", **roles)


def test_duplicate_names_in_a_frame_are_refused():
    frame = pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=["a", "a", "y"])
    with pytest.raises(ArgumentError, match="more than one column is called 'a'"):
        find_columns(frame, "y")


@needs_data
def test_telco_columns():
    frame = read_csv(Path(os.environ["FASTNN_DATA"]) / "telco_churn.csv")
    schema = find_columns(frame, "Churn")
    assert set(schema.dropped) == {"customerID"}
    assert kinds(schema)["TotalCharges"] == "number"
    assert any("TotalCharges" in notice and "11 blank" in notice for notice in schema.notices)
    column, _ = find_target(frame, "Churn")
    assert column.kind == "category"


@needs_data
def test_housing_columns():
    frame = read_csv(Path(os.environ["FASTNN_DATA"]) / "california_housing.csv")
    schema = find_columns(frame, "median_house_value")
    assert not schema.dropped
    assert [name for name, kind in kinds(schema).items() if kind != "number"] == ["ocean_proximity"]
    assert schema.notices == ["total_bedrooms: 207 missing cells"]
    assert find_target(frame, "median_house_value")[0].kind == "number"
