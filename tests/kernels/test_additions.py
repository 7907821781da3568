"""An activation, an optimizer, a loss and a layer with kernels, each with no more edits than told.

They are added to a copy of the project, C included, which is built there.
"""

from __future__ import annotations

import shutil
from typing import NamedTuple

import pytest
from programs import python_in
from project import ROOT

KERNELS = "fastnn/kernels/reference"
NAMES = "fastnn/__init__.pyi"

pytestmark = pytest.mark.skipif(not (ROOT / "csrc").is_dir(), reason="needs the source tree")


class Edit(NamedTuple):
    """Text that goes before, or behind where it starts with a line break, an anchor in a file."""

    file: str
    anchor: str
    text: str


ACTIVATION = [
    Edit(
        f"{KERNELS}/activation.py",
        "class ActivationFormula(",
        """def _softsign(z):
    return z / (1 + np.abs(z))


def _softsign_slope(y, z):
    return (1 - np.abs(y)) * (1 - np.abs(y))


""",
    ),
    Edit(
        f"{KERNELS}/activation.py",
        '    "exp": ActivationFormula(_exp, _exp_slope),\n',
        '\n    "softsign": ActivationFormula(_softsign, _softsign_slope),\n',
    ),
    Edit(
        "csrc/kernels/activation.inc",
        "#undef VALUE",
        """VALUE FN(softsign_value)(real z) { return z / (1 + FN(abs)(z)); }
SLOPE FN(softsign_slope)(real y, real z) { return (1 - FN(abs)(y)) * (1 - FN(abs)(y)); }

""",
    ),
    Edit("csrc/table/activations.def", "ACTIVATION(exp, 0)\n", "\nACTIVATION(softsign, 0)\n"),
    Edit("fastnn/layers/dense.py", "silu, softplus", "softsign, "),
]

OPTIMIZER = [
    Edit(
        f"{KERNELS}/optimizer.py",
        "@step_kernel(\n    7,",
        '''@step_kernel(5, {}, {"lr": 0.1, "weight_decay": 0.0}, {"lr": 0.01, "weight_decay": 0.1})
@quiet
def sign_step(p, dp, lr, weight_decay, l1=0.0, l2=0.0, scale=1.0, clip=math.inf):
    """Sign descent: p ← p − lr sign(dp)."""
    g = whole_gradient(p, dp, l1, l2, scale, clip)
    p[...] = p - lr * weight_decay * p - lr * np.sign(g)


''',
    ),
    Edit(
        "csrc/table/kernels.def",
        "KERNEL(MAP, momentum_step",
        """KERNEL(MAP, sign_step, 0.2, (size), SHAPE(size),
       (stored *p, const stored *dp, double lr, double weight_decay, const fastnn_scalar *rest,
        int64_t begin, int64_t end),
       (A(0), A(1), F(0), F(1), GRADIENT_SCALARS(2), begin, end))
""",
    ),
    Edit(
        "csrc/kernels/optimizer.inc",
        "static void FN(adagrad_step)",
        """static void FN(sign_step)(stored *p, const stored *dp, double lr, double weight_decay,
                          const fastnn_scalar *rest, int64_t begin, int64_t end) {
    const real l1 = (real)rest[0].f, l2 = (real)rest[1].f;  // scale and clip change no sign
    const real rate = (real)lr, decay = (real)(lr * weight_decay);
    ELEMENTWISE for (int64_t i = begin; i < end; i++) {
        p[i] = p[i] - decay * p[i] - rate * FN(sign)(dp[i] + l1 * FN(sign)(p[i]) + l2 * p[i]);
    }
}

""",
    ),
    Edit("fastnn/optimizers/descent.py", '__all__ = ["SGD"', '\n, "SignDescent"'),
    Edit(
        "fastnn/optimizers/descent.py",
        "@dataclass(frozen=True, repr=False)\nclass Adagrad(",
        '''@dataclass(frozen=True, repr=False)
class SignDescent(GradientOptimizer):
    """Steps of one size, down the sign of the gradient."""

    learning_rate: float | Schedule = 0.001

    def step(
        self, p: Ref, dp: Ref, slots: list[Ref], lr: LearningRate, t: NextStep, weight_decay: float
    ) -> tuple[str, tuple[Any, ...]]:
        return "sign_step", (p, dp, lr, weight_decay)


''',
    ),
    Edit(NAMES, "    SGD as SGD,\n", "\n    SignDescent as SignDescent,\n"),
]

LOSS = [
    Edit(
        f"{KERNELS}/loss.py",
        "def poisson_deviance(",
        """def log_cosh_error(y, t):
    distance = np.abs(y - t)
    return distance + np.log1p(np.exp(-2 * distance)) - np.log(2.0), np.tanh(y - t)


""",
    ),
    Edit(
        f"{KERNELS}/loss.py",
        "@loss_kernel(8, huber_error",
        '''@loss_kernel(8, log_cosh_error)
def log_cosh(dy, y, target, weight) -> float:
    """Logarithm of the hyperbolic cosine of the error."""
    return _mean_loss(dy, y, target, weight, log_cosh_error)


''',
    ),
    Edit(
        "csrc/table/kernels.def",
        "KERNEL(CALL, mean_absolute_error",
        """KERNEL(CALL, log_cosh, 0, (batch, outputs), SHAPE(batch, outputs) SHAPE(batch),
       (stored *dy, const stored *y, const stored *target, const stored *weight, int64_t B,
        int64_t O, double *loss),
       (A(0), A(1), A(2), A(3), D(batch), D(outputs), RESULT))
""",
    ),
    Edit(
        "csrc/kernels/loss.inc",
        "ELEMENT(huber_slope)",
        """ELEMENT(log_cosh_slope) { return FN(tanh)(y - t); }
ELEMENT(log_cosh_value) {
    const real distance = FN(abs)(y - t);
    return distance + FN(log1p)(FN(exp)(-2 * distance)) - (real)0.6931471805599453;
}

""",
    ),
    Edit("csrc/kernels/loss.inc", "LOSS(mean_absolute_error)\n", "\nLOSS(log_cosh)\n"),
    Edit("fastnn/losses/regression.py", '    "Huber",\n', '\n    "LogCosh",\n'),
    Edit(
        "fastnn/losses/regression.py",
        "@dataclass(frozen=True)\nclass Huber(",
        '''@dataclass(frozen=True)
class LogCosh(Loss):
    """Quadratic near the target, and linear far from it."""

    kernel = "log_cosh"


''',
    ),
    Edit(NAMES, "    Huber as Huber,\n", "\n    LogCosh as LogCosh,\n"),
]

LAYER = [
    Edit(
        f"{KERNELS}/normalization.py",
        '@kernel(\n    arrays={"average"',
        '''@kernel(
    arrays={"y": Array("B C", "w"), "x": Array("B C"), "gain": Array("C")}, flops=per("B C", 1)
)
def gain_fwd(y, x, gain):
    """Multiply each column by a number of its own: y = x gain."""
    y[...] = x * gain


@kernel(
    arrays={
        "dx": Array("B C", "w", optional=True),
        "dgain": Array("C", "w", optional=True),
        "dy": Array("B C"),
        "x": Array("B C"),
        "gain": Array("C"),
    },
    flops=per("B C", 3),
    relative_to="array",
    in_place=(("dx", "dy"),),
)
def gain_bwd(dx, dgain, dy, x, gain):
    """Gradients of `gain_fwd`: dgain = Σ dy x, dx = dy gain."""
    if dgain is not None:
        dgain[...] = (dy.astype(np.float64) * x).sum(axis=0)
    if dx is not None:
        dx[...] = dy * gain


''',
    ),
    Edit(
        "csrc/table/kernels.def",
        "KERNEL(CALL, dense_fold_output",
        """KERNEL(CALL, gain_fwd, 0, (batch, columns), SHAPE(batch, columns) SHAPE(columns),
       (stored *y, const stored *x, const stored *gain, int64_t B, int64_t C),
       (A(0), A(1), A(2), D(batch), D(columns)))
KERNEL(CALL, gain_bwd, 0, (batch, columns), SHAPE(batch, columns) SHAPE(columns),
       (stored *dx, stored *dgain, const stored *dy, const stored *x, const stored *gain, int64_t B,
        int64_t C),
       (A(0), A(1), A(2), A(3), A(4), D(batch), D(columns)))
""",
    ),
    Edit(
        "csrc/kernels/gain.inc",
        "",
        """// x, y, dx, dy (B,C), gain, dgain (C,).

typedef struct {
    stored *out, *dgain;
    const stored *dy, *x, *gain;
    int64_t B, C;
} FN(gain_job);

static void FN(gain_columns)(void *job, int64_t begin, int64_t end) {
    const FN(gain_job) *g = job;
    for (int64_t j = begin; j < end; j++) {
        double sum = 0;
        for (int64_t at = j; at < g->B * g->C; at += g->C) {
            sum += (double)g->dy[at] * (double)g->x[at];
            if (g->out) g->out[at] = g->dy[at] * g->gain[j];
        }
        if (g->dgain) g->dgain[j] = (real)sum;
    }
}

static fastnn_status FN(gain_fwd)(stored *y, const stored *x, const stored *gain, int64_t B,
                                  int64_t C) {
    FN(gain_job) job = {y, 0, x, x, gain, B, C};
    fastnn_for_chunks(C, 1, (double)B * (double)C, FN(gain_columns), &job);
    return FASTNN_OK;
}

static fastnn_status FN(gain_bwd)(stored *dx, stored *dgain, const stored *dy, const stored *x,
                                  const stored *gain, int64_t B, int64_t C) {
    FN(gain_job) job = {dx, dgain, dy, x, gain, B, C};
    fastnn_for_chunks(C, 1, 2 * (double)B * (double)C, FN(gain_columns), &job);
    return FASTNN_OK;
}
""",
    ),
    Edit("csrc/table/bodies.inc", '#include "kernels/noise.inc"', '#include "kernels/gain.inc"\n'),
    Edit("fastnn/layers/normalization.py", '__all__ = ["BatchNorm"', '\n, "Gain"'),
    Edit(
        "fastnn/layers/normalization.py",
        "@dataclass(frozen=True)\nclass BatchNorm(",
        '''@dataclass(frozen=True)
class Gain(ShapedLayer):
    """Multiply each feature by a number that is learnt."""

    input_shape: tuple[int, ...] | None = None
    name: str | None = None

    def parameters(self, input_shape: tuple[int, ...]) -> tuple[Parameter, ...]:
        return (Parameter("gain", input_shape, initializers.Ones()),)

    def lower(self, builder, x, parameters, index):
        y, gain = builder.activation(x.shape), parameters["gain"]
        builder.emit("forward", "gain_fwd", y, x, gain)

        def pullback(dy, need_dx):
            dx = dy if need_dx else None
            builder.emit("backward", "gain_bwd", dx, gradient_of(gain), dy, x, gain)
            return dx

        return y, pullback


''',
    ),
    Edit(NAMES, "    GaussianNoise as GaussianNoise,\n", "    Gain as Gain,\n"),
]

#: What is added, and the most files that it may take.
ADDITIONS = {
    "activation": (ACTIVATION, 4),
    "optimizer": (OPTIMIZER, 5),
    "loss": (LOSS, 5),
    "layer": (LAYER, 7),
}


@pytest.mark.parametrize("kind", ADDITIONS)
def test_places_to_touch(kind):
    edits, most = ADDITIONS[kind]
    assert len({edit.file for edit in edits}) <= most


def apply(folder, edit):
    path = folder / edit.file
    if not edit.anchor:
        path.write_text(edit.text, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    assert text.count(edit.anchor) == 1, edit
    behind = edit.text.startswith("\n")
    whole = edit.anchor + edit.text[1:] if behind else edit.text + edit.anchor
    path.write_text(text.replace(edit.anchor, whole), encoding="utf-8")


# For the baseline alone, with little optimization: what is built is right or wrong, not fast.
BUILD = """
import runpy, sys
import build_support
build_support.X86_ISAS.clear()
build_support.KERNEL_FLAGS[build_support.KERNEL_FLAGS.index("-O3")] = "-O1"
sys.argv = ["setup.py", "-q", "build_ext", "--inplace"]
runpy.run_path("setup.py", run_name="__main__")
"""

USE = """
import numpy as np
import fastnn
from fastnn import kernels

rng = np.random.default_rng(0)
X = rng.normal(size=(64, 5))
y = X @ rng.normal(size=(5, 2))
trained = set()
for backend in kernels.BACKENDS:
    with kernels.use(backend):
        layers = [fastnn.Dense(8, "softsign"), fastnn.Gain(), fastnn.Dense(2)]
        net = fastnn.Network(layers, loss="log_cosh", optimizer="signdescent", seed=0)
        assert net.fit(X, y, epochs=20, verbose=0)["loss"][-1] < 0.9 * net.history["loss"][0]
        trained.add(round(net.history["loss"][-1], 4))
        other = fastnn.Network(layers, loss=fastnn.LogCosh(), seed=0, dtype="float64")
        assert fastnn.gradient_check(other, X, y).max_relative_error < 1e-6
assert len(trained) == 1, trained
assert kernels.ACTIVATIONS[-1] == "softsign"
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """The project with all additions, built."""
    folder = tmp_path_factory.mktemp("extended")
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    for part in ("fastnn", "csrc", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=ignored)
    for part in ("build_support.py", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, folder)
    for edits, _ in ADDITIONS.values():
        for edit in edits:
            apply(folder, edit)
    python_in(folder, "-c", BUILD)
    return folder


@pytest.mark.slow
def test_additions_train_on_every_back_end(extended):
    python_in(extended, "-c", USE)


@pytest.mark.slow
def test_additions_agree_with_their_references(extended):
    """By the tests of the table, which find them without an edit."""
    chosen = "softsign or sign_step or log_cosh or gain_fwd or gain_bwd"
    python_in(
        extended,
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/kernels/test_table.py"),
        *("tests/kernels/test_native_guards.py", "-k", chosen),
    )
