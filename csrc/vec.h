// The vector types of the instruction set being compiled, as GCC and Clang vector extensions: whole
// ones, and halves for what would leave most lanes of a whole one empty.
#define DEFINE_VECTOR(part, bytes)                                                             \
    typedef real FN(part##vec) __attribute__((vector_size(bytes)));                            \
    typedef int_real FN(part##vec_ints) __attribute__((vector_size(bytes)));                   \
                                                                                               \
    static inline FN(part##vec) FN(part##load)(const real *p) {                                \
        FN(part##vec) v;                                                                       \
        memcpy(&v, p, sizeof v);                                                               \
        return v;                                                                              \
    }                                                                                          \
                                                                                               \
    static inline void FN(part##store)(real * p, FN(part##vec) v) { memcpy(p, &v, sizeof v); } \
                                                                                               \
    /* The larger of each pair; NaN in v passes. */                                            \
    static inline FN(part##vec) FN(part##at_least)(FN(part##vec) v, FN(part##vec) least) {     \
        const FN(part##vec_ints) low = v < least, l = (FN(part##vec_ints))least;               \
        return (FN(part##vec))((low & l) | (~low & (FN(part##vec_ints))v));                    \
    }
DEFINE_VECTOR(, VEC_BYTES)
DEFINE_VECTOR(half_, VEC_BYTES / 2)
#undef DEFINE_VECTOR
