"""The language between layers and executors: parameters, ops, plans and their builder."""
