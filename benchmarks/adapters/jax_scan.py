"""JAX with one compiled call for a whole epoch, buffers donated."""

from __future__ import annotations

from functools import partial

import jax
from jax import lax

from .jax_network import orders, start_of, step, version

__all__ = ["trainer", "version"]


def trainer(workload, shuffle=True):
    x, y = map(jax.device_put, workload.data)
    next_order, state = orders(workload, shuffle), start_of(workload)

    def batch(x, y, state, rows):
        return step(state, x[rows], y[rows], workload.learning_rate)

    @partial(jax.jit, donate_argnums=0)
    def one(state, x, y, order):
        batches = order.reshape(workload.steps, workload.batch)
        state, losses = lax.scan(partial(batch, x, y), state, batches)
        return state, losses.mean()

    def epoch():
        nonlocal state
        state, loss = jax.block_until_ready(one(state, x, y, next_order()))
        return float(loss)

    return lambda: [epoch() for _ in range(workload.epochs)]
