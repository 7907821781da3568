"""Convolution and pooling of single rows by plain loops over indices, in float64.

Written from the formulas alone: nothing here is shared with the package.
"""

import itertools

import numpy as np


def cell(x, i, j):
    """Return the channels of an image at (i, j); zeros outside."""
    inside = 0 <= i < x.shape[0] and 0 <= j < x.shape[1]
    return x[i, j] if inside else np.zeros(x.shape[2])


def convolve(x, w, out, stride=(1, 1), pad=(0, 0), dilation=(1, 1), groups=1):
    """Return the correlation of an image (H, W, C) with w (KH, KW, C / groups, O)."""
    depth, filters = w.shape[2], w.shape[3]
    y = np.zeros((*out, filters))
    for i, j, o in itertools.product(*map(range, y.shape)):
        first = o // (filters // groups) * depth
        for p, q in itertools.product(range(w.shape[0]), range(w.shape[1])):
            line = i * stride[0] + p * dilation[0] - pad[0]
            column = j * stride[1] + q * dilation[1] - pad[1]
            seen = cell(x, line, column)[first : first + depth]
            for c in range(depth):
                y[i, j, o] += seen[c] * w[p, q, c, o]
    return y


def windows(x, size, out, stride, pad):
    """Yield (i, j, values (cells, C), their places) of the cells of each window in the image."""
    for i, j in itertools.product(*map(range, out)):
        places = [
            (i * stride[0] + p - pad[0], j * stride[1] + q - pad[1])
            for p, q in itertools.product(range(size[0]), range(size[1]))
        ]
        inside = [(a, b) for a, b in places if 0 <= a < x.shape[0] and 0 <= b < x.shape[1]]
        yield i, j, np.array([x[place] for place in inside]), inside


def max_pool(x, dy, size, stride, pad):
    """Return the largest values of windows, and the gradient at x for one at the output."""
    y, dx = np.empty(dy.shape), np.zeros(x.shape)
    for i, j, values, places in windows(x, size, dy.shape[:2], stride, pad):
        for c in range(x.shape[2]):
            column = values[:, c].tolist()
            missing = [k for k, value in enumerate(column) if value != value]
            winner = missing[0] if missing else column.index(max(column))
            y[i, j, c] = column[winner]
            dx[(*places[winner], c)] += dy[i, j, c]
    return y, dx


def average_pool(x, dy, size, stride, pad):
    """Return the means of windows over the cells in the image, and the gradient at x."""
    y, dx = np.empty(dy.shape), np.zeros(x.shape)
    for i, j, values, places in windows(x, size, dy.shape[:2], stride, pad):
        y[i, j] = values.sum(axis=0) / len(values)
        for place in places:
            dx[place] += dy[i, j] / len(values)
    return y, dx
