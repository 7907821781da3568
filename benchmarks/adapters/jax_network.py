"""What both ways of training with JAX share: model, loss, one step of Adam."""

from __future__ import annotations

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from workloads import BETA1, BETA2, EPSILON, Workload


def version() -> str:
    return jax.__version__


def start_of(workload: Workload):
    """State of a training: parameters, both moments, number of updates."""
    parameters = [jnp.array(w) for w in workload.weights]
    moments = [jnp.zeros_like(p) for p in parameters]
    return parameters, moments, [jnp.zeros_like(p) for p in parameters], jnp.zeros((), jnp.int32)


def forward(parameters, x):
    for w, b in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        x = jax.nn.relu(x @ w + b)
    return x @ parameters[-2] + parameters[-1]


def loss_of(parameters, x, y):
    z = forward(parameters, x)
    if z.shape[1] == 1:
        return jnp.mean((z[:, 0] - y) ** 2)
    rows = jnp.arange(len(y))
    return -jnp.mean(jax.nn.log_softmax(z)[rows, y])


def step(state, x, y, learning_rate):
    """One update: the next state and the loss before it."""
    parameters, m, v, t = state
    loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y)
    t = t + 1
    m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
    v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)
    scale1, scale2 = 1 / (1 - BETA1**t), 1 / (1 - BETA2**t)
    update = partial(_update, scale1=learning_rate * scale1, scale2=scale2)
    return (jax.tree.map(update, parameters, m, v), m, v, t), loss


def _update(p, m, v, scale1, scale2):
    return p - scale1 * m / (jnp.sqrt(scale2 * v) + EPSILON)


def orders(workload: Workload, shuffle: bool):
    """A function that gives the order of the rows of the next epoch, (rows,) int32."""
    random = np.random.default_rng(0)
    if shuffle:
        return lambda: jnp.array(random.permutation(workload.rows).astype(np.int32))
    return lambda: jnp.arange(workload.rows, dtype=jnp.int32)
