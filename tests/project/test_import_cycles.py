"""`tools/import_cycles.py` finds every kind of import that leaves a folder."""

import runpy

import pytest
from project import ROOT

TOOL = runpy.run_path(str(ROOT / "tools" / "import_cycles.py"))
CYTHON_LINES = """\

cdef int a = 1
from ..upper cimport (  # why
    Thing,
    Other as O,
)
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("module.py", "from ..upper import high"),
        ("module.py", "from ..upper.high import thing"),
        ("module.py", "def late():\n    from .. import upper"),
        ("module.py", "if TYPE_CHECKING:\n    import package.upper.high as high"),
        ("module.py", "import importlib\nimportlib.import_module('package.upper')"),
        ("module.py", "from importlib import import_module as f\nf('package.upper.high')"),
        ("module.py", "import importlib\nimportlib.import_module('..upper', __package__)"),
        ("module.py", "import importlib\nimportlib.import_module('.upper', 'package')"),
        ("module.py", "__import__('package.upper')"),
        ("module.pyi", "from ..upper import high"),
        ("module.pyx", "import math, package.upper.high as high"),
        ("module.pyx", "from package.upper import high  # why"),
        ("module.pyx", "def late():\n    from .. import upper"),
        ("module.pxi", "import importlib\nimportlib.import_module('package.upper')"),
        ("module.pxd", CYTHON_LINES),
    ],
)
def test_a_cycle_is_printed_with_the_lines_that_make_it(name, text, tmp_path, capsys):
    package = tmp_path / "package"
    for folder in ("lower", "upper"):
        (package / folder).mkdir(parents=True)
    (package / "upper" / "high.py").write_text("from ..lower import module\n")
    (package / "lower" / name).write_text(text)
    assert TOOL["main"](package) == 1
    printed = capsys.readouterr().out
    line = 3 if text is CYTHON_LINES else text.count("\n") + 1
    assert f"{name}:{line} imports package.upper" in printed


@pytest.mark.parametrize(
    "text", ["'package.nothing'", "'the folder package.upper'", "import_module('upper')"]
)
def test_other_strings_are_no_imports(text, tmp_path):
    package = tmp_path / "package"
    (package / "lower").mkdir(parents=True)
    (package / "upper").mkdir()
    (package / "upper" / "high.py").write_text("from ..lower import module\n")
    (package / "lower" / "module.py").write_text(text)
    assert TOOL["main"](package) == 0


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("from .other import thing", 1),
        ("if TYPE_CHECKING:\n    from . import other", 1),
        ("from package.folder.other import thing", 1),
        ("def late():\n    from . import other", 0),
        ("from .third import other", 0),
    ],
)
def test_modules_of_a_folder_import_each_other_one_way(text, status, tmp_path, capsys):
    folder = tmp_path / "package" / "folder"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("from .one import thing\n")
    (folder / "other.py").write_text("from . import one\n")
    (folder / "third.py").write_text("")
    (folder / "one.py").write_text(text)
    assert TOOL["main"](tmp_path / "package") == status
    assert ("folder.one → folder.other" in capsys.readouterr().out) == status
