"""Instruction sets and threads, which only the native back end has."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from programs import output_of

from fastnn.kernels import KERNELS, native, reference


def test_c_knows_the_kernels_and_activations_of_the_reference():
    assert set(native.kernel_names()) == set(KERNELS)
    assert native.activations() == {
        name: formula.needs_z for name, formula in reference.ACTIVATIONS.items()
    }


@pytest.mark.parametrize("isa", native.available_isas())
def test_isa_can_be_forced(isa):
    program = "from fastnn.kernels import native; print(native.isa_name())"
    assert output_of(program, FASTNN_ISA=isa) == isa


def test_fastest_isa_is_the_default(monkeypatch):
    monkeypatch.delenv("FASTNN_ISA", raising=False)
    program = "from fastnn.kernels import native; print(native.isa_name())"
    assert output_of(program) == native.available_isas()[-1]
    assert native.available_isas()[0] == "baseline"


@pytest.mark.parametrize(
    ("variable", "value", "known"),
    [
        ("FASTNN_ISA", "sse9", "baseline"),
        ("FASTNN_TEAM", "some", "auto or force"),
        ("FASTNN_NUM_THREADS", "0", "1 or more"),
        ("FASTNN_NUM_THREADS", "-1", "1 or more"),
        ("FASTNN_NUM_THREADS", "two", "1 or more"),
        ("FASTNN_NUM_THREADS", "100000", "1 or more"),
    ],
)
def test_environment_that_means_nothing_is_refused(variable, value, known):
    """The error lists the possible values, at each use, and not at the import."""
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


def test_empty_variables_are_as_if_they_were_not_set(monkeypatch):
    names = ("FASTNN_ISA", "FASTNN_TEAM", "FASTNN_NUM_THREADS", "FASTNN_BACKEND")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    program = """
        import fastnn
        from fastnn.kernels import native
        print(fastnn.kernels.active_backend(), native.isa_name(), fastnn.get_num_threads())
    """
    expected = output_of(program)
    for empty in ("", " "):
        assert output_of(program, **dict.fromkeys(names, empty)) == expected


BITS = """
    import hashlib
    import numpy as np
    from fastnn.testing.drawing import copied, draw, letters
    from fastnn.kernels import KERNELS, native

    IMAGES = [
        {"B": 40, "C": 35, "H": 9, "W": 8, "OH": 9, "OW": 8, "KH": 3, "KW": 3, "G": 24, "Q": 9,
         "R": 8},
        {"B": 901, "C": 2, "H": 1, "W": 4, "OH": 1, "OW": 4, "KH": 1, "KW": 2, "G": 2, "Q": 4,
         "R": 2},
        {"B": 2, "C": 301, "H": 40, "W": 2, "OH": 40, "OW": 3, "KH": 2, "KW": 2, "G": 40, "Q": 30,
         "R": 9},
    ]
    SHAPES = [
        {"B": 400, "I": 300, "O": 70, "C": 70, "D": 40, "K": 60, "N": 500, "n": 100_003, "P": 60,
         "*": (100_003,)},
        {"B": 9001, "I": 3, "O": 1, "C": 2, "D": 3, "K": 2, "N": 20, "n": 5, "P": 3, "*": (5,)},
        {"B": 2, "I": 600, "O": 900, "C": 9001, "D": 70, "K": 500, "N": 3, "n": 40_000, "P": 2,
         "*": (7, 6000)},
    ]
    for kernel in KERNELS.values():
        for dtype in (np.float32, np.float64):
            for shapes, image in zip(SHAPES, IMAGES):
                shapes = shapes | image if "H" in letters(kernel) else shapes
                setting, rng = kernel.scalars[-1], np.random.default_rng(0)
                drawn = draw(kernel, shapes, dtype, setting, rng, labels=True)
                results = set()
                for team in (1, 2, 3, 7):
                    native.set_num_threads(team)
                    arguments = copied(drawn)
                    value = getattr(native, kernel.name)(*arguments.values())
                    if kernel.name != "permutation":  # a shuffle is one chain of swaps
                        assert native.last_team() == team, (kernel.name, native.last_team())
                    digest = hashlib.sha256(repr(value).encode())
                    for name in kernel.arrays:
                        digest.update(arguments[name].tobytes())
                    results.add(digest.digest())
                assert len(results) == 1, (kernel.name, dtype, shapes)
    print("same bits")
"""


@pytest.mark.parametrize("isa", native.available_isas())
def test_bits_do_not_depend_on_the_team(isa):
    assert output_of(BITS, FASTNN_ISA=isa, FASTNN_TEAM="force") == "same bits"


def large_and_small_call():
    """Teams of a call worth a millisecond, and of one worth nothing."""
    x = np.ones((512, 512), np.float32)
    y = np.empty_like(x)
    native.dense_fwd(y, x, x, None, "relu")
    large = native.last_team()
    native.dense_fwd(y[:2, :2].copy(), x[:2, :2].copy(), x[:2, :2].copy(), None, "relu")
    return large, native.last_team()


@pytest.fixture
def three_threads():
    before = native.get_num_threads()
    native.set_num_threads(3)
    yield
    native.set_num_threads(before)


@pytest.mark.skipif(not native.openmp_version(), reason="built without OpenMP")
@pytest.mark.skipif(os.environ.get("FASTNN_TEAM") == "force", reason="all calls get a full team")
@pytest.mark.usefixtures("three_threads")
def test_only_large_calls_get_a_team():
    """At least once in a while: on a busy machine teams are smaller for up to 1.6 s at a time."""
    for _ in range(20):
        large, small = large_and_small_call()
        assert small == 1
        if large == 3:
            return
        assert large < 3
        time.sleep(0.25)
    pytest.fail("a large call never got a team")


LIMITED = """
    import numpy as np
    from threadpoolctl import threadpool_limits
    from fastnn.kernels import native

    x = np.ones((100, 100))
    teams = []
    for limit in (None, 2, 1):
        with threadpool_limits(limit, "openmp"):
            native.dense_fwd(np.empty_like(x), x, x, None, "relu")
            teams.append(native.last_team())
    print(teams)
"""


@pytest.mark.skipif(not native.openmp_version(), reason="built without OpenMP")
def test_limits_of_threadpoolctl_hold():
    assert output_of(LIMITED, OMP_NUM_THREADS="4", FASTNN_TEAM="force") == "[4, 2, 1]"


FORKED = """
    import os
    import numpy as np
    from fastnn.kernels import native

    def product():
        x = np.arange(90_000.0).reshape(300, 300)
        y = np.empty_like(x)
        native.dense_fwd(y, x, x, None, "identity")
        return y, native.last_team()

    native.set_num_threads(2)
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
            native.dense_fwd(y, x, w, None, "tanh")
        return y.tobytes()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(product, range(8))) == {product(0)}
