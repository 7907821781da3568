"""Exceptions: all derive from `FastnnError`, those about a value from `ValueError` too."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class FastnnError(Exception):
    """Base of every error that fastnn raises on purpose.

    Examples
    --------
    >>> import fastnn
    >>> try:
    ...     fastnn.Dense(0)
    ... except fastnn.FastnnError as error:
    ...     print(error)
    units must be an integer >= 1, got 0
    """


class ArgumentError(FastnnError, ValueError):
    """An argument has a value that cannot be used; the message names it. Also a `ValueError`.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.Dense(8, "rely")
    Traceback (most recent call last):
    fastnn.errors.ArgumentError: unknown activation 'rely': did you mean 'relu'? Known: ...
    """


class ArgumentTypeError(FastnnError, TypeError):
    """An argument is of a type that cannot be used; the message names it. Also a `TypeError`.

    Examples
    --------
    >>> import fastnn
    >>> fastnn.Dense("8")
    Traceback (most recent call last):
    fastnn.errors.ArgumentTypeError: units must be an integer >= 1, got '8'
    """


class ReadOnlyAttributeError(FastnnError, AttributeError):
    """An attribute cannot be set; the message says what to do instead. Also an `AttributeError`."""


class CustomFunctionError(FastnnError, RuntimeError):
    """A function of the user's own activation or loss raised an exception where C called it.

    Also a `RuntimeError`. The back end ``"reference"`` shows the exception itself.

    Examples
    --------
    >>> import fastnn
    >>> issubclass(fastnn.CustomFunctionError, RuntimeError)
    True
    """


class NotBuiltError(FastnnError, RuntimeError):
    """The network has no parameters yet: call `build` or `fit` first. Also a `RuntimeError`.

    Examples
    --------
    >>> from fastnn import Dense, Network
    >>> Network([Dense(2)], loss="huber").predict([[0.0]])
    Traceback (most recent call last):
    fastnn.errors.NotBuiltError: the network has no parameters yet: call build or fit first
    """


class NetworkBusyError(FastnnError, RuntimeError):
    """The network is being trained by another thread. Also a `RuntimeError`.

    Examples
    --------
    Within `Network.averaged` too, a network cannot be trained:

    >>> import fastnn
    >>> net = fastnn.Network([fastnn.Dense(1)], loss="huber", weight_average=fastnn.EMA(0.9))
    >>> history = net.fit([[0.0], [1.0]], [0.0, 1.0], verbose=0)
    >>> with net.averaged():
    ...     net.fit([[0.0], [1.0]], [0.0, 1.0], verbose=0)
    Traceback (most recent call last):
    fastnn.errors.NetworkBusyError: ...
    """


class DivergenceError(FastnnError, ArithmeticError):
    """Training produced a non-finite loss or gradient; the last finite weights are kept.

    Also an `ArithmeticError`.

    Attributes
    ----------
    epoch, batch : int
        Place of the error, both counted from 1.
    layer : str
        First layer, in the order of computation, with a non-finite value.

    Examples
    --------
    >>> import fastnn
    >>> layers = [fastnn.Dense(1, "exp", initializer="ones", name="growth")]
    >>> net = fastnn.Network(layers, loss="mean_squared_error")
    >>> try:
    ...     history = net.fit([[1e3]], [0.0], verbose=0)
    ... except fastnn.DivergenceError as error:
    ...     print(error.epoch, error.batch, error.layer)
    1 1 growth
    """

    def __init__(self, message: str, *, epoch: int, batch: int, layer: str):
        super().__init__(message)
        self.epoch = epoch
        self.batch = batch
        self.layer = layer

    def __reduce__(self) -> tuple[Any, ...]:
        known = functools.partial(type(self), epoch=self.epoch, batch=self.batch, layer=self.layer)
        return known, self.args, self.__dict__


class ModelFileError(FastnnError, ValueError):
    """A model file is truncated, altered, foreign or too large. Also a `ValueError`.

    Examples
    --------
    >>> import pathlib, tempfile, fastnn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "model.safetensors")
    ...     _ = path.write_text("not a model")
    ...     try:
    ...         fastnn.Network.load(path)
    ...     except fastnn.ModelFileError:
    ...         print("refused")
    refused
    """


class MissingDependencyError(FastnnError, ImportError):
    """A package that this function needs is not installed; the message says how to get it.

    Also an `ImportError`.

    Examples
    --------
    >>> import fastnn
    >>> issubclass(fastnn.MissingDependencyError, ImportError)
    True
    """


class SearchError(FastnnError, RuntimeError):
    """All trials of a search failed, or its storage did. Also a `RuntimeError`.

    The error of the first trial, or that of the storage, is its cause.

    Attributes
    ----------
    result : SearchResult or None
        The trials until then; None if no trial was trained.

    Examples
    --------
    >>> import fastnn
    >>> issubclass(fastnn.SearchError, RuntimeError), fastnn.SearchError.result
    (True, None)
    """

    result: Any = None


class ExecutorError(FastnnError, RuntimeError):
    """The executor of a search can take no more work, for instance since a worker was killed.

    Attributes
    ----------
    result : SearchResult or None
        The trials until then; None if no trial was trained.

    Examples
    --------
    >>> import fastnn
    >>> issubclass(fastnn.ExecutorError, RuntimeError), fastnn.ExecutorError.result
    (True, None)
    """

    result: Any = None


class BackendError(FastnnError, RuntimeError):
    """A kernel back end cannot be used on this machine. Also a `RuntimeError`.

    Examples
    --------
    >>> import fastnn
    >>> try:
    ...     backend = fastnn.kernels.implementation("native")
    ... except fastnn.BackendError:
    ...     backend = fastnn.kernels.implementation("reference")  # slow, but everywhere
    >>> hasattr(backend, "adam_step")
    True
    """


class TableWarning(UserWarning):
    """A table has cells unlike those of training; the message counts them by column.

    Examples
    --------
    >>> import warnings
    >>> from fastnn.errors import TableWarning
    >>> warnings.simplefilter("error", TableWarning)  # from now on such cells are refused
    >>> warnings.simplefilter("default", TableWarning)
    """


class UnknownCategoryWarning(UserWarning):
    """Rows to predict hold categories that the fit has not met; the message counts them.

    Examples
    --------
    >>> import warnings
    >>> from fastnn import MLPClassifier, UnknownCategoryWarning
    >>> classifier = MLPClassifier(categorical_features=[0], tol=0.1, random_state=0)
    >>> classifier = classifier.fit([["Ulm"], ["Bern"]] * 20, ["a", "b"] * 20)
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error")
    ...     try:
    ...         classifier.predict([["Ulm"], ["Graz"]])
    ...     except UnknownCategoryWarning as warning:
    ...         print(warning)
    column 0 of X: 1 of 2 rows hold unknown categories, such as 'Graz', which count as missing
    """


@contextmanager
def naming(argument: str) -> Iterator[None]:
    """Prefix errors about arguments within the context with the name of the argument.

    `validation_data`, for instance, holds an X and a y.
    """
    try:
        yield
    except (ArgumentError, ArgumentTypeError) as error:
        if str(error).startswith(argument):
            raise
        kind = ArgumentError if isinstance(error, ArgumentError) else ArgumentTypeError
        raise kind(f"{argument}: {error}") from error
