// The vector type of the instruction set being compiled, as a GCC and Clang vector extension.
typedef real FN(vec) __attribute__((vector_size(VEC_BYTES)));

static inline FN(vec) FN(load)(const real *p) {
    FN(vec) v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void FN(store)(real *p, FN(vec) v) { memcpy(p, &v, sizeof v); }

// The first n lanes; n in [1, LANES].
static inline FN(vec) FN(load_part)(const real *p, int64_t n) {
    FN(vec) v = {0};
    memcpy(&v, p, (size_t)n * sizeof(real));
    return v;
}

static inline void FN(store_part)(real *p, FN(vec) v, int64_t n) {
    memcpy(p, &v, (size_t)n * sizeof(real));
}
