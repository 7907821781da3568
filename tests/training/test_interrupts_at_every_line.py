"""Whatever line of the package Ctrl-C, or the end of memory, comes to: the network is that of whole
steps, can be trained again, and predicts."""

import os
import signal
from collections import Counter

import numpy as np
import pytest
from interrupting import PACKAGE, Lines, interrupt, out_of_memory, places

import fastnn
from fastnn import (
    EMA,
    LBFGS,
    SWA,
    BatchNorm,
    Callback,
    Checkpoint,
    CSVLogger,
    Dense,
    Dropout,
    EarlyStopping,
    Network,
)

# What a line opened and did not come to close is closed when the frame goes.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
EVERY_TIME = os.environ.get("FASTNN_FULL") == "1"
rng = np.random.default_rng(0)
X, y = rng.normal(size=(24, 4)).astype("f4"), rng.integers(0, 3, 24)


@pytest.fixture(autouse=True)
def python_handles_sigint():
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def made(average=None, optimizer="adam", layers=()):
    net = Network(
        [Dense(5, "relu"), *layers, Dense(3)],
        loss="softmax_cross_entropy",
        seed=0,
        optimizer=optimizer,
        weight_average=average,
    )
    net.fit(X, y, epochs=1, batch_size=8, verbose=0)
    return net


def fit(net, callbacks=(), epochs=2):
    net.fit(
        X, y, epochs=epochs, batch_size=8, verbose=0, validation_data=(X, y), callbacks=callbacks
    )


class States(Callback):
    """The weights after every step."""

    def __init__(self, net):
        self.seen = {net.parameters.tobytes()}

    def on_batch_end(self, network, batch, logs):
        self.seen.add(network.parameters.tobytes())


def broken(make, work, action=interrupt, right=None, of=lambda path: True):
    """Return what is wrong, by place, after `work` was ended at each line that it runs.

    `right` looks at what `make` made; then training and prediction must work.
    """
    work(make())  # imports and compiles what it needs
    wrong, first, before = Counter(), make(), signal.getsignal(signal.SIGINT)
    found = list(places(lambda: work(first), EVERY_TIME, of))
    assert len(found) > 20, f"no lines of {PACKAGE} were seen"
    for place, time in found:
        subject = make()
        try:
            with Lines(place, time, action, of):
                work(subject)
        except (KeyboardInterrupt, MemoryError):
            pass
        if signal.signal(signal.SIGINT, before) is not before and action is interrupt:
            wrong[place, "another handler of SIGINT stays"] += 1
        for net in subject if isinstance(subject, list) else [subject]:
            if right is not None and not right(net):
                wrong[place, "the weights are those of no step"] += 1
            try:
                assert np.isfinite(net.predict(X)).all()
                assert net._model.session is None or action is out_of_memory
                net.fit(X, y, epochs=1, verbose=0)
            except Exception as error:
                wrong[place, repr(error)] += 1
    return dict(wrong)


def states_of(make, **options):
    net = make()
    states = States(net)
    fit(net, [states], **options)
    return states.seen


@pytest.mark.parametrize(
    ("average", "action"), [(EMA(0.9), interrupt), (SWA(), interrupt), (EMA(0.9), out_of_memory)]
)
def test_fit_with_validation_and_an_average(average, action):
    seen = states_of(lambda: made(average))
    wrong = broken(lambda: made(average), fit, action, lambda net: net.parameters.tobytes() in seen)
    assert not wrong


@pytest.mark.parametrize("action", [interrupt, out_of_memory])
def test_fit_that_goes_back_to_the_best_epoch(action, tmp_path):
    path = tmp_path / "net.safetensors"

    def work(net):
        stopping = EarlyStopping(restore_best_weights=True, patience=5)
        fit(net, [stopping, Checkpoint(path), CSVLogger(tmp_path / "log.csv")])

    def make():
        return made(EMA(0.9), layers=[BatchNorm(), Dropout(0.2)])

    def of(path):
        own = ("callbacks", "model_file", "training/trainer.py", "metrics/monitor")
        return path.startswith(own)

    seen = states_of(make)
    assert not broken(make, work, action, lambda net: net.parameters.tobytes() in seen, of)
    Network.load(path)
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".fastnn")]


def test_fit_by_lbfgs():
    def of(path):
        return path.startswith(("training", "runtime/interrupts", "network"))

    def make():
        return made(optimizer=LBFGS())

    class Iterates(States):
        def on_epoch_end(self, network, epoch, logs):
            self.seen.add(network.parameters.tobytes())

    net = make()
    iterates = Iterates(net)
    fit(net, [iterates])
    seen = iterates.seen
    assert not broken(make, fit, right=lambda net: net.parameters.tobytes() in seen, of=of)


def test_a_single_step_in_the_python_executor():
    def work(net):
        net.train_on_batch(X, y)

    with fastnn.kernels.use("reference"):
        net = made()
        before = net.parameters.tobytes()
        work(net)
        right = {before, net.parameters.tobytes()}
        assert not broken(made, work, right=lambda net: net.parameters.tobytes() in right)


@pytest.mark.parametrize("action", [interrupt, out_of_memory])
def test_looking_through_the_average(action):
    def make():
        return made(EMA(0.9), layers=[BatchNorm()])

    def work(net):
        with net.averaged():
            net.predict(X)
            net.update_batch_statistics(X)

    before = make()

    def right(net):
        return (
            net.parameters.tobytes() == before.parameters.tobytes()
            and net._model.arena.buffers.tobytes() == before._model.arena.buffers.tobytes()
        )

    # What ends a context takes no memory.
    ends = {"model/weight_average.py", "runtime/interrupts.py", "model/lock.py"}
    within = ends if action is out_of_memory else ()
    assert not broken(make, work, action, right, lambda path: path not in within)


def test_changes_of_the_weights_are_whole():
    def make():
        return made(EMA(0.9), layers=[BatchNorm()])

    before, after = make(), make()
    weights = [w + 1 for w in before.get_weights()]
    after.set_weights(weights)
    right = {before.parameters.tobytes(), after.parameters.tobytes()}
    after = make()
    after.use_average()
    right.add(after.parameters.tobytes())

    def is_right(net):
        return net.parameters.tobytes() in right

    assert not broken(make, lambda net: net.set_weights(weights), right=is_right)
    assert not broken(make, lambda net: net.use_average(), right=is_right)


@pytest.mark.parametrize("action", [interrupt, out_of_memory])
def test_freezing_is_whole(action):
    def right(net):
        trainable = [s.options.trainable for s in net._model.arena.segments]
        layers = [layer.trainable for layer in net.layers for _ in range(2)]
        frozen = {name for name, skipped in net._model.updates_skipped.items() if skipped}
        return trainable == layers and bool(frozen) == (not all(layers))

    assert not broken(made, lambda net: net.freeze("dense_1"), action, right)


@pytest.mark.parametrize("action", [interrupt, out_of_memory])
def test_saving_and_loading(action, tmp_path):
    path = tmp_path / "net.safetensors"

    def work(net):
        net.save(path, optimizer=True)
        Network.load(path)

    assert not broken(made, work, action)
    Network.load(path)
    assert os.listdir(tmp_path) == [path.name]


@pytest.mark.parametrize("threads", [1, 2])
def test_populations(threads):
    def make():
        return [made(EMA(0.9)), made(EMA(0.9))]

    def work(nets):
        options = {"epochs": 2, "batch_size": 8, "validation_data": (X, y)}
        fastnn.fit_population(nets, X, y, threads=threads, **options)

    seen = states_of(lambda: made(EMA(0.9)))

    def of(path):
        return path.startswith(("training", "runtime/interrupts"))

    assert not broken(make, work, right=lambda net: net.parameters.tobytes() in seen, of=of)


def test_an_estimator_is_as_it_was_or_trained():
    from sklearn.exceptions import NotFittedError

    def work(estimator):
        with pytest.warns(match="."):
            estimator.fit(X, y)

    estimator = fastnn.MLPClassifier([4], max_iter=2, random_state=0)
    found = list(places(lambda: work(estimator), of=lambda path: path.startswith("estimators")))
    assert len(found) > 20
    for place, time in found:
        estimator = fastnn.MLPClassifier([4], max_iter=2, random_state=0)
        before = dict(vars(estimator))
        try:
            with Lines(place, time):
                work(estimator)
        except KeyboardInterrupt:
            pass
        try:
            estimator.predict(X)
        except NotFittedError:
            assert vars(estimator) == before, place
        work(estimator)


def test_a_second_interrupt_cannot_split_what_the_first_one_leaves():
    """Both come while the average is looked at: the exchange is reversed all the same."""
    net = made(EMA(0.9))
    before = net.parameters.tobytes()

    class Twice(Lines):
        def _line(self, frame, event, argument):
            if event == "line" and frame.f_code.co_name in ("__exit__", "_end", "_exchange"):
                interrupt()
            return self._line

    with pytest.raises(KeyboardInterrupt), Twice(), net.averaged():
        interrupt()
    assert net.parameters.tobytes() == before
    net.fit(X, y, verbose=0)


class TimeIsUpError(Exception):
    """Raised by the handler of an alarm."""


def ring(number, frame):
    raise TimeIsUpError


def test_an_alarm_waits_as_ctrl_c_does():
    net = made(EMA(0.9))
    before = net.parameters.tobytes()

    class AtTheEnd(Lines):
        def _line(self, frame, event, argument):
            if event == "line" and frame.f_code.co_filename.endswith("weight_average.py"):
                signal.raise_signal(signal.SIGUSR1)
            return self._line

    previous = signal.signal(signal.SIGUSR1, ring)
    try:
        with pytest.raises(TimeIsUpError), AtTheEnd(), net.averaged():
            pass
        assert signal.getsignal(signal.SIGUSR1) is ring
    finally:
        signal.signal(signal.SIGUSR1, previous)
    assert net.parameters.tobytes() == before
    net.fit(X, y, verbose=0)
