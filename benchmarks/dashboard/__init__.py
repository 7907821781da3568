"""The page of `benchmarks/site.py`: its data, from JSON files, and its text, style and script."""
