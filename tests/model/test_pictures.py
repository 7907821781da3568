"""Pictures of filters and of what layers make of a row: every number is where it belongs."""

import sys

import numpy as np
import pytest

import fastnn
from fastnn import (
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    MaxPooling2D,
    Network,
    Parallel,
    Rescaling,
    Residual,
    SeparableConv2D,
)
from fastnn.errors import ArgumentError, ArgumentTypeError, NotBuiltError

pyplot = pytest.importorskip("matplotlib.pyplot")
RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def closed_figures():
    """Figures of pyplot stay open otherwise."""
    yield
    pyplot.close("all")


def network(*layers, shape=(8, 8), seed=0):
    return Network([*layers, Dense(3)], loss="softmax_cross_entropy", seed=seed).build(shape)


def tiles(axes, height, width):
    """The tiles of a sheet, row by row, without the lines between them."""
    image = np.ma.filled(axes.images[0].get_array(), np.nan)
    rows, columns = ((n + 1) // (m + 1) for n, m in zip(image.shape, (height, width), strict=False))
    return np.array(
        [
            image[r * (height + 1) :, c * (width + 1) :][:height, :width]
            for r in range(rows)
            for c in range(columns)
        ]
    )


def test_filters_of_one_channel_stand_side_by_side():
    net = network(Conv2D(6, (3, 2), "relu"), Flatten())
    axes = net.plot_filters()
    found = tiles(axes, 3, 2)[:6]
    np.testing.assert_array_equal(found, net.get_weights()[0][:, :, 0].transpose(2, 0, 1))
    assert axes.get_title(loc="left") == "conv2d_1: 6 filters × 1 channel"
    low, high = axes.images[0].get_clim()
    assert low == -high == -np.abs(found).max()


def test_filters_of_several_channels_have_a_row_each():
    net = network(Conv2D(4, 3), Conv2D(5, 3, name="second"), Flatten())
    axes = net.plot_filters("second")
    weights = net.get_weights()[2]
    found = tiles(axes, 3, 3).reshape(5, 4, 3, 3)
    np.testing.assert_array_equal(found, weights.transpose(3, 2, 0, 1))
    few = net.plot_filters("second", n=2)
    np.testing.assert_array_equal(tiles(few, 3, 3).reshape(2, 2, 3, 3), found[:2, :2])
    assert few.get_title(loc="left") == "second: 2 of 5 filters × 2 of 4 channels"


def test_filters_of_three_channels_are_colours():
    net = network(Conv2D(4, 3), Flatten(), shape=(8, 8, 3))
    image = net.plot_filters().images[0].get_array()
    weights = net.get_weights()[0]
    assert image.shape == (7, 7, 3)
    expected = 0.5 + weights[..., 0] / (2 * np.abs(weights).max())
    np.testing.assert_allclose(image[:3, :3], expected, rtol=1e-6)
    assert (image[3] == 1).all()


def test_filters_of_series_are_channels_and_time():
    net = network(Conv1D(6, 5), GlobalMaxPooling1D(), shape=(20, 2))
    found = tiles(net.plot_filters(), 2, 5)[:6]
    np.testing.assert_array_equal(found, net.get_weights()[0].transpose(2, 1, 0))


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (DepthwiseConv2D(3, depth_multiplier=2), lambda w: w[:, :, 0].transpose(2, 0, 1)),
        (SeparableConv2D(7, 3), lambda w: w[:, :, 0].transpose(2, 0, 1)),
        (Conv2D(4, 3, groups=2), lambda w: w[:, :, 0].transpose(2, 0, 1)),
        (
            Conv2DTranspose(5, 3),
            lambda w: w.transpose(2, 3, 0, 1).reshape(-1, 3, 3),  # (filters, channels)
        ),
    ],
)
@pytest.mark.parametrize("within", [False, True])
def test_filters_of_every_kind(layer, expected, within):
    path = Parallel([[Parallel([[layer]])]]) if within else layer
    net = network(path, GlobalAveragePooling2D(), shape=(8, 8, 2))
    weights = expected(net.get_weights()[0])
    np.testing.assert_array_equal(tiles(net.plot_filters(), 3, 3)[: len(weights)], weights)


def test_weights_of_zero_are_drawn():
    net = network(Conv2D(2, 3, initializer="zeros"), Flatten())
    assert net.plot_filters().images[0].get_clim() == (-1, 1)


def test_activations_are_those_of_inference():
    """Dropout and the statistics of the batch are those of prediction."""
    layers = [Rescaling(0.5), Conv2D(4, 3, "tanh"), BatchNorm(), Dropout(0.5), MaxPooling2D(2)]
    net = network(*layers, Flatten())
    net.fit(RNG.normal(size=(30, 8, 8)), np.arange(30) % 3, epochs=2, verbose=0)
    x = RNG.normal(size=(8, 8)).astype(np.float32)
    head = Network([*layers, Flatten()], loss="mean_squared_error", seed=0).build((8, 8))
    head.set_weights(net.get_weights()[:4])
    for name, array in head.buffers.items():
        array[...] = net.buffers[name]
    before = net.parameters.copy()
    of_input, of_layer = net.plot_activations(x, "maxpooling2d_1")
    np.testing.assert_array_equal(of_input.images[0].get_array(), x)
    expected = head.predict(x[None]).reshape(3, 3, 4).transpose(2, 0, 1)
    np.testing.assert_allclose(tiles(of_layer, 3, 3), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(net.parameters, before)
    assert of_layer.get_title(loc="left") == "maxpooling2d_1: 3 × 3 × 4"


def test_activations_of_all_convolutions_within_branches_too():
    block = Residual([Conv2D(4, 3, padding="same")])
    net = network(Conv2D(4, 3, "relu"), block, GlobalAveragePooling2D())
    axes = net.plot_activations(RNG.normal(size=(1, 8, 8)))
    titles = [panel.get_title(loc="left") for panel in axes]
    assert titles == ["x: 8 × 8 × 1", "conv2d_1: 6 × 6 × 4", "residual_1/conv2d_1: 6 × 6 × 4"]
    own = pyplot.figure().subplots(1, 2)
    assert net.plot_activations(np.ones((8, 8)), ["residual_1"], n=1, ax=own) == list(own)
    assert own[1].images[0].get_array().shape == (6, 6)


def test_activations_of_colours_and_series():
    net = network(Conv2D(2, 3), Flatten(), shape=(6, 6, 3))
    x = RNG.integers(0, 256, (6, 6, 3)).astype(np.uint8)
    picture = net.plot_activations(x)[0].images[0].get_array()
    np.testing.assert_allclose(picture, (x - x.min()) / np.ptp(x), rtol=1e-5)
    series = network(Conv1D(3, 5, padding="same"), GlobalMaxPooling1D(), shape=(20,))
    of_input, of_layer = series.plot_activations(np.sin(np.arange(20)))
    np.testing.assert_allclose(of_input.lines[0].get_ydata(), np.sin(np.arange(20)), rtol=1e-6)
    assert of_layer.images[0].get_array().shape == (3, 20)


def test_networks_without_convolutions_are_refused_by_name():
    net = network(Flatten(), Dense(4, "relu"))
    message = r"needs a network with convolutions; this one has flatten_1 \(Flatten\), dense_1"
    with pytest.raises(ArgumentError, match=f"plot_filters {message}"):
        net.plot_filters()
    with pytest.raises(ArgumentError, match=f"plot_activations {message}"):
        net.plot_activations(np.zeros((8, 8)))


def test_arguments_that_cannot_be_used_are_named():
    net = network(Conv2D(2, 3), Flatten())
    x = np.zeros((8, 8))
    with pytest.raises(ArgumentError, match=r"unknown layer 'dense_1': .*conv2d_1"):
        net.plot_filters("dense_1")
    with pytest.raises(ArgumentTypeError, match="layer must be one of conv2d_1"):
        net.plot_filters(0)
    with pytest.raises(ArgumentError, match="n must be"):
        net.plot_filters(n=0)
    with pytest.raises(ArgumentError, match="ax holds 2 axes"):
        net.plot_filters(ax=pyplot.figure().subplots(1, 2))
    with pytest.raises(ArgumentError, match=r"x must be one row, of shape \(8, 8\), got .*\(3, 8"):
        net.plot_activations(np.zeros((3, 8, 8)))
    with pytest.raises(ArgumentError, match=r"^x\b"):
        net.plot_activations(x * np.nan)
    with pytest.raises(ArgumentTypeError, match=r"^x\b"):
        net.plot_activations([["a"] * 8] * 8)
    with pytest.raises(ArgumentError, match="unknown layers 'flatten_1'"):
        net.plot_activations(x, "flatten_1")
    with pytest.raises(ArgumentTypeError, match="layers must be names"):
        net.plot_activations(x, [])
    with pytest.raises(ArgumentError, match="n must be"):
        net.plot_activations(x, n=0)
    with pytest.raises(ArgumentError, match="ax holds 1 axes"):
        net.plot_activations(x, ax=pyplot.figure().subplots())
    unbuilt = Network([Conv2D(2, 3), Flatten(), Dense(3)], loss="softmax_cross_entropy")
    with pytest.raises(NotBuiltError):
        unbuilt.plot_filters()


def test_pictures_need_matplotlib(monkeypatch):
    net = network(Conv2D(2, 3), Flatten())
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(fastnn.MissingDependencyError, match=r'pip install "\.\[plot\]"'):
        net.plot_filters()
    with pytest.raises(fastnn.MissingDependencyError, match=r'pip install "\.\[plot\]"'):
        net.plot_activations(np.zeros((8, 8)))
