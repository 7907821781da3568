"""The demo."""

import pytest
from commands import figures, refused, run

import fastnn


def test_demo(tmp_path):
    done = run("demo", "--out", tmp_path / "made" / "here")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "made" / "here"
    assert {file.name for file in folder.iterdir()} == {"digits.safetensors", "learning_curves.png"}
    assert str(folder / "learning_curves.png") in done.stdout
    assert (folder / "learning_curves.png").read_bytes().startswith(b"\x89PNG")
    ours, theirs = figures(done.stdout, "fastnn"), figures(done.stdout, "scikit-learn")
    assert ours[1] >= 0.95
    assert theirs[1] >= 0.95
    assert fastnn.Network.load(folder / "digits.safetensors").output_shape == (10,)
    assert "samples/s" in done.stderr


def test_demo_refuses_a_bad_seed_and_a_file_for_a_folder(iris, tmp_path, capsys):
    assert "seed" in refused(capsys, "demo", "--seed", "-1", "--out", tmp_path / "made")
    assert not (tmp_path / "made").exists()
    assert "iris.csv" in refused(capsys, "demo", "--out", iris)


def test_curves_leave_the_matplotlib_back_end_alone(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    from fastnn.cli.demo_curves import draw_curves
    from fastnn.model.history import History

    history = History()
    for epoch in (1, 2):
        values = dict.fromkeys(("loss", "val_loss", "accuracy", "val_accuracy"), 0.5 / epoch)
        history.append(epoch, values)
    matplotlib.use("svg")
    assert draw_curves(history, tmp_path / "curves.png")
    assert matplotlib.get_backend().lower() == "svg"
