// Elementary functions of a `real`. The only place that names the C library's.
static inline real FN(abs)(real x) { return LIBM(fabs)(x); }
static inline real FN(sqrt)(real x) { return LIBM(sqrt)(x); }
static inline real FN(exp)(real x) { return LIBM(exp)(x); }
static inline real FN(expm1)(real x) { return LIBM(expm1)(x); }
static inline real FN(log)(real x) { return LIBM(log)(x); }
static inline real FN(log1p)(real x) { return LIBM(log1p)(x); }
static inline real FN(tanh)(real x) { return LIBM(tanh)(x); }
