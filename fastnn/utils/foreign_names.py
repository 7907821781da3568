"""Names of other libraries and the names here, for the suggestions of error messages."""

from __future__ import annotations

#: Names of losses, activations, metrics and so on: the first that is known is suggested.
NAMES: dict[str, tuple[str, ...]] = {
    "mse": ("mean_squared_error",),
    "mseloss": ("mean_squared_error",),
    "mse_loss": ("mean_squared_error",),
    "l2": ("mean_squared_error",),
    "mae": ("mean_absolute_error",),
    "l1": ("mean_absolute_error",),
    "l1loss": ("mean_absolute_error",),
    "mean_squared_error": ("mse",),
    "mean_absolute_error": ("mae",),
    "root_mean_squared_error": ("rmse",),
    "mean_absolute_percentage_error": ("mape",),
    "categorical_crossentropy": ("softmax_cross_entropy",),
    "sparse_categorical_crossentropy": ("softmax_cross_entropy",),
    "crossentropy": ("softmax_cross_entropy",),
    "cross_entropy": ("softmax_cross_entropy",),
    "crossentropyloss": ("softmax_cross_entropy",),
    "nll": ("softmax_cross_entropy",),
    "nllloss": ("softmax_cross_entropy",),
    "nll_loss": ("softmax_cross_entropy",),
    "log_loss": ("softmax_cross_entropy",),
    "binary_crossentropy": ("sigmoid_cross_entropy",),
    "bce": ("sigmoid_cross_entropy",),
    "bcewithlogitsloss": ("sigmoid_cross_entropy",),
    "smooth_l1": ("huber",),
    "pinball": ("quantile",),
    "linear": ("identity",),
    "none": ("identity",),
    "logistic": ("sigmoid",),
    "swish": ("silu",),
    "acc": ("accuracy",),
    "sparse_categorical_accuracy": ("accuracy",),
    "categorical_accuracy": ("accuracy",),
    "binary_accuracy": ("accuracy",),
    "auc": ("roc_auc",),
    "roc_auc_score": ("roc_auc",),
    "f1_score": ("f1",),
    "f1_macro": ("f1",),
    "r2_score": ("r2",),
    "mcc": ("matthews_corrcoef",),
    "glorot": ("glorot_uniform",),
    "xavier": ("glorot_uniform",),
    "he": ("he_normal",),
    "kaiming": ("he_normal",),
    "kaiming_normal": ("he_normal",),
    "kaiming_uniform": ("he_uniform",),
    "val_acc": ("val_accuracy",),
    "validation_loss": ("val_loss",),
}

#: Advice on a name, by the argument that it is given for.
ADVICE: dict[tuple[str, str], str] = {
    ("activation", "softmax"): "the loss 'softmax_cross_entropy' applies it, so leave the last "
    "layer linear. "
}

#: Keywords: the first that the function has is suggested.
KEYWORDS: dict[str, tuple[str, ...]] = {
    "lr": ("learning_rate",),
    "learning_rate_init": ("learning_rate",),
    "alpha": ("learning_rate", "l2"),
    "beta_1": ("beta1",),
    "beta_2": ("beta2",),
    "betas": ("beta1",),
    "eps": ("epsilon",),
    "rho": ("decay",),
    "decay": ("weight_decay",),
    "clip_norm": ("clipnorm",),
    "max_grad_norm": ("global_clipnorm",),
    "validation_split": ("validation_fraction",),
    "nb_epoch": ("epochs",),
    "n_epochs": ("epochs",),
    "max_iter": ("epochs",),
    "num_epochs": ("epochs",),
    "batchsize": ("batch_size",),
    "callback": ("callbacks",),
    "sample_weights": ("sample_weight",),
    "class_weights": ("class_weight",),
    "x": ("X",),
    "random_state": ("seed",),
    "random_seed": ("seed",),
    "kernel_initializer": ("initializer",),
    "kernel_regularizer": ("l2",),
    "kernel_constraint": ("max_norm",),
    "bias": ("use_bias",),
    "input_dim": ("input_size", "input_shape"),
    "input_shape": ("input_size",),
    "in_features": ("input_size",),
    "out_features": ("units",),
    "output_dim": ("units",),
    "p": ("rate",),
    "axis": ("axes",),
    "eta": ("learning_rate",),
    "filepath": ("path",),
    "filename": ("path",),
    "log_dir": ("folder",),
    "save_freq": ("every",),
    "schedule": ("function",),
    "metric": ("metrics",),
    "criterion": ("loss",),
    "l2_regularization": ("l2",),
}

#: Advice on a keyword.
KEYWORD_ADVICE: dict[str, str] = {
    "save_best_only": "write save='best'",
    "save_weights_only": "Network.load reads the weights of any checkpoint",
    "validation_steps": "validation data are scored whole",
    "steps_per_epoch": "an epoch is all rows once",
    "from_logits": "losses always take logits",
    "restore_best": "write restore_best_weights=True",
    "device": "fastnn runs on CPUs",
}

#: How to make the object that an argument takes of a function.
WRAPPERS: dict[str, str] = {
    "activation": "fastnn.activation(function, derivative=…)",
    "loss": "fastnn.loss(function, …)",
    "optimizer": "deriving from fastnn.optimizers.Optimizer",
}

_CONVOLUTION = "there are no convolutions yet; Flatten() makes rows of images for Dense layers"
_RECURRENT = "there are no recurrent layers yet; give windows of the sequence as columns"

#: Attributes of the package.
ATTRIBUTES: dict[str, str] = {
    **dict.fromkeys(
        ("Conv1D", "Conv2D", "Conv3D", "MaxPooling2D", "AveragePooling2D"), _CONVOLUTION
    ),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"), _RECURRENT),
    "Sequential": "write Network([Dense(…), …], loss=…)",
    "Model": "write Network([Dense(…), …], loss=…)",
    "Input": "the first fit tells the shape; or Dense(…, input_size=…)",
    "Linear": "write Dense(units)",
    "ReLU": "write Dense(units, 'relu') or Activation('relu')",
    "Softmax": "the loss 'softmax_cross_entropy' applies it; leave the last layer linear",
    "BatchNormalization": "write BatchNorm()",
    "BatchNorm1d": "write BatchNorm()",
    "LayerNormalization": "write LayerNorm()",
    "RMSprop": "write RMSProp()",
    "Nadam": "write NAdam()",
    "ModelCheckpoint": "write Checkpoint(path)",
    "TerminateOnNaN": "write TerminateOnNonFinite()",
    "ReduceLROnPlateau": "it is a schedule, fastnn.schedules.ReduceOnPlateau",
    "CrossEntropyLoss": "write loss='softmax_cross_entropy'",
    "MSELoss": "write loss='mean_squared_error'",
    "load_model": "write Network.load(path)",
}

#: Attributes of a network.
METHODS: dict[str, str] = {
    "compile": "loss, optimizer and metrics are arguments of Network",
    "add": "layers are the first argument of Network",
    "fit_generator": "fit takes arrays, also numpy.memmap and sparse matrices",
    "partial_fit": "a second fit goes on where the first stopped",
    "predict_proba": "predict returns probabilities for a cross-entropy loss",
    "predict_classes": "write predict(X).argmax(axis=1)",
    "score": "evaluate returns loss and metrics",
    "train_step": "write train_on_batch(X, y)",
    "load_weights": "Network.load reads the whole network; set_weights takes arrays",
    "save_weights": "save writes the whole network; get_weights returns arrays",
    "state_dict": "get_weights returns arrays; save writes a file",
    "eval": "predict and evaluate leave dropout out by themselves",
    "count_params": "write n_parameters",
}
