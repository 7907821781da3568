"""A search on the ranks of MPI, as `python -m mpi4py.futures` runs it; prints "done"."""

import sys
import tempfile

from executor_jobs import Noting
from mpi4py.futures import MPIPoolExecutor
from small_searches import assert_same, run

from fastnn.search import log_uniform
from fastnn.search.workers import transport

RATES = {"rate": log_uniform(1e-4, 1.0)}
HALVING = {"space": RATES, "trials": 9, "pruner": "halving", "epochs": 9}


class Elsewhere(transport.ByFile):
    """Make files invisible to ranks, as they are on other machines."""

    def __init__(self, task):
        super().__init__(task)
        self._source += " that is not there"


def main(ranks):
    with MPIPoolExecutor() as executor:
        assert executor.num_workers == ranks - 1
        with tempfile.TemporaryDirectory() as folder:
            build = Noting(folder)
            assert_same(run(**HALVING), run(**HALVING, build=build, executor=executor))
            assert set(build.loads().values()) == {1}
            assert len(build.loads()) <= ranks - 1
        transport.ByFile = Elsewhere
        assert_same(run(trials=12), run(trials=12, executor=executor))
        result = run(RATES, trials=None, timeout=0.3, epochs=100_000, executor=executor)
        assert set(result.trials["state"]) == {"cut short"}
    print("done")


if __name__ == "__main__":
    main(int(sys.argv[1]))
