"""The kernels compiled by Numba on the user's machine, at the first call of each.

The formulas are those of `fastnn.kernels.reference`, whose text is compiled wherever Numba takes
it; here stand only the loops.
"""

from .activation import activation_bwd, activation_fwd
from .adam import adam_step, amsgrad_step, nadam_step, radam_step
from .custom import custom_activation_bwd, custom_activation_fwd, custom_loss
from .dense import dense_bwd, dense_dropout_bwd, dense_dropout_fwd, dense_fwd
from .dropout import dropout_bwd, dropout_fwd
from .embedding import (
    embedding_bwd,
    embedding_fwd,
    embedding_sparse_bwd,
    gather_rows,
    scatter_rows,
    standardize_columns_fwd,
)
from .folding import dense_fold_input, dense_fold_output
from .loss import (
    huber,
    mean_absolute_error,
    mean_squared_error,
    poisson,
    quantile,
    sigmoid_cross_entropy,
    softmax,
    softmax_cross_entropy,
)
from .noise import alpha_dropout_bwd, alpha_dropout_fwd, gaussian_noise_fwd
from .normalization import (
    batch_norm_bwd,
    batch_norm_fwd,
    layer_norm_bwd,
    layer_norm_fwd,
    moving_average_step,
    standardize_fwd,
)
from .optimizer import adagrad_step, lion_step, momentum_step, rmsprop_step, sgd_step
from .penalty import count_nonfinite, max_norm, penalty, scale, sum_of_squares
from .random import permutation, philox

__all__ = [
    "activation_bwd",
    "activation_fwd",
    "adagrad_step",
    "adam_step",
    "alpha_dropout_bwd",
    "alpha_dropout_fwd",
    "amsgrad_step",
    "batch_norm_bwd",
    "batch_norm_fwd",
    "count_nonfinite",
    "custom_activation_bwd",
    "custom_activation_fwd",
    "custom_loss",
    "dense_bwd",
    "dense_dropout_bwd",
    "dense_dropout_fwd",
    "dense_fold_input",
    "dense_fold_output",
    "dense_fwd",
    "dropout_bwd",
    "dropout_fwd",
    "embedding_bwd",
    "embedding_fwd",
    "embedding_sparse_bwd",
    "gather_rows",
    "gaussian_noise_fwd",
    "huber",
    "layer_norm_bwd",
    "layer_norm_fwd",
    "lion_step",
    "max_norm",
    "mean_absolute_error",
    "mean_squared_error",
    "momentum_step",
    "moving_average_step",
    "nadam_step",
    "penalty",
    "permutation",
    "philox",
    "poisson",
    "quantile",
    "radam_step",
    "rmsprop_step",
    "scale",
    "scatter_rows",
    "sgd_step",
    "sigmoid_cross_entropy",
    "softmax",
    "softmax_cross_entropy",
    "standardize_columns_fwd",
    "standardize_fwd",
    "sum_of_squares",
]
