"""The setting of threads."""

import numpy as np
import pytest

import fastnn
from fastnn.errors import ArgumentError, ArgumentTypeError


@pytest.fixture(autouse=True)
def restored():
    before = fastnn.get_num_threads()
    yield
    fastnn.set_num_threads(before)


@pytest.mark.parametrize("n", [1, 2, 64, np.int64(3)])
def test_setting_is_kept(n):
    fastnn.set_num_threads(n)
    assert fastnn.get_num_threads() == n
    assert fastnn.show_config(mode="dict")["native"]["threads"] == n


@pytest.mark.parametrize("n", [0, -1, 2**16, 2**40])
def test_numbers_out_of_range_are_refused(n):
    before = fastnn.get_num_threads()
    with pytest.raises(ArgumentError, match="n must be an integer in"):
        fastnn.set_num_threads(n)
    assert fastnn.get_num_threads() == before


@pytest.mark.parametrize("n", [1.0, "2", None, True])
def test_other_types_are_refused(n):
    with pytest.raises(ArgumentTypeError, match="n must be an integer"):
        fastnn.set_num_threads(n)
