"""Training, prediction and whole fits, by engine."""

import importlib
from functools import partial

from workloads import TRAINING, fits, searches, timing
from workloads.engines import ENGINES

NETWORKS = {workload.name: workload for workload in TRAINING[:4]}
CHOSEN = ["native", "native, 2 threads", "native, avx2", "numba"]

SEARCH = searches.Search(rows=1000, epochs=5, trials=16)


def _adapter(engine: str):
    """Return the module that benchmarks/peers times, too."""
    ENGINES[engine].start()
    return importlib.import_module("peers.adapters.fastnn_native")


class _Network(timing.Timed):
    params = (list(NETWORKS), CHOSEN)
    param_names = ("network, batch", "engine")


class TrainingEpochs(_Network):
    """Seconds of the epochs of one call of fit."""

    def work(self, network: str, engine: str):
        return _adapter(engine).trainer(NETWORKS[network])


class PredictRow(_Network):
    """Latency of one row, from array to array."""

    def work(self, network: str, engine: str):
        return _adapter(engine).predictor(NETWORKS[network])


class BuildAndFirstStep(_Network):
    """Seconds from nothing to a network that has trained on one batch."""

    params = (list(NETWORKS), ["native"])

    def work(self, network: str, engine: str):
        return _adapter(engine).build(NETWORKS[network])


class FitDigits(timing.Timed):
    """A whole fit of the classifier."""

    params = (["float32", "float64"], ["native", "native, 2 threads"])
    param_names = ("dtype", "engine")

    def work(self, dtype: str, engine: str):
        ENGINES[engine].start()
        return fits.whole_fit("fastnn", fits.PROBLEMS[0], dtype)[0]


class SearchThroughput:
    """Networks trained and scored in a second."""

    params = (list(searches.WAYS), ["native", "native, 2 threads"])
    param_names = ("way", "engine")
    unit = "networks/s"

    def setup(self, way: str, engine: str) -> None:
        ENGINES[engine].start()
        self._search = partial(searches.WAYS[way], SEARCH, ENGINES[engine].threads)
        try:
            self._search()
        except ImportError as error:
            raise NotImplementedError(str(error)) from error

    def track_networks(self, way: str, engine: str) -> float:
        return SEARCH.trials / timing.duration(self._search, 1)


class PeakMemory:
    """The memory of a process that trains."""

    params = (list(NETWORKS), ["native", "numba"])
    param_names = ("network, batch", "engine")

    def setup(self, network: str, engine: str) -> None:
        self._train = _adapter(engine).trainer(NETWORKS[network].short())

    def peakmem_training(self, network: str, engine: str) -> None:
        self._train()
