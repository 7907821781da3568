"""Callbacks: hooks that training calls between epochs and batches.

=======================  ===========================================================================
`Callback`               the base, with all hooks
`EarlyStopping`          ends training that no longer improves
`Checkpoint`             saves what training needs to continue
`LearningRateScheduler`  sets the learning rate by a function of the user
`CSVLogger`              writes the history to a CSV file
`TensorBoard`            writes the history to event files
`ProgressBar`            shows a bar in a terminal or a notebook
`TerminateOnNonFinite`   ends training, instead of an error, when it diverges
`LambdaCallback`         hooks as functions
=======================  ===========================================================================
"""

from __future__ import annotations

from .base import Callback
from .checkpoint import Checkpoint
from .csv_logger import CSVLogger
from .functions import LambdaCallback
from .progress import ProgressBar
from .rates import LearningRateScheduler
from .stopping import EarlyStopping, TerminateOnNonFinite
from .tensorboard import TensorBoard

__all__ = [
    "CSVLogger",
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "LambdaCallback",
    "LearningRateScheduler",
    "ProgressBar",
    "TensorBoard",
    "TerminateOnNonFinite",
]
