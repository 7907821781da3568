"""Notations of numbers, and their detection."""

import numpy as np
import pytest

from fastnn.tables import Notation
from fastnn.tables.notation import PLAIN, notation_of

nan = np.nan


@pytest.mark.parametrize(
    ("notation", "texts", "values"),
    [
        (PLAIN, ["1.5", "-2e3", "1,5", "0x10", "1_0"], [1.5, -2000, nan, nan, nan]),
        (
            Notation(","),
            ["1,5", "-0,804", "7", "1.5", ",5", ",", "1,"],
            [1.5, -0.804, 7, nan, 0.5, nan, 1],
        ),
        (
            Notation(".", ","),
            ["1,234.5", "12,345,678", "1,23", "0,123", "999"],
            [1234.5, 12345678, nan, nan, 999],
        ),
        (Notation(",", "."), ["1.234,5", "-1.000", "1.5"], [1234.5, -1000, nan]),
        (Notation(",", " "), ["1 234,5", "1\u00a0234", "1\u202f234,25"], [1234.5, 1234, 1234.25]),
        (Notation(".", "'"), ["1'234", "1\u2019234.5"], [1234, 1234.5]),
        (Notation(unit="$"), ["$5", "-$5", "$ -5", "5", "5 $", "€5"], [5, -5, -5, 5, 5, nan]),
        (Notation(unit="%"), ["12.5%", "12 %", "-3%"], [12.5, 12, -3]),
        (Notation(","), ["\u22121,5", "1,5E-3", "--1", ""], [-1.5, 0.0015, nan, nan]),
    ],
)
def test_numbers_are_read_as_written(notation, texts, values):
    np.testing.assert_array_equal(notation.parse(texts), values)


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["1.5", "2"], PLAIN),
        (["0,5", "1,25"], Notation(",")),
        (["-0,804", "1,125"], Notation(",")),
        (["1,234.5", "2,345.5"], Notation(".", ",")),
        (["1,234,567", "1,234"], Notation(".", ",")),
        (["1.234,5", "2,5"], Notation(",", ".")),
        (["1 234,5", "2 345,5"], Notation(",", " ")),
        (["$1,200", "$950"], Notation(".", ",", "$")),
        (["3,5 €", "4,25 €"], Notation(",", "", "€")),
        (["12.5%", "3%"], Notation(unit="%")),
        (["US$ 5", "US$ 7.5"], Notation(unit="US$")),
    ],
)
def test_notation_is_found(texts, found):
    [notation] = notation_of(texts)
    assert np.array_equal(notation.parse(texts), found.parse(texts))
    assert (notation.decimal, notation.unit) == (found.decimal, found.unit)


@pytest.mark.parametrize("texts", [["a", "b"], ["5 kg", "3 kg"], ["05.01.2024", "06.01.2024"], []])
def test_words_and_dates_have_no_notation(texts):
    assert notation_of(texts) == ()


def test_what_can_be_read_in_two_ways_is_left_open():
    texts = ["1,234", "5,678"]
    assert {one.decimal for one in notation_of(texts)} == {",", "."}
    assert notation_of(texts, decimal=",") == (Notation(","),)
    assert notation_of(texts, thousands=",") == (Notation(".", ","),)
