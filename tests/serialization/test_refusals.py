"""Files that are not what they should be: each gets a ModelFileError, and none gets memory."""

import json
import os
import pickle
import re
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastnn import Adam, Dense, Dropout, ModelFileError, Network
from fastnn.serialization import container


@pytest.fixture(scope="module")
def network():
    layers = [Dense(2, "relu", name="a"), Dropout(0.5), Dense(2, use_bias=False)]
    network = Network(layers, loss="softmax_cross_entropy", metrics=["accuracy"], seed=1)
    X = np.arange(12.0).reshape(4, 3)
    network.fit(X, [0, 1, 0, 1], epochs=2, verbose=0)
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def content(network, folder):
    """A valid file with everything in it."""
    network.save(folder / "valid", optimizer=True, preprocessing={"mean": [0.5, 1.5]})
    return (folder / "valid").read_bytes()


@pytest.fixture(scope="module")
def refuse(folder):
    """Asserts that a file of given bytes is refused; returns the message."""
    path = folder / "refused"

    def check(content, match=""):
        path.write_bytes(content)
        try:
            Network.load(path)
        except ModelFileError as error:
            message = str(error)
        else:
            pytest.fail("the file was accepted")
        assert message.startswith(f"cannot load {path}: ")
        assert re.search(match, message), message
        assert len(message) < 1000
        return message

    return check


def header_end(content):
    return 8 + int.from_bytes(content[:8], "little")


def with_header(text, data=b""):
    return len(text).to_bytes(8, "little") + text + data


def forged(content, edit, *, key="architecture"):
    """The file with its description edited in place, and the digest made to match."""
    header = json.loads(content[8 : header_end(content)])
    metadata = header.pop("__metadata__")
    del metadata["sha256"]
    description = json.loads(metadata[key])
    edit(description)
    metadata[key] = json.dumps(description)
    tensors = safetensors.numpy.load(content)
    return b"".join(container.encode(metadata, tensors))


# --------------------------------------------------------------------------------- damaged in bytes


@pytest.mark.parametrize("mask", [0x01, 0x20, 0x80, 0xFF])
def test_every_changed_byte_is_noticed(mask, content, refuse):
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= mask
        refuse(bytes(changed))


def test_every_other_padding_is_noticed(content, refuse):
    end = header_end(content)
    stripped = content[8:end].rstrip(b" ")
    for padding in (b" " * 64, b"\t" * (end - 8 - len(stripped)), b""):
        if stripped + padding != content[8:end]:
            refuse(with_header(stripped + padding, content[end:]))


def test_every_truncation_is_noticed(content, refuse):
    for length in range(len(content)):
        refuse(content[:length])


def test_truncation_is_called_so(content, refuse):
    refuse(b"", "empty or was cut off")
    refuse(content[:100], "cut off")
    refuse(content[:-1], "cut off")


def test_appended_bytes_are_noticed(content, refuse):
    refuse(content + b"\0", "1 bytes follow its tensors")
    refuse(content + content)


def test_exchanged_tensors_are_noticed(content, refuse):
    data = content[header_end(content) :]
    assert data[:8] != data[8:16]
    swapped = data[8:16] + data[:8] + data[16:]
    refuse(content[: header_end(content)] + swapped, "SHA-256")


bytes_settings = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@bytes_settings
@given(data=st.binary(max_size=400))
def test_random_bytes(data, refuse):
    refuse(data)


@bytes_settings
@given(text=st.binary(max_size=200), data=st.binary(max_size=50))
def test_random_headers(text, data, refuse):
    refuse(with_header(b"{" + text, data))


@bytes_settings
@given(draw=st.data())
def test_random_splices(draw, content, refuse):
    start = draw.draw(st.integers(0, len(content)))
    stop = draw.draw(st.integers(start, min(len(content), start + 30)))
    spliced = content[:start] + draw.draw(st.binary(max_size=30)) + content[stop:]
    if spliced != content:
        refuse(spliced)


# ------------------------------------------------------------------------------------------ foreign


def test_files_of_other_programs(refuse, folder):
    weights = {"w": np.zeros(3, np.float32)}
    refuse(safetensors.numpy.save(weights), "not written by fastnn")
    refuse(safetensors.numpy.save(weights, {"format": "pt"}), "not written by fastnn")
    np.save(folder / "array.npy", np.zeros(100))
    refuse((folder / "array.npy").read_bytes())
    refuse(b"PK\x03\x04" + bytes(1000))
    refuse(b"a,b\n1,2\n" * 100, "no model file")


def test_nothing_is_executed(refuse, folder):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(folder / "executed"),)

    payload = pickle.dumps(Payload())
    refuse(payload)
    refuse(with_header(payload))
    assert not (folder / "executed").exists()


def test_other_format_versions_are_named(content, refuse):
    end = header_end(content)
    newer = content[8:end].replace(b'"format_version":"1"', b'"format_version":"2"')
    message = refuse(with_header(newer, content[end:]), "format version 2")
    assert "reads version 1" in message


def test_what_is_no_file(folder):
    os.mkfifo(folder / "pipe")
    for path in (folder, folder / "pipe"):
        with pytest.raises(ModelFileError, match="not a regular file"):
            Network.load(path)
    with pytest.raises(FileNotFoundError, match="no_such_file"):
        Network.load(folder / "no_such_file")


# ---------------------------------------------------------------------------------- crafted headers


def edited_header(content, edit):
    """The file with its header edited and written in canonical form."""
    end = header_end(content)
    header = json.loads(content[8:end])
    edit(header)
    text = json.dumps(header, sort_keys=True, separators=(",", ":")).encode()
    return with_header(text + b" " * (-len(text) % 8), content[end:])


@pytest.mark.parametrize(
    ("name", "entry", "match"),
    [
        ("a/bias", {"shape": [True, 2]}, "a/bias"),
        ("a/bias", {"shape": [2.0]}, "altered"),
        ("a/bias", {"shape": [-2]}, "a/bias"),
        ("a/bias", {"shape": [10**15]}, "a/bias"),
        ("a/bias", {"shape": []}, "a/bias"),
        ("a/bias", {"shape": "2"}, "a/bias"),
        ("a/bias", {"dtype": "F64"}, "a/bias"),
        ("a/bias", {"dtype": "I32"}, "a/bias"),
        ("a/bias", {"dtype": None}, "a/bias"),
        ("a/bias", {"data_offsets": [8, 16]}, "a/bias"),
        ("a/bias", {"data_offsets": [-8, 0]}, "a/bias"),
        ("a/bias", {"data_offsets": [False, 8]}, "altered"),
        ("a/bias", {"data_offsets": [0, 2**70]}, "a/bias"),
        ("a/bias", {"data_offsets": [8, 0]}, "a/bias"),
        ("a/bias", {"data_offsets": []}, "a/bias"),
        ("a/bias", {"strides": [1]}, "a/bias"),
        ("b/weights", {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}, "no tensor 'b/wei"),
        ("__metadata__", {"sha256": 1}, "not strings"),
        ("__metadata__", {"note": "x"}, "SHA-256"),
    ],
)
def test_crafted_entries(name, entry, match, content, refuse):
    refuse(edited_header(content, lambda h: h.setdefault(name, {}).update(entry)), match)


def test_missing_tensors_and_keys(content, refuse):
    refuse(edited_header(content, lambda h: h.pop("a/bias")), "'a/bias'.*is missing")
    refuse(edited_header(content, lambda h: h.pop("__metadata__")), "not written by fastnn")
    for key in ("architecture", "sha256", "preprocessing", "training", "fastnn_version"):
        refuse(edited_header(content, lambda h, key=key: h["__metadata__"].pop(key)))
    refuse(edited_header(content, lambda h: h.update({"a/bias": None})), "a/bias")
    refuse(edited_header(content, lambda h: h.update(__metadata__=[])), "metadata")


def test_an_entry_given_twice(content, refuse):
    end = header_end(content)
    twice = content[8:end].replace(b'{"__meta', b'{"a/bias":{},"__meta')
    refuse(with_header(twice, content[end:]), "altered")


@pytest.mark.parametrize("key", ["architecture", "preprocessing", "training"])
@pytest.mark.parametrize(
    "text", ["", "[]", "1", "{", "NaN", '{"a":Infinity}', "[" * 200_000, "9" * 5000]
)
def test_metadata_that_are_no_json_objects(key, text, content, refuse):
    refuse(edited_header(content, lambda h: h["__metadata__"].update({key: text})))


def test_deeply_nested_headers(refuse):
    for opening in (b'{"a":', b'{"a":['):
        refuse(with_header(opening * 200_000), "nested too deeply|malformed")


def test_parameters_that_are_not_finite(network, content, refuse):
    tensors = safetensors.numpy.load(content)
    tensors["a/bias"] = np.array([1, np.nan], np.float32)
    metadata = json.loads(content[8 : header_end(content)])["__metadata__"]
    refuse(b"".join(container.encode(metadata, tensors)), "a/bias holds values that are not finite")


# --------------------------------------------------------------------------- crafted, valid digest


def test_the_forger_of_these_tests_can_forge(content, folder):
    path = folder / "forged"
    path.write_bytes(forged(content, lambda d: d["layers"][1].update(rate=0.75)))
    assert Network.load(path).layers[1].rate == 0.75


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda d: d["layers"][0].update(type="Dence"), "did you mean 'Dense'"),
        (lambda d: d["layers"][0].update(type="Layer"), "unknown Layer"),
        (lambda d: d["layers"][0].update(type="__import__"), "unknown Layer"),
        (lambda d: d["layers"][0].update(type=["Dense"]), "Layer must be one of"),
        (lambda d: d["layers"][0].update(payload=1), "payload"),
        (lambda d: d["layers"][0].update(units=1), "a/bias"),
        (lambda d: d["layers"][0].update(units=-1), "units"),
        (lambda d: d["layers"][0].update(units=True), "units"),
        (lambda d: d["layers"][0].update(units=10**12), "needs more"),
        (lambda d: d["layers"][0].update(units=10**4200), "needs more"),
        (lambda d: d["layers"][0].update(name="b"), "names"),
        (lambda d: d["layers"].clear(), "at least one layer"),
        (lambda d: d["layers"].reverse(), "names"),
        (lambda d: d.update(input_shape=[10**4200]), "needs more"),
        (lambda d: d.update(input_shape=[]), "input_shape"),
        (lambda d: d.update(input_shape="3"), "input_shape"),
        (lambda d: d.update(dtype="float64"), "needs more"),
        (lambda d: d.update(dtype="object"), "dtype"),
        (lambda d: d.update(dtype=None), "dtype"),
        (lambda d: d.update(seed=-1), "seed"),
        (lambda d: d.update(loss="huber"), "Loss"),
        (lambda d: d.update(metrics=["r2"]), "metric"),
        (
            lambda d: d.update(optimizer=Adam(epsilon=1).to_config() | {"beta1": 10**400}),
            "descript",
        ),
        (lambda d: d.pop("loss"), "lacks 'loss'"),
    ],
)
def test_crafted_architectures(edit, match, content, refuse):
    refuse(forged(content, edit), match)


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (lambda d: d.pop("state"), "lacks 'state'"),
        (lambda d: d["state"].update(step=-1), "step"),
        (lambda d: d["state"].update(epoch=2**60), "epoch"),
        (lambda d: d["state"].update(learning_rate="fast"), "learning_rate"),
        (lambda d: d["state"].update(seed=2**64), "seed"),
        (lambda d: d["history"]["values"].update(loss=[1.0]), "lengths"),
        (lambda d: d["history"]["values"].update(loss=["x", 1.0]), "float"),
        (lambda d: d["history"].update(values=[]), "description"),
        (lambda d: d["history"].update(epoch=[1, None]), "epoch"),
    ],
)
def test_crafted_training_states(edit, match, content, refuse):
    refuse(forged(content, edit, key="training"), match)


JUNK = [None, True, -1, 0.5, 10**30, 1e308, "", "x", [], {}, [[]], {"type": "Zeros"}, {"type": {}}]


def places(value, path=()):
    """Paths to every value inside a JSON value."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from places(inner, (*path, key))


def replaced(place, junk):
    """An edit that puts junk at a place."""

    def edit(description):
        *outer, last = place
        for step in outer:
            description = description[step]
        description[last] = junk

    return edit


@pytest.mark.parametrize("key", ["architecture", "training"])
def test_any_value_replaced_by_any_other_loads_or_is_refused(key, content, folder):
    header = json.loads(content[8 : header_end(content)])
    description = json.loads(header["__metadata__"][key])
    path, refused = folder / "junk", 0
    for place in places(description):
        for junk in JUNK:
            path.write_bytes(forged(content, replaced(place, junk), key=key))
            try:
                Network.load(path)
            except ModelFileError:
                refused += 1
    assert refused > 100


# ------------------------------------------------------------------------------------------- memory


def peak_of_refusing(path, match):
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError, match=match):
            Network.load(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_claims_get_no_memory(content, folder):
    """A file of a kilobyte whose architecture, header and digest all say: 10^12 units."""
    path, units = folder / "claims", 10**12
    network = Network([Dense(units)], loss="mean_squared_error", seed=0)
    header = json.loads(content[8 : header_end(content)])
    metadata = header["__metadata__"]
    del metadata["training"]
    architecture = {
        **json.loads(metadata["architecture"]),
        "layers": [layer.to_config() for layer in network.layers],
        "names": ["dense_1"],
        "input_shape": [3],
    }
    metadata["architecture"] = json.dumps(architecture)
    shapes = {"dense_1/weights": (3, units), "dense_1/bias": (units,)}
    text = container._render(metadata, shapes, np.dtype(np.float32))
    path.write_bytes(with_header(text, bytes(100)))
    assert peak_of_refusing(path, "needs more") < 1_000_000


@pytest.mark.parametrize("length", [2**30, 2**63, 2**24])
def test_large_foreign_files_are_not_read(length, folder):
    path = folder / "large"
    path.write_bytes(length.to_bytes(8, "little"))
    os.truncate(path, 10 * 2**30)  # sparse: it takes no room on the disk
    try:
        assert peak_of_refusing(path, "no .*file") < max(1_000_000, 1.1 * container.MAX_HEADER)
    finally:
        path.unlink()
