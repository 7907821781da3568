"""SIGINT in the processes of a pool: it ends jobs, never what the pool does between them."""

import os
import signal
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
from executor_jobs import Interrupted, half_a_result, nap, slow_build
from programs import output_of
from small_searches import RATES, assert_same, run

from fastnn.search.workers import executors

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning"),
    pytest.mark.usefixtures("temporary", "limited"),
]


def test_an_interrupted_job_is_given_out_again(processes, tmp_path):
    """The searcher itself was not interrupted."""
    marked = Interrupted(tmp_path, times=3)
    result = run(RATES, executor=processes, build=marked)
    assert not result.interrupted
    assert len(marked.marks) == 3
    assert_same(run(RATES), result)


def test_ctrl_c_keeps_idle_workers(processes):
    expected = run(RATES)
    assert_same(expected, run(RATES, executor=processes, build=slow_build))
    pids = list(processes._processes)
    for pid in pids:
        os.kill(pid, signal.SIGINT)
    assert_same(expected, run(RATES, executor=processes))
    assert list(processes._processes) == pids


def test_calls_of_others_are_still_interrupted():
    with ProcessPoolExecutor(1) as pool:
        run(RATES, executor=pool, trials=2)
        call = pool.submit(nap)
        [pid] = pool._processes
        time.sleep(0.5)
        os.kill(pid, signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            call.result(timeout=600)


BAD_MOMENT = """
    import sys
    from concurrent.futures import ProcessPoolExecutor
    from executor_jobs import InterruptedBetween
    from small_searches import RATES, run

    if __name__ == "__main__":
        build = InterruptedBetween(sys.argv[1])
        with ProcessPoolExecutor(2) as pool:
            result = run(build=build, executor=pool, trials=20)
        assert len(build.marks) == 1
        print(len(result.trials))
"""


def test_a_lock_of_the_pool_is_given_back(tmp_path):
    output = output_of(BAD_MOMENT, tmp_path, PYTHONWARNINGS="ignore")
    assert output == "20"


def test_a_pool_ends_though_a_worker_has_sent_half_a_result():
    pool = ProcessPoolExecutor(2)
    call = pool.submit(half_a_result)
    other = pool.submit(nap)
    time.sleep(0.5)
    executors._shut_down(pool, kill=True)
    assert call.exception() is not None
    assert other.exception() is not None
