// Compiles every kernel for the instruction set ISA, and exports only its table. All else is
// static: the linker may keep one copy of a shared inline function, with instructions that a
// processor lacks.
#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "parallel/team.h"
#include "table/fastnn.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

#include "parallel/partition.h"
#include "simd/compiler.h"
#include "simd/lanes.h"
#include "simd/philox.h"
#include "simd/polynomials.h"
#include "simd/sum.h"

#include "gemm/blocking.h"

#include "convolution/blocking.h"
#include "convolution/geometry.h"

#include "table/float32.h"
#include "table/bodies.inc"

#include "table/float64.h"
#include "table/bodies.inc"

#define STRING_(a) #a
#define STRING(a) STRING_(a)

extern const fastnn_table JOIN(fastnn_table_, ISA);

const fastnn_table JOIN(fastnn_table_, ISA) = {
    STRING(ISA),
    {
#define KERNEL(kind, name, ...) run_##name##_f32,
        {
#include "table/kernels.def"
        },
#undef KERNEL
#define KERNEL(kind, name, ...) run_##name##_f64,
        {
#include "table/kernels.def"
        },
#undef KERNEL
    },
    {
#define SOURCE(name, type) gather_##name##_f32,
        {
#include "table/sources.def"
        },
#undef SOURCE
#define SOURCE(name, type) gather_##name##_f64,
        {
#include "table/sources.def"
        },
#undef SOURCE
    },
};
