"""The experiment on grids and random search shows what it says it shows."""

import gzip
import importlib
import os
import statistics
from pathlib import Path

import numpy as np
import pytest
from project import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture
def example(monkeypatch):
    """The example as a module; it needs Optuna."""
    pytest.importorskip("optuna")
    pytest.importorskip("pandas")
    monkeypatch.syspath_prepend(EXAMPLES)
    return importlib.import_module("grid_versus_random")


@pytest.fixture
def folder(tmp_path):
    """Files of the forms that the example reads, with something to learn in them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, 1500).astype(np.uint8)
    images = rng.integers(0, 100, (1500, 4, 5), dtype=np.uint8)
    images.reshape(1500, 20)[np.arange(1500), labels] += 150
    digits = tmp_path / "mnist10k"
    digits.mkdir()
    with gzip.open(digits / "images-idx3-ubyte.gz", "wb") as file:
        file.write(np.array([0x803, *images.shape], ">i4").tobytes() + images.tobytes())
    with gzip.open(digits / "labels-idx1-ubyte.gz", "wb") as file:
        file.write(np.array([0x801, len(labels)], ">i4").tobytes() + labels.tobytes())
    lines = ["customerID,tenure,Contract,Churn"]
    for i, tenure in enumerate(rng.integers(1, 70, 1500)):
        contract = ("Month-to-month", "One year")[i % 2]
        churn = "Yes" if tenure < 20 and i % 2 == 0 else "No"
        lines.append(f"{i},{tenure if i % 50 else ' '},{contract},{churn}")
    (tmp_path / "telco_churn.csv").write_text("\n".join(lines))
    return tmp_path


def test_program_prints_a_table_and_draws(example, folder, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    options = ["--seeds", "2", "--points", "2", "--out", str(picture)]
    example.main(["--data", str(folder), *options])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["MNIST", "churn"]
    assert str(picture) in lines[-1]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_digits_of_scikit_learn_will_do(example, tmp_path, capsys):
    pytest.importorskip("matplotlib")
    picture = tmp_path / "picture.png"
    example.main(["--seeds", "1", "--points", "2", "--out", str(picture)])
    assert capsys.readouterr().out.splitlines()[1].startswith("digits")
    assert picture.exists()


def test_data_are_read(example, folder):
    digits, churn = example.read(folder)
    assert digits.X.shape == (1500, 20)
    assert (digits.X.argmax(axis=1) == digits.y).all()
    assert churn.X.shape == (1470, 3)
    np.testing.assert_allclose(churn.X.std(axis=0), 1, rtol=1e-5)
    assert set(churn.y) == {0, 1}


def test_without_a_folder_the_data_are_scikit_learns(example):
    digits, tumours = example.bundled()
    assert (digits.X.shape, tumours.X.shape) == ((1797, 64), (569, 30))
    known, held_out = tumours.split(0)
    assert sorted([*known, *held_out]) == list(range(569))
    assert len(held_out) == 189
    known, held_out = digits.split(0)
    assert (len(known), len(held_out)) == (800, 400)
    assert not set(known) & set(held_out)


def test_grids_repeat_what_random_search_does_not(example, folder):
    _, churn = example.read(folder)
    duel = example.duel(churn, 0, points=2)
    assert len(duel.grid.losses) == len(duel.random.losses) == 16
    assert len(set(duel.grid.params["learning_rate"])) == 2
    assert len(set(duel.random.params["learning_rate"])) == 16
    for trials in (duel.grid, duel.random):
        for name, (low, high) in example.RANGES.items():
            assert (trials.params[name] >= low).all()
            assert (trials.params[name] <= high).all()
        assert trials.best[-1] == trials.losses.min()
    one, other = (example.grid(seed)["learning_rate"] for seed in (0, 1))
    assert one != other
    np.testing.assert_allclose(np.diff(np.log10(one)), 5 / 3)


def test_trials_needed_are_counted(example):
    def duel(grid, random):
        return example.Duel(*(example.Trials({}, np.array(losses)) for losses in (grid, random)))

    assert duel([3.0, 1.0, 2.0], [2.0, 1.0, 0.5]).needed == 2
    assert duel([3.0, 1.0, 2.0], [0.5, 1.0, 2.0]).needed == 1
    assert duel([3.0, 1.0, 2.0], [2.0, 2.0, 1.5]).needed == 4


@pytest.mark.slow
@pytest.mark.skipif("FASTNN_DATA" not in os.environ, reason="FASTNN_DATA names no folder with data")
def test_random_search_reaches_the_best_of_the_grid_in_fewer_trials(example):
    duels = example.run(example.read(Path(os.environ["FASTNN_DATA"])))
    assert list(duels) == ["MNIST", "churn"]
    for found in duels.values():
        assert len(found) >= 10
        trials = len(found[0].grid.losses)
        assert statistics.median(one.needed for one in found) <= trials / 3
        assert sum(one.needed < trials for one in found) >= 8
        best = [[getattr(one, kind).best[-1] for one in found] for kind in ("random", "grid")]
        assert statistics.median(best[0]) < statistics.median(best[1])
