"""The command `search`: the files it writes, and going on with a search."""

import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import pytest
from commands import figures, refused

import fastnn
from fastnn import search as searching
from fastnn.cli import main, search_space
from fastnn.cli.options import duration
from fastnn.search.result import SearchResult

QUICK = ["--epochs", "9", "--trials", "6", "--sampler", "random"]


def run(*arguments):
    return main(["search", *map(str, arguments)])


def bytes_of(folder):
    return (folder / "model.safetensors").read_bytes()


def test_classes_from_file_to_predictions(iris, tmp_path, capsys):
    out, predictions = tmp_path / "made" / "flowers", tmp_path / "p.csv"
    arguments = [iris, "--target", "species", "--trials", "12", "--epochs", "54"]
    assert run(*arguments, "--out", out) == 0
    said = capsys.readouterr().out
    assert "target species: classification" in said
    assert "best of 12 trials: number " in said
    assert "  learning_rate: " in said
    assert figures(said)[0] >= 0.9
    assert {file.name for file in out.iterdir()} == {
        "model.safetensors",
        "report.html",
        "command.txt",
    }
    assert out.with_name("flowers.db").is_file()
    assert "fastnn search" in (out / "report.html").read_text()
    assert (
        main(["predict", *map(str, (out / "model.safetensors", iris, "--out", predictions))]) == 0
    )
    right = pd.read_csv(predictions)["species"] == pd.read_csv(iris)["species"]
    assert right.mean() >= 0.9


def test_the_command_that_is_written_repeats_the_search(iris, tmp_path, capsys):
    out, again = tmp_path / "out", tmp_path / "again"
    arguments = ["--target", "species", *QUICK, "--drop", "sepal length (cm)", "--seed", "5"]
    assert run(iris, *arguments, "--out", out) == 0
    said = capsys.readouterr().out
    *comments, command = (out / "command.txt").read_text().splitlines()
    assert all(line.startswith("# ") for line in comments)
    assert f"fastnn {fastnn.__version__}, seed 5; 6 trials" in comments[0]
    assert command in said
    words = shlex.split(command)
    assert words[:2] == ["fastnn", "search"]
    assert main(words[1:]) == 0  # all trials are there
    assert capsys.readouterr().out == said
    words[words.index("--out") + 1] = str(again)
    words[words.index("--storage") + 1] = f"sqlite:///{tmp_path}/other.db"
    assert main(words[1:]) == 0
    assert bytes_of(again) == bytes_of(out)


@pytest.mark.parametrize("target", ["-y", "--out", "a b", "it's"])
def test_so_does_one_with_names_that_look_like_options(target, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = range(60)
    frame = {"a": [i * 37 % 101 for i in rows], "-drop": rows, "-e": rows, target: ["u", "v"] * 30}
    pd.DataFrame(frame).to_csv("-d.csv", index=False)
    arguments = [f"--target={target}", "--drop=-drop", "--drop=-e", "--out=-o", "--trials", "1"]
    assert run("./-d.csv", *arguments, "--epochs", "1") == 0
    written = Path("-o", "model.safetensors").read_bytes()
    command = shlex.split(Path("-o", "command.txt").read_text().splitlines()[-1])
    Path("-o", "model.safetensors").unlink()
    assert main(command[1:]) == 0
    assert Path("-o", "model.safetensors").read_bytes() == written


def test_numbers_by_folds_within_some_time(prices, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["--target", "price", "--time", "2s", "--cv", "3", "--objective", "r2", "--quiet"]
    assert run(prices, *arguments, "--epochs", "9", "--out", out) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    assert [line.split()[0] for line in captured.out.splitlines()[::2]] == ["test", "network"]
    text = (out / "command.txt").read_text()
    assert "--time 2s" in text
    ended = int(text.partition("# In the time given, ")[2].split()[0])
    assert f"by --trials {ended}." in text
    network = fastnn.Network.load(out / "model.safetensors")
    assert network.output_shape == (1,)
    assert network.preprocessing["target"]


def test_ctrl_c_ends_the_training_of_a_search_not_only_its_trials(iris, tmp_path, monkeypatch):
    """The best network is written as its trial left it; no plot is drawn."""
    fits, out = [], tmp_path / "out"

    def interrupt(study, trial):
        if trial.number == 2:
            monkeypatch.setattr(fastnn.Network, "fit", lambda *a, **o: fits.append(a))
            monkeypatch.setattr(SearchResult, "report", lambda *a, **o: fits.append(a))
            raise KeyboardInterrupt

    search = searching.search
    monkeypatch.setattr(
        searching, "search", lambda *a, **options: search(*a, **options, callbacks=[interrupt])
    )
    assert run(iris, "--target", "species", *QUICK, "--out", out) == 130
    assert not fits
    assert {file.name for file in out.iterdir()} == {"model.safetensors", "command.txt"}


def test_a_search_goes_on_after_ctrl_c(iris, tmp_path, capsys, monkeypatch):
    def interrupt(study, trial):
        if trial.number == 2:
            raise KeyboardInterrupt

    out, whole = tmp_path / "out", tmp_path / "whole"
    arguments = [iris, "--target", "species", *QUICK, "--quiet"]
    search = searching.search
    with monkeypatch.context() as patched:
        patched.setattr(
            searching, "search", lambda *a, **options: search(*a, **options, callbacks=[interrupt])
        )
        assert run(*arguments, "--out", out) == 130
    model = out / "model.safetensors"
    said = f"fastnn: interrupted; the best so far is in {model}; the same command goes on\n"
    assert capsys.readouterr().err == said
    assert fastnn.Network.load(model).output_shape == (3,)
    assert run(*arguments, "--out", out) == run(*arguments, "--out", whole) == 0
    assert bytes_of(out) == bytes_of(whole)
    stored = optuna.load_study(study_name="fastnn", storage=f"sqlite:///{out}.db")
    assert [trial.number for trial in stored.trials] == list(range(6))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "specie"], "did you mean 'species'"),
        (["--trials", "0"], "--trials must be an integer >= 1"),
        (["--trials", "many"], "--trials"),
        (["--time", "5 minutes"], "expected a time such as 90s, 5m, 1.5h or 1h30m"),
        (["--time", "0s"], "--time must be a finite number > 0"),
        (["--epochs", "0"], "--epochs must be an integer >= 1"),
        (["--threads", "0"], "--threads must be an integer >= 1"),
        (["--cv", "1"], "--cv=1 cannot split these rows"),
        (
            ["--cv", "3", "--validation-fraction", "0.5"],
            "give --cv or --validation-fraction, not both",
        ),
        (["--validation-fraction", "2"], "--validation-fraction must be"),
        (["--test-fraction", "1"], "--test-fraction"),
        (["--seed", "-1"], "--seed"),
        (["--sampler", "grind"], "did you mean 'grid'"),
        (["--sampler", "grid"], "--sampler='grid' needs the values of space['dropout'] as a list"),
        (["--pruner", "halfing"], "did you mean 'halving'"),
        (["--objective", "acuracy"], "did you mean 'accuracy'"),
        (["--objective", "val_mae"], "--objective 'val_mae' is not reported"),
        (["--storage", "trials.db"], "--storage must be a URL such as 'sqlite:///search.db'"),
        (["--storage", "sqlite:////no/such/t.db"], "cannot be opened: unable to open database"),
    ],
)
def test_bad_options_are_named_and_no_folder_is_made(iris, tmp_path, capsys, options, message):
    out = tmp_path / "out"
    error = refused(capsys, "search", iris, "--target", "species", "--out", out, *options)
    assert message in error
    assert not out.exists()


def test_a_storage_with_other_trials_is_refused(iris, prices, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(iris, "--target", "species", *QUICK, "--out", out) == 0
    before = bytes_of(out)
    capsys.readouterr()
    error = refused(capsys, "search", prices, "--target", "price", *QUICK, "--out", out)
    assert "prices.csv is another file than that of the trials in sqlite:///" in error
    assert "its X is [" in error
    assert "give another --study-name, --storage or --out" in error
    assert bytes_of(out) == before


def test_the_seed_of_a_storage_is_told_as_an_option(iris, tmp_path, capsys):
    options = ["--target", "species", "--trials", "1", "--epochs", "1", "--out", tmp_path / "s"]
    assert run(iris, *options, "--seed", 3) == 0
    capsys.readouterr()
    error = refused(capsys, "search", iris, *options, "--seed", 4)
    assert "its seed is 3, not 4; give --seed 3 to go on with it, or another --study" in error


@pytest.mark.parametrize("name", ["model.safetensors", "report.html", "command.txt"])
def test_files_that_cannot_be_written_are_told_before_the_search(iris, tmp_path, capsys, name):
    (tmp_path / "s" / name).mkdir(parents=True)
    error = refused(capsys, "search", iris, "--target", "species", "--out", tmp_path / "s")
    assert error.rstrip().endswith(f"{name}: is a folder, expected the name of a file")


def test_a_file_is_no_folder(iris, capsys):
    error = refused(capsys, "search", iris, "--target", "species", "--out", iris)
    assert "is a file, expected the name of a folder" in error
    error = refused(capsys, "search", iris, "--target", "species", "--out", iris / "under")
    assert "there is no folder" in error


def test_passwords_are_not_written_down(iris, tmp_path, capsys):
    url = "postgresql+nodriver://me:secret@there/trials"
    assert "secret" not in refused(
        capsys, "search", iris, "--target", "species", "--out", tmp_path / "o", "--storage", url
    )
    assert "secret" not in capsys.readouterr().out


def test_without_optuna_the_extra_is_named(iris, tmp_path):
    arguments = ["search", str(iris), "--target", "species", "--out", str(tmp_path / "o")]
    code = (
        "import sys; sys.modules['optuna'] = None; from fastnn.cli import main; "
        f"sys.exit(main({arguments}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (
        done.stderr == "fastnn: error: fastnn search needs optuna: "
        'in a clone of fastnn, pip install ".[search]"\n'
    )


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("5m", 300), ("1.5h", 5400), ("1h30m", 5400), ("1d", 86400)],
)
def test_times_as_people_write_them(text, seconds):
    assert duration(text) == seconds


def test_rungs_are_whole_and_batches_no_larger_than_what_there_is():
    for rows in (20, 500, 5_000, 500_000):
        epochs = search_space.epochs_for(rows)
        assert epochs % 27 == 0
        assert 27 <= epochs <= 324
        assert search_space.min_epochs_for(epochs) * 27 == epochs
        assert max(search_space.space(rows)["batch_size"]) <= max(32, rows // 16)
    assert search_space.min_epochs_for(9) == 1


def test_every_corner_of_the_space_is_a_network():
    space = search_space.space(5_000)
    for optimizer in space["optimizer"]:
        for batch_norm in (False, True):
            params = {
                "layers": 2,
                "units": 16,
                "activation": "gelu",
                "batch_norm": batch_norm,
                "dropout": 0.1,
                "optimizer": optimizer,
                "learning_rate": 0.01,
                "weight_decay": 1e-4,
                "batch_size": 32,
            }
            assert params.keys() == space.keys()
            network = search_space.TableNetwork(3, classes=True, seed=0)(params).build(5)
            assert network.predict(np.zeros((2, 5), np.float32)).shape == (2, 3)
            assert network.optimizer.learning_rate == 0.01
            assert len([x for x in network.layers if isinstance(x, fastnn.BatchNorm)]) == (
                2 * batch_norm
            )
