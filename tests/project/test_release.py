"""Versions, licences and metadata of a release."""

import ast
import re
import sys
import tomllib

from project import ROOT

import fastnn


def test_the_newest_entry_of_the_changelog_is_this_version():
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == fastnn.__version__


def test_the_version_stands_in_one_place():
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()
    for name in ("README.md", "CITATION.cff", "setup.py", "build_support.py"):
        assert f'"{fastnn.__version__}"' not in (ROOT / name).read_text(), name


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_extras_of_extras_are_of_this_distribution():
    name, extras = project()["name"], project()["optional-dependencies"]
    assert name == "fastnn-cpu"
    requirements = [requirement for extra in extras.values() for requirement in extra]
    ours = [r for r in requirements if r.startswith("fastnn")]
    assert ours
    for requirement in ours:
        owner, names = re.fullmatch(r"([\w-]+)\[([\w,]+)\]", requirement).groups()
        assert owner == name
        assert set(names.split(",")) <= set(extras)


def test_all_extras_work_without_an_mpi_library():
    def packages(extra):
        for requirement in project()["optional-dependencies"][extra]:
            if requirement.startswith("fastnn-cpu["):
                for other in requirement[len("fastnn-cpu[") : -1].split(","):
                    yield from packages(other)
            else:
                yield re.match(r"[\w-]+", requirement).group()

    found = set(packages("all"))
    assert "mpi4py" not in found
    assert {"matplotlib", "pandas", "optuna", "distributed", "tensorboardX"} <= found
    assert "mpi4py" in set(packages("mpi"))


def test_every_package_that_is_imported_is_declared():
    """Packages of an extra are imported through `optional.module`, or by its users."""
    named = {"scikit_learn": "sklearn"}
    required = {re.match(r"[\w-]+", r).group().replace("-", "_") for r in project()["dependencies"]}
    required = {named.get(name, name) for name in required}
    every = {name for extra in project()["optional-dependencies"].values() for name in extra}
    extra = {re.match(r"[\w-]+", name).group().replace("-", "_") for name in every}
    others = {"alembic", "sqlalchemy"}  # dependencies of Optuna
    known = required | extra | others | set(sys.stdlib_module_names) | {"fastnn"}
    imported = set()
    for file in (ROOT / "fastnn").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.partition(".")[0])
    assert imported - known == set()
    assert "scipy" in required


def test_packages_that_tests_are_skipped_without_are_extras():
    """After the README's command nothing is skipped but comparisons with other projects."""
    extras = project()["optional-dependencies"]
    brought = {re.match(r"\w+", name).group() for name in [*extras["test"], *extras["bench"]]}
    standard, dependencies = {"pty"}, {"asv_runner", "scipy", "sklearn"}
    peers = {"keras", "rich", "torch"}
    needed = set()
    for file in (ROOT / "tests").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        needed |= set(re.findall(r'importorskip\("(\w+)', text))
    assert {"pandas", "polars", "skops"} <= needed
    assert needed - brought - standard - dependencies - peers == set()


def texts():
    """Everything that users read: the package, the documentation, the first pages, the examples."""
    for pattern in ("*.md", "*.toml", "docs/**/*.md", "docs/**/*.rst", "fastnn/**/*.py"):
        yield from ROOT.glob(pattern)
    yield from ROOT.glob("examples/*.*")
    yield from ROOT.glob("benchmarks/**/*.py")


def test_no_text_installs_a_project_of_another_name():
    """Before a release, `pip install fastnn` would bring another project's package."""
    foreign = re.compile(r"pip install (-\S+ )*([^-`]\S* )*[\"']?fastnn\b")
    found = [
        f"{file.relative_to(ROOT)}: {line}"
        for file in texts()
        if ".venv" not in file.parts
        for line in file.read_text(encoding="utf-8").splitlines()
        if foreign.search(line)
    ]
    assert found == []


def test_messages_about_extras_come_from_one_function():
    homes = {
        file.relative_to(ROOT / "fastnn").as_posix()
        for file in (ROOT / "fastnn").rglob("*.py")
        if re.search(r'pip install ["\']?[."]', file.read_text(encoding="utf-8"))
    }
    assert homes == {"utils/optional.py"}
