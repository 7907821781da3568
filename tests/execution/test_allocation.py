"""Every allocation may fail: that is a MemoryError, and the network is as good as before."""

import sys

import numpy as np
import pytest
from programs import output_of, shared_library

from fastnn import Dense, Network
from fastnn.errors import NotBuiltError
from fastnn.model import base

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="replaces glibc's malloc")

# Replaces malloc and its kin. Between `arm(n)` and `disarm()` the n-th call fails. Calls by libgomp
# and by the loader do not count: those end the process when they get no memory, whoever calls.
MALLOC = """
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <stdatomic.h>
    #include <stddef.h>
    #include <string.h>

    void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
    void *__libc_memalign(size_t, size_t);

    static atomic_int armed;
    static atomic_long calls, failing;

    void arm(long n) { calls = 0; failing = n; armed = 1; }
    long disarm(void) { armed = 0; return calls; }

    static int counts(void *caller) {
        Dl_info info;
        if (!dladdr(caller, &info) || !info.dli_fname) return 1;
        return !strstr(info.dli_fname, "libgomp") && !strstr(info.dli_fname, "ld-");
    }

    #define FAILS \\
        (armed && counts(__builtin_return_address(0)) && ++calls == failing && (errno = ENOMEM))

    void *malloc(size_t size) { return FAILS ? NULL : __libc_malloc(size); }
    void *calloc(size_t n, size_t size) { return FAILS ? NULL : __libc_calloc(n, size); }
    void *realloc(void *p, size_t size) { return FAILS ? NULL : __libc_realloc(p, size); }
    void *memalign(size_t a, size_t size) { return FAILS ? NULL : __libc_memalign(a, size); }
    void *aligned_alloc(size_t a, size_t size) { return FAILS ? NULL : __libc_memalign(a, size); }
    int posix_memalign(void **p, size_t a, size_t size) {
        return FAILS || !(*p = __libc_memalign(a, size)) ? ENOMEM : 0;
    }
"""

# For each call: what it leaves after 0, 1, … updates is recorded once, without a disturbance.
PROGRAM = """
    import ctypes, gc, sys
    import numpy as np
    import fastnn
    from fastnn import Dense, Dropout, Network

    shim = ctypes.CDLL(sys.argv[1])
    shim.arm.argtypes, shim.disarm.restype = [ctypes.c_long], ctypes.c_long
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 9, (40, 6), np.uint8), rng.normal(size=40)
    Z = rng.normal(size=(300, 6))

    def network(trained):
        layers = [Dense(9, "relu", l2=0.01), Dropout(0.3), Dense(1)]
        net = Network(layers, loss="huber", seed=4)
        if trained:
            net.fit(X, y, verbose=0)
        return net

    def fit(net, **options):
        net.fit(X, y, batch_size=8, epochs=2, validation_fraction=0.2, verbose=0, **options)

    def population(net, callbacks=()):
        "Two networks on rows of one array; the other one fails now and then."
        pair = np.arange(32), np.arange(32, 40)
        fastnn.fit_population([network(True), net], X, y, batch_size=8, epochs=2, threads=1,
                              folds=[pair, pair], callbacks=[[], list(callbacks)])

    def train_on_batch(net, callbacks=()):
        net.train_on_batch(Z, Z[:, 0], sample_weight=np.ones(300))
        for callback in callbacks:
            callback.on_batch_end(net, 1, {})

    def predict(net, **_):
        return net.predict(Z).tobytes()

    def evaluate(net, **_):
        return net.evaluate(X, y)

    def contents(net):
        if not net.built:
            return None
        arena, state = net._model.arena, net.state
        slots = arena.slots.tobytes() if arena.has_slots else b""
        if not any(slots):
            slots = b""  # zeros, or not there yet: the same
        return arena.parameters.tobytes(), slots, state.step

    # What NumPy's reductions, ufuncs and records, and Python's locks, say when they get no memory.
    OTHER_WORDS = ("error return without exception set", "invalid subarray shape",
                   "can't allocate lock", "can't allocate read lock")
    UFUNC_WORDS = "> returned NULL without setting an exception"

    class Record(fastnn.Callback):
        def __init__(self):
            self.states = {}
        def on_batch_end(self, network, batch, logs):
            self.states[network.state.step] = contents(network)

    def check(call, trained, n):
        "Returns whether there was an n-th allocation."
        net = network(trained)
        before, epochs = contents(net), list(net.history.epoch)
        error = result = None
        shim.arm(n)
        try:
            result = call(net)
        except MemoryError as caught:
            error = caught
        except (SystemError, ValueError, RuntimeError) as caught:
            error = caught
            if str(error) not in OTHER_WORDS and not str(error).endswith(UFUNC_WORDS):
                raise
        count = shim.disarm()
        where = (call.__name__, trained, n)
        if error is None:  # the failure was met by other means, or there was none
            assert (contents(net), result) == expected[call, trained], where
            return count >= n
        step = net.state.step
        first = 0 if before is None else before[2]
        if step == first:
            built = network(trained)
            built.build(6)
            assert contents(net) in (before, contents(built)), where
            result = call(net)
            assert (contents(net), result) == expected[call, trained], where
        else:
            assert contents(net) == recorded[call, trained].states[step], where
            finished = len(net.history.epoch) - len(epochs)
            assert finished in ((step - first) // 4, (step - first - 1) // 4), where
            call(net)
        return True

    expected, recorded = {}, {}
    cases = [(fit, False), (fit, True), (population, False),
             (train_on_batch, False), (train_on_batch, True), (predict, True), (evaluate, True)]
    for call, trained in cases:
        net, twin = network(trained), network(trained)
        result = call(net)
        expected[call, trained] = contents(net), result
        recorded[call, trained] = Record()
        call(twin, callbacks=[recorded[call, trained]])
        check(call, trained, 10**9)  # whatever is made once is there
        gc.collect()
        n = 1
        while check(call, trained, n):
            n += 1
        print(call.__name__, trained, n)
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return shared_library(MALLOC, tmp_path_factory.mktemp("malloc"), "failing_malloc")


@pytest.mark.parametrize("threads", [1, 2])
def test_every_large_allocation_may_fail(shim, threads):
    """Those that Python's pools do not serve fail one by one: arrays, and grown tables.

    NumPy crashes now and then where it gets no memory for small objects, so these are left out.
    """
    settings = {
        "LD_PRELOAD": str(shim),
        "FASTNN_TEAM": "force",
        "FASTNN_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": "1",
    }
    lines = output_of(PROGRAM, shim, **settings).splitlines()
    assert [int(line.split()[2]) > 1 for line in lines] == [True] * 7


def test_nothing_is_half_built(monkeypatch):
    def fail(*_):
        raise MemoryError

    net = Network([Dense(2)], loss="huber", seed=0)
    with monkeypatch.context() as patch:
        patch.setattr(base, "ExecutorPool", fail)
        with pytest.raises(MemoryError):
            net.build(3)
    assert not net.built
    with pytest.raises(NotBuiltError):
        _ = net.input_shape
    net.build(4)
    assert net.predict(np.zeros((1, 4))).shape == (1, 2)
