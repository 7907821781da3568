"""The examples run, and show what they say they show."""

import importlib
import statistics

import numpy as np
import pytest
from project import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def initialization():
    """The example as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXAMPLES)
        yield importlib.import_module("initialization")


def test_initialization_program_prints_table_and_draws(initialization, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "boundaries.png"
    initialization.main(["--seeds", "2", "--epochs", "20", "--out", str(picture)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:4]] == ["zeros", "normal × 10", "He"]
    assert "50.0% – 50.0%" in lines[1]
    assert [line.split()[-1] for line in lines[1:4]] == ["50%", "83%", "99%"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_initialization_trials_share_points_and_differ_by_seed(initialization):
    zeros, large, he = (initialization.train(start, 3, 1) for start in initialization.STARTS)
    np.testing.assert_array_equal(zeros.X, he.X)
    np.testing.assert_array_equal(large.y, he.y)
    other = initialization.train(initialization.STARTS[2], 4, 1)
    assert not np.array_equal(other.X, he.X)
    assert not np.array_equal(other.network.parameters, he.network.parameters)


def test_zero_weights_keep_hidden_layers_at_zero(initialization):
    trial = initialization.train(initialization.STARTS[0], 0, 50)
    *hidden, last_bias = trial.network.get_weights()
    assert not any(array.any() for array in hidden)
    # Half of the points are in each class, so that the bias has nothing to learn either.
    np.testing.assert_allclose(last_bias, 0, atol=1e-6)


@pytest.mark.slow
def test_initialization_outcomes_are_those_published(initialization):
    trials = initialization.run()
    zeros, large, he = (
        np.array([trial.accuracy for trial in trials[start.name]])
        for start in initialization.STARTS
    )
    shares = [np.bincount(t.y).max() / len(t.y) for t in trials["zeros"]]
    assert zeros.tolist() == shares
    assert statistics.median(he) >= 0.97
    assert (he - large >= 0.05).sum() >= 8
