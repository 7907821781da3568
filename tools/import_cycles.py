"""Print an import cycle between folders of fastnn; the exit status is 1 if there is one.

    python tools/import_cycles.py [PACKAGE]

Counts every import statement of Python and Cython: at the top of a module, for type checkers alone,
and inside functions; and every string that names a module of the package, as those do that
``importlib.import_module`` takes. A module of the root counts as a folder of its own;
``fastnn/__init__.py``, which holds the public names, is left out.
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
    imports = folder_imports(package)
    try:
        TopologicalSorter({folder: set(known) for folder, known in imports.items()}).prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]  # each imports the next
        print("import cycle:", " → ".join(cycle))
        for folder, other in pairwise(cycle):
            for place in imports[folder][other]:
                print(f"  {place}")
        return 1
    print(f"no import cycle between the {len(imports)} folders of {package.name}")
    return 0


def folder_imports(package: Path) -> Mapping[str, Mapping[str, list[str]]]:
    """Return the places where folders import each other, by folder and imported folder."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(package.rglob("*.p[yx]*")):
        parts = path.relative_to(package).with_suffix("").parts
        if path.suffix not in READERS or parts == ("__init__",):
            continue
        for line, name in imported(path, package, (package.name, *parts[:-1])):
            if name[0] == package.name and len(name) > 1 and name[1] != parts[0]:
                found[parts[0]][name[1]].append(f"{path}:{line} imports {'.'.join(name)}")
    return found


def imported(path: Path, package: Path, folder: Name) -> Iterator[tuple[int, Name]]:
    """Yield line and absolute dotted name of all that a file imports."""
    for line, name in READERS[path.suffix](path.read_text(encoding="utf-8"), package):
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
