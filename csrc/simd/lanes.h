// Operations that GCC and Clang vector extensions lack or spell differently: two shuffles, masks
// for parts of vectors, widening products.

// Elements of a whole vector.
#define LANES ((int64_t)(VEC_BYTES / sizeof(real)))

// ZIP_LOW, ZIP_HIGH: the lower and the upper half of a0 b0 a1 b1 ...
#define LOW_2 0, 2
#define LOW_4 0, 4, 1, 5
#define LOW_8 0, 8, 1, 9, 2, 10, 3, 11
#define LOW_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define HIGH_2 1, 3
#define HIGH_4 2, 6, 3, 7
#define HIGH_8 4, 12, 5, 13, 6, 14, 7, 15
#define HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#if VEC_BYTES == 64
#define ZIP_LOW_f32 LOW_16
#define ZIP_LOW_f64 LOW_8
#define ZIP_HIGH_f32 HIGH_16
#define ZIP_HIGH_f64 HIGH_8
#elif VEC_BYTES == 32
#define ZIP_LOW_f32 LOW_8
#define ZIP_LOW_f64 LOW_4
#define ZIP_HIGH_f32 HIGH_8
#define ZIP_HIGH_f64 HIGH_4
#else
#define ZIP_LOW_f32 LOW_4
#define ZIP_LOW_f64 LOW_2
#define ZIP_HIGH_f32 HIGH_4
#define ZIP_HIGH_f64 HIGH_2
#endif

#if defined(__clang__)
#define SHUFFLE(a, b, ints, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SHUFFLE(a, b, ints, ...) __builtin_shuffle(a, b, (ints){__VA_ARGS__})
#endif

// Masks of the first n lanes, n <= LANES.
#if VEC_BYTES == 64
#include <immintrin.h>
#define MASK(n) ((1u << (n)) - 1)
#define MASKED_LOAD_f32(p, n) _mm512_maskz_loadu_ps((__mmask16)MASK(n), p)
#define MASKED_LOAD_f64(p, n) _mm512_maskz_loadu_pd((__mmask8)MASK(n), p)
#define MASKED_STORE_f32(p, n, v) _mm512_mask_storeu_ps(p, (__mmask16)MASK(n), v)
#define MASKED_STORE_f64(p, n, v) _mm512_mask_storeu_pd(p, (__mmask8)MASK(n), v)
#define HALF_MASKED_LOAD_f32(p, n) _mm256_maskz_loadu_ps((__mmask8)MASK(n), p)
#define HALF_MASKED_LOAD_f64(p, n) _mm256_maskz_loadu_pd((__mmask8)MASK(n), p)
#define HALF_MASKED_STORE_f32(p, n, v) _mm256_mask_storeu_ps(p, (__mmask8)MASK(n), v)
#define HALF_MASKED_STORE_f64(p, n, v) _mm256_mask_storeu_pd(p, (__mmask8)MASK(n), v)
#elif VEC_BYTES == 32
#include <immintrin.h>
static const int64_t ones_zeros[8] = {-1, -1, -1, -1};
#define MASK(n, size) _mm256_loadu_si256((const void *)((const char *)ones_zeros + 32 - size * (n)))
#define MASKED_LOAD_f32(p, n) _mm256_maskload_ps(p, MASK(n, 4))
#define MASKED_LOAD_f64(p, n) _mm256_maskload_pd(p, MASK(n, 8))
#define MASKED_STORE_f32(p, n, v) _mm256_maskstore_ps(p, MASK(n, 4), v)
#define MASKED_STORE_f64(p, n, v) _mm256_maskstore_pd(p, MASK(n, 8), v)
#define HALF_MASK(n, size) _mm256_castsi256_si128(MASK(n, size))
#define HALF_MASKED_LOAD_f32(p, n) _mm_maskload_ps(p, HALF_MASK(n, 4))
#define HALF_MASKED_LOAD_f64(p, n) _mm_maskload_pd(p, HALF_MASK(n, 8))
#define HALF_MASKED_STORE_f32(p, n, v) _mm_maskstore_ps(p, HALF_MASK(n, 4), v)
#define HALF_MASKED_STORE_f64(p, n, v) _mm_maskstore_pd(p, HALF_MASK(n, 8), v)
#endif

// Products of the lower halves of 64-bit lanes.
#if VEC_BYTES == 64
#define MULTIPLY_WORDS(a, b) ((words)_mm512_mul_epu32((__m512i)(a), (__m512i)(b)))
#elif VEC_BYTES == 32
#define MULTIPLY_WORDS(a, b) ((words)_mm256_mul_epu32((__m256i)(a), (__m256i)(b)))
#elif defined(__SSE2__)
#include <emmintrin.h>
#define MULTIPLY_WORDS(a, b) ((words)_mm_mul_epu32((__m128i)(a), (__m128i)(b)))
#else
#define MULTIPLY_WORDS(a, b) (((a) & 0xFFFFFFFFu) * (b))
#endif

// Vectors of integers from LANES bytes, and back, where the compiler's conversion takes them one by
// one.
#if VEC_BYTES == 64
#define WIDEN_BYTES_f32(p) _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p)))
#define WIDEN_BYTES_f64(p) _mm512_cvtepu8_epi64(_mm_loadl_epi64((const __m128i *)(p)))
#define NARROW_TO_BYTES_f32(p, v) _mm_storeu_si128((__m128i *)(p), _mm512_cvtepi32_epi8(v))
#define NARROW_TO_BYTES_f64(p, v) _mm_storel_epi64((__m128i *)(p), _mm512_cvtepi64_epi8(v))
#endif
