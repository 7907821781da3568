"""The studies measure what they say."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest
from project import ROOT

BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        yield SimpleNamespace(halving=importlib.import_module("studies.halving"))


def test_halving_spends_fewer_epochs(bench):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, 120)
    experiment = bench.halving.Experiment(np.eye(10)[y].astype(np.float32), y, trials=9, epochs=9)
    full = experiment.run(0)
    assert full.epochs == 9 * 9
    for name, found in experiment.halved(0).items():
        first = int(name.split()[-1])
        steps = {1: 9 * 1 + 3 * 2 + 1 * 6, 3: 9 * 3 + 3 * 6}
        assert found.epochs == steps[first]
        assert found.accuracy <= full.accuracy
