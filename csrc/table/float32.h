// float32 in the templates (*.inc), until another type is included.
#undef stored
#undef real
#undef int_real
#undef uint_real
#undef FN
#undef LIBM
#undef LIMIT
#define stored float      // type of the elements of arrays
#define real float        // type of numbers and sums
#define int_real int32_t  // as wide as real
#define uint_real uint32_t
#define FN(name) name##_f32
#define LIBM(name) name##f
#define LIMIT(name) FLT_##name
