"""Shares of the machine's limits, measured in the same process: they mean the same everywhere."""

import importlib

from workloads import OVERHEAD, TRAINING, kernels, timing
from workloads.engines import ENGINES

FLOPS = 2 * 10**8  # of one measurement of the peak on a core
STREAMED = 28  # bytes that the stream moves for an element: four reads, three writes


def _limits(threads: int):
    limits = importlib.import_module("peers.adapters.limits")
    limits.initialize(threads)
    return limits


class _Kernel:
    """The share of the stream that a kernel reaches on large arrays."""

    params = (list(kernels.DTYPES),)
    param_names = ("dtype",)
    subject: kernels.Subject

    def setup(self, dtype: str) -> None:
        ENGINES["native"].start()
        self._work = kernels.KernelWork(self.subject, "large", dtype)
        self._call = self._work.call()

    def track_share_of_stream(self, dtype: str) -> float:
        elements = max(1, self._work.bytes_moved // STREAMED)
        return timing.median_ratio(_limits(1).stream(elements), self._call)

    track_share_of_stream.unit = "share of the stream"


class _Product(_Kernel):
    """A kernel whose limit may be arithmetic: its share of that peak, too."""

    def track_share_of_fma_peak(self, dtype: str) -> float:
        """Return the share of the dtype's peak: a vector holds half as many of float64."""
        peak = FLOPS / (2 if dtype == "float64" else 1)
        return self._work.flops / peak * timing.median_ratio(_limits(1).fma(FLOPS), self._call)

    track_share_of_fma_peak.unit = "share of the FMA peak"


for _subject in kernels.subjects():
    _work = kernels.KernelWork(_subject, "large", "float32")
    _kind = _Product if _work.flops > _work.bytes_moved else _Kernel
    globals()[_subject.name] = type(_subject.name, (_kind,), {"subject": _subject})


class Training:
    """Share of the peak of fused multiply-adds in a training step."""

    params = ([workload.name for workload in TRAINING[:4]], ["native", "native, 2 threads"])
    param_names = ("network, batch", "engine")
    unit = "share of the FMA peak"

    def setup(self, network: str, engine: str) -> None:
        ENGINES[engine].start()
        [self._workload] = [w for w in TRAINING if w.name == network]
        self._train = importlib.import_module("peers.adapters.fastnn_native").trainer(
            self._workload
        )

    def track_share_of_fma_peak(self, network: str, engine: str) -> float:
        threads = ENGINES[engine].threads
        flops = self._workload.flops * self._workload.updates
        peak = _limits(threads).fma(FLOPS)
        return flops / (FLOPS * threads) * timing.median_ratio(peak, self._train)


class Overhead:
    """The overhead of a step beside its arithmetic."""

    unit = "µs/step"

    def setup(self) -> None:
        ENGINES["native"].start()
        self._train = importlib.import_module("peers.adapters.fastnn_native").trainer(OVERHEAD)

    def track_overhead(self) -> float:
        self._train()
        return min(timing.duration(self._train, 1) for _ in range(15)) / OVERHEAD.updates * 1e6
