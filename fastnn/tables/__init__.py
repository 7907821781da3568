"""Tables: CSV files and DataFrames to arrays, and the preprocessing that a model file holds.

    read_csv, read_table          the file: numbers, and text as it stands (text_files, layout)
    Notation, Dialect             how numbers and missing cells are written
    find_target, read_target,     classification or regression, the values, and on which rows
    usable_rows
    find_columns                  numbers, codes, categories, or nothing to learn from
    TableEncoder, Target          fitted on the training rows: inputs (n, features), targets
    RowEncoder                    one row, as the encoder writes a table of it, in microseconds
    Preprocessing                 both, to and from the JSON-able data in a model file
    csv_of                        outputs of the network as a CSV file

Needs pandas, of the extra ``cli``.
"""

from .columns import Column, Schema
from .deciding import find_columns
from .dialect import Dialect
from .encoder import TableEncoder
from .notation import Notation
from .preprocessing import Preprocessing
from .reading import CsvFile, CsvTable, read_csv, read_table
from .rows import RowEncoder
from .target import Target
from .target_column import TASKS, find_target, read_target, usable_rows
from .writing import csv_of

__all__ = [
    "TASKS",
    "Column",
    "CsvFile",
    "CsvTable",
    "Dialect",
    "Notation",
    "Preprocessing",
    "RowEncoder",
    "Schema",
    "TableEncoder",
    "Target",
    "csv_of",
    "find_columns",
    "find_target",
    "read_csv",
    "read_table",
    "read_target",
    "usable_rows",
]
