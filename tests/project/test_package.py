"""The package as a whole: what importing it costs, and what it shows."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import fastnn

HEAVY = ("sklearn", "scipy", "numba", "pandas", "matplotlib", "tqdm", "safetensors", "joblib")


def modules_after(statement):
    program = f"import sys; {statement}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import fastnn",
        "from fastnn import Network, Dense, Adam; import fastnn.kernels",
        "import fastnn as f; f.Network([f.Dense(2)], loss='huber').build(3).predict([[1, 2, 3]])",
    ],
)
def test_heavy_libraries_wait_until_they_are_used(statement):
    assert not modules_after(statement) & set(HEAVY)


def test_importing_the_package_loads_nothing_but_itself():
    ours = {name for name in modules_after("import fastnn") if name.startswith("fastnn")}
    assert ours == {"fastnn", "fastnn._version"}


@pytest.mark.parametrize("name", fastnn.__all__)
def test_every_public_name_exists_and_is_documented(name):
    value = getattr(fastnn, name)
    assert name in dir(fastnn)
    if callable(value) and not isinstance(value, type(fastnn)):
        assert value.__doc__
        assert len(value.__doc__) > 20


def test_type_checkers_see_the_names_that_are_loaded_lazily():
    tree = ast.parse(Path(fastnn.__file__).with_suffix(".pyi").read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname for node in imports for alias in node.names}
    assert seen == set(fastnn.__all__) - {"__version__"}


def test_unknown_names_are_attribute_errors():
    with pytest.raises(AttributeError, match="no attribute 'Densee'"):
        _ = fastnn.Densee


def test_every_error_is_a_fastnn_error():
    from fastnn import errors

    classes = [
        c for c in vars(errors).values() if isinstance(c, type) and c.__module__ == errors.__name__
    ]
    assert len(classes) >= 7
    assert all(issubclass(c, fastnn.FastnnError | Warning) for c in classes)
