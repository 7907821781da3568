"""State_dicts in networks: predictions equal forward passes with their channels first."""

import channels_first_oracle as oracle
import numpy as np
import pytest
from channels_first_oracle import module, state_of

import fastnn
from fastnn import (
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Embedding,
    Flatten,
    GlobalMaxPooling2D,
    LayerNorm,
    MaxPooling2D,
    Network,
    Normalization,
    Parallel,
    Permute,
    Reshape,
    Residual,
    SeparableConv2D,
)
from fastnn.convert import torch_state_dict

rng = np.random.default_rng(0)


def network(layers, shape):
    return Network(layers, loss="mean_squared_error", dtype="float64", seed=0).build(shape)


def channels_last(x):
    return np.moveaxis(x, 1, -1)


def assert_predicts(net, x, expected):
    np.testing.assert_allclose(net.predict(x), expected, rtol=1e-10, atol=1e-10)


def conv_state(filters, channels, size, name="0"):
    return {f"{name}.weight": (filters, channels, size, size), f"{name}.bias": (filters,)}


def linear_state(outputs, inputs, name):
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def norm_state(channels, name, *statistics):
    return {f"{name}.{key}": (channels,) for key in ("weight", "bias", *statistics)}


RUNNING = ("running_mean", "running_var")


def test_convolution_pooling_and_linear_behind_flatten():
    state = state_of(conv_state(4, 3, 3) | linear_state(5, 4 * 3 * 2, "fc"))
    net = network([Conv2D(4, 3, "relu"), MaxPooling2D(2), Flatten(), Dense(5)], (8, 6, 3))
    report = torch_state_dict(state, net)
    x = rng.normal(size=(3, 3, 8, 6))
    y = oracle.max_pool(oracle.relu(oracle.conv(x, **module(state, "0"))), 2)
    assert_predicts(net, channels_last(x), oracle.linear(y.reshape(3, -1), **module(state, "fc")))
    assert [(one.array, one.origin) for one in report.arrays] == [
        ("conv2d_1/weights", "0.weight"),
        ("conv2d_1/bias", "0.bias"),
        ("dense_1/weights", "fc.weight"),
        ("dense_1/bias", "fc.bias"),
    ]
    assert report.arrays[0].shape == (3, 3, 3, 4)
    assert report.arrays[0].source_shape == (4, 3, 3, 3)


def test_groups_depthwise_separable_and_transposed():
    state = state_of(
        conv_state(6, 2, 3, "grouped")
        | conv_state(12, 1, 3, "depthwise")
        | {"first.weight": (24, 1, 3, 3)}
        | conv_state(5, 24, 1, "second")
        | {"up.weight": (5, 3, 3, 3), "up.bias": (3,)}
    )
    layers = [
        Conv2D(6, 3, groups=2),
        DepthwiseConv2D(3, depth_multiplier=2),
        SeparableConv2D(5, 3, depth_multiplier=2, padding=1),
        Conv2DTranspose(3, 3, strides=2),
        Flatten(),
    ]
    net = network(layers, (7, 6, 4))
    torch_state_dict(state, net)
    x = rng.normal(size=(2, 4, 7, 6))
    y = oracle.conv(x, **module(state, "grouped"), groups=2)
    y = oracle.conv(y, **module(state, "depthwise"), groups=6)
    y = oracle.conv(y, **module(state, "first"), groups=12, pad=1)
    y = oracle.conv(y, **module(state, "second"))
    y = oracle.conv_transpose(y, **module(state, "up"), stride=2)
    assert_predicts(net, channels_last(x), channels_last(y).reshape(2, -1))


def test_normalisations_take_statistics_and_the_order_of_flatten():
    state = state_of(
        conv_state(3, 2, 3)
        | norm_state(3, "1", *RUNNING)
        | norm_state(3 * 2 * 4, "2", *RUNNING)
        | linear_state(6, 24, "3")
        | norm_state(6, "4")
    )
    state["1.num_batches_tracked"] = np.array(7)
    layers = [
        Conv2D(3, 3),
        BatchNorm(epsilon=1e-5),
        Flatten(),
        Dropout(0.5),
        BatchNorm(epsilon=1e-5),
        Dense(6),
        LayerNorm(epsilon=1e-5),
    ]
    net = network(layers, (4, 6, 2))
    torch_state_dict(state, net)
    x = rng.normal(size=(5, 2, 4, 6))
    y = oracle.conv(x, **module(state, "0"))
    norm = {k: v for k, v in module(state, "1").items() if k != "num_batches_tracked"}
    y = oracle.batch_norm(y, **norm, epsilon=1e-5).reshape(5, -1)
    y = oracle.batch_norm(y, **module(state, "2"), epsilon=1e-5)
    y = oracle.linear(y, **module(state, "3"))
    y = oracle.layer_norm(y, **module(state, "4"), epsilon=1e-5)
    assert_predicts(net, channels_last(x), y)


def test_a_decoder_makes_images_of_vectors():
    state = state_of(linear_state(3 * 4 * 2, 5, "0") | conv_state(2, 3, 2, "1"))
    layers = [Dense(24), Activation("relu"), Reshape((4, 2, 3)), Conv2D(2, 2), Flatten()]
    net = network(layers, 5)
    torch_state_dict(state, net)
    x = rng.normal(size=(4, 5))
    y = oracle.relu(oracle.linear(x, **module(state, "0"))).reshape(4, 3, 4, 2)
    expected = channels_last(oracle.conv(y, **module(state, "1"))).reshape(4, -1)
    assert_predicts(net, x, expected)


def test_series_are_images_of_one_line():
    shapes = {"0.weight": (4, 3, 3), "0.bias": (4,)} | linear_state(2, 4 * 6, "1")
    state = state_of(shapes)
    net = network([Conv1D(4, 3), Flatten(), Dense(2)], (8, 3))
    torch_state_dict(state, net)
    x = rng.normal(size=(3, 3, 8))
    line = oracle.conv(x[:, :, None], state["0.weight"][:, :, None], state["0.bias"])
    assert_predicts(net, channels_last(x), oracle.linear(line.reshape(3, -1), **module(state, "1")))


def test_embeddings_and_linear_layers_keep_features_last():
    state = state_of(
        {"words.weight": (9, 4)} | linear_state(3, 4, "each") | linear_state(2, 15, "all")
    )
    net = network([Embedding(9, 4), Dense(3), Flatten(), Dense(2)], 5)
    torch_state_dict(state, net)
    x = rng.integers(0, 9, (6, 5))
    y = oracle.linear(state["words.weight"][x], **module(state, "each"))
    assert_predicts(net, x, oracle.linear(y.reshape(6, -1), **module(state, "all")))


def test_a_matrix_that_is_flattened_at_the_input_is_taken_as_it_is():
    state = state_of(linear_state(2, 12, "fc"))
    net = network([Flatten(), Dense(2)], (3, 4))
    torch_state_dict(state, net)
    x = rng.normal(size=(5, 3, 4))
    assert_predicts(net, x, oracle.linear(x.reshape(5, -1), **module(state, "fc")))


def test_an_image_that_is_flattened_at_the_input_has_its_channels_first():
    state = state_of(linear_state(2, 24, "fc"))
    net = network([Flatten(), Dense(2)], (3, 4, 2))
    torch_state_dict(state, net)
    x = rng.normal(size=(5, 2, 3, 4))
    expected = oracle.linear(x.reshape(5, -1), **module(state, "fc"))
    assert_predicts(net, channels_last(x), expected)


@pytest.mark.parametrize("explicit", [False, True])
def test_modules_that_flatten_channels_last(explicit):
    """Told by the argument; or by a Permute that puts channels first in fastnn."""
    state = state_of(conv_state(3, 2, 3) | linear_state(2, 18, "fc"))
    layers = [Conv2D(3, 3), Flatten(), Dense(2)]
    options = {"flattened": "channels_last"}
    if explicit:
        layers.insert(1, Permute((3, 1, 2)))
        options = {}
    net = network(layers, (4, 5, 2))
    torch_state_dict(state, net, **options)
    x = rng.normal(size=(3, 2, 4, 5))
    y = oracle.conv(x, **module(state, "0"))
    y = y if explicit else channels_last(y)
    expected = oracle.linear(y.reshape(3, -1), **module(state, "fc"))
    assert_predicts(net, channels_last(x), expected)


def test_branches_are_filled_in_their_order():
    state = state_of(
        conv_state(3, 2, 3, "path.0")
        | conv_state(3, 2, 1, "shortcut")
        | conv_state(2, 3, 1, "wide")
        | conv_state(4, 3, 3, "deep")
        | linear_state(2, 6 * 12, "fc")
    )
    layers = [
        Residual([Conv2D(3, 3, padding=1)], shortcut=[Conv2D(3, 1)]),
        Parallel([[Conv2D(2, 1)], [Conv2D(4, 3, padding=1)]]),
        Flatten(),
        Dense(2),
    ]
    net = network(layers, (4, 3, 2))
    report = torch_state_dict(state, net)
    x = rng.normal(size=(3, 2, 4, 3))
    y = oracle.conv(x, **module(state, "path.0"), pad=1)
    y = y + oracle.conv(x, **module(state, "shortcut"))
    deep = oracle.conv(y, **module(state, "deep"), pad=1)
    y = np.concatenate([oracle.conv(y, **module(state, "wide")), deep], 1)
    expected = oracle.linear(y.reshape(3, -1), **module(state, "fc"))
    assert_predicts(net, channels_last(x), expected)
    assert report.arrays[2].array == "residual_1/conv2d_2.weights"


def test_flattened_branches_side_by_side():
    state = state_of(
        conv_state(2, 3, 2, "a") | conv_state(3, 3, 1, "b") | linear_state(4, 2 * 6 + 3 * 12, "c")
    )
    branches = [[Conv2D(2, 2), Flatten()], [Conv2D(3, 1), Flatten()]]
    net = network([Parallel(branches), Dense(4)], (4, 3, 3))
    torch_state_dict(state, net)
    x = rng.normal(size=(3, 3, 4, 3))
    flat = [oracle.conv(x, **module(state, name)).reshape(3, -1) for name in "ab"]
    expected = oracle.linear(np.concatenate(flat, 1), **module(state, "c"))
    assert_predicts(net, channels_last(x), expected)


def test_a_residual_on_a_flattened_image_moves_columns_too():
    state = state_of(
        conv_state(2, 2, 2) | linear_state(12, 12, "same") | linear_state(3, 12, "out")
    )
    net = network([Conv2D(2, 2), Flatten(), Residual([Dense(12)]), Dense(3)], (4, 3, 2))
    torch_state_dict(state, net)
    x = rng.normal(size=(3, 2, 4, 3))
    y = oracle.conv(x, **module(state, "0")).reshape(3, -1)
    y = y + oracle.linear(y, **module(state, "same"))
    assert_predicts(net, channels_last(x), oracle.linear(y, **module(state, "out")))


def test_sums_of_flattened_images_and_other_vectors_are_refused():
    branches = [[Conv2D(2, (4, 1)), Flatten()], [Conv2D(6, 1), GlobalMaxPooling2D()]]
    net = network([Parallel(branches, merge="add")], (4, 3, 2))
    with pytest.raises(fastnn.ArgumentError, match="'parallel_1' merges vectors"):
        torch_state_dict({}, net)


def test_vectors_that_become_images_of_another_shape_are_refused():
    net = network([Conv2D(2, 1), Flatten(), Reshape((2, 2, 6)), Conv2D(1, 1), Flatten()], (4, 3, 2))
    with pytest.raises(fastnn.ArgumentError, match="'reshape_1' makes"):
        torch_state_dict({}, net)


def test_statistics_of_the_input_stay():
    net = network([Normalization(mean=1.0, variance=4.0), Dense(1)], 2)
    torch_state_dict({"weight": np.ones((1, 2)), "bias": np.zeros(1)}, net)
    np.testing.assert_allclose(net.predict([[3.0, 5.0]]), [[3.0]])


def test_a_module_and_its_tensors_are_taken():
    class Tensor:
        """The methods of a tensor that lead to an array."""

        def __init__(self, array):
            self.array = array

        def detach(self):
            return self

        cpu = double = detach

        def numpy(self):
            return self.array

    class Module:
        def state_dict(self):
            return {"weight": Tensor(np.array([[2.0, 3.0]])), "bias": Tensor(np.array([1.0]))}

    net = network([Dense(1)], 2)
    torch_state_dict(Module(), net)
    np.testing.assert_allclose(net.predict([[1.0, 1.0]]), [[6.0]])
