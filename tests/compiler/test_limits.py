"""Whoever limits threads is heard, and too few, or too many, of them change no bits."""

import os
import shutil
import subprocess
import sys

import pytest
from programs import output_of

from fastnn.kernels import native

pytestmark = [
    pytest.mark.skipif(not native.openmp_version(), reason="built without OpenMP"),
    pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them"),
]

# The default, and the team that trains when the full one is forced.
TEAM = """
    import os, sys
    if len(sys.argv) > 1:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
    import numpy as np
    import fastnn
    from fastnn import Dense, Network
    from fastnn.kernels import native

    def team():
        X = np.random.default_rng(0).normal(size=(64, 10))
        net = Network([Dense(20), Dense(1)], loss="huber", seed=0)
        net.fit(X, X[:, 0], verbose=0)
        return native.last_team()
"""
PROCESSORS = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv("FASTNN_TEAM", "force")
    for name in ("OMP_NUM_THREADS", "FASTNN_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def teams(program, *arguments, **options):
    return output_of(TEAM + program, *arguments, **options).split()


def test_affinity_sets_the_default():
    show = "    print(fastnn.get_num_threads(), team())"
    assert teams(show, 1) == ["1", "1"]
    default = int(teams(show)[0])
    assert 1 <= default <= PROCESSORS  # less where a quota says so


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"OMP_NUM_THREADS": "3"}, 3),
        ({"FASTNN_NUM_THREADS": "4"}, 4),
        ({"FASTNN_NUM_THREADS": "3", "OMP_NUM_THREADS": "5"}, 3),
        # OpenMP's limit at the import is not one that was set since.
        ({"FASTNN_NUM_THREADS": "5", "OMP_NUM_THREADS": "3"}, 5),
        ({"FASTNN_NUM_THREADS": "5", "OMP_THREAD_LIMIT": "2"}, 2),
    ],
)
def test_environment(variables, expected):
    assert teams("    print(team())", **variables) == [str(expected)]


def test_limits_set_later():
    program = """
    from threadpoolctl import threadpool_limits
    seen = [team()]
    fastnn.set_num_threads(3)
    seen.append(team())
    with threadpool_limits(2):
        seen.append(team())
        with threadpool_limits({"openmp": 1}):
            seen.append(team())
    seen.append(team())
    print(*seen)
    """
    assert teams(program, OMP_NUM_THREADS="5") == ["5", "3", "2", "1", "3"]


def test_workers_of_loky_share_the_processors():
    program = """
    from joblib import Parallel, delayed, parallel_config
    from limited_jobs import limit
    with parallel_config("loky", inner_max_num_threads=1):
        print(*Parallel(2)(delayed(limit)() for _ in range(4)))
    """
    assert teams(program) == ["1"] * 4


# Fits of several threads at once, as well as one that a numba or OpenMP region of somebody else
# would be: all end, with the bits of a lone one, and teams leave room for each other.
CONCURRENT = """
    import threading
    import numpy as np
    import fastnn
    from fastnn import Dense, Network
    from fastnn.kernels import native

    rng = np.random.default_rng(0)
    X = rng.normal(size=(512, 100))
    barrier = threading.Barrier(4)

    def trained():
        net = Network([Dense(200, "relu"), Dense(200, "relu"), Dense(1)], loss="huber", seed=0)
        net.fit(X, X[:, 0], batch_size=128, epochs=15, verbose=0)
        return net.predict(X).tobytes()

    fastnn.set_num_threads(4)
    expected = trained()
    results, found = [], []

    def work():
        barrier.wait()
        for _ in range(3):
            results.append(trained())
            found.append(native.last_team())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 12 and set(results) == {expected}
    assert max(found) <= 4
    print("done")
"""


@pytest.mark.parametrize("team", ["auto", "force"])
def test_concurrent_fits(team):
    assert output_of(CONCURRENT, FASTNN_TEAM=team) == "done"


# More threads than processors sleep instead of spinning while they wait.
CROWDED = """
    import sys, time
    import numpy as np
    import fastnn
    from fastnn import Dense, Network

    X = np.random.default_rng(0).normal(size=(1024, 200)).astype("f")

    def seconds(threads):
        fastnn.set_num_threads(threads)
        net = Network([Dense(400, "relu"), Dense(400, "relu"), Dense(1)], loss="huber", seed=0)
        net.fit(X, X[:, 0], batch_size=256, verbose=0)
        start = time.perf_counter()
        net.fit(X, X[:, 0], batch_size=256, epochs=5, verbose=0)
        return time.perf_counter() - start

    few, many = int(sys.argv[1]), int(sys.argv[2])
    pairs = [(seconds(few), seconds(many)) for _ in range(4)]
    print(min(many for _, many in pairs) / min(few for few, _ in pairs))
"""


@pytest.mark.parametrize("team", ["auto", "force"])
def test_more_threads_than_processors(team, record_property):
    ratio = float(output_of(CROWDED, PROCESSORS, 3 * PROCESSORS + 1, FASTNN_TEAM=team))
    record_property("ratio", ratio)
    print(f"{3 * PROCESSORS + 1} threads on {PROCESSORS} processors take {ratio:.2f} times as long")
    assert ratio < 10


# libgomp ends a process that cannot create a thread.
FEW_THREADS = (
    TEAM
    + """
    import resource, threading

    def can_start(count):
        "Whether so many threads can live at the same time."
        gate, started = threading.Event(), []
        try:
            for _ in range(count):
                thread = threading.Thread(target=gate.wait)
                thread.start()
                started.append(thread)
        except RuntimeError:
            pass
        gate.set()
        for thread in started:
            thread.join()
        return len(started) == count

    expected = team()
    most = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    limit = 1
    resource.setrlimit(resource.RLIMIT_NPROC, (limit, most))
    while not can_start(3):
        limit += 1
        resource.setrlimit(resource.RLIMIT_NPROC, (limit, most))
    fastnn.set_num_threads(64)
    print(expected, team(), fastnn.get_num_threads())
"""
)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv")
def test_no_more_threads_are_asked_for_than_the_system_grants():
    """Run as another user than root, to whom that limit does not apply."""
    prefix = []
    if os.getuid() == 0:
        prefix = ["setpriv", "--reuid=51966", "--clear-groups", "--no-new-privs"]
        if subprocess.run(
            [*prefix, sys.executable, "-P", "-c", "import fastnn.network"]
        ).returncode:
            pytest.skip("other users cannot read this installation")
    got = output_of(FEW_THREADS, FASTNN_NUM_THREADS="1", OMP_NUM_THREADS="2", prefix=prefix).split()
    assert got[0] == "1"
    assert 2 <= int(got[1]) <= 4
    assert got[2] == "64"
