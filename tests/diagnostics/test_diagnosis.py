"""The whole report: its parts against independent sources, its forms, and bad arguments."""

import html.parser
import pickle
import re

import numpy as np
import planted
import pytest
from scipy.stats import spearmanr
from sklearn.metrics import confusion_matrix, multilabel_confusion_matrix, r2_score

import fastnn
from fastnn import Dense, Dropout, Network
from fastnn.plotting import html as pages


def classifier(**options):
    """A trained network and its data: five classes by the angle of two of four features."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4))
    y = ((np.arctan2(X[:, 0], X[:, 1]) / np.pi + 1) * 2.5).astype(int).clip(0, 4)
    net = Network([Dense(16, "relu"), Dense(5)], loss="softmax_cross_entropy", seed=0, **options)
    net.fit(X[:300], y[:300], epochs=10, validation_data=(X[300:], y[300:]), verbose=0)
    return net, X[:300], y[:300], X[300:], y[300:]


def regressor():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    Y = np.stack([X[:, 0] + X[:, 1], np.exp(X[:, 2])], axis=1)
    net = Network([Dense(16, "tanh"), Dense(2)], loss="mean_squared_error", seed=0)
    net.fit(X[:200], Y[:200], epochs=20, verbose=0)
    return net, X[:200], Y[:200], X[200:], Y[200:]


def multilabel():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5))
    Y = (X[:, :3] + 0.5 * rng.normal(size=(300, 3)) > 0.3).astype(int)
    net = Network([Dense(8, "relu"), Dense(3)], loss="sigmoid_cross_entropy", seed=0)
    net.fit(X[:200], Y[:200], epochs=20, verbose=0)
    return net, X[:200], Y[:200], X[200:], Y[200:]


PROBLEMS = [classifier, regressor, multilabel]


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_network_stays_as_it_is_bit_for_bit(problem):
    net, *rows = problem()
    before = pickle.dumps(net)
    fastnn.diagnose(net, *rows, curve_sizes=[0.5, 1.0], curve_epochs=1)
    assert pickle.dumps(net) == before


def test_classes_and_hardest_rows_of_a_classifier():
    net, X, y, X_val, y_val = classifier()
    found = fastnn.diagnose(net, X, y, X_val, y_val, curve_sizes=None, n_hardest=7)
    probability = net.predict(X_val).astype(np.float64)
    predicted = probability.argmax(axis=1)
    np.testing.assert_array_equal(found.classes.confusion, confusion_matrix(y_val, predicted))
    np.testing.assert_array_equal(found.classes.training_rows, np.bincount(y))
    np.testing.assert_array_equal(found.classes.validation_rows, np.bincount(y_val))
    right = np.diag(found.classes.confusion)
    np.testing.assert_allclose(found.classes.recall, right / np.bincount(y_val))
    np.testing.assert_allclose(found.classes.precision, right / np.bincount(predicted))
    assert found.classes.imbalance == np.bincount(y).max() / np.bincount(y).min()

    losses = -np.log(probability[np.arange(len(y_val)), y_val])
    assert [e.row for e in found.hardest] == np.argsort(-losses)[:7].tolist()
    for example in found.hardest:
        assert example.loss == pytest.approx(losses[example.row], rel=1e-4)
        assert (example.true, example.predicted) == (y_val[example.row], predicted[example.row])
    assert found.residuals is None


def test_residuals_of_a_regression():
    net, X, Y, X_val, Y_val = regressor()
    found = fastnn.diagnose(net, X, Y, X_val, Y_val, human_error=0.1, curve_sizes=None)
    predicted = net.predict(X_val).astype(np.float64)
    residual = Y_val - predicted
    assert found.classes is None
    np.testing.assert_allclose(found.residuals.mean, residual.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found.residuals.std, residual.std(axis=0), rtol=1e-4)
    np.testing.assert_allclose(found.residuals.quantiles[2], np.median(residual, axis=0), rtol=1e-3)
    np.testing.assert_allclose(found.residuals.mae, abs(residual).mean(axis=0), rtol=1e-4)
    expected = r2_score(Y_val, predicted, multioutput="raw_values")
    np.testing.assert_allclose(found.residuals.r2, expected, rtol=1e-4)
    spread = [spearmanr(abs(r), p).statistic for r, p in zip(residual.T, predicted.T, strict=True)]
    np.testing.assert_allclose(found.residuals.spread, spread, atol=1e-3)
    rmse = np.sqrt(((Y_val - predicted) ** 2).mean())
    assert found.errors.validation.value == pytest.approx(rmse, rel=1e-5)
    assert found.errors.training.value == pytest.approx(
        np.sqrt(((Y - net.predict(X)) ** 2).mean()), rel=1e-5
    )
    worst = found.hardest[0]
    assert worst.row == (residual**2).mean(axis=1).argmax()
    assert worst.true == pytest.approx(tuple(Y_val[worst.row]))
    assert "RMSE" in str(found)


def test_several_labels_a_row():
    net, *rows = multilabel()
    found = fastnn.diagnose(net, *rows, curve_sizes=None)
    predicted = net.predict(rows[2]) >= 0.5
    expected = multilabel_confusion_matrix(rows[3], predicted)
    np.testing.assert_array_equal(found.classes.confusion, expected)
    np.testing.assert_array_equal(found.classes.training_rows, rows[1].sum(axis=0))
    assert "Confusion of output 2" in str(found)


@pytest.mark.parametrize("loss", ["mean_absolute_error", "huber", "poisson", fastnn.Quantile(0.9)])
def test_every_loss_ranks_rows_by_its_own_value(loss):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    y = rng.poisson(2, 60)
    net = Network([Dense(4, "tanh"), Dense(1)], loss=loss, seed=0)
    found = fastnn.diagnose(net, X, y, X, y, curve_sizes=None, n_hardest=60)
    losses = [example.loss for example in found.hardest]
    assert losses == sorted(losses, reverse=True)
    assert np.mean(losses) == pytest.approx(net.evaluate(X, y)["loss"], rel=1e-5)
    first = found.hardest[0].row
    alone = net.evaluate(X[[first]], y[[first]])["loss"]
    assert losses[0] == pytest.approx(alone, rel=1e-5)


def test_penalties_are_no_part_of_a_rows_loss():
    net, *rows = planted.healthy()
    held = Network([Dense(8, "relu", l2=10.0), Dense(1)], loss=net.loss, seed=0)
    found = fastnn.diagnose(held, *rows, curve_sizes=None, n_hardest=400)
    mean = np.mean([example.loss for example in found.hardest])
    assert mean == pytest.approx(held.evaluate(*rows[2:])["loss"], rel=1e-5)


# -------------------------------------------------------------------------------- learning curves


def test_learning_curve_trains_clones_on_growing_parts():
    net, X, y, X_val, y_val = classifier()
    found = fastnn.diagnose(
        net, X, y, X_val, y_val, curve_sizes=[0.1, 0.5, 1.0], curve_epochs=8, batch_size=50
    ).curve
    assert [p.rows for p in found.points] == [30, 150, 300]
    assert [p.updates for p in found.points] == [48, 48, 48]
    whole = net.clone()
    whole.fit(X, y, epochs=8, batch_size=50, verbose=0)
    wrong = np.mean(whole.predict(X_val).argmax(axis=1) != y_val)
    assert found.points[-1].validation.value == pytest.approx(wrong)


def test_more_data_helps_where_the_curve_still_falls():
    net, *rows = planted.overfitting()
    found = fastnn.diagnose(net, *rows, curve_epochs=20)
    assert [p.rows for p in found.curve.points] == [25, 50, 100, 200]
    first, last = found.curve.points[0], found.curve.points[-1]
    assert last.validation.value < first.validation.value
    assert ("still falls" in str(found)) == found.curve.still_falling


def test_sizes_on_which_training_diverges_are_left_out():
    X, y = planted.noise(80)
    net = Network(
        [Dense(1)], loss="mean_squared_error", optimizer=fastnn.SGD(1e6), dtype="float32", seed=0
    )
    found = fastnn.diagnose(net, X[:40], y[:40], X[40:], y[40:], curve_epochs=50)
    assert found.curve.points == ()
    assert "Learning curve" not in str(found)


# ------------------------------------------------------------------------------------------ forms


@pytest.mark.parametrize("problem", PROBLEMS)
def test_text(problem):
    found = fastnn.diagnose(*problem(), curve_epochs=1)
    text = str(found)
    first, *_ = text.splitlines()
    assert first.endswith(found.verdict)
    for heading in ("What to do next", "Layers", "Learning curve", "Hardest validation rows"):
        assert f"\n{heading}" in text
    assert "human level (taken as 0)" in text
    assert all(action in text for action in found.actions)
    assert "nan" not in text


class Tags(html.parser.HTMLParser):
    """Checks that elements close in order, and collects what pages must not have."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href") and v[0] != "#"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("problem", PROBLEMS)
def test_page_is_one_well_formed_file(problem, tmp_path):
    pytest.importorskip("matplotlib")
    net, *rows = problem()
    found = fastnn.diagnose(net, *rows, curve_epochs=1)
    path = tmp_path / "report.html"
    found.to_html(path)
    text = path.read_text(encoding="utf-8")
    tags = Tags(text)
    assert tags.open == []
    assert "script" not in tags.seen
    assert tags.links == []
    assert tags.seen.count("svg") == len(found.panels(matrices=False))
    assert 'name="viewport"' in text
    assert "color-scheme: light dark" in text
    assert "currentColor" in text  # the plots take the page's colour, too
    assert found.verdict.capitalize() in text
    assert not re.search(r"\bnan\b", text)


def test_page_escapes_names(tmp_path):
    pytest.importorskip("matplotlib")
    _, *rows = classifier()
    named = Network(
        [Dense(4, name="<b>&$x^$"), Dense(5)], loss="softmax_cross_entropy", seed=0
    ).build(4)
    found = fastnn.diagnose(named, *rows, curve_sizes=None)
    found.to_html(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;$x^$" in text


def test_picture_and_figure(tmp_path):
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot

    net, *rows = classifier()
    health = fastnn.LayerHealth(*rows[:2])
    net.fit(*rows[:2], epochs=2, callbacks=[health], verbose=0)
    found = fastnn.diagnose(net, *rows, curve_epochs=1, health=health)
    found.to_png(tmp_path / "report.png")
    assert (tmp_path / "report.png").read_bytes().startswith(b"\x89PNG")
    assert not pyplot.get_fignums()
    figure = found.plot()
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert {"learning curve", "loss", found.verdict, "confusion, validation rows"} < set(titles)
    assert sum("over the epochs" in title for title in titles) == 2
    pyplot.close(figure)


def test_plots_without_matplotlib_say_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    found = fastnn.diagnose(*classifier(), curve_sizes=None)
    for use in (
        found.plot,
        lambda: found.to_png(tmp_path / "x.png"),
        lambda: found.to_html(tmp_path / "x.html"),
        found.history.plot,
    ):
        with pytest.raises(ImportError, match=r'pip install "\.\[plot\]"'):
            use()
    assert not list(tmp_path.iterdir())


def test_a_page_without_jinja2_says_what_to_install(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    pages._environment.cache_clear()
    found = fastnn.diagnose(*classifier(), curve_sizes=None)
    with pytest.raises(ImportError, match=r'a page of HTML needs jinja2: .* "\.\[plot\]"'):
        found.to_html(tmp_path / "x.html")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("metrics", [None, "loss", ["accuracy", "loss"]])
def test_history_plots(metrics):
    pytest.importorskip("matplotlib").use("agg")
    from matplotlib import pyplot

    net, *_ = classifier(metrics=["accuracy"])
    axes = net.history.plot(metrics)
    expected = {None: ["loss", "accuracy"], "loss": ["loss"]}.get(str(metrics), metrics)
    expected = ["loss", "accuracy"] if metrics is None else expected
    assert [panel.get_ylabel() for panel in axes] == expected
    for panel, name in zip(axes, expected, strict=True):
        training, validation = panel.get_lines()
        assert training.get_ydata().tolist() == net.history[name]
        assert validation.get_ydata().tolist() == net.history[f"val_{name}"]
        assert training.get_xdata().tolist() == net.history.epoch
    pyplot.close(axes[0].figure)


def test_history_plots_into_given_axes_and_refuses_the_rest():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    net, *_ = classifier(metrics=["accuracy"])
    given = Figure().subplots(1, 2)
    assert net.history.plot(ax=given) == given.tolist()
    with pytest.raises(ValueError, match="ax holds 2 axes, expected one for each panel: 1"):
        net.history.plot("loss", given)
    with pytest.raises(ValueError, match="unknown metrics 'lossy': did you mean 'loss'"):
        net.history.plot("lossy")
    with pytest.raises(ValueError, match="no epoch"):
        fastnn.History().plot()


# --------------------------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"human_error": -0.1}, ValueError, r"human_error must be a number in \[0, 1\], got -0.1"),
        ({"human_error": 1.5}, ValueError, "human_error must be"),
        ({"human_error": "low"}, TypeError, "human_error must be"),
        ({"curve_sizes": []}, ValueError, "curve_sizes must be ascending shares"),
        ({"curve_sizes": [0.5, 0.5]}, ValueError, "curve_sizes must be ascending shares"),
        ({"curve_sizes": [0.5, 2]}, ValueError, r"curve_sizes must be a number in \(0, 1\], got 2"),
        ({"curve_sizes": 0.5}, TypeError, "curve_sizes must be a list of shares"),
        ({"curve_epochs": 0}, ValueError, "curve_epochs must be an integer >= 1, got 0"),
        ({"batch_size": 0}, ValueError, "batch_size must be an integer >= 1, got 0"),
        ({"rows": 0}, ValueError, "rows must be an integer >= 1, got 0"),
        ({"n_hardest": -1}, ValueError, "n_hardest must be an integer >= 0, got -1"),
        ({"health": "good"}, TypeError, "health must be a LayerHealth, got str"),
    ],
)
def test_bad_arguments(options, error, message):
    net = Network([Dense(2)], loss="softmax_cross_entropy", seed=0)
    X, y = planted.noise(20)
    with pytest.raises(error, match=message):
        fastnn.diagnose(net, X, y, X, y, **options)
    assert not net.built


def test_bad_data_says_which():
    net, X, y, X_val, y_val = classifier()
    with pytest.raises(ValueError, match=r"^X has 3 features, but the network was built for 4"):
        fastnn.diagnose(net, X[:, :3], y, X_val, y_val)
    with pytest.raises(ValueError, match=r"^validation data: X has 100 rows, but y has 99"):
        fastnn.diagnose(net, X, y, X_val, y_val[1:])
    with pytest.raises(TypeError, match="net must be a Network, got list"):
        fastnn.diagnose([], X, y, X_val, y_val)


def test_human_error_of_a_regression_is_in_units_of_y():
    net, *rows = regressor()
    assert fastnn.diagnose(net, *rows, human_error=40.0, curve_sizes=None).errors.human_error == 40


def test_clones_are_described_alike_and_know_nothing():
    net, *_ = classifier(optimizer=fastnn.SGD(0.1), metrics=["f1"])
    held = Network([Dropout(0.2), *net.layers], loss=net.loss, seed=5, dtype="float64")
    for each in (net, held):
        clone = each.clone()
        assert repr(clone) == repr(each)
        assert (clone.seed, clone.dtype, clone.metrics) == (each.seed, each.dtype, each.metrics)
        assert not clone.built
        assert not clone.history.epoch
    again = net.clone().build(4)
    np.testing.assert_array_equal(again.parameters, net.clone().build(4).parameters)
