"""A saved network is read back with the same bits and trains on in the same way."""

import copy
import math
import pickle

import numpy as np
import pytest
from round_trips import LABELS, X, assert_same, classifier, round_trip

from fastnn import (
    EMA,
    LBFGS,
    SGD,
    SWA,
    Activation,
    Adagrad,
    Adam,
    AdamW,
    AlphaDropout,
    ArgumentError,
    BatchNorm,
    Callback,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    HalfSquaredError,
    Huber,
    LayerNorm,
    Lion,
    MeanAbsoluteError,
    MeanSquaredError,
    NAdam,
    Network,
    Normalization,
    Poisson,
    Quantile,
    RAdam,
    Rescaling,
    RMSProp,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    TabularInput,
    initializers,
    losses,
    optimizers,
    serialization,
)
from fastnn.layers import Layer
from fastnn.optimizers import averaging

LAYERS = [
    Dense(4, "gelu", use_bias=False, l1=0.25, l2=1e-3, input_size=6),
    Dense(
        4,
        weight_decay=0.5,
        max_norm=2.0,
        trainable=False,
        learning_rate_multiplier=0.1,
        input_size=6,
    ),
    Activation("softplus", input_shape=(6,)),
    BatchNorm(momentum=0.9, trainable=False, input_shape=(6,)),
    LayerNorm(epsilon=1e-5, learning_rate_multiplier=0.5, input_shape=(6,)),
    Dropout(0.3, input_shape=(6,), name="noise"),
    Flatten(input_shape=(2, 3)),
    Rescaling(1 / 255, input_shape=(6,), name="bytes"),
    BatchNorm(momentum=0.9, epsilon=1e-5, scale=False, beta_initializer="ones", input_shape=(6,)),
    LayerNorm(axis=1, center=False, gamma_initializer="normal", input_shape=(6,)),
    GaussianNoise(1 / 3, input_shape=(6,)),
    AlphaDropout(0.1, input_shape=(6,)),
    Normalization((-1,), mean=range(6), variance=[0.1] * 6, input_shape=(6,)),
    Embedding(9, 4, initializer="orthogonal", sparse=True, input_shape=(6,)),
    TabularInput({5: (9, 2), 2: Embedding(9, 3, l2=0.1)}, normalize=False, input_shape=(6,)),
]
LOSSES = [
    SoftmaxCrossEntropy(label_smoothing=0.1),
    SigmoidCrossEntropy(label_smoothing=0.2, reduction="sum"),
    MeanSquaredError(),
    MeanAbsoluteError(),
    Huber(delta=0.7),
    Poisson(reduction="sum"),
    HalfSquaredError(),
    Quantile(q=0.9),
    Quantile(q=(0.1, 0.5, 0.9)),
]
OPTIMIZERS = [
    SGD(0.1),
    SGD(0.05, momentum=0.9, nesterov=True, weight_decay=1e-4),
    Adagrad(0.1, epsilon=1e-9),
    RMSProp(0.01, rho=0.8, epsilon=1e-7),
    RMSProp(0.01, momentum=0.5, centered=True, clipvalue=0.1),
    Lion(0.01, beta1=0.8, beta2=0.9),
    Adam(0.01, beta1=0.8, beta2=0.99, clipnorm=0.1),
    Adam(0.01, amsgrad=True, global_clipnorm=0.1),
    AdamW(0.01, weight_decay=0.1),
    NAdam(0.01, momentum_decay=0.01),
    RAdam(0.01),
    LBFGS(history_size=5, tolerance_grad=0, tolerance_change=0, max_line_search=9),
]
#: A fit of L-BFGS starts with an empty memory: cut in two, it is another one.
STEPWISE = [optimizer for optimizer in OPTIMIZERS if not optimizer.full_batch]
AVERAGES = [EMA(0.9), SWA(start=2, frequency=2)]
INITIALIZERS = [
    initializers.Constant(0.1),
    initializers.Normal(scale=1 / 3),
    initializers.Orthogonal(gain=math.sqrt(2)),
    *(kind() for kind in dict.fromkeys(initializers.INITIALIZERS.values())),
]


def own_classes(family):
    return {
        kind for kind in family._classes.values() if (kind.__module__ or "").startswith("fastnn.")
    }


@pytest.mark.parametrize(
    ("family", "examples"),
    [
        (Layer, LAYERS),
        (losses.Loss, LOSSES),
        (optimizers.Optimizer, OPTIMIZERS),
        (initializers.Initializer, INITIALIZERS),
        (averaging.WeightAverage, AVERAGES),
    ],
)
def test_every_class_is_among_the_examples(family, examples):
    assert {type(example) for example in examples} == own_classes(family)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_every_layer(layer, dtype, path):
    layers = [layer, Flatten(), Dense(3, name="last")]
    network = Network(layers, loss="softmax_cross_entropy", metrics=["f1"], dtype=dtype).build()
    loaded = round_trip(network, path)
    assert_same(loaded, network)
    rows = np.floor(np.abs(X)).reshape(-1, *network.input_shape)  # numbers that embeddings take
    assert np.array_equal(loaded.predict(rows), network.predict(rows))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kernel)
def test_every_loss(loss, path):
    network = Network([Dense(3)], loss=loss).build(6)
    loaded = round_trip(network, path)
    assert_same(loaded, network)
    assert np.array_equal(loaded.predict(X), network.predict(X))


@pytest.mark.parametrize("initializer", INITIALIZERS, ids=repr)
def test_every_initializer(initializer, path):
    layer = Dense(3, initializer=initializer, bias_initializer="constant")
    network = Network([layer], loss="mean_squared_error").build(6)
    assert_same(round_trip(network, path), network)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", STEPWISE, ids=repr)
def test_training_goes_on_bit_for_bit(optimizer, dtype, path):
    options = {"optimizer": optimizer, "dtype": dtype, "metrics": ["precision_per_class"]}
    fit = {"batch_size": 16, "verbose": 0, "validation_fraction": 0.2}
    whole, parts = classifier(**options), classifier(**options)
    whole.fit(X, LABELS, epochs=6, **fit)
    parts.fit(X, LABELS, epochs=3, **fit)
    loaded = round_trip(parts, path, optimizer=True)
    loaded.fit(X, LABELS, epochs=3, **fit)
    parts.fit(X, LABELS, epochs=3, **fit)
    for other in (parts, loaded):
        assert_same(other, whole)
        assert other._model.arena.slots.tobytes() == whole._model.arena.slots.tobytes()
        assert other.state == whole.state
        assert other.history.epoch == whole.history.epoch == [1, 2, 3, 4, 5, 6]
        assert list(other.history) == list(whole.history)
        for name, values in whole.history.items():
            np.testing.assert_array_equal(other.history[name], values)  # NaN equals NaN


@pytest.mark.parametrize("average", AVERAGES, ids=repr)
def test_averages_go_on_bit_for_bit(average, path):
    options = {"weight_average": average, "l1": 1e-4, "l2": 1e-3, "max_norm": 1.5}
    whole, parts = classifier(**options), classifier(**options)
    whole.fit(X, LABELS, epochs=6, verbose=0)
    parts.fit(X, LABELS, epochs=3, verbose=0)
    loaded = round_trip(parts, path, optimizer=True)
    assert {name: getattr(loaded, name) for name in options} == options
    loaded.fit(X, LABELS, epochs=3, verbose=0)
    assert_same(loaded, whole)
    assert loaded._model.arena.slots.tobytes() == whole._model.arena.slots.tobytes()
    with loaded.averaged(), whole.averaged():
        assert_same(loaded, whole)
    fresh = round_trip(whole, path)
    with pytest.raises(ArgumentError, match="there is no average yet"):
        fresh.use_average()


def test_frozen_layers_go_on_bit_for_bit(path):
    """The steps of an unfrozen layer depend on how many it has sat out."""
    whole, parts = classifier(), classifier()
    for network in (whole, parts):
        network.fit(X, LABELS, verbose=0)
        network.freeze("dense_1")
        network.fit(X, LABELS, epochs=2, verbose=0)
    loaded = round_trip(parts, path, optimizer=True)
    for network in (whole, loaded):
        network.unfreeze()
        network.fit(X, LABELS, epochs=2, verbose=0)
    assert_same(loaded, whole)
    assert loaded._model.updates_skipped == whole._model.updates_skipped == {"dense_1": 4}


def test_training_goes_on_from_a_checkpoint_that_a_callback_wrote(path):
    class Checkpoint(Callback):
        def on_epoch_end(self, network, epoch, logs):
            if epoch == 2:
                network.save(path, optimizer=True)

    network = classifier()
    network.fit(X, LABELS, epochs=5, callbacks=[Checkpoint()], verbose=0)
    resumed = Network.load(path)
    resumed.fit(X, LABELS, epochs=3, verbose=0)
    assert_same(resumed, network)
    assert dict(resumed.history) == dict(network.history)


def test_the_learning_rate_of_the_moment_is_part_of_the_state(path):
    network = classifier(optimizer=Adam(0.1)).build(6)
    network.state.learning_rate = 0.1 / 3
    assert round_trip(network, path, optimizer=True).state.learning_rate == 0.1 / 3
    assert round_trip(network, path).state.learning_rate == 0.1


def test_without_optimizer_training_starts_over_from_the_weights(path):
    network = classifier()
    network.fit(X, LABELS, epochs=2, verbose=0)
    loaded, fresh = round_trip(network, path), classifier().build(6)
    fresh.set_weights(network.get_weights())
    assert loaded.state == fresh.state
    assert not loaded.history
    for other in (loaded, fresh):
        other.fit(X, LABELS, epochs=2, verbose=0)
    assert_same(loaded, fresh)


def test_history_keeps_what_json_has_no_number_for(path):
    network = classifier().build(6)
    network.history.append(1, {"loss": math.inf})
    network.history.append(2, {"loss": -math.inf, "val_loss": 0.1})
    network.history.append(3, {"loss": math.nan, "val_loss": 1e-320})
    history = round_trip(network, path, optimizer=True).history
    for name, values in network.history.items():
        np.testing.assert_array_equal(history[name], values)


def test_an_average_may_be_infinite(path):
    network = classifier().build(6)
    network._model.arena.slots[1, 0] = np.inf
    assert round_trip(network, path, optimizer=True)._model.arena.slots[1, 0] == np.inf


def test_a_network_without_parameters(path):
    network = Network([Activation("relu")], loss="mean_squared_error").build(6)
    loaded = round_trip(network, path, optimizer=True)
    assert np.array_equal(loaded.predict(X), network.predict(X))


def test_a_seed_that_was_drawn_is_kept(path):
    network = classifier(seed=None).build(6)
    assert round_trip(network, path).seed == network.seed


class Tuned(Network):
    """A network of the user's, whose constructor takes something else."""

    def __init__(self, units):
        super().__init__([Dense(units, "tanh"), Dense(3)], loss="softmax_cross_entropy", seed=0)


def test_subclasses_are_loaded_copied_and_trained(path):
    net = Tuned(5)
    net.fit(X, LABELS, epochs=2, verbose=0)
    net.save(path, optimizer=True)
    for other in (Tuned.load(path), Network.load(path), copy.deepcopy(net), pickled(net)):
        np.testing.assert_array_equal(other.predict(X), net.predict(X))
        other.fit(X, LABELS, epochs=1, verbose=0)
        assert other.state.epoch == 3
    assert type(copy.copy(net)) is Tuned
    assert type(serialization.load(path)) is type(Tuned.load(path)) is Network
    assert net.state.epoch == 2


def pickled(net):
    return pickle.loads(pickle.dumps(net))
