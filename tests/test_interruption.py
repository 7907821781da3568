"""Ctrl-C while C computes: it stops soon, between two updates, and training can go on."""

import json
import os
import statistics

import pytest
from programs import output_of

RUNS = 20 if os.environ.get("FASTNN_FULL") == "1" else 2

# A timer thread sends SIGINT some time into `fit`; prints how long it took to arrive. The network
# must be that of as many updates as its step tells, made without a disturbance.
PROGRAM = """
    import json, os, signal, sys, threading, time
    import numpy as np
    import fastnn
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
        start = time.perf_counter()
        fit(net, 2)
        return (time.perf_counter() - start) / (net.state.step * 2 // 3)

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

    def interrupted(net, after):
        sent = []
        def send():
            time.sleep(after)
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)
        timer = threading.Thread(target=send)
        timer.start()
        try:
            fit(net, 10**6)
        except KeyboardInterrupt:
            return time.perf_counter() - sent[0]
        finally:
            timer.join()

    step = step_time()
    delays = []
    for run in range(runs):
        net = network()
        fit(network(), 1)  # what the first call brings into memory is there
        delays.append(interrupted(net, max(0.1, step * (0.5 + 0.37 * run))))
        assert np.isfinite(net.parameters).all()
        twin = twin_of(net)
        assert net.state.step == twin.state.step
        np.testing.assert_array_equal(net.parameters, twin.parameters)
        np.testing.assert_array_equal(net.arena.slots, twin.arena.slots)
        before = net.state.step
        fit(net, 1)
        assert net.state.step == before + rows // batch
    print(json.dumps({"step": step, "delays": delays}))
"""


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("form", ["short", "long"])
def test_ctrl_c_arrives_soon_and_between_updates(threads, form, record_property):
    """Within a step where steps are long: the bound is what one takes on a busy machine."""
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

    def trained():
        net = Network([Dense(300, "relu"), Dense(300, "relu"), Dense(1)], loss="huber", seed=1)
        net.fit(X, y, batch_size=1000, epochs=EPOCHS, verbose=0)
        return net.parameters.tobytes()

    EPOCHS = 1
    trained()
    start = time.perf_counter()
    trained()
    EPOCHS = max(3, int(0.5 / (time.perf_counter() - start)))
    expected = trained()

    calls = []
    def note(number, frame):
        calls.append(threading.current_thread() is threading.main_thread())

    def send():
        time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    previous = signal.signal(signal.SIGINT, note)
    timer = threading.Thread(target=send)
    timer.start()
    assert trained() == expected
    timer.join()
    assert calls == [True]
    assert signal.getsignal(signal.SIGINT) is note
    signal.signal(signal.SIGINT, signal.default_int_handler)

    results = []
    worker = threading.Thread(target=lambda: results.append(trained()))
    worker.start()
    timer = threading.Thread(target=send)
    timer.start()
    try:
        while not results:
            time.sleep(0.01)
        print("not interrupted")
    except KeyboardInterrupt:
        while not results:
            time.sleep(0.01)
    timer.join()
    assert results == [expected]
    print("done")
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_other_handlers_and_threads(threads):
    environment = {"FASTNN_NUM_THREADS": str(threads), "FASTNN_TEAM": "force"}
    assert output_of(HANDLERS, **environment) == "done"


INFERENCE = """
    import os, signal, sys, threading, time
    import numpy as np
    from fastnn import Dense, Network

    X = np.zeros((50_000, 100), "f")
    net = Network([Dense(400, "relu"), Dense(400, "relu"), Dense(1)], loss="huber", seed=1)
    net.build(100)
    expected = net.predict(X[:10])

    for call in (lambda: net.predict(X), lambda: net.evaluate(X, X[:, 0])):
        start = time.perf_counter()
        call()
        duration = time.perf_counter() - start
        threading.Timer(0.3 * duration, os.kill, (os.getpid(), signal.SIGINT)).start()
        try:
            call()
            print("not interrupted")
        except KeyboardInterrupt:
            pass
        assert (net.predict(X[:10]) == expected).all()
    print("done")
"""


def test_inference_is_interrupted():
    assert output_of(INFERENCE) == "done"
