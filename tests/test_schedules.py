"""Schedules: their formulas, and training with the rates that they give."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Network
from fastnn.executor import Executor
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
    with pytest.raises(fastnn.MissingDependencyError, match=r'pip install "fastnn\[plot\]"'):
        Constant(0.1).plot(3)


# --- training -------------------------------------------------------------------------------------


def trained_by_hand(schedule, X, y, batch, epochs, unit):
    """Gradient descent on a linear model with the squared error, float64."""
    net = linear(0.1).build(X.shape[1])
    w, b = net.get_weights()
    step = 0
    for epoch in range(epochs):
        for start in range(0, len(X), batch):
            x, target = X[start : start + batch], y[start : start + batch]
            error = x @ w + b - target
            rate = schedule(step if unit == "step" else epoch)
            w = w - rate * 2 * x.T @ error / len(x)
            b = b - rate * 2 * error.mean(axis=0)
            step += 1
    return w, b


def linear(learning_rate, **options):
    options = {"optimizer": fastnn.SGD(learning_rate), "seed": 1, "dtype": "float64"} | options
    return Network([fastnn.Dense(1)], loss="mean_squared_error", **options)


@pytest.mark.parametrize("unit", ["step", "epoch"])
def test_each_update_has_its_own_rate(backend, unit):
    X, y = data(rows=23)
    schedule = ExponentialDecay(0.2, 3, 0.7, unit=unit)
    net = linear(schedule)
    net.fit(X, y, batch_size=5, epochs=2, shuffle=False, verbose=0)
    net.fit(X, y, batch_size=5, epochs=2, shuffle=False, verbose=0)  # goes on, not anew
    w, b = trained_by_hand(schedule, X, y, 5, 4, unit)
    np.testing.assert_allclose(net.get_weights()[0], w, rtol=1e-12)
    np.testing.assert_allclose(net.get_weights()[1], b, rtol=1e-12)
    assert net.state.learning_rate == schedule(19 if unit == "step" else 3)
    assert net.learning_rate == schedule(20 if unit == "step" else 4)


@pytest.mark.parametrize("hooks", ["none", "batch", "progress"])
def test_both_executors_and_all_stretches_agree(hooks, monkeypatch):
    X, y = data(rows=100)
    names = {"none": [], "batch": ["on_batch_end"], "progress": ["on_progress"]}[hooks]
    callback = fastnn.LambdaCallback(**{name: lambda *_: None for name in names})
    weight = np.where(np.arange(100) // 10 == 3, 0.0, 1.0)  # one batch takes no step
    nets = []
    for _ in range(2):
        net = network(optimizer=fastnn.Adam(Warmup(CosineDecay(0.1, 30), 5)))
        monkeypatch.setattr("fastnn.training.PROGRESS_INTERVAL", 1e-5)
        monkeypatch.setattr("fastnn.training.LONGEST_STRETCH", 4)
        options = {"sample_weight": weight, "callbacks": [callback], "verbose": 0}
        net.fit(X, y, batch_size=10, epochs=4, shuffle=False, **options)
        nets.append(net)
        monkeypatch.setattr("fastnn.native_executor.executor", Executor)
    twin = network(optimizer=fastnn.Adam(Warmup(CosineDecay(0.1, 30), 5)))
    monkeypatch.undo()
    twin.fit(X, y, batch_size=10, epochs=4, shuffle=False, sample_weight=weight, verbose=0)
    assert twin.state.step == 36
    for net in nets:
        np.testing.assert_array_equal(net.parameters, twin.parameters)
        assert net.state == twin.state


def test_a_constant_schedule_is_a_number():
    X, y = data()
    nets = [network(optimizer=fastnn.AdamW(rate)) for rate in (0.01, Constant(0.01))]
    for net in nets:
        net.fit(X, y, epochs=2, verbose=0)
        net.train_on_batch(X, y)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


def test_the_rate_can_be_read_and_set():
    X, y = data()
    net = network(optimizer=fastnn.SGD(0.1))
    assert net.learning_rate == 0.1
    net.learning_rate = 0
    before = net.build(5).parameters.copy()
    net.fit(X, y, verbose=0)
    np.testing.assert_array_equal(net.parameters, before)
    net.learning_rate = 0.05
    net.train_on_batch(X, y)
    assert net.learning_rate == net.state.learning_rate == 0.05
    for value, error in (
        (-1, ArgumentError),
        (math.inf, ArgumentError),
        ("0.1", ArgumentTypeError),
    ):
        with pytest.raises(error, match="learning_rate must be a finite number >= 0"):
            net.learning_rate = value
    assert net.learning_rate == 0.05
    scheduled = network(optimizer=fastnn.SGD(Constant(0.1)))
    with pytest.raises(ArgumentError, match=r"learning_rate cannot be set to 0\.2: .*Constant"):
        scheduled.learning_rate = 0.2


@dataclass(frozen=True)
class Table(Schedule):
    """A rate for each step, as a user might write it."""

    rates: tuple

    def rate(self, t):
        return np.asarray(self.rates)[np.minimum(t, len(self.rates) - 1).astype(int)]


@pytest.mark.parametrize(("bad", "shown"), [(-0.5, "-0.5"), (math.nan, "nan"), (math.inf, "inf")])
def test_a_rate_that_cannot_be_used_is_refused_with_its_step(bad, shown, backend):
    X, y = data()
    net = network(optimizer=fastnn.SGD(Table((0.1,) * 8 + (bad,))))
    net.fit(X, y, batch_size=10, verbose=0)  # 6 steps
    before, state = net.parameters.copy(), net.state
    with pytest.raises(ArgumentError, match=rf"learning_rate .* got {shown} at step 8 from Table"):
        net.fit(X, y, batch_size=10, verbose=0)
    np.testing.assert_array_equal(net.parameters, before)
    assert (state.step, state.epoch) == (6, 1)
    assert net.history.epoch == [1]


def test_an_own_schedule_may_have_its_own_unit():
    class PerEpoch(Table):
        unit = "epoch"

    X, y = data()
    seen = []

    class Record(fastnn.Callback):
        def on_batch_end(self, network, batch, logs):
            seen.append(network.state.learning_rate)

    net = network(optimizer=fastnn.SGD(PerEpoch((0.3, 0.2, 0.1))))
    net.fit(X, y, batch_size=30, epochs=3, callbacks=[Record()], verbose=0)
    assert seen == [0.3, 0.3, 0.2, 0.2, 0.1, 0.1]


# --- reduce on plateau ----------------------------------------------------------------------------


def observed(rule, values):
    from fastnn.schedules import Plateau

    plateau, scales = Plateau(rule), []
    for value in values:
        plateau.observe({"loss": value})
        scales.append(plateau.scale)
        twin = Plateau(rule)
        twin.load_state_dict(plateau.state_dict())
        plateau = twin
    return scales


def test_a_plateau_by_hand():
    rule = ReduceOnPlateau(1.0, "loss", factor=0.5, patience=2, min_delta=0.1, cooldown=1)
    values = [3, 2, 1.95, 1.95, 1.95, 1.95, 1.95, 1.0, math.nan, 2.0]
    #               wait 1, reduce, rest, 1, reduce, rest, 1, reduce
    assert observed(rule, values) == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125]
    rising = ReduceOnPlateau(1.0, "loss", factor=0.5, patience=1, mode="max")
    assert observed(rising, [1, 2, 2, 3, 1]) == [1, 1, 0.5, 0.5, 0.25]


@pytest.mark.parametrize(("patience", "cooldown"), [(1, 0), (3, 0), (2, 3), (4, 1)])
def test_a_plateau_is_where_torch_sees_one(patience, cooldown):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    values = np.exp(-np.arange(80) / 10) + 0.1 * rng.normal(size=80)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience - 1, threshold=0.01, threshold_mode="abs",
        cooldown=cooldown, eps=0,
    )  # fmt: skip
    expected = []
    for value in values:
        scheduler.step(value)
        expected.append(optimizer.param_groups[0]["lr"])
    rule = ReduceOnPlateau(
        1.0, "loss", factor=0.5, patience=patience, min_delta=0.01, cooldown=cooldown
    )
    assert observed(rule, values.tolist()) == expected
    assert expected[-1] < 1


def test_a_plateau_scales_the_rates_and_has_a_floor(tmp_path):
    X, y = data()
    rule = ReduceOnPlateau(
        StepDecay(0.1, 1000), "loss", factor=0.5, patience=1, min_delta=1e9, min_learning_rate=0.02
    )
    net = network(optimizer=fastnn.SGD(rule))
    rates = []
    note = fastnn.LambdaCallback(on_epoch_end=lambda net, *_: rates.append(net.state.learning_rate))
    net.fit(X, y, epochs=3, callbacks=[note], verbose=0)
    path = tmp_path / "net.safetensors"
    net.save(path, optimizer=True)
    net = Network.load(path)
    net.fit(X, y, epochs=3, callbacks=[note], verbose=0)
    assert rates == pytest.approx([0.1, 0.1, 0.05, 0.025, 0.02, 0.02])
    net.save(path)
    assert Network.load(path).learning_rates.plateau.scale == 1


def test_a_plateau_needs_what_it_watches():
    X, y = data()
    net = network(optimizer=fastnn.SGD(ReduceOnPlateau(0.1)))
    with pytest.raises(ArgumentError, match="monitor is 'val_loss', but this fit has neither"):
        net.fit(X, y, verbose=0)
    assert not net.built
    other = network(optimizer=fastnn.SGD(ReduceOnPlateau(0.1, "lost", mode="min")))
    with pytest.raises(ArgumentError, match="unknown monitor 'lost': did you mean 'loss'"):
        other.fit(X, y, verbose=0)


def test_all_optimizers_take_schedules():
    X, y = data()
    for kind in set(fastnn.optimizers.OPTIMIZERS.values()):
        net = network(optimizer=kind(Warmup(0.01, 5)))
        net.fit(X, y, batch_size=10, verbose=0)
        assert net.learning_rate == 0.01
