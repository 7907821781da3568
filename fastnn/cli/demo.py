"""``fastnn demo``: train on handwritten digits, and compare with scikit-learn."""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..utils.optional import installation
from .files import check_folder, existing, tell_replaced
from .options import whole
from .streams import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from sklearn.neural_network import MLPClassifier

    from ..network import Network

_HIDDEN = (128, 64)
_BATCH_SIZE = 64
_EPOCHS = 40
_LEARNING_RATE = 1e-3


def add_parser(commands: Any) -> None:
    """Add the parser of ``fastnn demo``."""
    parser = commands.add_parser(
        "demo",
        help="train on handwritten digits, beside scikit-learn",
        description="Train on the 1,797 handwritten digits that come with scikit-learn: check the "
        "gradient, train, test, compare with scikit-learn's MLPClassifier, and write the model and "
        "its learning curves.",
        epilog="example: fastnn demo --out digits",
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--out", default="fastnn-demo", metavar="DIR", help="folder to write to (fastnn-demo)"
    )
    parser.add_argument(
        "--seed", type=whole, default=0, metavar="N", help="of split and weights (0)"
    )


@dataclass(frozen=True)
class Digits:
    """Images of handwritten digits: x (n, 64) float32 in [0, 1], y (n,) the digits."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def run(options: argparse.Namespace) -> None:
    """Check the gradient, train, compare, write."""
    from ..diagnostics.gradient_check import gradient_check
    from .demo_curves import draw_curves

    network = _network(options.seed, metrics=["accuracy"])
    folder = Path(options.out)
    folder.mkdir(parents=True, exist_ok=True)
    check_folder(folder)
    digits = _digits(options.seed)
    say(
        "handwritten digits: 8 × 8 pixels, 10 classes, "
        f"{len(digits.y_train):,} images to train on, {len(digits.y_test)} to test on"
    )

    say("\n1. gradient check: backpropagation against central differences, in float64")
    gradient_check(network, digits.x_train[:16], digits.y_train[:16], n=200)

    sizes = "-".join(map(str, (64, *_HIDDEN, 10)))
    say(f"\n2. training {sizes}, ReLU, Adam, batches of {_BATCH_SIZE}, {_EPOCHS} epochs")
    history = network.fit(
        digits.x_train,
        digits.y_train,
        batch_size=_BATCH_SIZE,
        epochs=_EPOCHS,
        validation_data=(digits.x_test, digits.y_test),
    )
    say(f"   test accuracy {history['val_accuracy'][-1]:.4f}")

    say("\n3. the same training without bar and metrics, one thread each, best of 3")
    say(_comparison(digits, options.seed))

    model, picture = folder / "digits.safetensors", folder / "learning_curves.png"
    replaced = existing([model])
    network.save(model)
    say(f"\nmodel            {model}")
    drawn = draw_curves(history, picture)
    missing = f"not drawn; they need matplotlib: {installation('plot')}"
    tell_replaced(replaced)
    say(f"learning curves  {picture if drawn else missing}")


def _digits(seed: int) -> Digits:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    x, y = load_digits(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        (x / 16).astype("float32"), y, test_size=0.2, random_state=seed % 2**32, stratify=y
    )
    return Digits(x_train, y_train, x_test, y_test)


def _network(seed: int, metrics: Sequence[str] = ()) -> Network:
    from ..layers import Dense
    from ..network import Network
    from ..optimizers import Adam

    return Network(
        [*(Dense(units, "relu") for units in _HIDDEN), Dense(10)],
        loss="softmax_cross_entropy",
        optimizer=Adam(_LEARNING_RATE),
        metrics=metrics,
        seed=seed,
    )


def _scikit_learn(seed: int) -> MLPClassifier:
    """Return an estimator with the same network and training: no penalty, no early stopping."""
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier(
        _HIDDEN,
        alpha=0.0,
        batch_size=_BATCH_SIZE,
        learning_rate_init=_LEARNING_RATE,
        max_iter=_EPOCHS,
        n_iter_no_change=_EPOCHS,
        random_state=seed % 2**32,
    )


def _comparison(digits: Digits, seed: int) -> str:
    """Return a table of seconds and test accuracy of fastnn and scikit-learn."""
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    from ..utils.text import table

    def ours() -> np.ndarray:
        network = _network(seed)
        network.fit(
            digits.x_train, digits.y_train, batch_size=_BATCH_SIZE, epochs=_EPOCHS, verbose=0
        )
        return network.predict(digits.x_test).argmax(axis=1)

    def theirs() -> np.ndarray:
        return _scikit_learn(seed).fit(digits.x_train, digits.y_train).predict(digits.x_test)

    rows: list[tuple[str, ...]] = [("", "seconds", "test accuracy")]
    with threadpool_limits(1), warnings.catch_warnings():
        # scikit-learn warns that all its epochs were used, which is intended here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for name, train in (("fastnn", ours), ("scikit-learn", theirs)):
            seconds, predicted = _best_time(train)
            accuracy = (predicted == digits.y_test).mean()
            rows.append((name, f"{seconds:.3f}", f"{accuracy:.4f}"))
    return table(rows, right=frozenset({1, 2}))


def _best_time(train: Callable[[], np.ndarray], repeats: int = 3) -> tuple[float, np.ndarray]:
    """Return the shortest time of a training in seconds, and its predictions."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        predicted = train()
        seconds.append(time.perf_counter() - start)
    return min(seconds), predicted
