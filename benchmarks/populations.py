"""How many networks a search trains in a second: populations against scikit-learn and Optuna.

    python benchmarks/populations.py

64 networks 20-64-64-2 of varied learning rates and dropout see 10,000 rows for 10 epochs, and are
scored on 2,000 others: as a population on one and on two threads, by scikit-learn's
RandomizedSearchCV over its own MLP with n_jobs=2, and by an Optuna study over torch with n_jobs=2.
Contestants take turns; shown are medians of the trials per second, and of the ratios within one
round. In the end networks of the population are trained alone: the bits are the same.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

import fastnn
from fastnn import Adam, Dense, Dropout, Network

FEATURES, UNITS, CLASSES = 20, 64, 2
HELD_OUT = 5  # one row for so many of the training set
CHECKED = 4  # networks that are trained alone too


@dataclass(frozen=True)
class Problem:
    """Rows, and what is to be tried on them."""

    rows: int
    epochs: int
    trials: int
    batch_size: int

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """X float32 and classes, those to be held out last."""
        rng = np.random.default_rng(0)
        X = rng.normal(size=(self.rows + self.rows // HELD_OUT, FEATURES)).astype(np.float32)
        score = X[:, 0] * X[:, 1] + X[:, 2] + 0.3 * rng.normal(size=len(X))
        return X, (score > 0).astype(np.int64)

    def split(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows to train on, and those held out."""
        return np.arange(self.rows), np.arange(self.rows, self.rows + self.rows // HELD_OUT)

    def settings(self) -> list[tuple[float, float]]:
        """Learning rate and dropout of each trial."""
        rng = np.random.default_rng(1)
        rates, drops = 10 ** rng.uniform(-4, -2, self.trials), rng.uniform(0, 0.5, self.trials)
        return [(float(rate), float(drop)) for rate, drop in zip(rates, drops, strict=True)]


def networks(problem: Problem) -> list[Network]:
    """Of all trials."""
    return [
        Network(
            [Dense(UNITS, "relu"), Dropout(drop), Dense(UNITS, "relu"), Dropout(drop), Dense(2)],
            loss="softmax_cross_entropy",
            optimizer=Adam(rate),
            seed=seed,
        )
        for seed, (rate, drop) in enumerate(problem.settings())
    ]


def population(problem: Problem, threads: int) -> list[Network]:
    """All trials side by side, then their scores."""
    X, y = problem.data()
    train, held_out = problem.split()
    trained = networks(problem)
    folds = [(train, None)] * len(trained)
    options = {"batch_size": problem.batch_size, "epochs": problem.epochs, "threads": threads}
    fastnn.fit_population(trained, X, y, folds=folds, **options)
    scores = [np.mean(net.predict(X[held_out]).argmax(1) == y[held_out]) for net in trained]
    assert max(scores) > 1 / CLASSES
    return trained


def scikit_learn(problem: Problem) -> None:
    """RandomizedSearchCV over MLPClassifier, which has no dropout, by two processes."""
    from scipy.stats import loguniform
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import RandomizedSearchCV
    from sklearn.neural_network import MLPClassifier

    X, y = problem.data()
    model = MLPClassifier(
        (UNITS, UNITS), batch_size=problem.batch_size, max_iter=problem.epochs, random_state=0
    )
    search = RandomizedSearchCV(
        model,
        {"learning_rate_init": loguniform(1e-4, 1e-2)},
        n_iter=problem.trials,
        cv=[problem.split()],
        n_jobs=2,
        refit=False,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search.fit(X, y)


def optuna_over_torch(problem: Problem) -> None:
    """A study of random trials by two threads, each of which trains with torch."""
    import optuna
    import torch

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, y = (torch.from_numpy(array) for array in problem.data())
    train, held_out = (torch.from_numpy(rows) for rows in problem.split())

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("rate", 1e-4, 1e-2, log=True)
        drop = trial.suggest_float("drop", 0, 0.5)
        parts = []
        for inputs in (FEATURES, UNITS):
            parts += [torch.nn.Linear(inputs, UNITS), torch.nn.ReLU(), torch.nn.Dropout(drop)]
        model = torch.nn.Sequential(*parts, torch.nn.Linear(UNITS, CLASSES))
        optimizer = torch.optim.Adam(model.parameters(), rate, fused=True)
        loss = torch.nn.CrossEntropyLoss()
        for _ in range(problem.epochs):
            for rows in train[torch.randperm(len(train))].split(problem.batch_size):
                optimizer.zero_grad(set_to_none=True)
                loss(model(X[rows]), y[rows]).backward()
                optimizer.step()
        model.eval()
        with torch.no_grad():
            return (model(X[held_out]).argmax(1) == y[held_out]).float().mean().item()

    sampler = optuna.samplers.RandomSampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(objective, n_trials=problem.trials, n_jobs=2)


@dataclass(frozen=True)
class Contestant:
    """One way to do the trials, and how many times as many the population does, if all is well."""

    name: str
    run: Callable[[], object]
    trials: int
    goal: float | None = None


def contestants(problem: Problem, peer_trials: int) -> list[Contestant]:
    """The population on two threads first; packages that are not installed are left out."""
    fewer = Problem(problem.rows, problem.epochs, peer_trials, problem.batch_size)
    found = [
        Contestant("population, 2 threads", lambda: population(problem, 2), problem.trials),
        Contestant("population, 1 thread", lambda: population(problem, 1), problem.trials, 1.8),
        Contestant("RandomizedSearchCV, n_jobs=2", lambda: scikit_learn(fewer), peer_trials, 5.0),
    ]
    if importlib.util.find_spec("optuna") and importlib.util.find_spec("torch"):
        run = Contestant(
            "Optuna over torch, n_jobs=2", lambda: optuna_over_torch(fewer), peer_trials, 5.0
        )
        found.append(run)
    return found


def throughput(contestant: Contestant) -> float:
    """Trials per second of one run."""
    start = time.perf_counter()
    contestant.run()
    return contestant.trials / (time.perf_counter() - start)


def compare(problem: Problem, peer_trials: int, rounds: int) -> None:
    """Time all contestants in turn and print their rates and ratios."""
    fastnn.set_num_threads(2)
    small = Problem(500, 1, 2, problem.batch_size)
    for contestant in contestants(small, 2):
        contestant.run()  # imports, worker processes
    entrants = contestants(problem, peer_trials)
    rates = np.array([[throughput(entrant) for entrant in entrants] for _ in range(rounds)])
    ratios = rates[:, :1] / rates
    print(f"{'':<32}{'trials/s':>10}{'2 threads is':>14}{'quartiles':>16}{'goal':>8}")
    for column, entrant in enumerate(entrants):
        low, middle, high = np.percentile(ratios[:, column], [25, 50, 75])
        spread, goal = f"{low:.2f} – {high:.2f}", f"{entrant.goal:.1f}" if entrant.goal else ""
        rate = np.median(rates[:, column])
        print(f"{entrant.name:<32}{rate:>10.2f}{middle:>13.2f}×{spread:>16}{goal:>8}")


def check_bits(problem: Problem) -> int:
    """Train some networks of a population alone; how many have the same bits."""
    X, y = problem.data()
    train, _ = problem.split()
    same = 0
    pairs = list(zip(population(problem, 2), networks(problem), strict=True))
    for together, alone in pairs[:: -(-len(pairs) // CHECKED)]:
        options = {"batch_size": problem.batch_size, "epochs": problem.epochs, "verbose": 0}
        alone.fit(X[train], y[train], **options)
        same += together.parameters.tobytes() == alone.parameters.tobytes()
    print(f"{same} networks trained alone have the bits of those of the population")
    return same


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare, and check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--batch-size", type=int, default=32, metavar="N")
    parser.add_argument("--rounds", type=int, default=3, metavar="N")
    parser.add_argument(
        "--peer-trials", type=int, default=16, metavar="N", help="fewer for the slow ones"
    )
    parser.add_argument("--smoke", action="store_true", help="tiny sizes: does it all run?")
    options = parser.parse_args(arguments)
    problem = Problem(10_000, 10, 64, options.batch_size)
    rounds, peer_trials = options.rounds, options.peer_trials
    if options.smoke:
        problem, rounds, peer_trials = Problem(200, 2, 8, options.batch_size), 1, 2
    compare(problem, peer_trials, rounds)
    check_bits(problem)


if __name__ == "__main__":
    main()
