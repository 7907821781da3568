"""Augmentation in training: what each step sees, alike in both executors and on any team."""

import pickle
import re

import numpy as np
import pytest
from programs import output_of
from project import ROOT

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Dense, Dropout, Flatten, Network, Rescaling
from fastnn.augmentation import Compose, GaussianJitter, ImageAugmentation, Mixup
from fastnn.augmentation.pipeline import Pipeline
from fastnn.execution.python_executor import PythonExecutor

RNG = np.random.default_rng(0)
N, CLASSES = 70, 4
LABELS = RNG.integers(0, CLASSES, N)
WEIGHT = RNG.uniform(0, 2, N)
IMAGE = ImageAugmentation(
    rotation=20, shift=0.1, zoom=0.1, shear=5, horizontal_flip=True, brightness=0.2, cutout=3
)
SPECS = {
    "images": IMAGE,
    "jitter": GaussianJitter(0.2),
    "mixup": Mixup(0.4),
    "all": Compose([IMAGE, GaussianJitter(0.1), Mixup(0.4), Mixup(1.0)]),
}
PIXELS = RNG.integers(0, 256, (N, 9, 7), np.uint8)
SOURCES = {
    "bytes": PIXELS,
    "float32": PIXELS.astype(np.float32),
    "channels": RNG.integers(0, 256, (N, 5, 4, 3), np.uint8),
}
SPECIFICATIONS = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def network(scale=1 / 255, loss="softmax_cross_entropy", outputs=CLASSES, **options):
    layers = [Rescaling(scale), Flatten(), Dense(9, "relu"), Dropout(0.2), Dense(outputs)]
    return Network(layers, loss=loss, **({"seed": 3, "optimizer": fastnn.Adam(1e-2)} | options))


def without_c(monkeypatch):
    monkeypatch.setattr("fastnn.execution.selection.NativeExecutor", PythonExecutor)


def state_of(net):
    history = {name: list(values) for name, values in net.history.items()}
    return net.parameters.tobytes(), net._model.arena.slots.tobytes(), history, net.state.step


# --- executors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("source", SOURCES)
@SPECIFICATIONS
def test_both_executors_compute_the_same_bits(spec, source, shuffle, monkeypatch):
    """Rows that are copied, converted, or used where they are; a last batch of 6 rows."""
    scale = 1 if source == "float32" else 1 / 255  # else nothing is gathered without a shuffle
    settings = {"batch_size": 16, "epochs": 2, "shuffle": shuffle, "verbose": 0}
    X = SOURCES[source]
    from_python = []
    call = Pipeline.__call__
    monkeypatch.setattr(Pipeline, "__call__", lambda *args: from_python.append(args) or call(*args))
    nets = [network(scale, metrics=["accuracy"]) for _ in range(2)]
    for net in nets:
        assert not from_python
        net.fit(X, LABELS, sample_weight=WEIGHT, augmentation=spec, **settings)
        without_c(monkeypatch)
    assert len(from_python) == 10
    assert state_of(nets[0]) == state_of(nets[1])
    plain = network(scale)
    plain.fit(X, LABELS, sample_weight=WEIGHT, **settings)
    assert (plain.parameters != nets[0].parameters).any()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@SPECIFICATIONS
def test_a_step_sees_what_a_call_returns(backend, spec, dtype):
    """`fit` does what `train_on_batch` does with arrays augmented, and rescaled, beforehand."""
    scale = np.dtype(dtype).type(1 / 255)
    X = PIXELS.astype(dtype) * scale
    onehot = np.eye(CLASSES, dtype=dtype)[LABELS]
    inside, outside = network(dtype=dtype), network(1, dtype=dtype)
    inside.fit(PIXELS, LABELS, batch_size=32, shuffle=False, augmentation=spec, verbose=0)
    for step, rows in enumerate((slice(0, 32), slice(32, 64), slice(64, N))):
        x, target = spec(X[rows], onehot[rows], seed=3, step=step)
        outside.train_on_batch(x, target)
    tolerance = 1e-12 if dtype == "float64" else 1e-5
    np.testing.assert_allclose(inside.parameters, outside.parameters, rtol=0, atol=tolerance)
    single = network(dtype=dtype)
    for rows in (slice(0, 32), slice(32, 64), slice(64, N)):
        single.train_on_batch(PIXELS[rows], LABELS[rows], augmentation=spec)
    np.testing.assert_array_equal(inside.parameters, single.parameters)


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "sigmoid_cross_entropy", "huber"])
def test_mixup_mixes_targets_and_weights_of_any_loss(loss):
    targets = np.eye(CLASSES)[LABELS] if loss != "huber" else RNG.normal(size=(N, CLASSES))
    inside = network(loss=loss, dtype="float64")
    outside = network(1, loss=loss, dtype="float64")
    spec = Mixup(0.7)
    inside.train_on_batch(PIXELS, targets, sample_weight=WEIGHT, augmentation=spec)
    x, mixed = spec(PIXELS / 255, targets, seed=3)
    _, weight = spec(PIXELS / 255, WEIGHT, seed=3)
    outside.train_on_batch(x, mixed, sample_weight=weight)
    np.testing.assert_allclose(inside.parameters, outside.parameters, rtol=0, atol=1e-12)


def test_a_gradient_check_through_mixtures():
    X, y = Mixup(0.4)(RNG.normal(size=(20, 6)), np.eye(CLASSES)[LABELS[:20]])
    loss = fastnn.SoftmaxCrossEntropy(label_smoothing=0.1)
    net = Network([Dense(7, "tanh"), Dense(CLASSES)], loss=loss, seed=0)
    assert fastnn.gradient_check(net, X, y).max_relative_error < 1e-7


def test_the_page_about_augmentation_runs():
    page = (ROOT / "docs" / "augmentation.md").read_text(encoding="utf-8")
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        exec(block, names)
    digits = names["digits"]
    assert names["net"].evaluate(digits.images, digits.target)["accuracy"] > 0.9
    assert names["pictures"].shape == (20, 8, 8)


TEAMS = """
    import hashlib, sys
    import numpy as np
    import fastnn
    from fastnn import Dense, Flatten, Network, Rescaling
    from fastnn.augmentation import GaussianJitter, ImageAugmentation, Mixup
    from fastnn.kernels import native

    class Team(fastnn.Callback):
        def on_batch_end(self, network, batch, logs):
            teams.add(native.last_team())

    X = np.random.default_rng(0).integers(0, 256, (300, 12, 10), np.uint8)
    spec = [ImageAugmentation(rotation=15, shift=0.1, cutout=4), GaussianJitter(0.1), Mixup(0.3)]
    digests = set()
    for threads in (1, 2, 3, 7):
        fastnn.set_num_threads(threads)
        teams = set()
        net = Network([Rescaling(1 / 255), Flatten(), Dense(30, "relu"), Dense(5)],
                      loss="softmax_cross_entropy", seed=1)
        net.fit(X, np.arange(300) % 5, batch_size=128, epochs=2, augmentation=spec,
                callbacks=[Team()], verbose=0)
        assert teams == {threads}, (teams, threads)
        digests.add(hashlib.sha256(net.parameters.tobytes()).hexdigest())
    print(len(digests))
"""


def test_bits_do_not_depend_on_the_team():
    assert output_of(TEAMS, FASTNN_TEAM="force") == "1"


# --- what is augmented, and what is not -----------------------------------------------------------


@SPECIFICATIONS
def test_validation_and_prediction_are_as_they_were(spec):
    net = network(metrics=["accuracy"])
    settings = {"augmentation": spec, "validation_data": (PIXELS, LABELS), "verbose": 0}
    history = net.fit(PIXELS, LABELS, epochs=2, **settings)
    twin = network().build((9, 7))
    twin.set_weights(net.get_weights())
    np.testing.assert_array_equal(net.predict(PIXELS), twin.predict(PIXELS))
    scores = net.evaluate(PIXELS, LABELS)
    assert {"val_" + k: v for k, v in scores.items()} == {
        k: values[-1] for k, values in history.items() if k.startswith("val_")
    }


def test_the_users_arrays_stay_as_they_are(tmp_path):
    PIXELS.tofile(tmp_path / "images")
    mapped = np.memmap(tmp_path / "images", np.uint8, "r", shape=PIXELS.shape)
    nets = [network(), network()]
    before = PIXELS.tobytes(), LABELS.tobytes(), WEIGHT.tobytes()
    for net, X in zip(nets, (PIXELS, mapped), strict=True):
        net.fit(X, LABELS, sample_weight=WEIGHT, augmentation=SPECS["all"], epochs=2, verbose=0)
    assert (PIXELS.tobytes(), LABELS.tobytes(), WEIGHT.tobytes()) == before
    assert state_of(nets[0]) == state_of(nets[1])


def test_with_and_without_in_turn():
    """One network, whose executor serves plain batches, mixed ones and plain ones again."""
    turns, apart = network(), network()
    for spec in (None, SPECS["all"], None, Mixup(0.1)):
        turns.fit(PIXELS, LABELS, augmentation=spec, verbose=0)
        apart = pickle.loads(pickle.dumps(apart))  # plans and executors stay behind
        apart.fit(PIXELS, LABELS, augmentation=spec, verbose=0)
    assert state_of(turns) == state_of(apart)


def test_divergence_is_found_in_the_augmented_batch():
    net = network(optimizer=fastnn.SGD(1e30))
    with pytest.raises(fastnn.DivergenceError, match="layer"):
        net.fit(PIXELS, LABELS, augmentation=SPECS["all"], epochs=5, verbose=0)
    assert np.isfinite(net.parameters).all()


def test_training_goes_on_after_a_checkpoint(tmp_path):
    settings = {"augmentation": SPECS["all"], "batch_size": 16, "verbose": 0}
    whole, first, second = network(), network(), network()
    whole.fit(PIXELS, LABELS, epochs=4, **settings)
    checkpoint = fastnn.Checkpoint(tmp_path / "net")
    first.fit(PIXELS, LABELS, epochs=2, callbacks=[checkpoint], **settings)
    settings |= {"epochs": 4, "resume_from": checkpoint.file, "callbacks": [checkpoint]}
    with pytest.raises(ArgumentError, match=r"cannot resume .*augmentation"):
        second.fit(PIXELS, LABELS, **settings | {"augmentation": Mixup(0.4)})
    second.fit(PIXELS, LABELS, **settings)
    assert state_of(second)[0] == state_of(whole)[0]


@pytest.mark.parametrize(
    ("augmentation", "error", "message"),
    [
        (IMAGE, ArgumentError, r"rows of X have shape \(63,\); give X its shape, as in X.reshape"),
        (
            GaussianJitter(1, columns=[63]),
            ArgumentError,
            "names column 63, but the rows of X have 63",
        ),
        (
            "flip",
            ArgumentTypeError,
            "augmentation must be an augmentation or a list of them, got str",
        ),
        ([], ArgumentError, "at least one"),
        (Mixup, ArgumentTypeError, "augmentation must be an augmentation or a list"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_changes(augmentation, error, message):
    X = PIXELS.reshape(N, -1)
    net = Network([Dense(4)], loss="softmax_cross_entropy", seed=0)
    for train in (net.fit, net.train_on_batch):
        with pytest.raises(error, match=message):
            train(X, LABELS, augmentation=augmentation)
    assert not net.built
