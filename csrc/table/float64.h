// float64 in the templates (*.inc), until another type is included.
#undef stored
#undef real
#undef int_real
#undef uint_real
#undef FN
#undef LIBM
#undef LIMIT
#define stored double     // type of the elements of arrays
#define real double       // type of numbers and sums
#define int_real int64_t  // as wide as real
#define uint_real uint64_t
#define FN(name) name##_f64
#define LIBM(name) name
#define LIMIT(name) DBL_##name
