// The vector type of the instruction set being compiled, as a GCC and Clang vector extension.
typedef real FN(vec) __attribute__((vector_size(VEC_BYTES)));

static inline FN(vec) FN(load)(const real *p) {
    FN(vec) v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline void FN(store)(real *p, FN(vec) v) { memcpy(p, &v, sizeof v); }
