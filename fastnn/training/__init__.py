"""Epochs, and who runs them."""
