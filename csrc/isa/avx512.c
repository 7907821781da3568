// AVX-512 F, DQ, BW and VL: Intel since Skylake-SP (2017), AMD since Zen 4.
#define ISA avx512
#define VEC_BYTES 64
#include "table/table.h"
