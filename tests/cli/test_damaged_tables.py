"""Files that cannot be read or written: one line on standard error, a small exit code."""

import bz2
import gzip
import io
import lzma
import os
import sqlite3
import sys
import tarfile
import zipfile

import pytest
from commands import run

from fastnn.cli import main
from fastnn.tables import read_csv
from fastnn.tables.opening import contents

TEXT = b"a,y\n" + b"".join(
    b"%d,%s\n" % (i * 37 % 101, b"yes" if i % 3 else b"no") for i in range(99)
)


def zipped(**files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return file.getvalue()


def spoiled(data):
    return data[:30] + bytes(40) + data[70:]


PACKED = {".gz": gzip.compress(TEXT), ".bz2": bz2.compress(TEXT), ".xz": lzma.compress(TEXT)}
PACKED[".zip"] = zipped(table=TEXT)
DAMAGED = {
    **{f"cut{suffix}": data[: len(data) // 2] for suffix, data in PACKED.items()},
    **{f"spoiled{suffix}": spoiled(data) for suffix, data in PACKED.items()},
    **{f"plain{suffix}": TEXT for suffix in (*PACKED, ".zst", ".tar")},
    "frame.zst": b"\x28\xb5\x2f\xfd" + bytes(40),
    "two.zip": zipped(a=TEXT, b=TEXT),
    "none.zip": zipped(),
    "folders.zip": zipped(**{"folder/": b""}),
    "workbook.csv": zipped(**{"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<w/>"}),
    "parquet.csv": b"PAR1" + bytes(100) + b"PAR1",
    "picture.csv": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "random.csv": bytes(range(256)) * 4,
    "latin.csv": "a,größe\n1,2\n".encode("latin-1"),
    "utf16.csv": b"\xff\xfea",
    "empty.csv": b"",
    "blank.csv": b"\n\n\n",
    "quote.csv": b'a,y\n"1,yes\n',
    "ragged.csv": b"a,y\n1,2\n1,2,3\n",
    "nul.csv": b"a,y\n1,\0\n2,b\n",
    "header.csv": b"a,y\n",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model of the table above."""
    folder = tmp_path_factory.mktemp("model")
    table, model = folder / "table.csv", folder / "model.safetensors"
    table.write_bytes(TEXT)
    options = ["--target", "y", "--epochs", "5", "--quiet", "--out", model]
    assert main([*map(str, ["train", table, *options])]) == 0
    return model


def commands(path, model, out):
    """Each command with a file where it reads a table, and where it reads a model."""
    trained = ["--target", "y", "--epochs", "1", "--out", str(out)]
    yield ["train", path, *trained]
    yield ["search", path, *trained, "--trials", "1"]
    yield ["predict", str(model), path]
    yield ["predict", path, path]


def check_ended_well(code, error):
    assert code in (0, 2)
    assert "Traceback" not in error
    assert all(line.startswith("fastnn: ") for line in error.splitlines())
    if code:
        assert "fastnn: error: " in error.splitlines()[-1]
        assert "unexpected" not in error


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_one_line_for_every_command(name, model, tmp_path, capsys):
    path = tmp_path / name
    path.write_bytes(DAMAGED[name])
    capsys.readouterr()
    for command in commands(str(path), model, tmp_path / "out"):
        code = main(command)
        error = capsys.readouterr().err
        check_ended_well(code, error)
        assert code == 2 or name in ("latin.csv", "nul.csv", "random.csv")
        assert name in error or code == 0 or name in ("latin.csv", "nul.csv")


def odd_paths(folder):
    denied, fifo = folder / "denied.csv", folder / "circle.csv"
    denied.write_bytes(TEXT)
    denied.chmod(0)
    fifo.symlink_to(fifo)
    return [
        folder,
        folder / "nothing.csv",
        denied / "below.csv",
        fifo,
        folder / ("long" * 100),
        *([denied] if os.geteuid() else []),
        os.fsdecode(os.fsencode(folder) + b"/not-utf-8-\xff.csv"),
        "-no-such-option",
        "",
        "https://localhost/table.csv",
    ]


def test_paths_of_all_kinds_are_one_line_for_every_command(model, tmp_path, capsys):
    for path in map(str, odd_paths(tmp_path)):
        for command in commands(path, model, tmp_path / "out"):
            code = main(command)
            check_ended_well(code, capsys.readouterr().err)
            assert code == 2


def test_unwritable_paths_are_told_before_anything_is_read(model, tmp_path, capsys):
    for path in map(str, odd_paths(tmp_path)):
        if path.endswith(("nothing.csv", "option", "\udcff.csv")):
            continue  # can be written
        for command in (
            ["train", "no-such.csv", "--target", "y", f"--out={path}"],
            ["predict", "no-such", "no-such.csv", f"--out={path}"],
        ):
            assert main(command) == 2
            error = capsys.readouterr().err
            check_ended_well(2, error)
            assert "--out" in error
            assert "no-such: " not in error


@pytest.mark.parametrize("suffix", PACKED)
def test_compressed_files_are_read_whatever_they_are_called(suffix, tmp_path):
    for name in (f"table.csv{suffix}", "table.csv", f"TABLE{suffix.upper()}"):
        (tmp_path / name).write_bytes(PACKED[suffix])
        assert contents(tmp_path / name) == TEXT


def test_archives_of_one_file_are_read(tmp_path):
    mac, tar = tmp_path / "mac.zip", tmp_path / "table.tar.gz"
    mac.write_bytes(zipped(**{"table": TEXT, "__MACOSX/._table": b"\0\5\x16\7"}))
    assert contents(mac) == TEXT
    with tarfile.open(tar, "w:gz") as archive:
        (tmp_path / "table.csv").write_bytes(TEXT)
        archive.add(tmp_path / "table.csv", "folder/table.csv")
    assert contents(tar) == TEXT
    assert len(read_csv(tar)) == 99


@pytest.mark.skipif(sys.platform == "win32", reason="limits are of POSIX")
def test_a_full_disk_is_one_line(model, tmp_path):
    """A limit on the size of files stands for it."""
    table = tmp_path / "table.csv"
    table.write_bytes(TEXT * 1)
    trained = ["train", table, "--target", "y", "--epochs", "1", "--out", tmp_path / "m"]
    predicted = ["predict", model, table, "--out", tmp_path / "p.csv"]
    for command in (trained, predicted):
        done = run(*command, preexec_fn=_limit_files)
        check_ended_well(done.returncode, done.stderr)
        assert done.returncode == 2
        assert "File too large" in done.stderr
        assert f"{command[-1]}: " in done.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["table.csv"]


def _limit_files():
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))


def test_a_lack_of_memory_is_one_line(tmp_path, capsys, monkeypatch):
    def fail(path, dialect):
        raise MemoryError

    monkeypatch.setattr("fastnn.tables.CsvFile.open", fail)
    assert main(["train", "x.csv", "--target", "y", "--out", str(tmp_path / "m")]) == 2
    assert capsys.readouterr().err == "fastnn: error: not enough memory\n"


def test_a_defect_is_one_line_and_its_traceback_can_be_seen(tmp_path, capsys, monkeypatch):
    def fail(path, dialect):
        raise KeyError("x")

    monkeypatch.setattr("fastnn.tables.CsvFile.open", fail)
    command = ["train", "x.csv", "--target", "y", "--out", str(tmp_path / "m")]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert error.startswith("fastnn: error: unexpected KeyError: 'x'; please report it")
    assert error.count("\n") == 1
    monkeypatch.setenv("FASTNN_TRACEBACK", "1")
    assert main(command) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_error_of_the_machine_behind_one_of_a_library_is_the_one_that_is_told(
    tmp_path, capsys, monkeypatch
):
    def fail(path, dialect):
        try:
            raise sqlite3.OperationalError("database or disk is full")
        except sqlite3.Error as error:
            raise RuntimeError("an exception during the commit") from error

    monkeypatch.setattr("fastnn.tables.CsvFile.open", fail)
    assert main(["train", "x.csv", "--target", "y", "--out", str(tmp_path / "m")]) == 2
    assert capsys.readouterr().err == "fastnn: error: the database: database or disk is full\n"
