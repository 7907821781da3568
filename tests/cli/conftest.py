"""Tables in files."""

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris


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
