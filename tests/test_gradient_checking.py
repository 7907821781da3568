"""Gradient check: every gradient of the package, and whether the check itself can be trusted."""

import copy
import itertools
import math
import pickle

import numpy as np
import pytest

import fastnn
from fastnn import Activation, Dense, Dropout, Flatten, Network, gradient_check, kernels
from fastnn.gradient_checking import ArrayCheck, _compare, _in_float64, _LossSurface, _sample
from fastnn.losses import LOSSES

LIMIT = 1e-7
REGRESSION = ("mean_squared_error", "mean_absolute_error", "huber", "quantile")


def data(loss, rows=7, features=3, outputs=2):
    """Inputs, and targets that suit a loss."""
    rng = np.random.default_rng(4)
    X = rng.normal(size=(rows, features))
    targets = {
        "softmax_cross_entropy": rng.integers(0, outputs, rows),
        "sigmoid_cross_entropy": rng.uniform(size=(rows, outputs)),
        "poisson": rng.poisson(2.0, size=(rows, outputs)),
    }
    return X, targets.get(loss, rng.normal(size=(rows, outputs)))


def check(layers, X, y, loss="mean_squared_error", *, seed=1, sample_weight=None, **options):
    net = Network(layers, loss=loss, seed=seed, dtype="float64")
    return gradient_check(net, X, y, sample_weight=sample_weight, verbose=0, **options)


def assert_right(result):
    """No error, and neither kinks nor noise could have hidden one."""
    assert result.max_relative_error <= LIMIT, str(result)
    for array in result.arrays:
        assert array.kinks == 0, str(result)
        assert array.noise < 1e-4 * array.scale, str(result)


def one_layer(weights, loss, X, y, activation="identity", **options):
    """The check of a layer without bias whose weights are given, and the same by hand."""
    weights = np.array(weights, float).reshape(len(X[0]), -1)
    layer = Dense(weights.shape[1], activation, use_bias=False, **options)
    net = Network([layer], loss=loss, optimizer=fastnn.SGD(1.0), dtype="float64")
    net.build(weights.shape[0]).set_weights([weights])
    return net, gradient_check(net, X, y, verbose=0), naive_relative_error(net, X, y)


def naive_relative_error(net, X, y, epsilon=1e-6):
    """Of the first array, kinks and noise not thought of, by nothing but the public interface."""
    [p, *rest] = net.get_weights()
    estimate = np.empty_like(p)
    for entry in np.ndindex(p.shape):
        losses = []
        for sign in (-1, 1):
            moved = p.copy()
            moved[entry] += sign * epsilon
            net.set_weights([moved, *rest])
            losses.append(net.evaluate(X, y)["loss"])
        estimate[entry] = (losses[1] - losses[0]) / (2 * epsilon)
    net.set_weights([p, *rest])
    twin = copy.deepcopy(net)
    twin.train_on_batch(X, y)  # with a learning rate of 1, the step is the gradient
    g = p - twin.get_weights()[0]
    return np.linalg.norm(g - estimate) / (np.linalg.norm(g) + np.linalg.norm(estimate))


# --- all gradients are right ----------------------------------------------------------------------


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", kernels.ACTIVATIONS)
def test_every_activation_and_loss_with_and_without_dropout_and_penalties(
    backend, activation, loss
):
    X, y = data(loss)
    for rate, l1, l2 in itertools.product((None, 0.4), (0.0, 0.01), (0.0, 0.1)):
        dropout = [] if rate is None else [Dropout(rate)]
        layers = [
            Dense(4, activation, l1=l1, l2=l2),
            *dropout,
            Dense(3, use_bias=False, l1=l1, l2=l2),
            Activation(activation),
            Dense(2),
        ]
        assert_right(check(layers, X, y, loss))


@pytest.mark.parametrize("units", [1, 2, 15, 16, 17, 33])
@pytest.mark.parametrize("activation", ["leaky_relu", "gelu", "tanh"])
def test_widths_around_those_of_vectors(backend, activation, units):
    X, y = data("mean_squared_error", rows=9, features=units)
    bias = fastnn.initializers.Constant(0.3)  # a zero would be a kink where dropout leaves no input
    first, second = (Dense(units, activation, bias_initializer=bias) for _ in range(2))
    assert_right(check([first, Dropout(0.2), second, Dense(2)], X, y, n=20))


def test_images_and_a_deep_net(backend):
    X, y = data("softmax_cross_entropy", features=12)
    hidden = [Dense(5, name) for name in ("tanh", "silu", "selu", "softplus", "leaky_relu")]
    layers = [Dropout(0.1), Flatten(), *hidden, Activation("tanh"), Dropout(0.3), Dense(2)]
    assert_right(check(layers, X.reshape(7, 2, 3, 2), y, "softmax_cross_entropy"))


def test_the_activation_of_the_last_layer(backend):
    X, y = data("mean_squared_error")
    for activation in kernels.ACTIVATIONS:
        assert_right(check([Dense(2, activation)], X, y))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["labels", "one-hot", "soft"])
def test_targets_of_softmax_cross_entropy(backend, kind, smoothing):
    X, labels = data("softmax_cross_entropy", outputs=4)
    soft = np.random.default_rng(0).dirichlet(np.ones(4), len(X))
    y = {"labels": labels, "one-hot": np.eye(4)[labels], "soft": soft}[kind]
    loss = fastnn.SoftmaxCrossEntropy(label_smoothing=smoothing)
    assert_right(check([Dense(6, "tanh"), Dense(4)], X, y, loss))


@pytest.mark.parametrize("loss", LOSSES)
def test_sample_weights(backend, loss):
    X, y = data(loss)
    weight = np.array([0.5, 2, 0, 1, 3, 0, 0.25])
    layers = [Dense(4, "tanh"), Dropout(0.3), Dense(2)]
    result = check(layers, X, y, loss, sample_weight=weight)
    assert_right(result)
    kept = weight > 0
    without = [Dense(4, "tanh"), Dense(2)]
    expected = check(without, X[kept], y[kept], loss, sample_weight=weight[kept]).loss
    actual = check(without, X, y, loss, sample_weight=weight).loss
    assert actual == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("loss", [fastnn.Huber(0.2), fastnn.Quantile(0.1), fastnn.Quantile(0.9)])
def test_settings_of_losses(backend, loss):
    X, y = data(loss.kernel)
    assert_right(check([Dense(4, "tanh"), Dense(2)], X, y, loss))


# --- wrong gradients are found and located --------------------------------------------------------

LAYERS = [
    Dense(4, "tanh", name="first", l2=0.1),
    Dropout(0.5),
    Dense(5, "sigmoid", name="second"),
    Dense(2, name="third"),
]
FIRST, SECOND = {"first/weights", "first/bias"}, {"second/weights", "second/bias"}


def bias_gradient_of_a_mean(dense_bwd):
    def broken(dx, dw, db, dy, y, x, w, activation, z=None):
        dense_bwd(dx, dw, db, dy, y, x, w, activation, z)
        if len(db) == 5:
            db /= len(x)

    return broken


def one_weight_off(dense_bwd):
    def broken(dx, dw, db, dy, y, x, w, activation, z=None):
        dense_bwd(dx, dw, db, dy, y, x, w, activation, z)
        if len(db) == 5:
            dw[2, 3] *= 1.01

    return broken


def slope_of_another_activation(dense_bwd):
    def broken(dx, dw, db, dy, y, x, w, activation, z=None):
        activation = "softplus" if activation == "sigmoid" else activation
        dense_bwd(dx, dw, db, dy, y, x, w, activation, z)

    return broken


def no_scale(dropout_bwd):
    def broken(dx, mask, dy, rate):
        dropout_bwd(dx, mask, dy, rate)
        dx *= 1 - rate

    return broken


def twice_the_gradient(penalty):
    def broken(dp, p, l1, l2):
        if dp is not None:
            dp += l1 * np.sign(p) + l2 * p
        return penalty(dp, p, l1, l2)

    return broken


@pytest.mark.parametrize(
    ("kernel", "breakage", "wrong"),
    [
        ("dense_bwd", bias_gradient_of_a_mean, {"second/bias"}),
        ("dense_bwd", one_weight_off, {"second/weights"}),
        ("dense_bwd", slope_of_another_activation, FIRST | SECOND),
        ("dropout_bwd", no_scale, FIRST),
        ("penalty", twice_the_gradient, {"first/weights"}),
    ],
)
def test_a_broken_backward_is_found_and_located(monkeypatch, kernel, breakage, wrong):
    X, y = data("mean_squared_error")
    with kernels.use("reference"):
        assert check(LAYERS, X, y).max_relative_error <= LIMIT
        monkeypatch.setattr(kernels.reference, kernel, breakage(getattr(kernels.reference, kernel)))
        result = check(LAYERS, X, y)
    assert {name for name, e in result.relative_errors.items() if e > LIMIT} == wrong
    assert all(result.relative_errors[name] > 1e-4 for name in wrong)
    assert result.worst in wrong
    assert result.max_relative_error == result.relative_errors[result.worst]
    assert f"{result.max_relative_error:.1e} in {result.worst}" in str(result)


def test_the_size_of_an_error(monkeypatch):
    X, y = data("mean_squared_error")
    broken = no_scale(kernels.reference.dropout_bwd)
    monkeypatch.setattr(kernels.reference, "dropout_bwd", broken)
    with kernels.use("reference"):
        result = check([Dense(4), Dropout(0.5), Dense(2)], X, y)
    # Half the gradient: |g - 2 g| / (|g| + |2 g|).
    assert result.relative_errors["dense_1/weights"] == pytest.approx(1 / 3, rel=1e-6)


def test_a_gradient_that_is_not_finite_is_an_infinite_error(monkeypatch):
    def broken(dp, p, l1, l2):
        if dp is not None:
            dp[0, 0] = np.nan
        return 0.0

    X, y = data("mean_squared_error")
    monkeypatch.setattr(kernels.reference, "penalty", broken)
    with kernels.use("reference"):
        result = check(LAYERS, X, y)
    assert (result.worst, result.max_relative_error) == ("first/weights", math.inf)


# --- kinks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [0.0, 4e-7, -4e-7])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "selu"])
def test_kinks_of_activations_are_not_counted(backend, activation, offset):
    X, y = np.array([[1.0, -1, 0], [1, 2, 3]]), [-3.0, 2.0]
    _, result, naive = one_layer([0.5, 0.5 + offset, 1], "mean_squared_error", X, y, activation)
    assert naive > 0.01
    assert result.max_relative_error <= LIMIT
    # The third weight does not move the first row, the one with the kink.
    assert (result.arrays[0].kinks, result.arrays[0].compared) == (2, 1)


def test_the_corner_of_elu_is_a_kink_of_its_curvature():
    X, y = np.array([[1.0, -1], [1, 2]]), [-3.0, 2.0]
    _, result, _ = one_layer([0.5, 0.5], "mean_squared_error", X, y, "elu")
    assert result.kinks == {"dense_1/weights": 2}


def test_a_kink_farther_than_epsilon_is_none():
    X, y = np.array([[1.0, -1], [1, 2]]), [-3.0, 2.0]
    net, result, naive = one_layer([0.5, 0.500003], "mean_squared_error", X, y, "relu")
    assert (result.kinks, naive < LIMIT) == ({"dense_1/weights": 0}, True)
    wider = gradient_check(net, X, y, epsilon=1e-5, verbose=0)
    assert wider.kinks == {"dense_1/weights": 2}


def test_a_kink_of_a_later_layer(backend):
    net = Network(
        [Dense(1), Dropout(0.0), Activation("relu"), Dense(1)],
        loss="mean_squared_error",
        dtype="float64",
    ).build(2)
    net.set_weights([[[1.0], [1.0]], [0.0], [[1.0]], [1.0]])
    result = gradient_check(net, [[1.0, -1.0], [1.0, 2.0]], [-2.0, 2.0], verbose=0)
    assert list(result.kinks.values()) == [2, 1, 0, 0]
    assert result.max_relative_error <= LIMIT


@pytest.mark.parametrize("residual", [4e-7, -4e-7])
@pytest.mark.parametrize("loss", ["mean_absolute_error", fastnn.Quantile(0.2)])
def test_kinks_of_losses_are_not_counted(backend, loss, residual):
    X = np.array([[1.0, 0], [1, 2]])
    _, result, naive = one_layer([0.5, 0.5], loss, X, [0.5 + residual, -3.0])
    assert naive > 0.01
    assert result.max_relative_error <= LIMIT
    assert (result.arrays[0].kinks, result.arrays[0].compared) == (1, 1)


@pytest.mark.parametrize("loss", ["mean_absolute_error", fastnn.Quantile(0.2)])
def test_a_target_hit_exactly_is_a_kink(backend, loss):
    _, result, _ = one_layer([0.5, 0.5], loss, np.array([[1.0, 0], [1, 2]]), [0.5, -3.0])
    assert (result.arrays[0].kinks, result.arrays[0].compared) == (1, 1)


@pytest.mark.parametrize("error", [0.2, -0.2, 0.2005, -0.1995])
def test_the_corner_of_huber_is_a_kink(backend, error):
    X = np.array([[1.0, 0], [1, 2]])
    net, close, _ = one_layer([0.5, 0.5], fastnn.Huber(0.2), X, [0.5 - error, -3.0])
    assert close.arrays[0].kinks == (abs(error) == 0.2)
    wide = gradient_check(net, X, [0.5 - error, -3.0], epsilon=1e-3, verbose=0)
    assert (wide.arrays[0].kinks, wide.max_relative_error <= LIMIT) == (1, True)


@pytest.mark.parametrize("weight", [4e-7, -4e-7])
def test_kinks_of_l1_penalties_are_not_counted(backend, weight):
    X, y = np.array([[1.0, 0.5], [1, 2]]), [0.5, -3.0]
    _, result, naive = one_layer([weight, 0.5], "mean_squared_error", X, y, l1=5.0)
    assert naive > 0.01
    assert result.max_relative_error <= LIMIT
    assert (result.arrays[0].kinks, result.arrays[0].compared) == (1, 1)


@pytest.mark.parametrize(("penalty", "kinks"), [("l1", 1), ("l2", 0)])
def test_a_weight_of_zero_is_a_kink_under_an_l1_penalty_only(penalty, kinks):
    X, y = np.array([[1.0, 0.5], [1, 2]]), [0.5, -3.0]
    _, result, _ = one_layer([0.0, 0.5], "mean_squared_error", X, y, **{penalty: 5.0})
    assert result.kinks == {"dense_1/weights": kinks}


def test_an_array_at_kinks_only_is_not_compared():
    X, y = data("mean_squared_error")
    layers = [Dense(4, "relu", initializer="zeros", name="still"), Dense(2, name="last")]
    result = check(layers, X, y)
    assert math.isnan(result.relative_errors["still/weights"])
    assert result.kinks == {"still/weights": 12, "still/bias": 4, "last/weights": 0, "last/bias": 0}
    assert (result.worst[:4], result.max_relative_error) == ("last", 0.0)
    assert str(result).count("not compared") == 2


def test_a_network_at_kinks_only_is_not_right():
    X, y = data("mean_squared_error")
    result = check([Dense(2, "relu", initializer="zeros")], X, y)
    assert math.isnan(result.max_relative_error)
    assert not result.max_relative_error <= LIMIT
    assert result.worst is None
    assert "nothing could be compared" in str(result)


# --- rounding noise -------------------------------------------------------------------------------


def test_differences_of_rounding_alone_count_as_zero_and_are_reported(backend):
    X, y = data("mean_squared_error")
    saturated = Dense(4, "sigmoid", bias_initializer=fastnn.initializers.Constant(29.0))
    result = check([saturated, Dense(2)], X, y)
    weights = result.arrays[0]
    assert weights.difference > 0.1 * weights.scale  # as a ratio it would look like a bug
    assert weights.relative_error == result.relative_errors["dense_1/weights"] == 0
    assert "dense_1/weights" in result.noise
    assert "0 (noise)" in str(result).splitlines()[2]


@pytest.mark.parametrize(("scale", "epsilon"), [(1e-3, 1e-6), (30.0, 1e-6), (30.0, 1e-4)])
def test_the_size_of_noise(scale, epsilon):
    X, y = data("mean_squared_error")
    result = check([Dense(2)], 0.1 * X, scale * y, epsilon=epsilon, n=4)
    assert (result.loss > 1) == (scale > 1)
    weights, bias = result.arrays
    step = 10 * 2.0**-52 * max(1, result.loss) / epsilon
    assert (weights.compared, bias.compared) == (4, 2)
    assert weights.noise == pytest.approx(step * 2, rel=1e-12)
    assert bias.noise == pytest.approx(step * 2**0.5, rel=1e-12)


def test_noise_ends_where_rounding_ends():
    def error(difference):
        array = ArrayCheck("a", 4, 4, 0, difference, scale=1e-8, noise=1e-9)
        return array.is_noise, array.relative_error

    assert error(0.0) == (False, 0.0)
    assert error(1e-9) == (True, 0.0)
    assert error(2e-9) == (False, pytest.approx(0.2))


# --- the network stays as it was ------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_trained_network_is_unchanged_bit_for_bit(backend, dtype):
    X, y = data("mean_squared_error", rows=20)
    layers = [Dense(5, "relu", l1=1e-3), Dropout(0.3), Dense(2)]
    net = Network(layers, loss="mean_squared_error", seed=2, dtype=dtype)
    net.fit(X, y, batch_size=8, epochs=2, verbose=0)
    before, executor, twin = pickle.dumps(net), net.executors.training(8, False), copy.deepcopy(net)
    first = gradient_check(net, X, y, n=6, verbose=0)
    assert pickle.dumps(net) == before  # parameters, gradients, slots, state, history
    assert net.executors.training(8, False) is executor
    assert gradient_check(net, X, y, n=6, verbose=0) == first
    for network in (net, twin):
        network.fit(X, y, batch_size=8, epochs=2, verbose=0)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


def test_an_unbuilt_network_is_built_as_build_would():
    X, y = data("mean_squared_error")
    net, twin = (Network([Dense(2)], loss="mean_squared_error", seed=5) for _ in range(2))
    gradient_check(net, X, y, verbose=0)
    assert pickle.dumps(net) == pickle.dumps(twin.build(3))


def test_a_float32_network_is_checked_in_float64(backend):
    X, y = data("softmax_cross_entropy", features=17)
    layers = [Dense(17, "gelu", l2=0.1), Dense(2)]
    narrow, wide = (
        Network(layers, loss="softmax_cross_entropy", seed=3, dtype=dtype).build(17)
        for dtype in ("float32", "float64")
    )
    wide.set_weights(narrow.get_weights())
    result = gradient_check(narrow, X, y, n=30, verbose=0)
    assert result == gradient_check(wide, X, y, n=30, verbose=0)
    assert_right(result)


def test_masks_are_those_of_the_current_step():
    X, y = data("mean_squared_error")
    net = Network([Dropout(0.5), Dense(2)], loss="mean_squared_error", seed=0)
    now = gradient_check(net, X, y, verbose=0)
    net.train_on_batch(X, y)
    net.set_weights(Network(net.layers, loss=net.loss, seed=0).build(3).get_weights())
    then = gradient_check(net, X, y, verbose=0)
    assert now.loss != then.loss
    assert max(now.max_relative_error, then.max_relative_error) <= LIMIT


def test_the_sample_is_drawn_by_the_seed():
    X, y = data("mean_squared_error", features=20)
    layers = [Dense(9, "tanh"), Dense(2)]

    def sampled(**options):
        return check(layers, X, y, n=5, **options)

    net = Network(layers, loss="mean_squared_error", seed=1, dtype="float64")
    assert [a.compared for a in sampled().arrays] == [5, 5, 5, 2]
    assert sampled() == gradient_check(net, X, y, n=5, verbose=0)
    scales = {gradient_check(net, X, y, n=5, seed=s, verbose=0).arrays[0].scale for s in range(8)}
    assert len(scales) == 8


def test_every_array_has_a_sample_of_its_own():
    samples = [_sample(50, 5, seed, index) for seed in (0, 1) for index in (0, 1)]
    assert len({tuple(sample) for sample in samples}) == 4
    for sample in samples:
        assert (len(set(sample)), min(sample) >= 0, max(sample) < 50) == (5, True, True)


def test_moved_parameters_are_restored_exactly():
    X, y = data("mean_squared_error")
    tiny = fastnn.initializers.Normal(1e-9)  # where (p + epsilon) - epsilon is not p
    layers = [Dense(9, "tanh", initializer=tiny), Dense(2)]
    net = Network(layers, loss="mean_squared_error", seed=1, dtype="float64").build(3)
    surface = _LossSurface(net, *_in_float64(net, X, y, None))
    before = surface.arena.parameters.copy()
    _compare(surface, 1e-6, None, 0)
    np.testing.assert_array_equal(surface.arena.parameters, before)


def test_a_callback_may_check_the_network_it_trains():
    X, y = data("mean_squared_error")

    class Checker(fastnn.Callback):
        def on_epoch_end(self, network, epoch, logs):
            errors.append(gradient_check(network, X, y, verbose=0).max_relative_error)

    errors, layers = [], [Dense(4, "tanh"), Dropout(0.3), Dense(2)]
    net, twin = (Network(layers, loss="mean_squared_error", seed=1) for _ in range(2))
    net.fit(X, y, batch_size=3, epochs=3, callbacks=[Checker()], verbose=0)
    twin.fit(X, y, batch_size=3, epochs=3, verbose=0)
    assert (len(errors), max(errors) <= LIMIT) == (3, True)
    np.testing.assert_array_equal(net.parameters, twin.parameters)


# --- printing and bad input -----------------------------------------------------------------------


def test_the_table(capsys):
    X, y = data("mean_squared_error")
    net = Network([Dense(1000, "tanh"), Dense(2)], loss="mean_squared_error", seed=0)
    result = gradient_check(net, X, y, n=10)
    assert capsys.readouterr().out == f"{result}\n"
    heading, _, *lines, verdict = str(result).splitlines()
    assert heading.split("  ")[0] == "parameters"
    assert [line.split()[0] for line in lines] == list(result.relative_errors)
    assert "10 of 3,000" in lines[0]
    assert verdict.startswith("no difference above rounding noise; loss ")
    gradient_check(net, X, y, n=10, verbose=0)
    assert capsys.readouterr().out == ""


X, Y = data("mean_squared_error")
NAN = np.where(np.arange(3) == 1, np.nan, X)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"epsilon": 0}, ValueError, r"epsilon must be a number in \[1e-08, 0.01\], got 0"),
        ({"epsilon": -1e-6}, ValueError, "epsilon must be"),
        ({"epsilon": 1.0}, ValueError, "epsilon must be"),
        ({"epsilon": math.nan}, ValueError, "epsilon must be"),
        ({"epsilon": "1e-6"}, TypeError, "epsilon must be"),
        ({"n": 0}, ValueError, "n must be an integer >= 1, got 0"),
        ({"n": 2.5}, TypeError, "n must be an integer >= 1, got 2.5"),
        ({"seed": -1}, ValueError, "seed must be"),
        ({"verbose": 2}, ValueError, "verbose must be"),
        ({"net": "net"}, TypeError, "net must be a Network, got str"),
        ({"X": NAN}, ValueError, r"X\[0, 1\] is nan"),
        ({"X": X[:5]}, ValueError, "X has 5 rows, but y has 7"),
        ({"X": X[:0]}, ValueError, "X must hold at least one row"),
        ({"y": Y[:, :1]}, ValueError, r"y has shape \(7, 1\)"),
        ({"y": Y.astype(object)}, TypeError, "y must hold numbers"),
        ({"sample_weight": -np.ones(7)}, ValueError, r"sample_weight\[0\] is -1"),
        ({"sample_weight": np.ones(6)}, ValueError, r"sample_weight has shape \(6,\)"),
    ],
)
def test_bad_arguments_are_named_and_nothing_is_built(changes, error, message):
    net = Network([Dense(4, "tanh"), Dense(2)], loss="mean_squared_error", seed=0)
    arguments = {"net": net, "X": X, "y": Y} | changes
    with pytest.raises(error, match=message) as caught:
        gradient_check(**arguments)
    assert isinstance(caught.value, fastnn.FastnnError)
    assert not net.built


def test_features_that_do_not_fit_a_built_network():
    net = Network([Dense(2)], loss="mean_squared_error").build(4)
    with pytest.raises(fastnn.ArgumentError, match="X has 3 features, but the network was built"):
        gradient_check(net, X, Y)


def test_a_network_without_parameters():
    net = Network([Activation("tanh")], loss="mean_squared_error")
    with pytest.raises(fastnn.ArgumentError, match="net must have parameters"):
        gradient_check(net, X, X)


def test_a_loss_that_is_not_finite_names_the_layer(backend):
    layers = [Dense(2), Dense(2, "exp", initializer=fastnn.initializers.Constant(1e4), name="wild")]
    with pytest.raises(fastnn.ArgumentError, match=r"loss of X and y must be finite.*'wild'"):
        check(layers, np.ones((1, 3)), np.ones((1, 2)))


def test_a_parameter_that_epsilon_does_not_move():
    with pytest.raises(fastnn.ArgumentError, match=r"epsilon=1e-06 is lost.*1e\+12 in dense_1/w"):
        check([Dense(2, initializer=fastnn.initializers.Constant(1e12))], 1e-12 * X, Y)
