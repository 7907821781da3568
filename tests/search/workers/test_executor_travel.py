"""Objects sent between a search and the workers of an executor, and those that cannot be."""

import os
import pickle
import threading
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from executor_jobs import Locked, Noting, Writing, fails_oddly_for_two_units, logistic_regression
from optuna.storages import InMemoryStorage
from sklearn.linear_model import LogisticRegression
from small_searches import HALVING, RATES, X, Y, assert_same, build, fails_for_two_units, run

from fastnn import SGD, Dense, Network, SearchError
from fastnn.errors import ArgumentTypeError, DivergenceError
from fastnn.search import search
from fastnn.search.workers import transport

# Of Python 3.12 on, about fork in a process with threads; that it works is tested here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.usefixtures("temporary", "limited"),
]


# ---------------------------------------------------------------------------------- what travels


def test_calls_are_small_and_the_data_lie_in_one_file(temporary):
    sizes, files = [], []

    class Weighing(ProcessPoolExecutor):
        def submit(self, *arguments):
            sizes.append(len(pickle.dumps(arguments)))
            files.append([path.stat().st_size for path in temporary.glob("*/*")])
            return super().submit(*arguments)

    wide = np.zeros((5000, 50), np.float32)
    wide[:, :4] = np.random.default_rng(0).normal(size=(5000, 4))
    labels = np.arange(5000) % 3
    with Weighing(2) as pool:
        search(
            build, RATES, wide, labels, trials=4, epochs=2, rungs=[1, 2], verbose=0, executor=pool
        )
    assert max(sizes) < 20_000
    [size] = {size for seen in files for size in seen}
    assert wide.nbytes + labels.nbytes <= size < 1.1 * (wide.nbytes + labels.nbytes) + 200_000
    assert all(len(seen) == 1 for seen in files)


def data_sets():
    strided = np.repeat(X, 2, axis=0)[::2]
    frame = pd.DataFrame(X, columns=list("abcd"))
    return {
        "fortran": np.asfortranarray(X),
        "strided": strided,
        "frame": frame,
        "list": X.tolist(),
        "sparse": scipy.sparse.csr_array(X * (X > 0)),
    }


@pytest.mark.parametrize("kind", data_sets())
def test_data_of_any_kind_are_sent(kind, processes):
    data, space = data_sets()[kind], {"C": [0.01, 1.0]}
    options = {"trials": 2, "sampler": "grid", "verbose": 0, "seed": 0, "cv": 2}
    one = search(logistic_regression, space, data, Y, **options)
    other = search(logistic_regression, space, data, Y, **options, executor=processes)
    assert one.trials["score"].tolist() == other.trials["score"].tolist()
    assert other.trials["error"].isna().all()


def test_memory_maps_are_sent(processes, tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    options = {"trials": 2, "epochs": 2, "sampler": "random", "verbose": 0, "seed": 0}
    assert_same(
        search(build, RATES, X, Y, **options),
        search(build, RATES, mapped, Y, **options, executor=processes),
    )


def test_workers_may_write_to_their_data(processes):
    before = X.copy()

    options = {"validation_data": (X, Y), "sampler": "grid", "executor": processes}
    result = run({"a": [1, 2]}, lambda params: Writing(), **options)
    assert result.trials["error"].isna().all()
    assert np.array_equal(X, before)


def test_the_task_comes_along_where_workers_cannot_read_the_file(processes, tmp_path, monkeypatch):
    class Elsewhere(transport.ByFile):
        def __init__(self, task):
            super().__init__(task)
            self._source = str(tmp_path / "nowhere")

    monkeypatch.setattr(transport, "ByFile", Elsewhere)
    noting = Noting(tmp_path)
    assert_same(run(**HALVING), run(**HALVING, build=noting, executor=processes))
    assert set(noting.loads().values()) == {1}


def test_functions_travel_by_value_where_they_cannot_be_imported(processes):
    units = threading.local  # a closure over something

    def closure(params):
        assert units is threading.local
        return build(params)

    assert_same(run(trials=2), run(trials=2, build=closure, executor=processes))
    assert_same(
        run(trials=2), run(trials=2, build=lambda params: build(params), executor=processes)
    )


# ------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("failing", "text"),
    [
        (fails_for_two_units, "OSError: no room for two"),
        (fails_oddly_for_two_units, "SearchError: OddError: one and other"),
    ],
)
def test_a_build_that_fails_in_a_worker(failing, text, processes):
    result = run(build=failing, sampler="grid", trials=None, executor=processes)
    failed = result.trials["params_units"] == 2
    assert set(result.trials.loc[failed, "error"]) == {text}
    clean = run(sampler="grid", trials=None).trials
    assert result.trials.loc[~failed, "val_loss"].equals(clean.loc[~failed, "val_loss"])


def test_the_error_of_a_worker_tells_where_it_happened(processes):
    class Picky:
        parent = os.getpid()

        def __call__(self, params):
            if os.getpid() != self.parent:
                raise ZeroDivisionError("not here")
            return build(params)

    with pytest.raises(SearchError, match="ZeroDivisionError: not here") as raised:
        run(build=Picky(), executor=processes)
    [note] = raised.value.__cause__.__notes__
    assert "in a worker of the executor" in note
    assert "in __call__" in note


def test_divergence_errors_are_sent_back(processes):
    def wild(params):
        if params["units"] != 8:
            return build(params)
        return Network([Dense(8), Dense(3)], loss="softmax_cross_entropy", optimizer=SGD(1e30))

    trials = run(build=wild, sampler="grid", trials=None, executor=processes).trials
    errors = trials.loc[trials["params_units"] == 8, "error"]
    assert errors.str.startswith("DivergenceError: training diverged in epoch 1").all()
    error = DivergenceError("it did", epoch=2, batch=3, layer="dense")
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == "it did"
    assert (copy.epoch, copy.batch, copy.layer) == (2, 3, "dense")


def test_a_model_that_cannot_be_sent_back_fails_its_trial(processes):
    result = run(
        {"good": [True, False]},
        lambda params: LogisticRegression() if params["good"] else Locked(),
        sampler="grid",
        trials=None,
        executor=processes,
    )
    bad = ~result.trials["params_good"]
    [error] = result.trials.loc[bad, "error"]
    assert error.startswith("ArgumentTypeError: the trained model cannot be sent back: TypeError")
    assert result.trials.loc[~bad, "error"].isna().all()


def test_parameters_that_cannot_be_sent_fail_their_trial(processes):
    locks = {"free": None, "locked": threading.Lock()}

    def space(trial):
        return {"lock": locks[trial.suggest_categorical("lock", ["free", "locked"])]}

    result = run(space, lambda params: build({}), trials=8, executor=processes)
    locked = [trial.params["lock"] == "locked" for trial in result.study.trials]
    assert 0 < sum(locked) < 8
    assert (result.trials["state"] == "fail").tolist() == locked
    assert result.trials.loc[locked, "error"].str.contains("cannot pickle").all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"executor": 3}, "executor must be a concurrent.futures.Executor, a function .* got 3"),
        ({"executor": dict}, "executor, a function, must return a concurrent.futures.Executor"),
    ],
)
def test_what_is_no_executor_is_refused(options, message):
    with pytest.raises(ArgumentTypeError, match=message):
        run(**options)


def test_a_dask_client_is_told_from_its_executor():
    class Client:
        def get_executor(self):
            raise AssertionError

    with pytest.raises(ArgumentTypeError, match=r"give its get_executor\(\)"):
        run(executor=Client())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("build", lambda lock: {"build": lambda params: (lock, build(params))[1]}),
        ("objective", lambda lock: {"objective": lambda estimator, X, y: bool(lock)}),
        ("batch_size", lambda lock: {"batch_size": lambda params: 8 * bool(lock)}),
    ],
)
def test_what_cannot_be_pickled_is_named_before_the_first_trial(name, options, processes, threads):
    storage = InMemoryStorage()
    given = options(threading.Lock())
    with pytest.raises(
        ArgumentTypeError, match=f"^{name} cannot be sent to the processes .*cannot pickle"
    ):
        run(**given, executor=processes, storage=storage)
    assert not storage.get_all_studies()
    assert len(run(**given, executor=threads).trials) == 6  # threads need no copy
