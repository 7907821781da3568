"""The model file: a network as a safetensors file that any reader of that format opens.

The file holds one tensor per parameter array and per buffer, named as in the network
("dense_1/weights", "batchnorm_1/moving_mean"), and with ``optimizer=True`` one per array of
optimizer state ("optimizer/first_moment/dense_1/weights"). Its metadata have one entry, "fastnn": a
JSON object, the description.

===============  ==================================================================================
format_version   ``FORMAT_VERSION``; other versions are refused by name
fastnn_version   of the program that wrote the file, for information
architecture     layers, their names, loss, optimizer, metrics, seed, dtype, input shape, penalties
                 and limit for all weights, average of the weights
preprocessing    as the user gave it, if there is any
training         with ``optimizer=True``: state of the run, the history, how many updates layers
                 have sat out while frozen, and the state of a `ReduceOnPlateau`
fit              in a checkpoint: how things stand with the fit that wrote it; see `fit_entry`
sha256           of the rest of the description and of all tensors; `container` defines it
===============  ==================================================================================

An activation or a loss of the user stands there as its kind and name, ``{"custom": "activation",
"name": "swish"}``; what it computes is brought by who loads the file.

Other entries of the metadata, which tools may add, are ignored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .model.base import model_of
from .model_file.custom_objects import CustomObject
from .model_file.description import FORMAT_VERSION
from .model_file.model import write
from .network import Network

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["FORMAT_VERSION", "load", "save"]


def save(
    network: Network,
    path: str | PathLike[str],
    *,
    optimizer: bool = False,
    preprocessing: Mapping[str, Any] | None = None,
) -> None:
    """Write a network to a safetensors file, whole or not at all.

    Until the new file is complete and on disk, `path` stays as it was.

    Parameters
    ----------
    network : Network
        Built. It may be in the middle of a fit: saved by a callback at the end of an epoch, it goes
        on from there as if it had never stopped. While another thread trains it, the file is whole
        but may mix parameters from before and after an update.
    path : str or path-like
        Conventionally ``….safetensors``; taken as it is. A symbolic link is followed.
    optimizer : bool
        Whether to save what training needs to go on bit for bit: the optimizer's arrays, the
        numbers of steps and epochs, the current learning rate, and the history. Without it, the
        loaded network predicts the same, and `fit` starts at step 0 from the saved parameters, with
        the learning rate the optimizer was made with and an empty history.
    preprocessing : dict, optional
        How inputs were prepared, in JSON's own types: dicts with string keys, lists, strings,
        finite numbers, booleans and None. By default ``Network.preprocessing``.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        `path` is none; `preprocessing`, or a field of a layer of your own, is not of JSON's types;
        a parameter is NaN or infinite.
    NotBuiltError
        The network has neither been built nor trained.
    OSError
        The file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> from fastnn import Dense, Network
    >>> net = Network([Dense(2)], loss="softmax_cross_entropy", seed=0).build(3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "model.safetensors")
    ...     net.save(path)
    ...     Network.load(path).output_shape
    (2,)
    """
    write(model_of(network), path, optimizer=optimizer, preprocessing=preprocessing)


def load(
    path: str | PathLike[str], custom_objects: Mapping[str, CustomObject] | None = None
) -> Network:
    """Read a network from a file that `save` wrote.

    Nothing in the file is executed: it holds numbers, and names that are looked up in tables. Its
    claims are compared with each other and with its size before memory is taken for its tensors.

    Parameters
    ----------
    path : str or path-like
    custom_objects : dict, optional
        The activations and losses of the user, made by `fastnn.activation` and `fastnn.loss`, and
        the functions of metrics, that the network was saved with, by their names: the file has only
        these.

    Returns
    -------
    Network
        With ``Network.preprocessing`` as saved, or None.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        `path` is none; `custom_objects` holds what the network has no use for, or what cannot be
        one.
    ModelFileError
        The file is truncated, altered, foreign, too large or of another format version, or needs an
        object that `custom_objects` lacks; the message says which.
    OSError
        The file does not exist or cannot be read.

    Examples
    --------
    >>> import os, tempfile
    >>> from fastnn import Dense, Network
    >>> from fastnn.serialization import load, save
    >>> net = Network([Dense(2)], loss="softmax_cross_entropy", seed=0).build(3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(net, os.path.join(folder, "model.safetensors"))
    ...     again = load(os.path.join(folder, "model.safetensors"))
    >>> bool((again.parameters == net.parameters).all())
    True
    """
    return Network.load(path, custom_objects)
