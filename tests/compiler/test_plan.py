"""Arena, lowering and the Python executor: where things lie and what a plan computes."""

from types import SimpleNamespace

import numpy as np
import pytest

import fastnn
from fastnn import (
    Activation,
    AlphaDropout,
    BatchNorm,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianNoise,
    LayerNorm,
    Network,
    Normalization,
    Parallel,
    TabularInput,
    kernels,
)
from fastnn.compiler.lowering import compile_plan
from fastnn.data.data_set import DataSet
from fastnn.execution.arena import aligned_zeros
from fastnn.execution.batches import BatchPass, BatchRange
from fastnn.execution.python_executor import PythonExecutor
from fastnn.ir.builder import PlanMode
from fastnn.ir.parameter import ALIGNMENT
from fastnn.ir.program import BATCH_REGIONS, STAGES, Batch, Region, Result, RunState
from fastnn.runtime.random_streams import Stream, stream_offset


def build(layers, features=3, **options):
    settings = {"loss": "mean_squared_error", "seed": 0, "dtype": "float64"} | options
    return Network(layers, **settings).build(features)


def kernels_of(plan, stage):
    return [op.kernel for op in plan.stages[stage]]


def test_segments_are_aligned_and_do_not_overlap():
    net = build([Dense(7), Dense(5, use_bias=False), Dense(1)], dtype="float32")
    end = 0
    for segment in net._model.arena.segments:
        assert segment.offset * 4 % ALIGNMENT == 0
        assert segment.offset >= end
        end = segment.offset + segment.size
    assert net._model.arena.size >= end
    names = [segment.name for segment in net._model.arena.segments]
    assert names == ["dense_1/weights", "dense_1/bias", "dense_2/weights",
                     "dense_3/weights", "dense_3/bias"]  # fmt: skip


def test_padding_stays_zero_through_training():
    net = build([Dense(7, "relu", l1=0.1, l2=0.1), Dense(1)], optimizer=fastnn.AdamW())
    used = np.zeros(net._model.arena.size, bool)
    for segment in net._model.arena.segments:
        net._model.arena.view(used, segment)[...] = True
    assert not used.all()
    X = np.random.default_rng(0).normal(size=(20, 3))
    net.fit(X, X[:, 0], epochs=2, verbose=0)
    for region in (
        net._model.arena.parameters,
        net._model.arena.gradients,
        *net._model.arena.slots,
    ):
        assert region.ctypes.data % ALIGNMENT == 0
        assert not region[~used].any()
        assert region[used].any()


def test_an_untrained_network_holds_parameters_alone():
    net = build([Dense(4), Dense(1)])
    net.predict(np.ones((2, 3)))
    assert not net._model.arena.has_slots


@pytest.mark.parametrize("count", [1, 63, 64, 65])
def test_aligned_zeros(count):
    array = aligned_zeros(count, np.dtype(np.float32))
    assert array.shape == (count,)
    assert array.ctypes.data % ALIGNMENT == 0
    assert not array.any()


def test_a_training_plan_lists_the_step_in_order():
    net = build([Flatten(), Dense(4, "relu", l2=0.1), Dropout(0.5), Activation("tanh"), Dense(1)])
    plan = compile_plan(net._model.architecture, 8, PlanMode(training=True))
    assert kernels_of(plan, "forward") == [
        "dense_fwd", "dropout_fwd", "activation_fwd", "dense_fwd"]  # fmt: skip
    assert kernels_of(plan, "loss") == ["mean_squared_error"]
    assert kernels_of(plan, "backward") == [
        "dense_bwd", "activation_bwd", "dropout_bwd", "dense_bwd"]  # fmt: skip
    assert kernels_of(plan, "penalty") == ["penalty"]
    assert kernels_of(plan, "update") == ["adam_step"]
    first_layer = plan.stages["backward"][-1]
    assert first_layer.arguments["dx"] is None  # nobody asks for the gradient of the input
    assert [op.layer for op in plan.stages["backward"]] == [
        "dense_2", "activation_1", "dropout_1", "dense_1"]  # fmt: skip


def test_an_inference_plan_has_neither_dropout_nor_gradients():
    net = build([Dense(4, "gelu"), Dropout(0.5), Dense(2)], loss="softmax_cross_entropy")
    plan = net._model.executors.plan(8, training=False, labels=True)
    assert kernels_of(plan, "forward") == ["dense_fwd", "dense_fwd"]
    assert kernels_of(plan, "predict") == ["softmax"]
    assert plan.stages["loss"][0].arguments["dz"] is None
    for stage in ("backward", "check", "update"):
        assert plan.stages[stage] == ()


def test_weight_decay_splits_the_update_into_runs_that_cover_the_arena():
    net = build([Dense(4), Dense(4, use_bias=False), Dense(1)], optimizer=fastnn.AdamW())
    updates = net._model.executors.plan(8, training=True, labels=False).stages["update"]
    covered = 0
    for op in updates:
        p = op.arguments["p"]
        assert p.offset == covered
        covered += p.count(1) * p.dtype.itemsize
    assert covered == net._model.arena.size * 8
    assert [op.arguments["weight_decay"] for op in updates] == [0.01, 0.0, 0.01, 0.0]


def test_a_fused_plan_takes_the_same_steps():
    """Penalties join the optimizer's pass and dropout the layer before; nobody can tell."""
    layers = [Dense(5, "tanh", l1=0.01), Dropout(0.3), Dense(4, "gelu", l2=0.1), Dropout(0.2),
              Activation("relu"), Dropout(0.1), Dense(2, l2=0.2)]  # fmt: skip
    X = np.random.default_rng(0).normal(size=(12, 3))
    nets, losses = [], []
    for fused in (False, True):
        net = build(layers, optimizer=fastnn.AdamW())
        plan = compile_plan(net._model.architecture, 12, PlanMode(training=True, fused=fused))
        executor = PythonExecutor(plan, net._model.arena)
        batches = BatchPass(DataSet(X, X[:, :2].copy()), 12)
        for _ in range(5):
            executor.run(BatchRange(batches, 0, 1, net.state, np.array([1e-3])))
            losses.append(batches.losses[0])
        nets.append(net)
    np.testing.assert_allclose(losses[:5], losses[5:], rtol=1e-12)
    np.testing.assert_allclose(nets[0].parameters, nets[1].parameters, rtol=1e-12, atol=1e-15)
    assert all(op.arguments["dp"] is None for op in plan.stages["penalty"])
    assert kernels_of(plan, "forward") == [
        "dense_dropout_fwd", "dense_dropout_fwd", "activation_fwd", "dropout_fwd",
        "dense_fwd"]  # fmt: skip
    assert kernels_of(plan, "backward") == [
        "dense_bwd", "dropout_bwd", "activation_bwd", "dense_dropout_bwd",
        "dense_dropout_bwd"]  # fmt: skip
    assert kernels_of(plan, "update") == ["adam_step"] * 6  # weights and biases apart


@pytest.mark.parametrize("backend", kernels.BACKENDS)
def test_clipping_bounds_the_norm_of_the_whole_gradient(backend):
    """One step of plain gradient descent moves by the rate times the norm, or the limit if less."""
    layers = [Dense(5, "tanh", l2=0.1), Dense(2, l1=0.01)]
    X = np.random.default_rng(0).normal(size=(12, 3))
    moves = {}
    for limit in (None, 1e6, 0.25):
        net = build(layers, optimizer=fastnn.SGD(0.5, global_clipnorm=limit))
        before = net.parameters.copy()
        with kernels.use(backend):
            net.train_on_batch(X, X[:, :2])
        moves[limit] = net.parameters - before
    np.testing.assert_allclose(moves[1e6], moves[None], rtol=1e-12)
    assert np.linalg.norm(moves[0.25]) == pytest.approx(0.125, rel=1e-12)
    direction = moves[None] / np.linalg.norm(moves[None])
    np.testing.assert_allclose(moves[0.25] / 0.125, direction, rtol=1e-9)


@pytest.mark.parametrize("training", [True, False])
def test_refs_stay_inside_their_regions_and_apart(training):
    net = build(
        [Dense(5, "silu"), Dropout(0.5), Activation("gelu"), Dense(3)], loss="softmax_cross_entropy"
    )
    rows = 13
    plan = net._model.executors.plan(rows, training=training, labels=True)
    sizes = {
        Region.PARAMETERS: net._model.arena.size * 8,
        Region.GRADIENTS: net._model.arena.size * 8,
        Region.SLOTS: 2 * net._model.arena.size * 8,
        Region.WORKSPACE: plan.workspace,
    }
    for stage in STAGES:
        for op in plan.stages[stage]:
            spec = kernels.KERNELS[op.kernel]
            names = list(spec.signature.parameters)
            assert list(op.arguments) == names[: len(op.arguments)]
            spans = []
            for name, argument in op.arguments.items():
                if name not in spec.arrays or argument is None:
                    continue
                if argument.region in BATCH_REGIONS:
                    continue
                stop = argument.offset + argument.count(rows) * argument.dtype.itemsize
                assert 0 <= argument.offset <= stop <= sizes[argument.region]
                spans.append((name, argument.region, argument.offset, stop))
            for i, (a, region_a, start_a, stop_a) in enumerate(spans):
                for b, region_b, start_b, stop_b in spans[:i]:
                    apart = region_a != region_b or stop_a <= start_b or stop_b <= start_a
                    both_read = not (spec.arrays[a].written or spec.arrays[b].written)
                    in_place = {(a, b), (b, a)} & set(spec.in_place)
                    assert apart or both_read or in_place, (op, a, b)


def squared_error(output, target):
    return ((output - target) ** 2).sum()


def squared_error_gradient(output, target, out):
    out[:] = 2 * (output - target)


def test_the_plan_passes_the_contract_of_every_kernel(monkeypatch):
    """The executor calls kernels unchecked, because plans are right: here every call is checked."""
    checked = {name: getattr(kernels, name) for name in kernels.KERNELS}
    calls = set()

    class Checked:
        def __getattr__(self, name):
            calls.add(name)
            return checked[name]

    layer = SimpleNamespace(active_backend=lambda: "checked", implementation=lambda _: Checked())
    monkeypatch.setattr("fastnn.execution.python_executor.kernels", layer)
    monkeypatch.setattr("fastnn.execution.selection.NativeExecutor", PythonExecutor)
    X = np.random.default_rng(0).normal(size=(21, 3))
    y = np.tile([[1, 0], [0, 1], [1, 0]], (7, 1))

    def train(loss, optimizer, **options):
        net = build(
            [Dense(5, "gelu", l1=0.1), Dropout(0.2), Activation("elu"), BatchNorm(), LayerNorm(),
             Dropout(0.1), Dense(4, trainable=False), Dense(2)],
            loss=loss,
            optimizer=optimizer,
            **options,
        )  # fmt: skip
        net.fit(X, y, batch_size=8, validation_data=(X, y), verbose=0)
        net.predict(X)

    for loss in [*fastnn.losses.LOSSES, fastnn.Poisson(reduction="sum")]:
        train(loss, "sgd")
    optimizers = [name for name in fastnn.optimizers.OPTIMIZERS if name != "lbfgs"]
    for optimizer in [
        *optimizers,
        fastnn.SGD(0.1, momentum=0.5, clipnorm=0.5),
        fastnn.RMSProp(momentum=0.5, centered=True, clipvalue=0.1),
        fastnn.Adam(amsgrad=True, global_clipnorm=1.0),
    ]:
        train("huber", optimizer, max_norm=1.0, l2=0.1, weight_average=fastnn.EMA())
    codes = np.column_stack([np.arange(21) % 5, X])
    table = TabularInput({0: (5, 2)}), Dense(4, "selu"), AlphaDropout(0.1), LayerNorm(), Dense(2)
    shared = Embedding(5, 3, sparse=True), BatchNorm(), GaussianNoise(0.1), Flatten(), Dense(2)
    normalised = Normalization(), Dense(4), BatchNorm(), Activation("relu"), BatchNorm(), Dense(2)
    clipped = fastnn.AdamW(global_clipnorm=1.0)
    for layers, x in ((table, codes), (shared, codes[:, :1]), (normalised, X)):
        net = build(list(layers), x.shape[1], loss="mean_squared_error", optimizer=clipped)
        net.fit(x, y, batch_size=8, validation_data=(x, y), verbose=0)
    square = fastnn.activation(lambda x: x * x, lambda x, y: 2 * x, name="square")
    distance = fastnn.loss(squared_error, squared_error_gradient)
    net = build([Dense(5, square), Activation(square), Dense(2)], loss=distance)
    net.fit(X, y, batch_size=8, sample_weight=np.arange(21), validation_data=(X, y), verbose=0)
    images = np.random.default_rng(1).normal(size=(21, 6, 5, 2))
    for loss, target in (("mean_squared_error", y), ("softmax_cross_entropy", y[:, 0])):
        net = build(image_layers(), images.shape[1:], loss=loss)
        net.fit(images, target, batch_size=8, validation_data=(images, target), verbose=0)
    expected = set(kernels.KERNELS) - {"philox", "permutation"}
    assert calls == expected


def image_layers():
    """Return layers of images that call all kernels of images."""
    merged = [
        Parallel([[fastnn.Conv2D(2, 3, "gelu", padding="same")], [], []], merge)
        for merge in ("add", "mean", "max")
    ]
    return [
        fastnn.Conv2D(2, 2, "relu", groups=2),
        *merged,
        fastnn.Residual([fastnn.Conv2DTranspose(2, 3, "silu", padding="same")]),
        fastnn.SpatialDropout2D(0.2),
        fastnn.MaxPooling2D(3, strides=1, padding="same"),
        fastnn.AveragePooling2D(2, strides=1),
        fastnn.UpSampling2D(2),
        fastnn.ZeroPadding2D(1),
        fastnn.Permute((2, 1, 3)),
        Parallel([[fastnn.GlobalMaxPooling2D()], [fastnn.GlobalAveragePooling2D()]]),
        Dense(2),
    ]


def test_streams_and_steps_do_not_share_numbers():
    offsets = {stream_offset(stream, step) for stream in Stream for step in (0, 1, 2**47)}
    assert len(offsets) == 3 * len(Stream)
    assert max(offsets) < 2**64


def test_dropout_changes_with_the_step_and_repeats_with_it():
    net = build([Dropout(0.5), Dense(1)], features=64)
    plan = net._model.executors.plan(4, training=True, labels=False)
    executor = PythonExecutor(plan, net._model.arena)
    batch = Batch(np.ones((4, 64)), np.zeros((4, 1)))
    losses = []
    for step in (0, 1, 0):
        state = RunState(seed=9, learning_rate=0.1, step=step)
        losses.append(executor.run_stages(("forward", "loss"), batch, state)[Result.LOSS])
    assert losses[0] == losses[2] != losses[1]


def test_bindings_are_bounded():
    net = build([Dense(1)])
    with kernels.use("reference"):
        for rows in range(1, 300):
            net.predict(np.ones((rows, 3)))
    assert len(net._model.executors._plans) == 10
    assert all(len(e._bound) <= 64 for pool in net._model.executors._idle.values() for e in pool)
