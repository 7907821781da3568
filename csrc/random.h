// What is drawn from Philox for its own sake. Not a matter of `real`, but each table has its own.

// words (n,): word 4 k + j is word j of block k; `begin` is a multiple of 4.
static void FN(philox)(uint32_t *words, uint64_t seed, uint64_t offset, int64_t begin,
                       int64_t end) {
    enum { STEP = 4 * PHILOX_LANES };
    for (int64_t at = begin; at < end; at += STEP) {
        uint32_t word[4][PHILOX_LANES], ordered[STEP];
        philox_blocks(word, (uint64_t)at / 4, seed, offset);
        for (int i = 0; i < STEP; i++) ordered[i] = word[i % 4][i / 4];
        const int64_t n = end - at < STEP ? end - at : STEP;
        memcpy(words + at, ordered, (size_t)n * sizeof *words);
    }
}

// order (n,): Fisher and Yates's shuffle, step i taking words 2 i and 2 i + 1.
static fastnn_status FN(permutation)(int64_t *order, int64_t n, uint64_t seed, uint64_t offset) {
    enum { STEP = 2 * PHILOX_LANES };
    for (int64_t i = 0; i < n; i++) order[i] = i;
    for (int64_t group = (n - 1) / STEP; group >= 0; group--) {
        uint32_t word[4][PHILOX_LANES];
        philox_blocks(word, (uint64_t)group * PHILOX_LANES, seed, offset);
        const int64_t last = n - 1 - group * STEP;
        for (int64_t k = last < STEP ? last : STEP - 1; k >= 0; k--) {
            const uint64_t low = word[k % 2 * 2][k / 2], high = word[k % 2 * 2 + 1][k / 2];
            const double u = (double)((high << 32 | low) >> 11) * 0x1p-53;
            const int64_t i = group * STEP + k;
            const int64_t j = (int64_t)(u * (double)(i + 1));
            const int64_t swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
    }
    return FASTNN_OK;
}
