"""Layers of a source matched with slots of a network: by name, then by order and shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..errors import ArgumentError, ArgumentTypeError
from ..utils.counting import count
from .slots import Slot
from .source import Source, SourceLayer

ADVICE = "names={…} tells which layer of the network takes which"

Pairs = list[tuple[Slot, SourceLayer]]


def match(slots: Sequence[Slot], source: Source, names: Mapping[str, str] | None) -> Pairs:
    """Return every slot with the layer of the source that fills it.

    Those in `names` first. The others of a source that tells its order are taken in this order;
    else a slot takes the first layer that fits it, in the natural order of names, if all layers
    that fit it differ in nothing but the numbers in their names.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A layer is missing, is left over, has other shapes, or could be one of several.
    """
    given = _given(slots, source, names)
    for slot, layer in given:
        _check_fit(slot, layer, source)
    named = {slot.name for slot, _ in given}
    taken = {layer.name for _, layer in given}
    slots = [slot for slot in slots if slot.name not in named]
    rest = [layer for layer in source.layers if layer.name not in taken]
    return given + (_in_order if source.ordered else _by_shape)(slots, rest, source)


def _given(slots: Sequence[Slot], source: Source, names: Mapping[str, str] | None) -> Pairs:
    """Return the pairs that the user names."""
    if names is None:
        return []
    if not isinstance(names, Mapping):
        raise ArgumentTypeError(f"names must be a dict, got {names!r}")
    by_name = {slot.name: slot for slot in slots}
    layers = {layer.name: layer for layer in source.layers}
    pairs = []
    for name, wanted in names.items():
        if name not in by_name:
            raise ArgumentError(
                f"names has {name!r}, but the layers that take weights are {_listed(by_name)}"
            )
        if wanted not in layers:
            raise ArgumentError(
                f"names has {wanted!r}, but the layers of {source.title} are {_listed(layers)}"
            )
        pairs.append((by_name[name], layers[wanted]))
    if len({layer.name for _, layer in pairs}) < len(pairs):
        raise ArgumentError(f"names gives one layer of {source.title} to several: {dict(names)!r}")
    return pairs


def _in_order(slots: Sequence[Slot], rest: Sequence[SourceLayer], source: Source) -> Pairs:
    pairs = list(zip(slots, rest, strict=False))
    for slot, layer in pairs:
        _check_fit(slot, layer, source)
    _check_rest(slots[len(pairs) :], rest[len(pairs) :], source)
    return pairs


def _by_shape(slots: Sequence[Slot], rest: Sequence[SourceLayer], source: Source) -> Pairs:
    left = list(rest)
    pairs = []
    for slot in slots:
        fitting = [layer for layer in left if slot.fits(layer)]
        if not fitting:
            raise ArgumentError(
                f"layer {slot} of the network fits none of {source.title}: {_listed(left)}"
            )
        if len({layer.pattern for layer in fitting}) > 1:
            raise ArgumentError(
                f"layer {slot} of the network fits several of {source.title}, which does not "
                f"tell their order: {_listed(fitting)}; {ADVICE}"
            )
        pairs.append((slot, fitting[0]))
        left.remove(fitting[0])
    _check_rest([], left, source)
    return pairs


def _check_fit(slot: Slot, layer: SourceLayer, source: Source) -> None:
    if not slot.fits(layer):
        kind = f", a {layer.kind}" if layer.kind not in ("", slot.kind) else ""
        raise ArgumentError(
            f"layer {slot} of the network does not fit {layer}{kind}, of {source.title}; {ADVICE}"
        )


def _check_rest(slots: Sequence[Slot], rest: Sequence[SourceLayer], source: Source) -> None:
    if slots:
        raise ArgumentError(
            f"{source.title} has {count(len(source.layers), 'layer')} with arrays, and none for "
            f"{_listed(slots)} of the network"
        )
    if rest:
        raise ArgumentError(
            f"{source.title} has {count(len(source.layers), 'layer')} with arrays, and the network "
            f"none for {_listed(rest)}"
        )


def _listed(things: Iterable[object]) -> str:
    texts = [repr(one) if isinstance(one, str) else str(one) for one in things]
    return ", ".join(texts) or "none"
