"""Names, defaults and checks of parameters are those that scikit-learn reads off the class."""

import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from fastnn import MLPClassifier, MLPRegressor

ROWS, LABELS = [[0.0], [1.0], [2.0]], [0, 1, 0]


class Smaller(MLPClassifier):
    def __init__(self, alpha=-1.0, max_iter=1):
        super().__init__(alpha=alpha, max_iter=max_iter)


def test_names_and_defaults_are_those_of_each_class():
    assert Smaller._get_param_names() == ["alpha", "max_iter"]
    assert "hidden_layer_sizes" in MLPClassifier().get_params()
    for _ in range(2):
        with pytest.raises(ValueError, match=r"'alpha' parameter of Smaller must be .* Got -1\.0"):
            Smaller().fit(ROWS, LABELS)
    with pytest.warns(ConvergenceWarning):
        Smaller(alpha=0.1).fit(ROWS, LABELS)


@pytest.mark.parametrize("value", [None, -1, "x", 0.5j, [1.0, "x"]])
@pytest.mark.parametrize("estimator", [MLPClassifier, MLPRegressor])
def test_values_other_than_defaults_are_checked(estimator, value):
    for name in estimator._get_param_names():
        model = estimator(**{name: value})
        expected = outcome(BaseEstimator._validate_params, model)
        assert outcome(estimator._validate_params, model) == expected


def outcome(function, model):
    try:
        function(model)
    except Exception as error:
        return type(error), str(error)
