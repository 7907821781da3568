"""Arguments that are refused by name, leaving a fitted estimator as it was; interrupted fits."""

import os
import signal
import threading
import time
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

import fastnn
from fastnn import MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

X, Y = load_digits(return_X_y=True)
X, Y = X[:300] / 16, Y[:300]
ON_PLATEAU = fastnn.SGD(fastnn.schedules.ReduceOnPlateau(0.1))

REFUSED = {
    "dropout of another length": ({"dropout": [0.1, 0.2]}, {}, "dropout has 2 entries for 1"),
    "dropout of 1": ({"dropout": [1.0]}, {}, r"dropout must be a number in \[0, 1\), got 1.0"),
    "dropout of words": ({"dropout": ["a"]}, {}, "dropout must be a number"),
    "activations": ({"activation": ["relu", "tanh"]}, {}, "activation has 2 entries for 1"),
    "no such activation": ({"activation": ["rel"]}, {}, "did you mean 'relu'"),
    "no such solver": ({"solver": "adm"}, {}, "'solver' parameter"),
    "unknown class": ({"class_weight": {11: 1.0}}, {}, "class_weight names 11"),
    "negative weight": ({"class_weight": {1: -1.0}}, {}, "class_weight must be .* >= 0, got -1.0"),
    "no weight": (
        {"class_weight": dict.fromkeys(range(10), 0)},
        {},
        "class_weight, is 0 for every row",
    ),
    "two limits": ({"clipnorm": 1.0, "global_clipnorm": 1.0}, {}, "clipnorm, global_clipnorm"),
    "no time": ({"max_time": 0}, {}, "'max_time' parameter"),
    "no callback": ({"callbacks": [3]}, {}, "callbacks must hold fastnn.Callback .* got 3"),
    "a lone callback": ({"callbacks": fastnn.EarlyStopping()}, {}, "'callbacks' parameter"),
    "nothing to monitor": ({"callbacks": [fastnn.EarlyStopping()]}, {}, "monitor is 'val_loss'"),
    "no plateau": ({"solver": ON_PLATEAU}, {}, "monitor is 'val_loss'"),
    "too few to score": (
        {"early_stopping": True, "validation_fraction": 0.03},
        {"X": X[:30], "y": Y[:30]},
        "validation set is too small",
    ),
    "X_val alone": ({}, {"X_val": X}, "X_val was given without y_val"),
    "y_val alone": ({}, {"y_val": Y}, "y_val was given without X_val"),
    "weights alone": ({}, {"sample_weight_val": Y}, "sample_weight_val was given without X_val"),
    "new classes": ({}, {"X_val": X, "y_val": Y + 5}, "y_val .* classes not in"),
    "other features": ({}, {"X_val": X[:, :5], "y_val": Y}, "X_val.* 5 features"),
    "other lengths": ({}, {"X_val": X[:5], "y_val": Y}, "X_val.* inconsistent"),
    "missing values": ({}, {"X_val": X * np.nan, "y_val": Y}, "X_val.* NaN"),
    "other weights": ({}, {"X_val": X, "y_val": Y, "sample_weight_val": -Y}, "_val.* Negative"),
    "loss": ({"loss": fastnn.Huber()}, {}, "loss=.* is for numbers"),
    "weights of 0": ({}, {"sample_weight": np.zeros(300)}, "(?i)sample.weight"),
    "fewer columns": ({"dropout": [0.1, 0.2]}, {"X": X[:, :7], "y": Y > 4}, "dropout"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_fit_changes_nothing(case):
    options, arguments, message = REFUSED[case]
    net = MLPClassifier(max_iter=3, random_state=0).fit(X, Y)
    predicted = net.predict_proba(X)
    net.set_params(**options)
    before = dict(vars(net))
    with pytest.raises((ValueError, TypeError), match=message):
        net.fit(**{"X": X, "y": Y} | arguments)
    assert vars(net).keys() == before.keys()
    assert all(vars(net)[name] is value for name, value in before.items())
    np.testing.assert_array_equal(net.predict_proba(X), predicted)


def test_a_refused_first_fit_leaves_it_unfitted():
    net = MLPClassifier(dropout=[0.1, 0.2])
    for refused in (net.fit, lambda X, y: net.partial_fit(X, y, classes=range(10))):
        with pytest.raises(ValueError, match="dropout"):
            refused(X, Y)
        assert vars(net).keys() == net.get_params().keys()


def test_a_refused_partial_fit_changes_nothing():
    net = MLPRegressor(random_state=0).partial_fit(X, Y)
    before, weights = dict(vars(net)), net.network_.parameters.copy()
    for arguments, message in (((X[:, :3], Y), "3 features"), ((X, np.c_[Y, Y]), "2 outputs")):
        with pytest.raises(ValueError, match=message):
            net.partial_fit(*arguments)
    assert vars(net) == before
    np.testing.assert_array_equal(net.network_.parameters, weights)


@pytest.mark.parametrize("solver", ["lbfgs", fastnn.LBFGS()])
def test_solvers_of_all_rows_take_no_part_of_a_fit(solver):
    net = MLPClassifier(solver=solver, max_iter=5, random_state=0).fit(X, Y)
    assert not hasattr(net, "loss_curve_")
    with pytest.raises(AttributeError, match="partial_fit"):
        net.partial_fit(X, Y)


def test_class_weights_may_leave_out_classes_of_a_batch():
    net = MLPClassifier(class_weight={0: 2.0, 9: 3.0}, random_state=0)
    rows = Y < 3
    net.partial_fit(X[rows], Y[rows], classes=range(10))
    same = MLPClassifier(random_state=0)
    same.partial_fit(X[rows], Y[rows], np.where(Y[rows] == 0, 2.0, 1.0), classes=range(10))
    np.testing.assert_array_equal(net.coefs_[0], same.coefs_[0])


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_time_is_up(solver):
    net = MLPClassifier(solver=solver, max_time=1e-9, random_state=0)
    with pytest.warns(ConvergenceWarning, match="max_time=1e-09 s is over") as caught:
        net.fit(X, Y)
    assert caught[0].filename == __file__
    assert net.n_iter_ == 1


class Stop(fastnn.Callback):
    """Presses Ctrl-C in an epoch, or asks training to end."""

    def __init__(self, epoch, press):
        self.epoch, self.press = epoch, press

    def on_epoch_end(self, network, epoch, logs):
        if epoch == self.epoch:
            self.press(network)


def raise_it(network):
    raise KeyboardInterrupt


def send_it(network):
    os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@pytest.mark.parametrize("press", [raise_it, send_it])
def test_ctrl_c_keeps_the_model(press, solver):
    net = MLPClassifier(solver=solver, max_iter=50, random_state=0, callbacks=[Stop(3, press)])
    with pytest.warns(UserWarning, match="interrupted") as caught:
        net.fit(X, Y)
    assert caught[0].filename == __file__
    assert net.n_iter_ == 3
    same = MLPClassifier(solver=solver, max_iter=3, random_state=0).fit(X, Y)
    np.testing.assert_array_equal(net.predict_proba(X), same.predict_proba(X))
    assert net.loss_ == same.loss_


def test_ctrl_c_in_the_middle_of_an_epoch():
    rows = np.tile(X, (400, 1))
    net = MLPClassifier((256, 256), max_iter=10_000, random_state=0)
    begun = threading.Event()
    net.callbacks = [fastnn.LambdaCallback(on_epoch_begin=lambda network, epoch: begun.set())]

    def press():
        begun.wait()
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    finger = threading.Thread(target=press)
    finger.start()
    with pytest.warns(UserWarning, match="interrupted"):
        net.fit(rows, np.tile(Y, 400))
    finger.join()
    assert net.predict(X).shape == Y.shape
    assert all(np.isfinite(w).all() for w in net.coefs_)


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_callbacks_end_a_fit(solver):
    def end(network):
        network.stop_training = True

    net = MLPClassifier(solver=solver, max_iter=50, random_state=0, callbacks=[Stop(4, end)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        net.fit(X, Y)
    assert net.n_iter_ == 4
    assert net.loss_ == net.network_.history["loss"][-1]
