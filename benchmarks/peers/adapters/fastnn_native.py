"""fastnn, as installed."""

from __future__ import annotations

import hashlib
import pickle
from functools import partial
from pathlib import Path

import numpy as np
from workloads import BETA1, BETA2, EPSILON, Workload, our_networks, package, parts
from workloads.calls import KernelCall

import fastnn

SEED = 0  # of masks


def version() -> str:
    return fastnn.__version__


def initialize(threads: int) -> None:
    fastnn.set_num_threads(threads)


def trainer(workload: Workload, shuffle: bool = True):
    net, (x, y) = our_networks.built(workload), workload.data
    settings = {"batch_size": workload.batch, "epochs": workload.epochs, "shuffle": shuffle}
    return lambda: net.fit(x, y, **settings, verbose=0)["loss"]


def digest(kind: str, *arguments) -> str:
    """Return a digest of the bits that work leaves: weights and losses, or the array returned."""
    if kind == "trainer":
        [workload] = arguments
        net = our_networks.built(workload)
        losses = net.fit(*workload.data, batch_size=workload.batch, verbose=0)["loss"]
        arrays = [*net.get_weights(), np.array(losses)]
    else:
        arrays = [globals()[kind](*arguments)()]
    found = hashlib.sha256()
    for array in arrays:
        found.update(array.tobytes())
    return found.hexdigest()


def predictor(workload: Workload):
    net, row = our_networks.built(workload), workload.data[0][:1]
    return lambda: net.predict(row)


def build(workload: Workload):
    """Return a function that makes a network and trains it on one batch."""
    x, y = (a[: workload.batch] for a in workload.data)
    return lambda: our_networks.network(workload).build(workload.row_shape).train_on_batch(x, y)


def gemm(m: int, k: int, n: int, form: str = parts.FORMS[0], dtype: str = "float32"):
    """Return a product of the forward step, or one of the two of the backward step."""
    active, (a, b) = _kernels(), parts.matrices(m, k, n, form, dtype)
    y = np.empty((m, n), dtype)
    # What the backward step takes besides, and does not read where this product alone is wanted.
    x, w = np.empty((m, n), dtype), np.empty((m, n), dtype)
    name, *arguments = {
        "x w": ("dense_fwd", y, a, b, None),
        "dy wᵀ": ("dense_bwd", y, None, None, a, a, x, b),
        "xᵀ dy": ("dense_bwd", None, y, None, b, b, a, w),
    }[form]
    product = partial(getattr(active, name), *arguments, "identity")

    def multiply():
        product()
        return y

    return multiply


def dense_dropout(m: int, k: int, n: int):
    """Return a product with bias, ReLU and dropout in its epilogue."""
    active, (x, w) = _kernels(), parts.matrices(m, k, n)
    if not hasattr(active, "dense_dropout_fwd"):
        raise NotImplementedError("there is no kernel dense_dropout_fwd")
    y, b = np.empty((m, n), np.float32), np.zeros(n, np.float32)
    mask = np.empty((m * n + 7) // 8, np.uint8)

    def multiply():
        active.dense_dropout_fwd(y, mask, x, w, b, "relu", parts.RATE, SEED, 0)
        return y

    return multiply


def adam(size: int):
    """Return a step as a network takes it: its arguments were checked when the plan was made."""
    return _adam(_kernels().adam_step, size)


def public_adam(size: int):
    """Return a step as a user takes it, on arrays of their own."""
    return _adam(fastnn.kernels.adam_step, size)


def _adam(adam_step, size: int):
    p, dp, m, v = np.zeros((4, size), np.float32)
    dp[:] = 1

    def step():
        adam_step(p, dp, m, v, parts.LEARNING_RATE, BETA1, BETA2, EPSILON, 1, 0.0)
        return p

    return step


def dropout(size: int):
    active = _kernels()
    y, x = np.ones((2, size), np.float32)
    mask = np.empty((size + 7) // 8, np.uint8)

    def drop():
        active.dropout_fwd(y, mask, x, parts.RATE, SEED, 0)
        return y

    return drop


def activation(name: str, size: int):
    active = _kernels()
    if name not in fastnn.kernels.ACTIVATIONS:
        raise NotImplementedError(f"there is no activation {name}")
    y, z = np.empty((2, size), np.float32)
    z[:] = parts.numbers(size)

    def activate():
        active.activation_fwd(y, z, name)
        return y

    return activate


def kernel_names() -> list[str]:
    """Return the names of the kernels that `draw_kernel` knows: those of the table."""
    from workloads import kernels

    return [subject.name for subject in kernels.subjects()]


def draw_kernel(path: Path, name: str, size: str, dtype: str) -> bool:
    """Write the arguments of a kernel of the table into a file that `kernel` reads.

    Returns whether all of them are arrays, numbers and words, and none a function of the user.
    """
    from workloads import kernels

    work = kernels.work(name, size, dtype)
    drawn = work.arguments()
    path.write_bytes(pickle.dumps((work.kernel.name, drawn)))
    plain = (np.ndarray, str, int, float, type(None))
    return all(isinstance(value, plain) for value in drawn.values())


def kernel(path: Path):
    """Return a call of a kernel on what `draw_kernel` wrote, maybe for another commit."""
    return KernelCall(*pickle.loads(path.read_bytes()))


def start():
    """Return a function that imports the package in a fresh interpreter."""
    return partial(package.import_in_a_fresh_interpreter, "fastnn")


def _kernels():
    """Return the active back end, without checks of arguments."""
    return fastnn.kernels.implementation()
