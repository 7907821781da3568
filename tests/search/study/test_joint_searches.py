"""Searches that share a study: resumed after a kill, joined by others, never counted twice."""

import random
import signal
import threading
import time

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from postgresql_server import postgresql, postgresql_server  # noqa: F401 – fixtures
from searching_jobs import RATES, end, negative_loss, running, start, trials, wait_until
from small_searches import SPACE, run

from fastnn.search import run as run_module
from fastnn.search.study import heartbeats as module
from fastnn.search.study.heartbeats import Heartbeats
from fastnn.search.study.leases import TrialLeases
from fastnn.search.study.storages import OWNER, storage_of

TRIALS = 24
RANDOM = {"space": RATES, "trials": TRIALS, "epochs": 20}
GRID = {"space": {**SPACE, "momentum": [0.0, 0.5, 0.9]}, "sampler": "grid", "trials": None}
HALVING = {**RANDOM, "pruner": "halving", "epochs": 9, "concurrent_trials": None}
ASYNCHRONOUS = {**RANDOM, "asynchronous": True, "cv": 3}


def frame(result):
    return result.trials.drop(columns="seconds")


def url(folder):
    return f"sqlite:///{folder}/search.db"


@pytest.mark.parametrize(
    ("options", "kills"),
    [
        pytest.param(RANDOM, 4, id="random"),
        pytest.param(GRID, 1, id="grid"),
        pytest.param(HALVING, 1, id="halving"),
        pytest.param(RANDOM, 20, id="random, 20 kills", marks=pytest.mark.slow),
        pytest.param(GRID, 20, id="grid, 20 kills", marks=pytest.mark.slow),
        pytest.param(HALVING, 20, id="halving, 20 kills", marks=pytest.mark.slow),
        pytest.param(ASYNCHRONOUS, 20, id="asynchronous, 20 kills", marks=pytest.mark.slow),
    ],
)
def test_a_search_that_is_killed_goes_on_as_if_nothing_had_happened(options, kills, tmp_path):
    def moments_of_end():
        return {
            t.number: t.datetime_complete for t in trials(url(tmp_path)) if t.state.is_finished()
        }

    moments, ended = random.Random(kills), {}
    for _ in range(kills):
        enough = len(ended) + moments.randint(0, TRIALS // kills)
        process = start(url(tmp_path), **options)
        wait_until(lambda: len(moments_of_end()) >= enough or not process.is_alive())  # noqa: B023
        process.join(moments.uniform(0, 0.2))
        process.kill()
        process.join()
        assert ended.items() <= moments_of_end().items()
        ended = moments_of_end()
    result = run(**options, storage=url(tmp_path))
    assert frame(result).equals(frame(run(**options)))
    assert [t.number for t in result.study.trials] == list(range(len(result.trials)))
    assert all(t.state.is_finished() for t in result.study.trials)
    for number, moment in ended.items():
        assert result.study.trials[number].datetime_complete == moment


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """The URL of a database without tables."""
    return url(tmp_path) if request.param == "sqlite" else request.getfixturevalue("postgresql")


def test_searches_share_the_trials(database):
    for process in [start(database, **RANDOM) for _ in range(2)]:
        end(process)
    result = run(**RANDOM, storage=database)
    assert frame(result).equals(frame(run(**RANDOM)))
    assert len({t.system_attrs[OWNER] for t in result.study.trials[:TRIALS]}) == 2
    assert result.best.models is None


def test_the_trials_of_a_killed_search_are_run_by_the_others(database):
    options = RANDOM | {"trials": 6, "objective": negative_loss}
    first = start(database, **options, hangs=True)
    wait_until(lambda: [0, 1, 2, 3] in running(database).values())
    second = start(database, **options)
    wait_until(lambda: sum(t.state == TrialState.COMPLETE for t in trials(database)) == 2)
    time.sleep(1)
    assert second.is_alive()
    assert [*running(database).values()] == [[0, 1, 2, 3]]  # of one that lives, none is taken
    first.kill()
    first.join()
    end(second)
    result = run(**options, storage=database)
    assert frame(result).equals(frame(run(**options)))
    assert len({t.system_attrs[OWNER] for t in result.study.trials}) == 1


# ------------------------------------------------------------------------------ whose is a trial


@pytest.fixture(params=["sqlite", "memory"])
def storage(request, tmp_path):
    where = url(tmp_path) if request.param == "sqlite" else optuna.storages.InMemoryStorage()
    return storage_of(where)


@pytest.fixture
def study(storage):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(storage=storage.base, study_name="s")


def leases(storage, study, total=None):
    return TrialLeases(storage, study, Heartbeats(storage, storage.study_id(study)), total)


def test_no_search_acquires_more_than_the_total(storage, study):
    one, other = leases(storage, study, 3), leases(storage, study, 3)
    taken = one.acquire(3)
    assert [next(taken).number, *(t.number for t in other.acquire(1)), next(taken).number] == [
        0,
        1,
        2,
    ]
    assert one.status().free == other.status().free == 0
    assert one.status().held_by_others == 1
    assert other.status().held_by_others == 2


def test_a_trial_too_many_is_left_for_a_longer_search(storage, study, monkeypatch):
    one, other = leases(storage, study, 1), leases(storage, study, 1)
    late = one._unfinished()
    assert [trial.number for trial in other.acquire(1)] == [0]
    monkeypatch.setattr(one, "_unfinished", lambda: late)
    assert list(one.acquire(1)) == []
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING, TrialState.WAITING]
    longer = leases(storage, study, 2)
    assert longer.status().free == 1
    assert [trial.number for trial in longer.acquire(5)] == [1]


def test_one_of_many_searches_acquires_a_trial(database):
    storage = storage_of(database)
    study = optuna.create_study(storage=storage.base, study_name="s")
    study.enqueue_trial({})
    for turn in range(2):  # of nobody, then of somebody
        got, ready, old = [], threading.Barrier(8), study.get_trials()[0]

        def grab(owner, got=got, ready=ready, old=old):
            ready.wait(600)
            if storage.change_owner(1, old, owner):
                got.append(owner)

        threads = [threading.Thread(target=grab, args=(f"m {turn} {i}",)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert got == [study.get_trials()[0].system_attrs[OWNER]]


def test_trials_that_were_enqueued_are_run_first(storage, study):
    study.enqueue_trial({"x": 0.25})
    [trial] = leases(storage, study, 1).acquire(1)
    assert trial.suggest_float("x", 0, 1) == 0.25


def test_trials_that_optuna_runs_alone_are_left_alone(storage, study):
    study.ask()
    ours = leases(storage, study, 2)
    assert ours.status().free == 1
    assert ours.status().held_by_others == 0
    assert [trial.number for trial in ours.acquire(2)] == [1]


def test_a_trial_that_was_taken_over_keeps_its_parameters_and_is_lost_to_the_first(storage, study):
    one, other = leases(storage, study, 1), leases(storage, study, 1)
    [trial] = one.acquire(1)
    value = trial.suggest_float("x", 0, 1)
    assert one.record(trial).number == 0
    one.release(trial)
    [again] = other.acquire(1)
    assert again.suggest_float("x", 0, 1) == value
    assert one.record(trial) is None
    assert other.record(again).state == TrialState.RUNNING


# ----------------------------------------------------------------------------------- who is alive


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_a_search_without_heartbeats_is_dead(storage, study, clock, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 1e9)
    us, them = (Heartbeats(storage, storage.study_id(study)) for _ in range(2))
    them.__enter__()
    seen = []
    for count, moment in [(0, 0), (0, 59), (1, 61), (1, 120), (1, 122)]:
        them._write(count)
        clock[0] = moment
        us.refresh()
        seen.append(us.is_dead(them.name))
    them.__exit__()
    assert seen == [False, False, False, False, True]
    assert not us.is_dead(us.name)


def test_a_search_that_ended_is_dead_at_once(storage, study):
    us = Heartbeats(storage, storage.study_id(study))
    with Heartbeats(storage, storage.study_id(study)) as them:
        us.refresh()
        assert not us.is_dead(them.name)
        assert not us.others_are_dead()
    us.refresh()
    assert us.is_dead(them.name)
    assert us.others_are_dead()


def test_searches_write_heartbeats(storage, study, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.01)
    us = Heartbeats(storage, storage.study_id(study))
    with Heartbeats(storage, storage.study_id(study)) as them:

        def beaten():
            us.refresh()
            return us._counts[them.name] >= 2

        wait_until(beaten)


def test_searches_of_other_machines_are_known_by_their_heartbeats(storage, study, clock):
    us = Heartbeats(storage, storage.study_id(study))
    gone = us.name.split(" ")[0] + " 4194304 1"  # above the largest number of a process
    assert us.is_dead(gone)
    assert not us.is_dead("elsewhere/0 4194304 1")
    clock[0] = 61
    assert us.is_dead("elsewhere/0 4194304 1")


# -------------------------------------------------------------------------- a search that went on


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_search_goes_on_after_ctrl_c(tmp_path, asynchronous):
    def interrupt(study, trial):
        if trial.number in (3, 7, 10):
            raise KeyboardInterrupt

    options = {**GRID, "concurrent_trials": 3, "asynchronous": asynchronous}
    interruptions = {"storage": url(tmp_path), "callbacks": [interrupt]}
    cut = [(run(**options, **interruptions).trials["state"] == "cut short").sum() for _ in range(3)]
    assert cut == [2, 2, 0] or asynchronous
    result = run(**options, storage=url(tmp_path))
    assert not result.interrupted
    assert frame(result).equals(frame(run(**options)))


def test_ctrl_c_waits_until_the_study_is_written(tmp_path, monkeypatch):
    written = []

    def interrupted(self, trial_id, key, value, write=RDBStorage.set_trial_user_attr):
        if trial_id == 6 and not written:
            signal.raise_signal(signal.SIGINT)  # in the middle of a transaction, as it may be
            written.append(key)
        write(self, trial_id, key, value)

    with monkeypatch.context() as patched:
        patched.setattr(RDBStorage, "set_trial_user_attr", interrupted)
        assert run(**RANDOM, storage=url(tmp_path)).interrupted
    assert written
    assert frame(run(**RANDOM, storage=url(tmp_path))).equals(frame(run(**RANDOM)))


def test_an_exception_of_a_callback_leaves_no_trial_under_way(tmp_path):
    def spoil(study, trial):
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        run(**RANDOM, storage=url(tmp_path), callbacks=[spoil])
    assert {t.state for t in trials(url(tmp_path))} == {TrialState.COMPLETE, TrialState.WAITING}
    assert frame(run(**RANDOM, storage=url(tmp_path))).equals(frame(run(**RANDOM)))


def test_a_search_taken_for_dead_drops_trials_that_others_acquired(storage, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.5)
    calls = []

    def scorer(estimator, X, y):
        if not calls:
            [trial] = [t for t in storage.base.get_all_trials(study_id) if t.number == 1]
            assert storage.change_owner(trial._trial_id, trial, "elsewhere/0 1 1")
        calls.append(estimator)
        return 0.5

    options = {"objective": scorer, "trials": 6, "concurrent_trials": 2}
    study_id = 0 if storage.engine is None else 1
    result = run(RATES, storage=storage.base, **options)
    assert len(calls) == 7
    assert result.trials["state"].tolist() == ["complete"] * 6


def test_samplers_that_learn_are_told_apart(storage, study):
    us, them = (Heartbeats(storage, storage.study_id(study)) for _ in range(2))
    study.ask()
    with us:
        assert run_module._sampler_key(study, us) == (1,)
        with them:
            assert run_module._sampler_key(study, us) == (1, us.number)
        assert run_module._sampler_key(study, us) == (1,)
    assert us.number != them.number
