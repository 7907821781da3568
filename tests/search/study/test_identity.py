"""Two searches share a study only if their data and arguments are the same."""

import numpy as np
import optuna
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from small_searches import SPACE, X, Y, build

from fastnn import SGD, ArgumentError, Dense, Network
from fastnn.search import search
from fastnn.search.study import identity, studies

WEIGHT = np.ones(len(Y))


def run(**changes):
    options = {"build": build, "space": SPACE, "X": X, "y": Y, "trials": 1, "sampler": "random"}
    return search(**options | {"epochs": 2, "seed": 0, "verbose": 0} | changes)


def changed(array, index=-1):
    """The array with one value that is another."""
    array = array.copy()
    array[index] = (array[index] + 1) % 3
    return array


def other_network(params):
    layers = [Dense(params["units"], "relu"), Dense(3)]
    return Network(layers, loss="softmax_cross_entropy", optimizer=SGD(params["rate"]))


def validation(target):
    return {"validation_data": (X[:20], target)}


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ({}, {"y": changed(Y)}, "other data: its y is"),
        ({}, {"X": changed(X)}, "other data: its X is"),
        (validation(Y[:20]), validation(changed(Y[:20])), "other data: its validation is"),
        ({"cv": KFold(3)}, {"cv": KFold(3, shuffle=True, random_state=0)}, "its validation is"),
        ({}, {"fit_params": {"sample_weight": WEIGHT}}, "its sample_weight is None, not"),
        ({}, {"fit_params": {"class_weight": {0: 2.0, 1: 1, 2: 1}}}, "its class_weight is None"),
        ({}, {"batch_size": 16}, "its batch_size is 32, not 16"),
        ({}, {"build": other_network}, "another search: its build is what makes Network"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_study_of_other_data_or_networks_is_refused(before, after, named):
    storage = optuna.storages.InMemoryStorage()
    run(**before, storage=storage)
    with pytest.raises(ArgumentError, match=named):
        run(**before | after, storage=storage, trials=2)
    [study] = storage.get_all_studies()
    assert len(storage.get_all_trials(study._study_id)) == 1


def test_the_same_search_goes_on(tmp_path):
    for trials in (1, 2):
        url = f"sqlite:///{tmp_path}/search.db"
        result = run(trials=trials, storage=url, fit_params={"class_weight": {0: 2.0, 1: 1, 2: 1}})
    assert len(result.trials) == 2


def test_a_study_of_another_estimator_is_refused():
    storage = optuna.storages.InMemoryStorage()
    options = {"build": lambda params: LogisticRegression(**params), "storage": storage}
    for trials in (1, 2):
        result = run(**options, space={"C": [0.1, 1.0]}, trials=trials)
    assert len(result.trials) == 2
    options["build"] = lambda params: LogisticRegression(**params, fit_intercept=False)
    with pytest.raises(ArgumentError, match="its build is what makes LogisticRegression"):
        run(**options, space={"C": [0.1, 1.0]}, trials=3)


@pytest.mark.parametrize(
    "other",
    [X.astype(np.float64), np.asfortranarray(X), X.tolist(), np.repeat(X, 2, axis=0)[::2]],
    ids=["float64", "columns", "lists", "strides"],
)
def test_equal_numbers_are_the_same_data(other):
    assert identity.array_text(other) == identity.array_text(X)


def test_tables_of_every_kind_have_digests():
    frame = pd.DataFrame({"a": [1.5, np.nan], "b": ["x", None], "c": pd.Categorical(["u", "v"])})
    digest = identity.array_text(frame)
    assert digest == identity.array_text(frame.copy())
    assert digest != identity.array_text(frame.assign(b=["x", "y"]))
    assert digest != identity.array_text(frame.assign(c=pd.Categorical(["u", "u"])))
    matrix = sparse.random(20, 5, 0.3, "csr", random_state=0)
    assert identity.array_text(matrix) == identity.array_text(matrix.tocoo())
    assert identity.array_text(matrix) != identity.array_text(2 * matrix)


def test_a_study_without_digests_is_taken_with_a_warning():
    storage = optuna.storages.InMemoryStorage()
    study = run(storage=storage).study
    described = study.user_attrs[studies.SEARCH]
    study.set_user_attr(studies.SEARCH, studies._without_digests(described))
    with pytest.warns(UserWarning, match="kept no digest of the data"):
        assert len(run(storage=storage, trials=2).trials) == 2
    with pytest.raises(ArgumentError, match=r"its data is X .90, 4., y .90., not X .80, 4"):
        run(storage=storage, X=X[:80], y=Y[:80])
