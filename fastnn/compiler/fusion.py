"""Neighbouring ops joined where one kernel does the work of both.

The reference twin of a fused kernel is the composition of the two: a fused plan computes what the
plain one does, and touches memory less often. Which ops belong together is read off their arrays,
never off their places: a layer may emit any number of ops, or none, in either direction.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..ir.program import Op, Ref

Ops = tuple[Op, ...]
Stages = Mapping[str, Ops]


def join_dropout(stages: Stages) -> dict[str, Ops]:
    """The stages of a plan, in which dense layers have taken over the dropout that follows them."""
    joined = dict(stages)
    for first, second in itertools.pairwise(stages["forward"]):
        if first.kernel == "dense_fwd" and second.kernel == "dropout_fwd":
            pair = _DroppedDense(first, second)
            if second.arguments[2] == pair.output and pair.is_separable_from(joined):
                joined["forward"] = join_pairs(joined["forward"], pair.join_forward)
                joined["backward"] = join_pairs(joined["backward"], pair.join_backward)
    return joined


@dataclass(frozen=True)
class _DroppedDense:
    """The forward ops of a dense layer and of the dropout that reads its output."""

    dense: Op
    dropout: Op

    @property
    def output(self) -> Ref:
        """What the dense layer writes; nothing does any more once the two are joined."""
        return self.dense.arguments[0]

    def is_separable_from(self, stages: Stages) -> bool:
        """Whether nothing else needs the output before dropout, or needs it as it is now.

        In place, it is overwritten as it is. Elsewhere, the backward op of the dense layer may read
        it, if that one can be joined too.
        """
        if self.dropout.arguments[0] == self.output:
            return True
        backward = stages["backward"]
        pairs = itertools.pairwise(backward)
        ours = [self.dense, self.dropout]
        ours += [second for first, second in pairs if self.join_backward(first, second)]
        readers = [op for ops in stages.values() for op in ops if self._reads_output(op)]
        return all(any(op is own for own in ours) for op in readers)

    def _reads_output(self, op: Op) -> bool:
        return any(
            (r.region, r.offset) == (self.output.region, self.output.offset) for r in op.refs
        )

    def join_forward(self, first: Op, second: Op) -> Op | None:
        if first is not self.dense or second is not self.dropout:
            return None
        _, x, w, b, activation, z = first.arguments
        out, mask, _, *noise = second.arguments
        arguments = (out, mask, x, w, b, activation, *noise, z)
        return replace(first, kernel="dense_dropout_fwd", arguments=arguments)

    def join_backward(self, first: Op, second: Op) -> Op | None:
        if (first.kernel, second.kernel) != ("dropout_bwd", "dense_bwd"):
            return None
        out, mask, *_ = self.dropout.arguments
        dropped_dy, its_mask, dropout_dy, rate = first.arguments
        dx, dw, db, dy, y, x, w, activation, z = second.arguments
        if (its_mask, y, dy) != (mask, self.output, dropped_dy):
            return None
        arguments = (dx, dw, db, dropout_dy, out, mask, x, w, activation, rate, z)
        return replace(second, kernel="dense_dropout_bwd", arguments=arguments)


def join_pairs(ops: Sequence[Op], pair: Callable[[Op, Op], Op | None]) -> Ops:
    """The ops with each pair of neighbours replaced that `pair` has an op for, from the front on.

    What a pair became is the first of the next one.
    """
    joined: list[Op] = []
    for op in ops:
        both = pair(joined[-1], op) if joined else None
        if both is None:
            joined.append(op)
        else:
            joined[-1] = both
    return tuple(joined)
