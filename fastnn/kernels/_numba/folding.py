"""Folding: NumPy's own loops are as good as compiled ones."""

from __future__ import annotations

from ..reference import dense_fold_input, dense_fold_output

__all__ = ["dense_fold_input", "dense_fold_output"]
