"""The experiments, but the one on initialisation, show what they say they show."""

import gzip
import importlib
import os
import statistics
from pathlib import Path

import numpy as np
import pytest
from project import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture
def example(monkeypatch):
    """Imports an example by its name."""
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module


def medians(trials, figure):
    """By name, the median over the seeds of one of a trial's figures."""
    return {
        name: statistics.median(getattr(trial, figure) for trial in runs)
        for name, runs in trials.items()
    }


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("regularization", ["none", "L2", "dropout"]),
        (
            "optimization",
            ["gradient descent", "momentum", "Adam", "gradient descent, decay", "momentum, decay"],
        ),
        (
            "vanishing_gradients",
            ["sigmoid, Glorot", "relu, normal × 0.05", "relu, normal × 1", "relu, He"],
        ),
        ("gradient_checking", ["dense_1/weights", "dense_1/bias", "dense_2/weights"]),
        ("batch_normalization", ["sigmoids alone", "with BatchNorm"]),
    ],
)
def test_programs_print_a_table_and_draw(example, name, rows, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    example(name).main(["--seeds", "2", "--epochs", "2", "--out", str(picture)])
    lines = capsys.readouterr().out.splitlines()
    assert [line[: len(row)] for line, row in zip(lines[1:], rows, strict=False)] == rows
    assert str(picture) in lines[-1]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_trials_of_one_seed_share_points_and_weights(example):
    regularization, optimization = example("regularization"), example("optimization")
    a, b = (regularization.train(remedy, 3, 1) for remedy in regularization.REMEDIES[:2])
    np.testing.assert_array_equal(a.X, b.X)
    other = regularization.train(regularization.REMEDIES[0], 4, 1)
    assert not np.array_equal(a.X, other.X)
    plain, momentum, *_ = optimization.CONTENDERS
    first = [optimization.train(c, 0, 1).loss[0] for c in (plain, momentum)]
    assert first[0] == pytest.approx(first[1], rel=1e-2)


def test_dead_networks_are_told_from_living_ones(example):
    optimization = example("optimization")
    X = np.random.default_rng(0).normal(size=(50, 2))
    layers = [optimization.Dense(5, "relu"), optimization.Dense(2, "relu"), optimization.Dense(1)]
    network = optimization.Network(layers, loss="sigmoid_cross_entropy", seed=0).build(2)
    weights = network.get_weights()
    assert not optimization.is_dead(network, X)
    weights[3][:] = -100
    network.set_weights(weights)
    assert optimization.is_dead(network, X)


def test_the_planted_bug_is_found_where_it_is(example):
    gradient_checking = example("gradient_checking")
    for is_faulty in (False, True):
        check = gradient_checking.examine(is_faulty, 0, epochs=1).check
        wrong = {k for k, error in check.relative_errors.items() if error > gradient_checking.RIGHT}
        assert wrong == ({"dense_1/weights", "dense_1/bias"} if is_faulty else set())


@pytest.mark.slow
def test_the_planted_bug_is_found_on_every_seed_though_training_hides_it(example):
    gradient_checking = example("gradient_checking")
    trials = gradient_checking.run()
    errors = {name: gradient_checking.worst_errors(runs) for name, runs in trials.items()}
    assert max(errors["correct"].values()) <= gradient_checking.RIGHT
    for trial in trials["faulty"]:
        assert min(trial.check.relative_errors[f"dense_1/{p}"] for p in ("weights", "bias")) > 1e-3
        assert trial.check.worst.startswith("dense_1/")
    accuracy = medians(trials, "accuracy")
    assert accuracy["faulty"] > accuracy["correct"] - 0.02


@pytest.mark.slow
def test_l2_and_dropout_close_the_gap(example):
    trials = example("regularization").run()
    gap, test = medians(trials, "gap"), medians(trials, "test")
    assert gap["none"] >= 0.07
    for remedy in ("L2", "dropout"):
        assert gap[remedy] <= 0.6 * gap["none"]
        assert test[remedy] >= test["none"] + 0.01
        closer = [a.gap < b.gap for a, b in zip(trials[remedy], trials["none"], strict=True)]
        assert sum(closer) >= 8


@pytest.mark.slow
def test_adam_leads_and_decay_lets_the_others_catch_up(example):
    optimization = example("optimization")
    trials = optimization.run()
    born_dead = {tuple(trial.born_dead for trial in runs) for runs in trials.values()}
    assert len(born_dead) == 1  # all start from the same weights
    accuracy = medians(trials, "accuracy")
    for lagging in ("gradient descent", "momentum"):
        assert accuracy[lagging] <= accuracy["Adam"] - 0.05
        assert accuracy[f"{lagging}, decay"] >= accuracy["Adam"] - 0.01
    losses = {name: statistics.median(t.loss[-1] for t in runs) for name, runs in trials.items()}
    assert losses["gradient descent"] > 2 * losses["Adam"]
    assert losses["gradient descent"] == pytest.approx(losses["momentum"], rel=0.05)


@pytest.mark.slow
def test_deep_networks_are_diagnosed_and_he_cures_them(example):
    trials = example("vanishing_gradients").run()
    expected = {
        "sigmoid, Glorot": "vanishing gradient: activation",
        "relu, normal × 0.05": "vanishing gradient: initialisation",
        "relu, normal × 1": "exploding gradient: initialisation",
        "relu, He": "healthy",
    }
    for name, verdict in expected.items():
        assert sum(trial.verdict == verdict for trial in trials[name]) >= 9, name
    accuracy = medians(trials, "accuracy")
    assert accuracy["relu, He"] >= 0.85
    for name in list(expected)[:3]:
        assert accuracy[name] <= accuracy["relu, He"] - 0.3


@pytest.mark.slow
def test_a_deep_sigmoid_network_needs_batch_normalization(example):
    trials = example("batch_normalization").run()
    alone, normalized = (np.array([t.accuracy for t in runs]) for runs in trials.values())
    assert statistics.median(alone) <= 0.3  # of ten classes; untrained, it has 0.1
    assert statistics.median(normalized) >= 0.93
    assert (normalized - alone >= 0.5).all()


# --- a thousand digits ----------------------------------------------------------------------------


def write_digits(folder, images, labels):
    """Two files of the IDX format."""
    header = np.array([0x803, *images.shape], ">i4").tobytes()
    with gzip.open(folder / "images-idx3-ubyte.gz", "wb") as file:
        file.write(header + images.tobytes())
    with gzip.open(folder / "labels-idx1-ubyte.gz", "wb") as file:
        file.write(np.array([0x801, len(labels)], ">i4").tobytes() + labels.tobytes())


def test_digits_are_read_altered_and_drawn(example, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (1200, 9, 8), np.uint8)
    labels = rng.integers(0, 10, 1200).astype(np.uint8)
    write_digits(tmp_path, images, labels)
    augmentation = example("data_augmentation")
    digits = augmentation.Digits.read(tmp_path)
    np.testing.assert_array_equal(digits.images, images)
    np.testing.assert_array_equal(digits.labels, labels)
    picture = tmp_path / "images.png"
    augmentation.main(
        ["--data", str(tmp_path), "--seeds", "2", "--epochs", "1", "--out", str(picture)]
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line[:11] for line in lines[1:3]] == ["as they are", "altered    "]
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
def test_the_bundled_digits_gain_from_being_altered(example):
    augmentation = example("data_augmentation")
    plain, altered = augmentation.run(augmentation.Digits.bundled(), seeds=3).values()
    assert statistics.median(altered) >= statistics.median(plain) + 0.005
    assert all(more > less for less, more in zip(plain, altered, strict=True))


@pytest.mark.slow
@pytest.mark.skipif("FASTNN_DATA" not in os.environ, reason="FASTNN_DATA names no folder with data")
def test_altered_digits_teach_more(example):
    augmentation = example("data_augmentation")
    digits = augmentation.Digits.read(Path(os.environ["FASTNN_DATA"]) / "mnist10k")
    plain, altered = augmentation.run(digits).values()
    assert statistics.median(altered) >= statistics.median(plain) + 0.03
    assert min(altered) > max(plain)


# --- convolutions ---------------------------------------------------------------------------------


def clothes(folder, rng):
    """Write the four files of Fashion-MNIST in small, and return their arrays."""
    arrays = {}
    for part, n in (("train", 90), ("t10k", 40)):
        arrays[part] = rng.integers(0, 256, (n, 28, 28), np.uint8), rng.integers(0, 10, n, np.uint8)
        write_digits(folder, *arrays[part])
        for kind in ("images-idx3", "labels-idx1"):
            (folder / f"{kind}-ubyte.gz").rename(folder / f"{part}-{kind}-ubyte.gz")
    return arrays


def test_clothes_are_read_learned_and_drawn(example, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    arrays = clothes(tmp_path, np.random.default_rng(0))
    convolution = example("convolution")
    images = convolution.Images.read(tmp_path)
    np.testing.assert_array_equal(images.known, arrays["train"][0])
    np.testing.assert_array_equal(images.true_labels, arrays["t10k"][1])
    picture = tmp_path / "picture.png"
    given = ["--data", str(tmp_path), "--seeds", "2", "--epochs", "1", "--out", str(picture)]
    convolution.main(given)
    lines = capsys.readouterr().out.splitlines()
    assert [line[:22].strip() for line in lines[1:4]] == list(convolution.VARIANTS)
    assert str(picture) in lines[-1]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_mistakes_come_with_the_surest_first(example):
    convolution = example("convolution")
    images = convolution.Images.bundled(epochs=2)
    network = convolution.train(images, "convolutions", 0).network
    rows, answers = convolution.surest_mistakes(images, network)
    probabilities = network.predict(images.unknown)
    assert len(rows) == (probabilities.argmax(axis=1) != images.true_labels).sum() > 1
    assert (answers != images.true_labels[rows]).all()
    sureness = probabilities[rows, answers]
    assert (np.diff(sureness) <= 0).all()


@pytest.mark.slow
def test_convolutions_know_more_digits(example):
    convolution = example("convolution")
    trials = convolution.run(convolution.Images.bundled())
    accuracy = medians(trials, "accuracy")
    assert accuracy["convolutions"] > accuracy["dense"]
    assert accuracy["convolutions, altered"] >= accuracy["convolutions"]


@pytest.mark.slow
@pytest.mark.skipif("FASTNN_DATA" not in os.environ, reason="FASTNN_DATA names no folder with data")
def test_convolutions_know_more_clothes(example):
    convolution = example("convolution")
    images = convolution.Images.read(Path(os.environ["FASTNN_DATA"]) / "fashion_mnist")
    dense, plain, altered = (convolution.train(images, name, 0) for name in convolution.VARIANTS)
    assert plain.network.n_parameters < dense.network.n_parameters
    assert min(plain.accuracy, altered.accuracy) >= dense.accuracy + 0.02
