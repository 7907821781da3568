"""Tables: from CSV files and DataFrames to arrays, and what a model must remember to do it again.

    read_csv                      the file, every cell as text
    find_target, usable_rows      classification or regression, and on which rows
    find_columns                  numbers, codes, categories, or nothing to learn from
    TableEncoder, Target          fitted on the training rows: inputs (n, features), targets
    RowEncoder                    one row, as the encoder writes a table of it, in microseconds
    Preprocessing                 both, to and from the JSON-able data in a model file

Needs pandas, of the extra ``cli``.
"""

from .columns import Column, Schema, find_columns
from .encoder import TableEncoder
from .preprocessing import Preprocessing
from .reading import read_csv
from .rows import RowEncoder
from .target import TASKS, Target, find_target, usable_rows

__all__ = [
    "TASKS",
    "Column",
    "Preprocessing",
    "RowEncoder",
    "Schema",
    "TableEncoder",
    "Target",
    "find_columns",
    "find_target",
    "read_csv",
    "usable_rows",
]
