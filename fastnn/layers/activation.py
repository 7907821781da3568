"""An activation as a layer of its own."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from ..activations import named
from ..activations.custom import CustomActivation
from ..activations.named import ACTIVATIONS
from .base import ShapedLayer

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback
    from ..ir.program import Ref

__all__ = ["Activation"]


@dataclass(frozen=True)
class Activation(ShapedLayer):
    """Apply an activation to every element; `Dense` has one built in, which is faster.

    Parameters
    ----------
    activation : str or CustomActivation
        See `Dense`.
    input_shape : tuple of int, optional
        Shape of one row, where it is to be fixed before data is seen.
    name : str, optional

    Examples
    --------
    >>> from fastnn import Activation, Dense, Network
    >>> net = Network([Dense(8), Activation("tanh"), Dense(1)], loss="mean_squared_error")
    """

    keeps_axes = True

    activation: str | CustomActivation
    _: KW_ONLY
    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        named.get("activation", self.activation)
        super().__post_init__()

    def lower(
        self, builder: PlanBuilder, x: Ref, parameters: dict[str, Ref], index: int
    ) -> tuple[Ref, Pullback]:
        if isinstance(self.activation, CustomActivation):
            return self.activation.lower(builder, x)
        y, name = builder.elementwise(x), self.activation
        builder.emit("forward", "activation_fwd", y, x, name)
        z = x if ACTIVATIONS[name].needs_z else None
        return y, builder.pullback_in_place("activation_bwd", lambda dy: (dy, dy, y, z, name))
