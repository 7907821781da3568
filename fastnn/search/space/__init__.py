"""The space of hyper-parameters, and the rules by which it is searched.

=========  =======================================================================
scales     the values of one hyper-parameter and how they are distributed
spaces     all hyper-parameters: a dict of scales or a function of a trial
samplers   samplers by name: Optuna's and some of our own
pruners    pruners by name, and the epochs at which they are asked
probe      try out whether what the space draws can be built
=========  =======================================================================
"""
