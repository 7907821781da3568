"""Work of each peer, written as its users would write it at their best.

An adapter is a module with a function for each kind of work that it takes part in: called with the
arguments of the work, it prepares everything and returns a function without arguments that does the
work once. Kinds are

- ``trainer(workload, shuffle)``: trains `workload.epochs` epochs from where it is; returns their
  mean losses. The data are in memory, and rows are visited in a new order each epoch. PyTorch has
  a ``compiled_trainer`` and a ``channels_last_trainer`` too, and JAX a ``scan_trainer``.
- ``predictor(workload)``: predicts one row, from NumPy array to NumPy array.
- ``gemm(m, k, n, form, dtype)``: one of the three products of a step, `parts.FORMS`.
- ``adam(size)``, ``dropout(size)``, ``activation(name, size)`` and others that only few have.

`initialize(threads)` may set what environment variables do not, and `version()` tells the version.
"""

from __future__ import annotations

from workloads import Convolutional, Workload

#: Name of a peer → module of this package. Each peer has a process of its own.
PEERS = {
    "fastnn": "fastnn_native",
    "scikit-learn": "sklearn_mlp",
    "torch": "torch_mlp",
    "torch, channels last": "torch_mlp",
    "torch.compile": "torch_mlp",
    "jax": "jax_mlp",
    "jax scan": "jax_mlp",
    "keras": "keras_mlp",
    "numpy": "numpy_blas",
    "mkl": "mkl_blas",
    "blis": "blis_blas",
    "fastnn, AVX2": "fastnn_native",
    "fastnn, bits": "fastnn_native",
    "machine": "limits",
}

#: Environment variables that a peer's process has besides those of all.
VARIABLES = {"fastnn, AVX2": {"FASTNN_ISA": "avx2"}, "fastnn, bits": {"FASTNN_TEAM": "force"}}

#: Peers that train dense networks, and the kind that does; the first is ours.
TRAINERS = {
    "fastnn": "trainer",
    "scikit-learn": "trainer",
    "torch": "trainer",
    "torch.compile": "compiled_trainer",
    "jax": "trainer",
    "jax scan": "scan_trainer",
    "keras": "trainer",
}

#: Those that train convolutional networks. The layout of channels is one of images; JAX's
#: convolutions took 2 to 32 times as long within a compiled epoch as in a call for each step.
CONVOLUTION_TRAINERS = {
    "fastnn": "trainer",
    "torch": "trainer",
    "torch, channels last": "channels_last_trainer",
    "torch.compile": "compiled_trainer",
    "jax": "trainer",
    "keras": "trainer",
}
IMAGES_ONLY = "torch, channels last"


def trainers(workload: Workload | Convolutional) -> dict[str, str]:
    """Return the peers that train a network, and the kind that does; the first is ours."""
    if not isinstance(workload, Convolutional):
        return TRAINERS
    is_image = len(workload.row_shape) == 3
    return {p: kind for p, kind in CONVOLUTION_TRAINERS.items() if is_image or p != IMAGES_ONLY}
