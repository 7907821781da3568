"""Pooling before the rectifier of a convolution: the bits of a plan that leaves it behind."""

import numpy as np
import pytest

import fastnn
from fastnn import Conv2D, Dense, Dropout, Flatten, MaxPooling2D, Network, Parallel
from fastnn.compiler import lowering, sharing

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 7, 6, 2)), RNG.integers(0, 3, 40)


def network(*layers):
    head = [Flatten(), Dense(3)]
    return Network([*layers, *head], loss="softmax_cross_entropy", seed=0, optimizer="sgd")


def forward(net):
    plan = net._model.executors.plan(8, training=True, labels=True)
    return [op.kernel for op in plan.stages["forward"]]


POOLED = {
    "apart": [Conv2D(3, 3, "relu"), MaxPooling2D(2)],
    "overlapping": [Conv2D(3, 3, "relu", padding="same"), MaxPooling2D(3, strides=2, padding=1)],
    "twice": [
        Conv2D(3, 3, "relu", padding="same"),
        MaxPooling2D(2),
        Conv2D(3, 2, "relu"),
        MaxPooling2D((2, 1)),
    ],
    "without a bias, then dropout": [
        Conv2D(3, 2, "relu", use_bias=False),
        MaxPooling2D(2),
        Dropout(0.3),
    ],
}


@pytest.mark.parametrize("name", POOLED)
def test_training_has_the_same_bits(backend, monkeypatch, name):
    trained = network(*POOLED[name])
    trained.fit(X, Y, batch_size=8, epochs=3, verbose=0)
    assert "activation_fwd" in forward(trained)
    monkeypatch.setattr(lowering, "pool_before_rectifier", dict)
    monkeypatch.setattr(sharing, "_shared", {})  # without the plan of the other
    plain = network(*POOLED[name])
    plain.fit(X, Y, batch_size=8, epochs=3, verbose=0)
    assert "activation_fwd" not in forward(plain)
    assert trained.history["loss"] == plain.history["loss"]
    for ours, theirs in zip(trained.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


LEFT = {
    "other activation": [Conv2D(3, 3, "tanh"), MaxPooling2D(2)],
    "leaky": [Conv2D(3, 3, "leaky_relu"), MaxPooling2D(2)],
    "mean": [Conv2D(3, 3, "relu"), fastnn.AveragePooling2D(2)],
    "read by two": [Conv2D(3, 3, "relu"), Parallel([[MaxPooling2D((5, 4))], [Conv2D(1, (5, 4))]])],
    "frozen": [Conv2D(3, 3, "relu", trainable=False), MaxPooling2D(2)],
}


@pytest.mark.parametrize("name", LEFT)
def test_others_stay_as_they_are(name):
    net = network(*LEFT[name]).build(X.shape[1:])
    assert "activation_fwd" not in forward(net)
    check = fastnn.gradient_check(net, X[:4], Y[:4], n=10, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


def test_gradients_are_checked_as_they_are_trained():
    net = network(*POOLED["twice"])
    check = fastnn.gradient_check(net, X[:4], Y[:4], n=10, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)
