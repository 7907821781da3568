"""Augmentation of arrays: images against `scipy.ndimage`, what is exact, what is refused."""

import copy
import dataclasses
import pickle

import augmentation_oracle as oracle
import numpy as np
import pytest
from programs import output_of
from scipy import ndimage

import fastnn
from fastnn import ArgumentError, ArgumentTypeError
from fastnn.augmentation import (
    Augmentation,
    Compose,
    GaussianJitter,
    ImageAugmentation,
    Mixup,
    pipeline,
)

RNG = np.random.default_rng(0)
IMAGES = RNG.uniform(-1, 1, (9, 13, 17))
MOVES = {
    "rotation": {"rotation": 40},
    "half turns": {"rotation": 180},
    "shift": {"shift": 0.4},
    "zoom": {"zoom": 0.6},
    "shear": {"shear": 30},
    "horizontal flip": {"horizontal_flip": True},
    "vertical flip": {"vertical_flip": True},
    "brightness": {"brightness": 0.7},
    "cutout": {"cutout": 5, "cval": 0.25},
    "far away": {"shift": 1, "zoom": 0.99, "shear": 89},
}
ALL = {
    "rotation": 25,
    "shift": 0.2,
    "zoom": 0.3,
    "shear": 10,
    "horizontal_flip": True,
    "vertical_flip": True,
    "brightness": 0.5,
    "cutout": 4,
    "cval": -0.5,
}


def check(images, spec, tolerance, seed=11, step=5):
    got = spec(images, seed=seed, step=step)
    assert got.dtype == images.dtype
    with_channels = images.reshape(*images.shape[:3], -1)
    expected = oracle.augmented(with_channels, spec, seed, step).reshape(images.shape)
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance)


# --- images ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", oracle.MODES)
@pytest.mark.parametrize("move", MOVES)
def test_each_move_is_that_of_scipy(move, mode):
    # Far out, coordinates are thousands of pixels, and so are the last bits of what they round to.
    tolerance = 1e-9 if move == "far away" else 1e-12
    check(IMAGES, ImageAugmentation(**MOVES[move], fill_mode=mode), tolerance)


@pytest.mark.parametrize("mode", oracle.MODES)
def test_all_moves_together_are_those_of_scipy(mode):
    check(IMAGES, ImageAugmentation(**ALL, fill_mode=mode), 1e-12)


@pytest.mark.parametrize("mode", ["constant", "nearest"])
def test_in_single_precision(mode):
    check(IMAGES.astype(np.float32), ImageAugmentation(**ALL, fill_mode=mode), 3e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels(channels):
    check(RNG.normal(size=(4, 9, 8, channels)), ImageAugmentation(**ALL), 1e-12)


@pytest.mark.parametrize("width", [1, 2, 7, 31, 32, 33, 64, 65])
def test_widths_around_those_of_vectors(width):
    for shape in ((3, 2, width), (3, width, 1), (3, 5, width)):
        check(RNG.normal(size=shape), ImageAugmentation(**ALL), 1e-12)


@pytest.mark.parametrize("mode", oracle.MODES)
def test_rotation_is_scipys_rotate(mode):
    """The angle told from the random words, with SciPy's own idea of centre and direction."""
    got = ImageAugmentation(rotation=60, fill_mode=mode)(IMAGES, seed=3)
    for angle, image, turned in zip(60 * oracle.uniform(9, 3, 0)[:, 0], IMAGES, got, strict=True):
        expected = ndimage.rotate(image, angle, reshape=False, order=1, mode=oracle.MODES[mode])
        np.testing.assert_allclose(turned, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("mode", oracle.MODES)
def test_shift_is_scipys_shift(mode):
    got = ImageAugmentation(shift=0.3, fill_mode=mode)(IMAGES, seed=3)
    moves = 0.3 * np.array([13, 17]) * oracle.uniform(9, 3, 0)[:, 3:5]
    for move, image, shifted in zip(moves, IMAGES, got, strict=True):
        expected = ndimage.shift(image, move, order=1, mode=oracle.MODES[mode])
        np.testing.assert_allclose(shifted, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("source", ["uint8", "int16", "float16", "float32", "bool"])
def test_every_source_is_augmented_as_float32(source):
    images = (RNG.uniform(0, 2, (5, 6, 7))).astype(source)
    spec = ImageAugmentation(rotation=20)
    got = spec(images, seed=2)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, spec(images.astype(np.float32), seed=2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_asked_for_is_nothing_done(dtype):
    images = RNG.normal(size=(5, 6, 7, 3)).astype(dtype)
    images[0] = -0.0
    for spec in (ImageAugmentation(), ImageAugmentation(fill_mode="wrap", cval=3)):
        got = spec(images, seed=1)
        assert got.tobytes() == images.tobytes()
        assert not np.shares_memory(got, images)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_flips_are_exact(channels):
    images = RNG.normal(size=(40, 5, 8, *channels)).astype(np.float32)
    got = ImageAugmentation(horizontal_flip=True, vertical_flip=True)(images, seed=4)
    turned = {(up, left): images[:, ::up, ::left] for up in (1, -1) for left in (1, -1)}
    found = {
        key: [row for row in range(40) if got[row].tobytes() == others[row].tobytes()]
        for key, others in turned.items()
    }
    assert sorted(row for rows in found.values() for row in rows) == list(range(40))
    assert all(found.values())


@pytest.mark.parametrize("mode", ["nearest", "reflect", "wrap"])
def test_a_flat_image_stays_what_it_is(mode):
    """Interpolation between equal values is exact."""
    images = np.full((20, 9, 9), 0.1)
    spec = ImageAugmentation(**{**ALL, "brightness": 0, "cutout": 0}, fill_mode=mode)
    np.testing.assert_array_equal(spec(images), images)


def test_read_only_maps_of_files(tmp_path):
    images = RNG.integers(0, 256, (6, 8, 9), np.uint8)
    images.tofile(tmp_path / "images")
    mapped = np.memmap(tmp_path / "images", np.uint8, "r", shape=images.shape)
    spec = ImageAugmentation(**ALL)
    np.testing.assert_array_equal(spec(mapped), spec(images))


# --- tables and mixtures --------------------------------------------------------------------------


def test_jitter_moves_the_columns_it_is_told():
    X = RNG.normal(size=(50, 7))
    got = GaussianJitter((0.5, 2.0), columns=(5, 2))(X, seed=1)
    untouched = [0, 1, 3, 4, 6]
    np.testing.assert_array_equal(got[:, untouched], X[:, untouched])
    assert (got[:, [2, 5]] != X[:, [2, 5]]).all()
    same_draws = GaussianJitter(1.0, columns=(5, 2))(np.zeros_like(X), seed=1)
    np.testing.assert_allclose(got[:, 5] - X[:, 5], 0.5 * same_draws[:, 5], atol=1e-14)
    np.testing.assert_allclose(got[:, 2] - X[:, 2], 2.0 * same_draws[:, 2], atol=1e-14)
    np.testing.assert_array_equal(GaussianJitter(0.0)(X), X)


@pytest.mark.parametrize("rows", [1, 2, 3, 17])
def test_mixup_mixes_rows_targets_and_nothing_else(rows):
    X, y = RNG.normal(size=(rows, 3, 2)), RNG.normal(size=(rows, 4))
    shares, _ = Mixup(0.5)(np.eye(rows), y, seed=6)  # row i: what it has of each row
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-15)
    mixed, targets = Mixup(0.5)(X, y, seed=6)
    np.testing.assert_allclose(mixed, np.tensordot(shares, X, 1), rtol=0, atol=1e-14)
    np.testing.assert_allclose(targets, shares @ y, rtol=0, atol=1e-14)
    np.testing.assert_array_equal(Mixup(0.5)(X, seed=6), mixed)
    np.testing.assert_array_equal(Mixup(0.5)(X, y[:, 0], seed=6)[1], targets[:, 0])
    others = shares * (1 - np.eye(rows))
    assert ((others > 0).sum(axis=0) == (rows > 1)).all()  # each is a partner once
    assert ((others > 0).sum(axis=1) == (rows > 1)).all()


def test_a_composition_is_one_after_the_other():
    """Each part with draws of its own, though they are of one kind."""
    X = RNG.normal(size=(6, 5))
    twice = Compose([GaussianJitter(1.0), GaussianJitter(1.0)])(np.zeros((6, 5)))
    once = GaussianJitter(1.0)(np.zeros((6, 5)))
    assert (abs(twice - 2 * once) > 1e-3).all()
    got, y = Compose([GaussianJitter(0.5), Mixup(0.3)])(X, X, seed=8)
    shares, _ = Compose([GaussianJitter(0.0), Mixup(0.3)])(np.eye(6), X, seed=8)
    np.testing.assert_allclose(got, shares @ GaussianJitter(0.5)(X, seed=8), atol=1e-14)
    np.testing.assert_allclose(y, shares @ X, atol=1e-14)


# --- draws that depend on seed, step and row ------------------------------------------------------

SPECS = {
    "images": ImageAugmentation(**ALL, fill_mode="reflect"),
    "jitter": GaussianJitter(0.3),
    "mixup": Mixup(0.3),
    "all": Compose([ImageAugmentation(**ALL), GaussianJitter(0.3), Mixup(0.3)]),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_seed_step_and_row_decide(spec):
    X = np.tile(RNG.normal(size=(1, 5, 6)), (64, 1, 1))
    X[::2] += 1
    expected = spec(X, seed=1, step=2)
    assert spec(X, seed=1, step=2).tobytes() == expected.tobytes()
    assert (spec(X, seed=2, step=2) != expected).any()
    assert (spec(X, seed=1, step=3) != expected).any()
    assert len({row.tobytes() for row in expected}) == 64
    if "mixup" not in str(spec).lower():
        np.testing.assert_array_equal(spec(X[:10], seed=1, step=2), expected[:10])


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_any_number_of_threads_gives_the_same_bits(spec, monkeypatch):
    X = RNG.normal(size=(101, 7, 6))
    expected = spec(X, X[:, 0], seed=3)
    before = fastnn.get_num_threads()
    try:
        for threads in (2, 3, 7):
            fastnn.set_num_threads(threads)
            for work in (1, 3000):  # nanoseconds: blocks of one row, and of several
                monkeypatch.setattr(pipeline, "BLOCK_WORK", work)
                for got, want in zip(spec(X, X[:, 0], seed=3), expected, strict=True):
                    assert got.tobytes() == want.tobytes()
    finally:
        fastnn.set_num_threads(before)


FORKED = """
    import os
    import numpy as np
    import fastnn
    from fastnn.augmentation import ImageAugmentation, pipeline

    pipeline.BLOCK_WORK = 1000
    fastnn.set_num_threads(3)
    X, spec = np.random.default_rng(0).normal(size=(50, 9, 9)), ImageAugmentation(rotation=9)
    expected = spec(X).tobytes()
    child = os.fork()
    if child == 0:
        os._exit(0 if spec(X).tobytes() == expected else 1)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_children_augment_after_the_parent_did():
    assert output_of(FORKED) == "0"


# --- descriptions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_descriptions_survive(spec):
    for twin in (
        Augmentation.from_config(spec.to_config()),
        pickle.loads(pickle.dumps(spec)),
        copy.deepcopy(spec),
    ):
        assert twin == spec
        assert hash(twin) == hash(spec)
    X = RNG.normal(size=(4, 5, 6))
    np.testing.assert_array_equal(Augmentation.from_config(spec.to_config())(X), spec(X))
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.rotation = 3


def test_a_list_is_a_composition():
    parts = [GaussianJitter(0.1), [Mixup(0.2), Mixup(0.3)]]
    assert Compose(parts).parts[1] == Compose([Mixup(0.2), Mixup(0.3)])
    assert Augmentation.from_config(Compose(parts).to_config()) == Compose(parts)


# --- refusals -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ImageAugmentation(rotation=181), r"rotation must be a number in \[0, 180\]"),
        (lambda: ImageAugmentation(rotation=-1), "rotation must be .* got -1"),
        (lambda: ImageAugmentation(shift=1.5), r"shift must be a number in \[0, 1\], got 1.5"),
        (lambda: ImageAugmentation(zoom=1), r"zoom must be a number in \[0, 0.99\], got 1"),
        (lambda: ImageAugmentation(shear=90), r"shear must be a number in \[0, 89\], got 90"),
        (lambda: ImageAugmentation(shear=float("nan")), "shear must be .* got nan"),
        (lambda: ImageAugmentation(horizontal_flip=1), "horizontal_flip must be True or False"),
        (lambda: ImageAugmentation(vertical_flip="no"), "vertical_flip must be True or False"),
        (lambda: ImageAugmentation(brightness=2), r"brightness must be a number in \[0, 1\]"),
        (lambda: ImageAugmentation(cutout=2.5), "cutout must be an integer in .* got 2.5"),
        (lambda: ImageAugmentation(cutout=-1), "cutout must be an integer in .* got -1"),
        (lambda: ImageAugmentation(fill_mode="mirror"), "unknown fill_mode 'mirror'"),
        (lambda: ImageAugmentation(fill_mode="nearst"), "did you mean 'nearest'"),
        (lambda: ImageAugmentation(cval=float("inf")), "cval must be a finite number, got inf"),
        (lambda: GaussianJitter(-0.1), "std must be a finite number >= 0, got -0.1"),
        (lambda: GaussianJitter((0.1, None)), "std must be .* got None"),
        (lambda: GaussianJitter("much"), "std must be .* got 'much'"),
        (lambda: GaussianJitter(()), "std must not be empty"),
        (lambda: GaussianJitter(1, columns=3), "columns must be a sequence of numbers, got 3"),
        (lambda: GaussianJitter(1, columns=[]), "columns must not be empty"),
        (lambda: GaussianJitter(1, columns=[-1]), "columns must be an integer >= 0, got -1"),
        (lambda: GaussianJitter(1, columns=[2, 0, 2]), "columns names column 2 twice"),
        (lambda: GaussianJitter([1, 2], columns=[0]), "std has 2 values for 1 column$"),
        (lambda: Mixup(0), "alpha must be a finite number > 0, got 0"),
        (lambda: Mixup("0.2"), "alpha must be .* got '0.2'"),
        (lambda: Compose([]), "parts must hold at least one augmentation"),
        (lambda: Compose("flip"), "parts must be a sequence of augmentations, got 'flip'"),
        (lambda: Compose([Mixup(1), 3]), r"parts\[1\] must be an augmentation .* got int"),
        (lambda: Augmentation.from_config({"type": "Mixupp"}), "did you mean 'Mixup'"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        make()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ImageAugmentation()(np.ones((3, 784))),
            r"rows of X have shape \(784,\); give X its",
        ),
        (
            lambda: ImageAugmentation()(np.ones((2, 2, 2, 2, 2))),
            r"rows of shape \(H, W\) or \(H, W, C",
        ),
        (lambda: ImageAugmentation()(np.ones((1, 1, (1 << 20) + 1), "u1")), "are too large"),
        (
            lambda: ImageAugmentation(cval=1e39)(np.ones((2, 2, 2), "f4")),
            "cval is 1e[+]39, more than",
        ),
        (lambda: ImageAugmentation()(np.full((2, 2, 2), np.nan)), r"X\[0, 0, 0\] is nan"),
        (lambda: ImageAugmentation()([["a"]]), "X must hold numbers"),
        (
            lambda: GaussianJitter(1, columns=[0, 4])(np.ones((3, 4))),
            "names column 4, but .* have 4",
        ),
        (lambda: GaussianJitter((1, 2))(np.ones((3, 4))), "std has 2 values, but .* 4 columns"),
        (lambda: Mixup(1)(np.ones((3, 2)), np.ones(4)), "X has 3 rows, but y has 4"),
        (lambda: Mixup(1)(np.ones((3, 2)), np.arange(3)), r"class numbers cannot be mixed.*np.eye"),
        (lambda: Mixup(1)(np.ones((3, 2)), np.ones((3, 1, 1))), r"y must have shape \(n,\) or"),
        (lambda: Mixup(1)(np.ones((3, 2)), seed=-1), "seed must be an integer"),
        (lambda: Mixup(1)(np.ones((3, 2)), step=1 << 48), "step must be an integer"),
        (lambda: Mixup(1)(np.ones((3, 2)), step=0.5), "step must be an integer .* got 0.5"),
    ],
)
def test_bad_arrays_are_refused(call, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        call()
