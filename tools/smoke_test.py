"""Trains an installed fastnn on digits: what every wheel must do, with no compiler in reach.

    python tools/smoke_test.py

Ends with an error unless fastnn is the installed one, its native back end is at work, and both a
network that went through a file and an estimator know the digits.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from sklearn.datasets import load_digits

import fastnn


def main() -> None:
    """Train, save, load and score with the installed package."""
    assert "site-packages" in Path(fastnn.__file__).parts, fastnn.__file__
    assert fastnn.kernels.active_backend() == "native"
    X, y = load_digits(return_X_y=True)
    layers = [fastnn.Dense(64, "relu"), fastnn.Dense(10)]
    net = fastnn.Network(layers, loss="softmax_cross_entropy", metrics=["accuracy"], seed=0)
    net.fit(X / 16, y, epochs=20, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "digits.safetensors"
        net.save(file)
        scores = fastnn.Network.load(file).evaluate(X / 16, y)
    assert scores["accuracy"] > 0.95, scores
    accuracy = fastnn.MLPClassifier(random_state=0).fit(X / 16, y).score(X / 16, y)
    assert accuracy > 0.95, accuracy
    print(f"network {scores['accuracy']:.4f}, estimator {accuracy:.4f}")
    print("compilers on the path:", [name for name in ("cc", "gcc", "clang") if shutil.which(name)])
    fastnn.show_config()


if __name__ == "__main__":
    main()
