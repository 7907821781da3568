"""Every kernel of the table: a class each, so that tables of different commits may differ."""

from workloads import kernels, timing
from workloads.engines import ENGINES


class _Kernel(timing.Timed):
    """Seconds of a call by size, dtype and engine."""

    params = (
        list(kernels.SIZES),
        list(kernels.DTYPES),
        [name for name in ENGINES if name != "reference"],
    )
    param_names = ("size", "dtype", "engine")
    subject: kernels.Subject

    def work(self, size: str, dtype: str, engine: str):
        ENGINES[engine].start()
        return kernels.KernelWork(self.subject, size, dtype).call()


for _subject in kernels.subjects():
    globals()[_subject.name] = type(_subject.name, (_Kernel,), {"subject": _subject})
