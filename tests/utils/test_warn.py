"""Every warning of fastnn stands at the line of the user's program, by whatever way it comes."""

import ast
import io
import os
import pickle
import re
import signal
import warnings

import joblib
import numpy as np
import optuna
import pandas as pd
import pytest
from project import ROOT
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import (
    BatchNorm,
    CNNClassifier,
    Conv2D,
    Dense,
    GlobalMaxPooling2D,
    MLPClassifier,
    MLPRegressor,
    Network,
)
from fastnn.errors import TableWarning, UnknownCategoryWarning
from fastnn.search import search
from fastnn.search.study.studies import SEARCH
from fastnn.tables import TableEncoder
from fastnn.tables.columns import Column
from fastnn.training.population import fit_population
from fastnn.utils.warn import warn_caller

RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(65, 3)), np.arange(65) % 2  # a last batch of one row
IMAGES = RANDOM.normal(size=(65, 1, 8, 8))
TOWNS = np.array([["Ulm", 1.0], ["Bern", 2.0]] * 20, object)
FRAME = pd.DataFrame({"c": ["b", "a"] * 4, "x": np.arange(8.0)})


def network(params=None):
    return Network([Dense(2), BatchNorm(), Dense(2)], loss="softmax_cross_entropy", seed=0)


def pooling():
    layers = [Conv2D(2, (1, 3)), GlobalMaxPooling2D(), Dense(2)]
    return Network(layers, loss="softmax_cross_entropy", seed=0)


def mlp(**options):
    return MLPClassifier((2,), random_state=0, **{"max_iter": 2, "batch_size": 32} | options)


class FitsItself(fastnn.Callback):
    """A callback of the user that trains another network."""

    def on_train_begin(self, net, info):
        self.other = network().fit(X, Y, verbose=0)


class Interrupts(fastnn.Callback):
    def on_epoch_end(self, net, epoch, logs):
        os.kill(os.getpid(), signal.SIGINT)


def lone(**options):
    return mlp(batch_norm=True, **options)


LONE_ROWS = {
    "fit": lambda: network().fit(X, Y, verbose=0),
    "train_on_batch": lambda: network().train_on_batch(X[:1], Y[:1]),
    "fit_population": lambda: fit_population([network()], X, Y, verbose=0),
    "threads of fit_population": lambda: fit_population(
        [network(), network()], X, Y, verbose=0, threads=2
    ),
    "estimator": lambda: lone().fit(X, Y),
    "partial_fit": lambda: lone().partial_fit(X, Y, classes=[0, 1]),
    "regressor": lambda: MLPRegressor(batch_norm=True, batch_size=32, max_iter=1).fit(X, Y),
    "pipeline": lambda: make_pipeline(StandardScaler(), lone()).fit(X, Y),
    "cross-validation": lambda: cross_val_score(lone(batch_size=42), X[:64], Y[:64], cv=3),
    "grid search": lambda: GridSearchCV(lone(batch_size=21), {"alpha": [0.1]}, cv=3).fit(X, Y),
    "bagging": lambda: BaggingClassifier(lone(), n_estimators=1).fit(X, Y),
    "search": lambda: search(
        network, {"learning_rate": (0.1, 0.2)}, X, Y, trials=1, validation_data=(X, Y)
    ),
}


def fit_towns():
    return mlp(categorical_features=[0], batch_size=8).fit(TOWNS, np.arange(40) % 2)


UNKNOWN = {
    "predict": lambda net: net.predict([["Graz", 1.0]]),
    "predict_proba": lambda net: net.predict_proba([["Graz", 1.0]]),
    "decision_function": lambda net: net.decision_function([["Graz", 1.0]]),
    "score": lambda net: net.score([["Graz", 1.0]], [1]),
    "pipeline": lambda net: make_pipeline(net).predict([["Graz", 1.0]]),
    "partial_fit": lambda net: net.partial_fit(np.array([["Graz", 1.0]], object), [1]),
}


def of_an_older_version(dump):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastnn.estimators.state.__version__", "0.0.1")
        file = io.BytesIO()
        dump(mlp(batch_size=8).fit(X, Y), file)
    file.seek(0)
    return file


OLD_PICKLES = {
    "pickle": (pickle.dump, lambda file: pickle.load(file)),
    "joblib": (joblib.dump, lambda file: joblib.load(file)),
    "pickle in Python": (pickle.dump, lambda file: pickle._Unpickler(file).load()),
}


def search_in(storage):
    search(
        lambda params: Network([Dense(2)], loss="softmax_cross_entropy", seed=0),
        {"learning_rate": (0.1, 0.2)},
        X,
        Y,
        validation_data=(X, Y),
        trials=1,
        storage=storage,
        study_name="old",
        verbose=0,
    )


def old_study():
    """Return a storage with a study of an earlier version, which kept no digests."""
    storage = optuna.storages.InMemoryStorage()
    search_in(storage)
    study = optuna.load_study(study_name="old", storage=storage)
    known = dict(study.user_attrs[SEARCH])
    x, y, validation = (known.pop(k).partition(", digest")[0] for k in ("X", "y", "validation"))
    study.set_user_attr(SEARCH, known | {"data": f"X {x}, y {y}", "validation": validation})
    return storage


ENCODER = TableEncoder([Column("c", "category"), Column("x", "number")]).fit(FRAME)

#: Function with the warning: category, text, and calls that provoke it.
CALLS = {
    "training/prepare.py:warn_of_lone_rows": (UserWarning, "of a single row", LONE_ROWS),
    "model/base.py:_warn_of_channels_first": (
        UserWarning,
        "channels first",
        {
            "fit": lambda: pooling().fit(IMAGES, Y, verbose=0),
            "build": lambda: pooling().build(IMAGES.shape[1:]),
            "estimator": lambda: CNNClassifier((2,), max_iter=1, random_state=0).fit(IMAGES, Y),
        },
    ),
    "estimators/fit_loop.py:fit_steps": (
        ConvergenceWarning,
        "Training ended early, with the best|Maximum iterations",
        {
            "iterations": lambda: mlp().fit(X, Y),
            "divergence": lambda: mlp(
                solver="sgd", learning_rate_init=1e30, max_iter=9, early_stopping=True
            ).fit(X, Y),
        },
    ),
    "estimators/fit_loop.py:fit_full_batch": (
        ConvergenceWarning,
        "lbfgs failed to converge|always predicting",
        {
            "iterations": lambda: mlp(solver="lbfgs", max_iter=1, batch_size="auto").fit(X, Y),
            "at once": lambda: MLPRegressor(solver="lbfgs", tol=1e9, random_state=0).fit(X, Y + 9),
        },
    ),
    "estimators/fit_loop.py:_warn_of_time": (
        ConvergenceWarning,
        "max_time=",
        {
            "steps": lambda: mlp(max_time=1e-9).fit(X, Y),
            "full batch": lambda: mlp(max_time=1e-9, solver="lbfgs", batch_size="auto").fit(X, Y),
        },
    ),
    "estimators/fit_loop.py:_run": (
        UserWarning,
        "interrupted",
        {"fit": lambda: mlp(callbacks=[Interrupts()]).fit(X, Y)},
    ),
    "estimators/fit_loop.py:_batch_size": (
        UserWarning,
        "is clipped",
        {
            "fit": lambda: mlp(batch_size=99).fit(X, Y),
            "partial_fit": lambda: mlp(batch_size=99).partial_fit(X, Y, classes=[0, 1]),
        },
    ),
    "tables/encoder.py:transform": (
        TableWarning,
        "unseen",
        {"transform": lambda: ENCODER.transform(pd.DataFrame({"c": ["unseen"], "x": [1.0]}))},
    ),
    "estimators/columns.py:_warn_of_unknown": (
        UnknownCategoryWarning,
        "'Graz'",
        {name: (fit_towns, call) for name, call in UNKNOWN.items()},
    ),
    "estimators/state.py:unpack": (
        UserWarning,
        "pickled by fastnn 0.0.1",
        {
            name: (lambda dump=dump: of_an_older_version(dump), load)
            for name, (dump, load) in OLD_PICKLES.items()
        },
    ),
    "search/study/studies.py:check_same_search": (
        UserWarning,
        "earlier version",
        {"search": (old_study, search_in)},
    ),
}


@pytest.mark.parametrize(
    ("category", "text", "call"),
    [
        pytest.param(category, text, call, id=f"{site.rpartition(':')[2]}-{name}")
        for site, (category, text, calls) in CALLS.items()
        for name, call in calls.items()
    ],
)
def test_it_stands_at_the_line_of_the_user(category, text, call):
    arguments = ()
    if isinstance(call, tuple):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            prepare, call = call
            arguments = (prepare(),)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call(*arguments)
    ours = [warning for warning in caught if re.search(text, str(warning.message))]
    assert ours
    lines = {line for *_, line in call.__code__.co_lines()}
    for warning in ours:
        assert issubclass(warning.category, category)
        assert warning.filename == __file__
        assert warning.lineno in lines


def test_of_nested_calls_the_innermost_line_of_the_user_counts():
    with pytest.warns(UserWarning, match="single row") as caught:
        Network([Dense(1)], loss="huber", seed=0).fit(X, Y, verbose=0, callbacks=[FitsItself()])
    (warning,) = caught
    lines = {line for *_, line in FitsItself.on_train_begin.__code__.co_lines()}
    assert warning.filename == __file__
    assert warning.lineno in lines


def test_a_line_is_warned_of_once_by_default():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            warn_caller("again")
        warn_caller("again")
    assert len(caught) == 2


def test_without_a_user_the_outermost_line_is_named():
    code = compile("warn('nobody')", "outermost", "exec")
    with pytest.warns(UserWarning, match="nobody") as caught:
        exec(code, {"warn": warn_caller, "__name__": "program"})
    assert (caught[0].filename, caught[0].lineno) == ("outermost", 1)


def test_every_place_that_warns_is_tried_here():
    found = set()
    for path in sorted((ROOT / "fastnn").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if not isinstance(node, ast.Call):
                    continue
                called = ast.unparse(node.func)
                assert called != "warnings.warn", f"{path}:{node.lineno}: see fastnn.utils.warn"
                if called == "warn_caller":
                    found.add(f"{path.relative_to(ROOT / 'fastnn').as_posix()}:{function.name}")
    assert found == set(CALLS)
