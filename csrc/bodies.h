// Every kernel for one `real`, and its adapter run_<name> to the uniform call. Included once per
// type, so this file and those it includes have no guards.
#include "vec.h"

#define RETURNS_CALL fastnn_status
#define RETURNS_MAP void
#define RETURNS_SUM double
#define KERNEL(kind, name, cost, prototype, arguments) static RETURNS_##kind FN(name) prototype;
#include "kernels.def"
#undef KERNEL

#include "mathfn.h"

#include "partial.h"

#include "activation.h"
#include "dropout.h"

#include "gemm_tile.h"
#include "gemm_dot.h"
#include "gemm_panel.h"
#include "gemm.h"
#include "dense.h"
#include "gather.h"
#include "loss.h"
#include "custom.h"
#include "batch_norm.h"
#include "embedding.h"
#include "folding.h"
#include "layer_norm.h"
#include "noise.h"
#include "optimizer.h"
#include "adam.h"
#include "penalty.h"
#include "random.h"
#include "softmax.h"

#define A(k) args->array[k]
#define D(k) args->dim[k]
#define F(k) args->scalar[k].f
#define N(k) args->scalar[k].i
#define U(k) args->scalar[k].u
#define REST(k) (args->scalar + (k))
#define RESULT &args->result

#define ADAPTER_CALL(name, cost, arguments) \
    static fastnn_status FN(run_##name)(fastnn_args * args) { return FN(name) arguments; }

#define ADAPTER_MAP(name, cost, arguments)                                    \
    static void FN(chunk_##name)(void *job, int64_t begin, int64_t end) {     \
        const fastnn_args *args = job;                                        \
        FN(name) arguments;                                                   \
    }                                                                         \
    static fastnn_status FN(run_##name)(fastnn_args * args) {                 \
        const double work = (cost) * (double)D(0);                            \
        fastnn_for_chunks(D(0), ELEMENT_GRAIN, work, FN(chunk_##name), args); \
        return FASTNN_OK;                                                     \
    }

#define ADAPTER_SUM(name, cost, arguments)                                                   \
    static double FN(chunk_##name)(void *job, int64_t begin, int64_t end) {                  \
        const fastnn_args *args = job;                                                       \
        return FN(name) arguments;                                                           \
    }                                                                                        \
    static fastnn_status FN(run_##name)(fastnn_args * args) {                                \
        const double work = (cost) * (double)D(0);                                           \
        args->result = fastnn_sum_chunks(D(0), ELEMENT_GRAIN, work, FN(chunk_##name), args); \
        return FASTNN_OK;                                                                    \
    }

#define KERNEL(kind, name, cost, prototype, arguments) ADAPTER_##kind(name, cost, arguments)
#include "kernels.def"
#undef KERNEL

#undef A
#undef D
#undef F
#undef N
#undef U
#undef REST
#undef RESULT
#undef ADAPTER_CALL
#undef ADAPTER_MAP
#undef ADAPTER_SUM
#undef RETURNS_CALL
#undef RETURNS_MAP
#undef RETURNS_SUM
