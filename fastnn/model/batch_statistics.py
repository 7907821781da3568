"""Running statistics of `BatchNorm`, measured for weights that no training step has seen."""

from __future__ import annotations

import numpy as np

from .. import kernels
from ..compiler.lowering import compile_plan
from ..data.data_set import DataSet
from ..errors import ArgumentError
from ..execution.batches import BatchPass
from ..execution.python_executor import PythonExecutor
from ..ir.builder import PlanMode
from .base import Model

#: Arrays of running statistics of the model, each with its new values.
Measured = list[tuple[np.ndarray, np.ndarray]]


def measure(model: Model, x: np.ndarray, batch_size: int) -> Measured:
    """Return the means of all running statistics over x, each batch by its rows."""
    batches = BatchPass(DataSet(x), min(batch_size, len(x)))
    mode = PlanMode(batch_statistics=True)
    plan = compile_plan(model.architecture, batches.batch_size, mode)
    steps = plan.stages["update"]  # of the running statistics alone
    if not steps:
        raise ArgumentError("the network has no BatchNorm layer, whose statistics could be updated")
    executor = PythonExecutor(plan, model.arena)
    means = _measured(executor, batches, model)
    for step, mean in zip(steps, means, strict=True):
        if not np.isfinite(mean).all():
            raise ArgumentError(f"X has statistics beyond {plan.dtype} in layer {step.layer!r}")
    arrays = [executor.fixed_array(step.arguments["average"]) for step in steps]
    return list(zip(arrays, means, strict=True))


def store(measured: Measured) -> None:
    """Set the running statistics to what was measured."""
    for array, mean in measured:
        array[...] = mean


def _measured(executor: PythonExecutor, batches: BatchPass, model: Model) -> list[np.ndarray]:
    """Return the means of what the update stage would average, in the order of its ops."""
    found = [executor.fixed_array(op.arguments["value"]) for op in executor.plan.stages["update"]]
    means = [np.zeros_like(statistic) for statistic in found]
    move, seen = kernels.implementation().moving_average_step, 0
    for number, size in enumerate(batches.sizes().tolist()):
        executor.run_stages(("forward",), batches.batch(number, executor.plan), model.state)
        for mean, statistic in zip(means, found, strict=True):
            move(mean, statistic, seen / (seen + size))
        seen += size
    return means
