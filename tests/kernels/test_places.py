"""Every place that CONTRIBUTING lists for a kernel, an activation or a layer has its test."""

import ast
import importlib
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastnn
from fastnn import kernels
from fastnn.activations.named import ACTIVATIONS
from fastnn.kernels import KERNELS
from fastnn.layers import Dense, Layer
from fastnn.losses import LOSSES, Loss
from fastnn.optimizers import OPTIMIZERS, Optimizer

TESTS = Path(__file__).parents[1]
PACKAGE = Path(fastnn.__file__).parent

# Tests that run over the table know a kernel without knowing its answer.
OF_THE_TABLE = {"test_table.py", "test_contract.py", "test_native_guards.py", Path(__file__).name}


def names_in(path):
    """Names that a test file calls or gives as text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"\w+", node.value)


def test_every_kernel_has_a_test_of_known_answers():
    files = [p for p in (TESTS / "kernels").glob("test_*.py") if p.name not in OF_THE_TABLE]
    others = ("normalization", "input_normalization", "noise")
    files += [TESTS / "layers" / f"test_{name}.py" for name in others]
    files += [TESTS / "activations" / "test_custom_checks.py", TESTS / "compiler/test_folding.py"]
    named = {name for path in files for name in names_in(path)}
    assert set(KERNELS) <= named


@pytest.mark.parametrize("name", kernels.ACTIVATIONS)
def test_activations_tell_of_their_kink_and_whether_they_rectify(name):
    """Both are seen in the values: one-sided derivatives at 0, and what becomes of z = -30."""
    h = 1e-3
    z = np.array([-2 * h, -h, 0.0, h, 2 * h, -30.0, 30.0])
    y = np.empty_like(z)
    kernels.activation_fwd(y, z, name)
    first, second = np.diff(y[:5]) / h, np.diff(y[:5], 2) / h**2
    jumps = abs(first[1] - first[2]) > 0.1 or abs(second[0] - second[2]) > 0.1
    assert ACTIVATIONS[name].kink == jumps
    rectified = abs(y[5]) < 0.1 * abs(y[6]) and y[6] == pytest.approx(30)
    assert (ACTIVATIONS[name].initializer == "he_normal") == rectified or name == "selu"


def test_dense_lists_every_activation():
    text = re.search(r"activation : .*?\n(.*?);", Dense.__doc__, re.DOTALL)[1]
    assert set(re.findall(r"\w+", re.sub(r"\(.*?\)", "", text))) >= set(kernels.ACTIVATIONS)


def classes_of(package, base):
    """Classes of a family that stand in the modules of a package."""
    for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
    family = base.family().values()
    return {kind for kind in family if kind.__module__.startswith(package.__name__ + ".")}


@pytest.mark.parametrize(
    ("package", "base", "table"),
    [
        (fastnn.layers, Layer, None),
        (fastnn.losses, Loss, LOSSES),
        (fastnn.optimizers, Optimizer, OPTIMIZERS),
    ],
    ids=["layers", "losses", "optimizers"],
)
def test_descriptions_are_exported_and_have_their_name(package, base, table):
    found = classes_of(package, base)
    assert len(found) >= 7
    for kind in found:
        assert getattr(fastnn, kind.__name__, None) is kind
        assert kind.__name__ in package.__all__
    if table is not None:
        # named losses are those of a kernel alone; half a squared error is a setting of one
        assert found - set(table.values()) <= {fastnn.HalfSquaredError}


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"lbfgs"}))
def test_every_optimizer_has_its_recurrence_by_hand(name):
    optimizer = OPTIMIZERS[name]()
    kernel, _ = optimizer.step(None, None, [None] * len(optimizer.slots), None, None, 0.0)
    assert kernel in set(names_in(TESTS / "kernels" / "test_trajectories.py"))


# Place of CONTRIBUTING: (file, what is left out, what stands there instead, the test that sees it).
LEFT_OUT = {
    "function of the reference": (
        "fastnn/kernels/reference/optimizer.py",
        "def lion_step(",
        "def leo_step(",
        "tests/kernels/test_table.py::test_back_ends_have_the_kernels_of_the_table",
    ),
    "row of the table": (
        "fastnn/kernels/reference/penalty.py",
        '@kernel(arrays={"x": Array("*")}, flops=per("*", 2), relative_to="array")\n',
        "",
        "tests/kernels/test_table.py::test_back_ends_have_the_kernels_of_the_table",
    ),
    "check of a scalar": (
        "fastnn/kernels/contract.py",
        '    "momentum_decay": _not_negative,\n',
        "",
        "tests/kernels/test_table.py::test_rows_describe_their_signatures",
    ),
    "known answers": (
        "tests/kernels/test_trajectories.py",
        "lion_step",
        "sgd_step",
        "tests/kernels/test_places.py::test_every_kernel_has_a_test_of_known_answers",
    ),
    "kink of an activation": (
        "fastnn/kernels/reference/activation.py",
        "_leaky_relu_slope, kink=True)",
        "_leaky_relu_slope)",
        "tests/kernels/test_places.py::test_activations_tell_of_their_kink_and_whether_they_rectify",
    ),
    "activation in the list of Dense": (
        "fastnn/layers/dense.py",
        "silu, softplus",
        "softplus",
        "tests/kernels/test_places.py::test_dense_lists_every_activation",
    ),
    "export of an optimizer": (
        "fastnn/optimizers/descent.py",
        '"Lion", ',
        "",
        "tests/kernels/test_places.py::test_descriptions_are_exported_and_have_their_name",
    ),
    "export of a loss": (
        "fastnn/losses/regression.py",
        '    "Huber",\n',
        "",
        "tests/kernels/test_places.py::test_descriptions_are_exported_and_have_their_name",
    ),
    "export of a layer": (
        "fastnn/layers/normalization.py",
        ', "LayerNorm"]',
        "]",
        "tests/kernels/test_places.py::test_descriptions_are_exported_and_have_their_name",
    ),
    "name in the package": (
        "fastnn/__init__.pyi",
        "    LayerNorm as LayerNorm,\n",
        "",
        "tests/kernels/test_places.py::test_descriptions_are_exported_and_have_their_name",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("place", LEFT_OUT)
def test_a_place_left_out_is_seen(tmp_path, place):
    """Run in a copy of the project; rows of C that are left out do not build."""
    file, text, instead, test = LEFT_OUT[place]
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "fastnn", ignore=ignored)
    shutil.copytree(TESTS, tmp_path / "tests", ignore=ignored)
    shutil.copy(TESTS.parent / "pyproject.toml", tmp_path)
    path = tmp_path / file
    whole = path.read_text(encoding="utf-8")
    assert text in whole
    path.write_text(whole.replace(text, instead), encoding="utf-8")
    variables = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "FASTNN"))}
    outcome = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test],
        cwd=tmp_path,
        env={**variables, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    said = outcome.stdout + outcome.stderr
    assert outcome.returncode in (1, 2, 4), said  # failed, or no import
    assert "not found:" not in said  # the test itself is there
    assert "passed" not in outcome.stdout.splitlines()[-1] or "failed" in outcome.stdout
