// The limits of this machine, to compare with: peak of fused multiply-adds, and rates of memory.
// Compiled for the very processor it runs on.

#include <stddef.h>

#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX__)
#define BYTES 32
#else
#define BYTES 16
#endif

typedef float vec __attribute__((vector_size(BYTES)));

// Chains that are independent of each other: more than latency × throughput of any core so far, and
// few enough for 16 registers.
#define CHAINS 12

// Read at run time: 0.999 · 1 + 0.001 is 1, and a compiler that knows it leaves out the chain that
// begins with 1, whose additions and multiplications would be counted all the same.
static volatile float decay = 0.999f, rest = 0.001f;

int fma_flops_per_round(void) { return CHAINS * 2 * (int)(sizeof(vec) / sizeof(float)); }

// Returns a sum that depends on all of it, so that no compiler leaves it out.
float fma_rounds(size_t rounds) {
    const vec factor = (vec){} + decay, term = (vec){} + rest;  // the chains tend to 1
    vec chain[CHAINS];
    for (int c = 0; c < CHAINS; c++) chain[c] = (vec){} + (float)c;
    for (size_t r = 0; r < rounds; r++) {
#pragma GCC unroll 12
        for (int c = 0; c < CHAINS; c++) chain[c] = chain[c] * factor + term;
    }
    float sum = 0;
    for (int c = 0; c < CHAINS; c++) sum += chain[c][0];
    return sum;
}

// Four reads and three writes an element, as Adam has, and hardly any arithmetic.
// p, dp, m, v (n,)
void stream(float *restrict p, const float *restrict dp, float *restrict m, float *restrict v,
            size_t n) {
    for (size_t i = 0; i < n; i++) {
        p[i] += dp[i];
        m[i] += dp[i];
        v[i] += dp[i];
    }
}

// Ordinary stores: what a kernel can reach that leaves its result in the cache.  y, x (n,)
void copy(float *restrict y, const float *restrict x, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = x[i];
}
