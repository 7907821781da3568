"""The preprocessing of a table, and its form in JSON."""

import json

import numpy as np
import pytest
from frames import mixed_frame

from fastnn.errors import ModelFileError
from fastnn.tables import Column, Preprocessing, TableEncoder, Target, find_columns


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
    columns, target = good["columns"], good["target"]
    for part, value, message in [
        ("target", None, "target must be an object, got None"),
        ("target", target | {"classes": ["a"]}, "target.classes has 1"),
        ("target", target | {"name": columns[0]["name"]}, "names of columns must differ"),
        ("columns", [{"name": "x"}], "lacks 'kind'"),
        ("columns", 5, "columns must be a list, got 5"),
        ("columns", [columns[0]] * 2, "names of columns must differ"),
        ("columns", [columns[0] | {"notation": [1]}], "notation must be an object"),
        ("columns", [columns[0] | {"notation": {"point": "."}}], "unknown mark of notation"),
        ("columns", [columns[0] | {"notation": {"decimal": ";"}}], "unknown notation.decimal"),
        ("columns", [columns[0] | {"notation": {"thousands": "ab"}}], "thousands must be one mark"),
        ("dropped", {"x": 1}, "dropped.'x'. must be a string"),
        ("dialect", {"decimal": ";", "thousands": None, "missing": []}, "decimal must be"),
        ("dialect", {"decimal": None, "thousands": None, "missing": "NA"}, "must be a list"),
        ("dialect", {"decimal": None, "thousands": None, "missing": [1]}, "must be a string"),
    ]:
        with pytest.raises(ModelFileError, match=f"malformed: .*{message}"):
            Preprocessing.from_dict(good | {part: value})


def test_columns_the_model_does_not_know():
    frame = mixed_frame()
    schema = find_columns(frame, "y")
    encoder = TableEncoder(schema.columns).fit(frame)
    target = Target.learn(Column("y", "category"), frame["y"].to_numpy())
    unused = Preprocessing(encoder, target, schema.dropped).unused(frame.assign(new=1, other=2))
    assert unused == ["new", "other"]
