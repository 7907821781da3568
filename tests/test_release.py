"""What a release says about itself."""

from __future__ import annotations

import re
from pathlib import Path

import fastnn

ROOT = Path(__file__).parents[1]


def test_the_newest_entry_of_the_changelog_is_this_version():
    versions = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == fastnn.__version__


def test_the_version_stands_in_one_place():
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()
    for name in ("README.md", "CITATION.cff", "setup.py", "build_support.py"):
        assert f'"{fastnn.__version__}"' not in (ROOT / name).read_text(), name
