"""The program: its help, what it says of the installation, and how it ends."""

import signal
import subprocess
import sys

import pandas as pd
from commands import refused, run

import fastnn
from fastnn.cli import main


def test_version_and_help():
    assert run("--version").stdout == f"fastnn {fastnn.__version__}\n"
    text = run("--help").stdout
    for command in ("demo", "train", "predict", "search", "info"):
        assert f"\n    {command} " in text
        assert "example:" in run(command, "--help").stdout


def test_help_imports_nothing_heavy():
    code = (
        "import sys, fastnn.cli; fastnn.cli.build_parser().format_help();"
        "print({'numpy', 'pandas', 'sklearn', 'numba', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_unknown_commands_and_options_are_one_line(capsys):
    assert "invalid choice: 'trian'" in refused(capsys, "trian")
    assert "required: --target" in refused(capsys, "train", "x.csv", "--out", "y")
    assert "--epochs" in refused(
        capsys, "train", "x.csv", "--target", "a", "--out", "y", "--epochs", "x"
    )
    assert "COMMAND" in refused(capsys)


def test_info_names_what_runs():
    output = run("info").stdout
    assert fastnn.__version__ in output
    for word in ("instruction set", "threads", "OpenMP", "native", "numba", "reference"):
        assert word in output


def test_ctrl_c_ends_with_130_and_no_file(iris, tmp_path):
    out = tmp_path / "m.safetensors"
    options = ["--target", "species", "--out", out, "--epochs", "1000000", "--validation-fraction"]
    command = [sys.executable, "-um", "fastnn", "train", iris, *options, "0"]
    with subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            if line.startswith("layers"):
                break  # training is next
        process.send_signal(signal.SIGINT)
        error = process.communicate(timeout=600)[1]
    assert process.returncode == 130
    assert error == "fastnn: interrupted; no file was written\n"
    assert [file.name for file in tmp_path.iterdir()] == ["iris.csv"]


def test_a_closed_pipe_is_no_error(iris, tmp_path):
    model, big = tmp_path / "m.safetensors", tmp_path / "big.csv"
    main(["train", str(iris), "--target", "species", "--quiet", "--out", str(model)])
    pd.concat([pd.read_csv(iris)] * 100).to_csv(big, index=False)
    command = f'"{sys.executable}" -m fastnn predict "{model}" "{big}" | head -n 1'
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("species,")
    assert done.stderr == ""
