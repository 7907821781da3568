"""The border between users' arrays and ours."""

from __future__ import annotations

from .data_set import DataSet, split_rows

__all__ = ["DataSet", "split_rows"]
