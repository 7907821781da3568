"""Command lines to run, and what comes of them."""

import subprocess
import sys

from fastnn.cli import main


def run(*arguments, **options):
    """`python -m fastnn` in a process of its own."""
    command = [sys.executable, "-m", "fastnn", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def refused(capsys, *arguments):
    """The error of a command line that is refused: exactly one line."""
    assert main([*map(str, arguments)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("fastnn: error: ")
    assert error.count("\n") == 1
    return error


def figures(output, name="network"):
    """The two numbers in a row of the table of scores."""
    [line] = [line for line in output.splitlines() if line.startswith(f"{name} ")]
    return [float(word) for word in line.split()[-2:]]
