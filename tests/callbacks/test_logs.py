"""Logs that are files: CSV, and event files read back byte by byte."""

import csv
import os
import struct
import sys

import pytest
from problems import data, network

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, CSVLogger


def fit(net, epochs, callbacks, **options):
    X, y = data()
    return net.fit(
        X, y, epochs=epochs, validation_fraction=0.5, callbacks=callbacks, verbose=0, **options
    )


def table(path, separator=","):
    with open(path, newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_every_digit_is_there(tmp_path, separator):
    path = tmp_path / "log.csv"
    net = network(metrics=["mae"], optimizer=fastnn.SGD(fastnn.schedules.StepDecay(0.1, 3)))
    rates = []
    note = fastnn.LambdaCallback(on_epoch_end=lambda net, *_: rates.append(net.state.learning_rate))
    history = fit(net, 3, [CSVLogger(path, separator=separator), note])
    rows = table(path, separator)
    assert list(rows[0]) == ["epoch", "learning_rate", "loss", "mae", "val_loss", "val_mae"]
    assert [int(row["epoch"]) for row in rows] == [1, 2, 3]
    assert [float(row["learning_rate"]) for row in rows] == rates
    for name, values in history.items():
        assert [float(row[name]) for row in rows] == values


def test_a_new_fit_replaces_or_appends(tmp_path):
    path = tmp_path / "log.csv"
    net = network()
    fit(net, 2, [CSVLogger(path)])
    fit(net, 1, [CSVLogger(path, append=True)])
    assert [row["epoch"] for row in table(path)] == ["1", "2", "3"]
    with path.open("a") as file:
        file.write("4,0.1,0.2")  # cut off: no end of line
    fit(network(), 1, [CSVLogger(path, append=True)])
    assert [row["epoch"] for row in table(path)] == ["1", "2", "3", "1"]
    fit(net, 1, [CSVLogger(path)])
    assert [row["epoch"] for row in table(path)] == ["4"]


@pytest.mark.parametrize("torn", ["", "3", "3,0.01,0.5,0.5\n4,", "3,0.01,0.5,0.5\n"])
def test_a_resumed_log_is_that_of_an_uninterrupted_run(tmp_path, torn):
    path, checkpoint = tmp_path / "log.csv", tmp_path / "net.safetensors"
    fit(network(), 5, [CSVLogger(path)])
    expected = path.read_bytes()
    fit(network(), 2, [CSVLogger(path), fastnn.Checkpoint(checkpoint)])
    with path.open("a") as file:
        file.write(torn)  # of epochs after the checkpoint
    fit(network(), 5, [CSVLogger(path), fastnn.Checkpoint(checkpoint)], resume_from=checkpoint)
    assert path.read_bytes() == expected
    path.unlink()
    fit(network(), 7, [CSVLogger(path), fastnn.Checkpoint(checkpoint)], resume_from=checkpoint)
    assert [row["epoch"] for row in table(path)] == ["6", "7"]


def test_a_header_that_was_cut_off(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("epoch,learn")
    fit(network(), 1, [CSVLogger(path, append=True)])
    assert [row["epoch"] for row in table(path)] == ["1"]


def test_logs_that_cannot_be(tmp_path):
    path = tmp_path / "log.csv"
    for separator, error in (("", ArgumentError), (",,", ArgumentError), (3, ArgumentTypeError)):
        with pytest.raises(error, match="separator must be one character"):
            CSVLogger(path, separator=separator)
    fit(network(), 1, [CSVLogger(path)])
    with pytest.raises(ArgumentError, match=r"columns epoch.*, but this fit reports .*mae"):
        fit(network(metrics=["mae"]), 1, [CSVLogger(path, append=True)])
    net = network()
    with pytest.raises(FileNotFoundError):
        fit(net, 1, [CSVLogger(tmp_path / "nowhere" / "log.csv")])
    assert net.state.step == 0


# --- TensorBoard ----------------------------------------------------------------------------------


def varint(content, at):
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def protobuf(content):
    """Fields of a message by number; the wire format of Protocol Buffers."""
    at, found = 0, {}
    while at < len(content):
        key, at = varint(content, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(content, at)
        elif kind == 2:
            size, at = varint(content, at)
            value, at = content[at : at + size], at + size
        else:
            size, form = (8, "<d") if kind == 1 else (4, "<f")
            (value,) = struct.unpack(form, content[at : at + size])
            at += size
        found.setdefault(key >> 3, []).append(value)
    return found


def scalars(folder):
    """(tag, step, value) of all event files of a folder, in the order of their names."""
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns):
        content, at = path.read_bytes(), 0
        while at < len(content):
            (size,) = struct.unpack("<Q", content[at : at + 8])
            event = protobuf(content[at + 12 : at + 12 + size])  # 4 bytes of checksum
            at += 16 + size
            for summary in event.get(5, []):
                for value in map(protobuf, protobuf(summary).get(1, [])):
                    found.append((value[1][0].decode(), event[2][0], value[2][0]))
    return found


def test_event_files_hold_the_history(tmp_path):
    pytest.importorskip("tensorboardX")
    net = network(metrics=["mae"], optimizer=fastnn.SGD(fastnn.schedules.StepDecay(0.1, 3)))
    history = fit(net, 3, [fastnn.TensorBoard(tmp_path)])
    assert sorted(os.listdir(tmp_path)) == ["train", "validation"]
    for folder, prefix, names in (
        ("train", "", {"loss", "mae", "learning_rate"}),
        ("validation", "val_", {"loss", "mae"}),
    ):
        found = scalars(tmp_path / folder)
        assert {tag for tag, _, _ in found} == names
        for tag in names - {"learning_rate"}:
            values = [(step, value) for name, step, value in found if name == tag]
            assert [step for step, _ in values] == [1, 2, 3]
            assert [v for _, v in values] == pytest.approx(history[prefix + tag], rel=1e-6)


def test_a_resumed_fit_adds_event_files(tmp_path):
    pytest.importorskip("tensorboardX")
    board, checkpoint = tmp_path / "board", fastnn.Checkpoint(tmp_path / "net.safetensors")
    for epochs in (2, 3):
        callbacks = [fastnn.TensorBoard(board), checkpoint]
        fit(network(), epochs, callbacks, resume_from=checkpoint)
    files = list((board / "train").iterdir())
    assert len(files) == 2
    steps = [step for tag, step, _ in scalars(board / "train") if tag == "loss"]
    assert steps == [1, 2, 3]


def test_without_tensorboardx_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    net = network()
    with pytest.raises(fastnn.MissingDependencyError, match=r'pip install "\.\[tensorboard\]"'):
        fit(net, 1, [fastnn.TensorBoard(tmp_path)])
    assert net.state.step == 0
