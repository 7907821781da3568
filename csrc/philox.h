// Philox4x32-10, many blocks at a time: a counter-based generator, so any block stands alone.
//
// Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3. SC 2011.
enum { PHILOX_LANES = 16, PHILOX_ROUNDS = 10 };

// word[j][i] is word j of block first + i.
static inline void philox_blocks(uint32_t word[4][PHILOX_LANES], uint64_t first, uint64_t seed,
                                 uint64_t offset) {
    uint32_t *c0 = word[0], *c1 = word[1], *c2 = word[2], *c3 = word[3];
    for (int i = 0; i < PHILOX_LANES; i++) {
        c0[i] = (uint32_t)(first + (uint64_t)i);
        c1[i] = (uint32_t)((first + (uint64_t)i) >> 32);
        c2[i] = (uint32_t)offset;
        c3[i] = (uint32_t)(offset >> 32);
    }
    uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        for (int i = 0; i < PHILOX_LANES; i++) {
            const uint64_t p0 = (uint64_t)c0[i] * 0xD2511F53u;
            const uint64_t p1 = (uint64_t)c2[i] * 0xCD9E8D57u;
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}
