"""Pages with examples: they run, in one go, and print what they say."""

import doctest
from pathlib import Path

import pytest

PAGES = [
    page
    for page in sorted(Path(__file__).parents[1].joinpath("docs").glob("*.md"))
    if "\n>>> " in page.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_examples_run(page):
    failed, attempted = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert attempted > 0
    assert failed == 0
