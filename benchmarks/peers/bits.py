"""Compare the bits of our own results on several numbers of threads."""

from __future__ import annotations

from .cases import BITS, Case, Task
from .interleave import PeerError, Pool
from .targets import OURS

THREADS = (1, 2, 3, 7)
#: Kinds of work that leave arrays.
KINDS = ("trainer", "predictor", "gemm", "dense_dropout", "adam", "dropout", "activation")


def are_equal(case: Case, pool: Pool) -> bool | None:
    """Return whether a case leaves the same bits on all `THREADS`; None if it leaves no arrays.

    Each process takes the whole team however small the work. Networks train a short epoch.
    """
    ours = next((task for task in case.tasks if task.label == OURS), None)
    if ours is None or ours.kind not in KINDS:
        return None
    arguments = (case.workload.short(),) if case.workload else ours.arguments
    tasks = [Task(BITS, BITS, threads, ours.kind, arguments) for threads in THREADS]
    pool.start(tasks)
    try:
        digests = {
            pool.worker(task).ask("tell", "digest", task.kind, *task.arguments) for task in tasks
        }
    except PeerError:
        return None
    return len(digests) == 1
