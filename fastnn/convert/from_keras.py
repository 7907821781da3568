"""Weights from Keras: from a model in memory, or from its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..errors import ArgumentTypeError
from ..network import Network
from . import files, keras_file
from .assignment import assign, built_model
from .keras_slots import keras_slots
from .matching import match
from .report import Conversion
from .source import Source, SourceLayer


def keras_weights(
    model_or_file: Any, network: Network, *, names: Mapping[str, str] | None = None
) -> Conversion:
    """Put the weights of a Keras model into a network of the same layers.

    Dense, convolution, depthwise, separable and transposed layers, BatchNorm, LayerNorm, Embedding
    and Normalization are converted, within `Residual` and `Parallel` too; other layers have no
    weights. The layers of both are matched in their order, in which classes and shapes must agree.

    Parameters
    ----------
    model_or_file : keras.Model, str or path-like
        A model; or a file that ``model.save("….keras")``, ``model.save_weights("….weights.h5")`` or
        ``model.save("….h5")`` wrote, which needs h5py, but not Keras.
    network : Network
        Built. Hyper-parameters, such as activations and the epsilon of a normalisation, stay its
        own.
    names : dict of str to str, optional
        Layers of the model by those of the network, for layers that are not in the same order:
        ``{"dense_2": "scores", "residual_1/conv2d_1": "conv2d_7"}``. A layer of a ``.weights.h5``
        file is called by its key there, such as "conv2d_1".

    Returns
    -------
    Conversion
        Which array came from where.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A layer has no counterpart, other shapes, or could be one of several, as a ``.weights.h5``
        file does not tell the order of layers of different classes; or a value is not finite. The
        network is unchanged.
    MissingDependencyError
        A file is given and h5py is not installed.
    ModelFileError, OSError
        The file is damaged, or cannot be read.
    NetworkBusyError, NotBuiltError
        The network is being trained by another thread, or is not built.

    Examples
    --------
    >>> import pathlib, tempfile, h5py, numpy as np
    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(3)], loss="huber").build(2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.weights.h5")
    ...     with h5py.File(path, "w") as file:  # as Keras lays it out
    ...         file["layers/dense/vars/0"] = np.ones((2, 3), "float32")
    ...         file["layers/dense/vars/1"] = np.zeros(3, "float32")
    ...     print(fastnn.convert.keras_weights(path, net))
    array            shape   from          shape
    ─────────────────────────────────────────────
    dense_1/weights  (2, 3)  dense.kernel  (2, 3)
    dense_1/bias     (3,)    dense.bias    (3,)
    >>> net.predict([[1.0, 2.0]])
    array([[3., 3., 3.]], dtype=float32)
    """
    model = built_model(network)
    slots = keras_slots(model.architecture)
    if files.is_path(model_or_file):
        source = keras_file.read(model_or_file)
    else:
        source = _of_model(model_or_file)
    return assign(model, slots, match(slots, source, names))


def _of_model(model: Any) -> Source:
    if not hasattr(model, "layers") or not hasattr(model, "get_weights"):
        raise ArgumentTypeError(
            f"model_or_file must be a Keras model or the path of a file, got {type(model).__name__}"
        )
    return Source("the Keras model", tuple(_layers(model, "")))


def _layers(model: Any, prefix: str) -> Iterator[SourceLayer]:
    """Yield the layers with arrays of a model and, in their places, of those within it."""
    for layer in model.layers:
        name = f"{prefix}{layer.name}"
        if hasattr(layer, "layers"):
            yield from _layers(layer, f"{name}/")
        elif arrays := tuple(map(np.asarray, layer.get_weights())):
            yield SourceLayer(name, arrays, type(layer).__name__.lower())
