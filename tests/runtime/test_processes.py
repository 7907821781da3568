"""Processes that train after, or while, their parent trained: they end, with the same bits."""

import os

import pytest
from programs import output_of

RUNS = 100 if os.environ.get("FASTNN_FULL") == "1" else 10
TIMEOUT = 20 * RUNS + 60

# Spawned children import the main module, so the program is one with a guard; the workers' part
# stands in a module that they can import.
POOLS = """
    import multiprocessing, os, sys, warnings
    from concurrent.futures import ProcessPoolExecutor
    from training_jobs import trained

    def main(method, runs):
        expected = trained(0)
        if method == "loky":
            from joblib import Parallel, delayed
            from joblib.externals.loky import get_reusable_executor
            for _ in range(runs):
                assert set(Parallel(2)(delayed(trained)(i) for i in range(2))) == {expected}
                get_reusable_executor().shutdown(wait=True)
        else:
            context = multiprocessing.get_context(method)
            for _ in range(runs):
                with ProcessPoolExecutor(2, mp_context=context) as pool:
                    assert set(pool.map(trained, range(2))) == {expected}
        assert trained(0) == expected
        print("done")

    if __name__ == "__main__":
        main(sys.argv[1], int(sys.argv[2]))
"""


@pytest.mark.parametrize(
    "method",
    [
        "fork",
        pytest.param("spawn", marks=pytest.mark.slow),
        pytest.param("forkserver", marks=pytest.mark.slow),
        pytest.param("loky", marks=pytest.mark.slow),
    ],
)
def test_pools_train_after_the_parent(method):
    environment = {"FASTNN_TEAM": "force", "FASTNN_NUM_THREADS": "2"}
    assert output_of(POOLS, method, RUNS, timeout=TIMEOUT, **environment) == "done"


@pytest.mark.parametrize("method", ["spawn", "forkserver", "loky"])
def test_a_pool_trains_after_the_parent(method):
    environment = {"FASTNN_TEAM": "force", "FASTNN_NUM_THREADS": "2"}
    assert output_of(POOLS, method, 1, **environment) == "done"


# The child is made while another thread of the parent is inside `fit`, teams at work.
FORK_WHILE_TRAINING = """
    import os, sys, threading, warnings
    from training_jobs import trained

    warnings.simplefilter("ignore", DeprecationWarning)  # of Python, about fork with threads
    expected = trained(0)
    stop = threading.Event()

    def train_on():
        while not stop.is_set():
            assert trained(0, epochs=5) != expected

    others = [threading.Thread(target=train_on) for _ in range(2)]
    for other in others:
        other.start()
    for _ in range(int(sys.argv[1])):
        child = os.fork()
        if child == 0:
            os._exit(0 if trained(0) == expected else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    stop.set()
    for other in others:
        other.join()
    print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("team", ["auto", "force"])
def test_children_of_fork_train_while_the_parent_trains(team):
    environment = {"FASTNN_TEAM": team, "FASTNN_NUM_THREADS": "2"}
    output = output_of(FORK_WHILE_TRAINING, RUNS, timeout=TIMEOUT, **environment)
    assert output == "done"
