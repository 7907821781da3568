"""scikit-learn estimators: `MLPClassifier` and `MLPRegressor`, trained by the engine.

An estimator checks its data as scikit-learn does, translates its parameters into a `Network`, and
keeps scikit-learn's account of the epochs. `base` has what both share, `translation` makes the
network, `draws` the random numbers, in scikit-learn's own order, and `account` is the callback
that counts, stops and slows down.
"""

from __future__ import annotations

from .classifier import MLPClassifier
from .regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
