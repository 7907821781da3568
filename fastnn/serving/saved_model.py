"""SavedModel: predictions with a model file and its preprocessing."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentError
from ..metrics import scoring
from ..model.base import model_of
from ..model.inference import RowPredictor
from ..network import Network

if TYPE_CHECKING:
    from ..model_file.custom_objects import CustomObject
    from ..tables import Preprocessing, Target
    from .saved_inputs import Inputs


def load(
    path: str | os.PathLike[str],
    custom_objects: Mapping[str, CustomObject] | None = None,
) -> SavedModel:
    """Load a model file to predict with.

    Parameters
    ----------
    path : str or path-like
        Written by ``fastnn train``, ``fastnn search`` or `Network.save`. Nothing in it is executed.
    custom_objects : dict, optional
        The activations and losses of the user that the network was saved with, by their names.

    Returns
    -------
    SavedModel

    Raises
    ------
    ModelFileError
        The file is damaged, foreign, or of another version.
    MissingDependencyError
        The file is of a table, and pandas is not installed.
    OSError
        The file does not exist or cannot be read.

    Examples
    --------
    >>> import pathlib, tempfile, fastnn
    >>> layers = [fastnn.Dense(2)]
    >>> net = fastnn.Network(layers, loss="softmax_cross_entropy", seed=0).build(3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     net.save(pathlib.Path(folder, "model.safetensors"))
    ...     model = fastnn.load(pathlib.Path(folder, "model.safetensors"))
    >>> model.predict_proba([1.0, 2.0, 3.0]).shape
    (2,)
    """
    network = Network.load(path, custom_objects)
    return SavedModel(network, os.fsdecode(path))


class SavedModel:
    r"""A trained network with the preprocessing of its file; made by `fastnn.load`.

    Rows are given as a DataFrame or a list of dicts with the columns of the file, or as a list of
    rows or an array with the columns in the order of `feature_names`; columns that the model does
    not use are ignored. A single row is a dict, or a sequence of its cells; it takes some ten
    microseconds. All methods may be called from several threads at once.

    Parameters
    ----------
    network : Network
    path : str
        Path of its file, for messages.

    Attributes
    ----------
    network : Network
    feature_names : list of str or None
        The columns that are used, in order; None for a network of arrays.
    target_name : str or None
    classes : ndarray or None
        The labels, as they stand in the table, or numbers for a network of arrays; None for
        regression.
    info : dict
        The contents of the file: ``path``, ``task``, ``target``, ``features``, ``classes``,
        ``dropped`` (columns that are not used, and why) and ``parameters`` (their number).

    Examples
    --------
    >>> import pathlib, tempfile, fastnn
    >>> from fastnn.cli import main
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     table, file = pathlib.Path(folder, "pets.csv"), pathlib.Path(folder, "pets")
    ...     _ = table.write_text("legs,pet\n" + "4,cat\n2,hen\n" * 50)
    ...     options = ["--target=pet", "--test-fraction=0", "--quiet", f"--out={file}"]
    ...     main(["train", str(table), *options])
    ...     model = fastnn.load(file)
    0
    >>> model.predict({"legs": 2}), model.feature_names, model.target_name
    ('hen', ['legs'], 'pet')
    """

    def __init__(self, network: Network, path: str):
        self.network = network
        self.feature_names: list[str] | None = None
        self.target_name: str | None = None
        self.classes: np.ndarray | None = None
        self._target: Target | None = None
        self._inputs = self._inputs_of_file(path)
        self._one_row = threading.local()  # a predictor has room for the row of one thread
        self.info = self._describe(path)

    def _inputs_of_file(self, path: str) -> Inputs:
        from . import saved_inputs

        task = self.network.loss.task
        if self.network.preprocessing is None:
            outputs = self.network.output_shape[-1]
            if task in scoring.CLASSIFICATION and (task == "multiclass" or outputs == 1):
                self.classes = np.arange(max(outputs, 2))
            return saved_inputs.Arrays(self.network)
        preprocessing: Preprocessing = saved_inputs.preprocessing_of(self.network, path)
        self._target = preprocessing.target
        self.target_name = preprocessing.target.column.name
        if preprocessing.target.classes:
            self.classes = np.array(preprocessing.target.classes, dtype=object)
        inputs = saved_inputs.Tables(self.network, preprocessing)
        self.feature_names = list(inputs.names)
        return inputs

    def _describe(self, path: str) -> dict[str, Any]:
        preprocessing = self.network.preprocessing or {}
        return {
            "path": path,
            "task": "regression" if self.network.loss.task == "regression" else "classification",
            "target": self.target_name,
            "features": self.feature_names,
            "classes": None if self.classes is None else self.classes.tolist(),
            "dropped": dict(preprocessing.get("dropped", {})) if self._target else {},
            "parameters": self.network.n_parameters,
        }

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "_one_row"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, _one_row=threading.local())

    def __repr__(self) -> str:
        of = f" of {self.target_name!r}" if self.target_name else ""
        return f"SavedModel({self.info['task']}{of}, {self.network.n_parameters:,} parameters)"

    def predict(self, X: Any) -> Any:
        """Return the predicted labels, or values in the target's own units.

        Parameters
        ----------
        X : DataFrame, dict, list or array
            Rows, or a single row; see the class.

        Returns
        -------
        ndarray of shape (n,), or a single label or value
            For a network of arrays with several outputs that are no classes, (n, outputs).

        Raises
        ------
        ArgumentError, ArgumentTypeError
            A column is missing, a row has another number of cells, or a cell of a column of numbers
            is none.
        """
        outputs, single = self._outputs(X)
        labels = self._decided(outputs)
        return labels[0] if single else labels

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probability of each class, in the order of `classes`.

        Parameters
        ----------
        X : DataFrame, dict, list or array
            Rows, or a single row; see the class.

        Returns
        -------
        ndarray, shape (n, classes), or (classes,) for a single row

        Raises
        ------
        ArgumentError, ArgumentTypeError
            X cannot be used, as in `predict`; the target is a number.
        """
        if self.network.loss.task not in scoring.CLASSIFICATION:
            raise ArgumentError("the model predicts numbers, which have no probabilities")
        outputs, single = self._outputs(X)
        if self.classes is not None and outputs.shape[1] == 1:
            outputs = np.concatenate([1 - outputs, outputs], axis=1)
        return outputs[0] if single else outputs

    def _outputs(self, X: Any) -> tuple[np.ndarray, bool]:
        """Return the network's outputs (n, units), and whether X is a single row."""
        row = self._inputs.single(X)
        if row is None:
            return self.network.predict(self._inputs.several(X)), False
        return self._predictor()(row)[None], True

    def _predictor(self) -> RowPredictor:
        if not hasattr(self._one_row, "predictor"):
            self._one_row.predictor = RowPredictor(model_of(self.network))
        return self._one_row.predictor

    def _decided(self, outputs: np.ndarray) -> np.ndarray:
        if self._target is not None:
            return self._target.decode(outputs)
        if self.network.loss.task == "multiclass":
            return outputs.argmax(axis=-1)
        if self.network.loss.task == "binary":
            outputs = (outputs > scoring.THRESHOLD).astype(np.int64)
        return outputs[:, 0] if outputs.shape[1:] == (1,) else outputs
