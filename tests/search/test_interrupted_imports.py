"""Ctrl-C while the first search of a process imports packages: none is left imported by half."""

import pytest
from programs import output_of

pytest.importorskip("optuna")
pytest.importorskip("cmaes")

PROGRAM = """
import os, signal, sys
import numpy as np
from fastnn import Adam, Dense, Network
from fastnn.search import load, search, uniform

class PressesAt:
    def __init__(self, name):
        self.name = name

    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            self.name = None
            signal.raise_signal(signal.SIGINT)

def build(params):
    optimizer = Adam(params["learning_rate"])
    return Network([Dense(2)], loss="softmax_cross_entropy", optimizer=optimizer)

def run(url):
    X, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    space, options = {"learning_rate": uniform(0.01, 0.1)}, {"sampler": sys.argv[2], "verbose": 0}
    return search(
        build, space, X, y, trials=3, epochs=2, validation_data=(X, y), seed=0, storage=url,
        **options,
    )

url = "sqlite:///" + sys.argv[1]
finder = PressesAt(sys.argv[3])
sys.meta_path.insert(0, finder)
try:
    run(url)
except KeyboardInterrupt:
    print("interrupted")
print(finder.name, len(run(url).trials), len(load(url).trials))
"""


@pytest.mark.parametrize(
    ("sampler", "name"),
    [
        ("tpe", "optuna.samplers._tpe.sampler"),
        ("tpe", "sqlalchemy.orm.session"),
        ("tpe", "alembic.script"),
        ("cma", "cmaes._cma"),
    ],
)
def test_the_next_search_works(sampler, name, tmp_path):
    printed = output_of(PROGRAM, tmp_path / "search.db", sampler, name)
    assert printed.split() == ["interrupted", "None", "3", "3"]
