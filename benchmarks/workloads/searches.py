"""Searches: many networks of varied learning rates and dropout, trained and scored."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

import fastnn
from fastnn import Adam, Dense, Dropout, Network

FEATURES, UNITS, CLASSES = 20, 64, 2
HELD_OUT = 5  # one row for so many of the training set


@dataclass(frozen=True)
class Search:
    """Rows, and how many networks 20-64-64-2 are to be tried on them."""

    rows: int
    epochs: int
    trials: int
    batch_size: int = 32

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Return X float32 and classes, those to be held out last."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(self.rows + self.rows // HELD_OUT, FEATURES)).astype(np.float32)
        score = X[:, 0] * X[:, 1] + X[:, 2] + 0.3 * rng.normal(size=len(X))
        return X, (score > 0).astype(np.int64)

    def split(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on, and those held out."""
        return np.arange(self.rows), np.arange(self.rows, self.rows + self.rows // HELD_OUT)

    def settings(self) -> list[tuple[float, float]]:
        """Return the learning rate and dropout of each trial."""
        rng = np.random.default_rng(1)
        rates, drops = 10 ** rng.uniform(-4, -2, self.trials), rng.uniform(0, 0.5, self.trials)
        return [(float(rate), float(drop)) for rate, drop in zip(rates, drops, strict=True)]

    def networks(self) -> list[Network]:
        """Return the networks of all trials."""
        return [network(rate, drop, seed) for seed, (rate, drop) in enumerate(self.settings())]


def network(rate: float, drop: float, seed: int | None = None) -> Network:
    """Return a network 20-64-64-2 with Adam."""
    hidden = [layer for _ in range(2) for layer in (Dense(UNITS, "relu"), Dropout(drop))]
    optimizer = Adam(rate)
    layers = [*hidden, Dense(CLASSES)]
    return Network(layers, loss="softmax_cross_entropy", optimizer=optimizer, seed=seed)


def trained_together(search: Search, threads: int = 1) -> list[Network]:
    """Train all networks, side by side on so many threads."""
    X, y = search.data()
    trained = search.networks()
    folds = [(search.split()[0], None)] * len(trained)
    options = {"batch_size": search.batch_size, "epochs": search.epochs, "threads": threads}
    fastnn.fit_population(trained, X, y, folds=folds, **options)
    return trained


def trained_alone(search: Search, network: Network) -> Network:
    """Train one of its networks by its own fit."""
    X, y = search.data()
    train, _ = search.split()
    network.fit(X[train], y[train], batch_size=search.batch_size, epochs=search.epochs, verbose=0)
    return network


def population(search: Search, threads: int = 1) -> list[float]:
    """Return the accuracy of each network on the rows held out."""
    return [accuracy(search, network) for network in trained_together(search, threads)]


def one_by_one(search: Search) -> list[float]:
    """Return the same, one network after the other."""
    return [accuracy(search, trained_alone(search, net)) for net in search.networks()]


def random_search(search: Search, threads: int = 1) -> list[float]:
    """Return those of `fastnn.search`, with trials drawn by Optuna; ImportError without it."""
    import optuna

    from fastnn.search import log_uniform, search as look, uniform

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = search.data()
    train, held_out = search.split()
    result = look(
        lambda params: network(params["rate"], params["drop"]),
        {"rate": log_uniform(1e-4, 1e-2), "drop": uniform(0, 0.5)},
        X[train],
        y[train],
        trials=search.trials,
        sampler="random",
        objective="accuracy",
        epochs=search.epochs,
        batch_size=search.batch_size,
        validation_data=(X[held_out], y[held_out]),
        seed=0,
        threads=threads,
        verbose=0,
    )
    return [trial.value for trial in result.study.trials]


def accuracy(search: Search, network: Network) -> float:
    """Return the accuracy on the rows held out."""
    X, y = search.data()
    _, rows = search.split()
    return float(np.mean(network.predict(X[rows]).argmax(1) == y[rows]))


def scikit_learn(search: Search, workers: int = 2) -> list[float]:
    """Return those of RandomizedSearchCV over MLPClassifier, which has no dropout."""
    from scipy.stats import loguniform
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.neural_network import MLPClassifier

    X, y = search.data()
    model = MLPClassifier(
        (UNITS, UNITS), batch_size=search.batch_size, max_iter=search.epochs, random_state=0
    )
    found = RandomizedSearchCV(
        model,
        {"learning_rate_init": loguniform(1e-4, 1e-2)},
        n_iter=search.trials,
        cv=[search.split()],
        n_jobs=workers,
        refit=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found.fit(X, y)
    return list(found.cv_results_["mean_test_score"])


def optuna_over_torch(search: Search, workers: int = 2) -> list[float]:
    """Return those of a study of random trials by so many threads, which train with torch."""
    import optuna
    import torch

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = (torch.from_numpy(array) for array in search.data())
    train, held_out = (torch.from_numpy(rows) for rows in search.split())

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("rate", 1e-4, 1e-2, log=True)
        drop = trial.suggest_float("drop", 0, 0.5)
        parts = []
        for inputs in (FEATURES, UNITS):
            parts += [torch.nn.Linear(inputs, UNITS), torch.nn.ReLU(), torch.nn.Dropout(drop)]
        model = torch.nn.Sequential(*parts, torch.nn.Linear(UNITS, CLASSES))
        optimizer = torch.optim.Adam(model.parameters(), rate, fused=True)
        loss = torch.nn.CrossEntropyLoss()
        for _ in range(search.epochs):
            for rows in train[torch.randperm(len(train))].split(search.batch_size):
                optimizer.zero_grad(set_to_none=True)
                loss(model(X[rows]), y[rows]).backward()
                optimizer.step()
        model.eval()
        with torch.no_grad():
            return (model(X[held_out]).argmax(1) == y[held_out]).float().mean().item()

    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # which limits OpenMP, and so fastnn, until it is set again
    study.optimize(objective, n_trials=search.trials, n_jobs=workers)
    torch.set_num_threads(threads)
    return [trial.value for trial in study.trials]


#: Ours, by (search, threads).
WAYS = {
    "population": population,
    "search": random_search,
    "one by one": lambda search, _: one_by_one(search),
}
