// What GCC and Clang are told in different words.

#define ALWAYS_INLINE inline __attribute__((always_inline))

// ELEMENTWISE: element i depends on element i of the arrays alone, which may be the same array.
#if defined(__clang__)
#define ELEMENTWISE _Pragma("clang loop vectorize(assume_safety)")
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define ELEMENTWISE _Pragma("GCC ivdep")
#define UNROLL _Pragma("GCC unroll 16")
#endif

// Hides where a pointer comes from, so that the compiler keeps it in a register of its own.
#define KEEP_APART(pointer) __asm__("" : "+r"(pointer))
