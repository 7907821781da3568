"""Pages with examples: they run, from top to bottom, and print what they say."""

import doctest
import re

import pytest
from project import ROOT

import fastnn

DOCS = ROOT / "docs"
GALLERY = DOCS / "examples"  # made from the programs in examples/
MARKDOWN = [page.relative_to(ROOT).as_posix() for page in sorted(DOCS.glob("**/*.md"))]
TEXTS = {
    page.relative_to(DOCS).as_posix(): page.read_text(encoding="utf-8")
    for pattern in ("*.md", "guide/*.md", "coming_from/*.md", "reference/*.rst")
    for page in sorted(DOCS.glob(pattern))
}
SESSIONS = [page for page, text in TEXTS.items() if re.search(r"^ *>>> ", text, re.MULTILINE)]
#: Pages with programs instead; that on diagnosis has a test of its own.
PROGRAMS = {
    page: re.findall(r"^```python\n((?!>>>).*?)^```$", text, re.MULTILINE | re.DOTALL)
    for page, text in TEXTS.items()
    if page not in SESSIONS and "```python\n" in text and page != "diagnosis.md"
}


@pytest.fixture(autouse=True)
def threads_as_they_were():
    """Some pages set the number of threads."""
    threads = fastnn.get_num_threads()
    yield
    fastnn.set_num_threads(threads)


@pytest.mark.parametrize("page", SESSIONS)
def test_sessions_print_what_they_say(page):
    failed, attempted = doctest.testfile(str(DOCS / page), module_relative=False, encoding="utf-8")
    assert attempted > 0
    assert failed == 0


@pytest.mark.parametrize("page", PROGRAMS)
def test_programs_run_and_print_the_figures_behind_them(page, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    namespace = {}
    for program in PROGRAMS[page]:
        exec(compile(program, page, "exec"), namespace)
        printed = capsys.readouterr().out
        figures = [float(f) for f in re.findall(r"^ *print\(.*\)  # (.+)$", program, re.MULTILINE)]
        if figures:
            assert [float(line) for line in printed.split()] == pytest.approx(figures, abs=0.015)


def test_pages_of_all_kinds_are_found():
    assert len(SESSIONS) > 10
    assert {"layers.md", "optimization.md", "augmentation.md"} == set(PROGRAMS)


def source(page):
    """The file that a page of the gallery is made from, and any other page itself."""
    if page.parent != GALLERY:
        return page
    return ROOT / "examples" / ("GALLERY_HEADER.rst" if page.stem == "index" else f"{page.stem}.py")


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", *MARKDOWN])
def test_links_lead_to_files(page):
    """Sphinx checks those of its pages too; these are read elsewhere as well."""
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text(encoding="utf-8"))
    targets = [((ROOT / page).parent / link).resolve() for link in links]
    assert [path for path in targets if not source(path).exists()] == []
