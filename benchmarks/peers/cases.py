"""The cases: each a piece of work, and the tasks of peers that do it in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from workloads import CONVOLUTIONS, OVERHEAD, TRAINING, Convolutional, Workload
from workloads.parts import FORMS

from .adapters import trainers

MACHINE = "machine"  # the peer
LIMIT = "limit"  # its label: no program passes it
AVX2, AVX2_LIMIT = "fastnn, AVX2", "limit, AVX2"  # the same of an older instruction set
BITS = "fastnn, bits"  # the peer whose results are compared, and not timed
COMPILERS = ("torch.compile", "keras")  # compile for long before they train: not in a smoke run
FLOPS = 2 * 10**8  # of one measurement of the peak, on each core: about a millisecond

GEMM_PEERS = ("fastnn", "numpy", "torch", "mkl", "blis")
GEMM_SIZES = (*((n, n, n) for n in (64, 128, 256, 512, 1024, 2048)), (64, 128, 128))
GEMM_DTYPES = ("float32", "float64")
GEMM_QUICK = ((512, 512, 512), (64, 128, 128))
AVX2_SIZES = tuple((n, n, n) for n in (256, 512, 1024))
EPILOGUE_SIZES = ((512, 128, 512), (512, 512, 512))
ADAM_SIZES = (10**4, 10**5, 10**7)
PUBLIC_ADAM_SIZES = ADAM_SIZES[:2]
DROPOUT_SIZES = (10**6, 10**7)
ACTIVATIONS = ("exp", "tanh", "sigmoid")
ACTIVATION_SIZES = (10**4, 10**5, 10**6)
PREDICTED = (TRAINING[1], TRAINING[3])
BUILT = TRAINING[0]


@dataclass(frozen=True)
class Product:
    """A matrix product (m, n) with sums over k, size (m, k, n), in one of the forms of a step."""

    size: tuple[int, int, int]
    form: str = FORMS[0]
    dtype: str = GEMM_DTYPES[0]

    @property
    def name(self) -> str:
        """Return the name of its case, in which the first form and dtype go without saying."""
        usual = {FORMS[0], GEMM_DTYPES[0]}
        unusual = [word for word in (self.form, self.dtype) if word not in usual]
        return ", ".join([f"gemm {'×'.join(map(str, self.size))}", *unusual])

    @property
    def by_avx2(self) -> bool:
        """Return whether it is measured with AVX2 too."""
        return self.form == FORMS[0] and self.size in AVX2_SIZES

    @property
    def peers(self) -> list[str]:
        """Return all but BLIS where its wheel mistakes the sizes: transposed oblong float64."""
        mistaken = self.dtype == "float64" and self.form != FORMS[0] and len({*self.size}) > 1
        return [peer for peer in GEMM_PEERS if not (mistaken and peer == "blis")]

    @property
    def quick(self) -> bool:
        """Return whether a smoke run has it: every size of the first form, two of the others."""
        return self == Product(self.size) or self.size in GEMM_QUICK


PRODUCTS = tuple(
    Product(size, form, dtype) for dtype in GEMM_DTYPES for form in FORMS for size in GEMM_SIZES
)


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
    workload: Workload | Convolutional | None = None


def training_name(workload: Workload | Convolutional) -> str:
    return f"train {workload.name}"


def prediction_name(workload: Workload) -> str:
    return f"predict a row, {'-'.join(map(str, workload.sizes))}"


def epilogue_name(size: tuple[int, int, int]) -> str:
    return f"dense + dropout {'×'.join(map(str, size))}"


def all_cases(threads: Sequence[int], smoke: bool) -> Iterator[Case]:
    """Return all in the order of the report; parts run on the smallest number of threads."""
    for workload in (*TRAINING, OVERHEAD, *CONVOLUTIONS):
        yield _training(workload, threads, smoke)
    few = min(threads)
    yield from (_gemm(product, few) for product in PRODUCTS if product.quick or not smoke)
    yield from (_epilogue(size, few) for size in EPILOGUE_SIZES)
    yield from (_adam(size, few) for size in ADAM_SIZES)
    yield from (_public_adam(size, few) for size in PUBLIC_ADAM_SIZES)
    yield from (_dropout(size, few) for size in DROPOUT_SIZES)
    yield from (_activation(name, n, few) for name in ACTIVATIONS for n in ACTIVATION_SIZES)
    yield from (_predict(workload, few) for workload in PREDICTED)
    yield Case("build", [Task("fastnn", "fastnn", few, "build", (BUILT,))])
    yield Case("import", [Task(p, p, few, "start") for p in ("fastnn", "numpy")])


def _peak(threads: int, dtype: str = GEMM_DTYPES[0], isa: str = "native") -> Task:
    """Return the peak in operations of a dtype: a vector holds half as many of float64."""
    units = FLOPS * threads / (2 if dtype == "float64" else 1)
    label = AVX2_LIMIT if isa == "avx2" else LIMIT
    return Task(label, MACHINE, threads, "fma", (FLOPS, isa), units)


def _training(workload: Workload | Convolutional, threads: Sequence[int], smoke: bool) -> Case:
    run = workload.short() if smoke else workload
    tasks = [
        Task(peer, peer, n, kind, (run,), run.updates)
        for n in threads
        for peer, kind in trainers(workload).items()
        if not (smoke and peer in COMPILERS)
    ]
    return Case(training_name(workload), [*tasks, *map(_peak, threads)], workload)


def _gemm(product: Product, threads: int) -> Case:
    peers = [*product.peers, AVX2] if product.by_avx2 else product.peers
    arguments = (*product.size, product.form, product.dtype)
    tasks = [Task(peer, peer, threads, "gemm", arguments) for peer in peers]
    sets = ("native", "avx2") if product.by_avx2 else ("native",)
    return Case(product.name, [*tasks, *(_peak(threads, product.dtype, isa) for isa in sets)])


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


def public_adam_name(size: int) -> str:
    return f"adam {size:,}, as called"


def _public_adam(size: int, threads: int) -> Case:
    """Return a step on a user's own arrays, beside a step of a torch optimizer."""
    kinds = {"fastnn": "public_adam", "torch": "adam"}
    return Case(
        public_adam_name(size),
        [Task(peer, peer, threads, kind, (size,), size) for peer, kind in kinds.items()],
    )


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
