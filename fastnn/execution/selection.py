"""The executor for a plan, by the back end that is active."""

from __future__ import annotations

from .. import kernels
from ..ir.program import Plan
from .executor import Executor
from .native_executor import NativeExecutor
from .python_executor import PythonExecutor


def executor_class(plan: Plan) -> type[Executor]:
    """Return the executor in C if the native back end is active and has all kernels of the plan."""
    if kernels.active_backend() == "native" and not plan.python_layers:
        return NativeExecutor
    return PythonExecutor


def describe(plan: Plan) -> str:
    """Return which executor runs a plan while the active back end is as it is, and why."""
    if own := plan.python_layers:
        subject, verb = ("layers", "are") if len(own) > 1 else ("layer", "is")
        return f"Python executor: {subject} {', '.join(map(repr, own))} {verb} Python's own"
    backend = kernels.active_backend()
    return "native executor" if backend == "native" else f"Python executor, {backend} back end"
