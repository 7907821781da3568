"""Arguments for any kernel and closeness of results, for tests and benchmarks."""
