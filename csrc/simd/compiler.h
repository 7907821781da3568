// Compiler directives that differ between GCC and Clang.

#define ALWAYS_INLINE inline __attribute__((always_inline))

// ELEMENTWISE: iteration i reads and writes only element i of the arrays, which may be the same.
#if defined(__clang__)
#define ELEMENTWISE _Pragma("clang loop vectorize(assume_safety)")
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define ELEMENTWISE _Pragma("GCC ivdep")
#define UNROLL _Pragma("GCC unroll 16")
#endif

// Hides the origin of a pointer, so that the compiler keeps it in a register of its own.
#define KEEP_APART(pointer) __asm__("" : "+r"(pointer))
