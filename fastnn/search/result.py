"""The result of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import ArgumentError, NotBuiltError
from ..plotting.html import table
from ..utils import optional
from ..utils.counting import count
from ..utils.text import escape
from .objectives import Objective
from .report import plot_grid
from .report.study_view import StudyView
from .space.spaces import Space
from .study.studies import CUT_SHORT, EPOCHS, ERROR, best_trials, finished

if TYPE_CHECKING:
    from os import PathLike

    import optuna
    import pandas as pd
    from matplotlib.figure import Figure

    from .study.best_models import BestModels


@dataclass(frozen=True)
class Candidate:
    """A trial that no other one beats in all objectives.

    Attributes
    ----------
    number : int
    params : dict
        As `build` got them.
    values : dict of str to float
        By objective.
    epochs : int
        That its networks were trained for.
    models : list or None
        Its networks or estimators, one for each fold; None if another process trained them, or if
        they were trained further and interrupted.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastnn import Dense, Network
    >>> from fastnn.search import search
    >>> X, y = load_iris(return_X_y=True)
    >>> def build(params):
    ...     return Network([Dense(params["units"], "tanh"), Dense(3)], loss="softmax_cross_entropy")
    >>> result = search(
    ...     build, {"units": [4, 64]}, X, y, trials=2, sampler="grid", seed=0, verbose=0
    ... )
    >>> result.best.params, result.best.epochs, len(result.best.models)
    ({'units': 64}, 10, 1)
    """

    number: int
    params: dict[str, Any]
    values: dict[str, float]
    epochs: int
    models: list[Any] | None = field(repr=False)


class SearchResult:
    """The result of `fastnn.search.search`.

    Attributes
    ----------
    study : optuna.Study
        All trials, for Optuna's plots, importances and dashboard.
    objectives : tuple of Objective
        Names and directions.
    space : Space
    seed : int
        The same arguments and this seed repeat the search.
    interrupted : bool
        Whether Ctrl-C ended it.
    settings : dict of str to str or None
        The arguments of the search that were given, for the report; None if they are not known.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from fastnn import Dense, Network
    >>> from fastnn.search import log_integers, search
    >>> X, y = load_iris(return_X_y=True)
    >>> def build(params):
    ...     return Network([Dense(params["units"], "tanh"), Dense(3)], loss="softmax_cross_entropy")
    >>> result = search(build, {"units": log_integers(4, 32)}, X, y, trials=3, seed=0, verbose=0)
    >>> list(result.trials["state"]), result.best_network.predict(X).shape
    (['complete', 'complete', 'complete'], (150, 3))
    """

    def __init__(
        self,
        study: optuna.Study,
        space: Space,
        objectives: tuple[Objective, ...],
        seed: int,
        best_models: BestModels,
        settings: dict[str, str] | None = None,
    ):
        self.study, self.space, self.objectives = study, space, objectives
        self.seed, self.settings = seed, settings
        self.interrupted = False
        self.refitted: Any = None
        self._best_models = best_models

    @property
    def pareto_front(self) -> list[Candidate]:
        """The trials that no other one beats, in the order of their numbers.

        One trial is beaten by another that is nowhere worse and somewhere better. With a single
        objective, the front is the best trial alone.
        """
        names = [objective.name for objective in self.objectives]
        return [
            Candidate(
                trial.number,
                self.space.params(trial),
                dict(zip(names, trial.values, strict=True)),
                trial.user_attrs[EPOCHS],
                self._best_models.models(trial.number),
            )
            for trial in best_trials(self.study)
        ]

    @property
    def best(self) -> Candidate:
        """The best trial.

        Raises
        ------
        ArgumentError
            There are several objectives, which trade one for the other: see `pareto_front`.
        """
        if len(self.objectives) > 1:
            raise ArgumentError(
                "a search with several objectives has no best trial: see pareto_front"
            )
        return self.pareto_front[0]

    @property
    def best_params(self) -> dict[str, Any]:
        """The parameters of the best trial, as `build` got them."""
        return self.best.params

    @property
    def best_value(self) -> float:
        """The value of the best trial, the mean over its folds."""
        [value] = self.best.values.values()
        return value

    @property
    def best_network(self) -> Any:
        """The network or estimator of the best trial.

        That which was trained on all rows after ``refit=True``, and else that of the trial.

        Raises
        ------
        NotBuiltError
            Without ``refit=True``: the trial has a network for each fold (``best.models``); or it
            was trained by another process.
        """
        if self.refitted is not None:
            return self.refitted
        models = self.best.models
        if models is None:
            raise NotBuiltError(
                f"the network of trial {self.best.number} is not at hand: another process trained "
                "it, or training went on and was interrupted; refit=True trains it on all rows"
            )
        if len(models) > 1:
            raise NotBuiltError(
                "cross-validation trains a network for each fold, which are best.models; "
                "refit=True trains one on all rows"
            )
        return models[0]

    @property
    def trials(self) -> pd.DataFrame:
        """One row for each trial that has ended; needs pandas.

        Columns: state ("complete", "pruned", "cut short" for lack of time, "fail"), the objectives
        as far as they are known, ``params_`` and each parameter as `build` got it, epochs, seconds,
        error.

        Raises
        ------
        MissingDependencyError
            pandas is not installed.
        """
        pandas = optional.module("pandas", extra="search", need="SearchResult.trials")
        rows = [self._row(trial) for trial in finished(self.study)]
        return pandas.DataFrame(rows).set_index("number")

    def plot(self, kinds: str | Sequence[str] | None = None) -> Figure:
        """Draw the search into a new figure of pyplot's; needs matplotlib.

        Parameters
        ----------
        kinds : str or sequence of str, optional
            "history", the objective of every trial and the best so far; "pareto" for several
            objectives, two at a time; "importances", how much each hyper-parameter decides on being
            among the best (PED-ANOVA, by Optuna); "parallel" coordinates; "slices", the objective
            over each hyper-parameter. By default, all that the search allows.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ArgumentError
            There is no such kind, or not of this search.
        MissingDependencyError
            matplotlib, of the extra ``plot``, is not installed.

        References
        ----------
        Watanabe, Bansal, Hutter: PED-ANOVA: efficiently quantifying hyperparameter importance in
        arbitrary subspaces. IJCAI 2023.

        Examples
        --------
        >>> import fastnn
        >>> from fastnn import SGD, Dense, Network
        >>> def build(params):
        ...     optimizer = SGD(params["rate"])
        ...     return Network([Dense(2)], loss="softmax_cross_entropy", optimizer=optimizer)
        >>> space, X, y = {"rate": [0.1, 1.0]}, [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
        >>> result = fastnn.search.search(build, space, X, y, sampler="grid", seed=0, verbose=0)
        >>> [axes.get_ylabel() for axes in result.plot(["history", "slices"]).axes]
        ['val_loss', 'val_loss']
        """
        return plot_grid.figure(self.observed(), kinds)

    def report(self, path: str | PathLike[str], *, command: str | None = None) -> None:
        """Write a page that tells the whole search.

        It is one HTML file without scripts and without links to others, light or dark as the
        reader's device is, and fits a phone: best parameters, plots (with matplotlib), the best
        trials, failures, what was searched, settings, seed and versions. A file that is there is
        replaced once the new one is whole.

        Parameters
        ----------
        path : str or os.PathLike
        command : str, optional
            Repeats the search, in place of the call of `search` that is shown.

        Raises
        ------
        OSError
            The file cannot be written; what was there stays.
        MissingDependencyError
            Jinja2, of the extra ``search``, is not installed.

        Examples
        --------
        >>> import fastnn
        >>> from fastnn import SGD, Dense, Network
        >>> def build(params):
        ...     optimizer = SGD(params["rate"])
        ...     return Network([Dense(2)], loss="softmax_cross_entropy", optimizer=optimizer)
        >>> space, X, y = {"rate": [0.1, 1.0]}, [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
        >>> result = fastnn.search.search(build, space, X, y, sampler="grid", seed=0, verbose=0)
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result.report(f"{folder}/report.html")
        ...     print([path.name for path in pathlib.Path(folder).iterdir()])
        ['report.html']
        """
        from ..utils import atomic_write
        from .report.html import page

        text = page(
            self.observed(),
            seed=self.seed,
            settings=self.settings,
            interrupted=self.interrupted,
            command=command,
        )
        atomic_write.write(path, [text.encode("utf-8", "replace")])

    def observed(self) -> StudyView:
        """Return the trials as they are plotted."""
        return StudyView.from_study(self.study, self.objectives, self.space)

    def _row(self, trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
        names = [objective.name for objective in self.objectives]
        values = trial.values or [float("nan")] * len(names)
        row = {"number": trial.number, "state": _state(trial)}
        row |= dict(zip(names, values, strict=True))
        row |= {f"params_{name}": value for name, value in self._params(trial).items()}
        duration = trial.duration
        return row | {
            "epochs": trial.user_attrs.get(EPOCHS, 0),
            "seconds": duration.total_seconds() if duration else 0.0,
            "error": trial.user_attrs.get(ERROR),
        }

    def _params(self, trial: optuna.trial.FrozenTrial) -> dict[str, Any]:
        """Return the parameters as `build` got them; those drawn so far if drawing failed."""
        try:
            return self.space.params(trial)
        except Exception:
            return dict(trial.params)

    def _repr_html_(self) -> str:
        """Return the best trials as HTML for notebooks."""
        from .report.html import trial_rows

        observed = self.observed()
        return f"<p>{escape(repr(self))}</p>" + table(trial_rows(observed, observed.chosen))

    def __repr__(self) -> str:
        trials = finished(self.study)
        failed = sum(ERROR in trial.user_attrs for trial in trials)
        facts = [count(len(trials), "trial"), *[f"{failed} failed"] * bool(failed)]
        if len(self.objectives) > 1:
            facts.append(f"{len(self.pareto_front)} on the front")
        else:
            facts.append(f"best {self.objectives[0].name} {self.best_value:.5g}")
        return f"SearchResult({', '.join(facts)})"


def _state(trial: optuna.trial.FrozenTrial) -> str:
    return "cut short" if trial.user_attrs.get(CUT_SHORT) else trial.state.name.lower()
