"""CNNClassifier, CNNRegressor, NetworkClassifier and NetworkRegressor."""

import pickle
import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks

from fastnn import (
    AveragePooling1D,
    CNNClassifier,
    CNNRegressor,
    Conv2D,
    Dense,
    DepthwiseConv2D,
    Flatten,
    MaxPooling2D,
    NetworkClassifier,
    NetworkRegressor,
    Parallel,
    Residual,
    activation,
)
from fastnn.augmentation import ImageAugmentation
from fastnn.errors import ArgumentError, ArgumentTypeError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

ROWS, DIGIT = load_digits(return_X_y=True)
ROWS, DIGIT = ROWS[:300], DIGIT[:300]
IMAGES = ROWS.reshape(-1, 8, 8)
BYTES = np.round(IMAGES * 255 / 16).astype(np.uint8)
LAYERS = [Conv2D(4, 3, "relu"), MaxPooling2D(2), Flatten(), Dense(16, "relu")]


def cnn(**options):
    settings = {"filters": (4, 6), "hidden_layer_sizes": (16,), "max_iter": 4, "random_state": 0}
    return CNNClassifier(**(settings | options))


def kinds(estimator):
    return [type(layer).__name__ for layer in estimator.network_.layers]


CHECKED = [
    CNNClassifier(4, hidden_layer_sizes=(20,), learning_rate_init=0.01, max_iter=100),
    CNNRegressor(4, hidden_layer_sizes=(20,), learning_rate_init=0.01, max_iter=100),
    NetworkClassifier([Dense(50, "relu")], max_iter=100),
    NetworkRegressor([Dense(50, "relu")], max_iter=100),
]


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(CHECKED)
def test_what_every_estimator_keeps_to(estimator, check):
    check(estimator)


def test_images_with_and_without_channels_and_rows_are_the_same():
    first = cnn().fit(IMAGES, DIGIT)
    assert first.row_shape_ == (8, 8, 1)
    assert kinds(first) == [*["Conv2D", "MaxPooling2D"] * 2, "Flatten", "Dense", "Dense"]
    for x, options in ((IMAGES[..., None], {}), (ROWS, {"image_shape": (8, 8)})):
        other = cnn(**options).fit(x, DIGIT)
        np.testing.assert_array_equal(other.predict_proba(x), first.predict_proba(IMAGES))
    np.testing.assert_array_equal(first.predict(ROWS), first.predict(IMAGES))
    np.testing.assert_allclose(first.predictor()(ROWS[0]), first.predict_proba(ROWS[:1])[0])
    again = pickle.loads(pickle.dumps(first))
    np.testing.assert_array_equal(again.predict_proba(IMAGES), first.predict_proba(IMAGES))


def test_bytes_are_scaled_and_later_numbers_have_their_units():
    scaled = cnn().fit((BYTES / 255).astype(np.float32), DIGIT)
    bytes_ = cnn().fit(BYTES, DIGIT)
    want = scaled.predict_proba((BYTES / 255).astype(np.float32))
    np.testing.assert_allclose(bytes_.predict_proba(BYTES), want, atol=1e-3)
    floats = bytes_.predict_proba(BYTES.astype(np.float64))
    np.testing.assert_array_equal(floats, bytes_.predict_proba(BYTES))
    assert kinds(bytes_)[0] == "Rescaling"


def test_pooling_stops_where_nothing_is_left_to_pool():
    estimator = cnn(filters=(2, 2, 2, 2, 2), pool_size=(2, 4)).fit(IMAGES, DIGIT)
    assert kinds(estimator).count("MaxPooling2D") == 3  # 8 × 8, 4 × 2, 2 × 1, 1 × 1
    assert kinds(cnn(pool_size=1).fit(IMAGES, DIGIT)).count("MaxPooling2D") == 0


def test_arguments_of_the_mlp_work():
    estimator = cnn(batch_norm=True, dropout=0.2, early_stopping=True, max_iter=3)
    estimator.set_params(augmentation=ImageAugmentation(shift=0.1), alpha=0.01)
    estimator.fit(BYTES, DIGIT, X_val=BYTES[:50], y_val=DIGIT[:50])
    assert len(estimator.validation_loss_curve_) == 3
    assert kinds(estimator).count("BatchNorm") == 3
    plain = clone(estimator).set_params(augmentation=None).fit(BYTES, DIGIT)
    assert plain.loss_curve_ != estimator.loss_curve_
    np.testing.assert_array_equal(
        clone(estimator).fit(BYTES, DIGIT, X_val=BYTES[:50], y_val=DIGIT[:50]).predict(BYTES),
        estimator.predict(BYTES),
    )


def test_regression_of_images():
    regressor = CNNRegressor(
        (8,), hidden_layer_sizes=(32,), scale_target=True, max_iter=60, random_state=0
    )
    assert regressor.fit(IMAGES / 16, DIGIT).score(IMAGES / 16, DIGIT) > 0.7


def test_arguments_of_given_layers_are_searched():
    estimator = NetworkClassifier(LAYERS, max_iter=3, random_state=0)
    assert estimator.get_params()["layers__conv2d_1__filters"] == 4
    assert "layers__conv2d_1__filters" not in estimator.get_params(deep=False)
    grid = {"layers__conv2d_1__filters": [2, 5], "layers__dense_1__activation": ["tanh", "relu"]}
    pipeline = make_pipeline(FunctionTransformer(lambda x: x / 16), estimator)
    search = GridSearchCV(
        pipeline, {f"networkclassifier__{key}": values for key, values in grid.items()}, cv=2
    ).fit(IMAGES, DIGIT)
    best = search.best_estimator_[-1]
    chosen = search.best_params_["networkclassifier__layers__conv2d_1__filters"]
    assert best.network_.layers[0].filters == chosen
    assert LAYERS[0].filters == 4
    made = NetworkClassifier(lambda: LAYERS, max_iter=1)
    assert made.set_params(layers__dense_1__units=7).layers[3].units == 7


def test_layers_may_be_made_by_a_function():
    first = NetworkClassifier(LAYERS, max_iter=3, random_state=0).fit(IMAGES, DIGIT)
    other = NetworkClassifier(lambda: LAYERS, max_iter=3, random_state=0).fit(IMAGES, DIGIT)
    np.testing.assert_array_equal(first.predict_proba(IMAGES), other.predict_proba(IMAGES))


def test_a_function_makes_the_layers_of_a_fit_once():
    made = []

    def make():
        made.append(Dense(4, "relu"))
        return [Flatten(), made[-1]]

    estimator = NetworkClassifier(make, max_iter=1, random_state=0).fit(IMAGES, DIGIT)
    assert len(made) == 1
    assert estimator.network_.layers[-2] is made[0]


def test_convolutions_take_an_activation_of_the_user():
    def double(x):
        return 2.0 * x

    def slope(x, y):
        return 2.0

    own = activation(double, slope, name="double_of_a_convolution")
    for batch_norm in (False, True):
        estimator = cnn(filters=3, activation=own, batch_norm=batch_norm, max_iter=1)
        layers = estimator.fit(IMAGES / 16, DIGIT).network_.layers
        assert sum(getattr(layer, "activation", None) is own for layer in layers) == 2
    mixed = cnn(filters=3, hidden_layer_sizes=(4,), activation=[own], max_iter=1)
    first = mixed.fit(IMAGES / 16, DIGIT).network_.layers[0]
    assert first.activation == "relu"


REFUSED = {
    "image_shape": (lambda: cnn(image_shape=(8, 9)).fit(ROWS, DIGIT), "does not fit rows of 64"),
    "axes": (
        lambda: cnn().fit(IMAGES[..., None, None], DIGIT),
        r"images \(n, height, width\).*got rows of shape \(8, 8, 1, 1\)",
    ),
    "filters": (lambda: cnn(filters=(4, 0)).fit(IMAGES, DIGIT), "filters must be an integer >= 1"),
    "kernel": (lambda: cnn(kernel_size=(3, 3, 3)).fit(IMAGES, DIGIT), "kernel_size must be an int"),
    "other size": (
        lambda: cnn().fit(IMAGES, DIGIT).predict(IMAGES[:, :7]),
        r"rows of shape \(7, 8\), but the estimator was fitted on rows of shape \(8, 8, 1\)",
    ),
    "scikit-learn": (lambda: cnn().fit(IMAGES, DIGIT).to_sklearn(), "nothing like CNNClassifier"),
    "layer": (
        lambda: NetworkClassifier(LAYERS).set_params(layers__dense_9__units=3),
        "layers are called conv2d_1, maxpooling2d_1, flatten_1, dense_1",
    ),
    "value": (
        lambda: NetworkClassifier(LAYERS).set_params(layers__dense_1__units=0),
        "units must be an integer >= 1",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused(case):
    call, match = REFUSED[case]
    with pytest.raises(ArgumentError, match=match):
        call()


def test_layers_must_be_layers():
    with pytest.raises(ArgumentTypeError, match="layers must be a list of layers, or a function"):
        NetworkClassifier([Dense]).fit(ROWS, DIGIT)


CHANGED = {
    "strides follow": (MaxPooling2D(2), {"pool_size": 3}, MaxPooling2D(3)),
    "strides stay": (MaxPooling2D(2, strides=2), {"pool_size": 3}, MaxPooling2D(3, strides=2)),
    "strides of means": (AveragePooling1D(2), {"pool_size": 4}, AveragePooling1D(4)),
    "initializer of filters": (Conv2D(4, 3, "relu"), {"activation": "tanh"}, Conv2D(4, 3, "tanh")),
    "initializer of units": (Dense(4, "relu"), {"activation": "selu"}, Dense(4, "selu")),
    "initializer of cells": (
        DepthwiseConv2D(3, activation="relu"),
        {"activation": "tanh"},
        DepthwiseConv2D(3, activation="tanh"),
    ),
    "given initializer": (
        Dense(4, "relu", initializer="he_normal"),
        {"activation": "tanh"},
        Dense(4, "tanh", initializer="he_normal"),
    ),
}


@pytest.mark.parametrize("case", CHANGED)
def test_a_changed_layer_is_the_layer_made_anew(case):
    layer, values, want = CHANGED[case]
    layer = pickle.loads(pickle.dumps(layer))
    estimator = clone(NetworkClassifier([layer]))
    name = next(iter(estimator.get_params()["layers"])).__class__.__name__.lower() + "_1"
    estimator.set_params(**{f"layers__{name}__{key}": value for key, value in values.items()})
    assert estimator.layers == [want]
    again = clone(estimator).set_params(**estimator.get_params())
    assert again.layers == [want]


def test_layers_within_layers_are_searched():
    block = Residual([Dense(8, "relu"), Dense(8)], shortcut=[Dense(8)])
    paths = Parallel([[Dense(3)], [], [block]])
    estimator = NetworkClassifier([Dense(8), paths])
    key = "layers__parallel_1__residual_1__dense_2__"
    assert estimator.get_params()[f"{key}units"] == 8
    estimator.set_params(**{f"{key}activation": "tanh", "layers__parallel_1__dense_1__units": 5})
    changed = Residual([Dense(8, "relu"), Dense(8, "tanh")], shortcut=[Dense(8)])
    assert estimator.layers == [Dense(8), Parallel([[Dense(5)], [], [changed]])]


def test_refused_parameters_change_nothing():
    estimator = NetworkClassifier(LAYERS)
    with pytest.raises(ArgumentError, match="layers are called"):
        estimator.set_params(alpha=7, layers__dense_9__units=3)
    with pytest.raises(ArgumentError, match="Invalid parameter 'lower' of layer 'conv2d_1'"):
        estimator.set_params(alpha=7, layers__conv2d_1__lower=3)
    with pytest.raises(ValueError, match="Invalid parameter 'alhpa'"):
        estimator.set_params(alhpa=7, layers__dense_1__units=3)
    assert estimator.alpha == 0.0001
    assert estimator.layers is LAYERS


def given(**options):
    return NetworkClassifier([Flatten(), Dense(4)], max_iter=2, random_state=0, **options)


COLORS = np.repeat(IMAGES[..., None], 3, axis=3)
OTHER_SHAPES = {
    "channels first": (cnn, COLORS, np.moveaxis(COLORS, 3, 1)),
    "one line": (given, IMAGES, IMAGES.reshape(-1, 1, 64)),
    "other sides": (given, IMAGES, IMAGES.reshape(-1, 4, 16)),
    "more axes": (given, IMAGES, IMAGES.reshape(-1, 2, 2, 16)),
    "other sides of images": (cnn, IMAGES, IMAGES.reshape(-1, 4, 16)),
    "axes after rows": (given, ROWS, IMAGES),
}


@pytest.mark.filterwarnings("ignore:X looks like")
@pytest.mark.parametrize("case", OTHER_SHAPES)
def test_rows_of_another_shape_are_refused(case):
    make, fitted, other = OTHER_SHAPES[case]
    net = make(warm_start=True).fit(fitted, DIGIT)
    weights = [w.copy() for w in net.network_.get_weights()]
    for call in (
        net.predict,
        net.predict_proba,
        lambda x: net.predictor()(x[0]),
        lambda x: net.partial_fit(x, DIGIT),
        lambda x: net.fit(x, DIGIT),
    ):
        with pytest.raises(ArgumentError, match="but the estimator was fitted on rows of shape"):
            call(other)
    for before, after in zip(weights, net.network_.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_image_shape_must_be_that_of_images():
    with pytest.raises(ArgumentError, match=r"image_shape=\(4, 16\) is not the shape of the im"):
        cnn(image_shape=(4, 16)).fit(IMAGES, DIGIT)
    assert cnn(image_shape=(8, 8, 1)).fit(IMAGES, DIGIT).row_shape_ == (8, 8, 1)


def test_a_channel_axis_more_or_less_is_no_other_shape():
    net = given().fit(IMAGES, DIGIT)
    np.testing.assert_array_equal(net.predict(IMAGES[..., None]), net.predict(IMAGES))


@pytest.mark.parametrize("make", [cnn, given])
def test_bytes_after_other_numbers_are_refused(make):
    net = make(warm_start=True).fit(IMAGES / 16, DIGIT)
    for call in (net.predict, lambda x: net.partial_fit(x, DIGIT), lambda x: net.fit(x, DIGIT)):
        with pytest.raises(ArgumentError, match=r"X holds bytes \(uint8\), but the estimator was"):
            call(BYTES)


def test_data_frames_of_bytes_are_scaled_as_arrays_are():
    pandas = pytest.importorskip("pandas")
    rows = BYTES.reshape(-1, 64)
    frame = pandas.DataFrame(rows).rename(columns="p{}".format)
    expected = cnn(image_shape=(8, 8)).fit(rows, DIGIT)
    net = cnn(image_shape=(8, 8)).fit(frame, DIGIT)
    assert kinds(net)[0] == "Rescaling"
    np.testing.assert_array_equal(net.predict_proba(frame), expected.predict_proba(rows))


def test_tables_of_bytes_are_numbers():
    counts = ROWS.astype(np.uint8)
    net = NetworkClassifier([Dense(4)], max_iter=3, random_state=0).fit(counts, DIGIT)
    assert kinds(net)[0] == "Dense"
    other = clone(net).fit(ROWS.astype(float), DIGIT)
    np.testing.assert_array_equal(net.predict_proba(counts), other.predict_proba(counts))


def test_lists_of_images_are_images():
    net = cnn().fit(list(IMAGES), DIGIT)
    np.testing.assert_array_equal(
        net.predict(IMAGES.tolist()), cnn().fit(IMAGES, DIGIT).predict(IMAGES)
    )
    with pytest.raises(ValueError, match=r"0 sample\(s\)"):
        net.predict(IMAGES[:0])


def test_sparse_rows_stay_sparse_for_networks_of_vectors():
    sparse = pytest.importorskip("scipy.sparse")
    wide = sparse.random(6_000, 2_000, density=0.001, format="csr", random_state=0)
    y = np.arange(6_000) % 3
    net = NetworkClassifier([Dense(4)], max_iter=2, batch_size=64, random_state=0)
    tracemalloc.start()
    net.fit(wide, y).predict(wide)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6_000 * 2_000 * 8 / 2
    dense = clone(net).fit(wide.toarray(), y)
    np.testing.assert_allclose(net.predict_proba(wide), dense.predict_proba(wide.toarray()))
    images = sparse.csr_matrix(ROWS)
    expected = cnn(image_shape=(8, 8)).fit(ROWS, DIGIT)
    net = cnn(image_shape=(8, 8)).fit(images, DIGIT)
    np.testing.assert_array_equal(net.predict_proba(images), expected.predict_proba(ROWS))
