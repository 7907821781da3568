"""The public names of the package, each beside its home; `__init__.py` loads them when used."""

from . import (
    augmentation as augmentation,
    convert as convert,
    initializers as initializers,
    kernels as kernels,
    schedules as schedules,
    search as search,
)
from .activations.custom import CustomActivation as CustomActivation, activation as activation
from .callbacks import (
    Callback as Callback,
    Checkpoint as Checkpoint,
    CSVLogger as CSVLogger,
    EarlyStopping as EarlyStopping,
    LambdaCallback as LambdaCallback,
    LearningRateScheduler as LearningRateScheduler,
    ProgressBar as ProgressBar,
    TensorBoard as TensorBoard,
    TerminateOnNonFinite as TerminateOnNonFinite,
)
from .diagnostics.callback import LayerHealth as LayerHealth
from .diagnostics.diagnosis import diagnose as diagnose
from .diagnostics.gradient_check import gradient_check as gradient_check
from .diagnostics.gradient_check_result import GradientCheck as GradientCheck
from .diagnostics.learning_rate import LearningRateSweep as LearningRateSweep, lr_find as lr_find
from .diagnostics.report import Diagnosis as Diagnosis
from .errors import (
    ArgumentError as ArgumentError,
    ArgumentTypeError as ArgumentTypeError,
    BackendError as BackendError,
    CustomFunctionError as CustomFunctionError,
    DivergenceError as DivergenceError,
    ExecutorError as ExecutorError,
    FastnnError as FastnnError,
    MissingDependencyError as MissingDependencyError,
    ModelFileError as ModelFileError,
    NetworkBusyError as NetworkBusyError,
    NotBuiltError as NotBuiltError,
    SearchError as SearchError,
    UnknownCategoryWarning as UnknownCategoryWarning,
)
from .estimators import (
    CNNClassifier as CNNClassifier,
    CNNRegressor as CNNRegressor,
    MLPClassifier as MLPClassifier,
    MLPRegressor as MLPRegressor,
    NetworkClassifier as NetworkClassifier,
    NetworkRegressor as NetworkRegressor,
)
from .ir.parameter import Parameter as Parameter
from .ir.program import gradient_of as gradient_of
from .layers import (
    Activation as Activation,
    AlphaDropout as AlphaDropout,
    AveragePooling1D as AveragePooling1D,
    AveragePooling2D as AveragePooling2D,
    BatchNorm as BatchNorm,
    Conv1D as Conv1D,
    Conv1DTranspose as Conv1DTranspose,
    Conv2D as Conv2D,
    Conv2DTranspose as Conv2DTranspose,
    Cropping1D as Cropping1D,
    Cropping2D as Cropping2D,
    Dense as Dense,
    DepthwiseConv1D as DepthwiseConv1D,
    DepthwiseConv2D as DepthwiseConv2D,
    Dropout as Dropout,
    Embedding as Embedding,
    Flatten as Flatten,
    GaussianNoise as GaussianNoise,
    GlobalAveragePooling1D as GlobalAveragePooling1D,
    GlobalAveragePooling2D as GlobalAveragePooling2D,
    GlobalMaxPooling1D as GlobalMaxPooling1D,
    GlobalMaxPooling2D as GlobalMaxPooling2D,
    Layer as Layer,
    LayerNorm as LayerNorm,
    MaxPooling1D as MaxPooling1D,
    MaxPooling2D as MaxPooling2D,
    Normalization as Normalization,
    Parallel as Parallel,
    Permute as Permute,
    Rescaling as Rescaling,
    Reshape as Reshape,
    Residual as Residual,
    SeparableConv1D as SeparableConv1D,
    SeparableConv2D as SeparableConv2D,
    SpatialDropout1D as SpatialDropout1D,
    SpatialDropout2D as SpatialDropout2D,
    TabularInput as TabularInput,
    UpSampling1D as UpSampling1D,
    UpSampling2D as UpSampling2D,
    ZeroPadding1D as ZeroPadding1D,
    ZeroPadding2D as ZeroPadding2D,
)
from .losses import (
    HalfSquaredError as HalfSquaredError,
    Huber as Huber,
    MeanAbsoluteError as MeanAbsoluteError,
    MeanSquaredError as MeanSquaredError,
    Poisson as Poisson,
    Quantile as Quantile,
    SigmoidCrossEntropy as SigmoidCrossEntropy,
    SoftmaxCrossEntropy as SoftmaxCrossEntropy,
)
from .losses.custom import CustomLoss as CustomLoss, loss as loss
from .model.history import History as History
from .network import Network as Network
from .optimizers import (
    LBFGS as LBFGS,
    SGD as SGD,
    Adagrad as Adagrad,
    Adam as Adam,
    AdamW as AdamW,
    Lion as Lion,
    NAdam as NAdam,
    RAdam as RAdam,
    RMSProp as RMSProp,
)
from .optimizers.averaging import EMA as EMA, SWA as SWA
from .runtime.build_info import show_config as show_config
from .runtime.threads import get_num_threads as get_num_threads, set_num_threads as set_num_threads
from .serving.saved_model import SavedModel as SavedModel, load as load
from .training.population import Population as Population, fit_population as fit_population

__version__: str
