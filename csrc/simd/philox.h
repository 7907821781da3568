// Philox4x32-10, several blocks at a time: counter-based, so blocks are independent.
//
// Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
enum { PHILOX_LANES = 16, PHILOX_ROUNDS = 10, WORD_LANES = VEC_BYTES / 8 };

// Each lane holds a 32-bit word in its lower half; the upper half is ignored.
typedef uint64_t words __attribute__((vector_size(VEC_BYTES)));

static const uint64_t lane_numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};

// c[j] = word j of the blocks first, first + 1, ..., a block in each lane.
static ALWAYS_INLINE void philox_words(words c[4], uint64_t first, uint64_t seed, uint64_t offset) {
    words c0, c1, c2 = (words){0} + offset, c3 = (words){0} + (offset >> 32);
    memcpy(&c0, lane_numbers, sizeof c0);
    c0 += first;
    c1 = c0 >> 32;
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    UNROLL for (int round = 0; round < PHILOX_ROUNDS; round++) {
        const words p0 = MULTIPLY_WORDS(c0, (words){0} + 0xD2511F53u);
        const words p1 = MULTIPLY_WORDS(c2, (words){0} + 0xCD9E8D57u);
        c0 = (p1 >> 32) ^ c1 ^ k0;
        c1 = p1;
        c2 = (p0 >> 32) ^ c3 ^ k1;
        c3 = p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    c[0] = c0;
    c[1] = c1;
    c[2] = c2;
    c[3] = c3;
}

// word[j][i] is word j of block first + i.
static inline void philox_blocks(uint32_t word[4][PHILOX_LANES], uint64_t first, uint64_t seed,
                                 uint64_t offset) {
    for (int i = 0; i < PHILOX_LANES; i += WORD_LANES) {
        words c[4];
        philox_words(c, first + (uint64_t)i, seed, offset);
        for (int j = 0; j < 4; j++) {
            for (int lane = 0; lane < WORD_LANES; lane++) word[j][i + lane] = (uint32_t)c[j][lane];
        }
    }
}
