"""Workers that are killed while they train: nothing is lost, and no trial counts twice."""

import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from executor_jobs import Fatal, dask_client, needed, slow_build
from optuna.storages import InMemoryStorage
from small_searches import SPACE, assert_same, run

from fastnn import ExecutorError
from fastnn.search import log_uniform
from fastnn.search.workers import transport

# Of Python 3.12 on, about fork in a process with threads; that it works is tested here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.usefixtures("temporary", "limited"),
]

#: Every combination, in an order that the seed decides: 4 units are the third and the last.
GRID = {"space": SPACE, "sampler": "grid", "trials": None}


def two_processes():
    return ProcessPoolExecutor(2)


def test_a_pool_that_a_function_makes_is_made_anew(tmp_path):
    build = Fatal(tmp_path, times=2)
    assert_same(run(**GRID), run(**GRID, build=build, executor=two_processes))
    assert len(build.marks) == 2


def test_a_worker_of_such_a_pool_may_be_killed_from_outside():
    pools = []

    def make():
        pools.append(ProcessPoolExecutor(2))
        return pools[-1]

    def kill(study, trial):
        if trial.number == 3:
            os.kill(next(iter(pools[-1]._processes)), signal.SIGKILL)

    options = {"space": {"rate": log_uniform(1e-4, 1.0)}, "trials": 12, "concurrent_trials": 2}
    for asynchronous in (False, True):
        pools.clear()
        result = run(**options, executor=make, callbacks=[kill], asynchronous=asynchronous)
        assert_same(run(**options), result)
        assert len(pools) == 2


def test_a_trial_that_kills_its_worker_each_time_fails_alone(tmp_path):
    build = Fatal(tmp_path, times=1000)
    result = run(**GRID, build=build, executor=two_processes)
    fatal = result.trials["params_units"] == 4
    assert fatal.sum() == 2
    assert result.trials.loc[fatal, "error"].str.startswith("BrokenProcessPool: ").all()
    clean = run(**GRID).trials
    assert result.trials.loc[~fatal, "val_loss"].equals(clean.loc[~fatal, "val_loss"])
    assert len(build.marks) <= 2 * 3


def test_a_pool_that_is_given_ends_the_search_with_what_there_is(tmp_path):
    storage, clean = InMemoryStorage(), run(**GRID).trials
    options = {**GRID, "storage": storage, "concurrent_trials": 2}
    with (
        two_processes() as pool,
        pytest.raises(ExecutorError, match=r"BrokenProcessPool: .*executor=lambda: Proc") as raised,
    ):
        run(**options, build=Fatal(tmp_path, times=1), executor=pool)
    trials = raised.value.result.trials
    done = trials.index[trials["state"] == "complete"]
    assert {0, 1} <= set(done)
    assert trials.loc[done, "val_loss"].equals(clean.loc[done, "val_loss"])
    assert set(trials["state"]) == {"complete", "cut short"}
    with two_processes() as pool:  # the same search goes on with another pool
        trials = run(**options, executor=pool).trials
    assert (trials["state"] == "complete").sum() == 6
    assert trials.loc[done, "val_loss"].equals(clean.loc[done, "val_loss"])


def test_a_pool_that_was_shut_down_is_told():
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(
        ExecutorError, match=r"no more work \(RuntimeError: .*after shutdown"
    ) as raised:
        run(executor=pool)
    assert raised.value.result is None


def test_a_function_that_makes_no_other_is_told(tmp_path):
    pools = iter([ProcessPoolExecutor(1)])
    with pytest.raises(ExecutorError, match="no executor can be made in place of one that broke"):
        run(**GRID, build=Fatal(tmp_path, times=1), executor=lambda: next(pools))


@pytest.mark.slow
def test_a_broken_pool_of_loky_is_replaced(tmp_path):
    loky = needed("loky")
    build = Fatal(tmp_path, times=1)
    try:
        result = run(**GRID, build=build, executor=lambda: loky.get_reusable_executor(2))
    finally:
        loky.get_reusable_executor().shutdown(kill_workers=True)
    assert_same(run(**GRID), result)
    assert len(build.marks) == 1


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "small"), [(1, transport.MAX_INLINE_BYTES), (2, 0)])
def test_dask_runs_the_jobs_of_a_dead_worker_again(workers, small, tmp_path, monkeypatch):
    """The loss of a single worker loses the scattered data too, and jobs that are not small."""
    monkeypatch.setattr(transport, "MAX_INLINE_BYTES", small)
    build = Fatal(tmp_path, times=1)
    with dask_client(workers) as client:
        result = run(**GRID, build=build, executor=client.get_executor())
    assert_same(run(**GRID), result)
    assert len(build.marks) == 1


@pytest.mark.slow
def test_a_dask_worker_killed_from_outside_loses_nothing():
    ended = []
    options = {"space": {"rate": log_uniform(1e-4, 1.0)}, "trials": 24, "concurrent_trials": 6}
    with dask_client() as client:
        pids = list(client.run(os.getpid).values())

        def kill(study, trial):
            ended.append(trial.number)
            if trial.number == 7:
                os.kill(pids[0], signal.SIGKILL)

        executor = client.get_executor()
        result = run(
            **options, build=slow_build, executor=executor, callbacks=[kill], asynchronous=True
        )
        assert pids[0] not in client.run(os.getpid).values()
    assert sorted(ended) == list(range(24))
    assert_same(run(**options), result)


@pytest.mark.slow
def test_workers_of_dask_may_come_late_and_the_client_may_go():
    distributed = needed("distributed")
    options = {"space": {"rate": log_uniform(1e-4, 1.0)}, "trials": 12, "concurrent_trials": 3}

    def leave(study, trial):
        if trial.number == 6:
            client.close()

    with distributed.LocalCluster(
        n_workers=0, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    ) as cluster:
        client = distributed.Client(cluster)
        later = threading.Timer(1.0, cluster.scale, [1])
        later.start()
        result = run(**options, executor=client.get_executor())
        later.join()
        assert_same(run(**options), result)
        with pytest.raises(ExecutorError, match=r"no more work \(") as raised:
            run(**options, executor=client.get_executor(), callbacks=[leave])
    trials = raised.value.result.trials
    assert (trials["state"] == "complete").sum() >= 7


@pytest.mark.slow
def test_a_trial_that_kills_dask_workers_fails_alone(tmp_path):
    dask, space = needed("dask"), {"units": [2, 4, 8]}
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), dask_client() as client:
        build = Fatal(tmp_path, times=1000)
        result = run(space, build, sampler="grid", trials=None, executor=client.get_executor())
    fatal = result.trials["params_units"] == 4
    [error] = result.trials.loc[fatal, "error"]
    assert error.startswith(
        ("KilledWorker: ", "ExecutorError: the executor lost the trial 3 times")
    )
    clean = run(space, sampler="grid", trials=None).trials
    assert result.trials.loc[~fatal, "val_loss"].equals(clean.loc[~fatal, "val_loss"])
