"""Pooling, resizing and order of axes as layers: values, gradients and refusals."""

import numpy as np
import pytest
from convolution_oracle import average_pool, max_pool
from layer_networks import network

import fastnn
from fastnn import (
    AveragePooling1D,
    AveragePooling2D,
    Conv1D,
    Conv2D,
    Cropping1D,
    Cropping2D,
    Dense,
    Flatten,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    MaxPooling1D,
    MaxPooling2D,
    Permute,
    Reshape,
    SpatialDropout1D,
    SpatialDropout2D,
    UpSampling1D,
    UpSampling2D,
    ZeroPadding1D,
    ZeroPadding2D,
)
from fastnn.errors import ArgumentError

RNG = np.random.default_rng(0)
IMAGES, SERIES = RNG.normal(size=(4, 6, 7, 3)), RNG.normal(size=(4, 9, 3))
CLASSES = np.array([0, 2, 1, 1])


def outputs(layer, x):
    """What a single layer makes of x."""
    net = network([layer, Flatten()], loss="mean_squared_error").build(x.shape[1:])
    return net.predict(x).reshape(len(x), *layer.output_shape(x.shape[1:]))


OF_IMAGES = [
    MaxPooling2D(2),
    MaxPooling2D((3, 2), strides=1, padding="same"),
    MaxPooling2D(3, strides=2, padding=1),
    AveragePooling2D(3, strides=2, padding="same"),
    AveragePooling2D((2, 7)),
    GlobalMaxPooling2D(),
    GlobalAveragePooling2D(keepdims=True),
    UpSampling2D((2, 3)),
    ZeroPadding2D(((0, 1), (2, 3))),
    Cropping2D(((1, 0), (2, 1))),
    Permute((3, 1, 2)),
    Reshape((2, -1)),
    SpatialDropout2D(0.4),
]
OF_SERIES = [
    MaxPooling1D(3, strides=2, padding="same"),
    AveragePooling1D(2),
    GlobalMaxPooling1D(keepdims=True),
    GlobalAveragePooling1D(),
    UpSampling1D(3),
    ZeroPadding1D((2, 0)),
    Cropping1D(2),
    Permute((2, 1)),
    SpatialDropout1D(0.4),
]


@pytest.mark.parametrize("layer", OF_IMAGES, ids=repr)
def test_gradients_of_images(backend, layer):
    net = network([Conv2D(3, 1, "tanh"), layer, Flatten(), Dense(3)])
    check = fastnn.gradient_check(net, IMAGES, CLASSES, n=12, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


@pytest.mark.parametrize("layer", OF_SERIES, ids=repr)
def test_gradients_of_series(backend, layer):
    net = network([Conv1D(3, 2, "tanh", padding="same"), layer, Flatten(), Dense(3)])
    check = fastnn.gradient_check(net, SERIES, CLASSES, n=12, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


@pytest.mark.parametrize(
    ("kind", "oracle"), [(MaxPooling2D, max_pool), (AveragePooling2D, average_pool)]
)
def test_same_puts_the_odd_cell_to_the_end(backend, kind, oracle):
    values = outputs(kind((3, 2), strides=2, padding="same"), IMAGES)
    assert values.shape == (4, 3, 4, 3)
    zeros = np.zeros((3, 4, 3))
    want = [oracle(image, zeros, (3, 2), (2, 2), (0, 0))[0] for image in IMAGES]
    np.testing.assert_allclose(values, want, rtol=1e-14)


def test_values_of_other_layers(backend):
    np.testing.assert_array_equal(outputs(GlobalMaxPooling2D(), IMAGES), IMAGES.max(axis=(1, 2)))
    mean = outputs(GlobalAveragePooling1D(), SERIES)
    np.testing.assert_allclose(mean, SERIES.mean(axis=1), atol=1e-15)
    repeated = np.repeat(np.repeat(IMAGES, 2, axis=1), 3, axis=2)
    np.testing.assert_array_equal(outputs(UpSampling2D((2, 3)), IMAGES), repeated)
    padded = np.pad(IMAGES, ((0, 0), (0, 1), (2, 3), (0, 0)))
    np.testing.assert_array_equal(outputs(ZeroPadding2D(((0, 1), (2, 3))), IMAGES), padded)
    np.testing.assert_array_equal(outputs(Cropping1D((2, 1)), SERIES), SERIES[:, 2:-1])
    moved = IMAGES.transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(outputs(Permute((3, 1, 2)), IMAGES), moved)
    np.testing.assert_array_equal(outputs(Permute((2, 1)), SERIES), SERIES.transpose(0, 2, 1))
    np.testing.assert_array_equal(outputs(Reshape(-1), IMAGES), IMAGES.reshape(4, -1))


def test_spatial_dropout_drops_whole_channels_in_training_alone(backend):
    x = np.ones((50, 4, 5, 8))
    net = network([SpatialDropout2D(0.25), Flatten()], loss="mean_squared_error").build((4, 5, 8))
    np.testing.assert_array_equal(net.predict(x), 1)
    loss = net.train_on_batch(x, np.zeros((50, 160)))["loss"]
    kept = loss / (4 / 3) ** 2
    assert kept * 400 == pytest.approx(round(kept * 400), abs=1e-9)  # of 400 channels of rows
    assert 0.6 < kept < 0.9


REFUSED = {
    "half": (
        lambda: MaxPooling2D(3, padding=2),
        "padding must be at most half of a window of 3 cells, since .* got 2",
    ),
    "cells": (lambda: MaxPooling1D(257), "pool_size must have at most 256 cells, got 257"),
    "causal": (lambda: MaxPooling1D(2, padding="causal"), "unknown padding 'causal'"),
    "bilinear": (lambda: UpSampling2D(interpolation="bilinear"), "unknown interpolation"),
    "two free": (lambda: Reshape((-1, -1)), "at most one -1"),
    "size 0": (lambda: Reshape((0, 3)), "positive sizes"),
    "axes": (lambda: Permute((1, 3)), r"dims must hold 1, 2 … in some order, got \(1, 3\)"),
    "rate": (lambda: SpatialDropout1D(1.0), r"rate must be a number in \[0, 1\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_arguments_that_are_refused(case):
    make, match = REFUSED[case]
    with pytest.raises(ArgumentError, match=match):
        make()


UNSUITABLE = {
    "window": (MaxPooling2D(5), (4, 6, 2), r"windows of 5 × 5 cells, larger .* \(4, 6, 2\)"),
    "series": (AveragePooling1D(2), (4, 6, 2), r"AveragePooling1D takes series \(time, channels\)"),
    "elements": (Reshape((5, -1)), (4, 3), r"rows of shape \(5, -1\), but .* \(4, 3\) has 12"),
    "cropped": (Cropping2D(2), (4, 6, 2), r"leaves nothing of its input of shape \(4, 6, 2\)"),
    "axes": (Permute((2, 1)), (4, 6, 2), r"Permute has dims=\(2, 1\), .* \(4, 6, 2\)"),
    "global": (GlobalMaxPooling2D(), (4,), r"GlobalMaxPooling2D takes images"),
}


@pytest.mark.parametrize("case", UNSUITABLE)
def test_inputs_that_do_not_fit_are_refused(case):
    layer, shape, match = UNSUITABLE[case]
    with pytest.raises(ArgumentError, match=match):
        network([layer, Flatten(), Dense(3)]).build(shape)
