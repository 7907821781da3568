"""What each peer does for each kind of work, written as its users would at its best.

An adapter is a module with a function for each kind of work it takes part in: called with the
arguments of the work, it prepares everything and returns a function without arguments that does the
work once. Kinds are

- ``trainer(workload, shuffle)``: trains `workload.epochs` epochs from where it is; returns their
  mean losses. The data are in memory, and rows are visited in a new order each epoch.
- ``predictor(workload)``: predicts one row, from NumPy array to NumPy array.
- ``gemm(m, k, n)``, ``adam(size)``, ``dropout(size)``, ``activation(name, size)`` and others that
  only few have.

`initialize(threads)` may set what environment variables do not, and `version()` tells the version.
"""

#: Name of a peer → module of this package.
PEERS = {
    "fastnn": "fastnn_native",
    "scikit-learn": "sklearn_mlp",
    "torch": "torch_eager",
    "torch.compile": "torch_compiled",
    "jax": "jax_steps",
    "jax scan": "jax_scan",
    "numpy": "numpy_blas",
    "machine": "limits",
}

#: Peers that train networks; the first is ours.
TRAINERS = ("fastnn", "scikit-learn", "torch", "torch.compile", "jax", "jax scan")
