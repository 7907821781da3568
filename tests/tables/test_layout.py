"""The layout of a file: delimiter, header, rows."""

import numpy as np
import pytest

from fastnn.errors import ArgumentError
from fastnn.tables import read_table


def table(tmp_path, text, **options):
    file = tmp_path / "table.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(file, **options)


@pytest.mark.parametrize(
    ("text", "names", "row"),
    [
        ("size, m2;price\n5;3\n6;4\n", ["size, m2", "price"], [5, 3]),
        ("a|b,c;d\nx|1\ny|2\n", ["a", "b,c;d"], ["x", 1]),
        ("size, m2\n5\n6\n", ["size, m2"], [5]),
        ('a,b\n"1;2;3",x\n"4;5;6",y\n', ["a", "b"], ["1;2;3", "x"]),
        ("name;note\na;hello, you\nb;one, two, three\n", ["name", "note"], ["a", "hello, you"]),
        ("a;b\n0,5;1,5\n0,25;2,5\n", ["a", "b"], [0.5, 1.5]),
        ("sep=;\na;b\n1;x,y\n", ["a", "b"], [1, "x,y"]),
        ("# made by a program\n# at noon, today\na,b\n1,2\n3,4\n", ["a", "b"], [1, 2]),
        ("#a,b\n1,2\n3,4\n", ["#a", "b"], [1, 2]),
        ("a,b\r\n1,2\r\n3,4\r\n", ["a", "b"], [1, 2]),
        ("a,b\r1,2\r3,4\r", ["a", "b"], [1, 2]),
        ("a,b\n1,2,\n3,4,\n", ["a", "b"], [1, 2]),
        ('"a\nx",b\n"u\nv",2\nw,4\n', ["a\nx", "b"], ["u\nv", 2]),
        (",a,\n1,2,x\n", ["Unnamed: 0", "a", "Unnamed: 2"], [1, 2, "x"]),
    ],
)
def test_cells_are_found(tmp_path, text, names, row):
    read = table(tmp_path, text)
    assert read.names == list(read.frame.columns) == names
    assert read.frame.iloc[0].tolist() == row


@pytest.mark.parametrize(
    ("data", "notice"),
    [
        ("größe,b\né,1\n".encode("utf-8-sig"), None),
        ("größe,b\né,1\n".encode("utf-16"), None),
        ("größe,b\né,1\n".encode("utf-16-le"), "UTF-16-LE"),
        ("größe,b\né,1\n".encode("utf-16-be"), "UTF-16-BE"),
        ("größe,b\né,1\n".encode("utf-32"), None),
        ("größe,b\né,1\n".encode("latin-1"), "Windows-1252"),
        ("größe,b\né,1\n€,2\n\x9d,3\n".encode("cp1252", errors="replace"), "Windows-1252"),
    ],
)
def test_encodings_are_found_and_said(tmp_path, data, notice):
    read = table(tmp_path, data)
    assert read.names == ["größe", "b"]
    assert read.frame["größe"][0] == "é"
    assert bool(read.notices) == bool(notice)
    assert notice is None or notice in read.notices[0]


def test_short_rows_are_counted_and_long_ones_refused(tmp_path):
    read = table(tmp_path, "a,b,c\n1,2,3\n4,5\n6\n7,8,\n")
    assert read.notices == [
        "2 rows with fewer cells than the header, the first of them data row 2: what lacks counts "
        "as blank"
    ]
    assert read.frame["c"].isna().tolist() == [False, True, True, True]
    assert not table(tmp_path, 'a,b\n1,"x,y"\n2,""\n').notices
    with pytest.raises(ArgumentError, match="line 4 has 3 cells, the header 2"):
        table(tmp_path, "# comment\na,b\n1,2\n3,4,5\n")
    with pytest.raises(ArgumentError, match="more cells than the header"):
        table(tmp_path, "a,b\n1,2\n3,4,5\n", known={"a": None})


def test_lengths_of_rows_do_not_depend_on_the_pieces_that_are_scanned(tmp_path, monkeypatch):
    from fastnn.tables import layout

    rng = np.random.default_rng(0)
    cells = ["1", '"a,b"', '"two\nlines"', '"say ""no"""', ""]
    rows = [list(rng.choice(cells, rng.integers(1, 5))) for _ in range(200)]
    rows = [row for row in rows if row != [""]]
    data = ("a,b,c,d\n" + "\n".join(",".join(row) for row in rows)).encode()
    found = layout.Layout(",", list("abcd"), start=8, lines=1)
    for piece in (1, 7, 1 << 20):
        monkeypatch.setattr(layout, "_PIECE", piece)
        assert layout.row_lengths(data, found).tolist() == [len(row) for row in rows]


def test_zeros_in_front_are_found_wherever_they_stand(monkeypatch):
    from fastnn.tables import layout

    monkeypatch.setattr(layout, "_PIECE", 3)
    for body, found in [
        ("1,2\n3,07\n", True),
        ("1,2\n007,2\n", True),
        ('1,2\n"07",2\n', True),
        ("1,2\n-07,2\n", True),
        ("100,20\n0,0.5\n10.05,0\n", False),
    ]:
        data = f"a,b\n{body}".encode()
        assert layout.may_have_leading_zeros(data, layout.layout_of(data)) == found
