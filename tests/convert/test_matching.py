"""Refusals of conversions: by name, with the shapes that came, and before anything changes."""

import numpy as np
import pytest

import fastnn
from fastnn import BatchNorm, Dense, Flatten, LayerNorm, Network, SeparableConv1D
from fastnn.convert import keras_weights, torch_state_dict


def network(*layers, inputs=3):
    return Network(list(layers), loss="mean_squared_error", seed=0).build(inputs)


def linear(name, outputs, inputs, fill=1.0):
    arrays = {f"{name}.weight": np.full((outputs, inputs), fill), f"{name}.bias": np.zeros(outputs)}
    return {key.removeprefix("."): array for key, array in arrays.items()}


def refuse(net, state, match, error=fastnn.ArgumentError, **options):
    before = net.parameters.copy(), {name: array.copy() for name, array in net.buffers.items()}
    with pytest.raises(error, match=match):
        torch_state_dict(state, net, **options)
    np.testing.assert_array_equal(net.parameters, before[0])
    for name, array in net.buffers.items():
        np.testing.assert_array_equal(array, before[1][name])


def test_other_shapes():
    net = network(Dense(4), Dense(2))
    state = linear("first", 4, 3) | linear("second", 5, 4)
    refuse(
        net,
        state,
        r"layer 'dense_2' \(weight \(2, 4\), bias \(2,\)\) of the network does not fit "
        r"'second' \(weight \(5, 4\), bias \(5,\)\), of the state_dict; names=",
    )


def test_layers_that_are_missing_or_left_over():
    two = linear("first", 4, 3) | linear("second", 2, 4)
    refuse(network(Dense(4)), two, r"the network none for 'second' \(weight \(2, 4\)")
    net = network(Dense(4), Dense(2))
    refuse(net, linear("first", 4, 3), r"1 layer with arrays, and none for 'dense_2' \(weight")


def test_arrays_that_are_missing_or_unknown():
    net = network(Dense(4))
    refuse(net, {"fc.weight": np.ones((4, 3))}, r"does not fit 'fc' \(weight \(4, 3\)\)")
    state = linear("fc", 4, 3) | {"fc.weight_g": np.ones((4, 1))}
    refuse(net, state, r"weight_g \(4, 1\)")
    refuse(network(Dense(4, use_bias=False)), linear("fc", 4, 3), r"bias \(4,\)")


def test_normalisations_are_told_apart_by_their_names():
    statistics = {"norm.running_mean": np.zeros(3), "norm.running_var": np.ones(3)}
    refuse(network(LayerNorm()), statistics, "does not fit 'norm' .running_mean")
    torch_state_dict(statistics, network(BatchNorm(scale=False, center=False)))
    affine = {"norm.weight": np.ones(3), "norm.bias": np.ones(3)}
    refuse(network(BatchNorm(scale=False, center=False)), affine, "does not fit 'norm' .weight")


def test_values_that_cannot_be_held():
    state = linear("fc", 4, 3)
    state["fc.weight"][1, 2] = np.nan
    refuse(network(Dense(4)), state, r"fc.weight\[1, 2\] is nan")
    state["fc.weight"][1, 2] = 1e300
    refuse(network(Dense(4)), state, "float32 cannot hold")
    words = {"fc.weight": np.full((4, 3), "a"), "fc.bias": np.zeros(4)}
    refuse(network(Dense(4)), words, "'fc.weight' must hold numbers", fastnn.ArgumentTypeError)


def test_names_give_what_is_in_another_order():
    state = linear("out", 3, 3, 2.0) | linear("hidden", 3, 3, 1.0)
    net = network(Dense(3), Dense(3))
    report = torch_state_dict(state, net, names={"dense_2": "out"})
    assert [one.origin for one in report.arrays][::2] == ["hidden.weight", "out.weight"]
    np.testing.assert_array_equal(net.get_weights()[2], np.full((3, 3), 2))


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ({"dense_9": "fc"}, "names has 'dense_9', but the layers that take weights are 'dense_1'"),
        ({"dense_1": "gone"}, "names has 'gone', but the layers of the state_dict are 'fc'"),
        ({"dense_1": "fc", "dense_2": "fc"}, "gives one layer of the state_dict to several"),
        ({"dense_2": "fc"}, r"layer 'dense_2' \(weight \(4, 4\)"),
    ],
)
def test_names_that_do_not_fit(names, match):
    refuse(network(Dense(4), Dense(4)), linear("fc", 4, 3), match, names=names)


def test_names_and_parts_of_separable_convolutions():
    net = network(SeparableConv1D(2, 3), Flatten(), inputs=(5, 3))
    state = {"b.weight": np.ones((2, 3, 1)), "b.bias": np.ones(2), "a.weight": np.ones((3, 1, 3))}
    names = {"separableconv1d_1.depthwise": "a", "separableconv1d_1.pointwise": "b"}
    torch_state_dict(state, net, names=names)
    np.testing.assert_array_equal(net.predict(np.ones((1, 5, 3))), np.full((1, 6), 10))


@pytest.mark.parametrize("convert", [keras_weights, torch_state_dict])
def test_arguments_of_other_types(convert):
    with pytest.raises(fastnn.ArgumentTypeError, match="network must be a"):
        convert({}, 3)
    with pytest.raises(fastnn.NotBuiltError):
        convert({}, Network([Dense(1)], loss="huber"))
    with pytest.raises(fastnn.ArgumentTypeError, match="got int"):
        convert(3, network(Dense(1)))


def test_options_of_other_types():
    net = network(Dense(1))
    refuse(net, {}, "names must be a dict", fastnn.ArgumentTypeError, names=[1])
    refuse(net, {}, "unknown flattened 'channel_first'", flattened="channel_first")
    refuse(net, {3: np.ones(3)}, "keys of a state_dict are strings", fastnn.ArgumentTypeError)


def test_layers_without_a_counterpart():
    table = fastnn.TabularInput({0: fastnn.Embedding(4, 2)})
    net = network(table, Dense(1), inputs=3)
    for convert, library in ((keras_weights, "Keras"), (torch_state_dict, "PyTorch")):
        with pytest.raises(
            fastnn.ArgumentError, match=f"a TabularInput, has no counterpart in {library}"
        ):
            convert({}, net)


def test_a_network_in_training_is_busy():
    errors = []

    def convert(net, *_):
        with pytest.raises(fastnn.NetworkBusyError) as caught:
            torch_state_dict(linear("", 1, 3), net)
        errors.append(caught.value)

    net = network(Dense(1))
    callback = fastnn.LambdaCallback(on_epoch_end=convert)
    net.fit(np.ones((4, 3)), np.ones(4), callbacks=[callback], verbose=0)
    assert len(errors) == 1


def test_training_goes_on_from_converted_weights():
    net = network(Dense(1))
    torch_state_dict(linear("", 1, 3, fill=0.5), net)
    X = np.random.default_rng(0).normal(size=(20, 3))
    history = net.fit(X, X.sum(1) / 2, batch_size=None, epochs=1, verbose=0)
    assert history["loss"][0] < 1e-12
