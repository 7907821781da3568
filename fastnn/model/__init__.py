"""The model: all that a network is and holds between calls."""
