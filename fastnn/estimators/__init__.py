"""scikit-learn estimators, trained by the engine: MLPs, small CNNs, and networks of any layers.

An estimator checks its data as scikit-learn does, builds a `Network` from its parameters, and
tracks convergence by scikit-learn's rules. Start reading at `base`, the class that both share.

==================  ==============================================================================
inputs, columns     X checked; categories encoded, missing values imputed
targets             y checked; `class_losses` and `class_weights` for a classifier
parameters          the constraints on the parameters that both estimators have
build_network       parameters → `Network`; `sklearn_random` draws its initial weights
array_rows          X of any number of axes; `cnn` and `given_layers` hold its estimators
fit_loop            epochs of gradient descent, or iterations of L-BFGS
convergence         the callback that records losses, stops and lowers the learning rate
rollback            restores the estimator if `fit` fails before training begins
sklearn_callbacks   scikit-learn's callback protocol
class_predictions   predictions of the classifier; `uncertainty`: those of the regressor
predictor           predictions of single rows
conversion          from and to scikit-learn's estimators, from networks
state               the pickled form
==================  ==============================================================================
"""

from __future__ import annotations

from .classifier import MLPClassifier
from .cnn import CNNClassifier, CNNRegressor
from .given_layers import NetworkClassifier, NetworkRegressor
from .regressor import MLPRegressor

__all__ = [
    "CNNClassifier",
    "CNNRegressor",
    "MLPClassifier",
    "MLPRegressor",
    "NetworkClassifier",
    "NetworkRegressor",
]
