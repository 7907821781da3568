"""Made-up results in the forms that peers.py and asv write, for the page that shows them."""

from __future__ import annotations

import json
from pathlib import Path

SECONDS = {"fastnn": 2e-6, "torch": 8e-6, "scikit-learn": 1e-6, "limit": 1e-12}
SLOWDOWNS = (1.0, 1.1, 0.9, 5.0, 1.0)  # of rounds: hit all contestants alike


def write_peers(path: Path, bench) -> None:
    """Two networks, a product and a prediction, on one thread and on two; jax did not run."""
    chosen = ("train 8-32-32-2, 32", "train 64-100-10, 200", "gemm 64×64×64")
    cases = [c for c in bench.cases.all_cases([1, 2], smoke=False) if c.name in chosen]
    results = bench.results.Results()
    for case in cases:
        for contestant in case.contestants:
            if contestant.label not in SECONDS:
                results.miss(case.name, contestant, "no <jax> & co")
                continue
            for slowdown in SLOWDOWNS:
                seconds = slowdown * SECONDS[contestant.label] / contestant.threads
                results.add(case.name, contestant, seconds)
    rows = bench.budget.rows(results, [1, 2], [case.name for case in cases])
    about = {
        "machine": {"processor": "Made-up processor", "cores": 2},
        "date": "2030-01-02 03:04",
        "versions": {"fastnn": "1.2.3", "torch": "9.9", "machine": "Made-up"},
        "settings": {},
    }
    bench.report.write_json(path, rows, cases, results, about)


#: Values of each benchmark, by commit, for all combinations of parameters.
HISTORY = {
    "networks.TrainingEpochs.time_call": ([1.0, 4.0], [1.0, 1.0], [2.0, None]),
    "limits.Training.track_share_of_fma_peak": ([0.4], [0.5], [0.5]),
    "kernels.adam_step.time_call": ([1e-6], [1e-6], [1e-6]),
    "package.track_wheel_size": ([1.1e6], None, [1.2e6]),
}
UNITS = {
    "limits.Training.track_share_of_fma_peak": "share of the FMA peak",
    "package.track_wheel_size": "bytes",
}


def write_asv(folder: Path) -> None:
    """Three commits on one machine, written in another order than they came in."""
    (folder / "made-up").mkdir(parents=True)
    (folder / "made-up" / "machine.json").write_text("{}")
    described = {name: {"unit": UNITS.get(name, "seconds"), "type": "time"} for name in HISTORY}
    (folder / "benchmarks.json").write_text(json.dumps({**described, "version": 2}))
    for commit in (2, 0, 1):
        values = {name: [history[commit], []] for name, history in HISTORY.items()}
        result = {
            "commit_hash": f"{commit}" * 40,
            "env_name": "virtualenv-py3.11",
            "date": 1_900_000_000_000 + commit,
            "result_columns": ["result", "params"],
            "results": {name: row for name, row in values.items() if row[0] is not None},
        }
        path = folder / "made-up" / f"{9 - commit}-virtualenv-py3.11.json"
        path.write_text(json.dumps(result).replace("null", "NaN"))
