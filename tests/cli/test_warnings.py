"""Warnings of commands that succeed, and hints for mistakes."""

import numpy as np
import pytest
from commands import refused

from fastnn.cli import main
from fastnn.cli.scores import compare


@pytest.fixture
def noise(tmp_path):
    """A table whose columns say nothing about its target."""
    rng = np.random.default_rng(0)
    file = tmp_path / "noise.csv"
    rows = [f"{x:.3f},{'yes' if n < 0.8 else 'no'}" for x, n in rng.random((300, 2))]
    file.write_text("\n".join(["x,y", *rows]))
    return file


def said(capsys, *arguments):
    """Standard error of a command that succeeds."""
    capsys.readouterr()
    assert main([*map(str, arguments)]) == 0
    return capsys.readouterr().err


def test_a_network_below_the_baseline_is_said(noise, tmp_path, capsys):
    options = ["--target", "y", "--epochs", "3", "--quiet", "--out", tmp_path / "m"]
    error = said(capsys, "train", noise, *options)
    assert "warning: the network is no better on the test rows than always yes (accuracy" in error
    assert error.count("\n") == 1
    rng = np.random.default_rng(1)
    noise.write_text("x,y\n" + "\n".join(f"{a:.3f},{b:.3f}" for a, b in rng.random((300, 2))))
    error = said(capsys, "train", noise, *options, "--learning-rate", "0.5")
    assert "than always the mean" in error
    assert "(R² -" in error


def test_a_network_above_the_baseline_is_quiet(iris, tmp_path, capsys):
    options = ["--target", "species", "--epochs", "60", "--quiet", "--out", tmp_path / "m"]
    assert said(capsys, "train", iris, *options) == ""


def test_replaced_files_are_said(iris, tmp_path, capsys):
    model, out = tmp_path / "m", tmp_path / "p.csv"
    train = ["train", iris, "--target", "species", "--epochs", "60", "--quiet", "--out", model]
    predict = ["predict", model, iris, "--out", out]
    assert said(capsys, *train) == said(capsys, *predict) == ""
    assert said(capsys, *train) == f"fastnn: {model}: the file that was there is replaced\n"
    assert said(capsys, *predict) == f"fastnn: {out}: the file that was there is replaced\n"


def test_too_few_validation_rows_are_said(iris, tmp_path, capsys):
    few = tmp_path / "few.csv"
    lines = iris.read_text().splitlines()
    few.write_text("\n".join(lines[:1] + lines[1::4]))
    options = ["--target", "species", "--epochs", "60", "--quiet", "--out", tmp_path / "m"]
    assert "too few to hold some out" in said(capsys, "train", few, *options)
    assert "hold some" not in said(capsys, "train", few, *options, "--validation-fraction", "0")
    error = said(capsys, "train", iris, *options, "--validation-fraction", "0.03")
    assert "only 4 validation rows to choose the best epoch by" in error


def test_a_target_that_is_constant_in_training_is_said(tmp_path, capsys):
    file = tmp_path / "constant.csv"
    file.write_text("x,y\n1.5,2.5\n2.5,2.5\n3.25,2.5\n4.5,7.5\n")
    for seed in range(20):  # until the row that differs is a test row
        options = ["--task", "regression", "--epochs", "1", "--quiet", "--seed", seed]
        error = said(capsys, "train", file, "--target", "y", *options, "--out", tmp_path / "m")
        if "2.5 in all training rows" in error:
            return
    raise AssertionError("not said")


def test_divergence_names_the_option_and_writes_nothing(iris, tmp_path, capsys):
    options = ["--target", "species", "--optimizer", "sgd", "--learning-rate", "1e9"]
    error = refused(capsys, "train", iris, *options, "--out", tmp_path / "m")
    assert "training diverged in epoch " in error
    assert "--learning-rate may help (it is 1000000000.0)" in error
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["trian", "x.csv"], "did you mean train?"),
        (["prediction", "x.csv"], "did you mean predict?"),
        (["train", "x.csv", "--traget", "y"], "unknown option --traget: did you mean --target?"),
        (["train", "x.csv", "--target=y", "--learning_rate=1"], "did you mean --learning-rate?"),
        (["train", "x.csv", "--target=y", "--epoch", "5"], "did you mean --epochs?"),
        (["train", "x.csv", "--target", "-y"], "is written --target=VALUE"),
        (["train", "x.csv", "--target=y", "--epochs", "1.5"], "expected a whole number, got '1.5'"),
        (["train", "x.csv", "--target=y", "--l2", "0,1"], "such as 10, 0.1 or 1e-3, got '0,1'"),
        (["search", "x.csv", "--target=y", "--trails", "5"], "did you mean --trials?"),
        (["--verison"], "did you mean --version?"),
    ],
)
def test_mistakes_are_answered_with_the_right_word(words, hint, capsys):
    assert hint in refused(capsys, *words)


def test_numbers_may_be_written_as_powers_of_ten(iris, tmp_path, capsys):
    options = ["--target", "species", "--epochs", "1e1", "--batch-size", "6.4e1"]
    assert main(["train", str(iris), *options, "--out", str(tmp_path / "m")]) == 0
    assert "10 epochs" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--trials", "0"], "--trials"),
        (["--sampler", "tep"], "unknown --sampler 'tep': did you mean 'tpe'"),
        (["--pruner", "halve"], "unknown --pruner"),
        (["--cv", "1"], "--cv"),
        (["--validation-fraction", "1"], "--validation-fraction"),
        (["--threads", "0"], "--threads"),
        (["--storage", "nothing://x"], "--storage"),
        (["--study-name", ""], "--study-name is empty"),
    ],
)
def test_errors_of_a_search_name_the_option(iris, tmp_path, capsys, options, message):
    arguments = ["search", iris, "--target", "species", "--epochs", "1", "--out", tmp_path / "s"]
    error = refused(capsys, *arguments, *options)
    assert message in error


@pytest.mark.parametrize("unit", [1e300, 1.0, 1e-300])
def test_figures_do_not_depend_on_the_unit_of_the_target(unit, recwarn):
    rng = np.random.default_rng(0)
    train, test = rng.normal(3, 1, 50), rng.normal(3, 1, 20)
    predicted = test + 0.1
    plain = compare(train, test, predicted)
    found = compare(unit * train, unit * test, unit * predicted)
    for one, other in ((found.network, plain.network), (found.constant, plain.constant)):
        np.testing.assert_allclose(one, (other[0], unit * other[1]), rtol=1e-9)
    assert not recwarn
