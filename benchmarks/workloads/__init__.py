"""The work that peers, compare, asv and pytest measure alike.

- `networks`, `convolutions`: networks to train and to predict with;
- `our_networks`: the same as networks of fastnn;
- `kernels`, `calls`: a call of every kernel of the table;
- `parts`: parts of a step that peers do too, with what must come out;
- `fits`: whole fits of the estimators;
- `searches`: many networks, one beside the other;
- `package`: size, compilation and import of the package;
- `oracle`, `engines`, `timing`: the right losses, the back ends, and samples of many calls.
"""

from .convolutions import CONVOLUTIONS, Convolutional
from .networks import BETA1, BETA2, EPSILON, OVERHEAD, TRAINING, Workload

__all__ = [
    "BETA1",
    "BETA2",
    "CONVOLUTIONS",
    "EPSILON",
    "OVERHEAD",
    "TRAINING",
    "Convolutional",
    "Workload",
]
