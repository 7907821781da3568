"""Schedules: their formulas, and training with the rates that they give."""

import math

import numpy as np
import pytest
from problems import network

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Network
from fastnn.schedules import (
    Constant,
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    OneCycle,
    PiecewiseConstant,
    PolynomialDecay,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    Warmup,
)

T = range(40)


def sgdr(t, first, t_mul, m_mul, alpha):
    """By walking through the periods one by one."""
    length, peak = first, 1.0
    while t >= length - 1e-9:
        t, length, peak = t - length, length * t_mul, peak * m_mul
    return peak * (alpha + (1 - alpha) * (1 + math.cos(math.pi * t / length)) / 2)


def cyclic_polynomial(t):
    length = 7 * max(1, math.ceil(t / 7))
    return 0.1 + 0.9 * (1 - t / length) ** 2


#: Each schedule, and its rate after t steps by Python's own arithmetic.
FORMULAS = [
    (Constant(0.3), lambda t: 0.3),
    (ExponentialDecay(0.1, 10, 0.5), lambda t: 0.1 * math.exp(math.log(0.5) * t / 10)),
    (ExponentialDecay(0.1, 10, 1.5, staircase=True), lambda t: 0.1 * 1.5 ** (t // 10)),
    (StepDecay(0.1, 7, unit="epoch"), lambda t: 0.1 / 10 ** (t // 7)),
    (InverseTimeDecay(0.1, 10, 0.5), lambda t: 0.1 / (1 + 0.05 * t)),
    (InverseTimeDecay(0.1, 10, 0.5, staircase=True), lambda t: 0.1 / (1 + 0.5 * (t // 10))),
    (PolynomialDecay(1.0, 20), lambda t: max(1 - t / 20, 0) * (1 - 1e-4) + 1e-4),
    (PolynomialDecay(1.0, 7, 0.1, power=2.0, cycle=True), cyclic_polynomial),
    (PolynomialDecay(0.1, 20, 0.5, power=0.5), lambda t: 0.5 - 0.4 * max(1 - t / 20, 0) ** 0.5),
    (PiecewiseConstant([3, 10], [1, 0.5, 0]), lambda t: 1 if t < 3 else 0.5 if t < 10 else 0),
    (CosineDecay(0.2, 25), lambda t: 0.2 * math.cos(math.pi * min(t, 25) / 50) ** 2),
    (CosineDecay(1.0, 25, 0.3), lambda t: 0.3 + 0.7 * math.cos(math.pi * min(t, 25) / 50) ** 2),
    (CosineDecayRestarts(1.0, 5, 1.0), lambda t: sgdr(t, 5, 1, 1, 0)),
    (CosineDecayRestarts(1.0, 3), lambda t: sgdr(t, 3, 2, 1, 0)),
    (CosineDecayRestarts(1.0, 2, 1.5, 0.8, 0.1), lambda t: sgdr(t, 2, 1.5, 0.8, 0.1)),
    (
        OneCycle(1.0, 21, pct_start=1 / 3, div_factor=5, final_div_factor=2, anneal="linear"),
        lambda t: np.interp(t, [0, 6, 20], [0.2, 1.0, 0.1]),
    ),
    (Warmup(0.5, 4), lambda t: 0.5 * min(t / 4, 1)),
    (
        Warmup(CosineDecay(1.0, 10), 5, start_factor=0.1),
        lambda t: 0.1 + 0.18 * t if t < 5 else math.cos(math.pi * min(t - 5, 10) / 20) ** 2,
    ),
    (Warmup(Warmup(1.0, 2), 3), lambda t: 0 if t < 3 else min((t - 3) / 2, 1)),
    (ReduceOnPlateau(StepDecay(1.0, 9)), lambda t: 0.1 ** (t // 9)),
]
IDS = [f"{type(schedule).__name__}-{i}" for i, (schedule, _) in enumerate(FORMULAS)]


@pytest.mark.parametrize(("schedule", "formula"), FORMULAS, ids=IDS)
def test_formula(schedule, formula):
    expected = [formula(t) for t in T]
    np.testing.assert_allclose(schedule(np.arange(40)), expected, rtol=1e-12, atol=1e-15)
    assert [schedule(t) for t in T] == schedule(T).tolist()
    assert type(schedule(3)) is float


def test_every_schedule_is_among_the_examples():
    own = {kind for kind in Schedule._classes.values() if kind.__module__.startswith("fastnn.")}
    assert {type(schedule) for schedule, _ in FORMULAS} == own


def test_restarts_are_at_whole_periods_however_far_away():
    """Logarithms round; a period that begins a step late would show as a rate near 0."""
    for first, t_mul in ((1, 2.0), (3, 2.0), (7, 3.0), (10, 1.0)):
        schedule = CosineDecayRestarts(1.0, first, t_mul)
        starts = np.cumsum([0] + [first * t_mul**i for i in range(20)])
        np.testing.assert_array_equal(schedule(starts), 1.0)
        assert (schedule(starts[4:] - 1) < 0.1).all()


def torch_rates(make, steps=40):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler, rates = make(torch.optim.lr_scheduler, optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


def torch_warmup(lr, optimizer):
    warmup = lr.LinearLR(optimizer, start_factor=0.25, total_iters=6)
    return lr.SequentialLR(optimizer, [warmup, lr.StepLR(optimizer, 10, 0.5)], milestones=[6])


@pytest.mark.filterwarnings("ignore:The epoch parameter in `scheduler.step")  # torch's own
@pytest.mark.parametrize(
    ("schedule", "make"),
    [
        (StepDecay(0.1, 7, 0.5), lambda lr, o: lr.StepLR(o, 7, 0.5)),
        (ExponentialDecay(0.1, 1, 0.9), lambda lr, o: lr.ExponentialLR(o, 0.9)),
        (
            PiecewiseConstant([5, 20], [0.1, 0.01, 0.001]),
            lambda lr, o: lr.MultiStepLR(o, [5, 20]),
        ),
        (PolynomialDecay(0.1, 30, 0.0, 2.0), lambda lr, o: lr.PolynomialLR(o, 30, 2.0)),
        (
            CosineDecayRestarts(0.1, 5, alpha=0.01),
            lambda lr, o: lr.CosineAnnealingWarmRestarts(o, 5, 2, eta_min=0.001),
        ),
        (OneCycle(0.1, 40), lambda lr, o: lr.OneCycleLR(o, 0.1, 40)),
        (
            OneCycle(0.1, 40, 0.4, 10, 100, "linear"),
            lambda lr, o: lr.OneCycleLR(
                o, 0.1, 40, pct_start=0.4, div_factor=10, final_div_factor=100,
                anneal_strategy="linear",
            ),
        ),
        (Warmup(StepDecay(0.1, 10, 0.5), 6, 0.25), torch_warmup),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_torch_gives_the_same_rates(schedule, make):
    np.testing.assert_allclose(schedule(T), torch_rates(make), rtol=1e-10)


def test_one_cycle_stays_down():
    schedule = OneCycle(1.0, 10, div_factor=4, final_div_factor=5)
    assert schedule([9, 10, 1000]).tolist() == pytest.approx([0.05] * 3)


# --- descriptions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("schedule", "_"), FORMULAS, ids=IDS)
def test_a_schedule_survives_a_file(schedule, _, tmp_path):
    net = network(optimizer=fastnn.SGD(schedule)).build(5)
    net.save(tmp_path / "net.safetensors")
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.optimizer == net.optimizer
    assert hash(loaded.optimizer) == hash(net.optimizer)
    assert loaded.optimizer.learning_rate(T).tolist() == schedule(T).tolist()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(-1), "learning_rate must be a finite number >= 0, got -1"),
        (lambda: Constant(math.nan), "learning_rate must be"),
        (lambda: Constant(1, unit="batch"), "unknown unit 'batch'"),
        (lambda: ExponentialDecay(0.1, 0, 0.5), "decay_steps must be an integer >= 1"),
        (lambda: ExponentialDecay(0.1, 2.5, 0.5), "decay_steps must be an integer >= 1"),
        (lambda: ExponentialDecay(0.1, 2, 0), "decay_rate must be a finite number > 0"),
        (lambda: ExponentialDecay(0.1, 2, 0.5, 1), "staircase must be True or False"),
        (lambda: InverseTimeDecay(0.1, 2, -1), "decay_rate must be a finite number >= 0"),
        (lambda: PolynomialDecay(0.1, 2, power=0), "power must be a finite number > 0"),
        (lambda: PolynomialDecay(0.1, 2, -0.1), "end_learning_rate must be"),
        (lambda: PiecewiseConstant([2, 2], [1, 2, 3]), "boundaries must increase"),
        (lambda: PiecewiseConstant([2], [1]), "values must hold .* boundaries, 2, got 1"),
        (lambda: PiecewiseConstant(2, [1]), "boundaries must be a sequence"),
        (lambda: PiecewiseConstant([0], [1, 2]), r"boundaries\[0\] must be an integer >= 1"),
        (lambda: PiecewiseConstant([2], [1, "x"]), r"values\[1\] must be"),
        (lambda: CosineDecay(0.1, 10, alpha=2), r"alpha must be a number in \[0, 1\]"),
        (lambda: CosineDecayRestarts(0.1, 10, t_mul=0.5), "t_mul must be"),
        (lambda: CosineDecayRestarts(0.1, 10, m_mul=0), "m_mul must be"),
        (lambda: OneCycle(0.1, 1), "total_steps must be an integer >= 2"),
        (lambda: OneCycle(0.1, 10, pct_start=0.1), "leaves no step to rise in"),
        (lambda: OneCycle(0.1, 10, pct_start=1), "pct_start must be"),
        (lambda: OneCycle(0.1, 10, anneal="cosin"), "did you mean 'cos'"),
        (lambda: OneCycle(0.1, 10, div_factor=0.5), "div_factor must be"),
        (lambda: Warmup(0.1, 0), "steps must be an integer >= 1"),
        (lambda: Warmup("cosine", 3), "schedule must be"),
        (lambda: Warmup(0.1, 3, 2), "start_factor must be"),
        (lambda: ReduceOnPlateau(0.1, factor=1), r"factor must be a number in \(0, 1\)"),
        (lambda: ReduceOnPlateau(0.1, monitor=3), "monitor must be the name"),
        (lambda: ReduceOnPlateau(0.1, mode="mni"), "did you mean 'min'"),
        (lambda: ReduceOnPlateau(0.1, patience=-1), "patience must be"),
        (lambda: ReduceOnPlateau(Warmup(ReduceOnPlateau(0.1), 3)), "holds another one"),
        (lambda: fastnn.Adam("cosine"), "learning_rate must be a finite number > 0"),
        (lambda: fastnn.Adam(0), "learning_rate must be a finite number > 0"),
        (lambda: fastnn.Adam({"type": "Cosine"}), "unknown Schedule 'Cosine'"),
    ],
)
def test_bad_arguments_are_named(make, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        make()


def test_plots():
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    schedule = CosineDecay(0.1, 50)
    assert schedule.plot(80, ax) is ax
    x, y = ax.lines[0].get_data()
    assert x.tolist() == list(range(80))
    np.testing.assert_allclose(y, schedule(np.arange(80)))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step", "learning rate")
    with pytest.raises(ArgumentError, match="steps must be an integer >= 1"):
        schedule.plot(0, ax)


def test_a_plot_makes_its_own_axes():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("agg")
    ax = StepDecay(0.1, 5, unit="epoch").plot(10)
    assert ax.get_xlabel() == "epoch"
    pyplot.close(ax.figure)


def test_without_matplotlib_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.pyplot", None)
    with pytest.raises(fastnn.MissingDependencyError, match=r'pip install "\.\[plot\]"'):
        Constant(0.1).plot(3)
