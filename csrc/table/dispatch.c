// Selection of the instruction sets that this machine runs, and the call of a kernel. Compiled for
// the baseline.
#include "table/fastnn.h"
#include "parallel/threads.h"

#define KERNEL(kind, name, ...) #name,
const char *const fastnn_kernel_names[FASTNN_KERNEL_COUNT] = {
#include "table/kernels.def"
};
#undef KERNEL

#define ACTIVATION(name, needs_z) #name,
const char *const fastnn_activation_names[FASTNN_ACTIVATION_COUNT] = {
#include "table/activations.def"
};
#undef ACTIVATION

#define ACTIVATION(name, needs_z) needs_z,
const int fastnn_activation_needs_z[FASTNN_ACTIVATION_COUNT] = {
#include "table/activations.def"
};
#undef ACTIVATION

#define SOURCE(name, type) #name,
const char *const fastnn_source_names[FASTNN_SOURCE_COUNT] = {
#include "table/sources.def"
};
#undef SOURCE

extern const fastnn_table fastnn_table_baseline, fastnn_table_avx2, fastnn_table_avx512;

#if defined(FASTNN_HAVE_AVX2) || defined(FASTNN_HAVE_AVX512)
#include <cpuid.h>

// Register state that the operating system saves on a context switch (XCR0).
enum { XCR0_YMM = 0x06, XCR0_ZMM = 0xe6 };

static unsigned saved_state(void) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

typedef struct {
    unsigned ecx1, ebx7, xcr0;
} cpu_features;

static cpu_features read_cpu(void) {
    cpu_features cpu = {0, 0, 0};
    unsigned a, b, c, d;
    if (__get_cpuid(1, &a, &b, &c, &d)) cpu.ecx1 = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) cpu.ebx7 = b;
    if (cpu.ecx1 & bit_OSXSAVE) cpu.xcr0 = saved_state();
    return cpu;
}

static int has(unsigned word, unsigned bits) { return (word & bits) == bits; }

static int runs_avx2(cpu_features cpu) {
    return has(cpu.xcr0, XCR0_YMM) && has(cpu.ecx1, bit_AVX | bit_FMA) && has(cpu.ebx7, bit_AVX2);
}

#ifdef FASTNN_HAVE_AVX512
static int runs_avx512(cpu_features cpu) {
    return runs_avx2(cpu) && has(cpu.xcr0, XCR0_ZMM) &&
           has(cpu.ebx7, bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL);
}
#endif
#endif

int fastnn_usable_tables(const fastnn_table *tables[FASTNN_MAX_TABLES]) {
    int count = 0;
    tables[count++] = &fastnn_table_baseline;
#ifdef FASTNN_HAVE_AVX2
    if (runs_avx2(read_cpu())) tables[count++] = &fastnn_table_avx2;
#endif
#ifdef FASTNN_HAVE_AVX512
    if (runs_avx512(read_cpu())) tables[count++] = &fastnn_table_avx512;
#endif
    return count;
}

fastnn_status fastnn_call(const fastnn_table *table, fastnn_dtype dtype, fastnn_kernel_id kernel,
                          fastnn_args *args) {
    if (!fastnn_sizes_fit(kernel, args->dim)) return FASTNN_BAD_SIZE;
    const uint64_t state = fastnn_fp_enter();
    const fastnn_status status = table->kernel[dtype][kernel](args);
    fastnn_fp_leave(state);
    return status;
}
