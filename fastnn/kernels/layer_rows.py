"""Rows of the kernel table: embeddings, noise and normalisation."""

from __future__ import annotations

from .rows import SEEDS, Array, Kernel, per_element

RATES = ({"rate": 0.5}, {"rate": 0.0}, {"rate": 0.1}, {"rate": 0.999999})
_COLUMNS = ({"column": 0, "at": 2}, {"column": 0, "at": 0})
_EPSILONS = ({"eps": 1e-3}, {"eps": 0.1})

# Arguments that several kernels share, in the order of their signatures.
_SCALING = {name: Array("C", optional=True) for name in ("gamma", "beta")}
_NORM_GRADIENTS = {
    "dx": Array("B C", "w", optional=True),
    "dgamma": Array("C", "w", optional=True),
    "dbeta": Array("C", "w", optional=True),
    "dy": Array("B C"),
    "x": Array("B C"),
}
_FOLDED = {
    "wf": Array("I O", "w"),
    "bf": Array("O", "w"),
    "w": Array("I O"),
    "b": Array("O", optional=True),
}

LAYER_ROWS = (
    Kernel(
        "embedding_fwd",
        {"y": Array("B O", "rw"), "x": Array("B I", values="codes"), "w": Array("N D")},
        _COLUMNS,
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "embedding_bwd",
        {"dw": Array("N D", "w"), "dy": Array("B O"), "x": Array("B I", values="codes")},
        _COLUMNS,
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 8 + d["B"],
        relative_to="array",
    ),
    Kernel(
        "embedding_sparse_bwd",
        {
            "dw": Array("B D", "w"),
            "rows": Array("B", "w", dtype="int64", values="any"),
            "order": Array("B", "w", dtype="int64", values="any"),
            "dy": Array("B O"),
            "x": Array("B I", values="codes"),
        },
        tuple({"count": count} | setting for setting in _COLUMNS for count in (40, 300, 70_000)),
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 8 + d["B"],
        relative_to="array",
    ),
    Kernel(
        "gather_rows",
        {
            "values": Array("B D", "w"),
            "table": Array("N D"),
            "rows": Array("B", dtype="int64", values="rows"),
        },
        ({},),
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "scatter_rows",
        {
            "table": Array("N D", "rw"),
            "values": Array("B D"),
            "rows": Array("B", dtype="int64", values="rows"),
        },
        ({},),
        flops=lambda d: d["B"] * d["D"],
        tolerance=lambda d: 0,
    ),
    Kernel(
        "standardize_columns_fwd",
        {
            "y": Array("B O", "rw"),
            "x": Array("B I"),
            "mean": Array("K"),
            "variance": Array("K", values="positive"),
        },
        ({"column": 1, "at": 2}, {"column": 0, "at": 0}),
        flops=lambda d: 2 * d["B"] * d["K"],
        relative_to="array",
    ),
    Kernel(
        "gaussian_noise_fwd",
        {"y": Array("*", "w"), "x": Array("*")},
        tuple({"stddev": 0.5} | seed for seed in SEEDS),
        per_element(20),
        tolerance=lambda d: 32,
        relative_to="array",
        in_place=(("y", "x"),),
    ),
    Kernel(
        "alpha_dropout_fwd",
        {
            "y": Array("*", "w"),
            "mask": Array("bits(*)", "w", dtype="uint8", values="any"),
            "x": Array("*"),
        },
        tuple(rate | SEEDS[-1] for rate in RATES),
        per_element(13),
        tolerance=lambda d: 16,
        relative_to="x",
        in_place=(("y", "x"),),
    ),
    Kernel(
        "alpha_dropout_bwd",
        {
            "dx": Array("*", "w"),
            "mask": Array("bits(*)", dtype="uint8", values="any"),
            "dy": Array("*"),
        },
        RATES,
        per_element(1),
        in_place=(("dx", "dy"),),
    ),
    Kernel(
        "batch_norm_fwd",
        {
            "y": Array("B C", "w"),
            "mean": Array("C", "w"),
            "variance": Array("C", "w"),
            "x": Array("B C"),
            **_SCALING,
        },
        _EPSILONS,
        flops=lambda d: 7 * d["B"] * d["C"],
        tolerance=lambda d: 64,
        relative_to="array",
    ),
    Kernel(
        "batch_norm_bwd",
        {
            **_NORM_GRADIENTS,
            "mean": Array("C"),
            "variance": Array("C", values="positive"),
            "gamma": Array("C", optional=True),
        },
        _EPSILONS,
        flops=lambda d: 9 * d["B"] * d["C"],
        tolerance=lambda d: 64,
        relative_to="array",
        in_place=(("dx", "dy"),),
    ),
    Kernel(
        "standardize_fwd",
        {
            "y": Array("B C", "w"),
            "x": Array("B C"),
            "mean": Array("C"),
            "variance": Array("C", values="positive"),
            **_SCALING,
        },
        _EPSILONS,
        flops=lambda d: 3 * d["B"] * d["C"],
        relative_to="array",
        in_place=(("y", "x"),),
    ),
    Kernel(
        "dense_fold_output",
        {
            **_FOLDED,
            "mean": Array("O"),
            "variance": Array("O", values="positive"),
            "gamma": Array("O", optional=True),
            "beta": Array("O", optional=True),
        },
        _EPSILONS,
        flops=lambda d: 3 * d["I"] * d["O"],
        tolerance=lambda d: 16,
        relative_to="array",
    ),
    Kernel(
        "dense_fold_input",
        {
            **_FOLDED,
            "mean": Array("C"),
            "variance": Array("C", values="positive"),
            **_SCALING,
        },
        _EPSILONS,
        flops=lambda d: 3 * d["I"] * d["O"],
        tolerance=lambda d: 16,
        relative_to="array",
    ),
    Kernel(
        "moving_average_step",
        {"average": Array("*", "rw"), "value": Array("*")},
        ({"momentum": 0.99}, {"momentum": 0.0}),
        per_element(3),
        relative_to="array",
    ),
    Kernel(
        "layer_norm_fwd",
        {
            "y": Array("B C", "w"),
            "mean": Array("B", "w", optional=True),
            "rstd": Array("B", "w", optional=True),
            "x": Array("B C"),
            **_SCALING,
        },
        _EPSILONS,
        flops=lambda d: 7 * d["B"] * d["C"],
        tolerance=lambda d: 64,
        relative_to="array",
        in_place=(("y", "x"),),
    ),
    Kernel(
        "layer_norm_bwd",
        {
            **_NORM_GRADIENTS,
            "mean": Array("B"),
            "rstd": Array("B", values="positive"),
            "gamma": Array("C", optional=True),
        },
        ({},),
        flops=lambda d: 12 * d["B"] * d["C"],
        tolerance=lambda d: 64,
        relative_to="array",
        in_place=(("dx", "dy"),),
    ),
)
