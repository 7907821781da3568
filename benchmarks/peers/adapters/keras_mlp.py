"""Keras, on the back end that the environment variable KERAS_BACKEND names."""

from __future__ import annotations

import keras
from keras import layers
from workloads import BETA1, BETA2, EPSILON, Convolutional, Workload

from .keras_convolutions import convolutional_model


def version() -> str:
    return f"{keras.__version__} ({keras.backend.backend()})"


def trainer(workload: Workload, shuffle: bool = True):
    """Train by `fit`, with as many steps in a compiled call as an epoch has."""
    model, (x, y) = _model(workload), workload.data
    model.compile(
        optimizer=keras.optimizers.Adam(workload.learning_rate, BETA1, BETA2, EPSILON),
        loss=_loss_of(workload),
        steps_per_execution=workload.steps,
        jit_compile=True,
    )
    settings = {"batch_size": workload.batch, "epochs": workload.epochs, "shuffle": shuffle}
    return lambda: model.fit(x, y, **settings, verbose=0).history["loss"]


def _model(workload: Workload | Convolutional) -> keras.Model:
    if isinstance(workload, Convolutional):
        return convolutional_model(workload)
    *hidden, outputs = workload.sizes[1:]
    model = keras.Sequential(
        [
            keras.Input(workload.sizes[:1]),
            *(layers.Dense(units, "relu") for units in hidden),
            layers.Dense(outputs),
        ]
    )
    model.set_weights(workload.weights)
    return model


def _loss_of(workload: Workload) -> keras.losses.Loss:
    if workload.regression:
        return keras.losses.MeanSquaredError()
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
