// The geometry of a convolution, and the blocking of its kernels.
#ifndef FASTNN_GEOMETRY_H
#define FASTNN_GEOMETRY_H

#include <stdint.h>

// x (B,H,W,C), y (B,OH,OW,O), w (KH,KW,G,O): cell (kh, kw) of window (oh, ow) is the pixel
// (oh * stride_h + kh * dilation_h - pad_h, ow * stride_w + kw * dilation_w - pad_w) of x, or zero
// outside of it. Group g maps channels from g * G on to outputs from g * O / groups on.
typedef struct {
    int64_t B, H, W, C;
    int64_t OH, OW, O;
    int64_t KH, KW, G;
    int64_t stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, groups;
} conv_shape;

// How a task reads the cells of windows: from the image itself, from a copy of a band of it with
// padding, or gathered for each tile.
typedef enum { CONV_IN_PLACE, CONV_COPY, CONV_GATHER } conv_access;

// Largest distance of two cells of a window: sums of a few of them fit into 63 bits.
#define CONV_REACH ((int64_t)1 << 60)

// Whether the last of `out` windows begins within n cells, so that places of cells are small
// numbers; the first begins `pad` cells before them.
static inline int windows_fit(int64_t n, int64_t out, int64_t pad, int64_t stride) {
    const int64_t most = (int64_t)1 << 31;
    if (pad < 0 || pad >= most || stride < 1 || stride >= most || n >= CONV_REACH) return 0;
    return out <= (n + pad - 1) / stride + 1;
}

// Whether a window is small enough, and begins with fewer cells of padding than it reaches over.
static inline int window_fits(int64_t cells, int64_t dilation, int64_t pad) {
    int64_t reach;
    if (dilation < 1 || __builtin_mul_overflow(cells, dilation, &reach)) return 0;
    return reach < CONV_REACH && pad <= (cells - 1) * dilation;
}

static inline int conv_shape_fits(const conv_shape *s) {
    int64_t channels;
    const int empty = s->H < 1 || s->W < 1 || s->OH < 1 || s->OW < 1 || s->O < 1 || s->KH < 1 ||
                      s->KW < 1 || s->G < 1;
    if (empty || s->B < 0) return 0;
    if (s->groups < 1 || __builtin_mul_overflow(s->G, s->groups, &channels)) return 0;
    return channels == s->C && s->O % s->groups == 0 &&
           window_fits(s->KH, s->dilation_h, s->pad_h) &&
           window_fits(s->KW, s->dilation_w, s->pad_w) &&
           windows_fit(s->H, s->OH, s->pad_h, s->stride_h) &&
           windows_fit(s->W, s->OW, s->pad_w, s->stride_w);
}

// The same geometry without distances of windows and cells that are alone on their axis: those may
// be any numbers, whose products would overflow.
static inline conv_shape conv_shape_of(conv_shape s) {
    if (s.OH == 1) s.stride_h = 1;
    if (s.OW == 1) s.stride_w = 1;
    if (s.KH == 1) s.dilation_h = 1;
    if (s.KW == 1) s.dilation_w = 1;
    return s;
}

// x (B,H,W,C), y (B,OH,OW,C), windows of pool_h by pool_w adjacent pixels.
typedef struct {
    int64_t B, H, W, C;
    int64_t OH, OW;
    int64_t pool_h, pool_w, stride_h, stride_w, pad_h, pad_w;
} pool_shape;

// Each window has a pixel of x.
static inline int pool_shape_fits(const pool_shape *s) {
    const int empty = s->H < 1 || s->W < 1 || s->C < 1 || s->OH < 1 || s->OW < 1;
    return !empty && window_fits(s->pool_h, 1, s->pad_h) && window_fits(s->pool_w, 1, s->pad_w) &&
           windows_fit(s->H, s->OH, s->pad_h, s->stride_h) &&
           windows_fit(s->W, s->OW, s->pad_w, s->stride_w);
}

// Cells of the largest window whose numbers fit into a byte.
#define POOL_CELLS 256

static inline int pool_is_small(const pool_shape *s) {
    return s->pool_h <= POOL_CELLS && s->pool_w <= POOL_CELLS / s->pool_h;
}

// A range of an axis.
typedef struct {
    int64_t begin, end;
} axis_range;

// The cells of window `index` that lie within n cells, counted from the first of these.
static inline axis_range cells_of_window(int64_t n, int64_t index, int64_t cells, int64_t pad,
                                         int64_t stride) {
    const int64_t first = index * stride - pad, end = first + cells;
    return (axis_range){first < 0 ? 0 : first, end < n ? end : n};
}

// The items, of `count` that lie `step` apart from `first` on, within n cells.
static inline axis_range items_within(int64_t n, int64_t first, int64_t step, int64_t count) {
    const int64_t begin = first < 0 ? (step - 1 - first) / step : 0;
    const int64_t most = first < n ? (n - 1 - first) / step + 1 : 0;
    const int64_t end = most < count ? most : count;
    return (axis_range){begin < end ? begin : end, end};
}

// The windows, of `out`, that hold cell `index`.
static inline axis_range windows_of_cell(int64_t out, int64_t index, int64_t cells, int64_t pad,
                                         int64_t stride) {
    const int64_t last = (index + pad) / stride, before = index + pad - cells;
    const int64_t first = before < 0 ? 0 : before / stride + 1;
    return (axis_range){first, last < out ? last + 1 : out};
}

// The same for the next cell.
static inline axis_range windows_of_next(axis_range w, int64_t out, int64_t index, int64_t cells,
                                         int64_t pad, int64_t stride) {
    if (w.end < out && w.end * stride - pad <= index + 1) w.end++;
    if (w.begin * stride - pad + cells <= index + 1) w.begin++;
    return w;
}

// Whether no window reaches outside of n cells.
static inline int windows_are_inside(int64_t n, int64_t out, int64_t pad, int64_t stride,
                                     int64_t reach) {
    return pad <= 0 && (out - 1) * stride - pad + reach < n;
}

#endif
