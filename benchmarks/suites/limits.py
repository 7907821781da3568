"""Shares of the machine's limits, measured in the same process: they mean the same everywhere."""

import importlib

import timed
from engines import ENGINES
from workloads import OVERHEAD, TRAINING, kernels

FLOPS = 2 * 10**8  # of one measurement of the peak on a core
STREAMED = 28  # bytes that the stream moves for an element: four reads, three writes


def _limits(threads: int):
    limits = importlib.import_module("adapters.limits")
    limits.initialize(threads)
    return limits


class _Kernel:
    """Time at the rate of the peak or of the stream, whichever is later, over the time taken."""

    params = (list(kernels.DTYPES),)
    param_names = ("dtype",)
    unit = "share of the limit"
    subject: kernels.Subject

    def setup(self, dtype: str) -> None:
        ENGINES["native"].start()
        self._work = kernels.KernelWork(self.subject, "large", dtype)
        self._call = kernels.KernelCall(self._work)

    def track_share(self, dtype: str) -> float:
        limits = _limits(1)
        peak = FLOPS / (2 if dtype == "float64" else 1)  # half as many in a vector
        elements = max(1, self._work.bytes_moved // STREAMED)
        fma = self._work.flops / peak * timed.median_ratio(limits.fma(FLOPS), self._call)
        return max(fma, timed.median_ratio(limits.stream(elements), self._call))


for _subject in kernels.subjects():
    globals()[_subject.name] = type(_subject.name, (_Kernel,), {"subject": _subject})


class Training:
    """Share of the peak of fused multiply-adds in a training step."""

    params = ([workload.name for workload in TRAINING[:4]], ["native", "native, 2 threads"])
    param_names = ("network, batch", "engine")
    unit = "share of the FMA peak"

    def setup(self, network: str, engine: str) -> None:
        ENGINES[engine].start()
        [self._workload] = [w for w in TRAINING if w.name == network]
        self._train = importlib.import_module("adapters.fastnn_native").trainer(self._workload)

    def track_share(self, network: str, engine: str) -> float:
        threads = ENGINES[engine].threads
        flops = self._workload.flops * self._workload.updates
        peak = _limits(threads).fma(FLOPS)
        return flops / (FLOPS * threads) * timed.median_ratio(peak, self._train)


class Overhead:
    """What a step costs besides arithmetic."""

    unit = "µs/step"

    def setup(self) -> None:
        ENGINES["native"].start()
        self._train = importlib.import_module("adapters.fastnn_native").trainer(OVERHEAD)

    def track_overhead(self) -> float:
        self._train()
        return min(timed.duration(self._train, 1) for _ in range(15)) / OVERHEAD.updates * 1e6
