"""The command line: what it prints, writes and refuses."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score

import fastnn
from fastnn.cli import main

needs_data = pytest.mark.skipif(
    "FASTNN_DATA" not in os.environ, reason="FASTNN_DATA does not name a folder of data sets"
)


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


@pytest.fixture
def iris(tmp_path):
    """A file with three classes and four columns of numbers."""
    data = load_iris(as_frame=True)
    frame = data.frame.rename(columns={"target": "species"})
    frame["species"] = data.target_names[frame["species"]]
    file = tmp_path / "iris.csv"
    frame.to_csv(file, index=False)
    return file


@pytest.fixture
def prices(tmp_path):
    """A file with a target of numbers, categories, holes, and a column that numbers the rows."""
    rng = np.random.default_rng(0)
    area, town = rng.uniform(30, 200, 400), rng.choice(["Ulm", "Köln"], 400)
    price = 1000 * area * np.where(town == "Köln", 2, 1) + rng.normal(0, 5000, 400)
    frame = pd.DataFrame({"n": range(400), "area": area.round(2), "town": town, "price": price})
    frame.loc[rng.random(400) < 0.05, "area"] = np.nan
    frame.loc[3, "price"] = np.nan
    file = tmp_path / "prices.csv"
    frame.to_csv(file, index=False)
    return file


def figures(output, name="network"):
    """The two numbers in a row of the table of scores."""
    [line] = [line for line in output.splitlines() if line.startswith(f"{name} ")]
    return [float(word) for word in line.split()[-2:]]


# --- the program ----------------------------------------------------------------------------------


def test_version_and_help():
    assert run("--version").stdout == f"fastnn {fastnn.__version__}\n"
    text = run("--help").stdout
    for command in ("demo", "train", "predict", "info"):
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


# --- train and predict ----------------------------------------------------------------------------


def test_classes_from_file_to_predictions(iris, tmp_path):
    model, out = tmp_path / "m.safetensors", tmp_path / "p.csv"
    trained = run("train", iris, "--target", "species", "--out", model)
    assert trained.returncode == 0, trained.stderr
    assert "target species: classification, because its values are text" in trained.stdout
    accuracy, f1 = figures(trained.stdout)
    assert accuracy >= 0.9
    assert f1 >= 0.9
    assert figures(trained.stdout, "always")[0] == pytest.approx(1 / 3, abs=1e-4)

    predicted = run("predict", model, iris, "--out", out)
    assert predicted.returncode == 0, predicted.stderr
    assert predicted.stdout == predicted.stderr == ""
    predictions, truth = pd.read_csv(out), pd.read_csv(iris)["species"]
    labels = ["setosa", "versicolor", "virginica"]
    assert list(predictions.columns) == ["species", *(f"probability_{c}" for c in labels)]
    assert accuracy_score(truth, predictions["species"]) >= 0.9
    probabilities = predictions.iloc[:, 1:].to_numpy()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    assert [labels[i] for i in probabilities.argmax(axis=1)] == predictions["species"].tolist()
    assert run("predict", model, iris).stdout == out.read_text()


def test_the_model_goes_to_a_default_file(prices, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", str(prices), "--target", "price", "--epochs", "1"]) == 0
    assert "model: model.safetensors" in capsys.readouterr().out
    assert Path("model.safetensors").is_file()


def test_values_come_back_in_their_own_units(prices, tmp_path, capsys):
    model, out = tmp_path / "m.safetensors", tmp_path / "p.csv"
    assert main(["train", str(prices), "--target", "price", "--out", str(model)]) == 0
    said = capsys.readouterr().out
    assert "target price: regression, because its values are numbers with fractions" in said
    assert "price: 1 row without a target left out" in said
    assert "n: dropped, its values number the rows" in said
    assert figures(said)[0] > 0.8
    assert figures(said, "always")[0] < 0.1

    new = pd.read_csv(prices).dropna(subset="price")
    file = tmp_path / "new.csv"
    new[["town", "area"]].to_csv(file, index=False)  # no target, no number of the row
    assert main(["predict", str(model), str(file), "--out", str(out)]) == 0
    predictions = pd.read_csv(out)["price"]
    assert r2_score(new["price"], predictions) > 0.8
    assert mean_absolute_error(new["price"], predictions) < 30_000


def test_same_seed_same_file_other_seed_other_file(iris, tmp_path):
    files = [tmp_path / name for name in ("a", "b", "c")]
    for file, seed in zip(files, ("3", "3", "4"), strict=True):
        arguments = ["--epochs", "2", "--quiet", "--seed", seed, "--out", str(file)]
        assert main(["train", str(iris), "--target", "species", *arguments]) == 0
    a, b, c = (file.read_bytes() for file in files)
    assert a == b != c


def test_quiet_prints_the_figures_alone(iris, tmp_path, capsys):
    arguments = ["--target", "species", "--quiet", "--epochs", "1", "--out", str(tmp_path / "m")]
    assert main(["train", str(iris), *arguments]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert [line.split()[0] for line in printed.out.splitlines()[::2]] == ["test", "network"]


def test_options_shape_the_network(iris, tmp_path):
    model = tmp_path / "m.safetensors"
    options = "--hidden 7,5 --activation tanh --dropout 0.5 --l2 0.25 --optimizer sgd"
    more = "--learning-rate 0.5 --epochs 3 --test-fraction 0 --validation-fraction 0 --quiet"
    arguments = [*options.split(), *more.split(), "--out", str(model)]
    assert main(["train", str(iris), "--target", "species", *arguments]) == 0
    network = fastnn.Network.load(model)
    assert [getattr(layer, "units", layer) for layer in network.layers] == [
        7,
        fastnn.Dropout(0.5),
        5,
        fastnn.Dropout(0.5),
        3,
    ]
    assert network.layers[0].activation == "tanh"
    assert network.layers[0].l2 == 0.25
    assert network.optimizer == fastnn.SGD(0.5)


def test_no_hidden_layer_is_a_linear_model(iris, tmp_path):
    model = tmp_path / "m.safetensors"
    arguments = ["--hidden", "none", "--epochs", "1", "--quiet", "--out", str(model)]
    assert main(["train", str(iris), "--target", "species", *arguments]) == 0
    assert len(fastnn.Network.load(model).layers) == 1


def test_the_file_holds_data_and_no_code(prices, tmp_path):
    model = tmp_path / "m.safetensors"
    assert main(["train", str(prices), "--target", "price", "--quiet", "--out", str(model)]) == 0
    columns = fastnn.Network.load(model).preprocessing["columns"]
    assert [column["name"] for column in columns] == ["area", "town"]
    assert columns[0]["median"] == pytest.approx(pd.read_csv(prices)["area"].median(), rel=0.05)
    assert columns[1]["categories"] == ["Köln", "Ulm"]
    assert b"sklearn" not in model.read_bytes()


def test_few_rows_still_train(tmp_path, capsys):
    file = tmp_path / "few.csv"
    file.write_text("x,y\n1.5,a\n2.5,b\n1.0,a\n3.5,b\n")
    assert main(["train", str(file), "--target", "y", "--out", str(tmp_path / "m")]) == 0
    assert "training on 2 rows, testing on 2" in capsys.readouterr().out
    file.write_text("x,y\n1.5,1.25\n2.5,3.5\n")
    arguments = ["--task", "regression", "--out", str(tmp_path / "m")]
    assert main(["train", str(file), "--target", "y", *arguments]) == 0


def test_a_column_can_be_new_or_its_categories_unseen(prices, tmp_path, capsys):
    model, new = tmp_path / "m.safetensors", tmp_path / "new.csv"
    main(["train", str(prices), "--target", "price", "--quiet", "--out", str(model)])
    new.write_text("town,area,rooms,floor\nAachen,50,2,3\nUlm,,1,2\n", encoding="utf-8")
    capsys.readouterr()
    assert main(["predict", str(model), str(new)]) == 0
    printed = capsys.readouterr()
    assert printed.err == "fastnn: columns the model does not know: rooms, floor\n"
    assert len(printed.out.splitlines()) == 3


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--target", "specie"], "no column is called 'specie'; did you mean 'species'"),
        (["--activation", "rely"], "did you mean 'relu'"),
        (["--optimizer", "adma"], "did you mean 'adam'"),
        (["--hidden", "128,-64"], "units"),
        (["--hidden", "many"], "--hidden"),
        (["--dropout", "1"], "rate"),
        (["--l2", "-1"], "l2"),
        (["--epochs", "0"], "--epochs"),
        (["--batch-size", "0"], "--batch-size"),
        (["--learning-rate", "0"], "learning_rate"),
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
    assert 'pip install "fastnn[cli]"' in error


# --- interruption ---------------------------------------------------------------------------------


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
        error = process.communicate(timeout=60)[1]
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


# --- the demo -------------------------------------------------------------------------------------


def test_demo(tmp_path):
    done = run("demo", "--out", tmp_path / "made" / "here")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "made" / "here"
    assert {file.name for file in folder.iterdir()} == {
        "digits.safetensors",
        "learning_curves.png",
    }
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
    from fastnn.cli.curves import draw_curves
    from fastnn.history import History

    history = History()
    for epoch in (1, 2):
        values = dict.fromkeys(("loss", "val_loss", "accuracy", "val_accuracy"), 0.5 / epoch)
        history.append(epoch, values)
    matplotlib.use("svg")
    assert draw_curves(history, tmp_path / "curves.png")
    assert matplotlib.get_backend().lower() == "svg"


# --- real tables ----------------------------------------------------------------------------------


@needs_data
@pytest.mark.parametrize(
    ("name", "target", "least"),
    [("telco_churn", "Churn", 0.79), ("california_housing", "median_house_value", 0.74)],
)
def test_defaults_reach_good_figures(name, target, least, tmp_path, capsys):
    """Accuracy or R² with default options, mean of 5 splits and seeds."""
    data = Path(os.environ["FASTNN_DATA"]) / f"{name}.csv"
    scores = []
    for seed in range(5):
        options = ["--target", target, "--seed", str(seed), "--out", str(tmp_path / "m")]
        assert main(["train", str(data), *options]) == 0
        scores.append(figures(capsys.readouterr().out)[0])
    assert np.mean(scores) >= least
    assert min(scores) >= least - 0.02
