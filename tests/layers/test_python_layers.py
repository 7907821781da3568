"""Layers that only Python knows."""

import dataclasses
import pickle

import numpy as np
import pytest
from custom_functions import HARD_SWISH, WEIGHT, X, Y, network, trained

import fastnn
from fastnn import Dense, Layer, Network


def sine(y, x, frequency):
    np.sin(frequency * x, out=y)


def sine_gradient(dx, dy, x, frequency):
    np.multiply(dy, frequency * np.cos(frequency * x), out=dx)


@dataclasses.dataclass(frozen=True)
class Oscillation(Layer):
    frequency: float = 1.0
    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", sine, y, x, self.frequency)

        def pullback(dy, wanted):
            if wanted:
                builder.emit("backward", sine_gradient, dy, dy, x, self.frequency)
            return dy if wanted else None

        return y, pullback


def test_a_layer_in_python_trains_on_every_back_end(backend, tmp_path):
    net = network(Dense(8), Oscillation(2.0), Dense(3), loss="mean_squared_error")
    assert fastnn.gradient_check(net, X[:9], Y[:9], verbose=0).max_relative_error < 1e-7
    w1, b1, w2, b2 = net.get_weights()
    np.testing.assert_allclose(net.predict(X), np.sin(2 * (X @ w1 + b1)) @ w2 + b2, atol=1e-12)
    history = net.fit(X, Y, epochs=20, sample_weight=WEIGHT, verbose=0)
    assert history["loss"][-1] < history["loss"][0]
    path = tmp_path / "model.safetensors"
    net.save(path)
    np.testing.assert_array_equal(Network.load(path).predict(X), net.predict(X))
    assert trained(pickle.loads(pickle.dumps(net))) == trained(net)


@pytest.mark.parametrize("kind", [Dense, fastnn.Residual, fastnn.Huber, fastnn.Adam])
def test_a_class_with_the_name_of_one_of_fastnns_is_refused(kind):
    """It would be what files of the other are read as."""
    base = kind.__mro__[-3]
    with pytest.raises(fastnn.ArgumentError, match=rf"class {kind.__name__} .* another name"):
        type(kind.__name__, (base,), {"__module__": "mine"})
    assert base.family()[kind.__name__] is kind


def test_a_class_of_the_user_may_be_defined_again():
    first, second = (type("Mine", (Layer,), {"__module__": "mine"}) for _ in range(2))
    assert first is not second
    assert Layer.family()["Mine"] is second
    assert Layer.family()["Mine"] is second


def test_the_summary_says_which_executor_runs(backend, capsys):
    native = network(Dense(4, HARD_SWISH), Dense(3)).build(6)
    native.summary()
    shown = capsys.readouterr().out
    other = f"runs in the Python executor, {backend} back end"
    assert shown.endswith(("runs in the native executor" if backend == "native" else other) + "\n")
    assert "Dense (hard_swish)" in shown
    assert "loss squared" in shown
    network(Dense(4), Oscillation(), Dense(3)).build(6).summary()
    shown = capsys.readouterr().out
    assert shown.endswith("runs in the Python executor: layer 'oscillation_1' is Python's own\n")
    network(Oscillation(), Dense(4), Oscillation(name="wave"), Dense(3)).build(6).summary()
    assert "layers 'oscillation_1', 'wave' are Python's own" in capsys.readouterr().out
