"""Attributes of a network: which can be set, and what the others say."""

import copy
import inspect
import pickle
import re

import numpy as np
import pytest

from fastnn import ArgumentTypeError, Dense, FastnnError, Network
from fastnn.model.attributes import OfModel, SettableOfModel
from fastnn.model.base_network import BaseNetwork

SETTABLE = {"stop_training", "preprocessing", "learning_rate"}
ARGUMENTS = {name for name in inspect.signature(Network).parameters if name != "layers"}


def network(**options):
    return Network([Dense(2, name="only")], loss="huber", seed=3, **options).build(4)


def attributes(kind):
    return {name for name, value in vars(BaseNetwork).items() if isinstance(value, kind)}


READ_ONLY = attributes(OfModel) - SETTABLE


def test_these_attributes_can_be_set():
    properties = {name for name in attributes(property) if vars(BaseNetwork)[name].fset}
    assert attributes(SettableOfModel) | properties == SETTABLE
    assert ARGUMENTS | {"layers", "history", "state", "built"} < READ_ONLY


@pytest.mark.parametrize("name", sorted(READ_ONLY))
@pytest.mark.parametrize("is_built", [True, False])
def test_others_are_refused_and_stay(name, is_built):
    net = network() if is_built else network().clone()
    with pytest.raises(AttributeError, match=f"^{name} of a Network cannot be set: .") as caught:
        setattr(net, name, "anything")
    assert isinstance(caught.value, FastnnError)
    assert (caught.value.name, caught.value.obj) == (name, net)
    if is_built:
        assert not np.array_equal(getattr(net, name), "anything")
    with pytest.raises(AttributeError):
        delattr(net, name)


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_the_advice_for_arguments_is_one_that_works(name):
    net = network()
    with pytest.raises(AttributeError, match=re.escape(f"Network(…, {name}=…)")):
        setattr(net, name, None)
    options = {"loss": "huber", "seed": 1, name: getattr(net, name)}
    other = Network(net.layers, **options).build(4)
    other.set_weights(net.get_weights())
    np.testing.assert_array_equal(other.parameters, net.parameters)


def test_learning_rate_is_named_for_optimizers():
    with pytest.raises(AttributeError, match="learning_rate can be set"):
        network().optimizer = "sgd"
    net = network()
    net.learning_rate = 0.5
    assert net.learning_rate == 0.5


def test_layers_are_named_by_their_own_argument():
    with pytest.raises(AttributeError, match="name=…"):
        network().layer_names = ["other"]


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_stop_training_is_a_boolean(value):
    net = network()
    with pytest.raises(ArgumentTypeError, match="stop_training must be True or False"):
        net.stop_training = value
    assert net.stop_training is False
    net.stop_training = np.float32(1) < 2
    assert net.stop_training is True


def test_preprocessing_is_a_dict_or_none():
    net = network()
    with pytest.raises(ArgumentTypeError, match="preprocessing must be a dict or None, got list"):
        net.preprocessing = [1]
    given = net.preprocessing = {"mean": [1.0]}
    assert net.preprocessing == given
    net.preprocessing = None
    assert net.preprocessing is None


# ------------------------------------------------------------------------------------- subclasses


class WithUnits(Network):
    """Sets an attribute of its own before the constructor of `Network` runs."""

    def __init__(self, units):
        self.units = units
        super().__init__([Dense(units)], loss="huber", seed=0)


def test_a_subclass_may_set_attributes_of_its_own_at_any_time():
    net = WithUnits(3).build(2)
    for twin in (copy.copy(net), copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert type(twin) is WithUnits
        assert twin.units == 3
    assert type(net.clone()) is WithUnits
    net.note = "mine"
    assert copy.copy(net).note == "mine"


@pytest.mark.parametrize("name", sorted(READ_ONLY))
def test_a_subclass_that_takes_a_name_of_ours_is_told(name):
    class Careless(Network):
        def __init__(self):
            setattr(self, name, "mine")
            super().__init__([Dense(1)], loss="huber")

    message = rf"^{name} of a Careless cannot be set: give it to super\(\).__init__\(\), or choose"
    with pytest.raises(AttributeError, match=message):
        Careless()


@pytest.mark.parametrize(
    "use",
    [
        lambda net: net.layers,
        lambda net: net.parameters,
        lambda net: net.learning_rate,
        lambda net: net.predict([[0.0]]),
        lambda net: net.fit([[0.0]], [0.0]),
        lambda net: net.freeze(),
        lambda net: setattr(net, "stop_training", True),
        lambda net: setattr(net, "learning_rate", 1.0),
    ],
)
def test_use_before_the_constructor_is_named(use):
    class Early(Network):
        def __init__(self):
            use(self)

    with pytest.raises(AttributeError, match=r"'Early' object .*: call super\(\).__init__\(\)"):
        Early()
