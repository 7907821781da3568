"""Model files and checkpoints: a `Model` as bytes and back, without its public face.

`fastnn.serialization` has the format and the public functions.

- `container`: description and tensors as bytes, the digest, and the checks on the way back.
- ``fastnn.utils.atomic_write``: writing a file whole or not at all.
- `description`: a model as JSON values, and the checks on the way back.
- `custom_objects`: activations and losses of the user, which a file only names.
- `model`: a model written whole, and read.
- `state`: a model as a dict of arrays and plain values, for pickles of estimators.
- `checkpoint`: the same for a model in the middle of a fit; `fit_entry`, what its file has more.
"""
