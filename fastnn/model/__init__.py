"""What a network is and holds between calls."""
