"""Docstrings: every public function has one, and none is a fragment."""

import ast
import importlib
import inspect

import pytest
from project import ROOT

#: First words of fragments, which depend on a noun that stands elsewhere.
FRAGMENTS = {"How", "Of", "So", "That", "Those", "What", "Where", "Whether", "Which", "Whose"}
#: First words of noun phrases, which functions do not begin with.
NOUN_PHRASES = {
    "A",
    "All",
    "An",
    "Both",
    "Each",
    "Every",
    "From",
    "No",
    "Some",
    "The",
    "These",
    "To",
}


FILES = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "fastnn").rglob("*.py"))]


def documented(tree):
    """Yield each docstring, and whether it is that of a function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            decorators = [ast.unparse(d) for d in getattr(node, "decorator_list", ())]
            is_property = any(name.endswith("property") for name in decorators)
            if text is not None:
                yield text, isinstance(node, ast.FunctionDef) and not is_property


def public_functions(module):
    """Yield the public functions, methods and properties that a module defines, by name."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(value):
            for key, member in vars(value).items():
                function = getattr(member, "fget", getattr(member, "__func__", member))
                if inspect.ismemberdescriptor(member):
                    continue  # an attribute that has a slot
                if not key.startswith("_") and getattr(function, "__name__", None) == key:
                    yield f"{name}.{key}", getattr(value, key)
        elif inspect.isfunction(value) and value.__name__ == name:
            yield name, value


@pytest.mark.parametrize("file", FILES)
def test_docstrings_are_sentences(file):
    for text, is_function in documented(ast.parse((ROOT / file).read_text(encoding="utf-8"))):
        refused = FRAGMENTS | NOUN_PHRASES if is_function else FRAGMENTS
        assert text.split()[0] not in refused, text


@pytest.mark.parametrize("file", FILES)
def test_public_functions_have_docstrings(file):
    if file.endswith("__main__.py"):
        return  # runs the command line
    name = file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    module = importlib.import_module(name)
    assert [
        name for name, function in public_functions(module) if not inspect.getdoc(function)
    ] == []
