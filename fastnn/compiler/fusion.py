"""Neighbouring ops joined where one kernel does the work of both.

The reference twin of a fused kernel is the composition of the two: a fused plan computes what the
plain one does, and touches memory less often. Which ops belong together is read off their arrays,
never off their places: a layer may emit any number of ops, or none, in either direction.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..ir.builder import argument_names
from ..ir.program import Op, Ref

Ops = tuple[Op, ...]
Stages = Mapping[str, Ops]


def fuse_dense_dropout(stages: Stages) -> dict[str, Ops]:
    """Return the stages of a plan with dense layers joined to the dropout that follows them."""
    joined = dict(stages)
    for first, second in itertools.pairwise(stages["forward"]):
        if first.kernel == "dense_fwd" and second.kernel == "dropout_fwd":
            pair = _DroppedDense(first, second)
            if second.arguments["x"] == pair.output and pair.is_separable_from(joined):
                joined["forward"] = fuse_adjacent(joined["forward"], pair.fuse_forward)
                joined["backward"] = fuse_adjacent(joined["backward"], pair.fuse_backward)
    return joined


@dataclass(frozen=True)
class _DroppedDense:
    """The forward ops of a dense layer and of the dropout that reads its output."""

    dense: Op
    dropout: Op

    @property
    def output(self) -> Ref:
        """The output of the dense layer, which nothing writes once the two are joined."""
        return self.dense.arguments["y"]

    def is_separable_from(self, stages: Stages) -> bool:
        """Return whether nothing else needs the output before dropout, or needs it as it is now.

        In place, it is overwritten as it is. Elsewhere, the backward op of the dense layer may read
        it, if that one can be joined too.
        """
        if self.dropout.arguments["y"] == self.output:
            return True
        backward = stages["backward"]
        pairs = itertools.pairwise(backward)
        ours = [self.dense, self.dropout]
        ours += [second for first, second in pairs if self.fuse_backward(first, second)]
        readers = [op for ops in stages.values() for op in ops if self._reads_output(op)]
        return all(any(op is own for own in ours) for op in readers)

    def _reads_output(self, op: Op) -> bool:
        return any(
            (r.region, r.offset) == (self.output.region, self.output.offset) for r in op.refs
        )

    def fuse_forward(self, first: Op, second: Op) -> Op | None:
        if first is not self.dense or second is not self.dropout:
            return None
        arguments = {**second.arguments, **first.arguments, "y": second.arguments["y"]}
        return _fused(first, "dense_dropout_fwd", arguments)

    def fuse_backward(self, first: Op, second: Op) -> Op | None:
        if (first.kernel, second.kernel) != ("dropout_bwd", "dense_bwd"):
            return None
        dropped, dropout, dense = self.dropout.arguments, first.arguments, second.arguments
        if dropout["mask"] != dropped["mask"] or dense["dy"] != dropout["dx"]:
            return None
        if dense["y"] != self.output:
            return None
        arguments = {**dropout, **dense, "dy": dropout["dy"], "y": dropped["y"]}
        return _fused(second, "dense_dropout_bwd", arguments)


def _fused(op: Op, kernel: str, arguments: Mapping[str, Any]) -> Op:
    """Return an op of another kernel in the place of `op`."""
    ordered = {name: arguments[name] for name in argument_names(kernel)}
    return replace(op, kernel=kernel, arguments=ordered)


def fuse_adjacent(ops: Sequence[Op], pair: Callable[[Op, Op], Op | None]) -> Ops:
    """Return the ops with pairs of neighbours replaced, from the front on, where `pair` has an op.

    The op that replaces a pair is the first of the next one.
    """
    joined: list[Op] = []
    for op in ops:
        both = pair(joined[-1], op) if joined else None
        if both is None:
            joined.append(op)
        else:
            joined[-1] = both
    return tuple(joined)
