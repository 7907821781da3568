"""What only the native back end has: instruction sets, threads, and guards of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from drawing import draw, letters

from fastnn.errors import ArgumentError, ArgumentTypeError, FastnnError
from fastnn.kernels import KERNELS, _native, reference

HERE = Path(__file__).parent
EVERY_ISA = pytest.mark.parametrize("isa", _native.available_isas())
EVERY_ARRAY = pytest.mark.parametrize(
    ("kernel", "name"),
    [
        pytest.param(kernel, name, id=f"{kernel.name}-{name}")
        for kernel in KERNELS.values()
        for name in kernel.arrays
    ],
)


def run_python(program, **environment):
    """A Python process of its own, since the environment is read at import."""
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=os.environ | {"PYTHONPATH": path} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def output_of(program, **environment):
    result = run_python(program, **environment)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def arguments_of(kernel):
    shapes = dict.fromkeys(letters(kernel), 9) | {"*": (9,)}
    drawn = draw(kernel, shapes, np.float64, kernel.scalars[0], np.random.default_rng(0))
    for name, row in kernel.arrays.items():
        if row.access == "w":
            drawn[name].fill(7)
    return drawn


# --- The table and its instruction sets ---------------------------------------------------------


def test_c_knows_the_kernels_and_activations_of_the_reference():
    assert set(_native.kernel_names()) == set(KERNELS)
    assert _native.activations() == {
        name: formula.needs_z for name, formula in reference.ACTIVATIONS.items()
    }


@EVERY_ISA
def test_isa_can_be_forced(isa):
    program = "from fastnn.kernels import _native; print(_native.isa_name())"
    assert output_of(program, FASTNN_ISA=isa) == isa


def test_fastest_isa_is_the_default(monkeypatch):
    monkeypatch.delenv("FASTNN_ISA", raising=False)
    program = "from fastnn.kernels import _native; print(_native.isa_name())"
    assert output_of(program) == _native.available_isas()[-1]
    assert _native.available_isas()[0] == "baseline"


@pytest.mark.parametrize(
    ("variable", "value", "known"),
    [
        ("FASTNN_ISA", "sse9", "baseline"),
        ("FASTNN_ISA", "", "baseline"),
        ("FASTNN_TEAM", "some", "auto or force"),
        ("FASTNN_NUM_THREADS", "0", "1 or more"),
        ("FASTNN_NUM_THREADS", "-1", "1 or more"),
        ("FASTNN_NUM_THREADS", "two", "1 or more"),
        ("FASTNN_NUM_THREADS", "100000", "1 or more"),
    ],
)
def test_environment_that_means_nothing_is_refused(variable, value, known):
    """With an error that lists what is possible, each time, and not before it matters."""
    program = """
        import fastnn
        for _ in range(2):
            try:
                fastnn.kernels.use("native")
            except fastnn.FastnnError as error:
                print(error)
    """
    lines = output_of(program, **{variable: value}).splitlines()
    assert len(lines) == 2
    assert lines[0] == lines[1]
    assert variable in lines[0]
    assert repr(value) in lines[0]
    assert known in lines[0]


# --- Threads ------------------------------------------------------------------------------------

BITS = """
    import hashlib
    import numpy as np
    from drawing import copied, draw
    from fastnn.kernels import KERNELS, _native

    SHAPES = [
        {"B": 400, "I": 300, "O": 70, "C": 70, "D": 40, "K": 60, "N": 500, "n": 100_003,
         "*": (100_003,)},
        {"B": 9001, "I": 3, "O": 1, "C": 2, "D": 3, "K": 2, "N": 20, "n": 5, "*": (5,)},
        {"B": 2, "I": 600, "O": 900, "C": 9001, "D": 70, "K": 500, "N": 3, "n": 40_000,
         "*": (7, 6000)},
    ]
    for kernel in KERNELS.values():
        for dtype in (np.float32, np.float64):
            for shapes in SHAPES:
                setting, rng = kernel.scalars[-1], np.random.default_rng(0)
                drawn = draw(kernel, shapes, dtype, setting, rng, labels=True)
                results = set()
                for team in (1, 2, 3, 7):
                    _native.set_num_threads(team)
                    arguments = copied(drawn)
                    value = getattr(_native, kernel.name)(*arguments.values())
                    if kernel.name != "permutation":  # a shuffle is one chain of swaps
                        assert _native.last_team() == team, (kernel.name, _native.last_team())
                    digest = hashlib.sha256(repr(value).encode())
                    for name in kernel.arrays:
                        digest.update(arguments[name].tobytes())
                    results.add(digest.digest())
                assert len(results) == 1, (kernel.name, dtype, shapes)
    print("same bits")
"""


@EVERY_ISA
def test_bits_do_not_depend_on_the_team(isa):
    assert output_of(BITS, FASTNN_ISA=isa, FASTNN_TEAM="force") == "same bits"


def large_and_small_call():
    """Teams of a call worth a millisecond, and of one worth nothing."""
    x = np.ones((512, 512), np.float32)
    y = np.empty_like(x)
    _native.dense_fwd(y, x, x, None, "relu")
    large = _native.last_team()
    _native.dense_fwd(y[:2, :2].copy(), x[:2, :2].copy(), x[:2, :2].copy(), None, "relu")
    return large, _native.last_team()


@pytest.fixture
def three_threads():
    before = _native.get_num_threads()
    _native.set_num_threads(3)
    yield
    _native.set_num_threads(before)


@pytest.mark.skipif(not _native.openmp_version(), reason="built without OpenMP")
@pytest.mark.skipif(os.environ.get("FASTNN_TEAM") == "force", reason="all calls get a full team")
@pytest.mark.usefixtures("three_threads")
def test_only_large_calls_get_a_team():
    """At least once in a while: a busy machine makes calls serial for up to 1.6 s at a time."""
    for _ in range(20):
        large, small = large_and_small_call()
        assert small == 1
        if large == 3:
            return
        assert large == 1
        time.sleep(0.25)
    pytest.fail("a large call never got a team")


LIMITED = """
    import numpy as np
    from threadpoolctl import threadpool_limits
    from fastnn.kernels import _native

    x = np.ones((100, 100))
    teams = []
    for limit in (None, 2, 1):
        with threadpool_limits(limit, "openmp"):
            _native.dense_fwd(np.empty_like(x), x, x, None, "relu")
            teams.append(_native.last_team())
    print(teams)
"""


@pytest.mark.skipif(not _native.openmp_version(), reason="built without OpenMP")
def test_limits_of_threadpoolctl_hold():
    assert output_of(LIMITED, OMP_NUM_THREADS="4", FASTNN_TEAM="force") == "[4, 2, 1]"


FORKED = """
    import os
    import numpy as np
    from fastnn.kernels import _native

    def product():
        x = np.arange(90_000.0).reshape(300, 300)
        y = np.empty_like(x)
        _native.dense_fwd(y, x, x, None, "identity")
        return y, _native.last_team()

    _native.set_num_threads(2)
    parent, team = product()
    for _ in range(5):
        child = os.fork()
        if not child:
            y, team = product()
            os._exit(0 if team == 1 and y.tobytes() == parent.tobytes() else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert product()[1] == team
    print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_compute_serially():
    assert output_of(FORKED, FASTNN_TEAM="force") == "done"


def test_concurrent_calls_give_the_bits_of_a_lone_call():
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(200, 300)), rng.normal(size=(300, 100))

    def product(_):
        y = np.empty((200, 100))
        for _ in range(20):
            _native.dense_fwd(y, x, w, None, "tanh")
        return y.tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(product, range(8))) == {product(0)}


# --- Guards -------------------------------------------------------------------------------------


def misaligned(array):
    raw = np.zeros(array.nbytes + 1, np.uint8)[1:]
    return raw.view(array.dtype).reshape(array.shape)


def every_second(array):
    return np.zeros((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)[..., ::2]


FAULTS = {
    "a list": np.ndarray.tolist,
    "another dtype": lambda a: a.astype(np.int16),
    "complex": lambda a: a.astype(np.complex128),
    "swapped bytes": lambda a: a.astype(a.dtype.newbyteorder()),
    "not aligned": misaligned,
    "strided": every_second,
    "objects": lambda a: a.astype(object),
}
NO_FAULT = {"swapped bytes", "not aligned"}  # for items of one byte


def check_refused(kernel, arguments, name=None):
    before = {n: a.tobytes() for n, a in arguments.items() if isinstance(a, np.ndarray)}
    with pytest.raises((ArgumentError, ArgumentTypeError)) as caught:
        getattr(_native, kernel.name)(*arguments.values())
    assert name is None or name in str(caught.value)
    assert all(arguments[n].tobytes() == content for n, content in before.items())


@EVERY_ARRAY
@pytest.mark.parametrize("fault", FAULTS)
def test_arrays_of_another_kind_are_refused(kernel, name, fault):
    arguments = arguments_of(kernel)
    if kernel.arrays[name].dtype == "uint8" and fault in NO_FAULT:
        pytest.skip("bytes have neither order nor alignment")
    arguments[name] = FAULTS[fault](arguments[name])
    check_refused(kernel, arguments, name)


@EVERY_ARRAY
def test_mixed_precision_is_refused(kernel, name):
    if kernel.arrays[name].dtype not in ("real", "target") or len(kernel.arrays) == 1:
        pytest.skip("the only real array sets the precision")
    arguments = arguments_of(kernel)
    if sum(a.dtype == np.float64 for a in arguments.values() if isinstance(a, np.ndarray)) == 1:
        pytest.skip("the only real array sets the precision")
    arguments[name] = arguments[name].astype(np.float32)
    check_refused(kernel, arguments)


def settled_elsewhere(kernel, name, letter):
    """Whether another array has the dimension too, so that a wrong size can be noticed."""
    others = (row.shape for other, row in kernel.arrays.items() if other != name)
    return "(" in letter or any(letter in shape for shape in others)


@EVERY_ARRAY
def test_arrays_of_another_shape_are_refused(kernel, name):
    if len(kernel.arrays) == 1:
        pytest.skip("any length is right")
    letters = kernel.arrays[name].shape.split()
    wrongs = [lambda a: np.zeros((1, *a.shape), a.dtype)]
    if settled_elsewhere(kernel, name, letters[-1]):
        wrongs.append(lambda a: np.zeros((*a.shape[:-1], a.shape[-1] + 1), a.dtype))
    if settled_elsewhere(kernel, name, letters[0]):
        wrongs.append(lambda a: np.zeros((a.shape[0] - 1, *a.shape[1:]), a.dtype))
    for wrong in wrongs:
        arguments = arguments_of(kernel)
        arguments[name] = wrong(arguments[name])
        check_refused(kernel, arguments)


@EVERY_ARRAY
def test_read_only_outputs_and_missing_arrays_are_refused(kernel, name):
    arguments = arguments_of(kernel)
    if kernel.arrays[name].written:
        arguments[name].flags.writeable = False
        check_refused(kernel, arguments, name)
    if not kernel.arrays[name].optional:
        arguments[name] = None
        check_refused(kernel, arguments, name)


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3], [2**62, 0]])
def test_labels_out_of_range_are_refused(labels):
    dz, z = np.full((2, 3), 7.0), np.zeros((2, 3))
    with pytest.raises(ArgumentError, match="target must hold class numbers from 0 to 2"):
        _native.softmax_cross_entropy(dz, z, np.array(labels), None, 0.0)
    assert (dz == 7).all()


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_missing_pre_activation_is_refused(activation):
    dz = np.ones(3)
    with pytest.raises(ArgumentError, match="z must be given"):
        _native.activation_bwd(dz, dz, dz, None, activation)
    x = np.ones((3, 3))
    with pytest.raises(ArgumentError, match="z must be given"):
        _native.dense_bwd(None, x.copy(), None, x.copy(), x, x, x, activation)


@pytest.mark.parametrize("activation", ["rellu", None, ["relu"], 3])
def test_unknown_activations_are_refused(activation):
    y = np.ones(3)
    with pytest.raises(FastnnError, match="relu"):
        _native.activation_fwd(y, y, activation)
    assert (y == 1).all()


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_seeds_out_of_range_are_refused(seed):
    words = np.zeros(4, np.uint32)
    with pytest.raises(OverflowError):
        _native.philox(words, seed, 0)
    assert not words.any()


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 3), (2, 3, 0)])
def test_empty_dimensions(shape):
    """An empty sum is zero, and there is nothing to write where nothing is."""
    B, I, O = shape  # noqa: E741
    x, w, b = np.ones((B, I)), np.ones((I, O)), np.full(O, 2.0)
    y = np.full((B, O), np.nan)
    _native.dense_fwd(y, x, w, b, "identity")
    np.testing.assert_array_equal(y, x @ w + b)
    dx, dw, db = np.full((B, I), np.nan), np.full((I, O), np.nan), np.full(O, np.nan)
    _native.dense_bwd(dx, dw, db, y.copy(), y, x, w, "identity")
    np.testing.assert_array_equal(dx, y @ w.T)
    np.testing.assert_array_equal(dw, x.T @ y)
    np.testing.assert_array_equal(db, y.sum(axis=0))
