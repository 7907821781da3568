"""Plots of a search: every trial at its place, on the scale it was drawn from."""

import numpy as np
import optuna
import pytest
from scipy import stats
from small_searches import build, run

from fastnn import ArgumentError, Dense, Network
from fastnn.errors import MissingDependencyError
from fastnn.search import log_integers, log_uniform, momentum, uniform
from fastnn.search.report import (
    axes as axes_module,
    parallel_coordinates as parallel,
    plot_grid,
    plots,
)
from fastnn.search.report.study_view import Dimension

pytest.importorskip("matplotlib").use("agg")

MIXED = {
    "units": log_integers(2, 16),
    "rate": log_uniform(1e-3, 1.0),
    "momentum": momentum(0.5, 0.99),
    "kind": ["plain", "$odd$ <b>", None],
    "frozen": stats.norm(3, 0.5),
}


@pytest.fixture(autouse=True)
def closed_figures():
    from matplotlib import pyplot

    yield
    pyplot.close("all")


def layered(trial):
    """Units of a layer only where there is one; every seventh trial fails."""
    layers = trial.suggest_int("layers", 1, 3)
    units = [log_integers(2, 16).suggest(trial, f"units_{i}") for i in range(layers)]
    if trial.number % 7 == 5:
        raise OSError("no luck")
    return {"units": units, "rate": log_uniform(1e-3, 1.0).suggest(trial, "rate")}


def build_layered(params):
    layers = [Dense(units, "tanh") for units in params["units"]]
    return Network([*layers, Dense(3)], loss="softmax_cross_entropy")


@pytest.fixture(scope="module")
def mixed():
    return run(MIXED, trials=20, objective="accuracy")


@pytest.fixture(scope="module")
def pruned():
    return run(layered, build_layered, trials=24, pruner="halving", epochs=9)


@pytest.fixture(scope="module")
def several():
    return run(MIXED, trials=14, objective=["accuracy", "parameters", "val_loss"])


def panel_of(draw, *arguments, **options):
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    draw(axes, *arguments, **options)
    return axes


def points(axes):
    """All points that were drawn, sorted."""
    found = [np.asarray(c.get_offsets()) for c in axes.collections]
    return np.array(sorted(map(tuple, np.concatenate(found))))


# ------------------------------------------------------------------------------- single plots


def test_history_holds_every_trial_and_the_running_best(mixed):
    observed, frame = mixed.observed(), mixed.trials
    axes = panel_of(plots.history, observed)
    np.testing.assert_allclose(points(axes), [*zip(frame.index, frame["accuracy"], strict=True)])
    [line] = axes.get_lines()
    expected = frame["accuracy"].cummax().tolist()
    assert line.get_ydata() == pytest.approx([*expected, expected[-1]])
    assert axes.get_ylabel() == "accuracy"


def test_the_best_so_far_is_of_complete_trials_and_failures_are_apart(pruned):
    observed, frame = pruned.observed(), pruned.trials
    axes = panel_of(plots.history, observed)
    [line] = axes.get_lines()
    complete = frame.loc[frame["state"] == "complete", "val_loss"]
    assert line.get_ydata()[-1] == pytest.approx(complete.min())
    assert list(line.get_xdata()[:-1]) == complete.index.tolist()
    low = axes.get_ylim()[0]
    failed = [x for x, y in points(axes) if y == pytest.approx(low)]
    assert failed == frame.index[frame["state"] == "fail"].tolist() == [5, 12, 19]
    assert observed.counts() == {
        "complete": len(complete),
        "pruned": (frame["state"] == "pruned").sum(),
        "failed": 3,
    }


@pytest.mark.parametrize(
    ("name", "scale"),
    [("units", "log"), ("rate", "log"), ("1 - momentum", "log"), ("frozen", "linear")],
)
def test_slices_have_the_scale_of_the_parameter(mixed, name, scale):
    observed, frame = mixed.observed(), mixed.trials
    [dimension] = [d for d in observed.dimensions if d.name == name]
    axes = panel_of(plots.slice_of, observed, dimension, 0)
    assert axes.get_xscale() == scale
    shown = 1 - frame["params_momentum"] if name == "1 - momentum" else frame[f"params_{name}"]
    expected = sorted(zip(shown, frame["accuracy"], strict=True))
    np.testing.assert_allclose(points(axes), expected, rtol=1e-9)


def test_slices_of_choices_name_them_and_keep_trials_near(mixed):
    observed, frame = mixed.observed(), mixed.trials
    [dimension] = [d for d in observed.dimensions if d.name == "kind"]
    axes = panel_of(plots.slice_of, observed, dimension, 0)
    labels = [label.get_text() for label in axes.get_xticklabels()]
    assert labels == ["plain", r"\$odd\$ <b>", "None"]
    at = [MIXED["kind"].index(None if k is None or k != k else k) for k in frame["params_kind"]]
    counts = np.bincount(points(axes)[:, 0].round().astype(int), minlength=3)
    assert counts.tolist() == np.bincount(at, minlength=3).tolist()


def test_a_slice_holds_the_trials_that_have_the_parameter(pruned):
    observed, frame = pruned.observed(), pruned.trials
    [dimension] = [d for d in observed.dimensions if d.name == "units_2"]
    having = sum("units_2" in trial.params for trial in pruned.study.trials)
    assert 0 < having < len(frame)
    axes = panel_of(plots.slice_of, observed, dimension, 0)
    assert len(points(axes)) == having
    assert axes.get_title(loc="left") == f"units_2, in {having} of {len(frame)} trials"


def test_parallel_coordinates_draw_a_line_for_each_trial(mixed, pruned):
    for result in (mixed, pruned):
        observed = result.observed()
        axes = panel_of(parallel.coordinates, observed)
        uprights = len(observed.dimensions) + 1
        names = [label.get_text() for label in axes.get_xticklabels()]
        assert names == [*(d.name for d in observed.dimensions), observed.objectives[0].name]
        lines = [line for line in axes.get_lines() if len(line.get_ydata()) == uprights]
        assert len(lines) == len(result.trials)
        absent = sum(
            len(observed.dimensions) - len(trial.params) for trial in observed.trials
        ) + sum(trial.state == "failed" for trial in observed.trials)
        assert sum((np.asarray(x.get_ydata()) == parallel.ABSENT).sum() for x in lines) == absent


def test_only_the_most_important_of_many_parameters_have_an_axis():
    space = {f"p{i}": uniform(0, 1) for i in range(14)} | {"rate": log_uniform(1e-3, 1.0)}
    observed = run(space, trials=20).observed()
    shown = [dimension.name for dimension in parallel.shown_dimensions(observed)]
    assert len(shown) == parallel.MOST
    shares = observed.importances.shares
    assert set(shown) == set(sorted(shares, key=lambda n: -shares[n])[: parallel.MOST])
    assert shown == [d.name for d in observed.dimensions if d.name in shown]
    axes = panel_of(parallel.coordinates, observed)
    assert "without 5 that matter less" in axes.get_title(loc="left")


def test_importances_are_optunas_for_the_names_that_are_shown(mixed):
    shares = mixed.observed().importances.shares
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=5 / 20)
    expected = optuna.importance.get_param_importances(mixed.study, evaluator=evaluator)
    renamed = {name.replace("quantile of ", ""): share for name, share in expected.items()}
    assert shares == renamed
    axes = panel_of(plots.importances, mixed.observed().importances)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == list(shares)[::-1]


def test_importances_of_pruned_trials_are_those_at_the_rung_that_all_reached(pruned):
    found = pruned.observed().importances
    assert found.epoch == 1
    reported = [t for t in pruned.study.trials if 1 in t.intermediate_values]
    study = optuna.create_study()
    for trial in reported:
        again = optuna.trial.create_trial(
            params=trial.params,
            distributions=trial.distributions,
            value=trial.intermediate_values[1],
        )
        study.add_trial(again)
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=5 / len(reported))
    expected = optuna.importance.get_param_importances(study, evaluator=evaluator)
    assert found.shares == pytest.approx(expected)


def test_values_far_worse_than_most_are_drawn_at_the_edge():
    axis = axes_module.value_axis("loss", [1.0, 1.1, 1.2, 1.3, 1.4, 90.0], minimize=True)
    assert (axis.low, axis.high) == (1.0, 1.4)
    assert axis.number(90.0) == 1.4
    assert axis.is_outside(90.0)
    axis = axes_module.value_axis("r2", [-50.0, 0.6, 0.7, 0.8, 0.9, 1.0], minimize=False)
    assert (axis.low, axis.high) == (0.6, 1.0)
    for minimize in (True, False):  # the good end is never cut
        values = [1.0, 1.1, 1.2, 1.3, 1.4, -90.0 if minimize else 90.0]
        axis = axes_module.value_axis("value", values, minimize=minimize)
        assert not any(axis.is_outside(value) for value in values)
    same = axes_module.value_axis("value", [2.0, 2.0], minimize=True)
    assert same.share(2.0) == 0.5
    wide = axes_module.value_axis("value", list(np.geomspace(1e-3, 10, 9)), minimize=True)
    assert wide.log
    assert wide.share(0.1) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("dimension", "inside"),
    [
        (Dimension("rate", None, 1e-12, 1e3, log=True), [1e-12, 1e-6, 1.0]),
        (Dimension("rate", None, 1e-4, 1.0, log=True), [1e-4, 1e-3, 1e-2, 1e-1, 1.0]),
        (Dimension("units", None, 4, 64, log=True, whole=True), [5, 10, 20, 50]),
        (Dimension("layers", None, 1, 3, whole=True), [1, 2, 3]),
        (Dimension("dropout", None, 0.0, 0.5), [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        (Dimension("fixed", None, 0.0, 0.0), [0.0]),
    ],
)
def test_ticks_lie_within_the_range(dimension, inside):
    axis = axes_module.dimension_axis(dimension, [dimension.low, dimension.high])
    at = [value for value, _ in axis.ticks]
    assert set(np.round(np.asarray(inside, float), 14)) <= set(np.round(at, 14))
    assert all(dimension.low * 0.999999 <= value <= dimension.high * 1.000001 for value in at)
    assert all(-1e-6 <= axis.share(value) <= 1 + 1e-6 for value in at)
    assert len({label for _, label in axis.ticks}) == len(at)
    assert len(at) <= axes_module.MANY


def test_labels_are_one_short_line_that_still_differs():
    names = [f"a_rather_long_name_of_parameter_{i}" for i in range(3)]
    short = [axes_module.shorten(name) for name in names]
    assert [len(text) for text in short] == [axes_module.LABEL] * 3
    assert len(set(short)) == 3
    assert axes_module.shorten("two\nlines\t$x$") == r"two lines \$x\$"
    assert axes_module.shorten("") == "''"


# ----------------------------------------------------------------------------- several objectives


def test_fronts_are_marked(several):
    observed = several.observed()
    front = {candidate.number for candidate in several.pareto_front}
    assert {trial.number for trial in observed.chosen} == front
    axes = panel_of(plots.pareto, observed, 0, 1)
    frame = several.trials
    expected = sorted(zip(frame["accuracy"], frame["parameters"], strict=True))
    np.testing.assert_allclose(points(axes), expected)
    assert {int(text.get_text()) for text in axes.texts} == front
    assert axes.get_xlabel() == "accuracy (more is better)"
    assert axes.get_ylabel() == "parameters (less is better)"


def test_all_pairs_of_objectives_are_drawn(several):
    kinds = [panel.kind for panel in plot_grid.panels(several.observed())]
    assert kinds.count("pareto") == 3
    assert kinds.count("slices") == 3 * len(MIXED)
    assert kinds.count("parallel") == kinds.count("importances") == 1
    assert "history" not in kinds


# ------------------------------------------------------------------------------- whole figures


@pytest.mark.parametrize("name", ["mixed", "pruned", "several"])
def test_figures_of_all_kinds_draw(name, request, tmp_path):
    result = request.getfixturevalue(name)
    figure = result.plot()
    assert len(figure.axes) == len(plot_grid.panels(result.observed()))
    figure.savefig(tmp_path / "all.png")
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert any(text.startswith(("best: trial", "on the front")) for text in texts)


def test_kinds_are_chosen_by_name(mixed, several):
    titles = [axes.get_title(loc="left") for axes in mixed.plot(["importances", "history"]).axes]
    assert titles == ["importance", "best so far"]
    assert len(mixed.plot("slices").axes) == len(MIXED)
    assert not mixed.plot("importances").legends
    for result, kind, message in (
        (mixed, "pareto", "one objective has no 'pareto'"),
        (several, "history", "several objectives has no 'history'"),
        (mixed, "historie", "did you mean 'history'|history"),
        (mixed, [], "kinds is empty"),
    ):
        with pytest.raises(ArgumentError, match=message):
            result.plot(kind)


def test_few_trials_have_no_importances():
    result = run(trials=3)
    assert len(result.plot().axes) == 2 + 2
    with pytest.raises(ArgumentError, match=r"'importances' tell the best 5 .* need 10"):
        result.plot("importances")
    assert run(trials=12, objective=lambda e, X, y: 1.0).observed().importances is None


def test_a_single_trial_and_a_single_value_can_be_drawn(tmp_path):
    result = run({"units": [4], "rate": uniform(0.1, 0.2)}, build, trials=1)
    result.plot().savefig(tmp_path / "one.png")


def test_without_matplotlib_plots_say_what_to_install(mixed, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r'pip install "\.\[plot\]"'):
        mixed.plot()
