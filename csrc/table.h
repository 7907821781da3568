// Compiles every kernel for the instruction set ISA, and exports nothing but its table. All else is
// static: a shared inline function could carry these instructions to a processor without them.
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "fastnn.h"
#include "team.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#include "tools.h"

#include "lanes.h"
#include "philox.h"
#include "polynomials.h"
#include "sum.h"

#define real float
#define int_real int32_t  // as wide as real
#define uint_real uint32_t
#define FN(name) name##_f32
#define LIBM(name) name##f
#define LIMIT(name) FLT_##name
#include "bodies.h"
#undef real
#undef int_real
#undef uint_real
#undef FN
#undef LIBM
#undef LIMIT

#define real double
#define int_real int64_t
#define uint_real uint64_t
#define FN(name) name##_f64
#define LIBM(name) name
#define LIMIT(name) DBL_##name
#include "bodies.h"
#undef real
#undef int_real
#undef uint_real
#undef FN
#undef LIBM
#undef LIMIT

#define STRING_(a) #a
#define STRING(a) STRING_(a)

extern const fastnn_table JOIN(fastnn_table_, ISA);

const fastnn_table JOIN(fastnn_table_, ISA) = {
    STRING(ISA),
    {
#define KERNEL(kind, name, ...) run_##name##_f32,
        {
#include "kernels.def"
        },
#undef KERNEL
#define KERNEL(kind, name, ...) run_##name##_f64,
        {
#include "kernels.def"
        },
#undef KERNEL
    },
    {
#define SOURCE(name, type) gather_##name##_f32,
        {
#include "sources.def"
        },
#undef SOURCE
#define SOURCE(name, type) gather_##name##_f64,
        {
#include "sources.def"
        },
#undef SOURCE
    },
};
