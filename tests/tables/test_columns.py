"""The choice of columns and of their kinds."""

import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from frames import kinds, mixed_frame, schema_of

from fastnn.errors import ArgumentError, ArgumentTypeError
from fastnn.tables import (
    Column,
    Dialect,
    Notation,
    TableEncoder,
    find_columns,
    find_target,
    read_csv,
)

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


def test_few_unreadable_cells_leave_a_column_of_numbers():
    cells = [*np.linspace(0, 1, 57).astype(str), "bad", "n/a?", "x"]
    schema = schema_of(size=cells)
    assert kinds(schema) == {"size": "number"}
    assert schema.notices == ["size: numbers but for 3 cells"]
    assert kinds(schema_of(size=[*cells, *"abcdefgh"], used=np.arange(68) ** 2)) == {
        "used": "number"
    }


@pytest.mark.parametrize("name", ["Unnamed: 0", "index", "level_0", "row", "Unnamed: 0.1"])
def test_a_sampled_index_is_dropped_and_told(name):
    rng = np.random.default_rng(0)
    for values in (rng.choice(1000, 60, replace=False), rng.integers(0, 90, 60)):
        schema = schema_of(**{name: values}, used=rng.normal(size=60))
        assert set(schema.dropped) == {name}
        assert schema.doubts == [
            f"{name}: taken for an index and left out, since its name and its values are those of "
            "an index"
        ]


def test_an_index_with_gaps_is_dropped_by_its_order():
    values = np.delete(np.arange(80), np.arange(0, 80, 5))
    schema = schema_of(number=values, used=np.random.default_rng(0).normal(size=64))
    assert set(schema.dropped) == {"number"}
    shuffled = np.random.default_rng(0).permutation(values)
    assert not schema_of(number=shuffled).dropped
    asked = find_columns(
        pd.DataFrame({"number": values, "y": ["a", "b"] * 32}), "y", numeric=["number"]
    )
    assert kinds(asked) == {"number": "number"}


def test_codes_of_many_digits_are_told_apart():
    codes = [f"123456789012345678{i % 3}" for i in range(90)]
    schema = schema_of(code=codes)
    assert kinds(schema) == {"code": "code"}
    assert set(schema.columns[0].read(pd.DataFrame({"code": codes}))) == set(codes)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (pd.array([None, *(i * i for i in range(29))], dtype="Int64"), "number"),
        (pd.array([None, *(i / 7 for i in range(29))], dtype="Float64"), "number"),
        (pd.array([True, False, None] * 10, dtype="boolean"), "category"),
        (pd.Categorical([1, 2, 3] * 10), "category"),
        (pd.array(["a", "b", None] * 10, dtype="string"), "category"),
        (pd.to_datetime(["2024-01-01", "2024-01-02"] * 15), "category"),
        (pd.to_timedelta([1, 2] * 15, unit="D"), "category"),
        (pd.Series([1.5, 2, None, 7, "x"] * 6, dtype=object), "category"),
        (np.arange(30).astype(np.float16) ** 2, "number"),
        (pd.Series([b"a", b"b"] * 15, dtype=object), "category"),
    ],
)
def test_columns_of_any_dtype(cells, kind):
    schema = schema_of(c=cells)
    assert kinds(schema) == {"c": kind}
    frame = pd.DataFrame({"c": cells})
    encoded = TableEncoder(schema.columns).fit(frame).transform(frame)
    assert np.isfinite(encoded).all()
    assert np.ptp(encoded) > 0


@pytest.mark.parametrize("kind", ["int64", "float", "bool", "string", "dictionary", "timestamp"])
def test_columns_of_arrow(kind):
    pa = pytest.importorskip("pyarrow")
    kinds_of = {
        "int64": ([None, *(i * i for i in range(29))], pa.int64()),
        "float": ([None, *(i / 7 for i in range(29))], pa.float32()),
        "bool": ([True, False, None] * 10, pa.bool_()),
        "string": (["a", "b", None] * 10, pa.string()),
        "dictionary": (["a", "b", None] * 10, pa.dictionary(pa.int32(), pa.string())),
        "timestamp": ([1, 2, None] * 10, pa.timestamp("s")),
    }
    values, arrow = kinds_of[kind]
    frame = pa.table({"c": pa.array(values, arrow)}).to_pandas(types_mapper=pd.ArrowDtype)
    schema = schema_of(c=frame["c"])
    assert kinds(schema) == {"c": "number" if kind in ("int64", "float") else "category"}
    assert np.isfinite(TableEncoder(schema.columns).fit(frame).transform(frame)).all()


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([[1, 2]] * 4, "'c' holds cells of type list"),
        ([{"a": 1}] * 4, "'c' holds cells of type dict"),
        ([1j, 2j, 3j, 4j], "'c' holds complex numbers"),
    ],
)
def test_cells_that_are_no_cells_are_named(cells, message):
    with pytest.raises(ArgumentError, match=message):
        schema_of(c=cells)


def test_foreign_tables_and_names_are_named_with_the_cure():
    with pytest.raises(ArgumentTypeError, match=r"got 0; rename them.*str\(name\)"):
        find_columns(pd.DataFrame({0: [1, 2], "y": [1, 2]}), "y")
    with pytest.raises(ArgumentTypeError, match="numpy's ndarray"):
        find_columns(np.zeros((2, 2)), "y")
    with pytest.raises(ArgumentTypeError, match="builtins's dict"):
        find_target({"y": [1, 2]}, "y")


def test_numbers_in_another_notation_than_asked_for_are_told():
    frame = pd.DataFrame({"a": [f"{i}.25" for i in range(50)], "y": ["no", "yes"] * 25})
    with pytest.raises(ArgumentError, match=r"a: no numbers as .*decimal point \(--decimal \.\)"):
        find_columns(frame, "y", dialect=Dialect(decimal=","))
    schema = find_columns(frame.assign(b="1,5"), "y", categorical=["b"], dialect=Dialect("."))
    assert not schema.doubts


def test_the_reasons_are_told_where_no_column_is_left():
    frame = pd.DataFrame({"row": range(9), "same": 1.5, "y": ["a", "b", "b"] * 3})
    with pytest.raises(
        ArgumentError, match=r"left to learn from; row: its values number.*same: it"
    ):
        find_columns(frame, "y")


def test_numbers_among_text_are_not_read_in_the_notation_of_text():
    column = Column("a", "number", Notation(",", "."))
    cells = [1.234, "1.234", np.float32(0.5), Decimal("2.500"), 10**400, 7, "0,25", None]
    read = column.numbers(pd.Series(cells, dtype=object, name="a"))
    expected = [1.234, 1234, 0.5, 2.5, np.nan, 7, 0.25, np.nan]
    np.testing.assert_array_equal(read.values, expected)
    assert not read.unreadable.any()
    assert read.infinite.tolist() == [False] * 4 + [True] + [False] * 3
