"""Training of convolutional networks: bits for threads, populations, resumed fits; real images."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from programs import output_of

import fastnn
from fastnn import (
    Activation,
    BatchNorm,
    Checkpoint,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Dropout,
    Flatten,
    GlobalAveragePooling1D,
    MaxPooling2D,
    Network,
    Parallel,
    Rescaling,
    Residual,
    SeparableConv2D,
    SpatialDropout2D,
    kernels,
)
from fastnn.augmentation import ImageAugmentation, Mixup

FOLDER = os.environ.get("FASTNN_DATA")
RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (90, 9, 8, 2)).astype(np.uint8)  # batches of 32 leave 26
Y = RNG.integers(0, 3, 90)
SERIES_EPOCHS = 400
FULL = os.environ.get("FASTNN_FULL") == "1"
SEEDS = range(3 if FULL else 1)


def network(seed=0, dtype="float32", **options):
    """Return a network with most layers of images."""
    block = [Conv2D(6, 3, padding="same"), BatchNorm(), SpatialDropout2D(0.1)]
    layers = [
        Rescaling(1 / 255),
        Conv2D(6, 3, "relu", padding="same"),
        MaxPooling2D(2),
        Residual(block),
        Activation("relu"),
        Parallel([[SeparableConv2D(4, 3, "tanh", padding="same")], [DepthwiseConv2D(1)]]),
        Conv2DTranspose(3, 2, "gelu", strides=2),
        Flatten(),
        Dropout(0.2),
        Dense(3),
    ]
    settings = {"loss": "softmax_cross_entropy", "l2": 1e-3, "seed": seed, "dtype": dtype}
    return Network(layers, **(settings | options))


def fit(net, epochs=2, **options):
    return net.fit(X, Y, batch_size=32, epochs=epochs, verbose=0, **options)


THREADS = """
    import hashlib
    import sys
    import fastnn
    from fastnn.kernels import native
    sys.path.insert(0, {folder!r})
    from test_images import X, fit, network

    for threads in (1, 2, 3, 7):
        fastnn.set_num_threads(threads)
        digest = hashlib.sha256()
        for dtype in ("float32", "float64"):
            net = network(dtype=dtype)
            fit(net)
            assert native.last_team() == threads
            digest.update(net.parameters.tobytes() + net._model.arena.buffers.tobytes())
            digest.update(net.predict(X).tobytes() + net._model.arena.slots.tobytes())
        print(digest.hexdigest())
"""


@pytest.mark.parametrize("isa", kernels.implementation("native").available_isas())
def test_bits_do_not_depend_on_threads(isa):
    program = THREADS.format(folder=str(Path(__file__).parent))
    lines = output_of(program, FASTNN_TEAM="force", FASTNN_ISA=isa).split()
    assert len(lines) == 4
    assert len(set(lines)) == 1


def test_populations_train_each_network_as_alone():
    alone = [network(seed) for seed in range(3)]
    together = [network(seed) for seed in range(3)]
    for net in alone:
        fit(net)
    fastnn.fit_population(together, X, Y, batch_size=32, epochs=2, verbose=0)
    for ours, theirs in zip(together, alone, strict=True):
        np.testing.assert_array_equal(ours.parameters, theirs.parameters)
        np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))


def test_resumed_fits_have_the_bits_of_one(tmp_path):
    whole, cut = network(), network()
    fit(whole, 4, augmentation=[ImageAugmentation(shift=0.1), Mixup(0.2)])
    moves = [ImageAugmentation(shift=0.1), Mixup(0.2)]

    class Stop(fastnn.Callback):
        def on_epoch_end(self, network, epoch, logs):
            if epoch == 2:
                raise KeyboardInterrupt

    checkpoint = Checkpoint(tmp_path / "cut.fastnn")
    with pytest.raises(KeyboardInterrupt):
        fit(cut, 4, augmentation=moves, callbacks=[checkpoint, Stop()])
    again, seen = network(), []

    class Count(fastnn.Callback):
        def on_epoch_end(self, network, epoch, logs):
            seen.append(epoch)

    fit(again, 4, augmentation=moves, callbacks=[checkpoint, Count()], resume_from=checkpoint)
    assert seen == [2, 3, 4]  # epoch 2 ended before its checkpoint
    np.testing.assert_array_equal(again.parameters, whole.parameters)


def test_rows_are_predicted_alike_alone_and_in_batches():
    net = network()
    fit(net)
    together = net.predict(X)
    alone = np.concatenate([net.predict(X[i : i + 1]) for i in range(len(X))])
    np.testing.assert_allclose(alone, together, atol=1e-6)


def test_back_ends_agree_on_a_step():
    nets = {}
    for name in kernels.BACKENDS:
        with kernels.use(name):
            net = nets[name] = network(dtype="float64")
            net.fit(X[:32], Y[:32], batch_size=32, verbose=0)
    for name in ("numba", "reference"):
        np.testing.assert_allclose(
            nets[name].parameters, nets["native"].parameters, atol=1e-5, rtol=1e-7
        )


def images(folder, name):
    """Images and labels of a set of the shape of MNIST."""
    found = []
    for part, offset in ((f"{name}images-idx3", 16), (f"{name}labels-idx1", 8)):
        with gzip.open(Path(FOLDER) / folder / f"{part}-ubyte.gz") as file:
            found.append(np.frombuffer(file.read(), np.uint8, offset=offset))
    return found[0].reshape(-1, 28, 28), found[1]


def small_cnn(seed, epochs, n_rows):
    """Return a network of fewer than 100,000 parameters."""
    steps = epochs * -(-n_rows // 64)
    layers = [
        Rescaling(1 / 255),
        Conv2D(32, 3, "relu", padding="same"),
        MaxPooling2D(2),
        Conv2D(48, 3, "relu", padding="same"),
        MaxPooling2D(2),
        Dropout(0.25),
        Flatten(),
        Dense(32, "relu"),
        Dense(10),
    ]
    return Network(
        layers,
        loss="softmax_cross_entropy",
        optimizer=fastnn.Adam(fastnn.schedules.CosineDecay(2e-3, steps)),
        metrics=["accuracy"],
        seed=seed,
    )


@pytest.mark.slow
@pytest.mark.skipif(FOLDER is None, reason="FASTNN_DATA names no folder with data")
def test_fashion_mnist():
    (x, y), (x_test, y_test) = images("fashion_mnist", "train-"), images("fashion_mnist", "t10k-")
    accuracies = []
    for seed in SEEDS:
        net = small_cnn(seed, 12, len(x))
        net.fit(x, y, batch_size=64, epochs=12, verbose=0)
        assert net.n_parameters < 100_000
        accuracies.append(net.evaluate(x_test, y_test)["accuracy"])
    assert np.median(accuracies) >= 0.92, accuracies


@pytest.mark.slow
@pytest.mark.skipif(FOLDER is None, reason="FASTNN_DATA names no folder with data")
def test_mnist_with_augmentation():
    x, y = images("mnist10k", "")
    moves = ImageAugmentation(rotation=10, shift=0.1, zoom=0.1)
    accuracies = []
    for seed in SEEDS:
        net = small_cnn(seed, 30, 8000)
        net.fit(x[:8000], y[:8000], batch_size=64, epochs=30, augmentation=moves, verbose=0)
        accuracies.append(net.evaluate(x[8000:], y[8000:])["accuracy"])
    assert np.median(accuracies) >= 0.988, accuracies


def convolutions_of_series(classes, steps, seed):
    """Return the fully convolutional network of Wang, Yan, Oates (IJCNN 2017)."""
    blocks = [
        layer
        for filters, size in ((128, 8), (256, 5), (128, 3))
        for layer in (
            Conv1D(filters, size, padding="same", use_bias=False, initializer="glorot_uniform"),
            BatchNorm(momentum=0.9),
            Activation("relu"),
        )
    ]
    return Network(
        [*blocks, GlobalAveragePooling1D(), Dense(classes)],
        loss="softmax_cross_entropy",
        optimizer=fastnn.Adam(fastnn.schedules.CosineDecay(1e-3, steps)),
        metrics=["accuracy"],
        seed=seed,
    )


@pytest.mark.slow
@pytest.mark.skipif(FOLDER is None, reason="FASTNN_DATA names no folder with data")
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("GunPoint", 0.99),
        pytest.param(
            "OSULeaf",
            0.95,
            marks=pytest.mark.skipif(not FULL, reason="takes 20 minutes; FASTNN_FULL asks for it"),
        ),
    ],
)
def test_series(name, least):
    data = np.load(Path(FOLDER) / "sequences" / f"{name}.npz", allow_pickle=False)
    names, y = np.unique(data["y_train"], return_inverse=True)
    y_test = np.searchsorted(names, data["y_test"])
    accuracies = []
    for seed in SEEDS:
        steps = SERIES_EPOCHS * -(-len(y) // 16)
        net = convolutions_of_series(len(names), steps, seed)
        net.fit(data["X_train"], y, batch_size=16, epochs=SERIES_EPOCHS, verbose=0)
        accuracies.append(net.evaluate(data["X_test"], y_test)["accuracy"])
    assert np.median(accuracies) >= least, accuracies
