"""Named activations, and those that a user writes."""
