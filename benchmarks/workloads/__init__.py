"""What is measured, for peers.py, asv, pytest-benchmark and compare.py alike.

- `networks`: networks to train and to predict with;
- `kernels`: a call of every kernel of the table;
- `parts`: what of a step peers do too, with what must come out;
- `fits`: whole fits of the estimators;
- `searches`: many networks, one beside the other;
- `package`: what the package weighs, and what it takes to compile and to import it.
"""

from .networks import BETA1, BETA2, EPSILON, OVERHEAD, TRAINING, Workload

__all__ = ["BETA1", "BETA2", "EPSILON", "OVERHEAD", "TRAINING", "Workload"]
