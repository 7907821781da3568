"""The model file: a network as a safetensors file that any reader of that format opens.

The file holds one tensor per parameter array, named as in the network ("dense_1/weights"), and with
``optimizer=True`` one per array of optimizer state ("optimizer/first_moment/dense_1/weights"). Its
metadata are strings:

===============  ==================================================================================
format           "fastnn"
format_version   `FORMAT_VERSION`; other versions are refused by name
fastnn_version   of the program that wrote the file, for information
architecture     JSON: layers, their names, loss, optimizer, metrics, seed, dtype, input shape
preprocessing    JSON, if there is any
training         JSON, with ``optimizer=True``: state of the run, and the history
sha256           of everything else in the file
===============  ==================================================================================

- `container`: the bytes of the format, in one canonical form, and the digest.
- `atomic`: writing a file whole or not at all.
- `description`: a network as strings, and the checks on the way back.
- `model`: the two public functions.
"""

from __future__ import annotations

from .description import FORMAT_VERSION
from .model import load, save

__all__ = ["FORMAT_VERSION", "load", "save"]
