"""Tables with every kind of column, and what is decided about them."""

import numpy as np
import pandas as pd

from fastnn.tables import find_columns


def mixed_frame(rows=200, seed=0):
    """A table with every kind of column, as text, the way `read_csv` gives it."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "id": [f"row-{i}" for i in range(rows)],
            "number": rng.normal(5, 2, rows).round(6),
            "holes": np.where(rng.random(rows) < 0.2, np.nan, rng.lognormal(3, 2, rows)),
            "colour": rng.choice(["rot", "grün", "blau, hell", ""], rows),
            "level": rng.integers(1, 5, rows),
            "yes": rng.choice([True, False], rows),
            "constant": 7,
            "empty": "",
            "y": rng.choice(["a", "b"], rows),
        }
    )
    return frame.map(lambda cell: "" if cell != cell else str(cell))


def kinds(schema):
    return {column.name: column.kind for column in schema.columns}


def schema_of(**columns):
    frame = pd.DataFrame(columns)
    frame["y"] = ["a", "b"] * (len(frame) // 2) + ["a"] * (len(frame) % 2)
    return find_columns(frame, "y")
