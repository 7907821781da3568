// Inverted dropout with bit masks; 16 random bits decide about one element.

// Number of the 65,536 equally likely draws that drop an element; never all of them.
static inline uint32_t FN(dropout_threshold)(double rate) {
    const double count = rate * 65536 + 0.5;
    return count < 65535 ? (uint32_t)count : 65535;
}

typedef real FN(eight) __attribute__((vector_size(8 * sizeof(real))));
typedef int_real FN(eight_ints) __attribute__((vector_size(8 * sizeof(int_real))));

// y (n,) = x scale where the bit of mask is set, else 0; a byte of the mask at a time.
static void FN(apply_mask)(real *y, const uint8_t *mask, const real *x, double rate, int64_t n) {
    const FN(eight_ints) bit = {1, 2, 4, 8, 16, 32, 64, 128};
    const real scale = (real)(65536.0 / (65536 - FN(dropout_threshold)(rate)));
    const int64_t whole = n & ~(int64_t)7;
    for (int64_t i = 0; i < whole; i += 8) {
        FN(eight) v;
        memcpy(&v, x + i, sizeof v);
        const FN(eight_ints) keep = ((int_real)mask[i / 8] & bit) != 0;
        v = (FN(eight))((FN(eight_ints))(v * scale) & keep);
        memcpy(y + i, &v, sizeof v);
    }
    for (int64_t i = whole; i < n; i++) y[i] = mask[i / 8] >> i % 8 & 1 ? x[i] * scale : 0;
}

// One block of Philox is eight draws: one byte of the mask.
static void FN(draw_mask)(uint8_t bytes[PHILOX_LANES], uint64_t first, uint32_t threshold,
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

// y, x (n,)  mask (ceil(n / 8),); `begin` is a multiple of 8.
static void FN(dropout_fwd)(real *y, uint8_t *mask, const real *x, double rate, uint64_t seed,
                            uint64_t offset, int64_t begin, int64_t end) {
    enum { STEP = 8 * PHILOX_LANES };
    const uint32_t threshold = FN(dropout_threshold)(rate);
    for (int64_t at = begin; at < end; at += STEP) {
        uint8_t bytes[PHILOX_LANES];
        FN(draw_mask)(bytes, (uint64_t)at / 8, threshold, seed, offset);
        const int64_t n = end - at < STEP ? end - at : STEP;
        if (n % 8) bytes[n / 8] &= (uint8_t)((1 << n % 8) - 1);
        memcpy(mask + at / 8, bytes, (size_t)(n + 7) / 8);
        FN(apply_mask)(y + at, bytes, x + at, rate, n);
    }
}

static void FN(dropout_bwd)(real *dx, const uint8_t *mask, const real *dy, double rate,
                            int64_t begin, int64_t end) {
    FN(apply_mask)(dx + begin, mask + begin / 8, dy + begin, rate, end - begin);
}
