// Noise for training: normal numbers added, and dropout that keeps mean and variance.

enum { FN(NOISE_STEP) = 4 * PHILOX_LANES };

// n[j][i] for word j of block i: pairs of words are radius and angle (Box and Muller, 1958). Both
// are fractions that every dtype holds exactly.
static void FN(normal_blocks)(real n[4][PHILOX_LANES], uint64_t first, uint64_t seed,
                              uint64_t offset) {
    uint32_t word[4][PHILOX_LANES];
    philox_blocks(word, first, seed, offset);
    for (int j = 0; j < 4; j += 2) {
        ELEMENTWISE for (int i = 0; i < PHILOX_LANES; i++) {
            const real u = ((real)(int32_t)(word[j][i] >> 9) + HALF) * (real)0x1p-23;
            const real turn = (real)(int32_t)(word[j + 1][i] >> 8) * (real)0x1p-24;
            const real radius = FN(sqrt)(-2 * FN(log)(u));
            real cosine, sine;
            FN(cos_sin_of_turn)(turn, &cosine, &sine);
            n[j][i] = radius * cosine;
            n[j + 1][i] = radius * sine;
        }
    }
}

// y, x (n,); y may be x. Chunks begin at multiples of the step.
static void FN(gaussian_noise_fwd)(real *y, const real *x, double stddev, uint64_t seed,
                                   uint64_t offset, int64_t begin, int64_t end) {
    const real scale = (real)stddev;
    for (int64_t at = begin; at < end; at += FN(NOISE_STEP)) {
        real normal[4][PHILOX_LANES], ordered[FN(NOISE_STEP)];
        FN(normal_blocks)(normal, (uint64_t)at / 4, seed, offset);
        for (int i = 0; i < FN(NOISE_STEP); i++) ordered[i] = normal[i % 4][i / 4];
        const int64_t n = end - at < FN(NOISE_STEP) ? end - at : FN(NOISE_STEP);
        ELEMENTWISE for (int64_t i = 0; i < n; i++) y[at + i] = x[at + i] + scale * ordered[i];
    }
}

// What an element becomes that is dropped: the limit of selu far below 0.
#define DROPPED (-1.6732632423543772 * 1.0507009873554805)

typedef struct {
    real scale, shift, dropped;
} FN(alpha_affine);

static FN(alpha_affine) FN(alpha_affine_of)(double rate) {
    const double keep = (65536 - FN(dropout_threshold)(rate)) / 65536.0;
    const double a = 1 / sqrt(keep + DROPPED * DROPPED * keep * (1 - keep));
    const double b = -a * (1 - keep) * DROPPED;
    return (FN(alpha_affine)){(real)a, (real)b, (real)(a * DROPPED + b)};
}

// y, x (n,)  mask (ceil(n / 8),); `begin` is a multiple of 8.
static void FN(alpha_dropout_fwd)(real *y, uint8_t *mask, const real *x, double rate, uint64_t seed,
                                  uint64_t offset, int64_t begin, int64_t end) {
    const FN(alpha_affine) a = FN(alpha_affine_of)(rate);
    FN(draw_bits)(mask, rate, seed, offset, begin, end);
    for (int64_t i = begin; i < end; i += LANES) {
        const int64_t part = end - i < LANES ? end - i : LANES;
        const FN(vec_ints) kept = FN(kept_lanes)(FN(bits_at)(mask, i, part));
        const FN(vec) scaled = FN(load_part)(x + i, part) * a.scale + a.shift;
        const FN(vec) dropped = (FN(vec)){0} + a.dropped;
        const FN(vec_ints) lanes = (kept & (FN(vec_ints))scaled) | (~kept & (FN(vec_ints))dropped);
        FN(store_part)(y + i, (FN(vec))lanes, part);
    }
}

static void FN(alpha_dropout_bwd)(real *dx, const uint8_t *mask, const real *dy, double rate,
                                  int64_t begin, int64_t end) {
    const real scale = FN(alpha_affine_of)(rate).scale;
    FN(apply_mask)(dx + begin, mask, begin, dy + begin, scale, end - begin);
}

#undef DROPPED
