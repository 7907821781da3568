"""Encoding of columns as arrays."""

import numpy as np
import pandas as pd
import pytest
from frames import mixed_frame
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, RobustScaler, StandardScaler

from fastnn.errors import ArgumentError, TableWarning
from fastnn.tables import Column, TableEncoder, find_columns


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
    with pytest.warns(TableWarning, match=r"blank cells.*z \(every row"):
        later = encoder.transform(pd.DataFrame({"x": [2.0], "z": [np.nan]}))
    assert np.isfinite(later).all()


def test_a_column_that_is_empty_in_the_training_rows_is_harmless():
    frame = pd.DataFrame({"x": [np.nan, np.nan], "z": [1.0, 2.0]})
    encoder = TableEncoder([Column("x", "number"), Column("z", "number")]).fit(frame)
    assert np.isfinite(encoder.transform(pd.DataFrame({"x": [5.0], "z": [1.5]}))).all()


def test_numbers_of_any_size_are_told_apart():
    rng = np.random.default_rng(0)
    for size in (1e-300, 1e-30, 1e30, 1e300):
        frame = pd.DataFrame({"x": rng.normal(size=200) * size})
        x = TableEncoder([Column("x", "number")]).fit(frame).transform(frame)[:, 0]
        assert np.isfinite(x).all()
        assert np.std(x) == pytest.approx(1, abs=1e-3)


def test_categories_blank_and_unseen():
    frame = pd.DataFrame({"c": ["b", "a", "", "a"]})
    encoder = TableEncoder([Column("c", "category")]).fit(frame)
    new = pd.DataFrame({"c": ["a", " b ", None, "unseen", "NA"]})
    with pytest.warns(TableWarning, match="'unseen' in data row 4"):
        encoded = encoder.transform(new)
    assert encoded.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 0], [1, 0, 0]]


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
