"""Layers of the user that have weights: memory, gradients, kinks, and what is refused."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Dense, Layer, Network, Parameter, gradient_of

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 4)), RNG.normal(size=(12, 2))


def product(y, x, w):
    np.matmul(x, w, out=y)


def product_gradient(dx, dw, dy, x, w):
    np.matmul(x.T, dy, out=dw)
    if dx is not None:
        np.matmul(dy, w.T, out=dx)


def times(y, a, b):
    np.multiply(a, b, out=y)


def times_gradient(da, db, dy, a, b):
    np.multiply(dy, b, out=da)
    np.multiply(dy, a, out=db)


def add(y, a, b):
    np.add(a, b, out=y)


@dataclass(frozen=True)
class Product(Layer):
    """(x A) (x B), elementwise: needs several buffers at once, wider than any output."""

    units: int
    name: str | None = None

    def output_shape(self, input_shape):
        return (self.units,)

    def parameters(self, input_shape):
        shape = (*input_shape, self.units)
        return Parameter("a", shape, "glorot_uniform"), Parameter("b", shape, "glorot_uniform")

    def lower(self, builder, x, parameters, index):
        a, b = parameters["a"], parameters["b"]
        left, right, y = (builder.activation((self.units,)) for _ in range(3))
        builder.emit("forward", product, left, x, a)
        builder.emit("forward", product, right, x, b)
        builder.emit("forward", times, y, left, right)

        def pullback(dy, wanted):
            dleft, dright = (builder.gradient((self.units,)) for _ in range(2))
            builder.emit("backward", times_gradient, dleft, dright, dy, left, right)
            dx, more = (builder.gradient(x.shape) if wanted else None for _ in range(2))
            builder.emit("backward", product_gradient, dx, gradient_of(a), dleft, x, a)
            builder.emit("backward", product_gradient, more, gradient_of(b), dright, x, b)
            if wanted:
                builder.emit("backward", add, dx, dx, more)
            return dx

        return y, pullback


def network(*layers, **options):
    return Network(layers, loss="mean_squared_error", **{"seed": 0, "dtype": "float64"} | options)


@pytest.mark.parametrize("units", [2, 9])
def test_buffers_of_one_layer_are_all_different(units, backend):
    """Memory of activations and gradients is shared rightly, whatever layers stand around it."""
    net = network(Dense(5, "tanh"), Product(units), Product(3), Dense(2))
    check = fastnn.gradient_check(net, X, Y, verbose=0)
    assert check.max_relative_error < 1e-7
    w0, b0, a1, b1, a2, b2, w3, b3 = net.get_weights()
    h = np.tanh(X @ w0 + b0)
    for a, b in ((a1, b1), (a2, b2)):
        h = (h @ a) * (h @ b)
    np.testing.assert_allclose(net.predict(X), h @ w3 + b3, atol=1e-12)
    history = net.fit(X, Y, epochs=30, verbose=0)
    assert history["loss"][-1] < history["loss"][0]


def test_more_room_than_the_widest_output_may_be_asked_for():
    """A buffer of 40 numbers a row, in a network whose outputs have 3 at most."""

    def wide(y, inner, x):
        inner[...] = np.repeat(x, 10, axis=1)
        y[...] = inner.reshape(len(x), -1, 10).mean(axis=2)

    @dataclass(frozen=True)
    class Detour(Layer):
        name: str | None = None

        def lower(self, builder, x, parameters, index):
            y, inner = builder.activation(x.shape), builder.activation((10 * x.shape[0],))
            builder.emit("forward", wide, y, inner, x)
            return y, lambda dy, wanted: dy if wanted else None

    net = network(Dense(3), Detour(), Dense(2))
    assert fastnn.gradient_check(net, X, Y, verbose=0).max_relative_error < 1e-7
    plain = network(Dense(3), Dense(2)).build(4)
    plain.set_weights(net.get_weights())
    np.testing.assert_allclose(net.predict(X), plain.predict(X), atol=1e-12)


def relu(y, x):
    np.maximum(x, 0, out=y)


def relu_gradient(dx, dy, x):
    np.multiply(dy, x > 0, out=dx)


@dataclass(frozen=True)
class Relu(Layer):
    says: bool = True
    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", relu, y, x)
        if self.says:
            builder.kinks(x, [0.0])

        def pullback(dy, wanted):
            if wanted:
                builder.emit("backward", relu_gradient, dy, dy, x)
            return dy if wanted else None

        return y, pullback


def test_a_layer_says_where_its_slope_jumps():
    """Rows of zeros put the relu at its kink as long as biases are 0."""
    blank = X.copy()
    blank[:4] = 0
    found = {}
    for says in (True, False):
        net = network(Dense(6), Relu(says), Dense(2))
        found[says] = fastnn.gradient_check(net, blank, Y, verbose=0)
    assert found[True].max_relative_error < 1e-7
    assert found[True].kinks["dense_1/bias"] == 6
    assert found[False].max_relative_error > 1e-2
    twin = fastnn.gradient_check(network(Dense(6, "relu"), Dense(2)), blank, Y, verbose=0)
    assert found[True].kinks == twin.kinks


# --- refusals -------------------------------------------------------------------------------------


def variant(**methods):
    """A `Product` with other methods."""
    members = {"__annotations__": {}, "__module__": __name__} | methods
    kind = type("Variant", (Product,), members)
    return dataclass(frozen=True)(kind)(2)


def forgetful(self, builder, x, parameters, index):
    a = parameters["a"]
    y = builder.activation((2,))
    builder.emit("forward", product, y, x, a)

    def pullback(dy, wanted):
        dx = builder.gradient(x.shape) if wanted else None
        builder.emit("backward", product_gradient, dx, gradient_of(a), dy, x, a)
        return dx

    return y, pullback


def lowered(output=lambda builder, x: builder.activation((2,)), pullback=lambda dy, wanted: dy):
    return lambda self, builder, x, parameters, index: (output(builder, x), pullback)


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"lower": lambda self, builder, x: None}, r"Variant.lower must take \(builder, x, param"),
        ({"lower": Layer.lower}, "must have a method lower"),
        ({"output_shape": lambda self: (2,)}, r"Variant.output_shape must take \(input_shape\)"),
        ({"parameters": lambda self: ()}, r"Variant.parameters must take \(input_shape\)"),
        ({"output_shape": lambda self, shape: (2.5,)}, "output_shape of layer 'mine'|'variant_1'"),
        ({"output_shape": lambda self, shape: None}, "output_shape of layer 'variant_1'"),
        ({"parameters": lambda self, shape: [(3, 2)]}, "'variant_1' must be a tuple of fastnn.Par"),
        ({"parameters": lambda self, shape: None}, "'variant_1' must be a tuple of fastnn.Par"),
        (
            {"parameters": lambda self, shape: [Parameter("a", (4, 2), "zeros")] * 2},
            "two parameters of the name 'a'",
        ),
        ({"lower": forgetful}, "layer 'variant_1' gives its parameter 'b' no gradient"),
        ({"lower": lambda s, b, x, p, i: b.activation((2,))}, "must return the output and a pull"),
        ({"lower": lambda s, b, x, p, i: None}, "must return the output and a pullback, got None"),
        ({"lower": lowered(lambda b, x: None)}, "must return the Ref of its output first, got No"),
        ({"lower": lowered(lambda b, x: x)}, r"shape \(5,\), but output_shape says \(2,\)"),
        ({"lower": lowered(pullback=None)}, "must return a pullback, a function, second"),
        (
            {"lower": lowered(pullback=lambda dy: dy)},
            r"pullback of layer 'variant_1' must take \(dy, wanted\)",
        ),
        (
            {"lower": lowered(pullback=lambda dy, wanted: None)},
            "pullback of layer 'variant_1' must return the Ref of dx",
        ),
        (
            {"lower": lowered(pullback=lambda dy, wanted: dy)},
            r"returned dx of shape \(2,\), but the layer's input has the shape \(5,\)",
        ),
        (
            {"lower": lowered(lambda b, x: b.emit("forward", product, x))},
            "layer 'variant_1': product.* is emitted with 1 arguments",
        ),
        (
            {"lower": lowered(lambda b, x: b.emit("forward", "dense_forward", x))},
            "unknown kernel 'dense_forward': did you mean 'dense_fwd'",
        ),
        ({"lower": lowered(lambda b, x: b.emit("fwd", product, x))}, "unknown stage 'fwd'"),
        ({"lower": lowered(lambda b, x: b.emit("forward", 3, x))}, "the name of a kernel or a fun"),
    ],
)
def test_what_a_layer_does_wrong_is_told_by_its_name(methods, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        network(Dense(5), variant(**methods), Dense(2)).fit(X, Y, verbose=0)


class Undecorated(Layer):
    name = None

    def lower(self, builder, x, parameters, index):
        return x, lambda dy, wanted: dy


@dataclass(frozen=True)
class Nameless(Layer):
    def lower(self, builder, x, parameters, index):
        return x, lambda dy, wanted: dy


@pytest.mark.parametrize("kind", [Undecorated, Nameless])
def test_a_layer_is_a_dataclass_with_a_name(kind):
    with pytest.raises(ArgumentTypeError, match=f"class {kind.__name__} must be a frozen datacla"):
        network(Dense(5), kind(), Dense(2))


@dataclass(frozen=True)
class Times(Layer):
    factor: Any
    name: str | None = None

    def lower(self, builder, x, parameters, index):
        y = builder.activation(x.shape)
        builder.emit("forward", np.multiply, x, self.factor, y)
        return y, lambda dy, wanted: dy


@pytest.mark.parametrize("factor", [np.ones(5), np.nan, {1, 2}])
def test_fields_that_no_file_holds_are_named_before_training(factor, tmp_path):
    net, path = network(Dense(5), Times(factor), Dense(2)), tmp_path / "model.safetensors"
    message = "layer 'times_1' cannot be saved: its field 'factor' holds"
    with pytest.raises(ArgumentTypeError, match=message):
        net.fit(X, Y, callbacks=[fastnn.Checkpoint(path)], verbose=0)
    assert net.state.step == 0
    with pytest.raises(ArgumentTypeError, match=message):
        net.build(X.shape[1:]).save(path)
    assert not path.exists()


def test_numbers_of_numpy_are_numbers_in_files(tmp_path):
    net = network(Dense(5), Times(np.float32(0.5)), Dense(2)).build(X.shape[1:])
    net.save(tmp_path / "model.safetensors")
    assert Network.load(tmp_path / "model.safetensors").layers[1].factor == 0.5


@pytest.mark.parametrize("name", ["a/b", "", 3])
def test_names_of_own_layers_are_checked_as_all_others(name):
    with pytest.raises((ArgumentError, ArgumentTypeError), match="name must be"):
        network(Dense(5), Product(2, name=name), Dense(2))


def test_a_frozen_parameter_needs_no_gradient():
    def parameters(self, input_shape):
        a, b = Product.parameters(self, input_shape)
        return a, Parameter("b", b.shape, "zeros", trainable=False)

    net = network(Dense(5), variant(lower=forgetful, parameters=parameters), Dense(2))
    net.fit(X, Y, verbose=0)
    assert not net.get_weights()[3].any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("a/b", (2,), "zeros"), "name must be a string without '/'"),
        (("", (2,), "zeros"), "name must be"),
        (("a", (2, 0), "zeros"), "shape must be an integer >= 1, got 0"),
        (("a", "wide", "zeros"), "shape must be"),
        (("a", (2,), "he"), "unknown initializer 'he'"),
    ],
)
def test_parameters_that_cannot_be(arguments, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        Parameter(*arguments)


def test_layers_may_be_of_code_without_a_module():
    """Functions that `exec` defines in a namespace without a name have the module None."""

    def lower(self, builder, x, parameters, index):
        y, pullback = Product.lower(self, builder, x, parameters, index)
        pullback.__module__ = None
        return y, pullback

    layer = type("Layerless", (Product,), {"lower": lower, "__module__": None})(3)
    network(layer, Dense(2)).fit(X, Y, epochs=1, verbose=0)
