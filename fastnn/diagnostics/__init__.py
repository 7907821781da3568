"""Diagnosis: which part of the toolbox a network needs next, and the evidence for it.

=================  ===============================================================================
diagnosis          `diagnose`: collects everything below
bias_variance      training, validation and human error → avoidable bias and variance
actions            the verdict and the flags → what to do next, in order
measurement        one training step on a copy, watched layer by layer → figures
layer_health       figures → flags with their likely cause; the callback `LayerHealth`
learning_curve     fresh networks on growing parts of the data
scores             classes, confusion and per-class scores; residuals
hardest            the rows with the largest losses
learning_rate      `lr_find`: the sweep over learning rates
report, page       what was found, as text, picture and HTML; `tables` has the rows of both
style, drawings    what plots look like, and how each is drawn
=================  ===============================================================================
"""

from __future__ import annotations
