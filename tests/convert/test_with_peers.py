"""Predictions beside those of PyTorch and Keras themselves, where they are installed."""

import numpy as np
import pytest

from fastnn import (
    Activation,
    AveragePooling2D,
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    LayerNorm,
    MaxPooling2D,
    Network,
    Normalization,
    Reshape,
    SeparableConv2D,
)
from fastnn.convert import keras_weights, torch_state_dict

#: Keras and JAX warn of each other.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:keras")

rng = np.random.default_rng(0)


def network(layers, shape):
    return Network(layers, loss="mean_squared_error", seed=0).build(shape)


def randomized(state):
    """Return random arrays of the shapes and places of others; variances stay positive."""
    return {
        name: np.float32(rng.uniform(0.5, 1.5, np.shape(value)) * (1 if "var" in name else 0.5))
        for name, value in state.items()
    }


# ----------------------------------------------------------------------------------------- PyTorch


def torch_module(torch):
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(3, 6, 3, padding=1, stride=2, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 8, 3, padding=2, dilation=2, groups=2),
        nn.ReLU(),
        nn.Conv2d(8, 16, 3, padding=1, groups=8, bias=False),
        nn.Conv2d(16, 5, 1),
        nn.ConvTranspose2d(5, 4, 3, stride=2),
        nn.Flatten(),
        nn.Dropout(),
        nn.BatchNorm1d(4 * 9 * 7),
        nn.Linear(252, 7),
        nn.LayerNorm(7),
        nn.Linear(7, 48),
        nn.Unflatten(1, (3, 4, 4)),
        nn.Conv2d(3, 2, 2),
        nn.Flatten(),
        nn.Linear(18, 3),
    ).eval()


def like_torch():
    layers = [
        Conv2D(6, 3, strides=2, padding=1, use_bias=False),
        BatchNorm(epsilon=1e-5),
        Activation("relu"),
        MaxPooling2D(2),
        Conv2D(8, 3, "relu", padding=2, dilation=2, groups=2),
        SeparableConv2D(5, 3, depth_multiplier=2, padding=1),
        Conv2DTranspose(4, 3, strides=2),
        Flatten(),
        Dropout(0.5),
        BatchNorm(epsilon=1e-5),
        Dense(7),
        LayerNorm(epsilon=1e-5),
        Dense(48),
        Reshape((4, 4, 3)),
        Conv2D(2, 2),
        Flatten(),
        Dense(3),
    ]
    return network(layers, (16, 12, 3))


@pytest.mark.parametrize("form", ["module", "state_dict", "checkpoint", "file", "safetensors"])
def test_predictions_are_those_of_pytorch(tmp_path, form):
    torch = pytest.importorskip("torch")
    module = torch_module(torch)
    state = {k: torch.as_tensor(v) for k, v in randomized(module.state_dict()).items()}
    module.load_state_dict(state)
    source = {"module": module, "state_dict": module.state_dict()}.get(form, tmp_path / form)
    if form == "file":
        torch.save(module.state_dict(), source)
    elif form == "checkpoint":
        optimizer = torch.optim.Adam(module.parameters())
        checkpoint = {"epoch": 3, "state_dict": module.state_dict(), "adam": optimizer.state_dict()}
        torch.save(checkpoint, source)
    elif form == "safetensors":
        from safetensors.torch import save_file

        save_file(module.state_dict(), source)
    net = like_torch()
    torch_state_dict(source, net)
    x = rng.normal(size=(4, 3, 16, 12)).astype(np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(x)).numpy()
    found = net.predict(x.transpose(0, 2, 3, 1))
    np.testing.assert_allclose(found, expected, atol=1e-5 * abs(expected).max())


def test_bfloat16_of_pytorch(tmp_path):
    torch = pytest.importorskip("torch")
    linear = torch.nn.Linear(3, 2).bfloat16()
    path = tmp_path / "model.pt"
    torch.save(linear.state_dict(), path)
    nets = [network([Dense(2)], 3) for _ in range(2)]
    torch_state_dict(path, nets[0])
    torch_state_dict(linear, nets[1])
    np.testing.assert_array_equal(nets[0].get_weights()[0].T, linear.weight.detach().float())
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


# ------------------------------------------------------------------------------------------- Keras


def keras_model(keras):
    layers = keras.layers
    head = [layers.Dense(4, name="scores"), layers.Dense(2)]
    model = keras.Sequential(
        [
            keras.Input((9, 8, 3)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.1),
            layers.SeparableConv2D(5, 3, depth_multiplier=2, name="z"),
            layers.DepthwiseConv2D(2, depth_multiplier=2, name="a"),
            layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(6),
            layers.LayerNormalization(),
            keras.Sequential(head, name="head"),
        ]
    )
    names = [variable.path for variable in model.weights]
    state = randomized(dict(zip(names, model.get_weights(), strict=True)))
    model.set_weights(list(state.values()))
    return model


def like_keras():
    layers = [
        Conv2D(4, 3, "relu", strides=2, padding="same"),
        BatchNorm(),
        Dropout(0.1),
        SeparableConv2D(5, 3, depth_multiplier=2),
        DepthwiseConv2D(2, depth_multiplier=2),
        Conv2DTranspose(3, 3, strides=2, padding="same"),
        AveragePooling2D(2),
        Flatten(),
        Dense(6),
        LayerNorm(),
        Dense(4),
        Dense(2),
    ]
    return network(layers, (9, 8, 3))


@pytest.mark.parametrize("form", ["memory", "model.keras", "model.weights.h5", "model.h5"])
def test_predictions_are_those_of_keras(tmp_path, form):
    keras = pytest.importorskip("keras")
    model = keras_model(keras)
    source = model if form == "memory" else tmp_path / form
    if form == "model.weights.h5":
        model.save_weights(source)
    elif form != "memory":
        model.save(source)
    net = like_keras()
    keras_weights(source, net)
    x = rng.normal(size=(4, 9, 8, 3)).astype(np.float32)
    expected = np.asarray(model.predict(x, verbose=0))
    np.testing.assert_allclose(net.predict(x), expected, atol=1e-5 * abs(expected).max())


def test_functional_models_of_keras(tmp_path):
    keras = pytest.importorskip("keras")
    layers = keras.layers
    statistics = layers.Normalization()
    statistics.adapt(rng.normal(3, 2, (50, 7, 2)))
    inputs = keras.Input((7, 2))
    y = layers.Conv1D(3, 2, padding="causal", activation="relu", name="series")(statistics(inputs))
    outputs = layers.Dense(2, name="scores")(layers.Flatten()(y))
    model = keras.Model(inputs, outputs)
    model.save(tmp_path / "model.keras")
    net = network(
        [Normalization(), Conv1D(3, 2, "relu", padding="causal"), Flatten(), Dense(2)], (7, 2)
    )
    keras_weights(tmp_path / "model.keras", net)
    x = rng.normal(3, 2, (5, 7, 2)).astype(np.float32)
    np.testing.assert_allclose(net.predict(x), model.predict(x, verbose=0), atol=1e-5)
