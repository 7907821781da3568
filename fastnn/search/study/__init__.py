"""Optuna's record of a search: where it is kept, and which process runs which trial.

============  ====================================================================
studies       open, create and read a study
identity      what two searches must have in common to share a study
storages      storages by URL; change the owner of a trial
heartbeats    which searches of a study are alive
leases        which trials this search may run
sampler_view  the study as samplers see it: failed trials have the worst value
best_models   the models of the Pareto front
============  ====================================================================
"""
