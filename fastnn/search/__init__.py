"""Search for hyper-parameters: Optuna proposes, populations of networks train side by side.

=================  ===============================================================================
searching          `search`, for users; the other modules need Optuna, which it looks for first
scales, spaces     how values are spread; which hyper-parameters there are
samplers, pruners  by name; Optuna's but for a few of our own
objectives         what models are judged by; `scoring` shows networks to scikit-learn's scorers
splits             who is trained on which rows
jobs               what a search and its workers tell each other: `Task`, `Job`, `Outcome`
building           from parameters to models, and their seeds; `probing` tries it out
training           workers that are the threads of this process
dispatching        workers of an executor: jobs given out, taken back, given out again if lost
executors          the executor, or the function that makes it, as users give it
packing, delivery  a task as one block of bytes; how it and its jobs get to other processes
remote, guarding   what runs there; Ctrl-C there
trials, loops      asking, judging, telling; in rounds, or as outcomes come
studies, keeping   Optuna's record; the models that are worth keeping
identity           what two searches must have in common to share a study
learning           the study as samplers see it: trials that failed are the worst
storages           what studies are kept in, and who has which trial
claims, searchers  which trials this search may run; who else is at the study, and alive
session            from the arguments of `search` to its result
result, progress   what a search found; what it shows on the way
loading            what a search found that a storage holds
observed           a search as plots and reports see it: trials, dimensions, importances
axes, drawings     one plot each; those of parallel coordinates are in `parallel`
figures, page      plots side by side; the report, of which `settings` tells the arguments
=================  ===============================================================================
"""

from __future__ import annotations

from .loading import load
from .scales import Scale, integers, log_integers, log_uniform, momentum, uniform
from .searching import search

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
