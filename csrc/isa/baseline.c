// What every processor of the architecture has: SSE2 on x86-64, Advanced SIMD on aarch64.
#define ISA baseline
#define VEC_BYTES 16
#include "table/table.h"
