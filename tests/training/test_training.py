"""Training: what a fit computes, seeds and continuation, validation, history, hooks."""

import math

import numpy as np
import pytest
from problems import data, network

import fastnn
from fastnn import Callback, Dense, Network, kernels
from fastnn.execution.python_executor import PythonExecutor


def test_full_batch_gradient_descent_by_hand():
    X, y = data()
    net = Network([Dense(1)], loss="mean_squared_error", optimizer=fastnn.SGD(0.1), dtype="float64")
    net.build(5)
    w, b = net.get_weights()
    losses = []
    for _ in range(20):
        error = X @ w + b - y
        losses.append(np.square(error).mean())
        w, b = w - 0.1 * 2 * X.T @ error / len(X), b - 0.1 * 2 * error.mean()
    history = net.fit(X, y, batch_size=None, epochs=20, verbose=0)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-12)
    np.testing.assert_allclose(net.get_weights()[0], w, rtol=1e-12)


def test_weight_decay_shrinks_weights_and_spares_biases():
    X, y = data()
    for optimizer in (
        fastnn.SGD(0.1, weight_decay=0.5),
        fastnn.SGD(0.1, momentum=0.9, weight_decay=0.5),
        fastnn.RMSProp(0.1, weight_decay=0.5),
        fastnn.AdamW(0.1, weight_decay=0.5),
    ):
        plain = Network(
            [Dense(4), Dense(1)],
            loss="mean_squared_error",
            optimizer=type(optimizer)(
                **{f: v for f, v in vars(optimizer).items() if f != "weight_decay"},
                weight_decay=0.0,
            ),
            seed=0,
            dtype="float64",
        )
        decayed = Network(
            [Dense(4), Dense(1)],
            loss="mean_squared_error",
            optimizer=optimizer,
            seed=0,
            dtype="float64",
        )
        start = decayed.build(5).get_weights()
        plain.train_on_batch(X, y)
        decayed.train_on_batch(X, y)
        for first, a, b in zip(start, plain.get_weights(), decayed.get_weights(), strict=True):
            shrink = 0.1 * 0.5 * first if first.ndim == 2 else 0.0
            np.testing.assert_allclose(b, a - shrink, rtol=1e-12, atol=1e-15)


def test_sample_weights_count_like_repeated_rows():
    X, y = data(rows=12)
    w = np.array([0, 1, 2, 3] * 3)
    net = Network([Dense(1)], loss="mean_squared_error", seed=0, dtype="float64")
    twin = Network([Dense(1)], loss="mean_squared_error", seed=0, dtype="float64")
    net.fit(X, y, sample_weight=w, batch_size=None, epochs=3, shuffle=False, verbose=0)
    twin.fit(X.repeat(w, 0), y.repeat(w, 0), batch_size=None, epochs=3, shuffle=False, verbose=0)
    np.testing.assert_allclose(net.parameters, twin.parameters, rtol=1e-12)


def test_class_weights_equal_sample_weights():
    X, _ = data(rows=40)
    y = (np.arange(40) % 4 == 0).astype(int)
    balanced = 40 / (2 * np.bincount(y))
    results = []
    for arguments in (
        {"class_weight": "balanced"},
        {"class_weight": {0: balanced[0], 1: balanced[1]}},
        {"sample_weight": balanced[y]},
    ):
        net = Network([Dense(2)], loss="softmax_cross_entropy", seed=0, dtype="float64")
        net.fit(X, y, epochs=2, verbose=0, **arguments)
        results.append(net.parameters)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_a_batch_without_weight_is_skipped():
    X, y = data(rows=8)
    net = network().build(5)
    before = net.parameters.copy()
    net.fit(X, y, sample_weight=[0] * 4 + [1] * 4, batch_size=4, shuffle=False, verbose=0)
    assert net.state.step == 1
    assert not np.array_equal(net.parameters, before)


def test_every_row_is_visited_once_per_epoch():
    X = np.arange(10.0).reshape(-1, 1)
    seen = []

    class Record(Callback):
        def on_batch_end(self, network, batch, logs):
            seen.append(logs["size"])

    net = Network([Dense(1)], loss="mean_squared_error", optimizer=fastnn.SGD(1e-12), seed=0)
    history = net.fit(X, X[:, 0], batch_size=4, epochs=2, callbacks=[Record()], verbose=0)
    assert seen == [4, 4, 2] * 2
    # With a rate this small the epoch's loss, weighted by rows, is the loss of the whole set.
    assert history["loss"] == pytest.approx([net.evaluate(X, X[:, 0])["loss"]] * 2, rel=1e-5)


def test_batch_larger_than_the_data_is_one_batch():
    X, y = data(rows=10)
    a, b = network(), network()
    a.fit(X, y, batch_size=1000, epochs=3, verbose=0)
    b.fit(X, y, batch_size=None, epochs=3, verbose=0)
    assert a.state.step == 3
    np.testing.assert_array_equal(a.parameters, b.parameters)


def test_same_seed_same_bits_other_seed_others():
    X, y = data()
    runs = []
    for seed in (7, 7, 8):
        net = network(seed=seed)
        net.fit(X, y, epochs=3, verbose=0)
        runs.append(net.parameters)
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_a_second_fit_continues():
    X, y = data()
    once, twice = network(), network()
    once.fit(X, y, epochs=5, verbose=0)
    first = twice.fit(X, y, epochs=2, verbose=0)
    second = twice.fit(X, y, epochs=3, verbose=0)
    np.testing.assert_array_equal(once.parameters, twice.parameters)
    assert first.epoch + second.epoch == twice.history.epoch == [1, 2, 3, 4, 5]
    assert twice.history["loss"] == once.history["loss"] == first["loss"] + second["loss"]


def test_fresh_seeds_are_recorded():
    X, y = data()
    a = network(seed=None)
    b = network(seed=a.seed)
    a.fit(X, y, verbose=0)
    b.fit(X, y, verbose=0)
    assert network(seed=None).seed != a.seed
    np.testing.assert_array_equal(a.parameters, b.parameters)


def test_train_on_batch_is_one_step_of_fit():
    X, y = data()
    a, b = network(metrics=["r2"]), network(metrics=["r2"])
    history = a.fit(X, y, batch_size=None, shuffle=False, verbose=0)
    logs = b.train_on_batch(X, y)
    assert logs == {name: values[0] for name, values in history.items()}
    assert (b.state.step, b.state.epoch) == (1, 0)
    np.testing.assert_array_equal(a.parameters, b.parameters)


def test_validation_data_is_scored_after_each_epoch():
    X, y = data()
    net = network(metrics=["mae"])
    history = net.fit(
        X[:40], y[:40], epochs=3, validation_data=(X[40:], y[40:], np.ones(20)), verbose=0
    )
    assert set(history) == {"loss", "mae", "val_loss", "val_mae"}
    assert history["val_loss"][-1] == net.evaluate(X[40:], y[40:])["loss"]


def test_validation_fraction_holds_the_same_rows_out_every_time(monkeypatch):
    X = np.arange(50.0).reshape(-1, 1)
    held_out = []

    def probe(network, rows, **options):
        held_out.append(set(rows.selected(rows.x)[:, 0]))
        return {}

    monkeypatch.setattr("fastnn.model.inference.evaluate", probe)

    class Rows(Callback):
        def on_train_begin(self, network, info):
            self.trained_on = info["rows"]

    net, rows = Network([Dense(1)], loss="mean_squared_error", seed=5), Rows()
    for _ in range(2):
        net.fit(X, X[:, 0], validation_fraction=0.2, callbacks=[rows], verbose=0)
    assert rows.trained_on == 40
    assert len(held_out[0]) == 10
    assert held_out[0] == held_out[1]


def test_history_pads_what_an_epoch_lacks():
    X, y = data()
    net = network()
    net.fit(X, y, verbose=0)
    net.fit(X, y, validation_fraction=0.5, verbose=0)
    assert math.isnan(net.history["val_loss"][0])
    assert net.history["val_loss"][1] > 0
    pytest.importorskip("pandas")
    frame = net.history.to_frame()
    assert frame.index.tolist() == [1, 2]
    assert list(frame) == ["loss", "val_loss"]


def test_hooks_come_in_order():
    calls = []

    class Record(Callback):
        def on_train_begin(self, network, info):
            calls.append(("train", dict(info)))

        def on_epoch_begin(self, network, epoch):
            calls.append(("epoch", epoch))

        def on_batch_begin(self, network, batch):
            calls.append(("batch", batch))

        def on_batch_end(self, network, batch, logs):
            calls.append(("batch end", batch, sorted(logs)))

        def on_epoch_end(self, network, epoch, logs):
            calls.append(("epoch end", epoch, sorted(logs)))
            network.stop_training = epoch == 1

        def on_train_end(self, network):
            calls.append("train end")

    X, y = data(rows=4)
    network().fit(X, y, batch_size=4, epochs=9, callbacks=[Record()], verbose=0)
    assert calls == [
        (
            "train",
            {
                "epochs": 9,
                "done": 0,
                "rows": 4,
                "validation_rows": 0,
                "batch_size": 4,
                "logs": ("loss",),
            },
        ),
        ("epoch", 1),
        ("batch", 1),
        ("batch end", 1, ["loss", "size", "weight"]),
        ("epoch end", 1, ["loss"]),
        "train end",
    ]


def test_progress_bar_shows_loss_rate_and_time(capsys):
    X, y = data()
    network(metrics=["mae"]).fit(X, y, epochs=3, validation_fraction=0.5)
    shown = capsys.readouterr().err
    for part in ("epoch 3/3", "loss=", "mae=", "val_loss=", "samples/s", "100%"):
        assert part in shown


def test_verbose_two_prints_a_line_per_epoch(capsys):
    X, y = data()
    network().fit(X, y, epochs=2, verbose=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["epoch 1", "epoch 2"]
    network().fit(X, y, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_a_back_end_that_is_used_within_a_fit_trains_from_there_on(monkeypatch):
    run, starts = PythonExecutor.run, []

    class UseReference(Callback):
        def on_batch_end(self, network, batch, logs):
            if batch == 2:
                kernels.use("reference")  # until the end of the context around the fit

    def noted(self, batch_range, interrupt=None):
        starts.append(batch_range.start)
        return run(self, batch_range, interrupt)

    monkeypatch.setattr(PythonExecutor, "run", noted)
    X, y = data()
    with kernels.use("native"):
        net = Network([Dense(4), Dense(1)], loss="mean_squared_error", seed=0)
        net.fit(X[:50], y[:50], batch_size=10, callbacks=[UseReference()], verbose=0)
    assert starts == [2, 3, 4]
