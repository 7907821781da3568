"""Scores of predictions by name, areas under curves, and values watched for improvement."""
