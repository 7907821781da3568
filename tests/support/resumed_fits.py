"""Fits of a small problem, for the tests of checkpoints and of what comes after them."""

import numpy as np
from problems import data

from fastnn import Callback

X, Y = data()


def fit(net, epochs, callbacks=(), **options):
    options = {"batch_size": 16, "validation_fraction": 0.25, "verbose": 0} | options
    x, y = options.pop("x", X), options.pop("y", Y)
    return net.fit(x, y, epochs=epochs, callbacks=callbacks, **options)


def assert_same(net, other):
    """All that training has brought about."""
    np.testing.assert_array_equal(net.parameters, other.parameters)
    np.testing.assert_array_equal(net._model.arena.slots, other._model.arena.slots)
    assert net.state == other.state
    assert dict(net.history) == dict(other.history)
    assert net.history.epoch == other.history.epoch
    assert net.learning_rate == other.learning_rate


class Memory(Callback):
    """A callback of the user, with a state of numbers and arrays."""

    def __init__(self):
        self.losses, self.array = [], np.zeros((2, 3), np.int64)

    def on_epoch_end(self, network, epoch, logs):
        self.losses.append(logs["loss"])
        self.array[1] += epoch

    def state_dict(self):
        return {"losses": self.losses, "array": self.array, "empty": np.zeros((0, 2), "f4")}

    def load_state_dict(self, state):
        self.losses, self.array = state["losses"], state["array"].copy()
        assert state["empty"].shape == (0, 2)
