// Compiles every kernel for the instruction set ISA, and exports nothing but its table. All else is
// static: a shared inline function could carry these instructions to a processor without them.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "fastnn.h"
#include "threads.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#include "tools.h"

#include "lanes.h"
#include "philox.h"
#include "sum.h"

#define real float
#define int_real int32_t  // as wide as real
#define FN(name) name##_f32
#define LIBM(name) name##f
#include "bodies.h"
#undef real
#undef int_real
#undef FN
#undef LIBM

#define real double
#define int_real int64_t
#define FN(name) name##_f64
#define LIBM(name) name
#include "bodies.h"
#undef real
#undef int_real
#undef FN
#undef LIBM

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
};
