"""The border between users' arrays and ours."""
