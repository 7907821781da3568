"""Networks of many kinds for one data set, and what is left of them after training."""

import numpy as np

import fastnn
from fastnn import BatchNorm, Dense, Dropout, Network

ROWS, FEATURES = 301, 9


def data(seed=0):
    """X, y in three classes, and sample weights."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(ROWS, FEATURES))
    y = np.clip((X[:, 0] + X[:, 1] ** 2).astype(np.int64) + 1, 0, 2)
    return X, y, rng.uniform(0.1, 2, ROWS)


def network(*hidden, seed=0, **options):
    settings = {"loss": "softmax_cross_entropy", "seed": seed} | options
    return Network([*hidden, Dense(3)], **settings)


def networks(count=4, **options):
    return [network(Dense(6 + i, "relu"), seed=i, **options) for i in range(count)]


def diverging():
    return network(Dense(5), dtype="float64", optimizer=fastnn.SGD(1e200), seed=9)


def zoo():
    """One of everything that training has: no two networks are alike."""
    schedules = fastnn.schedules
    plateau = schedules.ReduceOnPlateau(0.05, monitor="loss", patience=0, factor=0.3)
    frozen = network(Dense(12, "tanh", name="still"), Dense(8, "relu"), seed=6, dtype="float64")
    frozen.build(FEATURES)
    frozen.freeze("still")
    return [
        network(Dense(8, "relu"), metrics=["accuracy"]),
        network(
            Dense(17, "gelu", l2=1e-3),
            Dropout(0.3),
            seed=1,
            dtype="float64",
            optimizer=fastnn.SGD(schedules.CosineDecay(0.1, 200), momentum=0.9),
        ),
        network(
            Dense(33, "tanh"),
            BatchNorm(),
            Dropout(0.1),
            seed=2,
            optimizer=fastnn.RMSProp(1e-3),
            weight_average=fastnn.EMA(0.9),
        ),
        network(
            BatchNorm(),
            Dense(5, "relu", max_norm=1.0),
            seed=3,
            dtype="float64",
            optimizer=fastnn.SGD(plateau),
            weight_average=fastnn.SWA(2),
            metrics=["f1"],
        ),
        network(
            fastnn.Normalization(),
            fastnn.GaussianNoise(0.1),
            Dense(64, "relu"),
            seed=4,
            optimizer=fastnn.AdamW(1e-3, weight_decay=0.01),
        ),
        network(Dense(20, "silu"), seed=5, optimizer="lbfgs", dtype="float64"),
        frozen,
        network(Dense(130, "relu"), Dense(70, "relu"), seed=7, optimizer="nadam"),
    ]


BATCH_SIZES = [32, 7, None, 64, 100, 32, 33, 300]
EPOCHS = [3, 4, 9, 2, 6, 5, 1, 7]


def folds(seed=1):
    """For each network of the zoo its own rows to learn from and to be validated on."""
    rng = np.random.default_rng(seed)
    orders = [rng.permutation(ROWS) for _ in EPOCHS]
    return [(order[: 200 + i], order[230:]) for i, order in enumerate(orders)]


def contents(net):
    """Everything that training changes, as something to compare."""
    arena, state = net._model.arena, net.state
    slots = arena.slots.tobytes() if arena.has_slots else b""
    reported = {name: repr(values) for name, values in net.history.items()}
    numbers = state.step, state.epoch, repr(net._model.learning_rates.next_rates(state, 3))
    return arena.parameters.tobytes(), slots, arena.buffers.tobytes(), reported, numbers
