"""Text that looks like numbers stays what it is; numbers are read as numbers."""

import numpy as np
import pandas as pd
import pytest

from fastnn.tables import Dialect, Notation, find_columns, read_table


def write(tmp_path, columns):
    file = tmp_path / "table.csv"
    lines = [
        ",".join(columns),
        *(",".join(map(str, row)) for row in zip(*columns.values(), strict=False)),
    ]
    file.write_text("\n".join(lines) + "\n")
    return file


def late(usual, odd, rows=1000):
    """Cells of which the last one alone is odd, far behind those by which columns are sorted."""
    return [*(usual(i) for i in range(rows - 1)), odd]


def test_numbers_are_read_as_numbers_and_words_as_they_stand(tmp_path):
    file = write(tmp_path, {"x": ["1.5", "NA", "-2e3"], "n": [1, 2, 3], "w": [" True", "NA", "-"]})
    frame = read_table(file).frame
    assert frame.dtypes.tolist() == [np.float64, np.int64, object]
    assert frame["w"].tolist() == [" True", "NA", "-"]
    np.testing.assert_array_equal(frame["x"], [1.5, np.nan, -2000])


@pytest.mark.parametrize(
    "odd", ["007", "True", "x", "-", "9007199254740993.0", "123456789012345678901234567890"]
)
def test_a_late_cell_keeps_the_text_of_its_column(tmp_path, odd):
    cells = late(str, odd)
    read = read_table(write(tmp_path, {"a": cells, "b": range(1000)})).frame
    if odd == "-":  # means missing among numbers
        assert np.isnan(read["a"].iloc[-1])
    else:
        assert read["a"].tolist() == cells
    assert read["b"].dtype == np.int64


def test_whole_numbers_beside_blanks_stay_exact(tmp_path):
    cells = ["1234567890123456789", "", "1234567890123456790"]
    assert read_table(write(tmp_path, {"a": cells, "b": "xyz"})).frame["a"].tolist() == cells


def test_named_columns_are_read_as_text(tmp_path):
    file = write(tmp_path, {"a": ["1.0", "+2"], "b": ["1.0", "+2"]})
    frame = read_table(file, text=["a"]).frame
    assert frame["a"].tolist() == ["1.0", "+2"]
    assert frame["b"].tolist() == [1.0, 2.0]


def test_postcodes_are_categories(tmp_path):
    codes = [f"{i % 7:05}" for i in range(700)]
    schema = find_columns(read_table(write(tmp_path, {"zip": codes, "y": codes})).frame, "y")
    assert [column.kind for column in schema.columns] == ["category"]
    assert schema.notices == ["zip: numbers with zeros in front: read as categories"]


def test_decimal_commas_are_read_wherever_they_begin(tmp_path):
    file = tmp_path / "table.csv"
    late_cells = late(str, "0,5")
    rows = [f"{i % 9},{i % 10};{cell};{i}" for i, cell in enumerate(late_cells)]
    file.write_text("early;late;y\n" + "\n".join(rows) + "\n")
    read = read_table(file)
    assert read.notations == {"early": Notation(",")}
    assert read.frame["early"].iloc[11] == 2.1
    schema = find_columns(read.frame, "y", notations=read.notations)
    assert {column.name: column.notation.decimal for column in schema.columns} == {
        "early": ",",
        "late": ",",
    }


def test_an_unclear_column_follows_the_clear_ones(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("a;b;y\n" + "".join(f"1,{i};1,{i:03};x\n" for i in range(40)))
    assert read_table(file).notations == {"a": Notation(","), "b": Notation(",")}
    file.write_text("a;b;y\n" + "".join(f"1.{i};1,{i:03};x\n" for i in range(40)))
    assert read_table(file).notations == {"b": Notation(".", ",")}
    file.write_text("b;y\n" + "".join(f"1,{i:03};{'xz'[i % 2]}\n" for i in range(40)))
    read = read_table(file)
    assert read.notations == {}
    frame = read.frame.assign(other=np.arange(40) ** 2)
    schema = find_columns(frame, "y")
    assert "two ways" in schema.doubts[0]
    assert "--decimal ," in schema.doubts[0]
    given = read_table(file, Dialect(decimal=","))
    assert given.frame["b"].iloc[1] == 1.001


def test_words_for_missing_can_be_given(tmp_path):
    file = write(tmp_path, {"x": ["1.5", "k.A.", "3"], "w": ["u", "k.a.", "v"], "y": "aba"})
    frame = read_table(file, Dialect(missing=("k.A.",)), text=["w"]).frame
    np.testing.assert_array_equal(frame["x"], [1.5, np.nan, 3])
    assert frame["w"].tolist() == ["u", "", "v"]


def test_columns_that_are_not_wanted_are_not_read(tmp_path, monkeypatch):
    file = write(tmp_path, {"a": [1, 2], "b": ["x", "y"], "c": [3, 4]})
    asked = []
    parse = pd.read_csv
    monkeypatch.setattr(
        pd, "read_csv", lambda *a, **k: (asked.append(k["usecols"]), parse(*a, **k))[1]
    )
    read = read_table(file, known={"b": None, "a": Notation()})
    assert asked == [["a", "b"]]
    assert list(read.frame.columns) == ["a", "b"]
    assert read.names == ["a", "b", "c"]


def test_the_rows_of_a_table_of_numbers_are_parsed_once(tmp_path, monkeypatch):
    file = write(tmp_path, {"a": np.linspace(0, 1, 50), "b": range(50), "y": ["u", "v"] * 25})
    calls = []
    parse = pd.read_csv
    monkeypatch.setattr(pd, "read_csv", lambda *a, **k: (calls.append(1), parse(*a, **k))[1])
    read_table(file, text=["y"])
    assert len(calls) == 1


def test_points_stand_between_thousands_where_other_columns_have_decimal_commas(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("a;b;y\n" + "".join(f"1,{i};{i + 1}.000;x\n" for i in range(40)))
    assert read_table(file).notations["b"] == Notation(",", ".")
    file.write_text("a;b;y\n" + "".join(f"{i};{i + 1}.000;x\n" for i in range(40)))
    assert read_table(file).notations == {}
