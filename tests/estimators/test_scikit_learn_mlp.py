"""scikit-learn's own tests of its multi-layer perceptrons, run on ours.

The module is read from the installed package and executed with the two class names bound to our
classes; its test functions then become tests here.
"""

import importlib.util

import pytest
import sklearn

from fastnn import MLPClassifier, MLPRegressor

MODULE = "sklearn.neural_network.tests.test_mlp"
IMPORT = "from sklearn.neural_network import MLPClassifier, MLPRegressor\n"

#: They drive private methods that only scikit-learn has; test_numbers.py has their numbers.
PRIVATE = {"test_fit", "test_gradient"}


def its_tests():
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None:
        return {}
    with open(spec.origin, encoding="utf-8") as file:
        source = file.read()
    assert source.count(IMPORT) == 1
    namespace = {"__name__": MODULE, "MLPClassifier": MLPClassifier, "MLPRegressor": MLPRegressor}
    exec(compile(source.replace(IMPORT, "\n"), spec.origin, "exec"), namespace)
    names = [name for name in namespace if name.startswith("test_") and name not in PRIVATE]
    return {name: namespace[name] for name in names}


@pytest.fixture
def global_random_seed():
    """Provide what scikit-learn's own conftest does."""
    return 42


@pytest.fixture(autouse=True)
def quietly(recwarn):
    """Warnings are no errors there."""


if tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9):
    globals().update(its_tests())
else:

    def test_its_version():
        pytest.skip("the tests are those of scikit-learn 1.9")
