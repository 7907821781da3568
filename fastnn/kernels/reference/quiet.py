"""Floating-point warnings, which kernels never give."""

from __future__ import annotations

import numpy as np

#: Decorator: overflow and invalid operations show in the results alone, as in compiled code.
quiet = np.errstate(all="ignore")
