"""Random networks with data and arguments of `fit` that suit them: one case for each seed.

python tests/support/random_networks.py SEED    # shows the case of a seed
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from custom_functions import CUBIC
from random_arguments import Draw, optimizer, weight_average

from fastnn import (
    LBFGS,
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    EarlyStopping,
    Embedding,
    Flatten,
    GaussianNoise,
    Huber,
    LayerNorm,
    LearningRateScheduler,
    Network,
    Normalization,
    Poisson,
    Quantile,
    Rescaling,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    TabularInput,
)
from fastnn.activations.named import ACTIVATIONS
from fastnn.augmentation import GaussianJitter, ImageAugmentation, Mixup
from fastnn.schedules import Schedule

FORMS = ("numbers", "integers", "image", "codes", "table")
#: Codes of categorical columns lie below this.
CATEGORIES = 5


@dataclass(frozen=True)
class Case:
    """A network, its data and how it is trained; the same seed gives the same case.

    Attributes
    ----------
    form : str
        What X holds: one of `FORMS`.
    shape : tuple of int
        Of one row of X.
    layers, settings : list of Layer, dict
        Arguments of `Network`.
    fit : dict
        Arguments of `Network.fit` but for data, weights and callbacks.
    weighting : str
        Which sample weights there are.
    """

    seed: int
    form: str
    shape: tuple[int, ...]
    rows: int
    x_dtype: str
    layers: list[Any]
    settings: dict[str, Any]
    outputs: int
    labels: bool
    fit: dict[str, Any]
    weighting: str
    callbacks: list[str] = field(default_factory=list)

    def network(self, **changes: Any) -> Network:
        return Network(self.layers, **self.settings | changes)

    @property
    def custom_objects(self) -> dict[str, Any]:
        """Return what `Network.load` needs for a file of the network."""
        used = any(getattr(layer, "activation", None) is CUBIC for layer in self.layers)
        return {"clipped_cubic": CUBIC} if used else {}

    @cached_property
    def x(self) -> np.ndarray:
        """Shape (rows, …); categorical columns come first."""
        rng, shape = np.random.default_rng([self.seed, 1]), (self.rows, *self.shape)
        if self.form == "codes":
            return rng.integers(0, CATEGORIES, shape).astype(self.x_dtype)
        if self.form == "integers":
            return rng.integers(0, 100, shape).astype(self.x_dtype)
        if self.form == "image":
            return rng.uniform(0, 1, shape).astype(self.x_dtype)
        X = rng.normal(rng.choice([0.0, 3.0, 100.0]), 1.0, shape)
        if self.form == "table":
            X[:, :2] = rng.integers(0, CATEGORIES, (self.rows, 2))
        return X.astype(self.x_dtype)

    @cached_property
    def y(self) -> np.ndarray:
        """Targets that suit the loss."""
        rng, shape = np.random.default_rng([self.seed, 2]), (self.rows, self.outputs)
        loss = self.settings["loss"]
        if isinstance(loss, SoftmaxCrossEntropy):
            labels = rng.integers(0, self.outputs, self.rows)
            return labels if self.labels else rng.dirichlet(np.ones(self.outputs), self.rows)
        if isinstance(loss, SigmoidCrossEntropy):
            return rng.integers(0, 2, shape) if self.labels else rng.uniform(size=shape)
        return rng.poisson(2.0, shape) if isinstance(loss, Poisson) else rng.normal(size=shape)

    @cached_property
    def sample_weight(self) -> np.ndarray | None:
        """None, or not negative: random, zero for some rows, or for all rows of some batches."""
        rng = np.random.default_rng([self.seed, 3])
        if self.weighting == "none":
            return None
        weight = rng.uniform(0.5, 2.0, self.rows)
        if self.weighting == "some zero":
            weight[rng.uniform(size=self.rows) < 0.3] = 0
        if self.weighting == "most zero":  # so that whole batches weigh nothing
            weight[rng.uniform(size=self.rows) < 0.9] = 0
        weight[-1] = 1.0
        return weight

    def new_callbacks(self) -> list[Any]:
        makers: dict[str, Callable[[], Any]] = {
            "early stopping": lambda: EarlyStopping(
                monitor="loss", patience=1, restore_best_weights=True
            ),
            "rates": lambda: LearningRateScheduler(_halved),
        }
        return [makers[name]() for name in self.callbacks]

    def trained(self, net: Network | None = None, **changes: Any) -> Network:
        """Train a network of the case, new by default, and return it."""
        net = self.network() if net is None else net
        arguments = {"sample_weight": self.sample_weight, "callbacks": self.new_callbacks()}
        net.fit(self.x, self.y, verbose=0, **self.fit | arguments | changes)
        return net


def _halved(epoch: int, learning_rate: float) -> float:
    return learning_rate / 2


def draw_case(seed: int) -> Case:
    """Return the case of a seed."""
    draw = Draw(np.random.default_rng([seed, 0]))
    form = draw.one_of(FORMS)
    rows = draw.integer(2, 40)
    shape = _shape(draw, form)
    loss, outputs = _loss(draw)
    first = _input_layers(draw, form, shape)
    hidden = [layer for _ in range(draw.integer(0, 5)) for layer in _hidden(draw)]
    labels = draw.chance(0.6)
    dtype = draw.one_of(["float32", "float64"])
    settings = {
        "loss": loss,
        "optimizer": optimizer(draw),
        "seed": draw.integer(0, 10_000),
        "dtype": dtype,
        "l1": draw.rarely(lambda: draw.log(1e-4, 1e-1), 0.0),
        "l2": draw.rarely(lambda: draw.log(1e-4, 1e-1), 0.0),
        "max_norm": draw.rarely(lambda: draw.log(0.3, 3.0), None),
        "penalty_scale": draw.one_of(["mean", "sum"]),
        "weight_average": draw.rarely(lambda: weight_average(draw), None),
    }
    fit: dict[str, Any] = {
        "batch_size": draw.one_of([1, 2, 3, 5, 8, 16, 64, None]),
        "epochs": draw.integer(1, 3),
        "shuffle": draw.chance(0.7),
        "augmentation": draw.rarely(lambda: _augmentation(draw, form), None),
    }
    weighting = draw.one_of(["none", "none", "random", "some zero", "most zero"])
    if draw.chance(0.2) and rows >= 6 and "zero" not in weighting:
        fit["validation_fraction"] = 0.3
    if isinstance(loss, SoftmaxCrossEntropy) and labels and draw.chance(0.2):
        fit["class_weight"] = "balanced"
    layers = [*first, *hidden, Dense(outputs, use_bias=draw.chance(0.8))]
    if isinstance(settings["optimizer"], LBFGS):
        layers = [_without_steps(layer) for layer in layers]
        settings |= {"max_norm": None, "weight_average": None}
        fit |= {"batch_size": None, "augmentation": None}
    scheduled = isinstance(settings["optimizer"].learning_rate, Schedule)
    callbacks = ["early stopping"] if draw.chance(0.15) else []
    if draw.chance(0.15) and not scheduled and not isinstance(settings["optimizer"], LBFGS):
        callbacks.append("rates")
    return Case(
        seed=seed,
        form=form,
        shape=shape,
        rows=rows,
        x_dtype=_x_dtype(draw, form),
        layers=layers,
        settings=settings,
        outputs=outputs,
        labels=labels,
        fit=fit,
        weighting=weighting,
        callbacks=callbacks,
    )


def _without_steps(layer: Any) -> Any:
    """The layer less what only steps of gradient descent can do."""
    names = {field.name for field in dataclasses.fields(layer)}
    plain = {"max_norm": None, "weight_decay": None, "learning_rate_multiplier": 1.0}
    return dataclasses.replace(layer, **{k: v for k, v in plain.items() if k in names})


def _shape(draw: Draw, form: str) -> tuple[int, ...]:
    if form == "image":
        return draw.integer(1, 6), draw.integer(1, 6), draw.integer(1, 3)
    return (draw.integer(3, 70 if draw.chance(0.1) else 12),)


def _x_dtype(draw: Draw, form: str) -> str:
    if form == "integers":
        return draw.one_of(["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"])
    return draw.one_of(["i1", "u4", "i8", "f8"] if form == "codes" else ["f4", "f8"])


def _loss(draw: Draw) -> tuple[Any, int]:
    """A loss, and how many outputs there are."""
    outputs = draw.integer(1, 4)
    smoothing, reduction = draw.one_of([0.0, 0.1]), draw.one_of(["mean", "sum"])
    losses: Sequence[Any] = (
        SoftmaxCrossEntropy(label_smoothing=smoothing),
        SigmoidCrossEntropy(label_smoothing=smoothing, reduction=reduction),
        Huber(delta=draw.log(0.1, 2.0)),
        Poisson(reduction=reduction),
        Quantile(tuple(draw.rng.uniform(0.1, 0.9, outputs).tolist())),
        Quantile(0.3),
        "mean_squared_error",
        "mean_absolute_error",
    )
    loss = draw.one_of(losses)
    return loss, max(outputs, 2) if isinstance(loss, SoftmaxCrossEntropy) else outputs


def _input_layers(draw: Draw, form: str, shape: tuple[int, ...]) -> list[Any]:
    """Return layers that bring X to rows of numbers that are not too large."""
    sparse = draw.chance(0.5)
    if form == "codes":
        return [
            Embedding(CATEGORIES, draw.integer(1, 4), sparse=sparse),
            *_channels(draw),
            Flatten(),
        ]
    if form == "table":
        tables = {0: Embedding(CATEGORIES, draw.integer(1, 3), sparse=sparse), 1: (CATEGORIES, 2)}
        return [TabularInput(tables, normalize=True)]
    if form == "integers":
        return [Rescaling(0.01), *draw.rarely(lambda: [Normalization()], [])]
    if form == "image":
        axis = draw.one_of([-1, None, (1, 2, 3)])
        return [*draw.rarely(lambda: [Normalization(axis)], []), *_channels(draw), Flatten()]
    return [draw.one_of([Normalization(), BatchNorm(), LayerNorm()])]


def _channels(draw: Draw) -> list[Any]:
    """A layer that may stand before the rows are flat."""
    return draw.rarely(lambda: [draw.one_of([BatchNorm(), LayerNorm(), Activation("tanh")])], [])


def _hidden(draw: Draw) -> list[Any]:
    """A layer, or a dense one and its dropout."""
    norms = {
        "epsilon": draw.log(1e-5, 1e-1),
        "center": draw.chance(0.8),
        "scale": draw.chance(0.8),
        "trainable": draw.chance(0.9),
    }
    if draw.chance(0.15):
        return [_dense(draw), Dropout(draw.one_of([0.1, 0.5]))]
    makers: Sequence[Callable[[], Any]] = (
        lambda: _dense(draw),
        lambda: _dense(draw),
        lambda: Activation(_activation(draw)),
        lambda: Dropout(draw.one_of([0.0, 0.1, 0.5])),
        lambda: AlphaDropout(draw.one_of([0.0, 0.2])),
        lambda: GaussianNoise(draw.one_of([0.0, 0.1])),
        lambda: BatchNorm(momentum=draw.one_of([0.0, 0.9]), **norms),
        lambda: LayerNorm(**norms),
    )
    return [draw.one_of(makers)()]


def _activation(draw: Draw) -> Any:
    tame = [name for name in ACTIVATIONS if name != "exp"]
    return CUBIC if draw.chance(0.04) else "exp" if draw.chance(0.03) else draw.one_of(tame)


def _dense(draw: Draw) -> Dense:
    options = {
        "l1": draw.rarely(lambda: draw.log(1e-4, 1e-1), None),
        "l2": draw.rarely(lambda: draw.log(1e-4, 1e-1), None),
        "max_norm": draw.rarely(lambda: draw.log(0.3, 3.0), None),
        "trainable": draw.chance(0.9),
        "learning_rate_multiplier": draw.one_of([1.0, 1.0, 0.3]),
        "use_bias": draw.chance(0.8),
    }
    if draw.chance(0.1) and options["l2"] is None:
        options["weight_decay"] = 0.02
    units = draw.integer(60, 140) if draw.chance(0.08) else draw.integer(1, 12)
    initializer = draw.one_of(["auto", "auto", "orthogonal", "normal", "he_uniform"])
    return Dense(units, _activation(draw), initializer=initializer, **options)


def _augmentation(draw: Draw, form: str) -> Any:
    if form in ("codes", "table"):
        return None
    if form == "image" and draw.chance(0.5):
        return ImageAugmentation(rotation=10.0, horizontal_flip=True, brightness=0.1)
    return draw.one_of([GaussianJitter(0.1), Mixup(0.4), [GaussianJitter(0.05), Mixup(1.0)]])


if __name__ == "__main__":
    print(draw_case(int(sys.argv[1])))
