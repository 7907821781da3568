// AVX2 and FMA: Intel since Haswell (2013), AMD since Excavator and Zen.
#define ISA avx2
#define VEC_BYTES 32
#include "table/table.h"
