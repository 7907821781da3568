"""The benchmarks of samplers and of halving measure what they say."""

import importlib
import statistics
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import optuna
import pytest

from fastnn.search.space.spaces import space_of

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

#: Where the functions have their least values, and those, as the literature has them.
MINIMA = {
    "Branin": ([np.pi, 2.275], 0.397887),
    "six-hump camel": ([0.0898, -0.7126], -1.0316),
    "log Goldstein-Price": ([0, -1], np.log(3)),
    "Hartmann, 3": ([0.114614, 0.555649, 0.852547], -3.86278),
    "Hartmann, 6": ([0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573], -3.32237),
    "Rosenbrock, 4": ([1] * 4, 0),
    "Ackley, 5": ([0] * 5, 0),
    "Rastrigin, 4": ([0] * 4, 0),
    "Levy, 5": ([1] * 5, 0),
    "Griewank, 4": ([0] * 4, 0),
    "Styblinski-Tang, 5": ([-2.903534] * 5, -39.16617 * 5),
    "Schwefel, 3": ([420.9687] * 3, 0),
    "Michalewicz, 5": ([2.202906, 1.570796, 1.284992, 1.923058, 1.720470], -4.687658),
    "Dixon-Price, 4": ([2 ** -((2**i - 2) / 2**i) for i in range(1, 5)], 0),
    "Zakharov, 4": ([0] * 4, 0),
}


@pytest.fixture(scope="module")
def bench():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        names = ("objectives", "samplers", "halving")
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in names})


def test_functions_have_their_known_minima(bench):
    rng = np.random.default_rng(0)
    found = {problem.name: problem for problem in bench.objectives.functions()}
    assert found.keys() == MINIMA.keys()
    for name, (point, value) in MINIMA.items():
        at = {f"x{i}": x for i, x in enumerate(point)}
        assert found[name].value(at) == pytest.approx(value, abs=2e-4), name
        for _ in range(20):
            near = {key: x + 0.05 * rng.normal() for key, x in at.items()}
            assert found[name].value(near) >= found[name].value(at) - 1e-6, name


def test_other_spaces_can_be_searched_and_have_finite_values(bench):
    for problem in bench.objectives.other_scales():
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(0))
        for _ in range(20):
            assert np.isfinite(problem.value(space_of(problem.space)(study.ask()))), problem.name


def test_tables_hold_the_loss_of_every_network(bench, monkeypatch):
    monkeypatch.setattr(bench.objectives, "HELD_OUT", 30)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    found = bench.objectives.table("small", X, (X[:, 0] > 0).astype(int), 2)
    corner = {"rate": -6, "units": 2, "dropout": 3, "memory": 0}
    losses = [found.value(corner | {"rate": rate}) for rate in range(-6, 3)]
    assert len(set(losses)) > 5
    assert max(losses) <= np.log(2)
    assert min(losses) < losses[0]


def test_a_search_of_the_benchmark_is_one_of_the_package(bench):
    [problem] = [p for p in bench.objectives.functions() if p.name == "Branin"]
    values = [bench.samplers.best(problem, "random", seed, 20) for seed in range(5)]
    assert len(set(values)) == 5
    assert values == [bench.samplers.best(problem, "random", seed, 20) for seed in range(5)]
    longer = [bench.samplers.best(problem, "random", seed, 30) for seed in range(5)]
    assert all(b <= a for a, b in zip(values, longer, strict=True))
    learned = [bench.samplers.best(problem, "tpe", seed, 40) for seed in range(5)]
    assert statistics.median(learned) < statistics.median(longer)


def test_the_table_is_printed(bench, capsys):
    bench.samplers.compare(bench.objectives.functions()[:2], seeds=2, trials=8)
    lines = capsys.readouterr().out.splitlines()
    assert lines[2].startswith("| Branin | ")
    assert lines[3].startswith("| six-hump camel | ")
    assert lines[-1].endswith("of 2 objectives")


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
