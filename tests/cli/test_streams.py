"""Standard streams: pipes that are read once, closed ones, full ones, readers that leave."""

import os
import subprocess
import sys
import threading

import pytest
from commands import run

from fastnn.cli import main

PROGRAM = f'"{sys.executable}" -m fastnn'
TABLE = "a,b,y\n" + "".join(f"{i % 17},{i % 5},{'no' if i % 3 else 'yes'}\n" for i in range(120))


def shell(command, folder, **options):
    return subprocess.run(
        ["bash", "-c", command.replace("fastnn", PROGRAM)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "table.csv").write_text(TABLE)
    return tmp_path


@pytest.fixture
def trained(folder, capsys):
    """The folder with a model of the table, called m."""
    out = str(folder / "m")
    table = str(folder / "table.csv")
    assert main(["train", table, "--target", "y", "--epochs", "3", "--out", out]) == 0
    capsys.readouterr()
    return folder


TRAIN = "fastnn train {} --target y --epochs 3 --quiet --out {}"


def test_a_table_from_a_pipe_is_the_table_of_the_file(folder):
    """Long enough that no buffer of a pipe holds it."""
    rows = TABLE.partition("\n")[2]
    (folder / "table.csv").write_text(TABLE + rows * 100)
    ways = {
        "file": TRAIN.format("table.csv", "file"),
        "dash": TRAIN.format("-", "dash") + " < table.csv",
        "pipe": "cat table.csv | " + TRAIN.format("/dev/stdin", "pipe"),
        "substitution": TRAIN.format("<(cat table.csv)", "substitution"),
        "compressed": TRAIN.format("<(gzip -c table.csv)", "compressed"),
    }
    for command in ways.values():
        done = shell(command, folder)
        assert done.returncode == 0, done.stderr
    assert len({(folder / way).read_bytes() for way in ways}) == 1


def test_a_fifo_is_read_once(trained):
    os.mkfifo(trained / "fifo")
    writer = threading.Thread(target=lambda: (trained / "fifo").write_text(TABLE))
    writer.start()
    done = shell("fastnn predict m fifo", trained)
    writer.join()
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 121


def test_predictions_go_to_files_pipes_and_devices_alike(trained):
    expected = shell("fastnn predict m table.csv", trained).stdout
    assert expected.startswith("y,probability_no,probability_yes\n")
    for command in (
        "fastnn predict m - < table.csv",
        "fastnn predict m table.csv --out -",
        "fastnn predict m table.csv --out /dev/stdout",
        "fastnn predict m table.csv --out >(cat)",
        "fastnn predict m table.csv --out p.csv && cat p.csv",
    ):
        done = shell(command + " | cat", trained)
        assert done.stdout == expected, command
        assert done.stderr == ""
    assert shell("fastnn predict m table.csv --out /dev/null", trained).returncode == 0
    assert not list(trained.glob(".fastnn*"))


def test_empty_pipes_and_closed_standard_input_are_named(folder):
    for command, message in (
        ("fastnn train - --target y < /dev/null", "-: the file is empty"),
        ("fastnn train - --target y <&-", "-: standard input is closed"),
        ("fastnn predict - table.csv", "MODEL -: a model is read from a file"),
        ("fastnn predict <(cat table.csv) table.csv", "it is not a regular file"),
        ("fastnn train table.csv --target y --out >(cat)", "is a device or a pipe"),
        ("fastnn train - --target y --out table.csv < table.csv", "would overwrite the file"),
    ):
        done = shell(command, folder)
        assert done.returncode == 2, command
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("rest", ["| true", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_training_goes_on_when_nobody_reads_its_output(folder, rest):
    for number, unbuffered in enumerate(("", "1")):
        command = TRAIN.format("table.csv", f"m{number}").replace("--quiet ", "")
        environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        done = shell(f"set -o pipefail; {command} {rest}", folder, env=environment)
        assert done.returncode == 0, (rest, done.stderr)
        assert (folder / f"m{number}").stat().st_size > 1000
        assert "warning" in done.stderr or not done.stderr


def test_predict_ends_well_when_its_reader_has_seen_enough(trained):
    (trained / "big.csv").write_text(TABLE + TABLE.partition("\n")[2] * 500)
    for out in ("", "--out -", "--out /dev/stdout", "--out >(head -n 1 >&2)"):
        done = shell(f"set -o pipefail; fastnn predict m big.csv {out} | head -n 1", trained)
        assert done.returncode == 0, (out, done.stderr)
        assert (done.stdout + done.stderr) == "y,probability_no,probability_yes\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize(
    ("command", "unbuffered"),
    [("--help", ""), ("--version", "1"), ("info", "1"), ("predict m table.csv", "")],
)
def test_a_full_standard_output_is_one_line(trained, command, unbuffered):
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    done = shell(f"fastnn {command} > /dev/full", trained, env=environment)
    assert done.returncode == 2
    assert done.stderr == "fastnn: error: standard output: No space left on device\n"
    assert shell(f"fastnn {command} > /dev/full 2>&1", trained, env=environment).returncode == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_device_is_named_as_it_was_given(trained):
    done = shell("fastnn predict m table.csv --out /dev/full", trained)
    assert done.returncode == 2
    assert done.stderr == "fastnn: error: --out /dev/full: No space left on device\n"


def test_predictions_that_nothing_receives_are_an_error(trained):
    done = shell("fastnn predict m table.csv >&-", trained)
    assert done.returncode == 2
    assert done.stderr == "fastnn: error: standard output: is closed\n"


def test_closed_streams_do_not_lend_their_numbers_to_files(folder):
    """Text of the C library for a closed standard error must not reach a file of ours."""
    code = (
        "import os, sys; from fastnn.cli import streams\n"
        "with streams.prepared():\n"
        "    number = os.open('table.csv', os.O_RDONLY)\n"
        "    sys.exit(number < 3)\n"
    )
    command = f'"{sys.executable}" -c "{code}" <&- >&- 2>&-'
    assert subprocess.run(["bash", "-c", command], cwd=folder, check=False).returncode == 0


def test_an_encoding_without_our_characters_is_no_error(trained):
    text = TABLE.replace("yes", "größer")
    (trained / "table.csv").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = TRAIN.format("table.csv", "m").replace("--quiet ", "")
    done = shell(command, trained, env=environment)
    assert done.returncode == 0, done.stderr
    assert r"\u2500" in done.stdout
    done = subprocess.run(
        [sys.executable, "-m", "fastnn", "predict", "m", "table.csv"],
        cwd=trained,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert "größer" in done.stdout.decode("utf-8")  # data stays what it is


def test_fit_shows_nothing_where_there_is_no_standard_error(folder):
    code = (
        "from fastnn import Dense, Network, fit_population\n"
        "net = Network([Dense(1)], loss='huber', seed=0)\n"
        "print(len(net.fit([[1.0], [2.0]], [1.0, 2.0], epochs=3).epoch))\n"
        "nets = [Network([Dense(1)], loss='huber', seed=s) for s in range(2)]\n"
        "fit_population(nets, [[1.0], [2.0]], [1.0, 2.0], epochs=3, verbose=1)\n"
    )
    done = subprocess.run(
        ["bash", "-c", f'"{sys.executable}" -c "{code}" 2>&-'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "3\n")


def test_streams_are_as_they_were_afterwards(capsys):
    before = sys.stdout, sys.stderr, sys.stdout.errors
    assert main(["info"]) == 0
    assert main(["train"]) == 2
    assert (sys.stdout, sys.stderr, sys.stdout.errors) == before


def test_warnings_are_one_line(tmp_path, capsys, monkeypatch):
    def warn(path, dialect):
        import warnings

        warnings.warn("two\nlines", UserWarning, stacklevel=1)
        raise MemoryError

    monkeypatch.setattr("fastnn.tables.CsvFile.open", warn)
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        main(["train", "x.csv", "--target", "y", "--out", str(tmp_path / "m")])
    assert capsys.readouterr().err.splitlines()[0] == "fastnn: warning: two lines"


def test_a_command_runs_without_a_terminal_or_a_home(trained):
    environment = {"PATH": "/usr/bin:/bin"}
    assert run("predict", "m", "table.csv", cwd=trained, env=environment).returncode == 0
