"""Gradients of convolutions over kernels, strides, paddings, dilation, groups and channels."""

import os
import random

import numpy as np
import pytest
from layer_networks import network

import fastnn
from fastnn import Dense, Flatten, layers

N_CASES = 3000 if os.environ.get("FASTNN_FULL") == "1" else 200
KINDS = ("Conv", "DepthwiseConv", "SeparableConv", "Conv{}Transpose")
CHANNELS = (*range(1, 18), 31, 32, 33)
STRIDES_DILATION = ((1, 1), (2, 1), (3, 1), (1, 2), (1, 3))


def draw(seed):
    """Return a layer with a kernel of 1 to 5 cells an axis, and the shape of a row it takes."""
    rng = random.Random(seed)
    axes, kind = 1 + seed % 2, KINDS[seed // 2 % len(KINDS)]
    channels = CHANNELS[seed // 8 % len(CHANNELS)]
    kernel = tuple(rng.randint(1, 5) for _ in range(axes))
    strides, dilation = rng.choice(STRIDES_DILATION)
    reach = [(cells - 1) * dilation + 1 for cells in kernel]
    transposed = "Transpose" in kind
    paddings = ["valid", "same", rng.randrange(min(reach))]
    paddings.append(tuple((rng.randrange(cells), rng.randrange(cells)) for cells in reach))
    if axes == 1:
        paddings[-1] = paddings[-1][0]
        paddings += [] if transposed else ["causal"]
    padding = rng.choice(paddings)
    small = padding in ("same", "causal") and rng.random() < 0.3
    row = [1 if small else cells + rng.randrange(4) for cells in reach]
    options = {"strides": strides, "padding": padding, "dilation": dilation}
    if "Depthwise" in kind or "Separable" in kind:
        options["depth_multiplier"] = rng.randint(1, 3)
    filters = rng.choice((1, 2, 3, 5))
    if kind == "Conv":
        options["groups"] = rng.choice([g for g in (1, 2, 3, 17, channels) if channels % g == 0])
        filters *= options["groups"]
    first = () if "Depthwise" in kind else (filters,)
    name = f"{kind}{{}}" if "{}" not in kind else kind
    layer = getattr(layers, name.format(f"{axes}D"))
    activation = rng.choice(("identity", "relu", "tanh", "gelu"))
    return layer(*first, kernel, activation, **options), (*row, channels)


@pytest.mark.filterwarnings("ignore:X looks like images with channels first")
@pytest.mark.parametrize("seed", range(N_CASES))
def test_gradients_are_those_of_differences(seed):
    layer, row = draw(seed)
    x = np.random.default_rng(seed).normal(size=(2, *row))
    # Another in front, so that the gradient of the input is checked too.
    net = network([type(layer)(*_plain(layer, row)), layer, Flatten(), Dense(3)])
    check = fastnn.gradient_check(net, x, np.array([0, 2]), n=6, verbose=0)
    assert check.max_relative_error <= 1e-7, f"{layer} for rows {row}\n{check}"


def _plain(layer, row):
    """Return arguments of a layer of the same kind that keeps the shape of rows."""
    single = (1,) * (len(row) - 1)
    return (single,) if "Depthwise" in type(layer).__name__ else (row[-1], single)


def test_the_cases_have_every_kind_of_window():
    drawn = [draw(seed) for seed in range(200)]
    assert {row[-1] for _, row in drawn} == set(CHANNELS)
    assert {type(layer).__name__ for layer, _ in drawn} == {
        kind.format(f"{axes}D") if "{}" in kind else f"{kind}{axes}D"
        for kind in KINDS
        for axes in (1, 2)
    }
    assert sum(max(row[:-1]) == 1 for _, row in drawn) > 10
    assert sum(getattr(layer, "groups", 1) > 1 for layer, _ in drawn) > 10
