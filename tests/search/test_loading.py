"""Searches that a storage holds, looked at later, by others, or while they run."""

import os

import optuna
import pytest
from scipy import stats
from small_searches import build, run

from fastnn import ArgumentError
from fastnn.errors import NotBuiltError
from fastnn.search import load, log_uniform, momentum
from fastnn.search.study import studies

SPACE = {
    "rate": log_uniform(1e-3, 1.0),
    "momentum": momentum(0.5, 0.99),
    "units": stats.randint(2, 9),
    "noise": stats.norm(0, 1),
}


@pytest.fixture
def storage(tmp_path):
    return f"sqlite:///{tmp_path / 'search.db'}"


def test_a_loaded_search_is_the_one_that_was_stored(storage, tmp_path):
    result = run(SPACE, trials=12, storage=storage)
    loaded = load(storage, space=SPACE)
    assert repr(loaded) == repr(result)
    assert loaded.trials.equals(result.trials)
    assert loaded.best_params == result.best_params
    assert loaded.seed == result.seed
    for part in ("trials", "dimensions", "importances"):
        assert getattr(loaded.observed(), part) == getattr(result.observed(), part)
    with pytest.raises(NotBuiltError, match="another process trained it"):
        _ = loaded.best_network
    pytest.importorskip("matplotlib").use("agg")
    loaded.report(tmp_path / "report.html")
    assert "How to repeat it" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_without_the_space_parameters_are_as_they_are_stored(storage):
    result = run(SPACE, trials=3, storage=storage, objective=["accuracy", "val_loss"])
    loaded = load(storage)
    for trial, row in zip(result.study.trials, loaded.trials.to_dict("records"), strict=True):
        stored = {k.removeprefix("params_"): v for k, v in row.items() if k.startswith("params_")}
        assert stored == trial.params
    assert [o.direction for o in loaded.objectives] == ["maximize", "minimize"]
    assert len(loaded.pareto_front) == len(result.pareto_front)
    assert "quantile of noise" in stored


def test_a_search_under_way_can_be_looked_at():
    storage = optuna.storages.InMemoryStorage()
    seen = []

    def look(study, trial):
        if trial.number == 1:
            seen.append(load(storage))

    run(trials=4, storage=storage, callbacks=[look], concurrent_trials=4)
    assert len(seen) == 1


def test_what_cannot_be_loaded_is_refused(storage, tmp_path, monkeypatch):
    monkeypatch.setattr(studies, "CREATION_SECONDS", 0.0)
    with pytest.raises(ArgumentError, match=r"does not exist"):
        load(storage)
    assert os.listdir(tmp_path) == []
    run(SPACE, trials=2, storage=storage)
    with pytest.raises(ArgumentError, match="no study 'other'"):
        load(storage, "other")
    with pytest.raises(ArgumentError, match="its space is"):
        load(storage, space={"rate": [1, 2]})
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    optuna.create_study(storage=storage, study_name="foreign")
    with pytest.raises(ArgumentError, match=r"'foreign' was not made by fastnn.search"):
        load(storage, "foreign")

    def broken(params):
        broken.calls += 1
        if broken.calls > 1:
            raise OSError("no")
        return build(params)

    broken.calls = 0
    with pytest.raises(Exception, match="all 2 trials failed"):
        run(build=broken, trials=2, storage=storage, study_name="failed")
    with pytest.raises(ArgumentError, match="no trial of study 'failed' has a value yet"):
        load(storage, "failed")
