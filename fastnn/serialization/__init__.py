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

- `container`: description and tensors as bytes, the digest, and the checks on the way back.
- ``fastnn.utils.atomic_write``: writing a file whole or not at all.
- `description`: a network as JSON values, and the checks on the way back.
- `custom_objects`: activations and losses of the user, which a file only names.
- `model`: the two public functions.
- `state`: a network as a dict of arrays and plain values, for pickles of estimators.
- `checkpoint`: the same for a network in the middle of a fit; `fit_entry`, what its file has more.
"""

from __future__ import annotations

from .description import FORMAT_VERSION
from .model import load, save

__all__ = ["FORMAT_VERSION", "load", "save"]
