"""Convolutions as layers: gradients, shapes, identities, what files keep, and refusals."""

import numpy as np
import pytest
from convolution_oracle import convolve
from layer_networks import network

import fastnn
from fastnn import (
    Activation,
    BatchNorm,
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv1D,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling2D,
    LayerNorm,
    MaxPooling2D,
    Network,
    Rescaling,
    Reshape,
    SeparableConv1D,
    SeparableConv2D,
)
from fastnn.errors import ArgumentError, ArgumentTypeError

RNG = np.random.default_rng(0)
IMAGES, SERIES = RNG.normal(size=(4, 6, 7, 4)), RNG.normal(size=(4, 9, 4))
CLASSES = np.array([0, 2, 1, 1])


def check_gradients(layers, x, n=10, **options):
    net = network([*layers, Flatten(), Dense(3)], **options)
    check = fastnn.gradient_check(net, x, CLASSES[: len(x)], n=n, verbose=0)
    assert check.max_relative_error <= 1e-7, f"{layers}\n{check}"


@pytest.mark.parametrize("padding", ["valid", "same", (0, 1), ((0, 0), (1, 0))])
@pytest.mark.parametrize("kernel", [2, 3, (1, 4)])
@pytest.mark.parametrize(("strides", "dilation"), [(1, 1), ((2, 3), 1), (1, (2, 1))])
@pytest.mark.parametrize("groups", [1, 2])
def test_gradients_of_images(kernel, strides, dilation, groups, padding):
    windows = {"strides": strides, "dilation": dilation, "groups": groups, "padding": padding}
    check_gradients([Conv2D(4, kernel, "tanh", **windows)], IMAGES)


@pytest.mark.parametrize("channels", [1, 3, 8, 17])
def test_gradients_around_vectors(backend, channels):
    x = RNG.normal(size=(2, 4, 4, channels))
    check_gradients([Conv2D(channels, 3, "relu", padding="same"), Conv2D(2, 2)], x)


LAYERS = {
    "one pixel": ([Conv2D(3, 3, "gelu", padding="same")], IMAGES[:, :1, :1]),
    "single cells": ([Conv2D(5, 1, "silu")], IMAGES),
    "single cells with strides": ([Conv2D(5, 1, "silu", strides=2)], IMAGES),
    "without a bias": ([Conv2D(3, 2, use_bias=False), Conv2D(2, 2, "elu")], IMAGES),
    "depthwise": ([DepthwiseConv2D(3, "relu", depth_multiplier=2, strides=2)], IMAGES),
    "separable": ([SeparableConv2D(3, 2, "tanh", padding="same", dilation=2)], IMAGES),
    "transposed": ([Conv2DTranspose(3, 3, "gelu", strides=2, padding="same")], IMAGES),
    "transposed, far apart": ([Conv2DTranspose(2, 2, "relu", strides=3)], IMAGES),
    "transposed, dilated": ([Conv2DTranspose(2, 3, dilation=(1, 2), padding=1)], IMAGES),
    "normalised": ([Conv2D(4, 3), BatchNorm(), LayerNorm(), Dropout(0.3)], IMAGES),
    "dense on channels": ([Dense(3, "relu"), Dense(2, "gelu")], IMAGES),
    "causal": ([Conv1D(3, 3, "relu", padding="causal", dilation=2)], SERIES),
    "series": ([Conv1D(3, 4, "selu", strides=2, padding=(0, 2), groups=1)], SERIES),
    "depthwise series": ([DepthwiseConv1D(3, padding="causal")], SERIES),
    "separable series": ([SeparableConv1D(3, 2, depth_multiplier=2)], SERIES),
    "transposed series": ([Conv1DTranspose(3, 4, "tanh", strides=2, padding=1)], SERIES),
}


@pytest.mark.parametrize("name", LAYERS)
def test_gradients(backend, name):
    check_gradients(*LAYERS[name])


def test_gradients_with_penalties_and_a_custom_activation():
    square = fastnn.activation(lambda x: x * x, lambda x, y: 2 * x, name="square")
    check_gradients([Conv2D(3, 2, square, l1=0.1, l2=0.2), Conv2D(2, 2)], IMAGES, l2=0.1)


@pytest.mark.parametrize(
    ("padding", "pads"),
    [
        ("valid", (0, 0)),
        ("same", (0, 1)),  # of two, one on either side; an odd cell to the right
        (((1, 1), (0, 2)), (1, 0)),
    ],
)
def test_values_are_those_of_plain_loops(backend, padding, pads):
    layer = Conv2D(3, (2, 3), "identity", strides=(1, 2), padding=padding)
    net = network([layer, Flatten()], loss="mean_squared_error").build((6, 7, 4))
    w, b = net.get_weights()
    shape = layer.output_shape((6, 7, 4))
    want = [convolve(image, w, shape[:2], (1, 2), pads) + b for image in IMAGES]
    np.testing.assert_allclose(net.predict(IMAGES), np.reshape(want, (4, -1)), atol=1e-12)


def test_causal_outputs_see_no_later_steps():
    net = network([Conv1D(2, 3, padding="causal", dilation=2), Flatten()], loss="huber")
    net.build((9, 4))
    later = SERIES.copy()
    later[:, 5:] += 1
    first, second = (net.predict(x).reshape(4, 9, 2) for x in (SERIES, later))
    np.testing.assert_array_equal(first[:, :5], second[:, :5])
    assert (first[:, 5:] != second[:, 5:]).all()


def test_output_shapes():
    same, wide = Conv2D(5, 3, strides=2, padding="same"), Conv2D(5, 5, padding=((4, 0), (2, 2)))
    assert same.output_shape((7, 8, 1)) == (4, 4, 5)
    assert wide.output_shape((7, 8, 1)) == (7, 8, 5)
    assert Conv1D(5, 3, dilation=4).output_shape((9, 2)) == (1, 5)
    assert Conv2DTranspose(5, 3, strides=2, padding="same").output_shape((4, 3, 1)) == (8, 6, 5)
    assert Conv2DTranspose(5, 2, strides=3).output_shape((4, 3, 1)) == (12, 9, 5)
    assert Conv1DTranspose(5, 4, strides=2, padding=1).output_shape((9, 2)) == (18, 5)
    assert DepthwiseConv2D(3, depth_multiplier=3).output_shape((5, 5, 4)) == (3, 3, 12)
    assert Dense(3).output_shape((5, 5, 4)) == (5, 5, 3)


def test_images_without_channels_are_one_channel(capsys):
    x, y = IMAGES[..., 0], CLASSES
    layers = [Rescaling(0.5), Conv2D(3, 2, "relu"), Flatten(), Dense(3)]
    net, other = network(layers), network(layers)
    net.fit(x, y, epochs=2, verbose=0)
    other.fit(x[..., None], y, epochs=2, verbose=0)
    np.testing.assert_array_equal(net.predict(x), other.predict(x[..., None]))
    net.summary()
    assert "input 6 × 7 (taken as 6 × 7 × 1), float64" in capsys.readouterr().out
    assert network([Conv1D(2, 3), Flatten(), Dense(3)]).build(9).output_shape == (3,)
    with pytest.raises(ArgumentError, match=r"shape \(6, 7\)"):  # Dense makes columns of a width
        network([Dense(7), Conv2D(3, 2), Flatten(), Dense(3)]).build((6, 7))


def test_a_network_learns_is_saved_and_loaded(tmp_path):
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = x.reshape(-1, 8, 8)
    layers = [
        Rescaling(1 / 16),
        Conv2D(8, 3, "relu", padding=((1, 0), (0, 1)), name="first"),
        MaxPooling2D(2),
        Flatten(),
        Dense(10),
    ]
    options = {"optimizer": fastnn.Adam(0.01), "metrics": ["accuracy"]}
    net = Network(layers, loss="softmax_cross_entropy", seed=0, **options)
    net.fit(x[:1400], y[:1400], epochs=6, verbose=0)
    assert net.evaluate(x[1400:], y[1400:])["accuracy"] > 0.9
    net.save(tmp_path / "digits.fastnn", optimizer=True)
    again = Network.load(tmp_path / "digits.fastnn")
    assert again.layers == net.layers
    np.testing.assert_array_equal(again.predict(x[:50]), net.predict(x[:50]))
    history = [n.fit(x[:200], y[:200], verbose=0)["loss"] for n in (net, again)]
    assert history[0] == history[1]


@pytest.mark.parametrize("rows", [4, 400])
def test_batch_norm_folds_into_convolutions(backend, rows):
    layers = [
        Conv2D(3, 2, use_bias=False),
        BatchNorm(),
        Activation("relu"),
        Conv2D(4, 2, groups=1),
        BatchNorm(),
        GlobalAveragePooling2D(),
    ]
    net = network(layers, loss="mean_squared_error").build((6, 7, 4))
    for name, buffer in net.buffers.items():
        buffer[:] = RNG.normal(size=buffer.shape) ** 2 + ("variance" in name)
    x = RNG.normal(size=(rows, 6, 7, 4))
    with net._model.executors.inference(rows, False) as executor:
        kernels_run = [op.kernel for op in executor.plan.stages["forward"]]
    assert kernels_run == ["conv_fwd", "conv_fwd", "global_average_fwd"]
    plan = net._model.executors.plan(rows, training=False, labels=False, folded=False)
    assert "standardize_fwd" in [op.kernel for op in plan.stages["forward"]]
    plain = x
    for index in (0, 3):
        w = net.get_weights()[0 if index == 0 else 3]
        bias = 0 if index == 0 else net.get_weights()[4]
        gamma, beta = net.get_weights()[1:3] if index == 0 else net.get_weights()[5:7]
        mean, variance = list(net.buffers.values())[index and 2 :][:2]
        out = tuple(np.subtract(plain.shape[1:3], 1))
        z = np.array([convolve(image, w, out) for image in plain[:4]]) + bias
        plain = (z - mean) / np.sqrt(variance + 1e-3) * gamma + beta
        plain = np.maximum(plain, 0) if index == 0 else plain
    np.testing.assert_allclose(net.predict(x)[:4], plain.mean(axis=(1, 2)), atol=1e-12)


def test_max_norm_limits_filters_and_freezing_keeps_weights():
    net = network([Conv2D(3, 2, "relu", max_norm=0.5), Conv2D(2, 2), Flatten(), Dense(3)])
    net.fit(IMAGES, CLASSES, epochs=3, verbose=0)
    w = net.get_weights()[0]
    assert np.linalg.norm(w.reshape(-1, 3), axis=0).max() <= 0.5 * (1 + 1e-12)
    net.freeze("conv2d_1")
    net.fit(IMAGES, CLASSES, epochs=3, verbose=0)
    np.testing.assert_array_equal(net.get_weights()[0], w)


REFUSED = {
    "no filters": (lambda: Conv2D(0, 3), "filters must be an integer >= 1, got 0"),
    "no cells": (lambda: Conv2D(3, (3, 0)), "kernel_size must be an integer >= 1, got 0"),
    "three sides": (
        lambda: Conv2D(3, (3, 3, 3)),
        r"kernel_size must be .* pair of them, got \(3, 3",
    ),
    "channels first": (lambda: Conv2D(3, 3, padding="full"), "unknown padding 'full'"),
    "causal images": (lambda: Conv2D(3, 3, padding="causal"), "unknown padding 'causal'"),
    "stride and dilation": (
        lambda: Conv1D(3, 3, strides=2, dilation=2),
        "strides and dilation cannot both be above 1, got strides=2 and dilation=2",
    ),
    "filters and groups": (
        lambda: Conv2D(4, 3, groups=3),
        "filters must be a multiple of groups=3, got 4",
    ),
    "padding alone": (
        lambda: Conv2D(4, 2, padding=2),
        "padding must be below the 2 cells that a window reaches over, got 2; ZeroPadding2D",
    ),
    "negative padding": (lambda: Conv2D(4, 2, padding=-1), "padding must be an integer >= 0"),
    "max_norm": (lambda: Conv2DTranspose(4, 2, max_norm=1), "max_norm is not offered"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arguments_that_are_refused(case):
    make, match = REFUSED[case]
    with pytest.raises(ArgumentError, match=match):
        make()


@pytest.mark.parametrize("value", [True, 1.5, None, {"a": 1}])
def test_padding_of_another_type_is_refused(value):
    with pytest.raises(ArgumentTypeError, match="padding must be an integer or pairs"):
        Conv2D(3, 3, padding=value)


UNSUITABLE = {
    "larger kernel": (
        [Conv2D(3, 5)],
        (4, 6, 2),
        r"Conv2D has a kernel that reaches over 5 × 5 cells, but its input of shape \(4, 6, 2\) "
        "has 4 × 6 with padding='valid'",
    ),
    "dilated kernel": ([Conv1D(3, 3, dilation=4)], (8, 2), r"reaches over 9 cells.*\(8, 2\) has 8"),
    "groups": (
        [Conv2D(4, 3, groups=2)],
        (8, 8, 3),
        r"Conv2D has groups=2, but the 3 channels of its input of shape \(8, 8, 3\)",
    ),
    "rows": (
        [Conv2D(4, 3)],
        (64,),
        r"Conv2D takes images \(height, width, channels\), but its input has shape \(64,\); "
        r"put Reshape\(\(height, width, channels\)\) in front",
    ),
    "four axes": ([Conv2D(4, 3)], (4, 4, 4, 4), r"Conv2D takes images .* \(4, 4, 4, 4\)"),
    "images for series": ([Conv1D(4, 3)], (4, 4, 4), r"takes series \(time, channels\)"),
    "nothing left": (
        [Conv2DTranspose(4, 3, padding=2)],
        (1, 1, 2),
        r"cuts off all of its output: input of shape \(1, 1, 2\)",
    ),
    "no Flatten": ([Conv2D(4, 3)], (8, 8, 3), r"the last layer gives shape \(6, 6, 4\)"),
}


@pytest.mark.parametrize("case", UNSUITABLE)
def test_inputs_that_do_not_fit_are_refused_before_anything_changes(case):
    layers, shape, match = UNSUITABLE[case]
    net = network(layers)
    with pytest.raises(ArgumentError, match=match):
        net.build(shape)
    with pytest.raises(ArgumentError, match=match):
        net.fit(np.zeros((3, *shape)), CLASSES[:3], verbose=0)
    assert not net.built


def test_reshaped_rows_are_images():
    net = network([Reshape((6, 7, 4)), Conv2D(2, 3), Flatten(), Dense(3)])
    other = network([Conv2D(2, 3), Flatten(), Dense(3)])
    rows = IMAGES.reshape(4, -1)
    net.fit(rows, CLASSES, verbose=0)
    other.fit(IMAGES, CLASSES, verbose=0)
    np.testing.assert_array_equal(net.predict(rows), other.predict(IMAGES))
