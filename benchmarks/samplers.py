"""The sampler that learns beside random search, on functions and on tables of networks.

    python benchmarks/samplers.py --data FOLDER

FOLDER holds telco_churn.csv and california_housing.csv. Each objective (see objectives.py) is
searched from each seed for as many trials by "tpe" as by "random", in the rounds of
`fastnn.search`. Printed is a table in Markdown: medians of the best values, and how many seeds TPE
did better on.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import objectives as problems

from fastnn.search import objectives, session
from fastnn.search.jobs import Job, Outcome
from fastnn.search.keeping import Keeper
from fastnn.search.loops import Limits, in_rounds
from fastnn.search.progress import Progress
from fastnn.search.samplers import sampler_of
from fastnn.search.spaces import space_of
from fastnn.search.studies import describe, new_study
from fastnn.search.trials import Trials

TRIALS, SEEDS = 64, 20
VALUE = objectives.Objective("value", objectives.MINIMIZE, lambda judged: 0.0)


class Lookers:
    """Workers that train nothing: they ask the objective."""

    def __init__(self, problem: problems.Objective):
        self._problem, self._jobs = problem, list[Job]()

    def start(self, jobs: Sequence[Job]) -> None:
        self._jobs += jobs

    def finished(self, max_time: float | None) -> list[Outcome]:
        jobs, self._jobs = self._jobs, []
        return [Outcome(j.number, (self._problem.value(j.params),), j.epochs) for j in jobs]


def best(problem: problems.Objective, sampler: str, seed: int, trials: int) -> float:
    """What one search finds."""
    space = space_of(problem.space)
    study = new_study(None, problem.name, [VALUE], seed, describe(space, [VALUE], 1))
    study.sampler = sampler_of(sampler, seed, 0, space)
    with Progress([VALUE], trials, shown=False) as progress:
        asked = Trials(study, space, [1], Keeper([VALUE]), progress, ())
        limits = Limits(trials, None)
        in_rounds(asked, Lookers(problem), limits, progress, [1], session.LEARNING_ROUND)
    return study.best_value


def compare(found: Sequence[problems.Objective], seeds: int, trials: int) -> None:
    """Print the table, a row as soon as it is known, and on how many objectives TPE is ahead."""
    print("| objective | random | TPE | TPE ahead, of seeds |\n|---|---|---|---|")
    ahead = 0
    for problem in found:
        values = {
            sampler: [best(problem, sampler, seed, trials) for seed in range(seeds)]
            for sampler in ("random", "tpe")
        }
        random, tpe = (statistics.median(v) for v in values.values())
        pairs = list(zip(*values.values(), strict=True))
        wins, ties = sum(b < a for a, b in pairs), sum(b == a for a, b in pairs)
        ahead += tpe < random
        score = f"{wins} of {seeds}" + (f", {ties} alike" if ties else "")
        print(f"| {problem.name} | {random:.4g} | {tpe:.4g} | {score} |", flush=True)
    print(f"\nTPE's median is the better one on {ahead} of {len(found)} objectives")


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="without it, functions alone")
    parser.add_argument("--seeds", type=int, default=SEEDS, metavar="N")
    parser.add_argument("--trials", type=int, default=TRIALS, metavar="N")
    options = parser.parse_args(arguments)
    found = [*problems.functions(), *problems.other_scales()]
    if options.data is not None:
        found += problems.tables(options.data)
    compare(found, options.seeds, options.trials)


if __name__ == "__main__":
    main()
