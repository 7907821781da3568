"""Tables: reading cells, deciding about columns and targets, and the way through JSON."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler, StandardScaler

from fastnn.errors import ArgumentError, ModelFileError
from fastnn.tables import (
    Column,
    Preprocessing,
    TableEncoder,
    Target,
    find_columns,
    find_target,
    read_csv,
    usable_rows,
)

needs_data = pytest.mark.skipif(
    "FASTNN_DATA" not in os.environ, reason="FASTNN_DATA does not name a folder of data sets"
)


def mixed_frame(rows=200, seed=0):
    """A table with every kind of column, as text, the way `read_csv` gives it."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"row-{i}" for i in range(rows)],
            "number": rng.normal(5, 2, rows).round(6),
            "holes": np.where(rng.random(rows) < 0.2, np.nan, rng.lognormal(3, 2, rows)),
            "colour": rng.choice(["rot", "grün", "blau, hell", ""], rows),
            "level": rng.integers(1, 5, rows),
            "yes": rng.choice([True, False], rows),
            "constant": 7,
            "empty": "",
            "y": rng.choice(["a", "b"], rows),
        }
    )
    return frame.map(lambda cell: "" if cell != cell else str(cell))


def kinds(schema):
    return {column.name: column.kind for column in schema.columns}


def schema_of(**columns):
    frame = pd.DataFrame(columns)
    frame["y"] = ["a", "b"] * (len(frame) // 2) + ["a"] * (len(frame) % 2)
    return find_columns(frame, "y")


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiter_is_found(tmp_path, delimiter):
    file = tmp_path / "table.csv"
    rows = [["größe", "b", "c"], ["1", "x y", ""], ["2", "ż", "NA"]]
    file.write_text("\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    frame = read_csv(file)
    assert list(frame.columns) == rows[0]
    assert frame.to_numpy().tolist() == rows[1:]  # cells are left as they are


def test_quotes_byte_order_mark_and_compression(tmp_path):
    text = '"name, full","a ""b"""\n"Miller, A","two\nlines"\n'
    plain, packed = tmp_path / "plain.csv", tmp_path / "packed.csv.gz"
    plain.write_bytes(b"\xef\xbb\xbf" + text.encode())
    packed.write_bytes(gzip.compress(text.encode()))
    for file in (plain, packed):
        frame = read_csv(file)
        assert list(frame.columns) == ["name, full", 'a "b"']
        assert frame.iloc[0].tolist() == ["Miller, A", "two\nlines"]


def test_blank_lines_are_cells_of_a_single_column_only(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("a\n1\n\n2\n")
    assert read_csv(file)["a"].tolist() == ["1", "", "2"]
    file.write_text("a,b\n1,1\n\n2,2\n")
    assert len(read_csv(file)) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"a,b\n", "no rows below the header"),
        (b"a,b,a\n1,2,3\n", "more than one column is called 'a'"),
        (b"a,b\n1,2,3\n4,5,6\n", "more cells than the header"),
        (b"a,b\n1,2\n4,5,6\n", "not a CSV file .*line 3"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not a CSV file in UTF-8"),
        (b"PK\x03\x04\0\0\n1", "binary data"),
        (b'a,b\n"1,2\n', "not a CSV file"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, content, message):
    file = tmp_path / "table.csv"
    file.write_bytes(content)
    with pytest.raises(ArgumentError, match=message) as error:
        read_csv(file)
    assert str(file) in str(error.value)


def test_missing_file_folder_and_broken_archive(tmp_path):
    broken = tmp_path / "broken.csv.gz"
    broken.write_bytes(gzip.compress(b"a,b\n1,2\n" * 100)[:-12])
    with pytest.raises(ArgumentError, match="no such file"):
        read_csv(tmp_path / "nothing.csv")
    with pytest.raises(ArgumentError, match="cannot be read"):
        read_csv(tmp_path)
    with pytest.raises(ArgumentError, match="cannot be read"):
        read_csv(broken)


def test_numbers_of_text_and_of_numeric_columns():
    text = Column("x", "number").read(
        pd.DataFrame({"x": ["1", " 2.5 ", "", " ", "NA", "?", "None", "inf", "1e39", "-3e2"]})
    )
    nan = np.nan
    np.testing.assert_array_equal(text, [1, 2.5, nan, nan, nan, nan, nan, nan, nan, -300])
    for column in ([1, None], pd.array([1, None], dtype="Int64"), np.array([1, np.inf])):
        read = Column("x", "number").read(pd.DataFrame({"x": column}))
        np.testing.assert_array_equal(read, [1, nan])


def test_numbers_name_the_row_that_is_none():
    with pytest.raises(ArgumentError, match=r"'x' holds numbers, but data row 3 has 'two'"):
        Column("x", "number").read(pd.DataFrame({"x": ["1", "", "two"]}))


def test_codes_are_the_same_however_they_are_written():
    for cells in (["1", "1.0", " 1", ""], [1.0, 1, 1, np.nan]):
        read = Column("x", "code").read(pd.DataFrame({"x": cells}))
        assert read.tolist() == ["1", "1", "1", ""]
    assert Column("x", "code").read(pd.DataFrame({"x": ["new"]})).tolist() == ["new"]


# --- columns --------------------------------------------------------------------------------------


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


# --- targets --------------------------------------------------------------------------------------


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


# --- the encoder ----------------------------------------------------------------------------------


def test_numbers_are_what_scikit_learn_makes_of_them():
    frame = pd.DataFrame({"x": np.random.default_rng(0).lognormal(0, 3, 50)})
    oracle = make_pipeline(RobustScaler(), FunctionTransformer(np.arcsinh), StandardScaler())
    ours = TableEncoder([Column("x", "number")]).fit(frame).transform(frame)
    np.testing.assert_array_equal(ours, oracle.fit_transform(frame).astype(np.float32))


def test_an_outlier_does_not_swamp_its_column():
    values = np.append(np.random.default_rng(0).normal(size=999), 1e12)
    frame = pd.DataFrame({"x": values})
    x = TableEncoder([Column("x", "number")]).fit(frame).transform(frame)[:, 0]
    assert np.ptp(x[:-1]) > 1  # a plain standard score leaves some 1e-10
    assert x[-1] < 50


def test_missing_numbers_take_the_median_and_are_flagged():
    frame = pd.DataFrame({"x": [1.0, 2.0, np.nan, 9.0], "z": [1.0, 2.0, 3.0, 4.0]})
    encoder = TableEncoder([Column("x", "number"), Column("z", "number")]).fit(frame)
    x = encoder.transform(frame)
    assert x.shape == (4, 3)
    assert x[:, 2].tolist() == [0, 0, 1, 0]
    np.testing.assert_array_equal(x[2, 0], x[1, 0])  # the median is 2
    later = encoder.transform(pd.DataFrame({"x": [2.0], "z": [np.nan]}))
    assert np.isfinite(later).all()


def test_a_column_that_is_empty_in_the_training_rows_is_harmless():
    frame = pd.DataFrame({"x": [np.nan, np.nan], "z": [1.0, 2.0]})
    encoder = TableEncoder([Column("x", "number"), Column("z", "number")]).fit(frame)
    assert np.isfinite(encoder.transform(pd.DataFrame({"x": [5.0], "z": [1.5]}))).all()


def test_categories_blank_and_unseen():
    frame = pd.DataFrame({"c": ["b", "a", "", "a"]})
    encoder = TableEncoder([Column("c", "category")]).fit(frame)
    new = pd.DataFrame({"c": ["a", " b ", None, "unseen", "NA"]})
    assert encoder.transform(new).tolist() == [
        [0, 1, 0],
        [0, 0, 1],
        [1, 0, 0],
        [0, 0, 0],
        [1, 0, 0],
    ]


def test_very_many_categories_are_limited_to_the_frequent_ones():
    cells = [f"c{i:02}" for i in range(60) for _ in range(60 - i)]
    frame = pd.DataFrame({"c": cells})
    encoder = TableEncoder([Column("c", "category")]).fit(frame)
    x = encoder.transform(frame)
    assert x.shape == (len(cells), 50)
    assert [cell for cell, row in zip(cells, x, strict=True) if not row.any()] == cells[-55:]
    assert encoder.notices == [
        "c: 60 categories, of which the 50 most frequent (97% of the rows) are told apart"
    ]


def test_missing_columns_are_named():
    encoder = TableEncoder([Column("size", "number"), Column("colour", "category")])
    encoder.fit(pd.DataFrame({"size": [1.0, 2.0], "colour": ["a", "b"]}))
    with pytest.raises(ArgumentError, match=r"lacks 'colour' \('color' is there\)"):
        encoder.transform(pd.DataFrame({"color": ["a"], "size": [1.0]}))


def test_order_and_extra_columns_do_not_matter():
    frame = mixed_frame()
    encoder = TableEncoder(find_columns(frame, "y").columns).fit(frame)
    shuffled = frame[frame.columns[::-1]].assign(extra="x")
    np.testing.assert_array_equal(encoder.transform(shuffled), encoder.transform(frame))


# --- through JSON ---------------------------------------------------------------------------------


@pytest.mark.parametrize("drop", [(), ["number", "holes"], ["colour", "level", "yes"]])
def test_preprocessing_is_bit_equal_after_json(drop):
    frame, new = mixed_frame(), mixed_frame(seed=1)
    schema = find_columns(frame, "y", drop=drop)
    encoder = TableEncoder(schema.columns).fit(frame)
    target = Target.learn(Column("y", "category"), frame["y"].to_numpy())
    before = Preprocessing(encoder, target, schema.dropped)
    after = Preprocessing.from_dict(json.loads(json.dumps(before.to_dict(), allow_nan=False)))
    for rows in (frame, new):
        np.testing.assert_array_equal(after.encoder.transform(rows), encoder.transform(rows))
    assert after.target == target
    assert after.dropped == schema.dropped
    assert after.to_dict() == before.to_dict()


def test_a_regression_target_survives_json():
    target = Target.learn(Column("y", "number"), np.array([0.1, 0.2, 0.4]))
    assert Target.from_dict(json.loads(json.dumps(target.to_dict()))) == target


def test_foreign_preprocessing_is_refused():
    frame = mixed_frame()
    encoder = TableEncoder(find_columns(frame, "y").columns).fit(frame)
    target = Target.learn(Column("y", "category"), frame["y"].to_numpy())
    good = Preprocessing(encoder, target).to_dict()
    for data in (None, {}, {"format": "other"}):
        with pytest.raises(ModelFileError, match="no preprocessing of a table"):
            Preprocessing.from_dict(data)
    for part, value in [("target", None), ("columns", [{"name": "x"}]), ("columns", 5)]:
        with pytest.raises(ModelFileError, match="malformed"):
            Preprocessing.from_dict(good | {part: value})


def test_columns_the_model_does_not_know():
    frame = mixed_frame()
    schema = find_columns(frame, "y")
    encoder = TableEncoder(schema.columns).fit(frame)
    target = Target.learn(Column("y", "category"), frame["y"].to_numpy())
    unused = Preprocessing(encoder, target, schema.dropped).unused(frame.assign(new=1, other=2))
    assert unused == ["new", "other"]


# --- real tables ----------------------------------------------------------------------------------


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
