"""Reading tables from files, and numbers and codes from their cells."""

import gzip

import numpy as np
import pandas as pd
import pytest

from fastnn.errors import ArgumentError
from fastnn.tables import Column, read_csv, read_table
from fastnn.tables.notation import PLAIN


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
        (b"a,b\n1,2,3\n2,5,6\n", "more cells than the header"),
        (b"a,b\n1,2\n4,5,6\n", "not a CSV file .*line 3"),
        (b"\x89PNG\r\n\x1a\n\0\0", "binary data"),
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
    np.testing.assert_array_equal(text, [1, 2.5, nan, nan, nan, nan, nan, nan, 1e39, -300])
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


def test_columns_of_numbers_share_one_list_of_missing_words(tmp_path, monkeypatch):
    """One for each column takes longer to prepare than a wide row to read."""
    file = tmp_path / "wide.csv"
    file.write_text("a,b,y\n1,?,no,\n", encoding="utf-8")
    given = []
    real = pd.read_csv

    def spied(*args, **options):
        given.append(options["na_values"])
        return real(*args, **options)

    monkeypatch.setattr(pd, "read_csv", spied)
    frame = read_table(file, known={"a": PLAIN, "b": PLAIN}).frame
    assert frame["a"].tolist() == [1]
    assert frame["b"].isna().all()
    file.write_text("a,b,y\n1,?,no\n", encoding="utf-8")
    frame = read_table(file, known={"a": PLAIN, "b": PLAIN}).frame
    assert frame["a"].tolist() == [1]
    assert frame["b"].isna().all()
    assert [type(words) for words in given] == [dict, list]


def test_a_quote_that_never_closes_is_told_with_its_row(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text('a,b\n1,2\n3,4\n"5,6\n7,8\n', encoding="utf-8")
    with pytest.raises(ArgumentError, match="a quote that opens in data row 3 never closes"):
        read_table(file)
