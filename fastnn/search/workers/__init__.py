"""The workers that train trials: threads of this process, or those of an executor.

==========  ======================================================================
jobs        what a search and its workers exchange: `Task`, `Job`, `Outcome`
local       train in this process
executors   executors as users give them, and functions that make executors
pool        hand out jobs to an executor, collect outcomes, resubmit lost jobs
transport   send a task and its jobs to other processes
packing     a task as one block of bytes
remote      what workers of an executor run
sigint      Ctrl-C in worker processes
==========  ======================================================================
"""
