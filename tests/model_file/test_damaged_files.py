"""Files that were damaged or are no model files: a ModelFileError, or exactly the same network."""

import os
import pickle
import tracemalloc

import numpy as np
import pytest
import safetensors.numpy
from crafting import header_end, with_header
from hypothesis import given, settings, strategies as st

from fastnn import Dense, ModelFileError, Network
from fastnn.model_file import container

FULL = os.environ.get("FASTNN_FULL") == "1"
#: Bits to flip in every byte: each alone, and those that turn a space into a tab.
MASKS = range(1, 256) if FULL else [*(1 << bit for bit in range(8)), ord(" ") ^ ord("\t")]


@pytest.mark.parametrize("mask", MASKS)
def test_every_changed_byte_is_noticed_or_harmless(mask, content, accept_or_refuse):
    accepted = []
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= mask
        if accept_or_refuse(bytes(changed)):
            accepted.append(position)
    # Blanks, the e of a number, digits beyond a float's precision: nothing outside the header.
    assert max(accepted, default=0) < header_end(content)


def test_padding_is_free(content, accept_or_refuse):
    end = header_end(content)
    text = content[8:end].rstrip(b" ")
    for padding in (b"", b" " * 64, b"\t\n\r "):
        assert accept_or_refuse(with_header(text + padding, content[end:]))


def test_every_truncation_is_noticed(content, refuse):
    for length in range(len(content)):
        refuse(content[:length])


def test_truncation_is_called_so(content, refuse):
    refuse(b"", "empty or was cut off")
    refuse(content[:100], "cut off")
    refuse(content[:-1], "cut off")


def test_appended_bytes_are_noticed(content, refuse):
    refuse(content + b"\0", "1 byte follows its tensors")
    refuse(content + content, f"{len(content)} bytes follow its tensors")


def test_exchanged_tensors_are_noticed(content, refuse):
    data = content[header_end(content) :]
    assert data[:8] != data[8:16]
    swapped = data[8:16] + data[:8] + data[16:]
    refuse(content[: header_end(content)] + swapped, "SHA-256")


fuzz_settings = settings(max_examples=5000 if FULL else 200, deadline=None)


@fuzz_settings
@given(data=st.binary(max_size=400))
def test_random_bytes(data, refuse):
    refuse(data)


@fuzz_settings
@given(text=st.binary(max_size=200), data=st.binary(max_size=50))
def test_random_headers(text, data, refuse):
    refuse(with_header(b"{" + text, data))


@fuzz_settings
@given(draw=st.data())
def test_random_splices(draw, content, accept_or_refuse):
    start = draw.draw(st.integers(0, len(content)))
    stop = draw.draw(st.integers(start, min(len(content), start + 30)))
    accept_or_refuse(content[:start] + draw.draw(st.binary(max_size=30)) + content[stop:])


# ------------------------------------------------------------------------------------------ foreign


def test_files_of_other_programs(refuse, folder):
    weights = {"w": np.zeros(3, np.float32)}
    refuse(safetensors.numpy.save(weights), "not written by fastnn")
    refuse(safetensors.numpy.save(weights, {"format": "pt"}), "not written by fastnn")
    refuse(safetensors.numpy.save(weights, {"fastnn": "no JSON"}), "malformed")
    np.save(folder / "array.npy", np.zeros(100))
    refuse((folder / "array.npy").read_bytes(), "no model file")
    refuse(b"PK\x03\x04" + bytes(1000), "no model file")
    refuse(b"a,b\n1,2\n" * 100, "no model file")


def test_nothing_is_executed(refuse, folder):
    class Payload:
        def __reduce__(self):
            return os.mkdir, (str(folder / "executed"),)

    payload = pickle.dumps(Payload())
    refuse(payload)
    refuse(with_header(payload))
    assert not (folder / "executed").exists()


def test_what_is_no_file(folder):
    os.mkfifo(folder / "pipe")
    for path in (folder, folder / "pipe"):
        with pytest.raises(ModelFileError, match="not a regular file"):
            Network.load(path)
    with pytest.raises(FileNotFoundError, match="no_such_file"):
        Network.load(folder / "no_such_file")


@pytest.fixture
def large(tmp_path):
    """A network, and its file of some megabytes: more than any buffer holds."""
    network = Network([Dense(1000)], loss="mean_squared_error", seed=0).build(1000)
    network.save(tmp_path / "large")
    return network, tmp_path / "large"


def change_after_check(path, change, monkeypatch):
    """Changes the file when its header has been checked, but its tensors not yet read."""
    check_tensors = container.check_tensors

    def check_then_change(*arguments):
        check_tensors(*arguments)
        change(path)

    monkeypatch.setattr(container, "check_tensors", check_then_change)


def replace_file(path):
    path.unlink()
    path.write_bytes(b"other")


def overwrite_header(path):
    with open(path, "r+b") as file:
        file.write(bytes(50))


@pytest.mark.parametrize("change", [replace_file, overwrite_header])
def test_what_was_checked_is_what_is_loaded(change, large, monkeypatch):
    network, path = large
    change_after_check(path, change, monkeypatch)
    assert np.array_equal(Network.load(path).parameters, network.parameters)


@pytest.mark.parametrize("length", [0, 3_000_000])
def test_a_file_that_becomes_shorter_while_it_is_read(length, large, monkeypatch):
    path = large[1]
    change_after_check(path, lambda path: os.truncate(path, length), monkeypatch)
    with pytest.raises(ModelFileError, match="became shorter"):
        Network.load(path)


# ------------------------------------------------------------------------------------------- memory


def peak_of(function):
    """The most bytes that a call holds in Python's and NumPy's memory."""
    tracemalloc.start()
    try:
        function()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("length", [2**30, 2**63, 2**24])
def test_large_foreign_files_are_not_read(length, folder):
    path = folder / "large"
    path.write_bytes(length.to_bytes(8, "little"))
    os.truncate(path, 10 * 2**30)  # sparse: it takes no room on the disk

    def load():
        with pytest.raises(ModelFileError, match=r"no .*file"):
            Network.load(path)

    try:
        assert peak_of(load) < max(1_000_000, 3.3 * length if length <= container.MAX_HEADER else 0)
    finally:
        path.unlink()


def test_memory_for_a_network(large):
    """At the worst moment two copies of the tensors, beside those of a network that is saved."""
    network, path = large
    size = network.parameters.nbytes
    assert peak_of(lambda: network.save(path)) < 2.1 * size
    assert 1.9 * size < peak_of(lambda: Network.load(path)) < 2.1 * size
