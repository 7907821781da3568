"""Cells that training has not seen the like of are counted, by kind and column."""

import warnings

import numpy as np
import pandas as pd
import pytest

from fastnn.errors import ArgumentError, TableWarning
from fastnn.tables import Column, TableEncoder
from fastnn.tables.findings import BLANK, FAR, INFINITE, UNKNOWN, UNREADABLE, Findings

COLUMNS = [Column("x", "number"), Column("holes", "number"), Column("c", "category")]


@pytest.fixture
def encoder():
    frame = pd.DataFrame(
        {"x": np.linspace(0, 1, 50), "holes": [None, *range(49)], "c": ["a", "b"] * 25}
    )
    return TableEncoder(COLUMNS).fit(frame)


def said(encoder, **cells):
    usual = {"x": [0.5] * 20, "holes": [None] * 20, "c": ["a"] * 20}
    return encoder.unfamiliar(encoder.read(pd.DataFrame(usual | cells)))


def test_familiar_cells_are_not_mentioned(encoder):
    assert said(encoder) == []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        encoder.transform(pd.DataFrame({"x": [0.0, 1.9], "holes": [None, -5], "c": ["b", " a "]}))


def test_every_kind_is_counted_with_an_example(encoder):
    assert said(encoder, x=["bad", *["0.5"] * 19]) == [
        f"{UNREADABLE}: x (1 row, such as 'bad' in data row 1)"
    ]
    assert said(encoder, x=[np.inf, -np.inf, *[0.5] * 18]) == [f"{INFINITE}: x (2 rows)"]
    assert said(encoder, x=[None] * 20) == [f"{BLANK}: x (every row)"]
    assert said(encoder, c=["", None, *["a"] * 18]) == [f"{BLANK}: c (2 rows)"]
    assert said(encoder, c=[*["a"] * 18, "z", "u"]) == [
        f"{UNKNOWN}: c (2 rows, such as 'z' in data row 19)"
    ]
    assert said(encoder, x=[0.5, 1e9, -77, *[0.5] * 17]) == [
        f"{FAR}: x (2 rows, such as 1e+09 in data row 2)"
    ]


def test_many_unreadable_cells_are_refused(encoder):
    with pytest.raises(ArgumentError, match="'x' holds numbers, but data row 1 has 'bad'"):
        said(encoder, x=["bad"] * 5 + ["0.5"] * 15)
    with pytest.raises(ArgumentError, match=r"has '1,5'; it looks like decimal comma .--decimal ,"):
        said(encoder, x=["1,5"] * 20)


def test_what_was_seen_is_kept_in_the_file(encoder):
    again = TableEncoder.from_list(encoder.to_list())
    odd = {"x": [None, 1e9, *[0.5] * 18], "c": ["z"] * 20}
    assert said(again, **odd) == said(encoder, **odd) != []


def test_files_of_old_know_no_ranges(encoder):
    entries = [
        {key: value for key, value in entry.items() if key not in ("low", "high", "rare")}
        for entry in encoder.to_list()
    ]
    assert said(TableEncoder.from_list(entries), x=[1e9] * 20) == []


def test_rare_categories_are_not_unknown():
    cells = [f"c{i:02}" for i in range(60) for _ in range(60 - i)]
    frame = pd.DataFrame({"c": cells})
    encoder = TableEncoder([Column("c", "category")]).fit(frame)
    for one in (encoder, TableEncoder.from_list(encoder.to_list())):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            one.transform(frame)
        with pytest.warns(TableWarning, match="'new' in data row 1"):
            one.transform(pd.DataFrame({"c": ["new", "c59"]}))


def test_many_columns_make_one_sentence():
    findings = Findings(4)
    for i in range(1000):
        findings.add(BLANK, f"x{i}", np.array([True, False, True, False]))
    [sentence] = findings.sentences()
    assert sentence.endswith("x4 (2 rows), and 995 more columns")
