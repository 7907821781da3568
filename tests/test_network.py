"""Network: construction, building, weights, prediction, evaluation, copies."""

import copy
import inspect
import io
import pickle
import threading

import numpy as np
import pytest
import scipy.special

import fastnn
from fastnn import Activation, Dense, Dropout, Flatten, Network


def small_network(**options):
    settings = {"loss": "mean_squared_error", "seed": 3, "dtype": "float64"} | options
    return Network([Dense(4, "tanh"), Dropout(0.3), Dense(2)], **settings)


def test_prediction_is_the_composition_of_the_layers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9, 3))
    net = small_network().build(3)
    w1, b1, w2, b2 = net.get_weights()
    np.testing.assert_allclose(net.predict(X), np.tanh(X @ w1 + b1) @ w2 + b2, rtol=1e-13)


@pytest.mark.parametrize(
    ("loss", "link"),
    [
        ("softmax_cross_entropy", lambda z: scipy.special.softmax(z, axis=1)),
        ("sigmoid_cross_entropy", scipy.special.expit),
        ("poisson", np.exp),
        ("huber", lambda z: z),
    ],
)
def test_prediction_applies_the_link_of_the_loss(loss, link):
    X = np.random.default_rng(0).normal(size=(5, 3))
    net = Network([Dense(2)], loss=loss, seed=0, dtype="float64").build(3)
    weights, bias = net.get_weights()
    np.testing.assert_allclose(net.predict(X), link(X @ weights + bias), rtol=1e-12)


def test_prediction_in_chunks_equals_prediction_at_once():
    X = np.random.default_rng(0).normal(size=(300, 7)).astype(np.float32)
    net = small_network(dtype="float32").build(7)
    np.testing.assert_array_equal(net.predict(X, batch_size=64), net.predict(X))


def test_images_are_flattened_in_c_order():
    X = np.random.default_rng(0).normal(size=(4, 3, 2))
    net = Network([Flatten(), Dense(1)], loss="mean_squared_error", seed=0, dtype="float64")
    net.build((3, 2))
    weights, bias = net.get_weights()
    np.testing.assert_allclose(net.predict(X), X.reshape(4, 6) @ weights + bias, rtol=1e-13)


def test_build_without_shape_uses_what_the_first_layer_declares():
    net = Network([Dense(2, input_size=5)], loss="mean_squared_error").build()
    assert net.input_shape == (5,)
    net = Network([Flatten(input_shape=(2, 3)), Dense(1)], loss="mean_squared_error").build()
    assert net.input_shape == (2, 3)
    with pytest.raises(fastnn.ArgumentError, match="input_shape is needed"):
        small_network().build()


def test_build_twice_needs_the_same_shape():
    net = small_network().build(3)
    before = net.parameters.copy()
    net.build(3)
    np.testing.assert_array_equal(net.parameters, before)
    with pytest.raises(fastnn.ArgumentError, match=r"\(4,\).*built for \(3,\)"):
        net.build(4)


def test_a_layer_object_may_stand_twice():
    layer = Dense(3, "relu")
    net = Network([layer, layer], loss="mean_squared_error", seed=0).build(3)
    w1, _, w2, _ = net.get_weights()
    assert net.layer_names == ("dense_1", "dense_2")
    assert not np.array_equal(w1, w2)


def test_parameters_are_the_memory_of_the_network():
    net = small_network().build(3)
    assert net.parameters.ctypes.data % 64 == 0
    X = np.ones((1, 3))
    net.parameters[...] = 0
    np.testing.assert_array_equal(net.predict(X), 0)
    assert net.n_parameters == 3 * 4 + 4 + 4 * 2 + 2


def test_weights_round_trip_and_are_copies():
    net, other = small_network().build(3), small_network(seed=4).build(3)
    weights = net.get_weights()
    other.set_weights(weights)
    np.testing.assert_array_equal(other.parameters, net.parameters)
    weights[0][...] = 0
    assert net.get_weights()[0].any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w[:3], "3 arrays, expected 4"),
        (lambda w: [w[0].T, *w[1:]], r"weights\[0\] \(dense_1/weights\) has shape \(4, 3\)"),
        (lambda w: [*w[:3], w[3] * np.nan], r"weights\[3\]\[0\] is nan"),
        (lambda w: [w[0].astype(str), *w[1:]], "must hold numbers"),
    ],
)
def test_bad_weights_change_nothing(change, message):
    net = small_network().build(3)
    before = net.parameters.copy()
    with pytest.raises(fastnn.FastnnError, match=message):
        net.set_weights(change([w + 1 for w in net.get_weights()]))
    np.testing.assert_array_equal(net.parameters, before)


def test_evaluate_agrees_with_scikit_learn():
    from sklearn.metrics import accuracy_score, f1_score, log_loss, recall_score

    rng = np.random.default_rng(0)
    X, y, w = rng.normal(size=(2500, 6)), rng.integers(0, 3, 2500), rng.uniform(0, 2, 2500)
    net = Network(
        [Dense(3)],
        loss="softmax_cross_entropy",
        metrics=["accuracy", "f1", "recall_per_class"],
        seed=0,
        dtype="float64",
    ).build(6)
    scores = net.evaluate(X, y, sample_weight=w)
    p = net.predict(X)
    guess = p.argmax(axis=1)
    assert scores["loss"] == pytest.approx(log_loss(y, p, sample_weight=w), rel=1e-12)
    assert scores["accuracy"] == accuracy_score(y, guess, sample_weight=w)
    assert scores["f1"] == f1_score(y, guess, average="macro", sample_weight=w)
    recalls = recall_score(y, guess, average=None, sample_weight=w)
    assert [scores[f"recall_per_class_{k}"] for k in range(3)] == recalls.tolist()


def test_evaluate_leaves_penalties_out():
    from sklearn.metrics import mean_absolute_error, r2_score

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(50, 6)), rng.normal(size=(50, 2))
    net = Network(
        [Dense(2, l1=0.5, l2=0.25)],
        loss="mean_squared_error",
        metrics=["r2", "mae"],
        seed=0,
        dtype="float64",
    ).build(6)
    scores, p = net.evaluate(X, y), net.predict(X)
    assert scores["loss"] == pytest.approx(np.square(p - y).mean(), rel=1e-12)
    assert scores["r2"] == r2_score(y, p)
    assert scores["mae"] == mean_absolute_error(y, p)


def test_binary_and_multilabel_metrics():
    from sklearn.metrics import accuracy_score, precision_score

    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    for y in (rng.integers(0, 2, 80), rng.integers(0, 2, (80, 3))):
        outputs = 1 if y.ndim == 1 else 3
        net = Network(
            [Dense(outputs)],
            loss="sigmoid_cross_entropy",
            metrics=["accuracy", "precision_per_class"],
            seed=0,
        ).build(4)
        guess = (net.predict(X) >= 0.5).astype(int).reshape(y.shape)
        scores = net.evaluate(X, y)
        assert scores["accuracy"] == accuracy_score(y, guess)
        expected = precision_score(y, guess, average=None, zero_division=np.nan)
        for k, value in enumerate(expected):
            assert scores[f"precision_per_class_{k}"] == value


def test_predict_from_several_threads():
    X = np.random.default_rng(0).normal(size=(2000, 8))
    net = small_network().build(8)
    expected, wrong = net.predict(X), []

    def work():
        for _ in range(10):
            if not np.array_equal(net.predict(X), expected):
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_copies_train_like_the_original():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 3)), rng.normal(size=(40, 2))
    net = small_network(metrics=["r2"])
    net.fit(X, y, epochs=2, verbose=0)
    twins = [pickle.loads(pickle.dumps(net)), copy.deepcopy(net)]
    net.fit(X, y, epochs=2, verbose=0)
    for twin in twins:
        twin.fit(X, y, epochs=2, verbose=0)
        np.testing.assert_array_equal(twin.parameters, net.parameters)
        assert dict(twin.history) == dict(net.history)


def test_no_copy_forgets_an_argument_of_the_constructor(tmp_path):
    given = {
        "layers": (Dense(4, "tanh"), Dense(3)),
        "loss": fastnn.SoftmaxCrossEntropy(0.1),
        "optimizer": fastnn.SGD(0.2),
        "metrics": ["accuracy", "f1"],
        "seed": 3,
        "dtype": "float64",
        "l1": 0.1,
        "l2": 0.2,
        "max_norm": 0.5,
        "penalty_scale": "sum",
        "weight_average": fastnn.EMA(0.9),
    }
    known = inspect.signature(Network).parameters
    assert list(given) == list(known)
    assert all(given[name] != parameter.default for name, parameter in known.items())
    net = Network(**given).build(2)
    net.save(tmp_path / "model")
    for other in (net.clone(), Network.load(tmp_path / "model")):
        for name in given:
            assert getattr(other, name) == getattr(net, name), name
    assert not net.clone().built


def test_summary_lists_layers_shapes_and_parameters(capsys):
    net = small_network()
    net.summary()
    assert "not built yet" in capsys.readouterr().out
    net.build(3)
    text = io.StringIO()
    net.summary(file=text)
    for part in ("dense_1", "Dropout (0.3)", "Dense (tanh)", "26 parameters", "float64"):
        assert part in text.getvalue()
    net.summary()
    assert capsys.readouterr().out == text.getvalue()


def test_not_built():
    net = small_network()
    for use in (
        lambda: net.predict(np.ones((1, 3))),
        lambda: net.evaluate(np.ones((1, 3)), np.ones((1, 2))),
        lambda: net.parameters,
        net.get_weights,
    ):
        with pytest.raises(fastnn.NotBuiltError, match="call build or fit first"):
            use()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Dense(-1), ValueError, "units must be an integer >= 1, got -1"),
        (lambda: Dense(0), ValueError, "units"),
        (lambda: Dense(2.5), TypeError, "units"),
        (lambda: Dense(True), TypeError, "units"),
        (lambda: Dense(3, "rellu"), ValueError, "unknown activation 'rellu': did you mean 'relu'"),
        (lambda: Dense(3, None), TypeError, "activation must be one of"),
        (lambda: Dense(3, initializer="he_norml"), ValueError, "did you mean 'he_normal'"),
        (lambda: Dense(3, l2=-1), ValueError, "l2 must be a finite number >= 0, got -1"),
        (lambda: Dense(3, l1=float("nan")), ValueError, "l1"),
        (lambda: Dense(3, use_bias=1), TypeError, "use_bias must be True or False"),
        (lambda: Dense(3, name="a/b"), ValueError, "without '/', got 'a/b'"),
        (lambda: Dense(3, name=7), TypeError, "name must be a string"),
        (lambda: Dropout(1.0), ValueError, r"rate must be a number in \[0, 1\), got 1.0"),
        (lambda: Dropout(-0.1), ValueError, "rate"),
        (lambda: Dropout("half"), TypeError, "rate"),
        (lambda: Activation("softmax"), ValueError, "unknown activation"),
        (lambda: Flatten(input_shape=(0, 3)), ValueError, "input_shape"),
        (lambda: fastnn.Adam(0), ValueError, "learning_rate must be a finite number > 0, got 0"),
        (lambda: fastnn.Adam(beta1=1), ValueError, "beta1"),
        (lambda: fastnn.Adam(epsilon=0), ValueError, "epsilon"),
        (lambda: fastnn.SGD(nesterov=True), ValueError, "nesterov=True needs momentum"),
        (lambda: fastnn.SGD(weight_decay=-1), ValueError, "weight_decay"),
        (lambda: fastnn.Huber(0), ValueError, "delta"),
        (lambda: fastnn.Quantile(1), ValueError, "q must be"),
        (lambda: fastnn.SoftmaxCrossEntropy(2), ValueError, "label_smoothing"),
        (lambda: fastnn.initializers.Normal(-1), ValueError, "scale"),
        (lambda: Network([], loss="huber"), ValueError, "at least one layer"),
        (lambda: Network(Dense(1), loss="huber"), TypeError, "sequence of layers"),
        (lambda: Network([Dense], loss="huber"), TypeError, "layer objects"),
        (lambda: Network([Dense(1)], loss="hubert"), ValueError, "did you mean 'huber'"),
        (lambda: Network([Dense(1)], loss=None), TypeError, "loss must be one of"),
        (lambda: Network([Dense(1)], loss="huber", optimizer="addam"), ValueError, "'adam'"),
        (lambda: Network([Dense(1)], loss="huber", metrics=["r3"]), ValueError, "unknown metric"),
        (lambda: Network([Dense(1)], loss="huber", metrics="r2"), TypeError, "list of names"),
        (
            lambda: Network([Dense(1)], loss="huber", metrics=["f1"]),
            ValueError,
            "'f1' does not fit a regression loss",
        ),
        (lambda: Network([Dense(1)], loss="huber", seed=-1), ValueError, "seed"),
        (lambda: Network([Dense(1)], loss="huber", seed=2**64), ValueError, "seed"),
        (lambda: Network([Dense(1)], loss="huber", dtype="float16"), ValueError, "dtype"),
        (lambda: Network([Dense(1)], loss="huber", dtype="flot"), ValueError, "dtype"),
        (
            lambda: Network([Dense(1, name="a"), Dense(1, name="a")], loss="huber"),
            ValueError,
            "'a' is given twice",
        ),
        (
            lambda: Network([Dense(1, "sigmoid")], loss="sigmoid_cross_entropy"),
            ValueError,
            "applies the sigmoid itself",
        ),
        (
            lambda: Network([Dense(1)], loss="softmax_cross_entropy").build(3),
            ValueError,
            "at least 2 output",
        ),
        (
            lambda: Network([Flatten(), Dense(1)], loss="huber").build((2, 0)),
            ValueError,
            "input_shape",
        ),
        (lambda: Network([Dense(1)], loss="huber").build((2, 2)), ValueError, r"put Flatten\(\)"),
        (
            lambda: Network([Dense(3), Dense(1, input_size=4)], loss="huber").build(2),
            ValueError,
            r"'dense_2' is declared for inputs of shape \(4,\), but gets \(3,\)",
        ),
    ],
)
def test_bad_descriptions_are_named(make, error, message):
    with pytest.raises(error, match=message) as raised:
        make()
    assert isinstance(raised.value, fastnn.FastnnError)


def test_a_network_too_large_for_memory_is_a_memory_error():
    net = Network([Dense(2**40), Dense(1)], loss="huber")
    with pytest.raises(MemoryError):
        net.build(2**20)
    assert not net.built
