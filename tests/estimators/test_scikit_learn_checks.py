"""scikit-learn's checks of what every estimator must keep to."""

import pytest
from sklearn.impute import SimpleImputer
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastnn import MLPClassifier, MLPRegressor

ESTIMATORS = [
    MLPClassifier(max_iter=100),
    MLPRegressor(max_iter=100),
    MLPClassifier(solver="sgd", max_iter=100),
    MLPRegressor(solver="sgd", max_iter=100),
    MLPClassifier(dropout=0.2, batch_norm=True, max_iter=100),
    MLPRegressor(dropout=0.2, batch_norm=True, max_iter=100),
    MLPClassifier(imputer="median", max_iter=100),
    MLPRegressor(imputer=SimpleImputer(add_indicator=True), max_iter=100),
    MLPRegressor(loss="quantile", quantile=[0.1, 0.5, 0.9], max_iter=100),
    MLPRegressor(categorical_features="from_dtype", max_iter=100),
]


def expected_failures(estimator):
    """Masks and statistics of batches cannot be the same for a row twice and a weight of two."""
    if not estimator.batch_norm:
        return {}
    reason = "dropout masks and batch statistics know rows, not weights"
    return {
        f"check_sample_weight_equivalence_on_{kind}_data": reason for kind in ("dense", "sparse")
    }


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_what_every_estimator_keeps_to(estimator, check):
    check(estimator)
