"""JAX with buffers donated, and one compiled call for each step or for a whole epoch."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from workloads import BETA1, BETA2, EPSILON, Convolutional, Workload

from .jax_convolutions import convolutional_forward


def version() -> str:
    return jax.__version__


def trainer(workload: Workload, shuffle: bool = True):
    """Train by a compiled call for each step."""
    x, y = map(jax.device_put, workload.data)
    next_order, numbers = _orders(workload, shuffle), np.arange(workload.steps, dtype=np.int32)
    state, forward = _start(workload), _forward_of(workload)

    @partial(jax.jit, donate_argnums=(0, 1))
    def one(state, total, x, y, order, number):
        rows = lax.dynamic_slice(order, (number * workload.batch,), (workload.batch,))
        state, loss = _step(forward, state, x[rows], y[rows], workload.learning_rate)
        return state, total + loss

    def epoch():
        nonlocal state
        total, order = jnp.zeros(()), next_order()
        for number in numbers:
            state, total = one(state, total, x, y, order, number)
        return float(jax.block_until_ready((state, total))[1]) / workload.steps

    return lambda: [epoch() for _ in range(workload.epochs)]


def scan_trainer(workload: Workload, shuffle: bool = True):
    """Train by a compiled call for each epoch."""
    x, y = map(jax.device_put, workload.data)
    next_order, state = _orders(workload, shuffle), _start(workload)
    forward = _forward_of(workload)

    def batch(x, y, state, rows):
        return _step(forward, state, x[rows], y[rows], workload.learning_rate)

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


def predictor(workload: Workload):
    parameters, row = _start(workload)[0], workload.data[0][:1]
    predict = jax.jit(lambda parameters, x: jax.nn.softmax(_forward(parameters, x)))
    return lambda: np.asarray(predict(parameters, row))


def _start(workload: Workload):
    """Return the state of a training: parameters, both moments, number of updates."""
    parameters = [jnp.array(w) for w in workload.weights]
    moments = [jnp.zeros_like(p) for p in parameters]
    return parameters, moments, [jnp.zeros_like(p) for p in parameters], jnp.zeros((), jnp.int32)


def _forward(parameters, x):
    for w, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        x = jax.nn.relu(x @ w + b)
    return x @ parameters[-2] + parameters[-1]


def _forward_of(workload: Workload | Convolutional):
    """Return the function of parameters and rows that computes the outputs of the last layer."""
    if isinstance(workload, Convolutional):
        return convolutional_forward(workload)
    return _forward


def _loss(forward, parameters, x, y):
    z = forward(parameters, x)
    if z.shape[1] == 1:
        return jnp.mean((z[:, 0] - y) ** 2)
    rows = jnp.arange(len(y))
    return -jnp.mean(jax.nn.log_softmax(z)[rows, y])


def _step(forward, state, x, y, learning_rate):
    """Return the next state and the loss before it."""
    parameters, m, v, t = state
    loss, gradients = jax.value_and_grad(partial(_loss, forward))(parameters, x, y)
    t = t + 1
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
    scale1, scale2 = 1 / (1 - BETA1**t), 1 / (1 - BETA2**t)
    update = partial(_update, scale1=learning_rate * scale1, scale2=scale2)
    return (jax.tree.map(update, parameters, m, v), m, v, t), loss


def _update(p, m, v, scale1, scale2):
    return p - scale1 * m / (jnp.sqrt(scale2 * v) + EPSILON)


def _orders(workload: Workload, shuffle: bool):
    """Return a function that gives the order of the rows of the next epoch, (rows,) int32."""
    random = np.random.default_rng(0)
    if shuffle:
        return lambda: jnp.array(random.permutation(workload.rows).astype(np.int32))
    return lambda: jnp.arange(workload.rows, dtype=jnp.int32)
