"""fastnn trains neural networks on CPUs.

>>> from sklearn.datasets import load_digits
>>> from fastnn import Dense, Dropout, Network
>>> X, y = load_digits(return_X_y=True)
>>> layers = [Dense(64, "relu"), Dropout(0.1), Dense(10)]
>>> net = Network(layers, loss="softmax_cross_entropy", seed=0)
>>> history = net.fit(X / 16, y, epochs=20, verbose=0)
>>> history["loss"][-1] < history["loss"][0] / 10
True

Names are loaded when first used: ``import fastnn`` costs NumPy and little else.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from . import augmentation, initializers, kernels, schedules, search
    from .activations.custom import CustomActivation, activation
    from .callbacks import (
        Callback,
        Checkpoint,
        CSVLogger,
        EarlyStopping,
        LambdaCallback,
        LearningRateScheduler,
        ProgressBar,
        TensorBoard,
        TerminateOnNonFinite,
    )
    from .diagnostics.callback import LayerHealth
    from .diagnostics.diagnosis import diagnose
    from .diagnostics.gradient_check import gradient_check
    from .diagnostics.gradient_check_result import GradientCheck
    from .diagnostics.learning_rate import LearningRateSweep, lr_find
    from .diagnostics.report import Diagnosis
    from .errors import (
        ArgumentError,
        ArgumentTypeError,
        BackendError,
        CustomFunctionError,
        DivergenceError,
        ExecutorError,
        FastnnError,
        MissingDependencyError,
        ModelFileError,
        NetworkBusyError,
        NotBuiltError,
        SearchError,
        UnknownCategoryWarning,
    )
    from .estimators import MLPClassifier, MLPRegressor
    from .ir.parameter import Parameter
    from .ir.program import gradient_of
    from .layers import (
        Activation,
        AlphaDropout,
        BatchNorm,
        Dense,
        Dropout,
        Embedding,
        Flatten,
        GaussianNoise,
        Layer,
        LayerNorm,
        Normalization,
        Rescaling,
        TabularInput,
    )
    from .losses import (
        HalfSquaredError,
        Huber,
        MeanAbsoluteError,
        MeanSquaredError,
        Poisson,
        Quantile,
        SigmoidCrossEntropy,
        SoftmaxCrossEntropy,
    )
    from .losses.custom import CustomLoss, loss
    from .model.history import History
    from .network import Network
    from .optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, Lion, NAdam, RAdam, RMSProp
    from .optimizers.averaging import EMA, SWA
    from .runtime.build_info import show_config
    from .runtime.threads import get_num_threads, set_num_threads
    from .serving.saved_model import SavedModel, load
    from .training.population import Population, fit_population

_HOMES = {
    "optimizers.averaging": ["EMA", "SWA"],
    "callbacks": [
        "CSVLogger",
        "Callback",
        "Checkpoint",
        "EarlyStopping",
        "LambdaCallback",
        "LearningRateScheduler",
        "ProgressBar",
        "TensorBoard",
        "TerminateOnNonFinite",
    ],
    "runtime.build_info": ["show_config"],
    "activations.custom": ["CustomActivation", "activation"],
    "losses.custom": ["CustomLoss", "loss"],
    "diagnostics.callback": ["LayerHealth"],
    "diagnostics.diagnosis": ["diagnose"],
    "diagnostics.learning_rate": ["LearningRateSweep", "lr_find"],
    "diagnostics.report": ["Diagnosis"],
    "errors": [
        "ArgumentError",
        "ArgumentTypeError",
        "BackendError",
        "CustomFunctionError",
        "DivergenceError",
        "ExecutorError",
        "FastnnError",
        "MissingDependencyError",
        "ModelFileError",
        "NetworkBusyError",
        "NotBuiltError",
        "SearchError",
        "UnknownCategoryWarning",
    ],
    "estimators": ["MLPClassifier", "MLPRegressor"],
    "diagnostics.gradient_check": ["gradient_check"],
    "diagnostics.gradient_check_result": ["GradientCheck"],
    "model.history": ["History"],
    "layers": [
        "Activation",
        "AlphaDropout",
        "BatchNorm",
        "Dense",
        "Dropout",
        "Embedding",
        "Flatten",
        "GaussianNoise",
        "Layer",
        "LayerNorm",
        "Normalization",
        "Rescaling",
        "TabularInput",
    ],
    "losses": [
        "HalfSquaredError",
        "Huber",
        "MeanAbsoluteError",
        "MeanSquaredError",
        "Poisson",
        "Quantile",
        "SigmoidCrossEntropy",
        "SoftmaxCrossEntropy",
    ],
    "network": ["Network"],
    "optimizers": ["LBFGS", "SGD", "Adagrad", "Adam", "AdamW", "Lion", "NAdam", "RAdam", "RMSProp"],
    "ir.parameter": ["Parameter"],
    "ir.program": ["gradient_of"],
    "training.population": ["Population", "fit_population"],
    "serving.saved_model": ["SavedModel", "load"],
    "runtime.threads": ["get_num_threads", "set_num_threads"],
}
_MODULES = ("augmentation", "initializers", "kernels", "schedules", "search")
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["__version__", *_MODULES, *_HOME_OF]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _HOME_OF:
        value = getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
        globals()[name] = value
        return value
    from .utils.foreign_names import ATTRIBUTES

    hint = f": {ATTRIBUTES[name]}" if name in ATTRIBUTES else ""
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")


def __dir__() -> list[str]:
    return sorted(__all__)
