"""The output of `show_config`."""

import sys

import pytest

import fastnn
from fastnn.errors import ArgumentError, BackendError


def test_printed_and_returned_configuration_agree(capsys):
    config = fastnn.show_config(mode="dict")
    assert fastnn.show_config() is None
    printed = capsys.readouterr().out
    assert fastnn.__version__ in printed
    assert f"instruction set  {config['native']['isa']}" in printed
    assert f"threads          {config['native']['threads']}" in printed
    assert set(config["backends"]) == set(fastnn.kernels.BACKENDS)
    for name in config["backends"]:
        assert f"{name}: available" in printed


def test_reason_is_told_where_the_native_back_end_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "fastnn.kernels.native", None)
    monkeypatch.delattr(fastnn.kernels, "native", raising=False)
    config = fastnn.show_config(mode="dict")
    assert config["native"] is None
    assert "native" in config["backends"]["native"]
    fastnn.show_config()
    assert "instruction set" not in capsys.readouterr().out
    with pytest.raises(BackendError, match="native back end"):
        fastnn.get_num_threads()


def test_unknown_mode_is_refused():
    with pytest.raises(ArgumentError, match="did you mean 'dict'"):
        fastnn.show_config(mode="dictt")
