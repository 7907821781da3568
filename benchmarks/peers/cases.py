"""The cases: each a piece of work, and the tasks of peers that do it in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workloads import OVERHEAD, TRAINING, Workload

from .adapters import TRAINERS

MACHINE = "machine"  # the peer
LIMIT = "limit"  # its label: no program passes it
COMPILER = "torch.compile"  # takes half a minute before it trains: not in a smoke run
FLOPS = 2 * 10**8  # of one measurement of the peak, on each core: about a millisecond

GEMM_SIZES = (*((n, n, n) for n in (64, 128, 256, 512, 1024, 2048)), (64, 128, 128))
EPILOGUE_SIZES = ((512, 128, 512), (512, 512, 512))
ADAM_SIZES = (10**4, 10**5, 10**7)
DROPOUT_SIZES = (10**6, 10**7)
ACTIVATIONS = ("exp", "tanh", "sigmoid")
ACTIVATION_SIZES = (10**4, 10**5, 10**6)
PREDICTED = (TRAINING[1], TRAINING[3])
BUILT = TRAINING[0]


@dataclass(frozen=True)
class Task:
    """A peer and what it does: the function `kind` of its adapter with `arguments`.

    `label` names it within a case; times are reported for one of the `units` of a call: steps,
    elements, floating-point operations or calls.
    """

    label: str
    peer: str
    threads: int
    kind: str
    arguments: tuple = ()
    units: float = 1


@dataclass(frozen=True)
class Case:
    """Tasks whose repeats take turns; `workload` is set where networks are trained."""

    name: str
    tasks: Sequence[Task]
    workload: Workload | None = None


def training_name(workload: Workload) -> str:
    return f"train {workload.name}"


def prediction_name(workload: Workload) -> str:
    return f"predict a row, {'-'.join(map(str, workload.sizes))}"


def gemm_name(size: tuple[int, int, int]) -> str:
    return f"gemm {'×'.join(map(str, size))}"


def epilogue_name(size: tuple[int, int, int]) -> str:
    return f"dense + dropout {'×'.join(map(str, size))}"


def all_cases(threads: Sequence[int], smoke: bool) -> Iterator[Case]:
    """Return all in the order of the report; parts run on the smallest number of threads."""
    for workload in (*TRAINING, OVERHEAD):
        yield _training(workload, threads, smoke)
    few = min(threads)
    yield from (_gemm(size, few) for size in GEMM_SIZES)
    yield from (_epilogue(size, few) for size in EPILOGUE_SIZES)
    yield from (_adam(size, few) for size in ADAM_SIZES)
    yield from (_dropout(size, few) for size in DROPOUT_SIZES)
    yield from (_activation(name, n, few) for name in ACTIVATIONS for n in ACTIVATION_SIZES)
    yield from (_predict(workload, few) for workload in PREDICTED)
    yield Case("build", [Task("fastnn", "fastnn", few, "build", (BUILT,))])
    yield Case("import", [Task(p, p, few, "start") for p in ("fastnn", "numpy")])


def _peak(threads: int) -> Task:
    return Task(LIMIT, MACHINE, threads, "fma", (FLOPS,), FLOPS * threads)


def _training(workload: Workload, threads: Sequence[int], smoke: bool) -> Case:
    run = workload.short() if smoke else workload
    tasks = [
        Task(peer, peer, n, kind, (run,), run.updates)
        for n in threads
        for peer, kind in TRAINERS.items()
        if not (smoke and peer == COMPILER)
    ]
    return Case(training_name(workload), [*tasks, *map(_peak, threads)], workload)


def _gemm(size: tuple[int, int, int], threads: int) -> Case:
    peers = ("fastnn", "numpy", "torch")
    tasks = [Task(peer, peer, threads, "gemm", size) for peer in peers]
    return Case(gemm_name(size), [*tasks, _peak(threads)])


def _epilogue(size: tuple[int, int, int], threads: int) -> Case:
    kinds = {"fastnn": "dense_dropout", "bare gemm": "gemm"}
    return Case(
        epilogue_name(size),
        [Task(label, "fastnn", threads, kind, size) for label, kind in kinds.items()],
    )


def _elementwise(name: str, threads: int, kind: str, arguments: tuple, limit: str = "") -> Case:
    """Return fastnn beside torch and, where one applies, a limit of memory, per element."""
    size = arguments[-1]
    tasks = [Task(peer, peer, threads, kind, arguments, size) for peer in ("fastnn", "torch")]
    if limit:
        tasks.append(Task(LIMIT, MACHINE, threads, limit, (size,), size))
    return Case(name, tasks)


def _adam(size: int, threads: int) -> Case:
    return _elementwise(f"adam {size:,}", threads, "adam", (size,), "stream")


def _dropout(size: int, threads: int) -> Case:
    return _elementwise(f"dropout {size:,}", threads, "dropout", (size,), "copy")


def _activation(name: str, size: int, threads: int) -> Case:
    return _elementwise(f"{name} {size:,}", threads, "activation", (name, size))


def _predict(workload: Workload, threads: int) -> Case:
    peers = ("fastnn", "scikit-learn", "torch", "jax")
    return Case(
        prediction_name(workload),
        [Task(peer, peer, threads, "predictor", (workload,)) for peer in peers],
    )
