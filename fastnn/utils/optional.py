"""Imports of optional packages, with errors that tell how to install them."""

from __future__ import annotations

import importlib
from types import ModuleType

from ..errors import MissingDependencyError


def installation(extra: str) -> str:
    """Return how to install an extra of fastnn, for messages.

    No release is on the package index yet, where the name "fastnn" is another project's.
    """
    return f'in a clone of fastnn, pip install ".[{extra}]"'


def module(name: str, *, extra: str, need: str) -> ModuleType:
    """Import and return a module of an optional package.

    Parameters
    ----------
    name : str
        Name of the module, such as "matplotlib.pyplot".
    extra : str
        Extra of fastnn that installs the package.
    need : str
        Purpose of the package; the error begins with it.

    Raises
    ------
    MissingDependencyError
        Also an `ImportError`: the package is not installed.
    """
    package = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != package:
            raise
        raise MissingDependencyError(
            f"{need} needs {package}: {installation(extra)}", name=package
        ) from error
