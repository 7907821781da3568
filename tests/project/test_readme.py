"""README says what is so: its commands are two, its examples run, and its map is right."""

import re
import subprocess
import tomllib

import pytest
from project import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    """Contents of the fenced blocks of one language, as lists of lines."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text.splitlines() for text in found]


def commands():
    return [block[0] for block in blocks("sh")]


def test_introduction_has_five_lines():
    introduction = README.split("\n\n")[1]
    assert len(introduction.splitlines()) == 5


def test_two_commands_of_one_line_each():
    assert [len(block) for block in blocks("sh")] == [1, 1]
    assert README.count("```") == 2 * 4  # and two Python examples, nothing else


@pytest.mark.parametrize("command", commands())
def test_commands_make_an_environment_install_and_run(command):
    make, install, run = command.split(" && ")
    folder = re.fullmatch(r"python3 -m venv (\S+)", make).group(1)
    assert re.fullmatch(rf'{re.escape(folder)}/bin/pip install "\.\[\w+\]"', install)
    assert run.startswith(f"{folder}/bin/")
    subprocess.run(["sh", "-n", "-c", command], check=True)  # it parses


def test_commands_are_demo_and_tests():
    demo, tests = (command.split(" && ")[-1] for command in commands())
    assert demo.endswith("/bin/fastnn demo")
    assert tests.endswith("/bin/pytest")


def test_extras_exist():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for command in commands():
        [extra] = re.findall(r'"\.\[(\w+)\]"', command)
        assert extra in project["optional-dependencies"]


def test_examples_are_short_and_run(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # the first writes a model file
    examples, namespace = blocks("python"), {}
    assert [len([line for line in example if line]) for example in examples] == [10, 4]
    for example in examples:
        exec(compile("\n".join(example), "README.md", "exec"), namespace)
    accuracies = re.findall(r"(?:'accuracy': |^)(0\.[0-9]+)", capsys.readouterr().out, re.MULTILINE)
    assert len(accuracies) == 2
    assert min(map(float, accuracies)) > 0.95
    assert (tmp_path / "digits.safetensors").stat().st_size > 4 * 64 * 128


def test_map_names_what_exists():
    rows = re.findall(r"^\| (.+?) \| .+ \|$", README.split("## Where things are")[1], re.MULTILINE)
    names = [name for row in rows[1:] for name in re.findall(r"`([^`]+)`|\(([^)]+)\)", row)]
    paths = [a or b for a, b in names]
    assert len(paths) > 15
    missing = [p for p in paths if not (ROOT / p).exists() and not (ROOT / "fastnn" / p).exists()]
    assert missing == []
