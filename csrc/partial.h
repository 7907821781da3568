// Parts of rows, and small transposes: what the edges of a matrix need.

// The first n <= LANES elements, zeros behind them; nothing else is read.
static inline FN(vec) FN(load_part)(const real *p, int64_t n) {
    if (n == LANES) return FN(load)(p);
#ifdef MASK
    return (FN(vec))FN(MASKED_LOAD)(p, n);
#else
    FN(vec) v = {0};
    for (int64_t i = 0; i < n; i++) v[i] = p[i];
    return v;
#endif
}

static inline void FN(store_part)(real *p, FN(vec) v, int64_t n) {
    if (n == LANES) {
        FN(store)(p, v);
        return;
    }
#ifdef MASK
    FN(MASKED_STORE)(p, n, v);
#else
    for (int64_t i = 0; i < n; i++) p[i] = v[i];
#endif
}

// to (n,) = from (n,)
static inline void FN(copy_row)(real *to, const real *from, int64_t n) {
    for (; n > LANES; n -= LANES, to += LANES, from += LANES) FN(store)(to, FN(load)(from));
    FN(store_part)(to, FN(load_part)(from, n), n);
}

// to (n,) = from (n,), then zeros up to a whole vector.
static inline void FN(copy_padded)(real *to, const real *from, int64_t n) {
    for (; n > LANES; n -= LANES, to += LANES, from += LANES) FN(store)(to, FN(load)(from));
    FN(store)(to, FN(load_part)(from, n));
}

// to (n,) = the sum of the rows of part (parts, n), in their order.
static void FN(add_parts)(real *to, const real *part, int64_t parts, int64_t n) {
    FN(copy_row)(to, part, n);
    for (int64_t i = 1; i < parts; i++) {
        part += n;
        ELEMENTWISE for (int64_t j = 0; j < n; j++) to[j] += part[j];
    }
}

static inline FN(vec) FN(zip_low)(FN(vec) a, FN(vec) b) {
    return SHUFFLE(a, b, FN(vec_ints), FN(ZIP_LOW));
}

static inline FN(vec) FN(zip_high)(FN(vec) a, FN(vec) b) {
    return SHUFFLE(a, b, FN(vec_ints), FN(ZIP_HIGH));
}

// to (cols, n) = the transpose of from (rows, cols), rows <= n <= LANES, cols <= LANES, zeros where
// from has no row. Each round zips row i with row i + LANES / 2.
static void FN(transpose_block)(real *to, int64_t to_row, int64_t n, const real *from,
                                int64_t from_row, int64_t rows, int64_t cols) {
    FN(vec) v[LANES], zipped[LANES];
    UNROLL for (int i = 0; i < LANES; i++) {
        v[i] = i < rows ? FN(load_part)(from + i * from_row, cols) : (FN(vec)){0};
    }
    UNROLL for (int width = 1; width < LANES; width *= 2) {
        UNROLL for (int i = 0; i < LANES / 2; i++) {
            zipped[2 * i] = FN(zip_low)(v[i], v[i + LANES / 2]);
            zipped[2 * i + 1] = FN(zip_high)(v[i], v[i + LANES / 2]);
        }
        UNROLL for (int i = 0; i < LANES; i++) v[i] = zipped[i];
    }
    UNROLL for (int i = 0; i < LANES; i++) {
        if (i < cols) FN(store_part)(to + i * to_row, v[i], n);
    }
}

// to (cols, rows) = the transpose of from (rows, cols).
static void FN(transpose)(real *to, int64_t to_row, const real *from, int64_t from_row,
                          int64_t rows, int64_t cols) {
    for (int64_t i = 0; i < rows; i += LANES) {
        const int64_t n = rows - i < LANES ? rows - i : LANES;
        for (int64_t j = 0; j < cols; j += LANES) {
            FN(transpose_block)(to + j * to_row + i, to_row, n, from + i * from_row + j, from_row,
                                n, cols - j < LANES ? cols - j : LANES);
        }
    }
}

// Lane i of the result is the sum of v[i]; v is used up.
static ALWAYS_INLINE FN(vec) FN(sums)(FN(vec) v[LANES]) {
    UNROLL for (int n = LANES / 2; n > 0; n /= 2) {
        UNROLL for (int i = 0; i < n; i++) {
            v[i] = FN(zip_low)(v[i], v[i + n]) + FN(zip_high)(v[i], v[i + n]);
        }
    }
    return v[0];
}
