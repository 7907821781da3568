"""The reference is complete, and the tables for newcomers name what there is."""

import ast
import doctest
import importlib
import inspect
import re

import pytest
from project import ROOT

import fastnn

DOCS = ROOT / "docs"

PACKAGES = (
    "augmentation callbacks convert estimators initializers kernels layers losses optimizers "
    "schedules search serialization tables training.population"
)
MODULES = [importlib.import_module(f"fastnn.{name}") for name in PACKAGES.split()]
EXPORTED = [
    pytest.param(getattr(module, name), id=f"{module.__name__}.{name}")
    for module in (fastnn, *MODULES)
    for name in module.__all__
    if not inspect.ismodule(getattr(module, name))
]


def listed(page):
    """The objects that a page of the reference lists, one a line, or as members of a module."""
    module = fastnn
    for line in page.read_text(encoding="utf-8").splitlines():
        if found := re.fullmatch(r"\.\. (?:currentmodule|automodule|py:module):: (\S+)", line):
            module = importlib.import_module(found[1])
        elif found := re.fullmatch(r" +:members:(.*)", line):
            names = found[1].replace(",", " ").split() or module.__all__
            yield from (getattr(module, name) for name in names)
        elif found := re.fullmatch(r"(?:   |\.\. py:data:: )(\w+)", line):
            yield getattr(module, found[1], None)  # or it is what an example prints


REFERENCE = [thing for page in sorted((DOCS / "reference").glob("*.rst")) for thing in listed(page)]


@pytest.mark.parametrize("public", EXPORTED)
def test_public_names_are_in_the_reference(public):
    assert any(thing is public for thing in REFERENCE)


@pytest.mark.parametrize("public", [p for p in EXPORTED if callable(p.values[0])])
def test_public_names_have_examples(public):
    documentation = inspect.cleandoc(public.__doc__)
    assert "\nExamples\n--------\n" in documentation
    assert doctest.DocTestParser().get_examples(documentation)


def test_pages_of_the_reference_are_in_its_contents():
    contents = (DOCS / "reference" / "index.md").read_text(encoding="utf-8").splitlines()
    assert all(page.stem in contents for page in (DOCS / "reference").glob("*.rst"))


# ----------------------------------------------------------------------------- names for newcomers

#: What the tables for newcomers call a network and what its fit returns.
SPOKEN = {"net": fastnn.Network, "history": fastnn.History}
#: What stands on our side of them without being ours.
FOREIGN = ("argmax", "len(history.epoch)", "numpy.memmap", "predict", 'unit="epoch"')


def ours():
    """The code in the last columns of the tables for newcomers."""
    for page in ("scikit_learn", "keras", "pytorch", "convolutions"):
        text = (DOCS / "coming_from" / f"{page}.md").read_text(encoding="utf-8")
        rows = re.findall(r"^\|.*\| (.*) \|$", text, re.MULTILINE)
        spans = {span for row in rows for span in re.findall(r"`([^`]+)`", row)}
        assert len(spans) > 20
        yield from (
            pytest.param(span, id=f"{page}: {span}") for span in sorted(spans - set(FOREIGN))
        )


def resolve(node):
    """Return the object that an expression names, calls or looks into."""
    if isinstance(node, ast.Attribute):
        return getattr(resolve(node.value), node.attr)
    if isinstance(node, ast.Name):
        named = {"fastnn": fastnn, **SPOKEN}
        homes = [module for module in (fastnn, *MODULES) if hasattr(module, node.id)]
        return named[node.id] if node.id in named else getattr(homes[0], node.id)
    return resolve(node.func if isinstance(node, ast.Call) else node.value)


@pytest.mark.parametrize("span", list(ours()))
def test_names_for_newcomers_exist(span):
    expression = ast.parse(span.replace("…", "..."), mode="eval").body
    if isinstance(expression, ast.Constant):
        if expression.value not in fastnn.kernels.ACTIVATIONS:
            fastnn.Conv2D(1, 1, padding=expression.value)  # which refuses what is no padding
        return
    thing = resolve(expression)
    if isinstance(expression, ast.Call):
        spoken = isinstance(expression.func, ast.Attribute) and span.split(".")[0] in SPOKEN
        arguments = [*["self"] * spoken, *expression.args]
        keywords = {keyword.arg: None for keyword in expression.keywords}
        inspect.signature(thing).bind_partial(*arguments, **keywords)
