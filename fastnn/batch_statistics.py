"""Statistics that normalise by the batch, measured for weights that no training step has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import kernels
from .compiler import compile_plan
from .data import DataSet
from .errors import ArgumentError
from .executor import Executor
from .interrupts import DeferredInterrupt
from .passes import Pass

if TYPE_CHECKING:
    from .network import Network


def update(network: Network, x: np.ndarray, batch_size: int) -> None:
    """Set all running statistics to their means over the rows of x, each batch by its rows."""
    rows = Pass(DataSet(x), min(batch_size, len(x)))
    plan = compile_plan(
        network.architecture,
        rows.batch_size,
        training=False,
        labels=False,
        batch_statistics=True,
    )
    steps = plan.stages["update"]  # nothing learns: these are the running statistics alone
    if not steps:
        raise ArgumentError("the network has no BatchNorm layer, whose statistics could be updated")
    executor = Executor(plan, network.arena)
    means = _measured(executor, rows, network)
    for step, mean in zip(steps, means, strict=True):
        if not np.isfinite(mean).all():
            raise ArgumentError(f"X has statistics beyond {plan.dtype} in layer {step.layer!r}")
    with DeferredInterrupt() as interrupt, interrupt.section():
        for step, mean in zip(steps, means, strict=True):
            executor.fixed_array(step.arguments[0])[...] = mean


def _measured(executor: Executor, rows: Pass, network: Network) -> list[np.ndarray]:
    """Means of what the update stage would let into the running statistics, in its order."""
    found = [executor.fixed_array(op.arguments[1]) for op in executor.plan.stages["update"]]
    means = [np.zeros_like(statistic) for statistic in found]
    move, seen = kernels.implementation().moving_average_step, 0
    for number, size in enumerate(rows.sizes().tolist()):
        executor.run(("forward",), rows.batch(number, executor.plan), network.state)
        for mean, statistic in zip(means, found, strict=True):
            move(mean, statistic, seen / (seen + size))
        seen += size
    return means
