"""Searches on executors: the trials of this process's threads, bit for bit, and how they end."""

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from executor_jobs import SLEEP, Noting, Sleeping, logistic_regression, slow_build
from programs import output_of
from small_searches import HALVING, RATES, assert_same, run

from fastnn import Adam, Dense, Network, SearchError, fit_population, kernels
from fastnn.search.workers import local, pool as pool_module, transport

# Of Python 3.12 on, about fork in a process with threads; that it works is tested here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.usefixtures("temporary", "limited"),
]


# ------------------------------------------------------------------------------ identical trials


def test_trials_are_those_of_this_process(executor):
    """Continued at each rung, wherever that is, and judged in their order."""
    assert_same(run(**HALVING), run(**HALVING, executor=executor))


@pytest.mark.parametrize(
    "options",
    [
        {"sampler": "tpe", "pruner": "hyperband", "epochs": 9, "trials": 9},
        {"cv": 3, "trials": 3},
        {"objective": ["accuracy", "parameters"]},
        {"batch_size": lambda params: params["units"] * 4, "fit_params": {"shuffle": False}},
        {"asynchronous": True},
    ],
    ids=["tpe", "cv", "objectives", "batch_size", "asynchronous"],
)
def test_results_on_processes_are_the_same_for_all_options(options, processes):
    assert_same(run(**options), run(**options, executor=processes))


@pytest.mark.parametrize(
    "method",
    [
        "fork",
        pytest.param("forkserver", marks=pytest.mark.slow),
        pytest.param("spawn", marks=pytest.mark.slow),
    ],
)
def test_every_start_method_of_processes_works(method):
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        assert_same(run(trials=2), run(trials=2, executor=pool))


def test_results_do_not_depend_on_batches(processes, monkeypatch):
    sizes = []

    class Counting(transport.ByFile):
        def submit(self, executor, jobs, threads, max_time):
            sizes.append(len(jobs))
            return super().submit(executor, jobs, threads, max_time)

    monkeypatch.setattr(transport, "ByFile", Counting)
    monkeypatch.setattr(pool_module, "BATCH_SECONDS", 60)  # much longer than the jobs anywhere
    expected = run(RATES, trials=40)
    assert_same(expected, run(RATES, trials=40, executor=processes))
    assert sum(sizes) == 40
    assert max(sizes) > 1
    monkeypatch.setattr(pool_module, "BATCH_SECONDS", 0)
    sizes.clear()
    assert_same(expected, run(RATES, trials=40, executor=processes))
    assert sizes == [1] * 40


def test_state_of_optimizer_and_layers_travels_with_the_network(processes):
    """Two jobs of one trial give the bits of training through."""

    def builder(params):
        layers = [Dense(6, "relu"), Dense(3)]
        return Network(layers, loss="softmax_cross_entropy", optimizer=Adam(params["rate"]))

    result = run(RATES, builder, trials=1, rungs=[1, 3], epochs=5, executor=processes)
    straight = run(RATES, builder, trials=1, epochs=5).best_network
    assert np.array_equal(result.best_network.parameters, straight.parameters)
    assert result.best_network.state.step == straight.state.step
    assert result.best_network.history["loss"] == straight.history["loss"]


def test_workers_use_the_back_end_of_the_search(processes):
    native = run(trials=2, executor=processes)
    with kernels.use("reference"):
        result = run(trials=2, executor=processes)
        assert_same(run(trials=2), result)
    assert not np.array_equal(result.best_network.parameters, native.best_network.parameters)
    assert_same(native, run(trials=2, executor=processes))


@pytest.mark.slow
def test_big_networks_travel_to_dask_beside_its_calls(dask, monkeypatch):
    monkeypatch.setattr(transport, "MAX_INLINE_BYTES", 0)
    assert_same(run(**HALVING), run(**HALVING, executor=dask))


def test_asynchronous_halving_runs_on_executors(executor):
    result = run(**HALVING, executor=executor, asynchronous=True)
    assert len(result.trials) == 9
    assert set(result.trials["epochs"]) <= {1, 3, 9}
    reference = run(RATES, trials=9, epochs=9).study.trials
    network = result.best_network
    assert network.history["val_loss"][-1] == result.best_value
    if result.best.epochs == 9:
        assert result.best_value == reference[result.best.number].value


def test_estimators_run_on_executors(executor):
    options = {"space": {"C": [0.01, 0.1, 1.0]}, "sampler": "grid", "trials": None, "cv": 3}
    options["build"] = logistic_regression
    expected, result = run(**options), run(**options, executor=executor)
    assert result.trials.drop(columns="seconds").equals(expected.trials.drop(columns="seconds"))
    for one, other in zip(result.best.models, expected.best.models, strict=True):
        assert np.array_equal(one.coef_, other.coef_)


def test_data_are_sent_once_to_each_worker(executor, tmp_path):
    build = Noting(tmp_path)
    run(**HALVING, build=build, executor=executor)
    loads = build.loads()
    if isinstance(executor, ThreadPoolExecutor):
        assert not loads
    else:
        assert os.getpid() not in loads
        assert 1 <= len(loads) <= 2
        assert set(loads.values()) == {1}


# ------------------------------------------------------------------------------------ time, ends


@pytest.mark.parametrize("asynchronous", [False, True])
def test_timeout_ends_the_search_with_what_there_is(executor, asynchronous):
    options = {"pruner": "halving", "min_epochs": 10, "concurrent_trials": 4}
    if not isinstance(executor, ThreadPoolExecutor):
        run(trials=2, executor=executor)  # workers have started
    result = run(
        RATES,
        trials=None,
        timeout=0.5,
        epochs=100_000,
        executor=executor,
        asynchronous=asynchronous,
        **options,
    )
    assert set(result.trials["state"]) <= {"cut short", "pruned"}
    assert 1 <= result.best.epochs < 100_000
    assert result.best_network.state.epoch == result.best.epochs


@pytest.mark.parametrize("owned", [False, True])
def test_workers_are_abandoned_after_the_grace_time(owned, monkeypatch):
    monkeypatch.setattr(pool_module, "GRACE_SECONDS", 0.2)
    pool = ProcessPoolExecutor(1)
    start = time.monotonic()
    with pytest.raises(SearchError, match="no trial finished an epoch within timeout"):
        run(
            {"a": [1, 2, 3]},
            lambda params: Sleeping(),
            timeout=0.3,
            executor=(lambda: pool) if owned else pool,
        )
    assert time.monotonic() - start < SLEEP
    pool.shutdown()
    assert (time.monotonic() - start < SLEEP) == owned  # then its worker was ended


def test_ctrl_c_keeps_what_is_done_and_the_executor(processes):
    def interrupt(study, trial):
        if trial.number == 3:
            raise KeyboardInterrupt

    result = run(trials=50, callbacks=[interrupt], concurrent_trials=2, executor=processes)
    assert result.interrupted
    assert all(trial.state.is_finished() for trial in result.study.trials)
    clean = run().trials
    assert result.trials["val_loss"][:4].equals(clean["val_loss"][:4])
    assert_same(run(trials=2), run(trials=2, executor=processes))


def test_executors_made_by_a_function_are_shut_down():
    made = []

    def make():
        made.append(ProcessPoolExecutor(1))
        return made[0]

    assert_same(run(trials=2), run(trials=2, executor=make))
    [pool] = made
    with pytest.raises(RuntimeError, match="shutdown"):
        pool.submit(os.getpid)


def test_a_given_executor_stays_open(processes):
    run(trials=2, executor=processes)
    assert processes.submit(os.getpid).result(timeout=600) != os.getpid()


def test_workers_train_on_one_thread_each_unless_told_otherwise(threads, monkeypatch):
    told = []

    def counting(networks, *arguments, **options):
        told.append(options["threads"])
        return fit_population(networks, *arguments, **options)

    monkeypatch.setattr(local, "fit_population", counting)
    run(trials=2, executor=threads)
    run(trials=2, executor=threads, threads=2)
    assert set(told) == {1, 2}


def test_trials_are_told_as_they_are_done_in_their_order(processes):
    """Not when a round has ended: a search that is killed in between has them."""
    waiting = []

    def look(study, trial):
        waiting.append(sum(not other.state.is_finished() for other in study.trials))

    run(build=slow_build, trials=8, executor=processes, callbacks=[look])
    assert waiting == list(range(7, -1, -1))


def test_nothing_is_left_after_an_error(processes, temporary):
    def fail(study, trial):
        assert list(temporary.glob("fastnn-search-*"))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(callbacks=[fail], executor=processes)


CTRL_C = """
    import os, signal, sys, tempfile
    from concurrent.futures import ProcessPoolExecutor
    from executor_jobs import slow_build
    from pathlib import Path
    from small_searches import HALVING, RATES, run

    def interrupt(study, trial):
        if trial.number == 3:
            os.killpg(os.getpgid(0), signal.SIGINT)  # as a terminal does

    if __name__ == "__main__":
        with ProcessPoolExecutor(2) as pool:
            executor = pool if sys.argv[1] == "given" else lambda: ProcessPoolExecutor(2)
            options = {"callbacks": [interrupt], "asynchronous": True}
            result = run(build=slow_build, trials=500, executor=executor, **options)
        states = result.trials["state"].tolist()
        assert result.interrupted
        assert 3 <= states.count("complete") < 20, states
        assert set(states) == {"complete", "cut short"}
        assert not list(Path(tempfile.gettempdir()).glob("fastnn-search-*"))
        print("done")
"""


@pytest.mark.parametrize("kind", ["given", "made"])
def test_ctrl_c_at_a_terminal_ends_search_and_workers(kind, tmp_path):
    options = {"TMPDIR": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    assert output_of(CTRL_C, kind, **options) == "done"
