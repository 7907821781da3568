"""Many networks trained side by side, each on a core of its own."""

from .fitting import fit_population
from .result import Population

__all__ = ["Population", "fit_population"]
