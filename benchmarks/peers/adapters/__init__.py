"""Work of each peer, written as its users would write it at their best.

An adapter is a module with a function for each kind of work that it takes part in: called with the
arguments of the work, it prepares everything and returns a function without arguments that does the
work once. Kinds are

- ``trainer(workload, shuffle)``: trains `workload.epochs` epochs from where it is; returns their
  mean losses. The data are in memory, and rows are visited in a new order each epoch. PyTorch has
  a ``compiled_trainer`` too, and JAX a ``scan_trainer``.
- ``predictor(workload)``: predicts one row, from NumPy array to NumPy array.
- ``gemm(m, k, n, form, dtype)``: one of the three products of a step, `parts.FORMS`.
- ``adam(size)``, ``dropout(size)``, ``activation(name, size)`` and others that only few have.

`initialize(threads)` may set what environment variables do not, and `version()` tells the version.
"""

#: Name of a peer → module of this package. Each peer has a process of its own.
PEERS = {
    "fastnn": "fastnn_native",
    "scikit-learn": "sklearn_mlp",
    "torch": "torch_mlp",
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

#: Peers that train networks, and the kind that does; the first is ours.
TRAINERS = {
    "fastnn": "trainer",
    "scikit-learn": "trainer",
    "torch": "trainer",
    "torch.compile": "compiled_trainer",
    "jax": "trainer",
    "jax scan": "scan_trainer",
    "keras": "trainer",
}
