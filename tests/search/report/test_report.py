"""The page of a search: all of it is there, whatever the names; and what a notebook shows."""

import html.parser
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import optuna
import pytest
from small_searches import SPACE, build, run

import fastnn
from fastnn.errors import MissingDependencyError
from fastnn.search import log_uniform, search
from fastnn.search.report import settings

HOSTILE = '</td></script><script src="http://evil">alert(1)</script>&amp; "\'$x^2$ \x1b[31m'


@pytest.fixture(autouse=True)
def agg():
    try:
        import matplotlib
    except ImportError:
        return
    matplotlib.use("agg")


class Page(html.parser.HTMLParser):
    """Checks that elements close in order; collects links, tags, attributes and texts."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.links, self.texts, self.handlers = [], [], [], [], []
        self.rows = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href", "xlink:href")]
        self.handlers += [k for k, _ in attributes if k.startswith("on")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    @property
    def text(self):
        return "\n".join(self.texts)

    def row(self, *first):
        """The row of a table that begins so."""
        return next(row for row in self.rows if tuple(row[: len(first)]) == first)


def page_of(result, folder, **options):
    path = folder / "report.html"
    result.report(path, **options)
    return Page(path.read_text(encoding="utf-8"))


def check_alone(page):
    """Assert that a page loads nothing from elsewhere."""
    assert not {"script", "link", "iframe", "object", "embed"} & set(page.tags)
    assert page.handlers == []
    assert all(link.startswith(("#", "data:")) for link in page.links)


# ---------------------------------------------------------------------------------- what is there


def test_the_report_describes_the_search(tmp_path):
    result = run(trials=5, study_name="small", threads=1)
    page = page_of(result, tmp_path)
    check_alone(page)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'name="viewport"' in text
    assert "color-scheme: light dark" in text
    assert f"Search: val_loss {result.best_value:.5g}" in page.texts
    assert page.row("seed") == ["seed", "0"]
    assert page.row("trials", "5")
    assert page.row("sampler") == ["sampler", "'random'"]
    assert page.row("fastnn") == ["fastnn", fastnn.__version__]
    assert page.row("numpy") == ["numpy", np.__version__]
    assert page.row("optuna") == ["optuna", optuna.__version__]
    assert page.row("units", "2, 4, 8", "3 choices", "5 of 5")
    frame = result.trials
    heading = page.row("trial", "val_loss", "units", "rate", "epochs")
    start = page.rows.index(heading)
    shown = [int(row[0]) for row in page.rows[start + 1 : start + 6]]
    assert shown == frame["val_loss"].sort_values().index.tolist()
    for number in frame.index:
        row = next(row for row in page.rows[start + 1 : start + 6] if row[0] == str(number))
        assert row[1] == f"{frame.loc[number, 'val_loss']:.5g}"
        assert row[2] == str(frame.loc[number, "params_units"])


def test_the_call_that_is_shown_repeats_the_search(tmp_path):
    result = run(trials=4, pruner="halving", epochs=3, seed=7)
    page = page_of(result, tmp_path)
    call = next(text for text in page.texts if text.startswith("fastnn.search.search("))
    options = call.split("y,\n", 1)[1].rstrip(")\n")
    again = run(SPACE, build, **eval(f"dict({options})"))
    assert again.trials.drop(columns="seconds").equals(result.trials.drop(columns="seconds"))


def test_a_command_stands_in_for_the_call(tmp_path):
    page = page_of(run(trials=1), tmp_path, command="fastnn search a&b.csv --seed 0")
    assert "fastnn search a&b.csv --seed 0" in page.texts
    assert not any(text.startswith("fastnn.search.search(") for text in page.texts)


def test_failures_are_grouped(tmp_path):
    def moody(params):
        if params["units"] == 2:
            raise OSError("no <room> for two")
        return build(params)

    result = run(build=moody, sampler="grid", trials=None)
    page = page_of(result, tmp_path)
    numbers = result.trials.index[result.trials["state"] == "fail"]
    listed = ", ".join(map(str, numbers))
    assert page.row("2", listed) == ["2", listed, "OSError: no <room> for two"]
    assert any("4 complete, 2 failed" in text for text in page.texts)
    assert not any(t == "Failures" for t in page_of(run(trials=2), tmp_path).texts)


def test_the_front_of_several_objectives_is_told(tmp_path):
    result = run(trials=9, objective=["accuracy", "parameters"])
    page = page_of(result, tmp_path)
    check_alone(page)
    start = page.rows.index(page.row("trial", "accuracy", "parameters"))
    front = [int(row[0]) for row in page.rows[start + 1 : start + 1 + len(result.pareto_front)]]
    assert front == [candidate.number for candidate in result.pareto_front]


def test_only_the_best_of_many_trials_are_listed(tmp_path):
    page = page_of(run({"rate": log_uniform(1e-3, 1.0)}, trials=30, epochs=1), tmp_path)
    assert "The best 20 of 30 trials" in page.texts
    start = page.rows.index(page.row("trial", "val_loss", "rate"))
    assert sum(row[-1] == "complete" and len(row) == 6 for row in page.rows[start:]) == 20


def test_plots_are_in_the_page_and_take_its_colours(tmp_path):
    pytest.importorskip("matplotlib")
    page = page_of(run(trials=12), tmp_path)
    assert page.tags.count("svg") == 1 + 1 + 1 + 2
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "currentColor" in text
    assert "Canvas" in text
    assert not re.search(r"\bnan\b", page.text)


def test_without_matplotlib_the_page_has_tables_alone(tmp_path, monkeypatch):
    result = run(trials=2)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    page = page_of(result, tmp_path)
    assert "svg" not in page.tags
    assert any('pip install ".[plot]"' in text for text in page.texts)


# --------------------------------------------------------------------------------- hostile names


def test_names_values_and_errors_cannot_break_out(tmp_path):
    def space(trial):
        choice = trial.suggest_categorical(f"name {HOSTILE}", [f"value {HOSTILE}", "other", "日本"])
        if trial.number == 2:
            raise ValueError(f"error {HOSTILE} \x00 \ud800")
        return {"choice": choice}

    def objective(estimator, X, y):
        return 1.0

    objective.__name__ = f"objective {HOSTILE}"
    result = run(space, lambda params: build({}), objective=objective, trials=12)
    page = page_of(result, tmp_path, command=f"command {HOSTILE}")
    check_alone(page)
    cells = [cell for row in page.rows for cell in row]
    for kind in ("name", "error", "objective"):
        assert any(kind in cell and "<script" in cell and "&amp;" in cell for cell in cells), kind
    check_alone(Page(result._repr_html_()))


def test_settings_are_short_and_hold_no_password():
    text = settings.text_of("postgresql+psycopg://me:s3cret@host/studies")
    assert text == "'postgresql+psycopg://me:***@host/studies'"
    assert settings.text_of("postgresql://host/studies") == "'postgresql://host/studies'"
    assert settings.text_of("sqlite:///search.db") == "'sqlite:///search.db'"
    assert settings.text_of((np.zeros((3, 2)), None)) == "[<3 × 2 ndarray>, None]"
    assert settings.text_of({"shuffle": False}) == "{'shuffle': False}"
    assert settings.text_of(np.mean) == "mean"
    assert len(settings.text_of("x" * 1000)) <= settings.LENGTH
    given = {"trials": 4, "epochs": 10, "seed": 3, "sampler": "tpe", "callbacks": [], "rungs": None}
    assert settings.settings_of(given, search) == {"trials": "4"}


# ------------------------------------------------------------------------------------ the file


def test_a_page_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    result = run(trials=1)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        result.report(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["report.html"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.parametrize("width", [390, 1200])
def test_a_browser_shows_it_without_scrolling_sideways(width, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "report.html"
    run(trials=12).report(path)
    probe = "<script>document.title = document.documentElement.scrollWidth</script></body>"
    path.write_text(path.read_text(encoding="utf-8").replace("</body>", probe), encoding="utf-8")
    told = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900",
         f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", path.as_uri()],
        capture_output=True, text=True, timeout=600, check=True,
    )  # fmt: skip
    [scrolled] = re.findall(r"<title>(\d+)</title>", told.stdout)
    assert int(scrolled) <= max(width, 500)  # a window of a headless browser is no narrower


def test_notebooks_show_the_best(tmp_path):
    result = run(trials=4)
    page = Page(result._repr_html_())
    check_alone(page)
    assert page.row("trial", "val_loss")
    assert page.row(str(result.best.number))[1] == f"{result.best_value:.5g}"
    assert repr(result) in page.texts


def test_a_report_without_jinja2_names_the_package(tmp_path, monkeypatch):
    result = run(trials=1)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingDependencyError, match=r"SearchResult\.report needs jinja2"):
        result.report(tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []
    assert "trials" in result._repr_html_()
