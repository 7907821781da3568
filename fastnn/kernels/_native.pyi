from typing import Any

import numpy as np
from numpy.typing import NDArray

from .functions import ElementFunction, RowGradient, RowLoss, SlopeFunction

Array = NDArray[Any]

def available_isas() -> tuple[str, ...]: ...
def isa_name() -> str: ...
def kernel_names() -> tuple[str, ...]: ...
def limits() -> tuple[int, int, int]: ...
def activations() -> dict[str, bool]: ...
def set_num_threads(threads: int) -> None: ...
def get_num_threads() -> int: ...
def limit_teams(threads: int) -> int: ...
def last_team() -> int: ...
def openmp_version() -> int: ...
def openmp_runtime() -> str: ...
def dense_fwd(
    y: Array, x: Array, w: Array, b: Array | None, activation: str, z: Array | None = None
) -> None: ...
def dense_bwd(
    dx: Array | None,
    dw: Array | None,
    db: Array | None,
    dy: Array,
    y: Array,
    x: Array,
    w: Array,
    activation: str,
    z: Array | None = None,
) -> None: ...
def dense_dropout_fwd(
    y: Array,
    mask: NDArray[np.uint8],
    x: Array,
    w: Array,
    b: Array | None,
    activation: str,
    rate: float,
    seed: int,
    offset: int,
    z: Array | None = None,
) -> None: ...
def dense_dropout_bwd(
    dx: Array | None,
    dw: Array | None,
    db: Array | None,
    dy: Array,
    y: Array,
    mask: NDArray[np.uint8],
    x: Array,
    w: Array,
    activation: str,
    rate: float,
    z: Array | None = None,
) -> None: ...
def activation_fwd(y: Array, z: Array, activation: str) -> None: ...
def activation_bwd(dz: Array, dy: Array, y: Array, z: Array | None, activation: str) -> None: ...
def philox(words: NDArray[np.uint32], seed: int, offset: int) -> None: ...
def permutation(order: NDArray[np.int64], seed: int, offset: int) -> None: ...
def dropout_fwd(
    y: Array, mask: NDArray[np.uint8], x: Array, rate: float, seed: int, offset: int
) -> None: ...
def dropout_bwd(dx: Array, mask: NDArray[np.uint8], dy: Array, rate: float) -> None: ...
def embedding_fwd(y: Array, x: Array, w: Array, column: int, at: int) -> None: ...
def embedding_bwd(dw: Array, dy: Array, x: Array, column: int, at: int) -> None: ...
def embedding_sparse_bwd(
    dw: Array,
    rows: NDArray[np.int64],
    order: NDArray[np.int64],
    dy: Array,
    x: Array,
    count: int,
    column: int,
    at: int,
) -> None: ...
def gather_rows(values: Array, table: Array, rows: NDArray[np.int64]) -> None: ...
def scatter_rows(table: Array, values: Array, rows: NDArray[np.int64]) -> None: ...
def standardize_columns_fwd(
    y: Array, x: Array, mean: Array, variance: Array, column: int, at: int
) -> None: ...
def gaussian_noise_fwd(y: Array, x: Array, stddev: float, seed: int, offset: int) -> None: ...
def alpha_dropout_fwd(
    y: Array, mask: NDArray[np.uint8], x: Array, rate: float, seed: int, offset: int
) -> None: ...
def alpha_dropout_bwd(dx: Array, mask: NDArray[np.uint8], dy: Array, rate: float) -> None: ...
def batch_norm_fwd(
    y: Array,
    mean: Array,
    variance: Array,
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    eps: float,
) -> None: ...
def batch_norm_bwd(
    dx: Array | None,
    dgamma: Array | None,
    dbeta: Array | None,
    dy: Array,
    x: Array,
    mean: Array,
    variance: Array,
    gamma: Array | None,
    eps: float,
) -> None: ...
def standardize_fwd(
    y: Array,
    x: Array,
    mean: Array,
    variance: Array,
    gamma: Array | None,
    beta: Array | None,
    eps: float,
) -> None: ...
def dense_fold_output(
    wf: Array,
    bf: Array,
    w: Array,
    b: Array | None,
    mean: Array,
    variance: Array,
    gamma: Array | None,
    beta: Array | None,
    eps: float,
) -> None: ...
def dense_fold_input(
    wf: Array,
    bf: Array,
    w: Array,
    b: Array | None,
    mean: Array,
    variance: Array,
    gamma: Array | None,
    beta: Array | None,
    eps: float,
) -> None: ...
def moving_average_step(average: Array, value: Array, momentum: float) -> None: ...
def layer_norm_fwd(
    y: Array,
    mean: Array | None,
    rstd: Array | None,
    x: Array,
    gamma: Array | None,
    beta: Array | None,
    eps: float,
) -> None: ...
def layer_norm_bwd(
    dx: Array | None,
    dgamma: Array | None,
    dbeta: Array | None,
    dy: Array,
    x: Array,
    mean: Array,
    rstd: Array,
    gamma: Array | None,
) -> None: ...
def softmax(y: Array, z: Array) -> None: ...
def softmax_cross_entropy(
    dz: Array | None, z: Array, target: Array, weight: Array | None, label_smoothing: float
) -> float: ...
def sigmoid_cross_entropy(
    dz: Array | None, z: Array, target: Array, weight: Array | None, label_smoothing: float
) -> float: ...
def mean_squared_error(
    dy: Array | None, y: Array, target: Array, weight: Array | None
) -> float: ...
def mean_absolute_error(
    dy: Array | None, y: Array, target: Array, weight: Array | None
) -> float: ...
def huber(
    dy: Array | None, y: Array, target: Array, weight: Array | None, delta: float
) -> float: ...
def poisson(dz: Array | None, z: Array, target: Array, weight: Array | None) -> float: ...
def quantile(
    dy: Array | None, y: Array, target: Array, weight: Array | None, q: Array
) -> float: ...
def custom_activation_fwd(y: Array, z: Array, function: ElementFunction) -> None: ...
def custom_activation_bwd(
    dz: Array, dy: Array, y: Array, z: Array, derivative: SlopeFunction
) -> None: ...
def custom_loss(
    dy: Array | None,
    y: Array,
    target: Array,
    weight: Array | None,
    row_loss: RowLoss,
    row_gradient: RowGradient,
) -> float: ...
def penalty(dp: Array | None, p: Array, l1: float, l2: float) -> float: ...
def max_norm(p: Array, limit: float) -> None: ...
def scale(x: Array, factor: float) -> None: ...
def sum_of_squares(x: Array) -> float: ...
def count_nonfinite(x: Array) -> float: ...
def sgd_step(
    p: Array,
    dp: Array,
    lr: float,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
def momentum_step(
    p: Array,
    dp: Array,
    v: Array,
    lr: float,
    momentum: float,
    nesterov: bool,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
def adagrad_step(
    p: Array,
    dp: Array,
    s: Array,
    lr: float,
    eps: float,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
def rmsprop_step(
    p: Array,
    dp: Array,
    s: Array,
    mean: Array | None,
    v: Array | None,
    lr: float,
    rho: float,
    momentum: float,
    eps: float,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
def lion_step(
    p: Array,
    dp: Array,
    m: Array,
    lr: float,
    beta1: float,
    beta2: float,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
def adam_step(
    p: Array,
    dp: Array,
    m: Array,
    v: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    t: int,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
def amsgrad_step(
    p: Array,
    dp: Array,
    m: Array,
    v: Array,
    largest: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    t: int,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
def nadam_step(
    p: Array,
    dp: Array,
    m: Array,
    v: Array,
    lr: float,
    beta1: float,
    beta2: float,
    momentum_decay: float,
    eps: float,
    t: int,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
def radam_step(
    p: Array,
    dp: Array,
    m: Array,
    v: Array,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    t: int,
    weight_decay: float,
    l1: float = 0.0,
    l2: float = 0.0,
    scale: float = 1.0,
    clip: float = ...,
) -> None: ...
