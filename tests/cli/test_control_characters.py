"""Names and cells that would steer a terminal."""

import os

import pandas as pd
import pytest
from commands import refused

from fastnn.cli import main

HARMFUL = "\x1b\x07\x9b\u202e\x00\x7f"
LABEL = "b\x1b]0;owned\x07\x9b31m\u202e"
NAME = "a\x9b31m\u202e\x7f"
ESCAPED_LABEL = r"b\x1b]0;owned\x07\x9b31m\u202e"


def check_harmless(text):
    assert not set(HARMFUL) & set(text)


@pytest.fixture
def table(tmp_path):
    """A table with a column and a class of such names."""
    rows = [f"{i * 13 % 17},{i % 7},{'x' if i % 3 else LABEL}" for i in range(90)]
    file = tmp_path / "table.csv"
    file.write_text("\n".join([f"{NAME},b,y", *rows]), encoding="utf-8")
    return file


def test_nothing_that_is_printed_steers_the_terminal(table, tmp_path, capsys):
    model, new = tmp_path / "m", tmp_path / "new.csv"
    commands = [
        ["train", table, "--target", "y", "--epochs", "2", "--out", model],
        ["train", table, "--target", "y", "--epochs", "2", "--drop", NAME, "--out", model],
        ["train", table, "--target", NAME, "--task", "classification", "--out", tmp_path / "n"],
        ["train", table, "--target", "zzz", "--out", model],
        ["train", table, "--target", f"y{HARMFUL[:-2]}", "--out", model],
        ["train", f"{table}{NAME}", "--target", "y", "--out", model],
        ["train", table, "--target", "y", "--activation", NAME, "--out", model],
        ["train", table, "--target", "y", f"--{NAME}"],
        [NAME],
        ["predict", model, table],
        ["predict", model, new],
        ["predict", new, new],
        ["search", table, "--target", "y", "--epochs=1", "--trials=2", "--out", tmp_path / NAME],
    ]
    new.write_text(f"{NAME},unknown{NAME}\n1,2\n{LABEL},3\n", encoding="utf-8")
    for command in commands:
        main([*map(str, command)])
        printed = capsys.readouterr()
        assert printed.out + printed.err
        check_harmless(printed.out + printed.err)


def test_files_keep_cells_as_they_are_and_the_screen_says_that_it_does_not(table, tmp_path, capsys):
    model, out = tmp_path / "m", tmp_path / "p.csv"
    assert main(["train", str(table), "--target", "y", "--epochs", "2", "--out", str(model)]) == 0
    capsys.readouterr()
    assert main(["predict", str(model), str(table), "--out", str(out)]) == 0
    assert capsys.readouterr().err == ""
    assert f"probability_{LABEL}" in pd.read_csv(out).columns
    assert main(["predict", str(model), str(table), "--out", "-"]) == 0
    assert capsys.readouterr().out == out.read_text(encoding="utf-8")
    assert main(["predict", str(model), str(table)]) == 0
    printed = capsys.readouterr()
    assert f"probability_{ESCAPED_LABEL}" in printed.out
    assert "--out FILE writes them as they are" in printed.err


def test_file_names_that_are_no_text_are_told(capsys, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b.csv")
    error = refused(capsys, "train", name, "--target", "y", "--out", tmp_path / "m")
    assert r"\udcff\x1b.csv: no such file" in error


def test_the_report_of_a_search_holds_no_control_characters(table, tmp_path, capsys):
    out = tmp_path / "s"
    options = ["--target", "y", "--epochs", "1", "--trials", "2", "--quiet", "--out", str(out)]
    assert main(["search", str(table), *options]) == 0
    page = (out / "report.html").read_text(encoding="utf-8")
    check_harmless(page)
