"""Ctrl-C while C computes: it stops soon, between two updates, and training can go on."""

import json
import os
import statistics

import pytest
from programs import output_of

RUNS = 20 if os.environ.get("FASTNN_FULL") == "1" else 2

# A timer thread sends SIGINT some time into `fit`; prints how long it took to arrive, in processor
# time, which a busy machine does not lengthen. The network must be that of as many updates as its
# step tells, made without a disturbance.
PROGRAM = """
    import json, sys, time
    import numpy as np
    import fastnn
    from delayed_interrupts import seconds_to_interrupt
    from fastnn import Dense, Dropout, Network

    threads, form, runs = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    fastnn.set_num_threads(threads)
    rows, batch, units = {"long": (2048, 2048, 1000), "short": (4096, 16, 30)}[form]
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(rows, 200)).astype("f"), rng.integers(0, 10, rows)

    def network():
        layers = [Dense(units, "relu"), Dropout(0.2), Dense(units, "tanh"), Dense(10)]
        return Network(layers, loss="softmax_cross_entropy", seed=1).build(X.shape[1])

    def fit(net, epochs, **options):
        net.fit(X, y, batch_size=batch, epochs=epochs, verbose=0, **options)

    def step_time():
        net = network()
        fit(net, 1)
        start, used = time.perf_counter(), time.process_time()
        fit(net, 2)
        steps = net.state.step * 2 // 3
        return (time.perf_counter() - start) / steps, (time.process_time() - used) / steps

    class Stop(fastnn.Callback):
        "Ends training of the twin after as many updates as the other network had."
        def __init__(self, step):
            self.step = step
        def on_batch_end(self, network, batch, logs):
            if network.state.step == self.step:
                raise StopIteration

    def twin_of(net):
        twin = network()
        if net.state.step:
            try:
                fit(twin, 10**6, callbacks=[Stop(net.state.step)])
            except StopIteration:
                pass
        return twin

    step, processor_time = step_time()
    delays = []
    for run in range(runs):
        net = network()
        fit(network(), 1)  # what the first call brings into memory is there
        after = max(0.1, step * (0.5 + 0.37 * run))
        delays.append(seconds_to_interrupt(lambda: fit(net, 10**6), after))
        assert np.isfinite(net.parameters).all()
        twin = twin_of(net)
        assert net.state.step == twin.state.step
        np.testing.assert_array_equal(net.parameters, twin.parameters)
        np.testing.assert_array_equal(net._model.arena.slots, twin._model.arena.slots)
        before = net.state.step
        fit(net, 1)
        assert net.state.step == before + rows // batch
    print(json.dumps({"step": processor_time, "delays": delays}))
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("form", ["short", "long"])
def test_ctrl_c_arrives_soon_and_between_updates(threads, form, record_property):
    """Within a step where steps are long; otherwise within what a few looks at the clock take."""
    result = json.loads(output_of(PROGRAM, threads, form, RUNS, FASTNN_TEAM="force"))
    delay = statistics.median(result["delays"])
    record_property("step", result["step"])
    record_property("delays", result["delays"])
    print(f"step {result['step']:.4f} s, delays {result['delays']}")
    assert delay < max(3 * result["step"], 1.0)


# Signals go to the main thread only: `fit` in another one is not stopped, and a handler that does
# not raise only runs, soon.
HANDLERS = """
    import os, signal, threading, time
    import numpy as np
    import fastnn
    from fastnn import Dense, Network

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(3000, 200)).astype("f"), rng.normal(size=3000)

    class Disturbed(fastnn.Callback):
        "Has a signal sent after the first epoch; the last one ends after it was sent."
        def __init__(self):
            self.begun, self.sent = threading.Event(), threading.Event()
            threading.Thread(target=self.send).start()
        def send(self):
            self.begun.wait()
            os.kill(os.getpid(), signal.SIGINT)
            self.sent.set()
        def on_epoch_end(self, network, epoch, logs):
            self.begun.set()
            if epoch == EPOCHS:
                self.sent.wait()

    EPOCHS = 30

    def trained(*callbacks):
        net = Network([Dense(300, "relu"), Dense(300, "relu"), Dense(1)], loss="huber", seed=1)
        net.fit(X, y, batch_size=1000, epochs=EPOCHS, callbacks=callbacks, verbose=0)
        return net.parameters.tobytes()

    expected = trained()

    calls = []
    def note(number, frame):
        calls.append(threading.current_thread() is threading.main_thread())

    signal.signal(signal.SIGINT, note)
    assert trained(Disturbed()) == expected
    assert calls == [True]
    assert signal.getsignal(signal.SIGINT) is note
    signal.signal(signal.SIGINT, signal.default_int_handler)

    results = []
    worker = threading.Thread(target=lambda: results.append(trained(Disturbed())))
    try:
        worker.start()
        while not results:
            time.sleep(0.01)
        print("not interrupted")
    except KeyboardInterrupt:
        while not results:
            time.sleep(0.01)
    assert results == [expected]
    print("done")
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_other_handlers_and_threads(threads):
    environment = {"FASTNN_NUM_THREADS": str(threads), "FASTNN_TEAM": "force"}
    assert output_of(HANDLERS, **environment) == "done"


INFERENCE = """
    import time
    import numpy as np
    from delayed_interrupts import seconds_to_interrupt
    from fastnn import Dense, Network

    X = np.zeros((50_000, 100), "f")
    net = Network([Dense(400, "relu"), Dense(400, "relu"), Dense(1)], loss="huber", seed=1)
    net.build(100)
    expected = net.predict(X[:10])

    def endlessly(call):
        while True:
            call()

    for call in (lambda: net.predict(X), lambda: net.evaluate(X, X[:, 0])):
        start, used = time.perf_counter(), time.process_time()
        call()
        wall, used = time.perf_counter() - start, time.process_time() - used
        delays = [
            seconds_to_interrupt(lambda: endlessly(call), after * wall)
            for after in (0.1, 0.2, 0.3)
        ]
        assert (net.predict(X[:10]) == expected).all()
        print(sorted(delays)[1] / used)
"""


def test_inference_is_interrupted():
    """Within a call, not after it: where only calls end, most of one would follow the signal."""
    delays = [float(line) for line in output_of(INFERENCE).split()]
    assert len(delays) == 2
    assert max(delays) < 0.5
