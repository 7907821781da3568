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
    const int64_t bytes = (first % 8 + n + 7) / 8;
    uint32_t bits = 0;
    for (int64_t i = 0; i < bytes; i++) bits |= (uint32_t)byte[i] << 8 * i;
    return bits >> first % 8;
}

static const int_real FN(lane_bit)[16] = {1 << 0,  1 << 1,  1 << 2,  1 << 3, 1 << 4,  1 << 5,
                                          1 << 6,  1 << 7,  1 << 8,  1 << 9, 1 << 10, 1 << 11,
                                          1 << 12, 1 << 13, 1 << 14, 1 << 15};

// Lane i times scale where bit i is set, else 0.
static inline FN(vec) FN(keep)(FN(vec) v, uint32_t bits, real scale) {
    FN(vec_ints) bit;
    memcpy(&bit, FN(lane_bit), sizeof bit);
    return (FN(vec))((FN(vec_ints))(v * scale) & (((int_real)bits & bit) != 0));
}

// y (n,) = x scale where the bit of mask, counted from number `first`, is set, else 0.
static void FN(apply_mask)(real *y, const uint8_t *mask, int64_t first, const real *x, double rate,
                           int64_t n) {
    const real scale = FN(dropout_scale)(rate);
    for (; n > 0; n -= LANES, first += LANES, y += LANES, x += LANES) {
        const int64_t part = n < LANES ? n : LANES;
        const uint32_t bits = FN(bits_at)(mask, first, part);
        FN(store_part)(y, FN(keep)(FN(load_part)(x, part), bits, scale), part);
    }
}

// One block of Philox is eight draws: one byte of the mask.
static void FN(draw_bytes)(uint8_t bytes[PHILOX_LANES], uint64_t first, uint32_t threshold,
                           uint64_t seed, uint64_t offset) {
    uint32_t word[4][PHILOX_LANES], kept[PHILOX_LANES] = {0};
    philox_blocks(word, first, seed, offset);
    for (int j = 0; j < 4; j++) {
        for (int i = 0; i < PHILOX_LANES; i++) {
            const uint32_t low = (word[j][i] & 0xFFFF) >= threshold;
            const uint32_t high = word[j][i] >> 16 >= threshold;
            kept[i] |= low << 2 * j | high << (2 * j + 1);
        }
    }
    for (int i = 0; i < PHILOX_LANES; i++) bytes[i] = (uint8_t)kept[i];
}

// mask = bits [at, at + n), n <= 8 PHILOX_LANES; those of the last byte that are too many are 0.
static void FN(draw_bits)(uint8_t *mask, int64_t at, int64_t n, uint32_t threshold, uint64_t seed,
                          uint64_t offset) {
    uint8_t bytes[PHILOX_LANES];
    FN(draw_bytes)(bytes, (uint64_t)at / 8, threshold, seed, offset);
    if (n % 8) bytes[n / 8] &= (uint8_t)((1 << n % 8) - 1);
    memcpy(mask, bytes, (size_t)(n + 7) / 8);
}

// y, x (n,)  mask (ceil(n / 8),); `begin` is a multiple of 8.
static void FN(dropout_fwd)(real *y, uint8_t *mask, const real *x, double rate, uint64_t seed,
                            uint64_t offset, int64_t begin, int64_t end) {
    enum { STEP = 8 * PHILOX_LANES };
    const uint32_t threshold = FN(dropout_threshold)(rate);
    for (int64_t at = begin; at < end; at += STEP) {
        const int64_t n = end - at < STEP ? end - at : STEP;
        FN(draw_bits)(mask + at / 8, at, n, threshold, seed, offset);
        FN(apply_mask)(y + at, mask, at, x + at, rate, n);
    }
}

static void FN(dropout_bwd)(real *dx, const uint8_t *mask, const real *dy, double rate,
                            int64_t begin, int64_t end) {
    FN(apply_mask)(dx + begin, mask, begin, dy + begin, rate, end - begin);
}

typedef struct {
    uint8_t *mask;
    double rate;
    uint64_t seed, offset;
} FN(mask_job);

// Bits [begin, end); `begin` is a multiple of 8.
static void FN(mask_chunk)(void *job, int64_t begin, int64_t end) {
    enum { STEP = 8 * PHILOX_LANES };
    const FN(mask_job) *m = job;
    const uint32_t threshold = FN(dropout_threshold)(m->rate);
    for (int64_t at = begin; at < end; at += STEP) {
        FN(draw_bits)(m->mask + at / 8, at, end - at < STEP ? end - at : STEP, threshold, m->seed,
                      m->offset);
    }
}

// mask (ceil(n / 8),) as dropout_fwd writes it.
static void FN(draw_mask)(uint8_t *mask, int64_t n, double rate, uint64_t seed, uint64_t offset) {
    FN(mask_job) job = {mask, rate, seed, offset};
    fastnn_for_chunks(n, ELEMENT_GRAIN, 0.4 * (double)n, FN(mask_chunk), &job);
}
