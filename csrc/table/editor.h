// Included by editors before a template that is opened alone (.clangd); no build uses it.
#define ISA editor
#define VEC_BYTES 16
#include "table/table.h"

// For gemm/microkernel.inc, which is included once per width of vectors.
#define PART(name) FN(name)
#define PART_LANES LANES
#define ROWS_OF_POINTER 4
