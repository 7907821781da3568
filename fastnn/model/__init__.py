"""Models: networks between calls, with their sizes, arrays, counters and history."""
