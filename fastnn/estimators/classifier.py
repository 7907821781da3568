"""`MLPClassifier`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call, type_of_target

from ..data.data_set import DataSet
from ..losses import Loss
from ..model import inference
from ..model.base import model_of
from ..network import Network
from . import class_losses, class_weights, conversion, targets
from .base import BaseMultilayerPerceptron, has_partial_fit
from .class_predictions import ClassPredictionsMixin
from .rollback import RollbackOnError


class MLPClassifier(ClassPredictionsMixin, ClassifierMixin, BaseMultilayerPerceptron):
    """Multi-layer perceptron classifier; scikit-learn's, trained by fastnn.

    For the same arguments and `random_state`, results equal those of
    `sklearn.neural_network.MLPClassifier` up to rounding.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        Units of each hidden layer. An entry may be a `Layer`, which is used as it is, without the
        activation, dropout and normalisation of the others.
    activation : str, CustomActivation or list of them, default='relu'
        Of the hidden layers, or of each: 'identity', 'logistic', 'tanh', 'relu' as in scikit-learn,
        or any other of `fastnn.Dense`.
    solver : {'lbfgs', 'sgd', 'adam', …} or Optimizer, default='adam'
        Any name of an optimizer of `fastnn.Network`; an object has all its settings, including
        learning rate and schedule.
    alpha : float, default=0.0001
        L2 penalty ½ alpha Σw², divided by the sum of the sample weights of each batch. It applies
        to embeddings too.
    batch_size : int or 'auto', default='auto'
        'auto' is 200, or all rows if there are fewer; lbfgs always takes all.
    learning_rate : {'constant', 'invscaling', 'adaptive'}, default='constant'
        For sgd. 'invscaling' sets ``learning_rate_init / (t_ + 1) ** power_t`` after each epoch;
        'adaptive' divides by 5 whenever training would stop, until the rate falls below 1e-6.
    learning_rate_init : float, default=0.001
    power_t : float, default=0.5
    max_iter : int, default=200
        Epochs, or iterations of lbfgs, at most.
    shuffle : bool, default=True
        Whether each epoch visits the rows in another order.
    random_state : int, RandomState, Generator or None, default=None
        Source of the initial weights, the split and the shuffles.
    tol : float, default=1e-4
        Training stops after more than `n_iter_no_change` epochs without an improvement by `tol` of
        the loss or, with early stopping, of the score. For lbfgs, the largest element of the
        gradient to stop at.
    verbose : bool, default=False
        Whether to print a line for each epoch.
    warm_start : bool, default=False
        Whether `fit` begins with the weights of the previous fit.
    momentum : float, default=0.9
    nesterovs_momentum : bool, default=True
    early_stopping : bool, default=False
        Hold out `validation_fraction` of the rows, stop when their accuracy no longer improves, and
        keep the best weights.
    validation_fraction : float, default=0.1
    beta_1, beta_2, epsilon : float, defaults 0.9, 0.999, 1e-8
        Of adam.
    n_iter_no_change : int, default=10
    max_fun : int, default=15000
        Evaluations of the loss by lbfgs at most.
    dropout : float or list of float, default=0.0
        Share of the units of the hidden layers, or of each, that is dropped; see `Dropout`.
    batch_norm : bool, default=False
        Whether a `BatchNorm` stands before each activation.
    l1 : float, default=0.0
        L1 penalty, divided as `alpha` is.
    weight_decay : float, default=0.0
        Decoupled decay of the weights, beside the step.
    clipvalue, clipnorm, global_clipnorm : float, default=None
        Limits of the gradients; see `fastnn.SGD`.
    callbacks : list of Callback, default=None
    max_time : float, default=None
        Seconds; training stops after the first epoch that ends later.
    categorical_features : 'from_dtype', array-like of {bool, int, str} or None, default=None
        Columns of X that hold categories: those of a DataFrame with a categorical dtype, a mask,
        numbers or names. Each category becomes a vector that is learned (`TabularInput`), beside
        the numbers. Missing categories share one, initially zero, with those that the fit, or the
        first `partial_fit`, did not contain.
    embedding_dim : int, default=None
        Length of the vectors; None is half the number of categories, up to 50.
    imputer : {'mean', 'median', 'most_frequent', 'constant'}, SimpleImputer or None, default=None
        How to fill in missing numbers, also of X_val and in predictions: the strategy of a
        `sklearn.impute.SimpleImputer` ('constant' is 0), or one with settings of its own, such as
        ``add_indicator=True``. It learns from the first X. None refuses them.
    progress : bool, default=False
        Whether to show a progress bar.
    class_weight : dict, list of dict, 'balanced' or None, default=None
        Factors on the sample weights of each class; 1 for those that a dict leaves out. As in
        scikit-learn, a dict may name classes that a fold lacks, if it names all that are there.
        Where rows have several labels, a dict of 0 and 1 for each.
    loss : str or Loss, default='log_loss'
        'log_loss' is scikit-learn's: the softmax cross-entropy of several classes, the sigmoid
        cross-entropy of two or of labels. Or 'softmax_cross_entropy', 'sigmoid_cross_entropy', or
        an object, with label smoothing or made by `fastnn.loss` for task "binary" or "multiclass".
        Without a softmax or sigmoid as link, outputs are scores: the largest decides, or the sign,
        and there is `decision_function` in place of `predict_proba`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    loss_, best_loss_ : float
    loss_curve_ : list of float
        Mean loss of each epoch, penalty included.
    validation_scores_ : list of float or None
    validation_loss_curve_ : list of float
        Validation loss of each epoch, where `fit` is given validation data.
    best_validation_score_ : float or None
    t_ : int
        Number of training rows over all epochs.
    coefs_, intercepts_ : list of ndarray
        Weights (inputs, units) and biases (units,) of each layer: views of the network's memory, so
        that writing to them changes predictions.
    n_iter_, n_layers_, n_outputs_ : int
    out_activation_ : str
    is_categorical_ : ndarray of bool, shape (n_features,), or None
        Columns that are embedded.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features,)
    network_ : Network
        The trained network.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from fastnn import MLPClassifier
    >>> X, y = load_digits(return_X_y=True)
    >>> classifier = MLPClassifier(tol=1e-3, random_state=0).fit(X[:1500] / 16, y[:1500])
    >>> classifier.score(X[1500:] / 16, y[1500:]) > 0.9
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseMultilayerPerceptron._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, list, None],
        "loss": [StrOptions(class_losses.NAMES), Loss],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        batch_norm: bool = False,
        l1: float = 0.0,
        weight_decay: float = 0.0,
        clipvalue: float | None = None,
        clipnorm: float | None = None,
        global_clipnorm: float | None = None,
        callbacks: Any = None,
        max_time: float | None = None,
        categorical_features: Any = None,
        embedding_dim: int | None = None,
        imputer: Any = None,
        progress: bool = False,
        class_weight: Any = None,
        loss: Any = class_losses.LOG_LOSS,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.batch_norm = batch_norm
        self.l1 = l1
        self.weight_decay = weight_decay
        self.clipvalue = clipvalue
        self.clipnorm = clipnorm
        self.global_clipnorm = global_clipnorm
        self.callbacks = callbacks
        self.max_time = max_time
        self.categorical_features = categorical_features
        self.embedding_dim = embedding_dim
        self.imputer = imputer
        self.progress = progress
        self.class_weight = class_weight
        self.loss = loss

    # ---------------------------------------------------------------------------------------- fit

    def _encode_targets(self, y: np.ndarray, incremental: bool, reset: bool) -> np.ndarray:
        """Return class numbers (n,), or 0 and 1 (n, outputs)."""
        classes, target_type = targets.classes_and_type(y)
        if not hasattr(self, "classes_") or (reset and not incremental):
            self.classes_ = classes
            self._set_task(target_type)
        else:
            self._check_classes(classes, incremental)
        if self._task == "multilabel":
            return y
        labels = np.searchsorted(self.classes_, y)
        if self._task == "binary":
            return labels.reshape(-1, 1)
        if self.loss == class_losses.LOG_LOSS:
            return labels
        return self._loss().prepare_target(labels, self.n_outputs_, np.dtype(float))

    def _set_task(self, target_type: str) -> None:
        """Set the task and the number of outputs, for this type of targets and the classes."""
        if target_type == "multiclass-multioutput":
            raise ValueError(
                "y has several columns of more than two classes; fit a classifier for each, for "
                "instance by sklearn.multioutput.MultiOutputClassifier"
            )
        self._task, self.n_outputs_ = class_losses.infer_task(
            self.loss, target_type, len(self.classes_)
        )

    def _check_classes(self, classes: np.ndarray, incremental: bool) -> None:
        """Raise `ValueError` for classes other than those of the previous fit."""
        if self.warm_start and not incremental and set(classes) != set(self.classes_):
            raise ValueError(
                "warm_start can only be used where `y` has the same classes as in the previous "
                f"call to fit. Previously got {self.classes_}, `y` has {classes}"
            )
        if np.setdiff1d(classes, self.classes_, assume_unique=True).size:
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. "
                f"'y' has {classes}."
            )

    def _weight_factors(self, y: Any) -> np.ndarray | None:
        if self.class_weight is None:
            return None
        classes = None if self._task == "multilabel" else self.classes_
        return class_weights.row_factors(self.class_weight, classes, y)

    def _loss(self) -> Loss:
        return class_losses.for_task(self.loss, self._task)

    def _strata(self, target: np.ndarray) -> np.ndarray | None:
        if self._task == "multilabel" or self.n_outputs_ != 1:
            return None
        return target.reshape(-1) == 1

    def _scorer(self, validation: DataSet) -> Callable[[], float]:
        """Return a function that computes the accuracy; all labels of a row have to be right."""

        def score() -> float:
            predicted = self._decide(inference.predict(model_of(self.network_), validation.x))
            target = validation.target
            assert target is not None
            if self._task == "multiclass" and target.ndim == 2:
                target = target.argmax(axis=1)
            right = predicted == target
            if right.ndim == 2:
                right = right.all(axis=1)
            return float(np.average(right, weights=validation.weight))

        return score

    @available_if(has_partial_fit)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None
    ) -> MLPClassifier:
        """Train for one epoch more.

        Parameters changed by `set_params` take effect, except for those of the optimizer: `solver`,
        `learning_rate_init`, `momentum` and the like wait for the next `fit`, as in scikit-learn.
        Those that determine the shapes of weights cannot change.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        sample_weight : array-like of shape (n_samples,), default=None
        classes : array-like of shape (n_classes,), default=None
            All classes that any call will contain; needed in the first call.

        Returns
        -------
        self
        """
        if self.class_weight == "balanced":
            raise ValueError(
                "class_weight='balanced' needs all rows at once; for partial_fit, pass a dict"
            )
        with RollbackOnError(self) as rollback:
            if _check_partial_fit_first_call(self, classes):
                self._set_task(type_of_target(y))
            self._fit(X, y, sample_weight, incremental=True, rollback=rollback)
        return self

    # ------------------------------------------------------------------------------ to and from

    @classmethod
    def from_network(cls, network: Network, classes: Any = None) -> MLPClassifier:
        """Return a fitted classifier around a copy of a trained network; it predicts the same bits.

        Parameters
        ----------
        network : Network
            Built, with a loss for classes, rows of numbers as input and a `Dense` at the end.
        classes : array-like of shape (n_classes,), default=None
            In ascending order; 0, 1, … where left out. One for each output, or two for one output.
            Of several yes/no outputs, the numbers of the labels.

        Returns
        -------
        MLPClassifier
            Its parameters hold the layers, loss, optimizer and penalties. `partial_fit` goes on
            training the copy, with the state of its optimizer. `fit` trains a new network of the
            same layers from new weights, or with ``warm_start=True`` from these, by the rules of
            all estimators: penalties are divided by the sum of a batch's weights.

        Raises
        ------
        ArgumentError
            Also a `ValueError`: the network, or `classes`, is not as described above.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from fastnn import Dense, MLPClassifier, Network
        >>> X, y = load_iris(return_X_y=True)
        >>> net = Network([Dense(16, "relu"), Dense(3)], loss="softmax_cross_entropy", seed=0)
        >>> history = net.fit(X, y, epochs=100, verbose=0)
        >>> classifier = MLPClassifier.from_network(net, classes=["setosa", "versi", "virginica"])
        >>> classifier.predict(X[:1])
        array(['setosa'], dtype='<U9')
        """
        conversion.check_network(network, cls.__name__, ("binary", "multiclass"))
        labels = conversion.labels_for(network, classes)
        fitted = conversion.from_network(cls, network)
        fitted.classes_ = labels
        one_of_several = network.loss.task == "multiclass" or network.output_shape == (1,)
        fitted._set_task("multiclass" if one_of_several else "multilabel-indicator")
        return fitted

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
