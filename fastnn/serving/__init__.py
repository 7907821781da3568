"""Predictions with a model file, for tables, arrays and single rows."""
