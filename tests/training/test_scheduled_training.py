"""Training with schedules: every update has its rate, on both executors, and plateaus count."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import ArgumentError, ArgumentTypeError, Network
from fastnn.execution.python_executor import PythonExecutor
from fastnn.schedules import (
    Constant,
    CosineDecay,
    ExponentialDecay,
    ReduceOnPlateau,
    Schedule,
    StepDecay,
    Warmup,
)


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
def test_both_executors_and_all_ranges_agree(hooks, monkeypatch):
    X, y = data(rows=100)
    names = {"none": [], "batch": ["on_batch_end"], "progress": ["on_progress"]}[hooks]
    callback = fastnn.LambdaCallback(**{name: lambda *_: None for name in names})
    weight = np.where(np.arange(100) // 10 == 3, 0.0, 1.0)  # one batch takes no step
    nets = []
    for _ in range(2):
        net = network(optimizer=fastnn.Adam(Warmup(CosineDecay(0.1, 30), 5)))
        monkeypatch.setattr("fastnn.training.trainer.PROGRESS_INTERVAL", 1e-5)
        monkeypatch.setattr("fastnn.training.trainer.MAX_BATCHES_PER_CALL", 4)
        options = {"sample_weight": weight, "callbacks": [callback], "verbose": 0}
        net.fit(X, y, batch_size=10, epochs=4, shuffle=False, **options)
        nets.append(net)
        monkeypatch.setattr(
            "fastnn.execution.selection.executor_class", lambda plan: PythonExecutor
        )
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
    assert Network.load(path)._model.learning_rates.plateau.scale == 1


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
    for kind in fastnn.optimizers.OPTIMIZERS.values():
        if kind.full_batch:  # takes no steps
            continue
        net = network(optimizer=kind(Warmup(0.01, 5)))
        net.fit(X, y, batch_size=10, verbose=0)
        assert net.learning_rate == 0.01


@pytest.mark.parametrize(
    "state", [None, [], {"scale": 2.0}, {"scale": 0.5, "wait": -1, "rest": 0, "best": None}]
)
def test_a_plateau_in_a_file_is_checked(state, tmp_path):
    from fastnn.model_file import container

    net = network(optimizer=fastnn.SGD(ReduceOnPlateau(0.1, "loss"))).build(5)
    path = tmp_path / "net.safetensors"
    net.save(path, optimizer=True)
    with path.open("rb") as file:
        header = container.read_header(file)
        tensors = container.read_tensors(file, header)
    header.description["training"]["plateau"] = state
    path.write_bytes(container.encode(header.description, tensors))
    with pytest.raises(fastnn.ModelFileError, match="its description"):
        Network.load(path)
