"""The executor in C against its twin in Python, and what only it does: gathering, long runs."""

import pickle
import threading

import numpy as np
import pytest

import fastnn
from fastnn import (
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    LayerNorm,
    Network,
    Normalization,
    Rescaling,
    TabularInput,
    kernels,
)
from fastnn.errors import ArgumentError, DivergenceError
from fastnn.execution.native_executor import NativeExecutor
from fastnn.execution.python_executor import PythonExecutor
from fastnn.model.inference import mc_dropout_mean_std

SOURCES = ["float32", "float64", "float16", "bool"]
SOURCES += [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]

LAYERS = {
    "dense": [Dense(17, "relu"), Dense(3)],
    "dropout": [Dense(16, "relu"), Dropout(0.4), Dense(9, "tanh"), Dropout(0.1), Dense(3)],
    "activations": [Dense(12, "gelu"), Activation("elu"), Dense(7, "silu"), Dense(3)],
    "batch norm": [BatchNorm(), Dense(16), BatchNorm(), Activation("relu"), Dropout(0.2), Dense(3)],
    "layer norm": [Normalization(), Dense(16, "selu"), LayerNorm(), AlphaDropout(0.1), Dense(3)],
    "noise": [GaussianNoise(0.3), Dense(8, "tanh"), BatchNorm(scale=False), Dense(3)],
    "table": [TabularInput({10: (5, 3), 2: Embedding(5, 2, sparse=True)}), Dense(8), Dense(3)],
    "penalties": [Dense(12, "softplus", l1=1e-3, l2=1e-2), Dense(3, l2=0.1, use_bias=False)],
}
TARGETS = {
    "softmax_cross_entropy": lambda rng, n: rng.integers(0, 3, n),
    "sigmoid_cross_entropy": lambda rng, n: rng.integers(0, 2, (n, 3)),
    "huber": lambda rng, n: rng.normal(size=(n, 3)),
}


def network(layers="dense", loss="softmax_cross_entropy", **options):
    options = {"optimizer": fastnn.AdamW(1e-2), "seed": 3} | options
    layers = LAYERS[layers] if isinstance(layers, str) else layers
    return Network(layers, loss=loss, **options)


def without_c(monkeypatch):
    """Run networks op by op from Python from here on."""
    monkeypatch.setattr("fastnn.execution.selection.NativeExecutor", PythonExecutor)


def drawn(n=70, features=11, loss="softmax_cross_entropy", seed=0):
    """Numbers and targets; columns 2 and 10, if there are so many, hold codes below 5."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, features))
    y = TARGETS[loss](rng, n)
    X[:, 2::8] = rng.integers(0, 5, X[:, 2::8].shape)
    return X, y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", TARGETS)
@pytest.mark.parametrize("layers", LAYERS)
def test_both_executors_compute_the_same_bits(layers, loss, dtype, monkeypatch):
    X, y = drawn(loss=loss)
    weight = np.random.default_rng(1).uniform(0, 2, len(X))
    settings = {"batch_size": 16, "epochs": 3, "sample_weight": weight, "verbose": 0}
    nets = [network(layers, loss, dtype=dtype, metrics=metrics_for(loss)) for _ in range(2)]
    nets[0].fit(X, y, validation_data=(X, y), **settings)
    predictions = nets[0].predict(X)
    without_c(monkeypatch)
    nets[1].fit(X, y, validation_data=(X, y), **settings)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
    np.testing.assert_array_equal(nets[0]._model.arena.slots, nets[1]._model.arena.slots)
    np.testing.assert_array_equal(nets[0]._model.arena.buffers, nets[1]._model.arena.buffers)
    np.testing.assert_array_equal(predictions, nets[1].predict(X))
    assert dict(nets[0].history.items()) == dict(nets[1].history.items())
    assert nets[0].state == nets[1].state


FEATURES = {
    "clipvalue": {"optimizer": fastnn.NAdam(1e-2, clipvalue=0.01, weight_decay=0.1)},
    "clipnorm": {"optimizer": fastnn.RAdam(1e-2, clipnorm=0.05), "l2": 0.01},
    "global_clipnorm": {"optimizer": fastnn.Lion(1e-3, global_clipnorm=0.05), "l1": 0.01},
    "amsgrad": {"optimizer": fastnn.Adam(1e-2, amsgrad=True), "l1": 0.01, "l2": 0.01},
    "epsilon_hat": {"optimizer": fastnn.Adam(1e-2, epsilon_hat=True, epsilon=1e-3)},
    "factors": {"loss": fastnn.HalfSquaredError()},
    "penalty_scale": {"l1": 0.1, "l2": 0.5, "penalty_scale": "sum"},
    "penalty_scale, apart": {
        "optimizer": fastnn.SGD(0.1, clipnorm=0.5),
        "l2": 0.5,
        "penalty_scale": "sum",
    },
    "rmsprop": {"optimizer": fastnn.RMSProp(1e-2, momentum=0.5, centered=True), "max_norm": 0.5},
    "average": {"optimizer": "adagrad", "weight_average": fastnn.EMA(0.9)},
    "swa": {"optimizer": fastnn.SGD(0.1), "weight_average": fastnn.SWA(2)},
    "quantiles": {"loss": fastnn.Quantile((0.1, 0.5, 0.8)), "optimizer": "adam"},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("feature", FEATURES)
def test_both_executors_treat_parameters_alike(feature, dtype, monkeypatch):
    """Train with a layer that learns slowly, and one that is frozen and then learns."""
    X, y = drawn()
    if "loss" in FEATURES[feature]:
        y = np.eye(3)[y]
    weight = np.random.default_rng(1).uniform(0, 2, len(X))
    settings = {"batch_size": 16, "epochs": 2, "sample_weight": weight, "verbose": 0}
    layers = [Dense(17, "relu", name="late", trainable=False), Dropout(0.2),
              Dense(9, "tanh", learning_rate_multiplier=0.3), Dense(3)]  # fmt: skip
    nets = [network(layers, dtype=dtype, **FEATURES[feature]) for _ in range(2)]
    for net in nets:
        net.fit(X, y, validation_data=(X, y), **settings)
        net.unfreeze("late")
        net.fit(X, y, validation_data=(X, y), **settings)
        without_c(monkeypatch)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)
    np.testing.assert_array_equal(nets[0]._model.arena.slots, nets[1]._model.arena.slots)
    assert dict(nets[0].history.items()) == dict(nets[1].history.items())


def metrics_for(loss):
    return ["accuracy"] if "cross_entropy" in loss else ["mae", "r2"]


def test_the_native_executor_is_what_runs():
    X, y = drawn()
    net = network()
    net.fit(X, y, verbose=0)
    assert type(net._model.executors.training(32, labels=True)) is NativeExecutor


@pytest.mark.parametrize("layers", LAYERS)
def test_inference_with_noise_has_the_same_bits(layers, monkeypatch):
    X, y = drawn(n=200)
    net = network(layers)
    net.fit(X, y, verbose=0)
    drawn_in_c = mc_dropout_mean_std(net._model, X, 3)
    net = pickle.loads(pickle.dumps(net))  # whose executors are yet to be made
    without_c(monkeypatch)
    np.testing.assert_array_equal(drawn_in_c, mc_dropout_mean_std(net._model, X, 3))
    noisy = any(isinstance(layer, Dropout | GaussianNoise) for layer in net.layers)
    assert bool(drawn_in_c[1].any()) == noisy


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_source_is_gathered_as_if_it_had_been_converted(source, dtype):
    rng = np.random.default_rng(2)
    X = rng.integers(0, 2, (50, 6)).astype(source)
    if X.dtype.kind in "iu":
        X[0, 0], X[1, 1] = np.iinfo(source).min, np.iinfo(source).max
    y = rng.integers(0, 3, 50)
    layers = [Rescaling(2.0**-64), Dense(8, "relu"), Dense(3)]
    a, b = (network(layers, dtype=dtype) for _ in range(2))
    for net, x in ((a, X), (b, X.astype(dtype))):
        net.fit(x, y, batch_size=7, epochs=2, verbose=0)
    np.testing.assert_array_equal(a.parameters, b.parameters)
    np.testing.assert_array_equal(a.predict(X), b.predict(X.astype(dtype)))
    assert a.evaluate(X, y) == b.evaluate(X.astype(dtype), y)


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("backend", kernels.BACKENDS)
def test_rescaling_is_multiplication(backend, shuffle):
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (40, 3, 4), dtype=np.uint8)
    y = rng.integers(0, 3, 40)
    scaled = network([Rescaling(1 / 255), Flatten(), Dense(3)])
    plain = network([Flatten(), Dense(3)])
    with kernels.use(backend):
        scaled.fit(images, y, batch_size=8, shuffle=shuffle, verbose=0)
        plain.fit(images * np.float32(1 / 255), y, batch_size=8, shuffle=shuffle, verbose=0)
        np.testing.assert_allclose(scaled.parameters, plain.parameters, rtol=1e-6, atol=1e-7)
        np.testing.assert_allclose(
            scaled.predict(images), plain.predict(images * np.float32(1 / 255)), rtol=1e-6
        )


def test_rescaling_survives_a_file(tmp_path):
    net = network([Rescaling(0.5), Dense(3)]).build(4)
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.layers == net.layers
    X = np.arange(8).reshape(2, 4)
    np.testing.assert_array_equal(loaded.predict(X), net.predict(X))


def test_gradient_check_sees_the_scale():
    X, y = drawn(n=20)
    check = fastnn.gradient_check(network([Rescaling(0.1), Dense(5, "tanh"), Dense(3)]), X, y)
    assert check.max_relative_error < 1e-7


def test_rescaling_stands_in_front():
    with pytest.raises(ArgumentError, match=r"only Flatten may stand before it.*Dense"):
        network([Dense(3), Rescaling(0.5), Dense(3)])
    with pytest.raises(ArgumentError, match="scale must not be 0"):
        Rescaling(0)
    with pytest.raises(ArgumentError, match="scale must be a finite number"):
        Rescaling(float("nan"))


def test_values_that_the_dtype_cannot_hold_are_refused():
    X, y = drawn()
    X[5, 2] = -1e39
    net = network()
    with pytest.raises(ArgumentError, match=r"X\[5, 2\] is .*, which float32 cannot hold"):
        net.fit(X, y, verbose=0)
    assert not net.built
    network(dtype="float64").fit(X, y, verbose=0)


def test_the_users_arrays_are_read_in_place(monkeypatch):
    """No copy of X is made: of float64 for a float32 network, nor of a read-only map of a file."""
    X, y = drawn()
    X.flags.writeable = False
    seen = []
    original = NativeExecutor.native_run

    def spy(self, batch_range):
        seen.append(batch_range.batches.data.x)
        return original(self, batch_range)

    monkeypatch.setattr(NativeExecutor, "native_run", spy)
    net = network()
    net.fit(X, y, validation_fraction=0.2, verbose=0)
    net.predict(X)
    assert len(seen) == 3
    assert all(x is X for x in seen)


def test_a_batch_without_weight_changes_nothing(monkeypatch):
    X, y = drawn(n=48)
    weight = np.ones(48)
    weight[16:32] = 0
    nets = [network() for _ in range(2)]
    for net in nets:
        net.fit(X, y, batch_size=16, shuffle=False, sample_weight=weight, verbose=0)
        without_c(monkeypatch)
    assert nets[0].state.step == nets[1].state.step == 2
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


def test_divergence_is_found_in_the_same_batch(monkeypatch):
    X, y = drawn(n=64, loss="huber")
    messages = []
    for _ in range(2):
        net = network([Dense(8, "exp"), Dense(3)], "huber", optimizer=fastnn.SGD(1e3))
        with pytest.raises(DivergenceError) as error:
            net.fit(X * 10, y, batch_size=8, epochs=20, verbose=0)
        messages.append((str(error.value), net.parameters.tobytes(), net.state.step))
        without_c(monkeypatch)
    assert messages[0] == messages[1]


def test_many_threads_predict_while_one_trains():
    X, y = drawn(n=400)
    net, twin = network("dropout"), network("dropout")
    net.build(11)
    failures = []

    def predict():
        for _ in range(30):
            if not np.isfinite(net.predict(X)).all():
                failures.append("not finite")

    threads = [threading.Thread(target=predict) for _ in range(4)]
    for thread in threads:
        thread.start()
    net.fit(X, y, epochs=30, verbose=0)
    for thread in threads:
        thread.join()
    twin.fit(X, y, epochs=30, verbose=0)
    assert not failures
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_progress_is_told_between_batches():
    """Several times an epoch if it is long, at least once if it is short, never past its end."""
    X, y = drawn(n=3000)
    seen = []

    class Progress(fastnn.Callback):
        def on_progress(self, network, logs):
            seen.append((logs["rows"], np.isfinite(logs["loss"]), network.state.step))

    net = network([Dense(300, "tanh"), Dense(300, "tanh"), Dense(3)])
    net.fit(X, y, batch_size=10, callbacks=[Progress()], verbose=0)
    rows = [row for row, _, _ in seen]
    assert rows == sorted(rows)
    assert rows[-1] == 3000
    assert all(finite and step == row / 10 for row, finite, step in seen)
