"""Files as Keras 3 lays them out, made with h5py and without Keras.

A model is a list of (class, key, name, arrays): the class of a layer, the key of its group (the
class in lower case with a number), its name, and its arrays; of a model within it, the list of its
layers instead of arrays.
"""

import io
import json
import zipfile

import h5py
import numpy as np


def fill(group, model):
    """Write the layers of a model into a group, as weights files have them."""
    for _, key, name, content in model:
        inner = group.create_group(f"layers/{key}")
        variables = inner.create_group("vars")
        variables.attrs["name"] = name
        if isinstance(content, list):
            fill(inner, content)
            continue
        for index, array in enumerate(content):
            variables[str(index)] = array


def save_weights(file, model):
    """Write a ``.weights.h5`` file, with what an optimizer and a dropout layer keep beside."""
    with h5py.File(file, "w") as root:
        fill(root, model)
        root["optimizer/vars/0"] = np.int64(3)
        root["optimizer/vars/1"] = np.ones((3, 3))
        root["layers/dropout/seed_generator/vars/0"] = np.zeros(2, np.uint32)


def config(model):
    """Return the description of a model, reduced to what tells its layers."""
    layers = [{"class_name": "InputLayer", "config": {"name": "input_layer"}}]
    for kind, _, name, content in model:
        inner = config(content)["config"] if isinstance(content, list) else {}
        layers.append({"class_name": kind, "config": inner | {"name": name}})
    return {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}


def save_model(path, model, description=None):
    """Write a ``.keras`` file."""
    content = io.BytesIO()
    save_weights(content, model)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(description or config(model)))
        archive.writestr("model.weights.h5", content.getvalue())


def save_legacy(path, model):
    """Write an ``.h5`` file; the weights are called 0, 1 … instead of kernel, bias …"""
    with h5py.File(path, "w") as root:
        weights = root.create_group("model_weights")
        weights.attrs["layer_names"] = [name for _, _, name, _ in model]
        for _, _, name, content in model:
            group = weights.create_group(name)
            inner = content if isinstance(content, list) else [("", "", "", content)]
            names = []
            for _, _, child, arrays in inner:
                for index, array in enumerate(arrays):
                    names.append("/".join(filter(None, ("model", name, child, str(index)))))
                    group[names[-1]] = array
            group.attrs["weight_names"] = names
