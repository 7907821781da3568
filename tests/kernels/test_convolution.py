"""Kernels of convolution: plain loops, scipy and torch as oracles, and identities between calls."""

import numpy as np
import pytest
from convolution_oracle import convolve
from scipy import signal

from fastnn import kernels
from fastnn.errors import ArgumentError

# (H, W, C), (KH, KW, O), strides, pads, pads after, dilation, groups
CASES = {
    "3 x 3": ((5, 6, 2), (3, 3, 4), (1, 1), (1, 1), (1, 1), (1, 1), 1),
    "even, odd cell after": ((5, 4, 3), (2, 4, 2), (1, 1), (0, 1), (1, 2), (1, 1), 1),
    "strides that leave cells over": ((7, 8, 1), (3, 2, 3), (3, 3), (0, 0), (0, 0), (1, 1), 1),
    "strides and padding": ((6, 5, 2), (4, 3, 2), (2, 3), (2, 1), (1, 2), (1, 1), 1),
    "dilated": ((7, 9, 2), (3, 2, 2), (1, 1), (2, 3), (4, 1), (2, 4), 1),
    "groups": ((4, 4, 6), (2, 2, 9), (1, 2), (1, 0), (0, 1), (1, 1), 3),
    "depthwise": ((4, 5, 5), (3, 3, 10), (1, 1), (1, 1), (1, 1), (1, 1), 5),
    "one cell": ((1, 1, 17), (1, 1, 1), (1, 1), (0, 0), (0, 0), (1, 1), 1),
    "one cell in a window": ((1, 1, 2), (3, 3, 2), (1, 1), (1, 1), (1, 1), (1, 1), 1),
    "causal series": ((1, 9, 3), (1, 3, 4), (1, 1), (0, 4), (0, 0), (1, 2), 1),
    "around a vector": ((3, 4, 17), (2, 2, 33), (1, 1), (0, 0), (0, 0), (1, 1), 1),
}


class Case:
    """Arrays and numbers of a convolution of a batch of two images."""

    def __init__(self, name, dtype=np.float64):
        (height, width, channels), (kh, kw, filters), self.stride, self.pad, after, d, g = CASES[
            name
        ]
        self.dilation, self.groups = d, g
        sides, cells = (height, width), (kh, kw)
        self.out = tuple(
            (sides[a] + self.pad[a] + after[a] - (cells[a] - 1) * d[a] - 1) // self.stride[a] + 1
            for a in (0, 1)
        )
        rng = np.random.default_rng(len(name))
        self.x = rng.normal(size=(2, height, width, channels)).astype(dtype)
        self.w = rng.normal(size=(kh, kw, channels // g, filters)).astype(dtype)
        self.b = rng.normal(size=filters).astype(dtype)
        self.y = np.full((2, *self.out, filters), np.nan, dtype)
        self.dy = rng.normal(size=self.y.shape).astype(dtype)

    @property
    def numbers(self):
        return *self.stride, *self.pad, *self.dilation, self.groups

    def forward(self, x, w, b=None):
        y = np.empty_like(self.y)
        kernels.conv_fwd(y, x, w, b, "identity", *self.numbers)
        return y

    def gradients(self, x, w, dy):
        dx, dw, db = np.empty_like(x), np.empty_like(w), np.empty(w.shape[-1], w.dtype)
        kernels.conv_bwd(dx, dw, db, dy.copy(), self.y, x, w, "identity", *self.numbers)
        return dx, dw, db

    def oracle(self):
        settings = self.out, self.stride, self.pad, self.dilation, self.groups
        x, w = self.x.astype(float), self.w.astype(float)
        return np.array([convolve(image, w, *settings) for image in x]) + self.b


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CASES)
def test_forward_is_that_of_plain_loops(backend, name, dtype):
    case = Case(name, dtype)
    want = case.oracle()
    limit = 64 * np.finfo(dtype).eps * np.abs(want).max()
    np.testing.assert_allclose(case.forward(case.x, case.w, case.b), want, rtol=0, atol=limit)


@pytest.mark.parametrize("name", CASES)
def test_gradients_are_the_adjoints_of_the_forward_pass(backend, name):
    """⟨A v, dy⟩ = ⟨v, Aᵀ dy⟩ for each of the two arrays in which the product is linear."""
    case = Case(name)
    rng = np.random.default_rng(1)
    dx, dw, db = case.gradients(case.x, case.w, case.dy)
    x, w = rng.normal(size=case.x.shape), rng.normal(size=case.w.shape)
    np.testing.assert_allclose(np.vdot(case.forward(x, case.w), case.dy), np.vdot(x, dx))
    np.testing.assert_allclose(np.vdot(case.forward(case.x, w), case.dy), np.vdot(w, dw))
    np.testing.assert_allclose(db, case.dy.sum(axis=(0, 1, 2)))


@pytest.mark.parametrize("name", CASES)
def test_transposed_is_the_gradient_of_the_input_and_its_gradients_are_adjoints(backend, name):
    case = Case(name)
    small, w, numbers = case.dy, case.w, ("identity", *case.numbers)
    large, bias = np.empty_like(case.x), np.arange(case.x.shape[-1], dtype=float)
    kernels.conv_transpose_fwd(large, small, w, bias, *numbers)
    np.testing.assert_allclose(large - bias, case.gradients(case.x, w, small)[0], atol=1e-12)
    rng = np.random.default_rng(2)
    dy = rng.normal(size=large.shape)
    dx, dw, db = np.empty_like(small), np.empty_like(w), np.empty_like(bias)
    kernels.conv_transpose_bwd(dx, dw, db, dy.copy(), large, small, w, *numbers)
    np.testing.assert_allclose(np.vdot(large - bias, dy), np.vdot(small, dx))
    np.testing.assert_allclose(np.vdot(large - bias, dy), np.vdot(w, dw))
    np.testing.assert_allclose(db, dy.sum(axis=(0, 1, 2)))


def test_dilation_is_a_kernel_with_zeros_between(backend):
    case, spread = Case("dilated"), Case("dilated")
    spread.w = np.zeros((5, 5, 2, 2))
    spread.w[::2, ::4] = case.w
    spread.dilation = 1, 1
    want = case.forward(case.x, case.w)
    np.testing.assert_allclose(spread.forward(case.x, spread.w), want, atol=1e-13)


def test_groups_are_convolutions_side_by_side(backend):
    case = Case("groups")
    parts = []
    for group in range(3):
        part = Case("groups")
        part.groups, part.y = 1, case.y[..., :3].copy()
        x = np.ascontiguousarray(case.x[..., 2 * group : 2 * group + 2])
        parts.append(part.forward(x, np.ascontiguousarray(case.w[..., 3 * group : 3 * group + 3])))
    want = np.concatenate(parts, axis=-1)
    np.testing.assert_allclose(case.forward(case.x, case.w), want, atol=1e-13)


def test_single_cells_are_a_product_of_matrices(backend):
    case = Case("one cell")
    want = case.x.reshape(2, 17) @ case.w.reshape(17, 1)
    np.testing.assert_allclose(case.forward(case.x, case.w).reshape(2, 1), want)


@pytest.mark.parametrize("name", ["3 x 3", "strides and padding", "dilated", "groups"])
def test_forward_and_gradients_are_those_of_torch(backend, name):
    torch = pytest.importorskip("torch")
    case = Case(name)
    (top, left), (stride, dilation) = case.pad, (case.stride, case.dilation)
    reach = [(o - 1) * s + (k - 1) * d + 1 for o, s, k, d in
             zip(case.out, stride, case.w.shape, dilation, strict=False)]  # fmt: skip
    bottom, right = reach[0] - top - case.x.shape[1], reach[1] - left - case.x.shape[2]
    x = torch.tensor(case.x.transpose(0, 3, 1, 2), requires_grad=True)
    w = torch.tensor(case.w.transpose(3, 2, 0, 1), requires_grad=True)
    padded = torch.nn.functional.pad(x, (left, right, top, bottom))
    y = torch.nn.functional.conv2d(
        padded, w, torch.tensor(case.b), stride, 0, dilation, case.groups
    )
    y.backward(torch.tensor(case.dy.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(
        case.forward(case.x, case.w, case.b), y.detach().numpy().transpose(0, 2, 3, 1), atol=1e-12
    )
    dx, dw, _ = case.gradients(case.x, case.w, case.dy)
    np.testing.assert_allclose(dx, x.grad.numpy().transpose(0, 2, 3, 1), atol=1e-12)
    np.testing.assert_allclose(dw, w.grad.numpy().transpose(2, 3, 1, 0), atol=1e-12)


def test_forward_is_scipys_correlation(backend):
    case = Case("3 x 3")
    want = [
        sum(
            signal.correlate(np.pad(image[..., c], 1), case.w[:, :, c, o], mode="valid")
            for c in range(2)
        )
        for image in case.x
        for o in range(4)
    ]
    want = np.array(want).reshape(2, 4, 5, 6).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(case.forward(case.x, case.w), want, atol=1e-13)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"groups": 2}, "O must be a multiple of groups = 2, got 3"),
        ({"groups": 3}, r"C must be G times groups, 2 x 3 = 6, got 2"),
        ({"pad_h": 3}, "pad_h must be below 3, the reach of a window, got 3"),
        ({"pad_w": 2**20}, "pad_w must be below 2"),
        ({"stride_w": 3}, "OW must be at most 2, the windows that begin in x, got 4"),
        ({"dilation_h": 0}, "dilation_h must be an integer in"),
        ({"stride_h": -1}, "stride_h must be an integer in"),
    ],
)
def test_windows_that_do_not_fit_are_refused(changes, match):
    x, w, y = np.ones((2, 4, 5, 2)), np.ones((3, 2, 2, 3)), np.ones((2, 2, 4, 3))
    if changes == {"groups": 2}:
        x = np.ones((2, 4, 5, 4))
    names = ("stride_h", "stride_w", "pad_h", "pad_w", "dilation_h", "dilation_w", "groups")
    numbers = dict(zip(names, (1, 1, 0, 0, 1, 1, 1), strict=True)) | changes
    with pytest.raises(ArgumentError, match=match):
        kernels.conv_fwd(y, x, w, None, "identity", **numbers)
    assert (y == 1).all()
