"""Diagnosis of networks: bias and variance, health of the layers, gradients, learning rates.

=====================  ===========================================================================
diagnosis              `diagnose`: computes everything down to `hardest`
bias_variance          training, validation and human error → avoidable bias and variance
measurement            one training step on a copy → figures of each layer
layer_flags            figures → flags with their likely cause
actions                bias, variance and flags → recommended next steps
learning_curve         fresh networks on growing parts of the data
scores                 confusion matrix, scores of each class; statistics of residuals
hardest                the rows with the largest losses
report, diagnosis.html the result as text, plots and HTML; `tables` has the rows of both
plots                  each plot, drawn into given axes
callback               `LayerHealth`: measures and flags layers during training
learning_rate          `lr_find`: the sweep over learning rates
gradient_check         backpropagation against central differences of the `loss_surface`
samples                checked data, and random samples of their rows
=====================  ===========================================================================
"""

from __future__ import annotations
