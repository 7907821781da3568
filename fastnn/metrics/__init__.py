"""Scores of predictions by name, and values monitored for improvement."""
