"""Version, back ends, instruction sets and threads of this installation."""

from __future__ import annotations

import importlib.util
import platform
from typing import Any, Literal, overload

from .._version import __version__
from ..errors import FastnnError
from ..utils import checks

MODES = ("stdout", "dict")


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dict"]) -> dict[str, Any]: ...
def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Print version, instruction set, threads, OpenMP and back ends.

    Parameters
    ----------
    mode : {"stdout", "dict"}
        Print the configuration, or return it.

    Returns
    -------
    dict or None
        With mode "dict": ``fastnn``, ``python`` and ``machine`` (str); ``backends``, a dict of back
        ends with "available", or the reason why not; ``native``, a dict with ``isa``, ``isas``
        (those that this machine can be told to use by ``FASTNN_ISA``), ``threads``, ``openmp``
        (name of the runtime, None without) and ``openmp_version``, or None where the native back
        end is not available.

    Raises
    ------
    ArgumentError
        There is no such mode.

    Examples
    --------
    >>> import fastnn
    >>> config = fastnn.show_config(mode="dict")
    >>> config["backends"]["reference"]
    'available'
    """
    if mode not in MODES:
        raise checks.unknown_name("mode", mode, MODES)
    config = _config()
    if mode == "dict":
        return config
    print("\n".join(_lines(config)))
    return None


def _config() -> dict[str, Any]:
    native, native_state = _native()
    numba = importlib.util.find_spec("numba")
    return {
        "fastnn": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "native": native,
        "backends": {
            "native": native_state,
            "numba": "available" if numba else "numba is not installed",
            "reference": "available",
        },
    }


def _native() -> tuple[dict[str, Any] | None, str]:
    try:
        from ..kernels import native
    except (ImportError, FastnnError) as error:
        return None, str(error)
    openmp = native.openmp_version()
    state = {
        "isa": native.isa_name(),
        "isas": native.available_isas(),
        "threads": native.get_num_threads(),
        "openmp": native.openmp_runtime() if openmp else None,
        "openmp_version": openmp,
    }
    return state, "available"


def _lines(config: dict[str, Any]) -> list[str]:
    lines = [
        f"fastnn           {config['fastnn']}",
        f"Python           {config['python']} on {config['machine']}",
    ]
    native = config["native"]
    if native:
        openmp = f"yes ({native['openmp']}, standard of {native['openmp_version']})"
        lines += [
            f"instruction set  {native['isa']} (available: {', '.join(native['isas'])})",
            f"threads          {native['threads']}",
            f"OpenMP           {openmp if native['openmp'] else 'no: native kernels run serially'}",
        ]
    lines += [f"back end         {name}: {state}" for name, state in config["backends"].items()]
    return lines
