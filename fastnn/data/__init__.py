"""Users' arrays and frames, checked and converted for networks."""

from __future__ import annotations

from .data_set import DataSet, split_rows

__all__ = ["DataSet", "split_rows"]
