"""Weights from PyTorch: from a state_dict in memory, or from its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..compiler.architecture import Architecture
from ..errors import ArgumentTypeError, ModelFileError
from ..network import Network
from ..utils import checks
from . import files, safetensors_file, torch_file
from .assignment import assign, built_model
from .flatten_order import Orders, channels_first_orders
from .matching import match
from .report import Conversion
from .source import Source, SourceLayer, natural_key
from .torch_slots import torch_slots

#: The orders of vectors in a network, by the order in which a module flattens images.
ORDERS: dict[str, Callable[[Architecture], dict[str, Orders]]] = {
    "channels_first": channels_first_orders,
    "channels_last": lambda architecture: {},
}
#: Arrays of a module, in the order in which PyTorch registers them.
REGISTERED = ("weight", "bias", "running_mean", "running_var")
#: A count of batches, which no arithmetic needs.
LEFT_OUT = "num_batches_tracked"


def torch_state_dict(
    state_dict_or_file: Any,
    network: Network,
    *,
    names: Mapping[str, str] | None = None,
    flattened: str = "channels_first",
) -> Conversion:
    """Put the weights of a PyTorch module into a network of the same layers.

    Linear layers, convolutions, transposed ones too, BatchNorm, LayerNorm and Embedding are
    converted, within `Residual` and `Parallel` too; a `SeparableConv2D` takes a depthwise
    convolution without bias and one of single cells. Modules are matched in the order in which the
    state_dict has them, in which shapes must agree. Axes are put into fastnn's order, in which
    channels come last; so are the rows of the first Linear behind a `Flatten`.

    Parameters
    ----------
    state_dict_or_file : mapping, torch.nn.Module, str or path-like
        A state_dict, whose values may be arrays; a module, whose state_dict is taken; or a file
        with a state_dict that ``torch.save`` or ``safetensors.torch.save_file`` wrote. Reading it
        needs no PyTorch and executes nothing that stands in it. A checkpoint that holds the
        state_dict as "state_dict", "model_state_dict" or "model" is taken too.
    network : Network
        Built. Hyper-parameters, such as activations and the epsilon of a normalisation, stay its
        own.
    names : dict of str to str, optional
        Modules by layers of the network, for those that are not in the same order:
        ``{"dense_2": "classifier.3", "separableconv2d_1.pointwise": "features.1"}``.
    flattened : {"channels_first", "channels_last"}
        Order in which the module flattens images (channels, height, width) and series (channels,
        time). "channels_last" for modules that permute axes beforehand. A series or matrix that
        reaches `Flatten` without a convolution, pooling or BatchNorm in front is taken as it is.

    Returns
    -------
    Conversion
        Which array came from where.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A layer has no counterpart, other shapes, or could be one of several, as a safetensors file
        does not tell the order of modules; or a value is not finite. The network is unchanged.
    ModelFileError, OSError
        The file is damaged, holds other objects than tensors, or cannot be read.
    NetworkBusyError, NotBuiltError
        The network is being trained by another thread, or is not built.

    Examples
    --------
    >>> import numpy as np
    >>> import fastnn
    >>> from fastnn import Conv2D, Dense, Flatten, Network
    >>> net = Network([Conv2D(2, 3), Flatten(), Dense(1)], loss="huber").build((4, 4, 1))
    >>> rng = np.random.default_rng(0)
    >>> state = {  # as torch.load("model.pt") returns it
    ...     "0.weight": rng.normal(size=(2, 1, 3, 3)),
    ...     "0.bias": np.zeros(2),
    ...     "2.weight": rng.normal(size=(1, 8)),
    ...     "2.bias": np.zeros(1),
    ... }
    >>> print(fastnn.convert.torch_state_dict(state, net))
    array             shape         from      shape
    ──────────────────────────────────────────────────────
    conv2d_1/weights  (3, 3, 1, 2)  0.weight  (2, 1, 3, 3)
    conv2d_1/bias     (2,)          0.bias    (2,)
    dense_1/weights   (8, 1)        2.weight  (1, 8)
    dense_1/bias      (1,)          2.bias    (1,)
    """
    model = built_model(network)
    orders = checks.one_of("flattened", flattened, ORDERS)(model.architecture)
    slots = torch_slots(model.architecture, orders)
    return assign(model, slots, match(slots, _source(state_dict_or_file), names))


def _source(given: Any) -> Source:
    if not files.is_path(given):
        given = given.state_dict() if hasattr(given, "state_dict") else given
        if not isinstance(given, Mapping):
            raise ArgumentTypeError(
                "state_dict_or_file must be a state_dict, a module or the path of a file, got "
                f"{type(given).__name__}"
            )
        return Source("the state_dict", _modules(given))
    title, start = files.title(given), files.first_bytes(given)
    if start.startswith(files.ZIP):
        return Source(title, _modules(torch_file.read(given)))
    if start[8:9] != b"{":
        raise ModelFileError(
            f"{title} is neither a safetensors file nor one that torch.save writes since "
            "PyTorch 1.6; load and save it anew"
        )
    tensors = safetensors_file.read(given)
    in_order = {name: tensors[name] for name in sorted(tensors, key=natural_key)}
    return Source(title, _modules(in_order), ordered=False)


def _modules(state: Mapping[Any, Any]) -> tuple[SourceLayer, ...]:
    """Return the arrays of a state_dict by the modules that hold them, in their order."""
    modules: dict[str, dict[str, np.ndarray]] = {}
    for key, value in state.items():
        if not isinstance(key, str):
            raise ArgumentTypeError(f"the keys of a state_dict are strings, got {key!r}")
        module, _, name = key.rpartition(".")
        if name != LEFT_OUT:
            modules.setdefault(module, {})[name] = _array(key, value)
    return tuple(_layer(module, arrays) for module, arrays in modules.items())


def _layer(module: str, arrays: dict[str, np.ndarray]) -> SourceLayer:
    known = [name for name in REGISTERED if name in arrays]
    names = (*known, *(name for name in arrays if name not in REGISTERED))
    kind = "batchnorm" if "running_mean" in arrays else ""
    return SourceLayer(module, tuple(arrays[name] for name in names), kind, names)


def _array(key: str, value: Any) -> np.ndarray:
    """Return a tensor of PyTorch, or an array, as an array."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().double().numpy()  # of any dtype, bfloat16 included
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise ArgumentTypeError(f"{key!r} must hold numbers, got {type(value).__name__}")
    return array
