"""Weights of Keras models and files in networks: predictions equal forward passes in NumPy."""

import sys
import zipfile

import channels_first_oracle as oracle
import h5py
import keras_files
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
    Embedding,
    Flatten,
    LayerNorm,
    Network,
    Normalization,
    Residual,
    SeparableConv1D,
    SeparableConv2D,
)
from fastnn.convert import keras_weights

rng = np.random.default_rng(0)


def network(layers, shape):
    return Network(layers, loss="mean_squared_error", dtype="float64", seed=0).build(shape)


def arrays(*shapes):
    return tuple(rng.normal(size=shape) for shape in shapes)


def norm(channels):
    """Return gamma, beta, mean and variance."""
    gamma, beta, mean, variance = arrays(*[(channels,)] * 4)
    return gamma, beta, mean, np.abs(variance) + 0.5


#: A model of all classes of layers: (class, key, name, arrays).
MODEL = [
    ("Conv2D", "conv2d", "conv2d", arrays((3, 3, 2, 6), (6,))),
    ("BatchNormalization", "batch_normalization", "batch_normalization", norm(6)),
    ("Conv2D", "conv2d_1", "grouped", arrays((2, 2, 3, 4))),
    ("SeparableConv2D", "separable_conv2d", "z", arrays((2, 2, 4, 2), (1, 1, 8, 5), (5,))),
    ("DepthwiseConv2D", "depthwise_conv2d", "a", arrays((2, 2, 5, 3), (15,))),
    ("Conv2DTranspose", "conv2d_transpose", "up", arrays((3, 3, 2, 15), (2,))),
    ("Flatten", "flatten", "flatten", ()),
    ("Dense", "dense", "dense", arrays((98, 6), (6,))),
    ("LayerNormalization", "layer_normalization", "layer_normalization", arrays((6,), (6,))),
    (
        "Sequential",
        "sequential",
        "head",
        [
            ("Dense", "dense", "inner", arrays((6, 4), (4,))),
            ("Dense", "dense_1", "dense_1", arrays((4, 3), (3,))),
        ],
    ),
]
INPUT = (8, 8, 2)


def layers():
    """The same model in fastnn."""
    return [
        Conv2D(6, 3, "relu"),
        BatchNorm(),
        Dropout(0.1),
        Conv2D(4, 2, groups=2, use_bias=False),
        SeparableConv2D(5, 2, depth_multiplier=2),
        DepthwiseConv2D(2, depth_multiplier=3),
        Conv2DTranspose(2, 3, strides=2),
        Flatten(),
        Dense(6),
        LayerNorm(),
        Dense(4),
        Dense(3),
    ]


def depthwise(x, kernel, bias=None):
    """Convolve each channel with filters of its own, kernel (KH, KW, C, multiplier)."""
    weight = kernel.transpose(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2])
    return oracle.conv(x, weight, bias, groups=kernel.shape[2])


def forward(x):
    """Return what Keras computes for rows (N, H, W, C)."""
    held = {name: content for _, _, name, content in MODEL}
    kernel, bias = held["conv2d"]
    y = oracle.relu(oracle.conv(np.moveaxis(x, -1, 1), kernel.transpose(3, 2, 0, 1), bias))
    y = oracle.batch_norm(y, *held["batch_normalization"], epsilon=1e-3)
    y = oracle.conv(y, held["grouped"][0].transpose(3, 2, 0, 1), groups=2)
    first, second, bias = held["z"]
    y = oracle.conv(depthwise(y, first), second.transpose(3, 2, 0, 1), bias)
    y = depthwise(y, *held["a"])
    kernel, bias = held["up"]
    y = oracle.conv_transpose(y, kernel.transpose(3, 2, 0, 1), bias, stride=2)
    y = np.moveaxis(y, 1, -1).reshape(len(x), -1)
    kernel, bias = held["dense"]
    y = oracle.layer_norm(y @ kernel + bias, *held["layer_normalization"], epsilon=1e-3)
    for _, _, _, (kernel, bias) in held["head"]:
        y = y @ kernel + bias
    return y


def assert_predicts(net, x, expected):
    np.testing.assert_allclose(net.predict(x), expected, rtol=1e-10, atol=1e-10)


class Layer:
    """A layer of Keras, as far as its weights are concerned."""

    def __init__(self, name, content):
        self.name = name
        self.content = content

    def get_weights(self):
        return list(self.content)


class Model(Layer):
    """A model, whose layers are of classes with Keras's names."""

    @property
    def layers(self):
        for kind, _, name, content in self.content:
            made = Model if isinstance(content, list) else type(kind, (Layer,), {})
            yield made(name, content)


FILES = {
    "model.keras": keras_files.save_model,
    "model.weights.h5": keras_files.save_weights,
    "model.h5": keras_files.save_legacy,
}


@pytest.fixture(params=["memory", *FILES])
def source(request, tmp_path):
    """The model in memory, and as each kind of file."""
    if request.param == "memory":
        return Model("model", MODEL)
    path = tmp_path / request.param
    FILES[request.param](path, MODEL)
    return path


def test_predictions_are_those_of_the_model(source):
    net = network(layers(), INPUT)
    report = keras_weights(source, net)
    x = rng.normal(size=(3, *INPUT))
    assert_predicts(net, x, forward(x))
    assert [one.array for one in report.arrays][:3] == [
        "conv2d_1/weights",
        "conv2d_1/bias",
        "batchnorm_1/gamma",
    ]
    assert report.arrays[0].origin.endswith("conv2d.kernel")
    assert len(str(report).splitlines()) == 2 + len(report.arrays)


def test_files_are_read_without_keras(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras", None)  # whose import fails
    path = tmp_path / "model.keras"
    keras_files.save_model(path, MODEL)
    keras_weights(path, network(layers(), INPUT))


def test_without_h5py_a_file_is_refused_with_advice(tmp_path, monkeypatch):
    path = tmp_path / "model.weights.h5"
    keras_files.save_weights(path, MODEL)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(fastnn.MissingDependencyError, match=r"needs h5py: .*\[keras\]"):
        keras_weights(path, network(layers(), INPUT))


def test_statistics_of_the_input(tmp_path):
    """A column without variance divides by one; the next fit keeps what was converted."""
    mean, variance = np.array([1.0, 2.0, 5.0]), np.array([4.0, 9.0, 0.0])
    kernel, bias = arrays((3, 2), (2,))
    model = [
        ("Normalization", "normalization", "normalization", (mean, variance, np.int64(0))),
        ("Dense", "dense", "dense", (kernel, bias)),
    ]
    path = tmp_path / "model.keras"
    keras_files.save_model(path, model)
    net = network([Normalization(), Dense(2)], 3)
    keras_weights(path, net)
    x = rng.normal(size=(5, 3))
    assert_predicts(net, x, (x - mean) / [2, 3, 1] @ kernel + bias)
    net.fit(x, np.zeros((5, 2)), verbose=0)
    np.testing.assert_array_equal(net.buffers["normalization_1/mean"], mean)


def test_embeddings_series_and_branches(tmp_path):
    table, kernel, first, second, bias = arrays((7, 3), (2, 3, 4), (3, 4, 1), (1, 4, 4), (4,))
    model = [
        ("Embedding", "embedding", "embedding", (table,)),
        ("Conv1D", "conv1d", "conv1d", (kernel,)),
        ("SeparableConv1D", "separable_conv1d", "branch", (first, second, bias)),
    ]
    path = tmp_path / "model.keras"
    keras_files.save_model(path, model)
    branch = Residual([SeparableConv1D(4, 3, padding="same")], name="block")
    net = network([Embedding(7, 3), Conv1D(4, 2, use_bias=False), branch, Flatten()], 6)
    report = keras_weights(path, net)
    x = rng.integers(0, 7, (4, 6))
    y = np.moveaxis(table[x], -1, 1)[:, :, None]
    y = oracle.conv(y, kernel[None].transpose(3, 2, 0, 1))
    padded = np.pad(y, ((0, 0), (0, 0), (0, 0), (1, 1)))
    z = depthwise(padded, first[None])
    z = oracle.conv(z, second[None].transpose(3, 2, 0, 1), bias)
    assert_predicts(net, x, np.moveaxis((y + z)[:, :, 0], 1, -1).reshape(4, -1))
    assert "block/separableconv1d_1.bias" in [one.array for one in report.arrays]


def dense(name, key, inputs, outputs):
    return ("Dense", key, name, arrays((inputs, outputs), (outputs,)))


def refuse(source, net, match, error=fastnn.ArgumentError, **options):
    before = net.parameters.copy()
    with pytest.raises(error, match=match):
        keras_weights(source, net, **options)
    np.testing.assert_array_equal(net.parameters, before)


def test_other_classes_and_shapes_are_refused(tmp_path):
    path = tmp_path / "model.keras"
    keras_files.save_model(path, [("GroupNormalization", "group_normalization", "gn", norm(3)[:2])])
    refuse(
        path,
        network([LayerNorm()], 3),
        "does not fit 'gn' .*, a groupnormalization, of 'model.keras'",
    )
    keras_files.save_model(path, [dense("first", "dense", 3, 4)])
    refuse(
        path,
        network([Dense(5)], 3),
        r"'dense_1' \(kernel \(3, 5\), bias \(5,\)\) of the network does not fit 'first' "
        r"\(\(3, 4\), \(4,\)\)",
    )
    lstm = ("LSTM", "lstm", "lstm", arrays((3, 8), (2, 8), (8,)))
    keras_files.save_model(path, [dense("first", "dense", 3, 5), lstm])
    refuse(path, network([Dense(5)], 3), r"the network none for 'lstm'")


def test_layers_of_one_class_are_in_the_order_of_their_keys(tmp_path):
    model = [dense(f"layer {i}", f"dense_{i}".removesuffix("_0"), 2, 2) for i in range(12)]
    path = tmp_path / "model.weights.h5"
    keras_files.save_weights(path, model)
    net = network([Dense(2) for _ in model], 2)
    keras_weights(path, net)
    for weights, (*_, content) in zip(net.get_weights()[::2], model, strict=True):
        np.testing.assert_array_equal(weights, content[0])


def test_a_weights_file_does_not_tell_the_order_of_models_within(tmp_path):
    model = [
        dense("out", "dense", 2, 2),
        ("Sequential", "sequential", "s", [dense("in", "dense", 2, 2)]),
    ]
    path = tmp_path / "model.weights.h5"
    keras_files.save_weights(path, model)
    net = network([Dense(2), Dense(2)], 2)
    refuse(path, net, r"fits several of 'model.weights.h5'.* 'dense' .*'sequential/dense'")
    keras_weights(path, net, names={"dense_1": "sequential/dense"})
    np.testing.assert_array_equal(net.get_weights()[0], model[1][3][0][3][0])
    keras_files.save_model(tmp_path / "model.keras", model)
    keras_weights(tmp_path / "model.keras", net)
    np.testing.assert_array_equal(net.get_weights()[0], model[0][3][0])


def test_a_model_that_is_a_subclass_has_its_layers_as_attributes(tmp_path):
    path = tmp_path / "model.weights.h5"
    kernel, bias = arrays((3, 2), (2,))
    with h5py.File(path, "w") as file:
        file["scores/vars/0"], file["scores/vars/1"] = kernel, bias
    net = network([Dense(2)], 3)
    keras_weights(path, net)
    np.testing.assert_array_equal(net.get_weights()[0], kernel)


# ---------------------------------------------------------------------------------- damaged files


def test_files_that_were_cut_off_or_are_none(tmp_path):
    net = network(layers(), INPUT)
    for name, save in FILES.items():
        path = tmp_path / name
        save(path, MODEL)
        content = path.read_bytes()
        for end in range(0, len(content), len(content) // 23):
            path.write_bytes(content[:end])
            refuse(path, net, name, fastnn.ModelFileError)
    with pytest.raises(FileNotFoundError):
        keras_weights(tmp_path / "missing.keras", net)
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("config.json", "{")
    refuse(tmp_path / "model.keras", net, "is damaged", fastnn.ModelFileError)


@pytest.mark.parametrize("description", [{"config": {"layers": [3]}}, {"config": {"layers": [{}]}}])
def test_descriptions_of_other_things(tmp_path, description):
    path = tmp_path / "model.keras"
    keras_files.save_model(path, MODEL, description)
    refuse(path, network([Dense(1)], 2), "'model.keras' is damaged", fastnn.ModelFileError)


def test_nothing_outside_of_a_file_is_opened(tmp_path):
    path, other = tmp_path / "model.weights.h5", tmp_path / "other.h5"
    net = network([Dense(2, use_bias=False)], 2)
    with h5py.File(other, "w") as file:
        file["secret"] = np.ones((2, 2))
    layouts = {
        "external storage": None,
        "virtual": None,
        "link": h5py.ExternalLink(other, "secret"),
    }
    for kind, link in layouts.items():
        with h5py.File(path, "w") as file:
            group = file.create_group("layers/dense/vars")
            if kind == "external storage":
                group.create_dataset("0", (2, 2), "f8", external=[(str(other), 0, 32)])
            elif kind == "virtual":
                layout = h5py.VirtualLayout((2, 2), "f8")
                layout[:] = h5py.VirtualSource(str(other), "secret", (2, 2))
                group.create_virtual_dataset("0", layout)
            else:
                group["0"] = link
        match = "is a link to elsewhere" if link else "bytes in the file"
        refuse(path, net, match, fastnn.ModelFileError)


def test_datasets_without_their_numbers(tmp_path):
    path = tmp_path / "model.weights.h5"
    net = network([Dense(2, use_bias=False)], 2)
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/dense/vars/0", (1 << 20, 1 << 20), "f8", chunks=(64, 64))
    refuse(path, net, "takes 0 bytes in the file", fastnn.ModelFileError)
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = "words"
    refuse(path, net, "no numbers", fastnn.ModelFileError)
