"""The commands `train` and `predict`."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from commands import figures, run
from sklearn.metrics import accuracy_score, mean_absolute_error, r2_score

import fastnn
from fastnn.cli import main

needs_data = pytest.mark.skipif(
    "FASTNN_DATA" not in os.environ, reason="FASTNN_DATA does not name a folder of data sets"
)


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
    arguments = ["--target", "species", "--quiet", "--epochs", "30", "--out", str(tmp_path / "m")]
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
    assert printed.err == (
        "fastnn: categories that the model does not know count as none of those it knows: town "
        "(1 row, such as 'Aachen' in data row 1)\n"
        "fastnn: columns the model does not know: rooms, floor\n"
    )
    assert len(printed.out.splitlines()) == 3


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
