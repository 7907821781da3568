"""Users' arrays and frames, checked and converted for networks."""
