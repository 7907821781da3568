"""Input that the command line refuses in one line, without writing anything."""

import sys

import pytest
from commands import refused

import fastnn
from fastnn.cli import main


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "specie"], "no column is called 'specie'; did you mean 'species'"),
        (["--activation", "rely"], "did you mean 'relu'"),
        (["--optimizer", "adma"], "did you mean 'adam'"),
        (["--hidden", "128,-64"], "--hidden"),
        (["--hidden", "many"], "--hidden"),
        (["--dropout", "1"], "--dropout"),
        (["--l2", "-1"], "--l2"),
        (["--epochs", "0"], "--epochs"),
        (["--batch-size", "0"], "--batch-size"),
        (["--learning-rate", "0"], "--learning-rate"),
        (["--test-fraction", "1"], "--test-fraction"),
        (["--validation-fraction", "nan"], "--validation-fraction"),
        (["--seed", "-1"], "--seed"),
        (["--task", "regression"], "'species' holds numbers, but data row 1 has 'setosa'"),
        (["--drop", "petals"], "no column is called 'petals'"),
    ],
)
def test_bad_options_are_named_and_nothing_is_written(iris, tmp_path, capsys, options, message):
    out = tmp_path / "m.safetensors"
    arguments = ["--target", "species", "--out", out, *options]
    assert message in refused(capsys, "train", iris, *arguments)
    assert [file.name for file in tmp_path.iterdir()] == ["iris.csv"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("a,y\n", "no rows"),
        ("a,y\n1,x\n2,x\n", "only one class, x"),
        ("a,y\n1,2.5\n2,2.5\n", "only one value, 2.5"),
        ("a,y\n1,x\n2,\n", "1 usable row;"),
        ("y\n1.5\n2.5\n", "no column but the target"),
        ("a,y\n3,x\n3,z\n", "no column but the target"),
    ],
)
def test_hopeless_files_are_refused(tmp_path, capsys, content, message):
    file = tmp_path / "data.csv"
    file.write_text(content)
    assert message in refused(
        capsys, "train", file, "--target", "y", "--out", tmp_path / "m.safetensors"
    )
    assert not (tmp_path / "m.safetensors").exists()


def test_out_is_checked_before_anything_is_read(iris, tmp_path, capsys):
    def train(out):
        return refused(capsys, "train", "no-such.csv", "--target", "y", "--out", out)

    assert "there is no folder" in train(tmp_path / "nowhere" / "m.safetensors")
    assert "there is no folder" in train(iris / "m.safetensors")
    assert "cannot write in /proc" in train("/proc/m.safetensors") or sys.platform != "linux"
    assert "is a folder" in train(tmp_path)
    assert "no-such.csv: no such file" in train(tmp_path / "m.safetensors")
    before = iris.read_bytes()
    same = refused(capsys, "train", iris, "--target", "species", "--out", iris)
    assert "would overwrite the file that is read" in same
    assert iris.read_bytes() == before


def test_predict_refuses_foreign_models(iris, tmp_path, capsys):
    foreign, bare = tmp_path / "foreign.safetensors", tmp_path / "bare.safetensors"
    foreign.write_bytes(b"no model at all")
    network = fastnn.Network([fastnn.Dense(2)], loss="mean_squared_error", seed=0).build(4)
    network.save(bare)
    assert "foreign.safetensors" in refused(capsys, "predict", foreign, iris)
    assert "no preprocessing of a table" in refused(capsys, "predict", bare, iris)
    assert "nothing.safetensors" in refused(
        capsys, "predict", tmp_path / "nothing.safetensors", iris
    )


def test_predict_names_missing_columns_and_foreign_cells(prices, tmp_path, capsys):
    model, new = tmp_path / "m.safetensors", tmp_path / "new.csv"
    main(["train", str(prices), "--target", "price", "--quiet", "--out", str(model)])
    capsys.readouterr()
    new.write_text("Area,town\n1,Ulm\n")
    error = refused(capsys, "predict", model, new)
    assert f"{new}: the table lacks 'area' ('Area' is there)" in error
    new.write_text("area,town\n1,Ulm\n2,Ulm\nbig,Ulm\n")
    error = refused(capsys, "predict", model, new, "--out", tmp_path / "p.csv")
    assert f"{new}: column 'area' holds numbers, but data row 3 has 'big'" in error
    assert not (tmp_path / "p.csv").exists()
    assert "would overwrite" in refused(capsys, "predict", model, new, "--out", model)


def test_without_pandas_the_extra_is_named(iris, capsys, monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.startswith("fastnn.tables")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(fastnn, "tables", raising=False)
    monkeypatch.setitem(sys.modules, "pandas", None)
    error = refused(capsys, "train", iris, "--target", "species", "--out", tmp_path / "m")
    assert 'pip install ".[cli]"' in error
