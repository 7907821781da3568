"""The examples of docs/diagnosis.md run."""

import re

import pytest
from project import ROOT

PAGE = ROOT / "docs" / "diagnosis.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_run(number, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    exec(compile(EXAMPLES[number], PAGE.name, "exec"), {})
    assert re.search("What to do next|suggested learning rate", capsys.readouterr().out)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".html", ".png"}
