"""Print an import cycle of fastnn, of folders or of modules; the exit status is 1 if there is one.

    python tools/import_cycles.py [PACKAGE]

Counts every import statement of Python and Cython: at the top of a module, for type checkers alone,
and inside functions; and every string that names a module of the package, as those do that
``importlib.import_module`` takes. A module of the root counts as a folder of its own;
``fastnn/__init__.py``, which holds the public names, is left out. Between the modules of one
folder, imports inside functions are not counted.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

#: An import statement of Cython, with names in parentheses or on one line.
CYTHON_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+(?P<module>[\w.]+)[ \t]+c?import[ \t]*"
    r"(?:\((?P<several>[^)]*)\)|(?P<names>.*))|c?import[ \t]+(?P<modules>.*))",
    re.MULTILINE,
)

Name = tuple[str, ...]


def main(package: Path) -> int:
    """Print one cycle of folders and the imports that make it; return the exit status."""
    folders, modules = defaultdict(edges), defaultdict(edges)
    for path in sorted(package.rglob("*.p[yx]*")):
        parts = path.relative_to(package).with_suffix("").parts
        if path.suffix not in READERS or parts == ("__init__",):
            continue
        text, folder = path.read_text(encoding="utf-8"), (package.name, *parts[:-1])
        late = late_lines(text) if path.suffix == ".py" else set()
        for line, name in imported(path, text, package, folder):
            if name[0] != package.name or len(name) == 1:
                continue
            place = f"{path}:{line} imports {'.'.join(name)}"
            if name[1] != parts[0]:
                folders[parts[0]][name[1]].append(place)
            elif line not in late and (module := module_of(name, package)) != ".".join(parts):
                modules[".".join(parts)][module].append(place)
    if print_cycle(folders) or print_cycle(modules):
        return 1
    print(f"no import cycle between {len(folders)} folders, nor within one, of {package.name}")
    return 0


def edges() -> dict[str, list[str]]:
    """Return an empty map of what is imported to the places where it is."""
    return defaultdict(list)


def print_cycle(imports: Mapping[str, Mapping[str, list[str]]]) -> bool:
    """Print a cycle and the imports that make it; return whether there is one."""
    try:
        TopologicalSorter({one: set(known) for one, known in imports.items()}).prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]  # each imports the next
        print("import cycle:", " → ".join(cycle))
        for one, other in pairwise(cycle):
            for place in imports[one][other]:
                print(f"  {place}")
        return True
    return False


def module_of(name: Name, package: Path) -> str:
    """Return the module, below the package, that holds an absolute dotted name."""
    parts = list(name[1:])
    while len(parts) > 1 and not is_module(".".join((package.name, *parts)), package):
        parts.pop()
    path = package.joinpath(*parts)
    return ".".join((*parts, "__init__") if path.is_dir() else parts)


def late_lines(text: str) -> set[int]:
    """Return the lines inside functions of Python."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, functions))
    return {line for one in found for line in range(one.lineno + 1, (one.end_lineno or 0) + 1)}


def imported(path: Path, text: str, package: Path, folder: Name) -> Iterator[tuple[int, Name]]:
    """Yield line and absolute dotted name of all that a file imports."""
    for line, name in READERS[path.suffix](text, package):
        level = len(name) - len(name.lstrip("."))
        above = folder[: len(folder) - level + 1] if level else ()
        yield line, (*above, *filter(None, name.split(".")))


def of_python(text: str, package: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of imports in Python, as they are written."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (f"{node.module}." if node.module else "")
            yield from ((node.lineno, base + alias.name) for alias in node.names)
        elif isinstance(node, ast.Constant) and is_module(node.value, package):
            yield node.lineno, node.value
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            names = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if names and str(names[0]).startswith("."):
                own = is_module(names[-1], package) or names[-1] == package.name
                yield node.lineno, f"{names[-1]}{names[0]}" if own else names[0]


def of_cython(text: str, package: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of imports in Cython, as they are written."""
    text = re.sub("#.*", "", text)
    for found in CYTHON_IMPORT.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        base = found["module"] or ""
        base += "." if base.strip(".") else ""
        names = found["several"] or found["names"] or found["modules"]
        for name in re.findall(r"(?:^|,)\s*([\w.]+)", names):
            yield line, base + name
    for found in re.finditer(r"""(["'])([\w.]+)\1""", text):
        if is_module(found[2], package):
            yield text.count("\n", 0, found.start()) + 1, found[2]


def is_module(value: object, package: Path) -> bool:
    """Return whether a constant is the dotted name of a module or folder of the package."""
    if not isinstance(value, str) or not re.fullmatch(rf"{package.name}(\.\w+)+", value):
        return False
    path = package.parent.joinpath(*value.split("."))
    return path.is_dir() or any(path.with_suffix(suffix).is_file() for suffix in READERS)


READERS = {".py": of_python, ".pyi": of_python}
READERS |= dict.fromkeys((".pyx", ".pxi", ".pxd"), of_cython)

if __name__ == "__main__":
    default = Path(__file__).resolve().parents[1] / "fastnn"
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else default))
