"""Search for hyper-parameters: Optuna proposes, populations of networks train side by side.

==========  ======================================================================
searching   the functions for users; all other modules need Optuna
arguments   the arguments of a search, checked
run         from the arguments to the result
loops       synchronous rounds of trials, or asynchronous trials
trials      ask the study for trials, report their values, prune them
build       from parameters to models
objectives  what models are scored by
splits      which rows each model is trained on
result      what a search found
space/      the space of hyper-parameters; samplers and pruners
study/      Optuna's record: storage, heartbeats, leases
workers/    where trials are trained: threads, executors
report/     progress, plots, the HTML report
==========  ======================================================================
"""

from __future__ import annotations

from .searching import load, search
from .space.scales import Scale, integers, log_integers, log_uniform, momentum, uniform

__all__ = [
    "Scale",
    "integers",
    "load",
    "log_integers",
    "log_uniform",
    "momentum",
    "search",
    "uniform",
]
