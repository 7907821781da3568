"""Scaling of a regressor's targets to mean 0 and standard deviation 1 for training."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..errors import ArgumentError
from ..losses import Loss
from ..network import Network


class TargetScaling:
    """Scale the targets of each output to mean 0 and standard deviation 1.

    Parameters
    ----------
    target : ndarray of shape (n, outputs)
    weight : ndarray of shape (n,), or None
        Weights of the rows.

    Attributes
    ----------
    mean, scale : ndarray of float64, shape (outputs,)
        A constant target has scale 1.
    """

    def __init__(self, target: np.ndarray, weight: np.ndarray | None):
        target = target.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            self.mean = np.average(target, axis=0, weights=weight)
            deviation = np.sqrt(np.average((target - self.mean) ** 2, axis=0, weights=weight))
        if not np.isfinite(deviation).all():
            raise ArgumentError("scale_target=True: the variance of y is beyond float64")
        # Smaller deviations are rounding errors of the mean.
        rounding = 10 * np.finfo(np.float64).eps * np.abs(self.mean)
        self.scale = np.where(deviation > rounding, deviation, 1.0)

    def to_units(self, target: np.ndarray) -> np.ndarray:
        """Return targets (n, outputs) scaled for the network, float64."""
        return (target - self.mean) / self.scale

    def from_units(self, outputs: np.ndarray) -> np.ndarray:
        """Return predictions (…, outputs) in the units of the targets, float64."""
        return outputs * self.scale + self.mean

    def in_last_layer(self, network: Network) -> Network:
        """Return a copy of a network whose last layer predicts in the units of the targets."""
        network = copy.deepcopy(network)
        *before, weights, bias = network.get_weights()
        network.set_weights([*before, weights * self.scale, bias * self.scale + self.mean])
        return network

    def state(self) -> dict[str, Any]:
        """Return mean and scale as arrays."""
        return {"mean": self.mean, "scale": self.scale}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> TargetScaling:
        """Return the scaling described by what `state` returned."""
        scaling = cls.__new__(cls)
        scaling.mean, scaling.scale = np.array(state["mean"]), np.array(state["scale"])
        return scaling


def check_loss(loss: Loss) -> None:
    """Raise `ArgumentError` for a loss with a link, whose predictions are not in units of y."""
    if loss.link is not None:
        raise ArgumentError(
            f"scale_target=True is for losses without a link, but {loss.title!r} predicts the "
            f"{loss.link} of the outputs: scale y by a number instead"
        )
