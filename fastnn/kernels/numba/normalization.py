"""Normalisation: loops over the columns of a batch, or over its rows, with sums in float64."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .compiling import specialise


def _batch_norm_loop(y, mean, variance, x, gamma, beta, eps):
    rows = max(x.shape[0], 1)
    centre, spread = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            centre[j] += x[i, j]
    centre /= rows
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            spread[j] += (x[i, j] - centre[j]) ** 2
    spread /= rows
    for j in range(x.shape[1]):
        mean[j], variance[j] = centre[j], spread[j]
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            normal = (x[i, j] - centre[j]) / np.sqrt(spread[j] + eps)
            scaled = normal if gamma is None else normal * gamma[j]
            y[i, j] = scaled if beta is None else scaled + beta[j]


def _batch_norm_gradient_loop(dx, dgamma, dbeta, dy, x, mean, variance, gamma, eps):
    rows = max(x.shape[0], 1)
    rstd = np.empty(x.shape[1])
    shift, slope = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for j in range(x.shape[1]):
        rstd[j] = 1 / np.sqrt(np.float64(variance[j]) + eps)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            shift[j] += dy[i, j]
            slope[j] += dy[i, j] * ((x[i, j] - mean[j]) * rstd[j])
    if dx is not None:
        for i in range(x.shape[0]):
            for j in range(x.shape[1]):
                normal = (x[i, j] - mean[j]) * rstd[j]
                factor = rstd[j] if gamma is None else rstd[j] * gamma[j]
                dx[i, j] = factor * (dy[i, j] - (shift[j] + normal * slope[j]) / rows)
    for j in range(x.shape[1]):
        if dgamma is not None:
            dgamma[j] = slope[j]
        if dbeta is not None:
            dbeta[j] = shift[j]


def _standardize_loop(y, x, mean, variance, gamma, beta, eps):
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            normal = (x[i, j] - mean[j]) / np.sqrt(np.float64(variance[j]) + eps)
            scaled = normal if gamma is None else normal * gamma[j]
            y[i, j] = scaled if beta is None else scaled + beta[j]


def _layer_norm_loop(y, mean, rstd, x, gamma, beta, eps):
    for i in range(x.shape[0]):
        largest, centre, spread = 0.0, 0.0, 0.0
        for j in range(x.shape[1]):
            largest = max(largest, abs(np.float64(x[i, j])))
        unit = 1.0
        if 0 < largest < np.inf:
            unit = math.ldexp(1.0, math.frexp(largest)[1] - 1)  # so that no square overflows
        for j in range(x.shape[1]):
            centre += np.float64(x[i, j]) / unit
        centre /= x.shape[1]
        for j in range(x.shape[1]):
            spread += (np.float64(x[i, j]) / unit - centre) ** 2
        deviation = math.hypot(unit * np.sqrt(spread / x.shape[1]), np.sqrt(eps))
        if mean is not None:
            mean[i] = centre * unit
        if rstd is not None:
            rstd[i] = 1 / deviation
        for j in range(x.shape[1]):
            normal = (np.float64(x[i, j]) / unit - centre) / (deviation / unit)
            scaled = normal if gamma is None else normal * gamma[j]
            y[i, j] = scaled if beta is None else scaled + beta[j]


def _layer_norm_gradient_loop(dx, dgamma, dbeta, dy, x, mean, rstd, gamma):
    columns = x.shape[1]
    shift, slope = np.zeros(columns), np.zeros(columns)
    for i in range(x.shape[0]):
        scale = np.float64(rstd[i])
        total, product = 0.0, 0.0
        for j in range(columns):
            normal = (np.float64(x[i, j]) - mean[i]) * scale
            shift[j] += dy[i, j]
            slope[j] += dy[i, j] * normal
            g = np.float64(dy[i, j] if gamma is None else dy[i, j] * gamma[j])
            total += g
            product += g * normal
        if dx is not None:
            for j in range(columns):
                normal = (np.float64(x[i, j]) - mean[i]) * scale
                g = np.float64(dy[i, j] if gamma is None else dy[i, j] * gamma[j])
                dx[i, j] = scale * (g - total / columns - normal * product / columns)
    for j in range(columns):
        if dgamma is not None:
            dgamma[j] = slope[j]
        if dbeta is not None:
            dbeta[j] = shift[j]


@functools.cache
def _compiled(loop: Callable) -> Callable:
    return specialise(loop, loop.__name__)


def batch_norm_fwd(y, mean, variance, x, gamma, beta, eps):
    """Compute `reference.batch_norm_fwd`."""
    _compiled(_batch_norm_loop)(y, mean, variance, x, gamma, beta, eps)


def batch_norm_bwd(dx, dgamma, dbeta, dy, x, mean, variance, gamma, eps):
    """Compute `reference.batch_norm_bwd`."""
    loop = _compiled(_batch_norm_gradient_loop)
    loop(dx, dgamma, dbeta, dy, x, mean, variance, gamma, eps)


def standardize_fwd(y, x, mean, variance, gamma, beta, eps):
    """Compute `reference.standardize_fwd`."""
    _compiled(_standardize_loop)(y, x, mean, variance, gamma, beta, eps)


def layer_norm_fwd(y, mean, rstd, x, gamma, beta, eps):
    """Compute `reference.layer_norm_fwd`."""
    _compiled(_layer_norm_loop)(y, mean, rstd, x, gamma, beta, eps)


def layer_norm_bwd(dx, dgamma, dbeta, dy, x, mean, rstd, gamma):
    """Compute `reference.layer_norm_bwd`."""
    _compiled(_layer_norm_gradient_loop)(dx, dgamma, dbeta, dy, x, mean, rstd, gamma)
