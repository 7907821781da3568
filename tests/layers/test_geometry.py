"""Sizes, strides and paddings of windows: what is taken, and what is too large for kernels."""

import numpy as np
import pytest

from fastnn import (
    AveragePooling1D,
    AveragePooling2D,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Cropping2D,
    Dense,
    Flatten,
    MaxPooling2D,
    Network,
    Residual,
    UpSampling1D,
    ZeroPadding2D,
)
from fastnn.errors import ArgumentError, ArgumentTypeError
from fastnn.kernels import native
from fastnn.utils.specification import changed

LARGE = 2**31

TOO_LARGE = {
    "kernel_size": lambda size: Conv1D(1, size, padding="same"),
    "strides": lambda size: Conv2D(4, 3, strides=size),
    "dilation": lambda size: Conv2D(1, 2, padding="same", dilation=size),
    "padding": lambda size: Conv2D(1, 2, padding=size),
    "pool_size": lambda size: AveragePooling2D(size, padding="same"),
    "strides of pooling": lambda size: AveragePooling1D(2, strides=size),
    "strides of transposed": lambda size: Conv2DTranspose(1, 2, strides=(1, size)),
    "size": UpSampling1D,
    "padding of zeros": lambda size: ZeroPadding2D(((0, 0), (0, size))),
    "cropping": Cropping2D,
}


@pytest.mark.parametrize("size", [LARGE, 2**40, 10**5000], ids=["least", "more", "huge"])
@pytest.mark.parametrize("argument", TOO_LARGE)
def test_sizes_beyond_those_of_kernels_are_refused(argument, size):
    with pytest.raises(ArgumentError, match=f"{argument.split()[0]} must be at most 2147483647"):
        TOO_LARGE[argument](size)


def test_windows_that_reach_too_far_are_refused():
    with pytest.raises(ArgumentError, match="windows must reach over at most 2147483647 cells"):
        Conv2D(1, 5, padding="same", dilation=LARGE - 1)


@pytest.mark.parametrize(
    "layer",
    [
        Conv2D(1, 1, strides=LARGE - 1),
        Conv2D(1, 2, padding="same", strides=LARGE - 1),
        AveragePooling2D(2, strides=LARGE - 1),
    ],
    ids=["convolution", "with padding", "pooling"],
)
def test_the_largest_strides_train(layer):
    x = np.random.default_rng(0).normal(size=(4, 3, 3, 2)).astype(np.float32)
    net = Network([layer, Flatten(), Dense(1)], loss="mean_squared_error", seed=0)
    net.fit(x, np.zeros((4, 1)), epochs=2, verbose=0)
    same = Network(
        [changed(layer, strides=3), Flatten(), Dense(1)], loss="mean_squared_error", seed=0
    )
    same.fit(x, np.zeros((4, 1)), epochs=2, verbose=0)
    np.testing.assert_array_equal(net.predict(x), same.predict(x))


def test_gradients_of_far_windows_take_no_longer_than_their_pixels():
    far = LARGE - 1
    x, y = np.full((1, 1, 1, 1), 3.0), np.zeros((1, 2, 2, 1))
    w = np.arange(1.0, 5).reshape(2, 2, 1, 1)
    dy = np.array([[5.0, 7], [11, 13]]).reshape(y.shape)
    dx, dw = np.full_like(x, np.nan), np.full_like(w, np.nan)
    places = dict.fromkeys(("stride_h", "stride_w"), far - 1)
    places |= dict.fromkeys(("pad_h", "pad_w", "dilation_h", "dilation_w"), far)
    arrays = {"dx": dx, "dw": dw, "db": None, "dy": dy, "y": y, "x": x, "w": w, "z": None}
    native.conv_bwd(**arrays, **places, groups=1, activation="identity")
    np.testing.assert_array_equal(dx, 5.0 * w[1, 1, 0, 0])  # window 0, its last cell
    np.testing.assert_array_equal(dw.ravel(), [0, 0, 0, 15])


def test_integers_and_arrays_of_numpy_are_taken():
    plain = Conv2D(4, (3, 2), strides=2, padding=1)
    numpy = Conv2D(np.int64(4), np.array([3, 2]), strides=np.int32(2), padding=np.int64(1))
    assert numpy == plain
    assert numpy.to_config() == plain.to_config()
    assert ZeroPadding2D(np.array([[1, 2], [3, 4]])) == ZeroPadding2D(((1, 2), (3, 4)))
    for wrong in (np.True_, 1.0, np.array(1.0), "1"):
        with pytest.raises((ArgumentError, ArgumentTypeError), match="padding"):
            ZeroPadding2D(wrong)


def test_wider_padding_names_the_layer_that_does_it():
    with pytest.raises(ArgumentError, match="got 5; Cropping2D cuts off any number"):
        Conv2DTranspose(4, 3, padding=5)
    with pytest.raises(ArgumentError, match="got 5; ZeroPadding1D adds any number"):
        Conv1D(4, 3, padding=5)


def test_errors_of_shapes_name_the_layer():
    inner = Residual([Conv2D(4, 3, padding="same"), Conv2D(4, 9)])
    net = Network([Conv2D(4, 1), Residual([inner])], loss="mean_squared_error")
    names = "layer 'residual_1': layer 'residual_1': layer 'conv2d_2': Conv2D has a kernel that"
    with pytest.raises(ArgumentError, match=f"^{names}"):
        net.build((8, 8, 3))


@pytest.mark.parametrize("layers", [[Conv2D(2, 1)], [Residual([MaxPooling2D(1)])]])
@pytest.mark.parametrize("channels", [1, 3])
def test_images_with_channels_first_are_warned_of(layers, channels):
    net = Network([*layers, Flatten(), Dense(1)], loss="mean_squared_error", seed=0)
    with pytest.warns(UserWarning, match=r"channels first; .*np.moveaxis\(X, 1, -1\)"):
        net.fit(np.ones((4, channels, 8, 8)), np.zeros(4), verbose=0)


@pytest.mark.parametrize("shape", [(8, 8, 1), (8, 8, 3), (3, 3, 3), (1, 8, 3), (8, 8)])
def test_images_with_channels_last_are_not(shape, recwarn):
    net = Network([Conv2D(2, 1), Flatten(), Dense(1)], loss="mean_squared_error", seed=0)
    net.build(shape)
    vectors = Network([Flatten(), Dense(1)], loss="mean_squared_error", seed=0)
    vectors.build((3, 8, 8))
    assert not [one for one in recwarn if "channels first" in str(one.message)]
