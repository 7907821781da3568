"""Model a training step on many cores, from what this machine measures.

    python benchmarks/studies/scaling.py
    python benchmarks/studies/scaling.py --cores 16 64 192 --socket-cores 96 --socket-bandwidth 370

Measured here: the loops of a step and their tasks, the cost of a barrier, the rates of fused
multiply-adds and of memory, and the step itself. Assumed, as options say: cores, caches and memory
of a larger machine, whose cores are like those of this one. On a machine with more cores, more is
measured: the columns of the second table hold the model against it.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # folders of benchmarks/ are packages

from peers.adapters import fastnn_native, limits
from studies.native_loops import Loop, barrier_seconds, step_loops
from workloads import TRAINING, Workload, our_networks, timing
from workloads.engines import cores

import fastnn

FLOPS, STREAMED, ELEMENT = 2 * 10**8, 10**7, 28  # bytes of a stream's element: 4 reads, 3 writes
ENOUGH = 10**6  # tasks of a loop that is cut as finely as one likes
# Seconds of a sample, short enough to fall between two turns of other programs; and of all.
SAMPLE, ALL, FEWEST = 2e-3, 2.0, 15


@dataclass(frozen=True)
class Machine:
    """What the model takes of a machine; rates are those of one core, and of a socket.

    `barriers` are the seconds of bursts by the number of threads, as measured; `remote` is the time
    of a cache line between caches over that within one. `two_level` says that threads meet within
    their cache first, and one of each cache then.
    """

    flops: float
    bandwidth: float
    barriers: dict[int, list[float]]
    socket_bandwidth: float
    socket_cores: int
    cache_cores: int
    cache_bytes: int
    remote: float
    two_level: bool = False

    def bandwidth_of(self, threads: int) -> float:
        """Return the rate of memory that so many cores reach together."""
        sockets = math.ceil(threads / self.socket_cores)
        return min(threads * self.bandwidth, sockets * self.socket_bandwidth)

    def holds(self, size: int, threads: int) -> bool:
        """Return whether the last-level caches of so many cores hold so many bytes."""
        return size <= self.cache_bytes * math.ceil(threads / self.cache_cores)

    def barrier(self, threads: int) -> float:
        """Return the seconds of a barrier of so many threads, which arrive in any order."""
        if threads in self.barriers:
            return min(self.barriers[threads])
        if threads <= self.cache_cores:
            return self._counted(threads, 0)
        if self.two_level:
            caches = math.ceil(threads / self.cache_cores)
            return self._counted(self.cache_cores, 0) + self._counted(caches, 1)
        return self._counted(threads, 1 - (self.cache_cores - 1) / (threads - 1))

    def _counted(self, threads: int, remote_share: float) -> float:
        """Return the seconds of threads that all write to one counter.

        Its cache line moves from thread to thread, and the one that lets them go on moves twice.
        """
        measured = max(n for n in self.barriers if n <= self.cache_cores)
        move = min(self.barriers[measured]) / (measured + 1)
        return move * (threads + 1) * (1 + (self.remote - 1) * remote_share)


@dataclass(frozen=True)
class Step:
    """A workload with its loops, the bytes that it works on, and its measured seconds."""

    workload: Workload
    loops: Sequence[Loop]
    size: int
    measured: dict[int, float]  # by the number of threads

    def modelled(self, machine: Machine, threads: int, finest: bool = False) -> dict[str, float]:
        """Return the seconds by what takes them: computing, idle threads, memory, barriers.

        The estimates of C share out the step that was measured on one thread. `finest` cuts each
        loop into as many tasks as there are threads.
        """
        scale = self.measured[1] / sum(loop.seconds for loop in self.loops)
        parts = dict.fromkeys(("computing", "idle", "memory", "barriers"), 0.0)
        for loop in self.loops:
            tasks = ENOUGH if finest else loop.tasks
            alone = scale * loop.seconds
            busy, share = alone / threads, alone * math.ceil(tasks / threads) / tasks
            fetched = 0 if machine.holds(self.size, threads) else loop.bytes
            parts["computing"] += busy
            parts["idle"] += share - busy
            parts["memory"] += max(0, fetched / machine.bandwidth_of(threads) - share)
            parts["barriers"] += machine.barrier(threads)
        return parts

    def fastest_team(self, machine: Machine, n_cores: int, finest: bool = False) -> int:
        """Return the number of threads that the library, which tries several, would settle on."""
        teams = {n_cores, *(2**i for i in range(n_cores.bit_length()))}
        return min(sorted(teams), key=lambda team: _total(self.modelled(machine, team, finest)))


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and print the tables of the model."""
    options = _options(argv)
    sizes = [n for n in (2**i for i in range(12)) if n <= len(cores())]
    machine = _measure_machine(options, sizes)
    steps = [_measure_step(workload, sizes) for workload in TRAINING]
    print(_of_machine(machine, sizes), _of_steps(steps, machine, sizes), sep="\n\n")
    for title, changed, finest in (
        ("As it is", machine, False),
        ("A task for each thread", machine, True),
        ("... and barriers of two levels", replace(machine, two_level=True), True),
    ):
        print(f"\n{title}\n\n{_of_model(steps, changed, options.cores, finest)}")
    return 0


def _measure_machine(options: argparse.Namespace, sizes: Sequence[int]) -> Machine:
    limits.initialize(1)
    barriers = {n: seconds for n in sizes if (seconds := barrier_seconds(n))}
    return Machine(
        flops=FLOPS / _least(limits.fma(FLOPS), 1),
        bandwidth=_stream_rate(1),
        barriers=barriers,
        socket_bandwidth=options.socket_bandwidth * 1e9,
        socket_cores=options.socket_cores,
        cache_cores=options.cache_cores,
        cache_bytes=options.cache_megabytes << 20,
        remote=options.remote,
    )


def _measure_step(workload: Workload, sizes: Sequence[int]) -> Step:
    measured = {}
    for threads in sizes:
        fastnn.set_num_threads(threads)
        measured[threads] = _least(fastnn_native.trainer(workload), threads) / workload.updates
    net = our_networks.built(workload)
    executor = net._model.executors.training(workload.batch, labels=True)
    arena = executor.arena
    arrays = (arena.parameters, arena.gradients, arena.slots, arena.buffers)
    size = executor.plan.workspace + sum(array.nbytes for array in arrays)
    return Step(workload, step_loops(executor.plan, workload), size, measured)


def _stream_rate(threads: int) -> float:
    """Return the bytes that so many cores move in a second."""
    limits.initialize(threads)
    return ELEMENT * STREAMED / _least(limits.stream(STREAMED), threads)


def _least(work: Callable[[], object], threads: int) -> float:
    """Return the seconds of a call: the least of many, since other programs only lengthen it.

    On one thread, of the processor's time, which they do not.
    """
    clock = timing.processor_time if threads == 1 else None
    calls = timing.calls_within(SAMPLE, work, clock)
    rounds = max(FEWEST, int(ALL / timing.duration(work, calls, clock)))
    return min(timing.duration(work, calls, clock) for _ in range(rounds)) / calls


def _of_machine(machine: Machine, sizes: Sequence[int]) -> str:
    bursts = {n: [round(1e9 * burst) for burst in machine.barriers[n]] for n in machine.barriers}
    barriers = ", ".join(f"{min(b)} to {max(b)} ns on {n}" for n, b in bursts.items())
    streams = ", ".join(f"{_stream_rate(n) / 1e9:.0f} GB/s on {n}" for n in sizes)
    return (
        f"Measured: {machine.flops / 1e9:.0f} GFLOP/s a core; streams {streams}; "
        f"barrier {barriers} threads.\n"
        f"Assumed: {machine.socket_cores} cores and {machine.socket_bandwidth / 1e9:.0f} GB/s a "
        f"socket, {machine.cache_bytes >> 20} MiB of cache for {machine.cache_cores} cores; a line "
        f"takes {machine.remote:g} × as long from another cache."
    )


def _of_steps(steps: Sequence[Step], machine: Machine, sizes: Sequence[int]) -> str:
    rows = []
    for step in steps:
        fewest = [
            f"{sum(loop.tasks <= n for loop in step.loops)} of {len(step.loops)}" for n in (1, 16)
        ]
        heaviest = max(step.loops, key=lambda loop: loop.seconds)
        against = [
            f"{_micro(step.measured[n])} / {_micro(_total(step.modelled(machine, n)))}"
            for n in sizes
        ]
        size, limit = f"{step.size / 2**20:.1f}", step.workload.flops / machine.flops
        rows.append([step.workload.name, *fewest, str(heaviest.tasks), size, _micro(limit)])
        rows[-1] += against
    head = ["network, batch", "loops of 1 task", "of ≤ 16", "tasks of the heaviest", "MiB", "FMA"]
    return _table([[*head, *(f"measured / model, {n}" for n in sizes)], *rows])


def _of_model(steps: Sequence[Step], machine: Machine, numbers: Sequence[int], finest: bool) -> str:
    rows = [["network, batch", *(f"{n} cores" for n in numbers)]]
    for step in steps:
        cells = [step.workload.name]
        for n_cores in numbers:
            team = step.fastest_team(machine, n_cores, finest)
            parts = step.modelled(machine, team, finest)
            total = _total(parts)
            part = max(parts, key=parts.__getitem__)
            speed = f"{step.measured[1] / total:.1f} × by {team}"
            cells.append(f"{_micro(total)}, {speed}, {100 * parts[part] / total:.0f} % {part}")
        rows.append(cells)
    waits = [f"{_micro(machine.barrier(n))} for {n} threads" for n in numbers]
    return _table([*rows, ["a barrier", *waits]])


def _total(parts: dict[str, float]) -> float:
    return float(np.sum([*parts.values()]))


def _micro(seconds: float) -> str:
    return f"{1e6 * seconds:.3g} µs" if seconds < 1e-3 else f"{1e3 * seconds:.3g} ms"


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows in Markdown, the first of them as the head."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cores", type=int, nargs="+", default=[16, 64, 192], metavar="N")
    parser.add_argument("--socket-cores", type=int, default=96, metavar="N")
    parser.add_argument("--socket-bandwidth", type=float, default=370, metavar="GB/s")
    parser.add_argument("--cache-cores", type=int, default=8, metavar="N")
    parser.add_argument("--cache-megabytes", type=int, default=32, metavar="MiB")
    parser.add_argument("--remote", type=float, default=4.7, metavar="RATIO")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
