"""JAX with one compiled call for each step, buffers donated."""

from __future__ import annotations

from functools import partial

import jax
import numpy as np
from jax import lax

from .jax_network import forward, orders, start_of, step, version

__all__ = ["predictor", "trainer", "version"]


def trainer(workload, shuffle=True):
    x, y = map(jax.device_put, workload.data)
    next_order, numbers = orders(workload, shuffle), np.arange(workload.steps, dtype=np.int32)
    state = start_of(workload)

    @partial(jax.jit, donate_argnums=(0, 1))
    def one(state, total, x, y, order, number):
        rows = lax.dynamic_slice(order, (number * workload.batch,), (workload.batch,))
        state, loss = step(state, x[rows], y[rows], workload.learning_rate)
        return state, total + loss

    def epoch():
        nonlocal state
        total, order = jax.numpy.zeros(()), next_order()
        for number in numbers:
            state, total = one(state, total, x, y, order, number)
        return float(jax.block_until_ready((state, total))[1]) / workload.steps

    return lambda: [epoch() for _ in range(workload.epochs)]


def predictor(workload):
    parameters, row = start_of(workload)[0], workload.data[0][:1]
    predict = jax.jit(lambda parameters, x: jax.nn.softmax(forward(parameters, x)))
    return lambda: np.asarray(predict(parameters, row))
