"""Random networks: back ends agree, and so do threads, interrupted fits, files and populations.

A seed of a test is a case of `random_networks.draw_case`, which ``python
tests/support/random_networks.py SEED`` shows.
"""

import contextlib
import os
import pickle

import numpy as np
import pytest
from programs import run_python
from random_networks import draw_case

import fastnn
from fastnn import Callback, Checkpoint, DivergenceError, Network, fit_population, kernels

# Short last batches are drawn on purpose.
pytestmark = pytest.mark.filterwarnings("ignore:BatchNorm layer .* of a single row:UserWarning")

FULL = os.environ.get("FASTNN_FULL") == "1"
SEEDS = range(3000 if FULL else 200)
#: Those of tests that train a network several times.
FEWER = SEEDS[::3]
#: Seeds that one process trains on different numbers of threads.
TOGETHER = 25

#: What parameters are changed by, relative to their size, to see how much rounding matters to a
#: training: far more than one rounding, so that what is ill-conditioned shows.
PERTURBATION = {"float32": 3e-5, "float64": 1e-12}


@contextlib.contextmanager
def told(case):
    """Errors of a case show what it is."""
    try:
        with np.errstate(all="ignore"):
            yield
    except BaseException as error:
        error.add_note(repr(case))
        raise


@pytest.fixture(autouse=True)
def one_thread():
    previous = fastnn.get_num_threads()
    fastnn.set_num_threads(1)
    yield
    fastnn.set_num_threads(previous)


def state(net, X):
    """All that training has brought about: name → array."""
    found = {"parameters": net.parameters, "buffers": net._model.arena.buffers}
    if net._model.arena.has_slots:
        found["slots"] = net._model.arena.slots
    found |= {f"history {name}": np.array(values) for name, values in net.history.items()}
    found["predictions"] = net.predict(X)
    return {name: np.array(value, float) for name, value in found.items()}


def outcome(case, perturbed=None):
    """The state after a fit; None where it diverged. `perturbed` seeds a change of the weights."""
    net = case.network().build(case.shape)
    if perturbed is not None:
        rng = np.random.default_rng(perturbed)
        for segment in net._model.arena.segments:
            w = net._model.arena.view(net.parameters, segment)
            size = PERTURBATION[case.settings["dtype"]] * (np.abs(w).max() or 1.0)
            w += (size * rng.choice([-1, 1], w.shape)).astype(w.dtype)
    try:
        return state(case.trained(net), case.x)
    except DivergenceError:
        return None


def same_bits(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(other[name], value, err_msg=name)


# --- back ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_native_and_reference_train_alike(seed):
    """They differ by less than small changes of the first weights bring about."""
    case = draw_case(seed)
    with told(case):
        native = outcome(case)
        with kernels.use("reference"):
            reference = outcome(case)
        changed = [outcome(case, perturbed) for perturbed in range(3)]
        if native is None or reference is None:
            assert native is reference or any((run is None) != (native is None) for run in changed)
            return
        changed = [run for run in changed if run is not None]
        for name, value in native.items():
            size = np.abs(value[np.isfinite(value)]).max(initial=1e-3)
            rounding = np.finfo(case.settings["dtype"]).eps * size
            spread = max((difference(run[name], value) for run in changed), default=np.inf)
            found = difference(reference[name], value)
            assert found <= 10 * spread + 30 * rounding, (name, found, spread)


def difference(one, other):
    """The largest one; infinite where the numbers of epochs, or of what is not finite, differ."""
    if one.shape != other.shape:
        return np.inf
    same = (one == other) | (np.isnan(one) & np.isnan(other))
    apart = np.abs(one - other)[~same]
    return np.inf if np.isnan(apart).any() else apart.max(initial=0)


# --- threads --------------------------------------------------------------------------------------

TRAINED = """
    import hashlib, sys, warnings
    import fastnn
    from fastnn import DivergenceError
    from random_networks import draw_case

    warnings.simplefilter("ignore")
    for seed in map(int, sys.argv[1:]):
        digests = []
        for threads in (1, 2, 4):
            print("seed", seed, "threads", threads, file=sys.stderr, flush=True)
            fastnn.set_num_threads(threads)
            case = draw_case(seed)
            net = case.network()
            try:
                case.trained(net)
            except DivergenceError:
                pass
            found = [net.parameters, net._model.arena.buffers, net.predict(case.x)]
            found += [net._model.arena.slots] if net._model.arena.has_slots else []
            digest = hashlib.sha256(b"".join(array.tobytes() for array in found))
            digests.append((digest.hexdigest(), repr(dict(net.history))))
        if len(set(digests)) > 1:
            print(seed, digests, case)
"""


@pytest.mark.parametrize("first", range(0, len(FEWER), TOGETHER))
def test_bits_of_a_training_do_not_depend_on_threads(first):
    """Run 25 seeds in one process; the last line printed, if it does not end, is the seed."""
    seeds = FEWER[first : first + TOGETHER]
    result = run_python(TRAINED, *seeds, FASTNN_TEAM="force")
    assert result.returncode == 0, result.stdout + result.stderr[-3000:]
    assert result.stdout == ""


# --- the same training by another way -------------------------------------------------------------


class Interrupted(Exception):
    """An exception that ends a fit on purpose."""


class AfterEpoch(Callback):
    """End the fit behind an epoch, after all other callbacks."""

    order = 99

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_end(self, network, epoch, logs):
        if epoch == self.epoch:
            raise Interrupted


class AfterBatch(Callback):
    """End the fit behind the first batch after an epoch."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_batch_end(self, network, batch, logs):
        if network.state.epoch == self.epoch:
            raise Interrupted


@pytest.mark.parametrize("seed", FEWER)
def test_a_training_has_the_same_bits_by_whatever_way(seed, tmp_path):
    case = draw_case(seed)
    with told(case):
        try:
            whole = state(case.trained(), case.x)
        except DivergenceError:
            return
        same_bits(whole, state(_resumed(case, tmp_path / "checkpoint"), case.x))
        same_bits(whole, state(_in_a_population(case), case.x))
        same_bits(whole, state(_copied_on_the_way(case), case.x))


def _resumed(case, path):
    """Trained after an interruption behind the last epoch but one, or in the last."""
    epochs = case.fit["epochs"]
    if epochs == 1 or isinstance(case.settings["optimizer"], fastnn.LBFGS):
        return case.trained()
    interruption = (AfterEpoch if case.seed % 2 else AfterBatch)(epochs - 1)
    with contextlib.suppress(Interrupted):
        case.trained(callbacks=[*case.new_callbacks(), Checkpoint(path), interruption])
    callbacks = [*case.new_callbacks(), Checkpoint(path)]
    resumed = {"resume_from": path} if path.exists() else {}
    return case.trained(callbacks=callbacks, **resumed)


def _in_a_population(case):
    """Trained beside another network."""
    if "validation_fraction" in case.fit or isinstance(case.settings["optimizer"], fastnn.LBFGS):
        return case.trained()
    nets = [case.network(), case.network(seed=case.settings["seed"] + 1)]
    arguments = {"sample_weight": case.sample_weight, "on_error": "record", "threads": 2}
    fit_population(
        nets, case.x, case.y, callbacks=lambda number: case.new_callbacks(), **case.fit | arguments
    )
    return nets[0]


def _copied_on_the_way(case):
    """Trained for some epochs, pickled, and trained for the rest."""
    epochs = case.fit["epochs"]
    goes_on = not case.callbacks and not isinstance(case.settings["optimizer"], fastnn.LBFGS)
    if epochs == 1 or not goes_on:
        return case.trained()
    net = pickle.loads(pickle.dumps(case.trained(epochs=1)))
    return case.trained(net, epochs=epochs - 1)


@pytest.mark.parametrize("seed", FEWER)
def test_predictions_do_not_depend_on_files_or_batches(seed, tmp_path):
    case = draw_case(seed)
    with told(case):
        net = case.network()
        try:
            case.trained(net)
        except DivergenceError:
            return
        whole = net.predict(case.x)
        net.save(tmp_path / "model.safetensors")
        loaded = Network.load(tmp_path / "model.safetensors", custom_objects=case.custom_objects)
        np.testing.assert_array_equal(loaded.predict(case.x), whole)
        size = np.abs(whole[np.isfinite(whole)]).max(initial=1e-3)
        tolerance = {"rtol": 1e-3, "atol": 1e-4 * size}
        if whole.dtype == np.float64:
            tolerance = {"rtol": 1e-9, "atol": 1e-10 * size}
        for rows in (1, 3):
            parts = [net.predict(case.x[i : i + rows]) for i in range(0, case.rows, rows)]
            np.testing.assert_allclose(np.concatenate(parts), whole, **tolerance)
        np.testing.assert_allclose(net.predict(case.x, batch_size=2), whole, **tolerance)
