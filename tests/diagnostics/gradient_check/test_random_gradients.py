"""Gradient checks of random networks: no false alarm, and no planted error that is missed."""

import contextlib
import functools
import os

import numpy as np
import pytest
from random_networks import draw_case

import fastnn
from fastnn import gradient_check, kernels

SEEDS = range(2000 if os.environ.get("FASTNN_FULL") == "1" else 60)
ROWS, ENTRIES = 5, 6
#: Errors below are right, and errors above are found; see the notes of `gradient_check`.
RIGHT, WRONG = 1e-6, 1e-4


def checked(case):
    """The check of a network that has learned its statistics; None where the loss is infinite."""
    net = case.network()
    with contextlib.suppress(fastnn.DivergenceError):
        net.fit(case.x, case.y, epochs=1, batch_size=None, verbose=0)
    weight = None if case.sample_weight is None else case.sample_weight[-ROWS:]
    try:
        X, y = case.x[-ROWS:], case.y[-ROWS:]
        return gradient_check(net, X, y, n=ENTRIES, sample_weight=weight, verbose=0)
    except fastnn.ArgumentError as error:
        if "finite" in str(error):
            return None
        raise


@pytest.mark.parametrize("seed", SEEDS)
def test_right_gradients_raise_no_alarm(seed):
    case = draw_case(seed)
    with np.errstate(all="ignore"):
        result = checked(case)
    assert result is None or result.max_relative_error <= RIGHT, f"{case}\n{result}"


def a_little_off(dense_bwd):
    """Weights of the last layer, whose activation is none, have gradients that are too large."""

    @functools.wraps(dense_bwd)
    def broken(dx, dw, db, dy, y, x, w, activation, z=None):
        dense_bwd(dx, dw, db, dy, y, x, w, activation, z)
        if dw is not None and activation == "identity":
            dw += 1e-3 + 0.01 * np.sqrt(np.square(dw).mean())

    return broken


@pytest.mark.parametrize("seed", SEEDS)
def test_planted_errors_are_found(seed, monkeypatch):
    case = draw_case(seed)
    reference = kernels.reference
    with np.errstate(all="ignore"), kernels.use("reference"):
        right = checked(case)
        monkeypatch.setattr(reference, "dense_bwd", a_little_off(reference.dense_bwd))
        result = checked(case)
    if right is None or result is None:
        return
    last = result.arrays[-1 if result.arrays[-1].name.endswith("weights") else -2]
    if last.scale > 100 * last.noise:
        assert result.relative_errors[last.name] > WRONG, f"{case}\n{result}"


def one_percent_off(dense_dropout_bwd):
    """Weights whose layer does its dropout too have gradients that are too large."""

    @functools.wraps(dense_dropout_bwd)
    def broken(dx, dw, *arguments, **options):
        dense_dropout_bwd(dx, dw, *arguments, **options)
        if dw is not None:
            dw *= 1.01

    return broken


def test_errors_of_kernels_that_fusion_puts_in_are_found(monkeypatch):
    """The check runs the kernels of training; in a case or two the gradients are all zero."""
    reference = kernels.reference
    called = []

    def recorded(function):
        @functools.wraps(function)
        def recording(*arguments, **options):
            called.append(function)
            function(*arguments, **options)

        return recording

    broken = one_percent_off(reference.dense_dropout_bwd)
    monkeypatch.setattr(reference, "dense_dropout_bwd", recorded(broken))
    errors = []
    for seed in SEEDS[::2]:
        called.clear()
        with np.errstate(all="ignore"), kernels.use("reference"):
            result = checked(draw_case(seed))
        if called and result is not None:
            errors.append(result.max_relative_error)
    assert len(errors) > len(SEEDS) / 10
    assert np.mean(np.array(errors) > WRONG) > 0.8
