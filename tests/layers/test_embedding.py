"""Embedding and TabularInput: look-ups, gradients, steps on few rows, checks of X."""

import tracemalloc

import numpy as np
import pytest
from layer_networks import network

import fastnn
from fastnn import BatchNorm, Dense, Embedding, Flatten, Network, Rescaling, TabularInput, kernels
from fastnn.errors import ArgumentError, ArgumentTypeError
from fastnn.model import inference
from fastnn.model.data_sets import data_set

RNG = np.random.default_rng(0)
CODES, Y = RNG.integers(0, 30, (50, 4)), RNG.integers(0, 3, 50)
TABLE = np.column_stack(
    [RNG.normal(3, 5, 50), RNG.integers(0, 7, 50), RNG.normal(size=(50, 2)), CODES[:, 0]]
)
OPTIMIZERS = [
    fastnn.SGD(0.1),
    fastnn.SGD(0.1, momentum=0.9, nesterov=True),
    fastnn.RMSProp(0.01),
    fastnn.AdamW(0.01, weight_decay=0.1),
    fastnn.Adam(0.01, global_clipnorm=0.05),
    fastnn.Adam(0.01, clipnorm=0.05, amsgrad=True),
    fastnn.RMSProp(0.01, momentum=0.9, centered=True),
    fastnn.NAdam(0.01),
]


def tabular(sparse=False, **options):
    columns = {1: (7, 2), 4: Embedding(30, 3, sparse=sparse)}
    return network([TabularInput(columns, **options), Dense(4, "tanh"), Dense(3)])


def weights(net):
    return dict(zip([s.name for s in net._model.arena.segments], net.get_weights(), strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("source", [np.uint8, np.int64, np.float32])
def test_rows_of_the_table_are_looked_up(backend, dtype, source):
    net = network([Embedding(30, 5), Flatten()], dtype=dtype, loss="mean_squared_error").build(4)
    (table,) = net.get_weights()
    expected = table[CODES].reshape(50, 20)
    np.testing.assert_array_equal(net.predict(CODES.astype(source)), expected)
    assert net._model.architecture.shapes == ((4,), (4, 5), (20,))


NETWORKS = {
    "embedding": ([Embedding(30, 5), Flatten(), Dense(3)], CODES),
    "embedding, sparse": ([Embedding(30, 5, sparse=True), Flatten(), Dense(3)], CODES),
    "penalties": ([Embedding(30, 5, l1=0.01, l2=0.1), Flatten(), Dense(3)], CODES),
    "normalised": ([Embedding(30, 5), BatchNorm(), Flatten(), Dense(3)], CODES),
    "table": ([TabularInput({1: (7, 2), 4: (30, 3)}), Dense(4, "tanh"), Dense(3)], TABLE),
    "table of categories": ([TabularInput(dict.fromkeys(range(4), (30, 2))), Dense(3)], CODES),
}


@pytest.mark.parametrize("form", NETWORKS)
def test_gradients(backend, form):
    layers, x = NETWORKS[form]
    check = fastnn.gradient_check(network(layers), x, Y, verbose=0)
    assert check.max_relative_error <= 1e-7, str(check)


def one_hot_twin(net, optimizer):
    """A network without embeddings: its first layer multiplies one-hot codes by the same table."""
    layers = [Dense(5, use_bias=False, initializer="zeros"), Dense(3)]
    twin = network(layers, optimizer=optimizer).build(30)
    twin.set_weights(net.get_weights())
    return twin


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_table_learns_as_the_weights_of_a_dense_layer(backend, optimizer):
    codes = CODES[:, :1]
    net = network([Embedding(30, 5), Flatten(), Dense(3)], optimizer=optimizer).build(1)
    twin = one_hot_twin(net, optimizer)
    for start in range(0, 50, 10):
        rows = slice(start, start + 10)
        net.train_on_batch(codes[rows], Y[rows])
        twin.train_on_batch(np.eye(30)[codes[rows, 0]], Y[rows])
    for ours, theirs in zip(net.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
def test_a_sparse_step_moves_the_rows_of_the_batch_as_a_dense_one_and_no_others(backend, optimizer):
    nets = [
        network([Embedding(30, 5, sparse=sparse), Flatten(), Dense(3)], optimizer=optimizer)
        for sparse in (False, True)
    ]
    batch = CODES[:6] % 11  # rows from 11 on are not touched, some others repeatedly
    touched = np.unique(batch)
    for net in nets:
        net.build(4)
        net.train_on_batch(batch, Y[:6])
    dense, sparse = (weights(net)["embedding_1/embeddings"] for net in nets)
    np.testing.assert_allclose(sparse[touched], dense[touched], rtol=1e-12, atol=1e-15)
    untouched = np.setdiff1d(np.arange(30), touched)
    initial = network([Embedding(30, 5), Flatten(), Dense(3)]).build(4).get_weights()[0]
    np.testing.assert_array_equal(sparse[untouched], initial[untouched])
    slots = nets[1]._model.arena.slots
    segment = nets[1]._model.arena.segments[0]
    for slot in slots:
        assert not nets[1]._model.arena.view(slot, segment)[untouched].any()


def test_moments_of_untouched_rows_wait(backend):
    """Two steps of Adam, worked out by hand for every row by itself."""
    rate, b1, b2, eps = 0.01, 0.9, 0.999, 1e-8
    net = network([Embedding(4, 1, sparse=True), Flatten()], loss="mean_squared_error",
                  optimizer=fastnn.Adam(rate)).build(1)  # fmt: skip
    table = net.get_weights()[0][:, 0].copy()
    m, v = np.zeros(4), np.zeros(4)
    for t, codes in ((1, [0, 1, 1]), (2, [0, 2, 0]), (3, [1, 1, 1])):
        target = np.ones(3)
        gradient = np.zeros(4)
        np.add.at(gradient, codes, 2 * (table[codes] - target) / 3)
        net.train_on_batch(np.array(codes)[:, None], target)
        for row in set(codes):
            m[row] = b1 * m[row] + (1 - b1) * gradient[row]
            v[row] = b2 * v[row] + (1 - b2) * gradient[row] ** 2
            step = m[row] / (1 - b1**t) / (np.sqrt(v[row] / (1 - b2**t)) + eps)
            table[row] -= rate * step
    np.testing.assert_allclose(net.get_weights()[0][:, 0], table, rtol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_frozen_tables_stay_and_multipliers_count(backend, sparse):
    tables = []
    for options in ({"trainable": False}, {"learning_rate_multiplier": 0.5}, {}):
        layers = [Embedding(30, 5, sparse=sparse, **options), Flatten(), Dense(3)]
        net = network(layers, optimizer=fastnn.SGD(0.1)).build(4)
        before = net.get_weights()[0]
        net.train_on_batch(CODES, Y)
        tables.append(net.get_weights()[0] - before)
    frozen, half, whole = tables
    assert not frozen.any()
    np.testing.assert_allclose(half, whole / 2, rtol=1e-9, atol=1e-15)
    net.freeze()
    assert not net.layers[0].trainable


def test_tables_of_one_input_have_settings_of_their_own():
    columns = {1: Embedding(7, 2, trainable=False), 4: (30, 3)}
    net = network([TabularInput(columns), Dense(3)]).build(5)
    before = weights(net)
    net.fit(TABLE, Y, verbose=0)
    moved = {name for name, values in weights(net).items() if (values != before[name]).any()}
    assert "tabularinput_1/column_1" not in moved
    assert "tabularinput_1/column_4" in moved


def test_regularisation_of_the_network_is_for_tables_that_are_not_sparse():
    for sparse, l2 in ((False, 0.1), (True, 0.0)):
        layers = [Embedding(30, 5, sparse=sparse), Flatten(), Dense(3)]
        net = network(layers, l2=0.1, max_norm=1.0).build(4)
        options = net._model.arena.segments[0].options
        assert (options.l2, options.max_norm) == (l2, 0.0)


def test_l_bfgs_takes_a_sparse_table_as_a_dense_one():
    nets = [
        network([Embedding(30, 5, sparse=sparse), Flatten(), Dense(3)], optimizer="lbfgs")
        for sparse in (False, True)
    ]
    for net in nets:
        net.fit(CODES, Y, batch_size=None, epochs=3, verbose=0)
    np.testing.assert_array_equal(nets[0].get_weights()[0], nets[1].get_weights()[0])


def test_sparse_steps_hold_nothing_of_the_size_of_the_table(monkeypatch):
    net = network([Embedding(10**6, 4, sparse=True), Flatten(), Dense(3)], dtype="float32")
    net.build(4)
    for stage in ("check", "update", "backward"):
        for op in net._model.executors.plan(32, training=True, labels=True).stages[stage]:
            if op.kernel not in ("gather_rows", "scatter_rows"):
                assert all(ref.count(32) < 10_000 for ref in op.refs), op
    net.train_on_batch(CODES, Y)
    tracemalloc.start()
    net.train_on_batch(CODES, Y)
    assert tracemalloc.get_traced_memory()[1] < 10**6
    tracemalloc.stop()


@pytest.mark.parametrize("count", [1, 2, 256, 257, 65_536, 65_537, 2**24 + 3, 2**31])
@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_codes_are_sorted_whatever_their_number(backend, count, rows):
    rng = np.random.default_rng(count + rows)
    x = rng.integers(0, count, (rows, 2)).astype(float)
    x[rows // 2 :, 1] = x[: rows - rows // 2, 1]  # some twice
    x[0, 1] = count - 1
    dy = rng.normal(size=(rows, 3))
    dw, found, order = np.empty((rows, 3)), np.empty(rows, np.int64), np.empty(rows, np.int64)
    kernels.embedding_sparse_bwd(dw, found, order, dy, x, count, 1, 0)
    np.testing.assert_array_equal(order, np.argsort(x[:, 1], kind="stable"))
    used = found >= 0
    np.testing.assert_array_equal(found[used], np.unique(x[:, 1]))
    assert not dw[~used].any()
    for code, gradient in zip(found[used], dw[used], strict=True):
        np.testing.assert_allclose(gradient, dy[x[:, 1] == code].sum(axis=0), atol=1e-12)


# ---------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("normalize", [True, False])
def test_columns_side_by_side(backend, normalize):
    columns = {4: (30, 3), 1: Embedding(7, 2)}
    layers = [TabularInput(columns, normalize=normalize)]
    net = network(layers, loss="mean_squared_error", optimizer=fastnn.SGD(1e-300))
    net.fit(TABLE, np.zeros((50, 8)), verbose=0)
    tables, numbers = weights(net), TABLE[:, [0, 2, 3]]
    if normalize:
        numbers = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
    expected = np.column_stack(
        [
            tables["tabularinput_1/column_1"][TABLE[:, 1].astype(int)],
            tables["tabularinput_1/column_4"][TABLE[:, 4].astype(int)],
            numbers,
        ]
    )
    np.testing.assert_allclose(net.predict(TABLE), expected, rtol=1e-9, atol=1e-12)


def test_tables_learn_sparsely_beside_dense_ones():
    nets = [tabular(sparse) for sparse in (False, True)]
    for net in nets:
        net.fit(TABLE, Y, batch_size=50, epochs=1, verbose=0)
    for ours, theirs in zip(*(net.get_weights() for net in nets), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("sparse", [False, True])
def test_files(tmp_path, sparse):
    net = tabular(sparse)
    net.fit(TABLE, Y, epochs=2, verbose=0)
    net.save(tmp_path / "net.safetensors", optimizer=True)
    loaded = Network.load(tmp_path / "net.safetensors")
    assert loaded.layers == net.layers
    np.testing.assert_array_equal(loaded.predict(TABLE), net.predict(TABLE))
    for twin in (net, loaded):
        twin.fit(TABLE, Y, verbose=0)
    np.testing.assert_array_equal(loaded.parameters, net.parameters)
    np.testing.assert_array_equal(loaded._model.arena.slots, net._model.arena.slots)


def test_a_file_on_disk(tmp_path):
    CODES.astype(np.uint8).tofile(tmp_path / "x.bin")
    mapped = np.memmap(tmp_path / "x.bin", np.uint8, "r", shape=CODES.shape)
    nets = [network([Embedding(30, 5, sparse=True), Flatten(), Dense(3)]) for _ in range(2)]
    for net, x in zip(nets, (CODES, mapped), strict=True):
        net.fit(x, Y, batch_size=8, verbose=0)
    np.testing.assert_array_equal(nets[0].parameters, nets[1].parameters)


# ---------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize("value", [-1, 30, 2.5, 1e300])
@pytest.mark.parametrize("use", ["fit", "predict", "evaluate", "gradient check", "validation"])
def test_numbers_that_are_no_rows_are_refused(value, use):
    net = network([Embedding(30, 5, name="words"), Flatten(), Dense(3)])
    bad = CODES.astype(float)
    bad[3, 2] = value
    calls = {
        "fit": lambda: net.fit(bad, Y, verbose=0),
        "predict": lambda: net.build(4).predict(bad),
        "evaluate": lambda: net.build(4).evaluate(bad, Y),
        "gradient check": lambda: fastnn.gradient_check(net, bad, Y),
        "validation": lambda: net.fit(CODES, Y, validation_data=(bad, Y), verbose=0),
    }
    match = r"X\[3, 2\] is .*, but layer 'words' takes whole numbers in \[0, 30\)"
    with pytest.raises(ArgumentError, match=match):
        calls[use]()
    assert net.built == (use in ("predict", "evaluate"))


def test_the_column_of_a_table_is_named():
    bad = TABLE.copy()
    bad[7, 4] = 31
    with pytest.raises(ArgumentError, match=r"X\[7, 4\] is 31"):
        tabular().fit(bad, Y, verbose=0)


def test_codes_that_change_after_the_check_reach_no_foreign_memory():
    net = network([Embedding(30, 5), Flatten(), Dense(3)]).build(4)
    x = CODES.astype(float)
    rows = data_set(net._model.architecture, x, Y)
    rows.x[5, 1] = 1e9
    with pytest.raises(ArgumentError, match="whole numbers that are rows of the table"):
        inference.evaluate(net._model, rows)
    for bad in (-1.0, 30.0, 0.5, np.nan, np.inf):
        y, w = np.zeros((2, 5)), np.ones((30, 5))
        with pytest.raises(ArgumentError, match="whole numbers"):
            kernels.implementation("native").embedding_fwd(y, np.array([[0.0], [bad]]), w, 0, 0)
        assert not y.any()


@pytest.mark.parametrize(
    ("make", "error", "match"),
    [
        (lambda: Embedding(0, 3), ArgumentError, "input_dim must be an integer"),
        (lambda: Embedding(2**31 + 1, 3), ArgumentError, "input_dim must be an integer in"),
        (lambda: Embedding(3, 0), ArgumentError, "output_dim must be an integer >= 1"),
        (lambda: Embedding(3.0, 1), ArgumentTypeError, "input_dim must be an integer"),
        (lambda: Embedding(3, 1, initializer="unifrom"), ArgumentError, "did you mean 'uniform'"),
        (lambda: Embedding(3, 1, sparse=1), ArgumentTypeError, "sparse must be True or False"),
        (
            lambda: Embedding(3, 1, sparse=True, l2=0.1),
            ArgumentError,
            "cannot be given to a sparse",
        ),
        (lambda: Embedding(3, 1, l1=-1), ArgumentError, "l1 must be"),
        (lambda: TabularInput({}), ArgumentError, "for at least one column"),
        (lambda: TabularInput(3), ArgumentTypeError, "categorical must map columns"),
        (lambda: TabularInput({0: 3}), ArgumentTypeError, "categorical must map columns"),
        (lambda: TabularInput({-1: (3, 1)}), ArgumentError, "a column of categorical must be"),
        (lambda: TabularInput([(1, (3, 1)), (1, (4, 1))]), ArgumentError, "column 1 twice"),
        (lambda: TabularInput({0: (3, 1)}, normalize=2), ArgumentTypeError, "normalize must be"),
    ],
)
def test_arguments(make, error, match):
    with pytest.raises(error, match=match):
        make()


def test_places():
    for layer in (Embedding(3, 1), TabularInput({0: (3, 1)})):
        with pytest.raises(ArgumentError, match="may stand before it, got Rescaling"):
            network([Rescaling(2.0), layer, Dense(3)])
    with pytest.raises(ArgumentError, match="categorical names column 5, but X has 5 columns"):
        network([TabularInput({5: (3, 1)}), Dense(3)]).build(5)


def test_codes_must_be_exact_in_the_dtype():
    net = network([Embedding(2**24 + 1, 1), Flatten(), Dense(3)], dtype="float32")
    with pytest.raises(ArgumentError, match=r"holds whole numbers exactly up to 16,777,216 only"):
        net.fit(CODES, Y, verbose=0)
    assert not net.built
