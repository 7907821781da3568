"""Habits of other libraries are answered with what it is called here."""

import copy
import inspect
import pickle
import warnings

import numpy as np
import pytest

import fastnn
from fastnn import Adam, BatchNorm, Checkpoint, Dense, Dropout, EarlyStopping, Network
from fastnn.utils import foreign_names

X, Y = np.random.default_rng(0).normal(size=(33, 3)), np.arange(33) % 2


def network(*layers, **options):
    return Network([*layers, Dense(2)], loss="softmax_cross_entropy", seed=0, **options)


def fit(**options):
    return network().fit(X, Y, verbose=0, **options)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Dense(10, "softmax"), "'softmax_cross_entropy' applies it, .* leave the last"),
        (lambda: Dense(10, "linear"), "did you mean 'identity'"),
        (lambda: Dense(10, "swish"), "did you mean 'silu'"),
        (lambda: Dense(10, lambda x: x), r"got function: make it one by fastnn\.activation"),
        (lambda: Dense(10, initializer="kaiming_normal"), "did you mean 'he_normal'"),
        (lambda: Network([Dense(1)], loss="mse"), "did you mean 'mean_squared_error'"),
        (lambda: Network([Dense(1)], loss="mae"), "did you mean 'mean_absolute_error'"),
        (lambda: Network([Dense(1)], loss=lambda y, t: 0), r"make it one by fastnn\.loss"),
        (
            lambda: Network([Dense(3)], loss="sparse_categorical_crossentropy"),
            "did you mean 'softmax_cross_entropy'",
        ),
        (
            lambda: Network([Dense(1)], loss="binary_crossentropy"),
            "did you mean 'sigmoid_cross_entropy'",
        ),
        (lambda: network(metrics=["acc"]), "did you mean 'accuracy'"),
        (lambda: network(metrics=["auc"]), "did you mean 'roc_auc'"),
        (
            lambda: Network([Dense(1)], loss="huber", metrics=["mean_squared_error"]),
            "did you mean 'mse'",
        ),
        (lambda: network(optimizer=Adam), r"got the class Adam: write Adam\(…\)"),
        (lambda: Network([Dense], loss="huber"), r"write Dense\(…\)"),
        (lambda: Network([Dense(1)]), "Network needs loss, as in Network.layers, loss=…"),
        (lambda: Network([Dense(1)], "huber"), "Network takes layers by position.*loss='huber'"),
        (lambda: network(random_state=3), "Network takes no 'random_state': did you mean 'seed'"),
        (lambda: Adam(lr=0.1), "Adam takes no 'lr': did you mean 'learning_rate'"),
        (lambda: Adam(0.1, beta_1=0.9), "did you mean 'beta1'"),
        (lambda: Adam(lambda step: 0.1), "fastnn.schedules.*LearningRateScheduler"),
        (lambda: Dense(units=3, kernel_initializer="zeros"), "did you mean 'initializer'"),
        (lambda: Dropout(p=0.5), "Dropout takes no 'p': did you mean 'rate'"),
        (lambda: Dense(), "Dense needs units"),
        (lambda: EarlyStopping("val_loss", 0, 5), r"EarlyStopping\(…, min_delta=0, patience=5\)"),
        (lambda: Checkpoint("a", "val_loss"), r"Checkpoint\(…, save='val_loss'\)"),
        (lambda: Checkpoint(filepath="a"), "did you mean 'path'"),
        (lambda: Checkpoint("a", save_best_only=True), "write save='best'"),
        (lambda: fastnn.TensorBoard(log_dir="a"), "did you mean 'folder'"),
        (lambda: fit(validation_split=0.1), "fit takes no 'validation_split': did you mean 'vali"),
        (lambda: fit(n_epochs=3), "did you mean 'epochs'"),
        (lambda: fit(steps_per_epoch=3), "an epoch is all rows once"),
        (lambda: network().fit(X, Y, 32, 5), r"fit\(…, …, batch_size=32, epochs=5\)"),
        (lambda: network().fit(X), "fit needs y, as in fit.X, y"),
        (lambda: network().fit(x=X, y=Y), "fit takes no 'x': did you mean 'X'"),
        (lambda: network().evaluate(X, Y, 32), "evaluate takes X, y by position"),
        (
            lambda: fastnn.fit_population([network()], X, Y, validation_split=0.1),
            "fit_population takes no 'validation_split': did you mean 'validation_data'",
        ),
        (lambda: fastnn.gradient_check(network(), X, Y, eps=1e-5), "did you mean 'epsilon'"),
        (lambda: network().predict(X, 32), r"predict\(…, batch_size=32\)"),
    ],
)
def test_a_near_word_is_suggested(call, message):
    with pytest.raises(fastnn.FastnnError, match=message):
        call()


@pytest.mark.parametrize("name", ["Conv2d", "LSTM", "Sequential", "ModelCheckpoint", "load_model"])
def test_names_of_other_libraries_are_answered(name):
    with pytest.raises(AttributeError, match=f"has no attribute '{name}': "):
        getattr(fastnn, name)
    assert not hasattr(fastnn, name)


def test_methods_of_other_libraries_are_answered():
    net = network()
    with pytest.raises(AttributeError, match="no attribute 'compile': loss, optimizer and metrics"):
        net.compile(optimizer="adam")
    with pytest.raises(AttributeError, match=r"has no attribute 'wieghts'$"):
        _ = net.wieghts
    assert not hasattr(net, "compile")


def test_hints_name_nothing_that_exists():
    """Once fastnn has it, the hint goes."""
    assert not [name for name in foreign_names.ATTRIBUTES if name in fastnn.__all__]
    assert not [name for name in foreign_names.METHODS if name in dir(Network)]


def test_errors_within_a_call_stay_as_they_are():
    class Strange(fastnn.Callback):
        def __init__(self, value):
            len(value)  # no container

    with pytest.raises(TypeError, match="has no len") as caught:
        Strange(3)
    assert not isinstance(caught.value, fastnn.FastnnError)
    with pytest.raises(fastnn.ArgumentTypeError, match="Strange needs value"):
        Strange()


def test_signatures_and_copies_are_those_of_the_constructors():
    assert list(inspect.signature(Dense).parameters)[:2] == ["units", "activation"]
    assert "patience" in inspect.signature(EarlyStopping).parameters
    assert list(inspect.signature(Network.fit).parameters)[:3] == ["self", "X", "y"]
    net = network(BatchNorm())
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.clone()):
        assert repr(other) == repr(net)


def lone(rows, batch_size, *layers):
    """Warnings of a fit."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        network(*layers).fit(X[:rows], Y[:rows], batch_size=batch_size, verbose=0)
    return [str(one.message) for one in said]


@pytest.mark.parametrize(
    ("rows", "batch_size", "message"),
    [
        (33, 1, "gets batches of a single row"),
        (33, 32, "gets the last batch of an epoch of a single row"),
        (1, 8, "batches of a single row"),
        (33, 31, None),
        (32, 32, None),
    ],
)
def test_batch_norm_with_single_rows_is_said(rows, batch_size, message):
    said = lone(rows, batch_size, Dense(4), BatchNorm())
    assert len(said) == (message is not None)
    assert message is None or message in said[0]
    assert not lone(rows, batch_size, Dense(4), fastnn.LayerNorm())


def test_batch_norm_of_images_has_many_values_in_a_row():
    images = np.random.default_rng(0).normal(size=(8, 4, 4, 3))
    net = network(BatchNorm(), fastnn.Flatten())
    net.fit(images, Y[:8], batch_size=1, verbose=0)  # warnings are errors here
    with pytest.warns(UserWarning, match="'batchnorm_1' gets batches of a single row"):
        network(Dense(4), BatchNorm()).train_on_batch(X[:1], Y[:1])
