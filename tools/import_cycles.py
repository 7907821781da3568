"""Print an import cycle between folders of fastnn; the exit status is 1 if there is one.

    python tools/import_cycles.py [PACKAGE]

Counts every import statement: at the top of a module, for type checkers alone, and inside
functions. A module of the root counts as a folder of its own; ``fastnn/__init__.py``, which holds
the public names, is left out.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path


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
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        if parts == ("__init__",):
            continue
        for line, names in imported(path, (package.name, *parts[:-1])):
            for name in names:
                if name[0] == package.name and len(name) > 1 and name[1] != parts[0]:
                    found[parts[0]][name[1]].append(f"{path}:{line} imports {'.'.join(name)}")
    return found


def imported(path: Path, folder: tuple[str, ...]) -> Iterator[tuple[int, list[tuple[str, ...]]]]:
    """Yield the line of each import statement of a file, and the dotted names that it asks for."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield node.lineno, [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] if node.level else ()
            base += tuple(node.module.split(".")) if node.module else ()
            yield node.lineno, [(*base, alias.name) for alias in node.names]


if __name__ == "__main__":
    default = Path(__file__).resolve().parents[1] / "fastnn"
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else default))
