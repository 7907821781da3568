"""scikit-learn's own callbacks are told of every epoch (its version 1.9 and newer)."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import MLPClassifier, MLPRegressor

protocol = pytest.importorskip("sklearn.callback", reason="came with scikit-learn 1.9")
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS, DIGIT = DIGITS[:300] / 16, DIGIT[:300]
PATIENTS, PROGRESS = load_diabetes(return_X_y=True)


class Recorder:
    """Writes down what it is told of."""

    def __init__(self, fail_at=None, stop_after=None):
        self.events, self.fail_at, self.stop_after = [], fail_at, stop_after

    def note(self, event):
        self.events.append(event)
        if event == self.fail_at:
            raise RuntimeError(f"fails at {event}")

    def setup(self, estimator, context):
        self.tree, self.estimator = context, estimator
        self.note("setup")

    def teardown(self, estimator, context):
        self.note("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.note(f"{context.task_name} begins")

    def on_fit_task_end(self, estimator, context):
        self.note(f"{context.task_name} ends")
        return self.events.count("epoch ends") == self.stop_after


class Scores(Recorder):
    """Keeps the estimators of all epochs."""

    def __init__(self):
        super().__init__()
        self.fitted, self.data = [], []

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.fitted.append(fitted_estimator)
        self.data.append((X, y, metadata))


def classifier(*callbacks, **options):
    options = {"max_iter": 3, "random_state": 0} | options
    return MLPClassifier(**options).set_callbacks(*callbacks)


EPOCH = ["epoch begins", "epoch ends"]


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_epochs_are_tasks_of_the_fit(solver):
    recorder = Recorder()
    classifier(recorder, solver=solver).fit(DIGITS, DIGIT)
    assert recorder.events == ["setup", "fit begins", *EPOCH * 3, "fit ends", "teardown"]
    assert recorder.tree.max_subtasks == 3
    assert recorder.tree.estimator_name == "MLPClassifier"


def test_partial_fits_are_fits_of_one_epoch():
    recorder = Recorder()
    net = MLPRegressor(random_state=0).set_callbacks(recorder)
    net.partial_fit(PATIENTS, PROGRESS).partial_fit(PATIENTS, PROGRESS)
    assert recorder.events == ["setup", "fit begins", *EPOCH, "fit ends", "teardown"] * 2


def test_a_callback_may_end_training():
    net = classifier(Recorder(stop_after=2), max_iter=50).fit(DIGITS, DIGIT)
    assert net.n_iter_ == 2


@pytest.mark.parametrize("event", ["setup", "fit begins", "epoch begins", "epoch ends"])
def test_callbacks_that_fail_are_torn_down(event):
    recorder = Recorder(fail_at=event)
    with pytest.raises(RuntimeError, match=event):
        classifier(recorder).fit(DIGITS, DIGIT)
    assert recorder.events[-1] == "teardown"
    assert recorder.events.count("teardown") == 1


def test_refused_arguments_begin_no_task():
    recorder = Recorder()
    with pytest.raises(ValueError, match="activation"):
        classifier(recorder, activation=["relu"] * 2).fit(DIGITS, DIGIT)
    assert recorder.events == []


def test_an_interrupted_fit_ends_all_its_tasks():
    def interrupt(network, epoch):
        raise KeyboardInterrupt

    recorder = Recorder()
    late = fastnn.LambdaCallback(on_epoch_begin=interrupt)
    late.order = 1
    with pytest.warns(UserWarning, match="interrupted"):
        classifier(recorder, callbacks=[late]).fit(DIGITS, DIGIT)
    assert recorder.events == ["setup", "fit begins", *EPOCH, "fit ends", "teardown"]


def test_the_estimator_of_each_epoch_is_one_that_stopped_there():
    scores = Scores()
    weight = np.linspace(0.5, 2, len(DIGITS))
    net = classifier(scores).fit(DIGITS, DIGIT, weight)
    for epoch, fitted in enumerate(scores.fitted[:3], start=1):
        same = MLPClassifier(max_iter=epoch, random_state=0).fit(DIGITS, DIGIT, weight)
        np.testing.assert_array_equal(fitted.predict_proba(DIGITS), same.predict_proba(DIGITS))
        assert fitted.loss_curve_ == same.loss_curve_
    assert len(scores.fitted) == 4  # and the fit as a whole
    assert scores.fitted[3].n_iter_ == net.n_iter_
    for X, y, metadata in scores.data:
        assert (X is DIGITS, y is DIGIT, list(metadata)) == (True, True, ["sample_weight"])


def test_scores_of_all_epochs():
    monitor = protocol.ScoringMonitor(scoring="accuracy")
    net = classifier(monitor).fit(DIGITS, DIGIT)
    scores = [row["accuracy"] for row in monitor.get_logs().data]
    assert len(scores) == 4
    assert net.score(DIGITS, DIGIT) in scores
    net.set_callbacks().fit(DIGITS, DIGIT)
    assert len(monitor.get_logs(select="all")) == 1


def test_progress_bars_go_through_searches_and_pipelines(capsys):
    pytest.importorskip("rich")
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=2, random_state=0))
    search = GridSearchCV(pipeline, {"mlpclassifier__alpha": [0.1, 1.0]}, cv=2)
    search.set_callbacks(protocol.ProgressBar(max_propagation_depth=None)).fit(DIGITS, DIGIT)
    out = capsys.readouterr().out
    assert "GridSearchCV" in out
    assert "MLPClassifier" in out


def test_what_is_no_callback_is_refused():
    with pytest.raises(TypeError, match="FitCallback"):
        classifier(fastnn.EarlyStopping())
