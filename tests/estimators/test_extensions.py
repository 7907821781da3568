"""Features of the estimators beyond scikit-learn's."""

import copy
import pickle
import warnings

import numpy as np
import pytest
import sklearn.neural_network
from scipy import sparse
from sklearn.datasets import load_diabetes, load_digits, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import fastnn
from fastnn import BatchNorm, Dropout, MLPClassifier, MLPRegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

DIGITS, DIGIT = load_digits(return_X_y=True)
DIGITS, DIGIT = DIGITS[:500] / 16, DIGIT[:500]
PATIENTS, PROGRESS = load_diabetes(return_X_y=True)
PROGRESS = PROGRESS / 100
DOCUMENTS, LABELS = make_multilabel_classification(200, random_state=0)


def classifier(**options):
    return MLPClassifier(**({"max_iter": 5, "random_state": 0} | options)).fit(DIGITS, DIGIT)


def regressor(**options):
    return MLPRegressor(**({"max_iter": 5, "random_state": 0} | options)).fit(PATIENTS, PROGRESS)


def kinds(estimator):
    return [type(layer).__name__ for layer in estimator.network_.layers]


def test_dropout_and_normalisation_stand_in_the_network():
    net = classifier(hidden_layer_sizes=(20, 10), dropout=[0.0, 0.3], batch_norm=True)
    one = ["Dense", "BatchNorm", "Activation"]
    assert kinds(net) == [*one, *one, "Dropout", "Dense"]
    assert net.network_.layers[6] == Dropout(0.3)
    assert net.network_.layers[1] == BatchNorm()
    with pytest.raises(ValueError, match=r"dropout has 1 entries for 2"):
        classifier(hidden_layer_sizes=(20, 10), dropout=[0.3])


def test_dropout_is_drawn_from_the_random_state():
    a, b, c = (classifier(dropout=0.5, random_state=seed).coefs_[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_an_activation_for_each_layer():
    net = classifier(hidden_layer_sizes=(20, 10), activation=["gelu", "logistic"])
    assert [layer.activation for layer in net.network_.layers] == ["gelu", "sigmoid", "identity"]
    with pytest.raises(ValueError, match="unknown activation 'gel'"):
        classifier(activation=["gel"])


@pytest.mark.parametrize("solver", ["nadam", fastnn.RMSProp(1e-2, clipnorm=1.0)])
def test_any_optimizer(solver):
    net = classifier(solver=solver, max_iter=20)
    assert net.score(DIGITS, DIGIT) > 0.9
    assert (net.network_.optimizer is solver) == (solver != "nadam")
    schedule = fastnn.schedules.CosineDecay(1e-2, 60)
    assert classifier(solver=fastnn.Adam(schedule)).network_.optimizer.learning_rate == schedule


def test_regularisation_reaches_the_network():
    options = {"l1": 0.1, "weight_decay": 0.2, "global_clipnorm": 1.0}
    network = classifier(**options).network_
    assert (network.l1, network.optimizer.weight_decay) == (0.1, 0.2)
    assert network.optimizer.global_clipnorm == 1


def test_class_weights_are_sample_weights():
    weights = {digit: 1.0 + digit for digit in range(10)}
    by_class = MLPClassifier(max_iter=3, random_state=0, class_weight=weights).fit(DIGITS, DIGIT)
    by_row = MLPClassifier(max_iter=3, random_state=0).fit(DIGITS, DIGIT, 1.0 + DIGIT)
    np.testing.assert_array_equal(by_class.coefs_[0], by_row.coefs_[0])
    balanced = MLPClassifier(class_weight="balanced")
    with pytest.raises(ValueError, match="balanced"):
        balanced.partial_fit(DIGITS, DIGIT, classes=range(10))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_validation_data(solver):
    net = MLPClassifier(max_iter=4, solver=solver, random_state=0, alpha=0)
    net.fit(DIGITS[:400], DIGIT[:400], X_val=DIGITS[400:], y_val=DIGIT[400:])
    assert len(net.validation_loss_curve_) == net.n_iter_
    probability = net.predict_proba(DIGITS[400:])[np.arange(100), DIGIT[400:]]
    assert net.validation_loss_curve_[-1] == pytest.approx(-np.log(probability).mean())


def test_early_stopping_looks_at_the_validation_data_and_keeps_the_best_weights():
    net = MLPClassifier(early_stopping=True, random_state=0, max_iter=30, learning_rate_init=0.1)
    net.fit(DIGITS[:400], DIGIT[:400], X_val=DIGITS[400:], y_val=DIGIT[400:])
    assert net.t_ == 400 * net.n_iter_  # no row was held out
    assert net.score(DIGITS[400:], DIGIT[400:]) == net.best_validation_score_
    assert net.best_validation_score_ == max(net.validation_scores_)


def test_callbacks_and_time():
    seen = []
    callback = fastnn.LambdaCallback(on_epoch_end=lambda network, epoch, logs: seen.append(epoch))
    assert classifier(callbacks=[callback]).n_iter_ == len(seen) == 5
    with pytest.warns(ConvergenceWarning, match="max_time"):
        assert classifier(max_time=1e-9).n_iter_ == 1


@pytest.mark.parametrize("loss", ["absolute_error", "huber", fastnn.Huber(0.1)])
def test_losses(loss):
    net = regressor(loss=loss, max_iter=50, learning_rate_init=0.01)
    assert net.score(PATIENTS, PROGRESS) > 0.3


def test_quantiles_have_so_much_below_them():
    options = {"loss": "quantile", "max_iter": 200, "learning_rate_init": 0.01, "tol": 0}
    below = [
        (regressor(quantile=q, **options).predict(PATIENTS) > PROGRESS).mean() for q in (0.1, 0.9)
    ]
    np.testing.assert_allclose(below, [0.1, 0.9], atol=0.05)


def test_divergence_is_an_error_that_says_so():
    with pytest.raises(ValueError, match=r"^Solver produced non-finite parameter weights\..*epoch"):
        regressor(solver="sgd", learning_rate_init=1e9, activation="identity", max_iter=100)


def test_early_stopping_ends_with_the_best_weights_where_training_diverges():
    with pytest.warns(ConvergenceWarning, match="best weights"):
        net = regressor(
            solver="sgd", learning_rate_init=1e3, activation="identity", early_stopping=True,
            max_iter=100,
        )  # fmt: skip
    assert np.isnan(net.validation_scores_[-1])
    assert len(net.validation_scores_) == len(net.loss_curve_) == net.n_iter_
    assert all(np.isfinite(w).all() for w in net.coefs_)


def test_multilabel_partial_fits_learn():
    net = MLPClassifier(random_state=0)
    for rows in np.array_split(np.arange(200), 10) * 30:
        net.partial_fit(DOCUMENTS[rows], LABELS[rows], classes=range(5))
    assert net.predict(DOCUMENTS).shape == LABELS.shape
    assert (net.predict(DOCUMENTS) == LABELS).mean() > 0.8


@pytest.mark.parametrize("model", [classifier, regressor])
def test_a_predictor_predicts_as_the_estimator_does(model):
    net = model()
    X = DIGITS if model is classifier else PATIENTS
    expected = net.predict_proba(X[:3]) if model is classifier else net.predict(X[:3])[:, None]
    predictor = net.predictor()
    np.testing.assert_allclose([predictor(row) for row in X[:3]], expected, rtol=1e-12)
    net.coefs_[0][...] = 0  # seen by both
    outputs = net.network_.predict(X[:1])[0]
    np.testing.assert_allclose(predictor(X[0]), outputs, rtol=1e-12)


def test_a_predictor_of_two_classes_and_on_other_back_ends():
    net = MLPClassifier(max_iter=3, random_state=0).fit(DIGITS, DIGIT > 4)
    expected = net.predict_proba(DIGITS[:1])[0]
    np.testing.assert_allclose(net.predictor()(DIGITS[0]), expected)
    with fastnn.kernels.use(backend="reference"):
        np.testing.assert_allclose(net.predictor()(DIGITS[0]), expected)


TARGETS = {
    "multiclass": ("MLPClassifier", DIGITS, DIGIT),
    "binary": ("MLPClassifier", DIGITS, np.where(DIGIT > 4, "high", "low")),
    "multilabel": ("MLPClassifier", DOCUMENTS, LABELS),
    "regression": ("MLPRegressor", PATIENTS, PROGRESS),
}


@pytest.mark.parametrize("target", TARGETS)
def test_from_scikit_learn_and_back(target):
    name, X, y = TARGETS[target]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = getattr(sklearn.neural_network, name)(max_iter=5, random_state=0).fit(X, y)
    ours = getattr(fastnn, name).from_sklearn(theirs)
    back = ours.to_sklearn()
    for model in (ours, back):
        np.testing.assert_allclose(model.score(X, y), theirs.score(X, y))
        if hasattr(theirs, "predict_proba"):
            np.testing.assert_allclose(model.predict_proba(X), theirs.predict_proba(X), rtol=1e-9)
            np.testing.assert_array_equal(model.predict(X), theirs.predict(X))
    assert back.get_params() == theirs.get_params()
    with pytest.raises(ValueError, match="fitted"):
        getattr(fastnn, name).from_sklearn(getattr(sklearn.neural_network, name)())


def test_scikit_learn_has_no_normalisation():
    with pytest.raises(ValueError, match="batch_norm"):
        classifier(batch_norm=True).to_sklearn()


def test_to_network_is_a_copy():
    net = classifier()
    network = net.to_network()
    network.parameters[:] = 0
    assert net.coefs_[0].any()
    np.testing.assert_array_equal(net.to_network().predict(DIGITS), net.predict_proba(DIGITS))


def test_pickles_keep_bits_and_know_their_version():
    net = classifier(dropout=0.2, batch_norm=True)
    loaded = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(loaded.predict_proba(DIGITS), net.predict_proba(DIGITS))
    state = net.__getstate__() | {"_fastnn_version": "0.0.1"}
    with pytest.warns(UserWarning, match=r"pickled by fastnn 0\.0\.1"):
        copy.copy(net).__setstate__(state)


def wide(X):
    matrix = sparse.csr_array(X)
    matrix.indices, matrix.indptr = matrix.indices.astype("i8"), matrix.indptr.astype("i8")
    return matrix


def repeated(X):
    """Every element in two halves, the columns of a row backwards."""
    matrix = sparse.csr_array(X[:, ::-1])
    columns = np.repeat(X.shape[1] - 1 - matrix.indices, 2)
    return sparse.csr_array((np.repeat(matrix.data / 2, 2), columns, 2 * matrix.indptr), X.shape)


@pytest.mark.parametrize("backend", ["native", "reference"])
@pytest.mark.parametrize("make", [sparse.csr_array, sparse.csc_matrix, wide, repeated])
@pytest.mark.parametrize(
    "options", [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"shuffle": False}]
)
def test_sparse_rows_give_what_dense_ones_give(options, make, backend):
    options = {"max_iter": 3, "random_state": 0} | options
    with fastnn.kernels.use(backend=backend):
        dense, rows = (MLPClassifier(**options).fit(X, DIGIT) for X in (DIGITS, make(DIGITS)))
        np.testing.assert_array_equal(rows.coefs_[0], dense.coefs_[0])
        np.testing.assert_array_equal(rows.predict(make(DIGITS)), dense.predict(DIGITS))
        single = rows.predict_proba(make(DIGITS).astype("f4"))
        np.testing.assert_allclose(single, dense.predict_proba(DIGITS), rtol=1e-5)


def test_sparse_rows_of_another_dtype_and_broken_ones():
    net = MLPClassifier(random_state=0, max_iter=2).partial_fit(DIGITS, DIGIT, classes=range(10))
    net.partial_fit(sparse.csr_array(DIGITS.astype("f4")), DIGIT)
    assert net.coefs_[0].dtype == np.float64
    broken = sparse.csr_array(DIGITS)
    broken.indices[3] = 1000
    with pytest.raises(ValueError, match="indices"):
        net.predict(broken)


def test_searches_and_pipelines():
    pipeline = make_pipeline(StandardScaler(), MLPClassifier(max_iter=3, random_state=0))
    grid = {"mlpclassifier__alpha": [1e-4, 1e-2], "mlpclassifier__dropout": [0.0, 0.2]}
    serial, parallel = (
        GridSearchCV(pipeline, grid, cv=2, n_jobs=jobs).fit(DIGITS, DIGIT) for jobs in (1, 2)
    )
    key = "mean_test_score"
    np.testing.assert_array_equal(serial.cv_results_[key], parallel.cv_results_[key])
