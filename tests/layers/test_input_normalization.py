"""Normalization: what it learns, when, from what, and what it does with it."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import BatchNorm, Dense, Flatten, Network, Normalization, Rescaling
from fastnn.data.moments import Moments
from fastnn.errors import ArgumentError, ArgumentTypeError
from fastnn.model.input_statistics import PIECE

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)) * [1e-3, 1, 30, 1e4, 2] + [5, 0, -7, 1e6, 0.1]
Y = RNG.integers(0, 3, 60)
IMAGES = RNG.integers(0, 256, (30, 4, 3, 2), dtype=np.uint8)


def network(*layers, **options):
    settings = {"loss": "softmax_cross_entropy", "seed": 1, "dtype": "float64"} | options
    return Network([*layers, Dense(3)], **settings)


def learned(net):
    return {name.rpartition("/")[2]: values for name, values in net.buffers.items()}


def same_without(net, x):
    """Return the predictions of a network without the layer for x that is normalised already."""
    plain = network(Flatten()).build(x.shape[1:])
    plain.set_weights(net.get_weights())
    return plain.predict(x)


def test_fit_learns_what_scikit_learn_finds(backend):
    net = network(Normalization())
    net.fit(X, Y, epochs=2, verbose=0)
    scaler = StandardScaler().fit(X)
    np.testing.assert_allclose(learned(net)["mean"], scaler.mean_, rtol=1e-12)
    np.testing.assert_allclose(learned(net)["variance"], scaler.var_, rtol=1e-10)
    assert learned(net)["count"] == 60
    expected = same_without(net, scaler.transform(X))
    np.testing.assert_allclose(net.predict(X), expected, rtol=1e-9, atol=1e-12)


def test_training_is_training_on_normalised_data(backend):
    net, plain = network(Normalization(), Dense(4, "tanh")), network(Dense(4, "tanh"))
    net.fit(X, Y, batch_size=16, epochs=3, verbose=0)
    plain.fit(StandardScaler().fit_transform(X), Y, batch_size=16, epochs=3, verbose=0)
    np.testing.assert_allclose(net.parameters, plain.parameters, rtol=1e-7, atol=1e-9)
    check = fastnn.gradient_check(net, X, Y, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


def test_only_training_rows_count():
    net = network(Normalization())
    net.fit(X, Y, validation_fraction=0.5, verbose=0)
    assert learned(net)["count"] == 30
    other = network(Normalization())
    other.fit(X, Y, validation_data=(X + 100, Y), verbose=0)
    np.testing.assert_allclose(learned(other)["mean"], X.mean(axis=0))


def test_later_fits_keep_what_was_learned_and_adapt_learns_anew():
    net = network(Normalization())
    net.train_on_batch(X, Y)
    before = learned(net)["mean"].copy()
    net.fit(X + 100, Y, verbose=0)
    np.testing.assert_array_equal(learned(net)["mean"], before)
    net.adapt(X[:20])
    np.testing.assert_allclose(learned(net)["mean"], X[:20].mean(axis=0))
    assert network(Normalization()).adapt(X).built


def test_before_it_has_learned_the_input_passes_as_it_is():
    net = network(Normalization()).build(5)
    np.testing.assert_array_equal(net.predict(X), same_without(net, X))


@pytest.mark.parametrize(
    ("axis", "over"),
    [(-1, (0, 1, 2)), (3, (0, 1, 2)), (None, (0, 1, 2, 3)), ((1, 2, 3), 0), ((-2, -1), (0, 1))],
)
def test_axes_of_images(backend, axis, over):
    net = network(Rescaling(0.5), Normalization(axis), Flatten())
    net.fit(IMAGES, Y[:30], verbose=0)
    x = IMAGES * 0.5
    mean, variance = x.mean(axis=over, keepdims=True), x.var(axis=over, keepdims=True)
    np.testing.assert_allclose(learned(net)["mean"], mean.ravel(), rtol=1e-12)
    np.testing.assert_allclose(learned(net)["variance"], variance.ravel(), rtol=1e-12)
    expected = same_without(net, (x - mean) / np.sqrt(variance))
    np.testing.assert_allclose(net.predict(IMAGES), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_constant_columns_become_zero(dtype):
    x = X.copy()
    x[:, 1], x[:, 2] = 0.1, 0
    net = network(Normalization(), dtype=dtype)
    net.fit(x, Y, verbose=0)
    assert list(learned(net)["variance"][1:3]) == [1, 1]
    assert np.isfinite(net.predict(x)).all()


def test_given_statistics():
    net = network(Normalization(mean=X.mean(axis=0), variance=list(X.var(axis=0))))
    net.fit(X + 5, Y, verbose=0)
    np.testing.assert_allclose(learned(net)["mean"], X.mean(axis=0))
    assert set(learned(net)) == {"mean", "variance"}
    one = network(Normalization(mean=3, variance=0.0)).build(5)
    np.testing.assert_array_equal(learned(one)["mean"], np.full(5, 3.0))
    np.testing.assert_array_equal(learned(one)["variance"], np.ones(5))


def test_a_file_on_disk_is_read_in_pieces(tmp_path, monkeypatch):
    """Bytes, more than a piece of them, that exist as floats only piece by piece."""
    shape = (3 * PIECE // 1000, 1000)
    x = np.memmap(tmp_path / "x.bin", np.uint8, "w+", shape=shape)
    x[:] = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    sizes, add = [], Moments.add
    monkeypatch.setattr(Moments, "add", lambda m, piece: (sizes.append(piece.size), add(m, piece)))
    net = network(Normalization()).adapt(np.memmap(tmp_path / "x.bin", np.uint8, "r", shape=shape))
    assert len(sizes) > 2
    assert max(sizes) <= PIECE
    np.testing.assert_allclose(learned(net)["mean"], x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(learned(net)["variance"], x.var(axis=0), rtol=1e-10)


@pytest.mark.parametrize("pieces", [(1, 1), (7, 1, 40), (3, 5, 2, 9)])
def test_pieces_join_as_one(pieces):
    rows = np.random.default_rng(2).normal(1e9, 1e-1, (sum(pieces), 3))
    moments = Moments(3)
    for piece in np.split(rows, np.cumsum(pieces)[:-1]):
        moments.add(piece)
    np.testing.assert_allclose(moments.mean, rows.mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(moments.variance, (rows - 1e9).var(axis=0), rtol=1e-6)


def test_it_survives_a_file(tmp_path):
    for layer in (
        Normalization((-1,)),
        Normalization(mean=[0, 1, 2, 3, 4], variance=2.0 * X[0] ** 2),
    ):
        net = network(layer)
        net.fit(X, Y, verbose=0)
        net.save(tmp_path / "net.safetensors")
        loaded = Network.load(tmp_path / "net.safetensors")
        assert loaded.layers == net.layers
        np.testing.assert_array_equal(loaded.predict(X), net.predict(X))
        loaded.fit(X + 10, Y, verbose=0)
        np.testing.assert_array_equal(learned(loaded)["mean"], learned(net)["mean"])


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"axis": "last"}, ArgumentTypeError, "axis must be"),
        ({"axis": ()}, ArgumentError, "axis must name different axes"),
        ({"axis": (1, 1)}, ArgumentError, "axis must name different axes"),
        ({"mean": 1.0}, ArgumentError, "mean and variance must be given together"),
        ({"mean": [1, 2], "variance": 1}, ArgumentError, "must be of one length, got 2 and 1"),
        ({"mean": 0, "variance": -1}, ArgumentError, "variance must not be negative"),
        ({"mean": np.nan, "variance": 1}, ArgumentError, "mean must be finite"),
        ({"mean": "x", "variance": 1}, ArgumentTypeError, "mean must be a number or a sequence"),
        ({"mean": [[1]], "variance": [[1]]}, ArgumentTypeError, "mean must be a number"),
    ],
)
def test_arguments(arguments, error, match):
    with pytest.raises(error, match=match):
        Normalization(**arguments)


def test_what_does_not_fit_the_rows_changes_nothing():
    for axis in (0, 2, (0, 1), 5):
        net = network(Normalization(axis))
        with pytest.raises(ArgumentError, match="axis must name the last axes of X"):
            net.fit(X, Y, verbose=0)
        assert not net.built
    with pytest.raises(ArgumentError, match="mean must have one number, or 5"):
        network(Normalization(mean=[1, 2], variance=[1, 2])).build(5)


@pytest.mark.parametrize(("scale", "words"), [(1e25, "is beyond float32"), (1e-30, "is too small")])
@pytest.mark.parametrize("layer", [Normalization(), fastnn.TabularInput({4: (3, 2)})])
def test_columns_whose_variance_float32_cannot_hold_are_refused(layer, scale, words):
    net = network(layer, dtype="float32")
    with pytest.raises(ArgumentError, match=f"the variance of X that layer .* finds {words}"):
        net.fit((X - X.mean(axis=0)) * [scale, 1, 1, 1, 0], Y, verbose=0)
    assert not net.built


def test_a_given_variance_that_float32_cannot_hold_is_refused():
    with pytest.raises(ArgumentError, match=r"the variance of layer .* is too small for float32"):
        network(Normalization(mean=0.0, variance=1e-60), dtype="float32").build(5)
    assert network(Normalization(mean=0.0, variance=1e-60)).build(5).built


def test_columns_of_tiny_numbers_are_normalised():
    """Small beside 1 is not constant."""
    net, tiny = network(Normalization(), dtype="float32"), network(Normalization(), dtype="float32")
    for one, scale in ((net, 1.0), (tiny, 2.0**-40)):
        one.fit((X - X.mean(axis=0)) * scale, Y, verbose=0)
    np.testing.assert_array_equal(tiny.parameters, net.parameters)


def test_it_stands_at_the_input():
    for before in (Dense(4), BatchNorm(), Normalization()):
        with pytest.raises(ArgumentError, match="only Flatten or Rescaling may stand before it"):
            network(before, Flatten(), Normalization())
