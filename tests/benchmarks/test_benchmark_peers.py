"""The benchmarks measure what they say: workloads, the training they are held against, reports."""

import importlib
import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
from project import ROOT

BENCHMARKS = ROOT / "benchmarks"
MODULES = ("cases", "results", "targets", "interleave", "report", "bits", "tables")
SMALL = 3  # of the training workloads: quick enough in float64


@pytest.fixture(scope="module")
def bench():
    """The modules of the benchmarks, which are programs and no package."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(BENCHMARKS)
        peers = {name: importlib.import_module(f"peers.{name}") for name in MODULES}
        workloads = importlib.import_module("workloads")
        yield SimpleNamespace(
            **peers,
            workloads=workloads,
            oracle=importlib.import_module("workloads.oracle"),
            our_networks=importlib.import_module("workloads.our_networks"),
        )


@pytest.fixture
def measured(bench):
    """Made-up times of one network on 1 and 2 threads: fastnn 2 µs, torch 8 µs, peak 1 GFLOP/s."""
    results = bench.results.Results()
    [case] = [c for c in bench.cases.all_cases([1, 2], smoke=False) if c.name == "train 4-4-1, 1"]
    case = replace(case, name="train 8-32-32-2, 32")
    times = {"fastnn": 2e-6, "torch": 8e-6, bench.cases.LIMIT: 1e-9}
    for task in case.tasks:
        if task.label in times:
            for slowdown in (1, 10, 1):  # of a round: hits all alike
                seconds = slowdown * times[task.label] / task.threads
                results.add(case.name, task, seconds)
        else:
            results.miss(case.name, task, "left out")
    return results


def test_workloads_are_those_of_their_names(bench):
    for workload in (*bench.workloads.TRAINING, bench.workloads.OVERHEAD):
        x, y = workload.data
        assert x.shape == (workload.batch * workload.steps, workload.sizes[0])
        assert x.dtype == np.float32
        assert y.shape == (workload.rows,)
        if not workload.regression:
            assert set(y) == set(range(workload.sizes[-1]))
        shapes = [w.shape for w in workload.weights[::2]]
        assert shapes == list(zip(workload.sizes, workload.sizes[1:], strict=False))
        assert workload.short().updates <= workload.updates


def test_flops_leave_out_the_first_gradient_of_inputs(bench):
    # 32 rows: 2 · 8 · 32 twice, then 32 · 32 and 32 · 2 three times each.
    assert bench.workloads.TRAINING[0].flops == 32 * (4 * 256 + 6 * 1024 + 6 * 64)
    # 64 images: 28 · 28 windows of 9 products for 16 filters twice, then 14 · 14 of 144 for 32.
    dense = 7 * 7 * 32 * 64 + 64 * 10
    assert bench.workloads.CONVOLUTIONS[0].flops == 64 * (
        4 * 28**2 * 9 * 16 + 6 * (14**2 * 144 * 32 + dense)
    )


def test_convolutional_workloads_fit_their_networks(bench):
    for workload in bench.workloads.CONVOLUTIONS:
        short = replace(workload, steps=1)
        x, y = short.data
        assert x.shape == (workload.batch, *workload.row_shape)
        assert x.dtype == np.float32
        assert set(y) <= set(range(workload.layers[-1].units))
        net = bench.our_networks.built(short)
        assert [w.shape for w in net.get_weights()] == [w.shape for w in short.weights]
        assert workload.short().updates <= workload.updates


def test_the_layout_of_images_is_left_out_for_series(bench):
    by_name = {case.name: case for case in bench.cases.all_cases([1], smoke=False)}
    for name, has in (("train cnn 28×28×1, 64", True), ("train fcn 150×1, 16", False)):
        labels = [task.label for task in by_name[name].tasks]
        assert ("torch, channels last" in labels) is has
        assert "scikit-learn" not in labels


def test_a_network_may_have_goals_beside_single_peers(bench):
    results = bench.results.Results()
    [case] = [
        c for c in bench.cases.all_cases([1], smoke=False) if c.name == "train cnn 28×28×1, 64"
    ]
    times = {"fastnn": 1e-3, "keras": 1.6e-3, bench.cases.LIMIT: 1e-3 / 1.3 / case.workload.flops}
    for task in case.tasks:
        results.add(case.name, task, times.get(task.label, 4e-3))
    [row] = bench.targets.rows(results, [1], [case.name])
    assert row.figure == "1 ms = 1.30 × FMA limit"
    assert row.target.startswith("≤ 1.35 × FMA limit, ahead of every peer, ≥ 1.7 × keras")
    assert row.met is False  # by Keras alone
    tables = bench.tables.markdown([asdict(row)])
    assert "| cnn 28×28×1, 64 | 1 ms | 1.30 | ≤ 1.35 (missed) | 4.00 | 4.00 |" in tables


def test_oracle_agrees_with_fastnn_and_notices_another_learning_rate(bench):
    fastnn_native = importlib.import_module("peers.adapters.fastnn_native")
    quick = bench.workloads.TRAINING[:SMALL] + bench.workloads.CONVOLUTIONS[2:4]
    for workload in (*quick, bench.workloads.OVERHEAD):
        check = workload.for_check()
        expected = bench.oracle.epoch_losses(check)
        assert bench.oracle.close(fastnn_native.trainer(check, shuffle=False)(), expected)
        other = replace(check, learning_rate=1.1 * check.learning_rate)
        assert not bench.oracle.close(bench.oracle.epoch_losses(other), expected)


def test_cases_name_known_peers_once(bench):
    peers = importlib.import_module("peers.adapters").PEERS
    for smoke in (False, True):
        all_cases = list(bench.cases.all_cases([1, 2], smoke))
        assert len({case.name for case in all_cases}) == len(all_cases)
        for case in all_cases:
            keys = [(c.label, c.threads) for c in case.tasks]
            assert len(set(keys)) == len(keys)
            assert {c.peer for c in case.tasks} <= set(peers)


def test_every_case_has_a_row(bench):
    names = [case.name for case in bench.cases.all_cases([1, 2], smoke=False)]
    results = bench.results.Results()
    for name in names:
        assert bench.targets.rows(results, [1, 2], [name]), name


def test_ratio_is_taken_within_rounds(measured):
    assert measured.ratio("train 8-32-32-2, 32", ("torch", 1), ("fastnn", 1)) == pytest.approx(4)
    assert measured.ratio("train 8-32-32-2, 32", ("fastnn", 1), ("fastnn", 2)) == pytest.approx(2)
    assert measured.ratio("train 8-32-32-2, 32", ("jax", 1), ("fastnn", 1)) is None


def test_verdicts_follow_the_goals(bench, measured):
    rows = bench.targets.rows(measured, [1, 2], ["train 8-32-32-2, 32"])
    assert [(row.threads, row.met) for row in rows] == [(1, True), (2, True), (2, True)]
    # 2 µs where 241,664 operations take 242 µs.
    assert "= 0.01 × FMA limit" in rows[0].figure
    assert rows[0].ratios["torch"] == pytest.approx(4)


def test_a_product_of_float64_is_held_against_half_the_peak(bench):
    product = bench.cases.Product((256, 256, 256), "dy wᵀ", "float64")
    assert product.name == "gemm 256×256×256, dy wᵀ, float64"
    [case] = [c for c in bench.cases.all_cases([1], smoke=False) if c.name == product.name]
    results = bench.results.Results()
    times = {"fastnn": 2e-3, "numpy": 2e-3, "torch": 3e-3, "mkl": 4e-3, "blis": 1e-2}
    for task in case.tasks:
        # The peak of float32: 2 · 256³ operations in 0.92 ms; of float64 in 1.84 ms.
        at_the_peak = task.arguments[0] * 0.92e-3 / (2 * 256**3) if task.kind == "fma" else 0
        results.add(case.name, task, times.get(task.label, at_the_peak) / task.units)
    [row] = bench.targets.rows(results, [1], [case.name])
    assert row.figure == "92% of FMA peak"
    assert row.target == "≥ 90% of FMA peak, ≥ every peer"
    assert row.met
    assert row.ratios == pytest.approx({"numpy": 1, "torch": 1.5, "mkl": 2, "blis": 5})
    [share] = bench.report._peak_fractions([case], results)
    assert share["middle"] == pytest.approx(0.92)


def test_products_with_avx2_have_a_row_of_their_own(bench):
    results = bench.results.Results()
    [case] = [c for c in bench.cases.all_cases([1], smoke=False) if c.name == "gemm 512×512×512"]
    for task in case.tasks:
        limit = task.arguments[0] * 1e-3 / (2 * 512**3) if task.kind == "fma" else 0
        slow = task.label == bench.cases.AVX2
        results.add(case.name, task, (limit or (1.25e-3 if slow else 1e-3)) / task.units)
    own, avx2 = bench.targets.rows(results, [1], [case.name])
    assert (own.figure, avx2.figure) == ("100% of FMA peak", "80% of FMA peak")
    assert (avx2.name, avx2.met) == ("gemm 512×512×512, AVX2", False)


def test_a_smoke_run_has_each_size_and_each_form_of_product(bench):
    whole, smoke = (
        {case.name for case in bench.cases.all_cases([1, 2], smoke)} for smoke in (False, True)
    )
    assert smoke < whole
    assert all(name.startswith("gemm ") for name in whole - smoke)
    products = [name.split(", ", 1) for name in smoke if name.startswith("gemm ")]
    assert {size.split()[1] for size, *_ in products} == {
        "×".join(map(str, size)) for size in bench.cases.GEMM_SIZES
    }
    assert len({tuple(form) for _, *form in products}) == 6


def test_workers_inherit_nothing_that_slows_a_library(bench, monkeypatch, tmp_path):
    for name in bench.interleave.SLOWING:
        monkeypatch.setenv(name, "generic")
    monkeypatch.setenv("FASTNN_ISA", "avx2")
    found = bench.interleave.environment(2, tmp_path)
    assert not found.keys() & set(bench.interleave.SLOWING)
    assert (found["FASTNN_ISA"], found["OMP_NUM_THREADS"]) == ("avx2", "2")


def test_bits_of_all_numbers_of_threads_are_compared(bench, tmp_path):
    pool, made_up = bench.interleave.Pool(tmp_path), {1: "a", 2: "a", 3: "a", 7: "b"}
    by_name = {case.name: case for case in bench.cases.all_cases([1], smoke=True)}
    network = by_name["train 8-32-32-2, 32"]
    try:
        assert bench.bits.are_equal(network, pool)
        assert bench.bits.are_equal(by_name["import"], pool) is None
        workers = {
            threads: SimpleNamespace(ask=lambda *_, answer=answer: answer)
            for threads, answer in made_up.items()
        }
        stand_in = SimpleNamespace(
            start=lambda tasks: None, worker=lambda task: workers[task.threads]
        )
        assert bench.bits.are_equal(network, stand_in) is False
    finally:
        pool.end()
    text = bench.report.bits({"one": True, "another": False, "third": None}, (1, 2))
    assert text == "Bits of 1 cases are equal on 1, 2 threads; they DIFFER in another"


def test_a_failed_peer_leaves_a_gap_and_a_reason(bench, measured):
    rows = bench.targets.rows(measured, [1, 2], ["train 8-32-32-2, 32"])
    assert "torch 4.00  torch.compile —" in bench.report.table(rows)
    assert "left out" in bench.report.summary(rows, measured)


def test_json_holds_every_repeat(bench, measured, tmp_path):
    rows = bench.targets.rows(measured, [1, 2], ["train 8-32-32-2, 32"])
    cases = list(bench.cases.all_cases([1, 2], smoke=False))
    bench.report.write_json(tmp_path / "r.json", rows, cases, measured, {"machine": "made up"})
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["machine"] == "made up"
    assert [row["verdict"] for row in data["rows"]] == ["met"] * 3
    [torch] = [t for t in data["times"] if (t["task"], t["threads"]) == ("torch", 1)]
    assert torch["seconds"] == pytest.approx([8e-6, 8e-5, 8e-6])
    assert torch["median"] == pytest.approx(8e-6)
    [jax] = [t for t in data["times"] if (t["task"], t["threads"]) == ("jax", 1)]
    assert (jax["seconds"], jax["missing"]) == ([], "left out")


def test_tables_are_those_of_the_page(bench, measured):
    rows = [asdict(r) for r in bench.targets.rows(measured, [1, 2], ["train 8-32-32-2, 32"])]
    product = {
        "case": "gemm 64×64×64, xᵀ dy",
        "name": "gemm 64×64×64, xᵀ dy",
        "figure": "81% of FMA peak",
        "ratios": {"numpy": 1.5, "mkl": 1.25, "blis": None},
        "met": False,
    }
    whole = {**rows[0], **product}
    part = {**whole, "name": "exp 10,000", "target": "≤ 0.4 ns", "figure": "0.5 ns"}
    one, two, products, parts = bench.tables.markdown([*rows, whole, part]).split("\n\n")
    assert "| 8-32-32-2, 32 | 2 µs | 0.01 | ≤ 3.00 | — | 4.00 | — | — | — | — |" in one
    assert "| 8-32-32-2, 32 | 1 µs | 2.00 × | — | 4.00 |" in two
    assert products.splitlines()[2] == "| 64×64×64 | 81% (mkl 1.25) (missed) |"
    assert "| exp 10,000 | 0.5 ns | ≤ 0.4 ns (missed) | numpy 1.50, mkl 1.25, blis — |" in parts
    for table in (one, two, products, parts):
        assert len({line.count("|") for line in table.splitlines()}) == 1


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (2.5, "2.5 s"), (2e-6, "2 µs"), (1.234e-10, "0.123 ns")]
)
def test_duration(bench, seconds, text):
    assert bench.targets.duration(seconds) == text


def test_repeats_and_what_a_peer_cannot_do_are_reported(bench, tmp_path):
    tasks = [
        bench.cases.Task("gemm", "fastnn", 1, "gemm", (4, 4, 4)),
        bench.cases.Task("dance", "fastnn", 1, "dance"),
    ]
    results, pool = bench.results.Results(), bench.interleave.Pool(tmp_path)
    try:
        bench.interleave.run(bench.cases.Case("case", tasks), 3, pool, results)
    finally:
        pool.end()
    assert len(results.seconds("case", "gemm", 1)) == 3
    assert "it has no dance" in results.reason("case", "dance", 1)


def test_a_worker_that_dies_is_told_from_one_that_works(bench, tmp_path):
    worker = bench.interleave.Worker("fastnn", 1, tmp_path)
    try:
        worker.answer()
        worker._process.kill()
        with pytest.raises(bench.interleave.PeerError, match="status -9"):
            worker.ask("forget")
        assert not worker.alive
    finally:
        worker.end()
