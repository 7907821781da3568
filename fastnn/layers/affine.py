"""The ops of layers that multiply by weights, add a bias and apply an activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..activations.custom import CustomActivation
from ..activations.named import ACTIVATIONS
from ..ir.program import Ref, gradient_of

if TYPE_CHECKING:
    from ..ir.builder import PlanBuilder, Pullback


def as_rows(ref: Ref) -> Ref:
    """Return an array as rows of its last axis, as products of matrices take it."""
    return ref.as_matrix(ref.shape[-1])


@dataclass(frozen=True)
class AffineOps:
    """A kernel and its gradient: y = activation(x · w + b), for one kind of product.

    Attributes
    ----------
    kernel : str
        Name of the kernels, less the direction: dense, conv or conv_transpose.
    activation : str or CustomActivation
    weight_shape : tuple of int
        The shape in which the kernels take the weights.
    view : callable
        From a layer's array to the shape in which the kernels take it.
    numbers : tuple of int
        What the kernels take behind the activation.
    trainable : bool
    """

    kernel: str
    activation: str | CustomActivation
    weight_shape: tuple[int, ...]
    view: Callable[[Ref], Ref] = as_rows
    numbers: tuple[int, ...] = ()
    trainable: bool = True

    def trained(self, trainable: bool) -> AffineOps:
        """Return the ops with gradients of weights and bias, or without."""
        return replace(self, trainable=trainable)

    def lower(
        self,
        builder: PlanBuilder,
        x: Ref,
        output_shape: tuple[int, ...],
        weights: Ref,
        bias: Ref | None,
    ) -> tuple[Ref, Pullback]:
        """Emit the forward op; return the output and what emits the backward op."""
        if isinstance(self.activation, CustomActivation):
            return self._lower_custom(self.activation, builder, x, output_shape, (weights, bias))
        view, activation = self.view, self.activation
        w = weights.reshaped(self.weight_shape)
        y = builder.activation(output_shape)
        keep_z = builder.training and ACTIVATIONS[activation].needs_z
        z = view(builder.buffer(output_shape)) if keep_z else None
        settings = activation, *self.numbers, z
        builder.emit("forward", f"{self.kernel}_fwd", view(y), view(x), w, bias, *settings)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            dx = builder.gradient(x.shape) if need_dx else None
            learned = (w, bias) if self.trainable else (None, None)
            dw, db = (None if p is None else gradient_of(p) for p in learned)
            gradients = None if dx is None else view(dx), dw, db, view(dy)
            arrays = *gradients, view(y), view(x), w
            builder.emit("backward", f"{self.kernel}_bwd", *arrays, *settings)
            return dx

        return y, pullback

    def _lower_custom(
        self,
        activation: CustomActivation,
        builder: PlanBuilder,
        x: Ref,
        output_shape: tuple[int, ...],
        parameters: tuple[Ref, Ref | None],
    ) -> tuple[Ref, Pullback]:
        """Lower to a linear kernel and the activation after it."""
        linear = replace(self, activation="identity")
        z, linear_pullback = linear.lower(builder, x, output_shape, *parameters)
        y, activation_pullback = activation.lower(builder, z)

        def pullback(dy: Ref, need_dx: bool) -> Ref | None:
            dz = activation_pullback(dy, True)
            assert dz is not None
            return linear_pullback(dz, need_dx)

        return y, pullback
