"""A network to save, and what must come back."""

import numpy as np

from fastnn import Dense, Dropout, Network

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6))
LABELS = np.arange(40) % 3


def classifier(**options):
    options = {"loss": "softmax_cross_entropy", "seed": 7, **options}
    return Network([Dense(8, "relu"), Dropout(0.25), Dense(3)], **options)


def round_trip(network, path, **options):
    network.save(path, **options)
    return Network.load(path)


def assert_same(loaded, network):
    """All that the user gave and all that was learnt, bit for bit."""
    for name in ("layers", "layer_names", "loss", "optimizer", "metrics", "seed", "dtype"):
        assert getattr(loaded, name) == getattr(network, name), name
    assert loaded.input_shape == network.input_shape
    assert loaded.parameters.tobytes() == network.parameters.tobytes()
    assert loaded._model.arena.buffers.tobytes() == network._model.arena.buffers.tobytes()
