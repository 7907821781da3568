// Elementary functions of a `real`. They call nothing and do not branch, so that the loops over
// them become vector code, and an element's bits do not depend on its place in the array.
//
// Errors are in units of the last place, as measured: densely for float32, sampled for float64.

#define MANTISSA_BITS (LIMIT(MANT_DIG) - 1)
#define EXPONENT_BIAS (LIMIT(MAX_EXP) - 1)
#define TERMS(array) array, (int)(sizeof(array) / sizeof(array[0]))

// A sum with WHOLE has ones as its last place: it rounds to a whole number, which stands in the low
// bits. For whole numbers below 2^(MANTISSA_BITS - 2).
#define WHOLE ((real)1.5 * (real)((int64_t)1 << MANTISSA_BITS))

// ln 2 in two parts. The first has 15 bits, so that its products with exponents are exact.
#define LN2_HIGH ((real)0x1.62e4p-1)
#define LN2_LOW ((real)1.4286068203094172321e-6)
#define LOG2_E ((real)1.4426950408889634074)
#define SQRT_HALF ((real)0.70710678118654752440)

static ALWAYS_INLINE real FN(abs)(real x) { return LIBM(fabs)(x); }
static ALWAYS_INLINE real FN(sqrt)(real x) { return LIBM(sqrt)(x); }

static ALWAYS_INLINE uint_real FN(bits)(real x) {
    uint_real bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static ALWAYS_INLINE real FN(from_bits)(uint_real bits) {
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static ALWAYS_INLINE real FN(round)(real x) { return (x + WHOLE) - WHOLE; }

// c[0] + c[1] x + … + c[count - 1] x^(count - 1)
static ALWAYS_INLINE real FN(polynomial)(const real *c, const int count, real x) {
    real sum = c[count - 1];
    UNROLL for (int i = count - 2; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

// 2^k for a whole number k that is the exponent of a normal number, or one above (infinity).
static ALWAYS_INLINE real FN(power_of_two)(real k) {
    return FN(from_bits)(FN(bits)(k + (WHOLE + EXPONENT_BIAS)) << MANTISSA_BITS);
}

// x between -bound and bound. For a constant result gcc would compute all that follows apart, and
// choose only at the end; hence the sign of x.
static ALWAYS_INLINE real FN(clamp)(real x, real bound) {
    return FN(abs)(x) > bound ? LIBM(copysign)(bound, x) : x;
}

// k whole and r small with x = k ln 2 + r; returns e^r - 1.
static ALWAYS_INLINE real FN(reduced_expm1)(real x, real *k) {
    *k = FN(round)(x * LOG2_E);
    const real r = (x - *k * LN2_HIGH) - *k * LN2_LOW;
    return r + r * r * FN(polynomial)(TERMS(FN(expm1_terms)), r);
}

// 2^k comes in two factors, whose product would not always be a normal number: so results become
// infinite or subnormal with a single rounding. Beyond ± EXP_RANGE they are infinite or 0.
#define EXP_RANGE ((LIMIT(MAX_EXP) + LIMIT(MANT_DIG)) * LN2_HIGH)

// Error below 1.1.
static ALWAYS_INLINE real FN(exp)(real x) {
    real k;
    const real y = 1 + FN(reduced_expm1)(FN(clamp)(x, EXP_RANGE), &k);
    const real half = FN(round)(HALF * k);
    return y * FN(power_of_two)(half) * FN(power_of_two)(k - half);
}

// The same for x <= 0, where one factor may be a constant.
static ALWAYS_INLINE real FN(exp_of_negative)(real x) {
    const real lift = LIMIT(MAX_EXP) / 2;
    real k;
    const real y = 1 + FN(reduced_expm1)(FN(clamp)(x, EXP_RANGE), &k);
    return y * FN(power_of_two)(k + lift) * FN(power_of_two)(-lift);
}

// e^x - 1 for x <= 40; error below 1.7, and 1.2 for x < 0. From -40 down it is -1.
static ALWAYS_INLINE real FN(expm1)(real x) {
    real k;
    const real y = FN(reduced_expm1)(FN(clamp)(x, 40), &k);
    const real scale = FN(power_of_two)(k);
    return scale * y + (scale - 1);
}

// log(1 + x) for -1/2 <= x <= 1, as 2 artanh(y / 2) with y = 2 x / (2 + x); error below 2.
static ALWAYS_INLINE real FN(log1p)(real x) {
    const real y = (x + x) / (2 + x), square = y * y;
    return y + y * square * FN(polynomial)(TERMS(FN(artanh_terms)), square);
}

// log x for 0 < x < infinity, from x = 2^k m with m in [√½, √2); error below 2.
static ALWAYS_INLINE real FN(log)(real x) {
    const real lift = (real)((int64_t)1 << LIMIT(MANT_DIG));  // makes subnormal numbers normal
    const uint_real offset = FN(bits)(1) - FN(bits)(SQRT_HALF);
    const uint_real bits = FN(bits)(x < LIMIT(MIN) ? x * lift : x) + offset;
    const uint_real exponent = bits >> MANTISSA_BITS;
    const real bias = EXPONENT_BIAS + (x < LIMIT(MIN) ? LIMIT(MANT_DIG) : 0);
    const real k = FN(from_bits)(FN(bits)(WHOLE) + exponent) - WHOLE - bias;
    const real m = FN(from_bits)(bits - (exponent << MANTISSA_BITS) + FN(bits)(SQRT_HALF));
    return k * LN2_HIGH + (k * LN2_LOW + FN(log1p)(m - 1));
}

// 1 / (1 + e^-x), by e^-|x|, which does not overflow; error below 2.4.
static ALWAYS_INLINE real FN(sigmoid)(real x) {
    const real e = FN(exp_of_negative)(-FN(abs)(x));
    return (x < 0 ? e : 1) / (1 + e);
}

// By e^2|x| - 1, which keeps the digits of small x; ±1 where that is e^40 - 1. Error below 2.6.
static ALWAYS_INLINE real FN(tanh)(real x) {
    const real e = FN(expm1)(2 * FN(abs)(x));
    return LIBM(copysign)(e / (e + 2), x);
}

// cos 2πu and sin 2πu for 0 <= u <= 1, by Taylor's series within an eighth of a turn; the error is
// a few units of the last place of 1.
static ALWAYS_INLINE void FN(cos_sin_of_turn)(real u, real *cosine, real *sine) {
    const real quarter = FN(round)(4 * u), a = (4 * u - quarter) * (real)1.5707963267948966;
    const real square = a * a;
    const real c = 1 + square * FN(polynomial)(TERMS(FN(cosine_terms)), square);
    const real s = a + a * square * FN(polynomial)(TERMS(FN(sine_terms)), square);
    const int odd = quarter == 1 || quarter == 3;
    const real along = odd ? s : c, across = odd ? c : s;
    *cosine = quarter == 1 || quarter == 2 ? -along : along;
    *sine = quarter == 2 || quarter == 3 ? -across : across;
}

#undef MANTISSA_BITS
#undef EXPONENT_BIAS
#undef TERMS
#undef WHOLE
#undef LN2_HIGH
#undef LN2_LOW
#undef LOG2_E
#undef SQRT_HALF
#undef EXP_RANGE
