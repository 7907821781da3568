// Inverted dropout with bit masks; 16 random bits decide about one element.

// Number of the 65,536 equally likely draws that drop an element; never all of them.
static inline uint32_t FN(dropout_threshold)(double rate) {
    const double count = rate * 65536 + 0.5;
    return count < 65535 ? (uint32_t)count : 65535;
}

// The reciprocal of the exact probability to be kept.
static inline real FN(dropout_scale)(double rate) {
    return (real)(65536.0 / (65536 - FN(dropout_threshold)(rate)));
}

// The n <= LANES bits from number `first` on; no byte without one of them is read.
static inline uint32_t FN(bits_at)(const uint8_t *mask, int64_t first, int64_t n) {
    const uint8_t *byte = mask + first / 8;
    const int64_t count = first % 8 + n;
    uint32_t bits = byte[0];
    if (count > 8) bits |= (uint32_t)byte[1] << 8;
    if (count > 16) bits |= (uint32_t)byte[2] << 16;
    return bits >> first % 8;
}

static const int_real FN(lane_bit)[16] = {1 << 0,  1 << 1,  1 << 2,  1 << 3, 1 << 4,  1 << 5,
                                          1 << 6,  1 << 7,  1 << 8,  1 << 9, 1 << 10, 1 << 11,
                                          1 << 12, 1 << 13, 1 << 14, 1 << 15};

// All ones in lane i where bit i is set, else 0.
static inline FN(vec_ints) FN(kept_lanes)(uint32_t bits) {
    FN(vec_ints) bit;
    memcpy(&bit, FN(lane_bit), sizeof bit);
    return ((int_real)bits & bit) != 0;
}

// Lane i times scale where bit i is set, else 0.
static inline FN(vec) FN(keep)(FN(vec) v, uint32_t bits, real scale) {
    return (FN(vec))((FN(vec_ints))(v * scale) & FN(kept_lanes)(bits));
}

// y (n,) = x times scale where the bit of mask, counted from number `first`, is set, else 0.
static void FN(apply_mask)(real *y, const uint8_t *mask, int64_t first, const real *x, real scale,
                           int64_t n) {
    for (; n > 0; n -= LANES, first += LANES, y += LANES, x += LANES) {
        const int64_t part = n < LANES ? n : LANES;
        const uint32_t bits = FN(bits_at)(mask, first, part);
        FN(store_part)(y, FN(keep)(FN(load_part)(x, part), bits, scale), part);
    }
}

typedef uint16_t FN(draws) __attribute__((vector_size(VEC_BYTES)));
typedef uint8_t FN(mask_bytes) __attribute__((vector_size(WORD_LANES)));

// One block of Philox is eight draws: one byte of the mask.
static ALWAYS_INLINE FN(mask_bytes)
    FN(draw_bytes)(uint64_t first, uint32_t threshold, uint64_t seed, uint64_t offset) {
    const uint64_t lower_bits = 0x0008000400020001, upper_bits = 0x0080004000200010;
    const FN(draws) least = (FN(draws)){0} + (uint16_t)threshold;
    words c[4];
    philox_words(c, first, seed, offset);
    const FN(draws) lower = (FN(draws))((c[0] & 0xFFFFFFFFu) | c[1] << 32);
    const FN(draws) upper = (FN(draws))((c[2] & 0xFFFFFFFFu) | c[3] << 32);
    words kept = ((words)(lower >= least) & lower_bits) | ((words)(upper >= least) & upper_bits);
    kept |= kept >> 32;
    kept |= kept >> 16;
    return __builtin_convertvector(kept, FN(mask_bytes));
}

// Bits [begin, end) of the mask; `begin` is a multiple of 8. Bits of the last byte that are too
// many are 0.
static void FN(draw_bits)(uint8_t *mask, double rate, uint64_t seed, uint64_t offset, int64_t begin,
                          int64_t end) {
    const uint32_t threshold = FN(dropout_threshold)(rate);
    int64_t at = begin;
    for (; at + 8 * WORD_LANES <= end; at += 8 * WORD_LANES) {
        const FN(mask_bytes) v = FN(draw_bytes)((uint64_t)at / 8, threshold, seed, offset);
        memcpy(mask + at / 8, &v, sizeof v);
    }
    if (at == end) return;
    const FN(mask_bytes) v = FN(draw_bytes)((uint64_t)at / 8, threshold, seed, offset);
    memcpy(mask + at / 8, &v, (size_t)(end - at + 7) / 8);
    if (end % 8) mask[end / 8] &= (uint8_t)((1 << end % 8) - 1);
}

// y, x (n,)  mask (ceil(n / 8),); `begin` is a multiple of 8.
static void FN(dropout_fwd)(real *y, uint8_t *mask, const real *x, double rate, uint64_t seed,
                            uint64_t offset, int64_t begin, int64_t end) {
    FN(draw_bits)(mask, rate, seed, offset, begin, end);
    FN(apply_mask)(y + begin, mask, begin, x + begin, FN(dropout_scale)(rate), end - begin);
}

static void FN(dropout_bwd)(real *dx, const uint8_t *mask, const real *dy, double rate,
                            int64_t begin, int64_t end) {
    FN(apply_mask)(dx + begin, mask, begin, dy + begin, FN(dropout_scale)(rate), end - begin);
}

typedef struct {
    uint8_t *mask;
    double rate;
    uint64_t seed, offset;
} FN(mask_job);

static void FN(mask_chunk)(void *job, int64_t begin, int64_t end) {
    const FN(mask_job) *m = job;
    FN(draw_bits)(m->mask, m->rate, m->seed, m->offset, begin, end);
}

// mask (ceil(n / 8),) as dropout_fwd writes it.
static void FN(draw_mask)(uint8_t *mask, int64_t n, double rate, uint64_t seed, uint64_t offset) {
    FN(mask_job) job = {mask, rate, seed, offset};
    fastnn_for_chunks(n, ELEMENT_GRAIN, 0.4 * (double)n, FN(mask_chunk), &job);
}
