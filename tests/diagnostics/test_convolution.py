"""Convolutions and branches in measurements, diagnoses and sweeps over learning rates."""

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits

import fastnn
from fastnn import (
    Activation,
    BatchNorm,
    Conv1D,
    Conv2D,
    Conv2DTranspose,
    Dense,
    DepthwiseConv2D,
    Flatten,
    GlobalAveragePooling2D,
    GlobalMaxPooling1D,
    MaxPooling2D,
    Network,
    Parallel,
    Residual,
    SeparableConv2D,
)
from fastnn.diagnostics.layer_flags import find_flags
from fastnn.diagnostics.measurement import LayerMeter
from fastnn.diagnostics.samples import checked_data, sample

DIGITS = load_digits()
IMAGES, LABELS = DIGITS.images[:300] / 16, DIGITS.target[:300]


def network(*layers, **options):
    """A classifier of ten digits behind the layers."""
    return Network(
        [*layers, Dense(10)], loss="softmax_cross_entropy", metrics=["accuracy"], seed=0, **options
    )


def branched(**options):
    """Convolutions in a row, within a shortcut, and within branches within it."""
    inner = Parallel([[Conv2D(3, 1, "relu")], [DepthwiseConv2D(3, padding="same")]])
    return network(
        Conv2D(4, 3, "relu"),
        Residual([BatchNorm(), inner, Conv2D(8, 3, padding="same")], shortcut=[Conv2D(8, 1)]),
        Activation("tanh"),
        GlobalAveragePooling2D(),
        **options,
    )


def measured(net, X=IMAGES, y=LABELS, rows=60):
    return {f.name: f for f in LayerMeter(net, sample(checked_data(net, X, y), rows, 0)).measure()}


def test_layers_within_others_are_measured_one_by_one():
    figures = measured(branched())
    assert list(figures) == [
        "conv2d_1",
        "residual_1/batchnorm_1",
        "residual_1/parallel_1/conv2d_1",
        "residual_1/parallel_1/depthwiseconv2d_1",
        "residual_1/conv2d_1",
        "residual_1/conv2d_2",
        "activation_1",
        "dense_1",
    ]
    for found in figures.values():
        assert math.isfinite(found.mean)
        assert found.signal > 0
        assert math.isnan(found.update_ratio) == (found.name == "activation_1")
    assert figures["residual_1/parallel_1/conv2d_1"].kind == "Conv2D (relu)"
    # The gradient of a sum is that of both of its terms.
    assert figures["residual_1/conv2d_1"].signal == figures["residual_1/conv2d_2"].signal


def test_figures_of_layers_within_others_are_those_of_the_same_layers_alone():
    layers = [Conv2D(4, 3, "tanh", padding="same"), Conv2D(5, 3, "relu")]
    alone = network(*layers, Flatten(), dtype="float64").build((8, 8))
    within = network(Parallel([layers]), Flatten(), dtype="float64").build((8, 8))
    within.set_weights(alone.get_weights())
    plain, nested = measured(alone), measured(within)
    assert list(nested) == ["parallel_1/conv2d_1", "parallel_1/conv2d_2", "dense_1"]
    for a, b in zip(plain.values(), nested.values(), strict=True):
        for name in ("mean", "std", "signal", "gradient_norm", "update_ratio", "weight_scale"):
            assert getattr(b, name) == pytest.approx(getattr(a, name), rel=1e-12), name


def test_a_channel_is_dead_if_it_is_zero_at_every_place():
    net = network(Conv2D(6, 3, "relu"), Flatten()).build((8, 8))
    weights = net.get_weights()
    weights[1][:4] = -1000
    net.set_weights(weights)
    found = measured(net)["conv2d_1"]
    assert found.dead == pytest.approx(4 / 6)
    [flag] = fastnn.diagnose(net, IMAGES, LABELS, IMAGES, LABELS, curve_sizes=None).flags
    assert (flag.problem, flag.layers) == ("dead units", ("conv2d_1",))


@pytest.mark.parametrize(
    "layer",
    [
        Conv2D(64, 3, "relu"),
        Conv2D(64, 3, groups=4),
        DepthwiseConv2D(5, "tanh", depth_multiplier=16),
        SeparableConv2D(64, 5, "relu", depth_multiplier=8),
        Conv2DTranspose(64, 3, "relu"),
    ],
)
@pytest.mark.parametrize("within", [False, True])
def test_scale_of_fresh_weights_is_one(layer, within):
    layers = [Parallel([[layer]])] if within else [layer]
    net = network(*layers, GlobalAveragePooling2D())
    X = np.random.default_rng(0).normal(size=(10, 9, 9, 16))
    found = next(iter(measured(net, X, LABELS[:10]).values()))
    assert found.weight_scale == pytest.approx(1, rel=0.1)


def test_too_large_weights_within_a_branch_are_the_cause():
    large = fastnn.initializers.Normal(5.0)
    blocks = [
        Residual([Conv2D(8, 3, padding="same", initializer=large, name=f"large_{i}")])
        for i in range(4)
    ]
    net = network(Conv2D(8, 3), *blocks, GlobalAveragePooling2D()).build((8, 8))
    flags = fastnn.diagnose(net, IMAGES, LABELS, IMAGES, LABELS, curve_sizes=None).flags
    exploding = next(flag for flag in flags if flag.problem == "exploding gradient")
    assert exploding.cause == "initialisation"
    assert "conv2d_1" in exploding.layers


@pytest.mark.parametrize(
    ("inner", "cause"), [(BatchNorm(), "learning rate"), (Conv2D(1, 1), "missing normalisation")]
)
def test_normalisation_within_a_branch_counts(inner, cause):
    net = network(Residual([inner]), Flatten()).build((8, 8, 1))
    first, last = LayerMeter(net, checked_data(net, IMAGES[..., None], LABELS)).measure()
    large = replace(first, signal=1e6 * last.signal, weight_scale=math.nan)
    [flag] = find_flags(net, [large, last])
    assert (flag.problem, flag.cause) == ("exploding gradient", cause)


def test_frozen_layers_have_no_updates_to_flag():
    block = [Conv2D(4, 3, "relu", padding="same"), Conv2D(4, 3, padding="same")]
    net = network(Conv2D(4, 3, "relu"), Residual(block, trainable=False), Flatten())
    net = net.build((8, 8))
    before, block_1, block_2, last = measured(net).values()
    for found in (block_1, block_2):
        assert found.signal > 0
        assert math.isnan(found.gradient_norm)
        assert math.isnan(found.update_ratio)
    assert min(before.update_ratio, last.update_ratio) > 0
    assert fastnn.diagnose(net, IMAGES, LABELS, IMAGES, LABELS, curve_sizes=None).flags == ()


@pytest.mark.parametrize("name", ["a.b", "weights"])
def test_names_with_dots_are_names(name):
    net = network(Residual([Conv2D(1, 1, name=name)]), Flatten()).build((8, 8))
    found = measured(net)[f"residual_1/{name}"]
    assert found.gradient_norm > 0


@pytest.mark.parametrize(
    "make", [branched, lambda: network(Conv2D(8, 3, "relu"), MaxPooling2D(), Flatten())]
)
def test_diagnosis_of_images(make, tmp_path):
    pytest.importorskip("matplotlib")
    net = make()
    health = fastnn.LayerHealth(IMAGES, LABELS, every=2)
    net.fit(IMAGES, LABELS, epochs=4, callbacks=[health], verbose=0)
    before = net.parameters.copy()
    found = fastnn.diagnose(
        net,
        IMAGES[:200],
        LABELS[:200],
        IMAGES[200:],
        LABELS[200:],
        health=health,
        curve_sizes=[0.5, 1],
    )
    np.testing.assert_array_equal(net.parameters, before)
    assert [layer.name for layer in found.layers] == list(health.values("signal"))
    assert health.epochs == [2, 4]
    assert "conv2d_1" in str(found)
    assert len(found.hardest) == 10
    found.to_html(tmp_path / "report.html")
    found.to_png(tmp_path / "report.png")
    assert "conv2d_1" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_health_of_branches_returns_from_a_checkpoint():
    net, health = branched(), fastnn.LayerHealth(IMAGES, LABELS)
    net.fit(IMAGES, LABELS, epochs=1, callbacks=[health], verbose=0)
    restored = fastnn.LayerHealth(IMAGES, LABELS)
    restored.load_state_dict(health.state_dict())
    assert list(restored.values("std")) == list(health.values("std"))
    assert restored.values("std") == health.values("std")


@pytest.mark.parametrize("rows", ["images", "series"])
def test_sweeps_find_a_rate_that_learns(rows):
    if rows == "images":
        net = branched(optimizer="sgd")
    else:
        net = network(Conv1D(16, 3, "relu"), GlobalMaxPooling1D(), optimizer="sgd")
    sweep = fastnn.lr_find(net, IMAGES, LABELS, min_lr=1e-4)
    assert net.state.step == 0
    assert sweep.suggestion > 1e-3
    net.learning_rate = sweep.suggestion
    losses = net.fit(IMAGES, LABELS, epochs=5, verbose=0)["loss"]
    assert losses[-1] < losses[0]
