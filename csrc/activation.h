// Activations: y = value(z), dz = dy * slope(y, z). NaN passes through every value.
//
// The formulas and their constants are those of fastnn/kernels/reference/activation.py.

#define SLOPE static ALWAYS_INLINE real
#define VALUE static ALWAYS_INLINE real

VALUE FN(identity_value)(real z) { return z; }
SLOPE FN(identity_slope)(real y, real z) { return 1; }

VALUE FN(relu_value)(real z) { return z < 0 ? 0 : z; }
SLOPE FN(relu_slope)(real y, real z) { return y > 0 ? 1 : 0; }

VALUE FN(leaky_relu_value)(real z) { return z < 0 ? LEAKY_RELU_SLOPE * z : z; }
SLOPE FN(leaky_relu_slope)(real y, real z) { return y > 0 ? 1 : LEAKY_RELU_SLOPE; }

VALUE FN(elu_value)(real z) { return z < 0 ? FN(expm1)(z) : z; }
SLOPE FN(elu_slope)(real y, real z) { return y > 0 ? 1 : y + 1; }

VALUE FN(selu_value)(real z) { return SELU_SCALE * (z < 0 ? SELU_ALPHA * FN(expm1)(z) : z); }
SLOPE FN(selu_slope)(real y, real z) { return y > 0 ? SELU_SCALE : y + SELU_SCALE * SELU_ALPHA; }

VALUE FN(sigmoid_value)(real z) { return FN(sigmoid)(z); }
SLOPE FN(sigmoid_slope)(real y, real z) { return y * (1 - y); }

// (1 + tanh u) / 2 as sigmoid(2 u), which keeps its digits where tanh is near -1.
static ALWAYS_INLINE real FN(gelu_gate)(real z) {
    return FN(sigmoid)(z * (2 * GELU_FACTOR + 2 * GELU_FACTOR * GELU_CUBIC * z * z));
}
VALUE FN(gelu_value)(real z) { return z * FN(gelu_gate)(z); }
SLOPE FN(gelu_slope)(real y, real z) {
    const real s = FN(gelu_gate)(z);
    const real c = z < -GELU_SATURATION  ? -GELU_SATURATION
                   : z > GELU_SATURATION ? GELU_SATURATION
                                         : z;
    const real gate_slope = (1 - s) * 2 * GELU_FACTOR * (1 + 3 * GELU_CUBIC * c * c);
    return s * (1 + c * gate_slope);
}

VALUE FN(silu_value)(real z) { return z * FN(sigmoid)(z); }
SLOPE FN(silu_slope)(real y, real z) {
    const real s = FN(sigmoid)(z);
    return s * (1 + z * (1 - s));
}

VALUE FN(softplus_value)(real z) {
    return (z < 0 ? 0 : z) + FN(log1p)(FN(exp_of_negative)(-FN(abs)(z)));
}
SLOPE FN(softplus_slope)(real y, real z) { return -FN(expm1)(-y); }

VALUE FN(tanh_value)(real z) { return FN(tanh)(z); }
SLOPE FN(tanh_slope)(real y, real z) { return 1 - y * y; }

VALUE FN(exp_value)(real z) { return FN(exp)(z); }
SLOPE FN(exp_slope)(real y, real z) { return y; }

#undef VALUE
#undef SLOPE

// Whole vectors, n a multiple of LANES, so that all elements take the same instructions.

// y (n,) = value(z); y may be z.
static void FN(activate_vectors)(real *y, const real *z, int64_t n, int64_t activation) {
    const int64_t whole = n & -LANES;  // what n is, in a form that compilers understand
    switch (activation) {
#define ACTIVATION(name, needs_z)                                                      \
    case FASTNN_ACTIVATION_##name:                                                     \
        ELEMENTWISE for (int64_t i = 0; i < whole; i++) y[i] = FN(name##_value)(z[i]); \
        break;
#include "activations.def"
#undef ACTIVATION
    }
}

// dz (n,) = dy * slope(y, z); dz may be dy; z may be anything where it is not needed.
static void FN(multiply_slope_vectors)(real *dz, const real *dy, const real *y, const real *z,
                                       int64_t n, int64_t activation) {
    const int64_t whole = n & -LANES;
    switch (activation) {
#define ACTIVATION(name, needs_z)                                       \
    case FASTNN_ACTIVATION_##name:                                      \
        ELEMENTWISE for (int64_t i = 0; i < whole; i++) {               \
            dz[i] = dy[i] * FN(name##_slope)(y[i], needs_z ? z[i] : 0); \
        }                                                               \
        break;
#include "activations.def"
#undef ACTIVATION
    }
}

// Any n: what is left over goes through padded vectors.

static void FN(activate)(real *y, const real *z, int64_t n, int64_t activation) {
    const int64_t whole = n & -LANES;
    FN(activate_vectors)(y, z, whole, activation);
    if (whole == n) return;
    real last[LANES];
    FN(copy_padded)(last, z + whole, n - whole);
    FN(activate_vectors)(last, last, LANES, activation);
    FN(copy_row)(y + whole, last, n - whole);
}

// z may be NULL where it is not needed.
static void FN(multiply_slope)(real *dz, const real *dy, const real *y, const real *z, int64_t n,
                               int64_t activation) {
    const int64_t whole = n & -LANES;
    FN(multiply_slope_vectors)(dz, dy, y, z, whole, activation);
    if (whole == n) return;
    real last[3][LANES] = {0};
    FN(copy_padded)(last[0], dy + whole, n - whole);
    FN(copy_padded)(last[1], y + whole, n - whole);
    if (z) FN(copy_padded)(last[2], z + whole, n - whole);
    FN(multiply_slope_vectors)(last[0], last[0], last[1], last[2], LANES, activation);
    FN(copy_row)(dz + whole, last[0], n - whole);
}

typedef struct {
    real *out;
    const real *dy, *y, *z;
    int64_t activation;
} FN(activation_job);

static void FN(activation_fwd_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(activation_job) *j = job;
    FN(activate)(j->out + begin, j->z + begin, end - begin, j->activation);
}

static void FN(activation_bwd_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(activation_job) *j = job;
    FN(multiply_slope)(j->out + begin, j->dy + begin, j->y + begin, j->z ? j->z + begin : 0,
                       end - begin, j->activation);
}

static fastnn_status FN(activation_fwd)(real *y, const real *z, int64_t n, int64_t activation) {
    if (!activation_known(activation)) return FASTNN_BAD_ACTIVATION;
    FN(activation_job) job = {.out = y, .z = z, .activation = activation};
    fastnn_for_chunks(n, ELEMENT_GRAIN, (double)n, FN(activation_fwd_chunk), &job);
    return FASTNN_OK;
}

static fastnn_status FN(activation_bwd)(real *dz, const real *dy, const real *y, const real *z,
                                        int64_t n, int64_t activation) {
    if (!activation_known(activation)) return FASTNN_BAD_ACTIVATION;
    if (!z && fastnn_activation_needs_z[activation]) return FASTNN_MISSING_Z;
    if (activation == FASTNN_ACTIVATION_identity && dz == dy) return FASTNN_OK;
    FN(activation_job) job = {dz, dy, y, z, activation};
    fastnn_for_chunks(n, ELEMENT_GRAIN, (double)n, FN(activation_bwd_chunk), &job);
    return FASTNN_OK;
}
