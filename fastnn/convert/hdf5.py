"""Groups and arrays of an HDF5 file that need not be trusted: nothing outside of it is opened."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelFileError

#: Types of links, as h5py has them, to a group or dataset within the file.
HARD_LINK = "HardLink"


def group(parent: Any, path: str) -> Any:
    """Return the group at a path below another; None if there is no group."""
    found = _followed(parent, path)
    return found if found is not None and hasattr(found, "keys") else None


def array(parent: Any, path: str) -> np.ndarray:
    """Return the numbers of a dataset; refuse those that are stored elsewhere or not at all."""
    dataset = _followed(parent, path)
    if dataset is None or not hasattr(dataset, "shape"):
        raise ModelFileError(f"it has no dataset {path!r} in {parent.name!r}")
    if dataset.dtype.kind not in "biuf":
        raise ModelFileError(f"its dataset {dataset.name!r} holds {dataset.dtype}, no numbers")
    stored = dataset.id.get_storage_size()
    if dataset.external or dataset.is_virtual or stored != dataset.nbytes:
        raise ModelFileError(
            f"its dataset {dataset.name!r} of shape {dataset.shape} takes {stored} bytes in the "
            f"file, where {dataset.nbytes} are expected"
        )
    return np.asarray(dataset[()])


def text(value: Any) -> str:
    """Return an attribute's string, which may be bytes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def _followed(parent: Any, path: str) -> Any:
    """Return what stands at a path, followed along hard links alone; None if nothing does."""
    for key in path.split("/"):
        if not hasattr(parent, "keys") or key not in parent:
            return None
        if type(parent.get(key, getlink=True)).__name__ != HARD_LINK:
            raise ModelFileError(f"its {key!r} in {parent.name!r} is a link to elsewhere")
        parent = parent[key]
    return parent
