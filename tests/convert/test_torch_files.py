"""Files of PyTorch: read without it, and without executing what stands in them."""

import os
import pickle
import sys
import zipfile

import numpy as np
import pytest
import safetensors.numpy
import torch_archives

import fastnn
from fastnn import Conv2D, Dense, Flatten, Network
from fastnn.convert import safetensors_file, torch_state_dict

rng = np.random.default_rng(0)
STATE = {
    "conv.weight": rng.normal(size=(4, 2, 3, 3)).astype(np.float32),
    "conv.bias": rng.normal(size=4).astype(np.float32),
    "fc.weight": rng.normal(size=(3, 4 * 2 * 2)).astype(np.float32),
    "fc.bias": rng.normal(size=3).astype(np.float32),
}


def network():
    layers = [Conv2D(4, 3, "relu"), Flatten(), Dense(3)]
    return Network(layers, loss="mean_squared_error", seed=0).build((4, 4, 2))


def weights_of(source, **options):
    net = network()
    torch_state_dict(source, net, **options)
    return net.parameters.copy()


@pytest.mark.parametrize("byteorder", ["little", "big"])
@pytest.mark.parametrize("dtype", ["f4", "f8", "f2"])
def test_files_of_torch_save_equal_their_state(tmp_path, monkeypatch, dtype, byteorder):
    monkeypatch.setitem(sys.modules, "torch", None)  # whose import fails
    state = {name: array.astype(dtype) for name, array in STATE.items()}
    order = "<" if byteorder == "little" else ">"
    stored = {str(i): a.astype(order + dtype).tobytes() for i, a in enumerate(state.values())}
    path = tmp_path / "model.pt"
    torch_archives.write(path, torch_archives.state_dict(state), stored, byteorder=byteorder)
    np.testing.assert_array_equal(weights_of(path), weights_of(state))


def bfloat16(array):
    """Return the upper halves of float32 numbers, and the numbers without their lower ones."""
    halves = (array.view(np.uint32) >> 16).astype("<u2")
    return halves, (halves.astype(np.uint32) << 16).view(np.float32)


def test_bfloat16(tmp_path):
    halves = {name: bfloat16(array)[0] for name, array in STATE.items()}
    expected = weights_of({name: bfloat16(array)[1] for name, array in STATE.items()})
    items = [
        torch_archives.value(name) + torch_archives.tensor(str(i), array, "BFloat16Storage")
        for i, (name, array) in enumerate(halves.items())
    ]
    stored = {str(i): array.tobytes() for i, array in enumerate(halves.values())}
    torch_archives.write(tmp_path / "model.pt", b"}(" + b"".join(items) + b"u", stored)
    np.testing.assert_array_equal(weights_of(tmp_path / "model.pt"), expected)
    entries = {"dtype": "BF16", "shape": [2, 2], "data": halves["conv.bias"].tobytes()}
    numbers = safetensors_file._array("bias", entries)
    np.testing.assert_array_equal(numbers.ravel(), bfloat16(STATE["conv.bias"])[1])


def test_tensors_that_are_views(tmp_path):
    """Such as a transposed one: strides are the tensor's, numbers the storage's."""
    state = STATE | {"fc.weight": np.asfortranarray(STATE["fc.weight"])}
    stored = {str(i): array.tobytes("A") for i, array in enumerate(state.values())}
    path = tmp_path / "model.pt"
    torch_archives.write(path, torch_archives.state_dict(state), stored)
    np.testing.assert_array_equal(weights_of(path), weights_of(STATE))


def test_checkpoints_and_parameters(tmp_path):
    entry = torch_archives.value("model_state_dict") + torch_archives.state_dict(STATE)
    other = torch_archives.value("epoch") + torch_archives.value(3)
    stored = {str(i): array.tobytes() for i, array in enumerate(STATE.values())}
    path = tmp_path / "model.pt"
    torch_archives.write(path, b"}(" + entry + other + b"u", stored)
    np.testing.assert_array_equal(weights_of(path), weights_of(STATE))
    parameter = b"ctorch._utils\n_rebuild_parameter\n("
    items = [
        torch_archives.value(name) + parameter + torch_archives.tensor(str(i), array) + b"\x89}tR"
        for i, (name, array) in enumerate(STATE.items())
    ]
    torch_archives.write(path, b"}(" + b"".join(items) + b"u", stored)
    np.testing.assert_array_equal(weights_of(path), weights_of(STATE))


def refuse(path, match):
    net = network()
    before = net.parameters.copy()
    with pytest.raises(fastnn.ModelFileError, match=match) as caught:
        torch_state_dict(path, net)
    assert "model.pt" in str(caught.value)
    np.testing.assert_array_equal(net.parameters, before)


@pytest.mark.parametrize(
    "name", ["os.system", "builtins.eval", "torch.nn.modules.linear.Linear", "numpy.load"]
)
def test_pickles_cannot_name_anything_else(tmp_path, name):
    module, _, function = name.rpartition(".")
    marker = tmp_path / "executed"
    call = f"c{module}\n{function}\n(".encode() + torch_archives.value(f"touch {marker}") + b"tR"
    path = tmp_path / "model.pt"
    torch_archives.write(path, call, {})
    refuse(path, f"it holds {name}, but only tensors are read")
    assert not marker.exists()


class Executed:
    """An object whose pickle makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_other_programs_are_not_executed(tmp_path, protocol):
    folder, path = tmp_path / "executed", tmp_path / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps(Executed(str(folder)), protocol))
    refuse(path, "mkdir, but only tensors are read")
    assert not folder.exists()


@pytest.mark.parametrize(
    ("opcodes", "match"),
    [
        (torch_archives.value([1, 2]), "it holds a list, no state_dict"),
        (torch_archives.value({"epoch": 3}), r"it holds a dict with the keys \['epoch'\]"),
        (b"(", "is damaged"),
        (b"ccollections\nOrderedDict\n(" + torch_archives.value(3) + b"tR", "is damaged"),
        (torch_archives.value(("module", 1, 2, 3, 4)) + b"Q", "no storage"),
        (torch_archives.value("storage") + b"Q", "is damaged"),
    ],
)
def test_pickles_of_other_things(tmp_path, opcodes, match):
    torch_archives.write(tmp_path / "model.pt", opcodes, {})
    refuse(tmp_path / "model.pt", match)


@pytest.mark.parametrize(
    ("size", "offset", "shape", "strides", "match"),
    [
        (4, 0, (5,), (1,), "larger than its storage"),
        (4, 1, (4,), (1,), "reaches beyond"),
        (4, 0, (2, 2), (3, 1), "reaches beyond"),
        (4, 0, (1 << 40,), (0,), "larger than its storage"),
        (4, 3, (2,), (-1,), "with strides"),
        (4, -1, (1,), (1,), "of shape"),
        (5, 0, (4,), (1,), "has 4 numbers, not 5"),
        (4, 0, (4,), (1, 1), "without a storage"),
    ],
)
def test_tensors_beyond_their_storages(tmp_path, size, offset, shape, strides, match):
    value = torch_archives.value
    storage = b"(" + value("storage") + b"ctorch\nFloatStorage\n" + value("0") + value("cpu")
    storage += value(size) + b"tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage
    tensor += value(offset) + value(shape) + value(strides) + b"tR"
    path = tmp_path / "model.pt"
    torch_archives.write(path, b"}" + value("w") + tensor + b"s", {"0": bytes(16)})
    refuse(path, match)


def test_storages_that_are_missing_or_compressed(tmp_path):
    path = tmp_path / "model.pt"
    torch_archives.write(path, torch_archives.state_dict(STATE), {})
    refuse(path, "it has no member 'archive/data/0'")
    torch_archives.save(path, STATE, compression=zipfile.ZIP_DEFLATED)
    refuse(path, "is compressed, which these files are not")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", "no model")
    refuse(path, "it has no data.pkl")


def test_files_that_were_cut_off_or_are_none(tmp_path):
    path = tmp_path / "model.pt"
    torch_archives.save(path, STATE)
    content = path.read_bytes()
    for end in range(0, len(content), 97):
        path.write_bytes(content[:end])
        refuse(path, "model.pt")
    path.write_bytes(pickle.dumps(STATE))
    refuse(path, "neither a safetensors file nor one that torch.save writes")
    with pytest.raises(FileNotFoundError):
        torch_state_dict(tmp_path / "missing.pt", network())


# ------------------------------------------------------------------------------------- safetensors


def test_safetensors_files_equal_their_state(tmp_path):
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(STATE, path)
    np.testing.assert_array_equal(weights_of(path), weights_of(STATE))
    np.testing.assert_array_equal(weights_of(str(path)), weights_of(STATE))


def test_modules_of_safetensors_files_are_in_the_order_of_their_numbers(tmp_path):
    """The file has them in that of their names: 0, 10, 2."""
    layers = [Dense(3) for _ in range(12)]
    net = Network(layers, loss="mean_squared_error").build(3)
    state = {}
    for index in range(12):
        state[f"{index}.weight"] = np.full((3, 3), index, np.float32)
        state[f"{index}.bias"] = np.full(3, index, np.float32)
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(state, path)
    torch_state_dict(path, net)
    assert [array.max() for array in net.get_weights()[1::2]] == list(range(12))


def test_modules_that_could_be_either_have_to_be_named(tmp_path):
    state = {"first.weight": np.ones((3, 3)), "second.weight": np.ones((3, 3)) * 2}
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(state, path)
    layers = [Dense(3, use_bias=False), Dense(3, use_bias=False)]
    net = Network(layers, loss="mean_squared_error").build(3)
    with pytest.raises(fastnn.ArgumentError, match=r"fits several of 'model.safetensors'.*'first'"):
        torch_state_dict(path, net)
    torch_state_dict(path, net, names={"dense_1": "second"})
    assert [array.max() for array in net.get_weights()] == [2, 1]
    other = Network([Dense(5)], loss="mean_squared_error").build(3)
    with pytest.raises(fastnn.ArgumentError, match=r"'dense_1' \(weight \(5, 3\).* fits none of"):
        torch_state_dict(path, other)
    one = Network([Dense(3, use_bias=False)], loss="mean_squared_error").build(3)
    with pytest.raises(fastnn.ArgumentError, match="the network none for 'second'"):
        torch_state_dict(path, one, names={"dense_1": "first"})


def test_safetensors_files_of_unknown_dtypes():
    with pytest.raises(fastnn.ModelFileError, match="'w' is of dtype F8_E5M2"):
        safetensors_file._array("w", {"dtype": "F8_E5M2", "shape": [1], "data": b"0"})
