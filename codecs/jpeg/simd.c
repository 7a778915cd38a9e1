/*
 * The decoder's inner loops in WebAssembly's 128-bit instructions, behind libjpeg-turbo's own interface for them
 * (jsimd.h): inverse DCT, chroma upsampling, YCbCr to RGBA. The arithmetic is that of libjpeg-turbo's C code, with
 * 16-bit steps where its x86 code has them, so that the pixels are the same.
 */
#define JPEG_INTERNALS
#include <wasm_simd128.h>
#include "jinclude.h"
#include "jpeglib.h"
#include "jsimd.h"
#include "jdct.h"
#include "jsimddct.h"
#include "jpegcomp.h"

/* ---- Which there are. */

GLOBAL(int) jsimd_can_idct_islow(void) { return 1; }
GLOBAL(int) jsimd_can_h2v1_fancy_upsample(void) { return 1; }
GLOBAL(int) jsimd_can_h2v2_fancy_upsample(void) { return 1; }
GLOBAL(int) jsimd_can_ycc_rgb(void) { return 1; }
GLOBAL(int) jsimd_can_h1v2_fancy_upsample(void) { return 0; }
GLOBAL(int) jsimd_can_h2v1_upsample(void) { return 0; }
GLOBAL(int) jsimd_can_h2v2_upsample(void) { return 0; }
GLOBAL(int) jsimd_can_ycc_rgb565(void) { return 0; }
GLOBAL(void)
jsimd_h1v2_fancy_upsample(j_decompress_ptr cinfo, jpeg_component_info *compptr, JSAMPARRAY input_data,
                          JSAMPARRAY *output_data_ptr) {}
GLOBAL(void)
jsimd_h2v1_upsample(j_decompress_ptr cinfo, jpeg_component_info *compptr, JSAMPARRAY input_data,
                    JSAMPARRAY *output_data_ptr) {}
GLOBAL(void)
jsimd_h2v2_upsample(j_decompress_ptr cinfo, jpeg_component_info *compptr, JSAMPARRAY input_data,
                    JSAMPARRAY *output_data_ptr) {}
GLOBAL(void)
jsimd_ycc_rgb565_convert(j_decompress_ptr cinfo, JSAMPIMAGE input_buf, JDIMENSION input_row, JSAMPARRAY output_buf,
                         int num_rows) {}

/* ---- Inverse DCT: jpeg_idct_islow() of jidctint.c. */

#define LOW16(a, b) wasm_i16x8_shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH16(a, b) wasm_i16x8_shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15)
#define LOW32(a, b) wasm_i32x4_shuffle(a, b, 0, 4, 1, 5)
#define HIGH32(a, b) wasm_i32x4_shuffle(a, b, 2, 6, 3, 7)
#define PAIR(x, y) wasm_i16x8_const(x, y, x, y, x, y, x, y)

/* 32-bit sums of eight columns. */
typedef struct { v128_t low, high; } wide;

static inline wide dot(v128_t low, v128_t high, v128_t factors) {
  return (wide){wasm_i32x4_dot_i16x8(low, factors), wasm_i32x4_dot_i16x8(high, factors)};
}
static inline wide plus(wide a, wide b) {
  return (wide){wasm_i32x4_add(a.low, b.low), wasm_i32x4_add(a.high, b.high)};
}
static inline wide minus(wide a, wide b) {
  return (wide){wasm_i32x4_sub(a.low, b.low), wasm_i32x4_sub(a.high, b.high)};
}
static inline wide scaled(v128_t a) {  /* << CONST_BITS */
  return (wide){wasm_i32x4_shl(wasm_i32x4_extend_low_i16x8(a), 13),
                wasm_i32x4_shl(wasm_i32x4_extend_high_i16x8(a), 13)};
}
static inline v128_t descaled(wide a, int shift) {
  v128_t half = wasm_i32x4_splat(1 << (shift - 1));
  return wasm_i16x8_narrow_i32x4(wasm_i32x4_shr(wasm_i32x4_add(a.low, half), shift),
                                 wasm_i32x4_shr(wasm_i32x4_add(a.high, half), shift));
}

/* One pass over eight columns at once. Factors are fixed-point with 13 bits, as in jidctint.c, with their sums formed. */
static inline void idct_pass(v128_t v[8], int shift) {
  v128_t low = LOW16(v[2], v[6]), high = HIGH16(v[2], v[6]);
  wide even3 = dot(low, high, PAIR(10703, 4433));
  wide even2 = dot(low, high, PAIR(4433, -10704));
  wide even0 = scaled(wasm_i16x8_add(v[0], v[4]));
  wide even1 = scaled(wasm_i16x8_sub(v[0], v[4]));
  wide e0 = plus(even0, even3), e3 = minus(even0, even3), e1 = plus(even1, even2), e2 = minus(even1, even2);

  v128_t z3 = wasm_i16x8_add(v[7], v[3]), z4 = wasm_i16x8_add(v[5], v[1]);
  low = LOW16(z3, z4), high = HIGH16(z3, z4);
  wide odd3 = dot(low, high, PAIR(-6436, 9633));
  wide odd4 = dot(low, high, PAIR(9633, 6437));
  low = LOW16(v[7], v[1]), high = HIGH16(v[7], v[1]);
  wide o0 = plus(dot(low, high, PAIR(-4927, -7373)), odd3);
  wide o3 = plus(dot(low, high, PAIR(-7373, 4926)), odd4);
  low = LOW16(v[5], v[3]), high = HIGH16(v[5], v[3]);
  wide o1 = plus(dot(low, high, PAIR(-4176, -20995)), odd4);
  wide o2 = plus(dot(low, high, PAIR(-20995, 4177)), odd3);

  v[0] = descaled(plus(e0, o3), shift);
  v[7] = descaled(minus(e0, o3), shift);
  v[1] = descaled(plus(e1, o2), shift);
  v[6] = descaled(minus(e1, o2), shift);
  v[2] = descaled(plus(e2, o1), shift);
  v[5] = descaled(minus(e2, o1), shift);
  v[3] = descaled(plus(e3, o0), shift);
  v[4] = descaled(minus(e3, o0), shift);
}

static inline void transpose(v128_t v[8]) {
  v128_t a0 = LOW16(v[0], v[1]), a1 = HIGH16(v[0], v[1]), a2 = LOW16(v[2], v[3]), a3 = HIGH16(v[2], v[3]);
  v128_t a4 = LOW16(v[4], v[5]), a5 = HIGH16(v[4], v[5]), a6 = LOW16(v[6], v[7]), a7 = HIGH16(v[6], v[7]);
  v128_t b0 = LOW32(a0, a2), b1 = HIGH32(a0, a2), b2 = LOW32(a1, a3), b3 = HIGH32(a1, a3);
  v128_t b4 = LOW32(a4, a6), b5 = HIGH32(a4, a6), b6 = LOW32(a5, a7), b7 = HIGH32(a5, a7);
  v[0] = wasm_i64x2_shuffle(b0, b4, 0, 2), v[1] = wasm_i64x2_shuffle(b0, b4, 1, 3);
  v[2] = wasm_i64x2_shuffle(b1, b5, 0, 2), v[3] = wasm_i64x2_shuffle(b1, b5, 1, 3);
  v[4] = wasm_i64x2_shuffle(b2, b6, 0, 2), v[5] = wasm_i64x2_shuffle(b2, b6, 1, 3);
  v[6] = wasm_i64x2_shuffle(b3, b7, 0, 2), v[7] = wasm_i64x2_shuffle(b3, b7, 1, 3);
}

GLOBAL(void)
jsimd_idct_islow(j_decompress_ptr cinfo, jpeg_component_info *compptr, JCOEFPTR coef_block, JSAMPARRAY output_buf,
                 JDIMENSION output_col) {
  const ISLOW_MULT_TYPE *factors = compptr->dct_table;
  v128_t v[8], rest = wasm_i16x8_splat(0);
  for (int i = 1; i < 8; i++) rest = wasm_v128_or(rest, v[i] = wasm_v128_load(coef_block + 8 * i));
  v[0] = wasm_i16x8_mul(wasm_v128_load(coef_block), wasm_v128_load(factors));
  if (wasm_v128_any_true(rest)) {
    for (int i = 1; i < 8; i++) v[i] = wasm_i16x8_mul(v[i], wasm_v128_load(factors + 8 * i));
    idct_pass(v, 11);
    transpose(v);
  } else {  /* each column is constant */
    v128_t row = wasm_i16x8_shl(v[0], 2);
    v[0] = wasm_i16x8_shuffle(row, row, 0, 0, 0, 0, 0, 0, 0, 0);
    v[1] = wasm_i16x8_shuffle(row, row, 1, 1, 1, 1, 1, 1, 1, 1);
    v[2] = wasm_i16x8_shuffle(row, row, 2, 2, 2, 2, 2, 2, 2, 2);
    v[3] = wasm_i16x8_shuffle(row, row, 3, 3, 3, 3, 3, 3, 3, 3);
    v[4] = wasm_i16x8_shuffle(row, row, 4, 4, 4, 4, 4, 4, 4, 4);
    v[5] = wasm_i16x8_shuffle(row, row, 5, 5, 5, 5, 5, 5, 5, 5);
    v[6] = wasm_i16x8_shuffle(row, row, 6, 6, 6, 6, 6, 6, 6, 6);
    v[7] = wasm_i16x8_shuffle(row, row, 7, 7, 7, 7, 7, 7, 7, 7);
  }
  idct_pass(v, 18);

  /* v holds columns: to 8 bits, then transposed as bytes, pairs and quadruples. */
  v128_t p[4];
  for (int i = 0; i < 4; i++) {
    v128_t both = wasm_i8x16_narrow_i16x8(v[2 * i], v[2 * i + 1]);
    both = wasm_i8x16_shuffle(both, both, 0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15);
    p[i] = wasm_v128_xor(both, wasm_i8x16_const_splat(-128));
  }
  v128_t q0 = LOW16(p[0], p[1]), q1 = HIGH16(p[0], p[1]), q2 = LOW16(p[2], p[3]), q3 = HIGH16(p[2], p[3]);
  v128_t rows[4] = {LOW32(q0, q2), HIGH32(q0, q2), LOW32(q1, q3), HIGH32(q1, q3)};
  for (int i = 0; i < 4; i++) {
    wasm_v128_store64_lane(output_buf[2 * i] + output_col, rows[i], 0);
    wasm_v128_store64_lane(output_buf[2 * i + 1] + output_col, rows[i], 1);
  }
}

/* ---- Upsampling: h2v1_fancy_upsample() and h2v2_fancy_upsample() of jdsample.c; rows have at least three samples. */

/*
 * Doubles a row of `width` samples, of which sample(row, i) gives eight as 16-bit sums from i on and one(row, i) one:
 * each output is three parts its own sample and one part the nearer neighbour. The last eight overlap those before.
 */
#define DOUBLE_ROW(sample, one, width, out, four, left, right, shift) { \
  unsigned last = (width) - 1, i = 1; \
  (out)[0] = (unsigned char)(((four) * one(0) + (left)) >> (shift)); \
  (out)[1] = (unsigned char)((one(0) * 3 + one(1) + (right)) >> (shift)); \
  while (i < last) { \
    if (i + 8 > last) { \
      if (last < 9) { \
        (out)[2 * i] = (unsigned char)((one(i) * 3 + one(i - 1) + (left)) >> (shift)); \
        (out)[2 * i + 1] = (unsigned char)((one(i) * 3 + one(i + 1) + (right)) >> (shift)); \
        i++; \
        continue; \
      } \
      i = last - 8; \
    } \
    v128_t own = sample(i); \
    own = wasm_i16x8_add(own, wasm_i16x8_shl(own, 1)); \
    v128_t even = wasm_i16x8_add(wasm_i16x8_add(own, sample(i - 1)), wasm_i16x8_const_splat(left)); \
    v128_t odd = wasm_i16x8_add(wasm_i16x8_add(own, sample(i + 1)), wasm_i16x8_const_splat(right)); \
    even = wasm_u16x8_shr(even, shift); \
    odd = wasm_i16x8_shl(wasm_u16x8_shr(odd, shift), 8); \
    wasm_v128_store((out) + 2 * i, wasm_v128_or(even, odd)); \
    i += 8; \
  } \
  (out)[2 * last] = (unsigned char)((one(last) * 3 + one(last - 1) + (left)) >> (shift)); \
  (out)[2 * last + 1] = (unsigned char)(((four) * one(last) + (right)) >> (shift)); \
}

GLOBAL(void)
jsimd_h2v1_fancy_upsample(j_decompress_ptr cinfo, jpeg_component_info *compptr, JSAMPARRAY input_data,
                          JSAMPARRAY *output_data_ptr) {
  for (int row = 0; row < cinfo->max_v_samp_factor; row++) {
    JSAMPROW in = input_data[row], out = (*output_data_ptr)[row];
#define SAMPLE(i) wasm_u16x8_load8x8(in + (i))
#define ONE(i) in[i]
    DOUBLE_ROW(SAMPLE, ONE, compptr->downsampled_width, out, 4, 1, 2, 2)
#undef SAMPLE
#undef ONE
  }
}

GLOBAL(void)
jsimd_h2v2_fancy_upsample(j_decompress_ptr cinfo, jpeg_component_info *compptr, JSAMPARRAY input_data,
                          JSAMPARRAY *output_data_ptr) {
  for (int row = 0; row < cinfo->max_v_samp_factor; row++) {
    JSAMPROW in = input_data[row / 2], out = (*output_data_ptr)[row];
    JSAMPROW near = row % 2 == 0 ? input_data[row / 2 - 1] : input_data[row / 2 + 1];
#define SAMPLE(i) \
  wasm_i16x8_add(wasm_i16x8_mul(wasm_u16x8_load8x8(in + (i)), wasm_i16x8_const_splat(3)), wasm_u16x8_load8x8(near + (i)))
#define ONE(i) (in[i] * 3 + near[i])
    DOUBLE_ROW(SAMPLE, ONE, compptr->downsampled_width, out, 4, 8, 7, 4)
#undef SAMPLE
#undef ONE
  }
}

/* ---- YCbCr to RGBA: ycc_rgb_convert() of jdcolor.c. */

/* (a * factor + b * other) >> 16 of eight pairs, rounded as the C code's tables are; factors and `half` fit 16 bits. */
static inline v128_t high_half(v128_t low, v128_t high) {
  return wasm_i16x8_shuffle(low, high, 1, 3, 5, 7, 9, 11, 13, 15);
}

/* Sixteen bytes each of red, green and blue, or of what eight give in the lower half. */
static inline void ycc_eight(v128_t y, v128_t cb, v128_t cr, v128_t rgb[3]) {
  const v128_t center = wasm_i16x8_const_splat(128), minus1 = wasm_i16x8_const_splat(-1);
  cb = wasm_i16x8_sub(cb, center);
  cr = wasm_i16x8_sub(cr, center);
  /* red: 1.402 = 1 + 26345 / 65536; -1 times -32768 is the rounding half */
  v128_t factors = PAIR(26345, -32768);
  v128_t part = high_half(wasm_i32x4_dot_i16x8(LOW16(cr, minus1), factors),
                          wasm_i32x4_dot_i16x8(HIGH16(cr, minus1), factors));
  rgb[0] = wasm_i16x8_add(wasm_i16x8_add(y, cr), part);
  /* blue: 1.772 = 2 - 14942 / 65536 */
  factors = PAIR(-14942, -32768);
  part = high_half(wasm_i32x4_dot_i16x8(LOW16(cb, minus1), factors),
                   wasm_i32x4_dot_i16x8(HIGH16(cb, minus1), factors));
  rgb[2] = wasm_i16x8_add(wasm_i16x8_add(y, wasm_i16x8_shl(cb, 1)), part);
  /* green: -0.34414 cb - 0.71414 cr, the latter as 18734 / 65536 - 1 */
  factors = PAIR(-22554, 18734);
  const v128_t half = wasm_i32x4_const_splat(32768);
  part = high_half(wasm_i32x4_add(wasm_i32x4_dot_i16x8(LOW16(cb, cr), factors), half),
                   wasm_i32x4_add(wasm_i32x4_dot_i16x8(HIGH16(cb, cr), factors), half));
  rgb[1] = wasm_i16x8_add(wasm_i16x8_sub(y, cr), part);
}

static inline unsigned char clipped(int value) { return (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value); }

GLOBAL(void)
jsimd_ycc_rgb_convert(j_decompress_ptr cinfo, JSAMPIMAGE input_buf, JDIMENSION input_row, JSAMPARRAY output_buf,
                      int num_rows) {
  const unsigned width = cinfo->output_width;
  for (int row = 0; row < num_rows; row++, input_row++) {
    JSAMPROW luma = input_buf[0][input_row], blue = input_buf[1][input_row], red = input_buf[2][input_row];
    JSAMPROW out = output_buf[row];
    for (unsigned i = 0; i < width;) {
      if (i + 16 > width) {
        if (width < 16) {
          int y = luma[i], cb = blue[i] - 128, cr = red[i] - 128;
          out[4 * i] = clipped(y + ((91881 * cr + 32768) >> 16));
          out[4 * i + 1] = clipped(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
          out[4 * i + 2] = clipped(y + ((116130 * cb + 32768) >> 16));
          out[4 * i + 3] = 255;
          i++;
          continue;
        }
        i = width - 16;
      }
      v128_t first[3], second[3];
      ycc_eight(wasm_u16x8_load8x8(luma + i), wasm_u16x8_load8x8(blue + i), wasm_u16x8_load8x8(red + i), first);
      ycc_eight(wasm_u16x8_load8x8(luma + i + 8), wasm_u16x8_load8x8(blue + i + 8), wasm_u16x8_load8x8(red + i + 8),
                second);
      v128_t r = wasm_u8x16_narrow_i16x8(first[0], second[0]);
      v128_t g = wasm_u8x16_narrow_i16x8(first[1], second[1]);
      v128_t b = wasm_u8x16_narrow_i16x8(first[2], second[2]);
      v128_t a = wasm_i8x16_const_splat(-1);
      v128_t rg0 = wasm_i8x16_shuffle(r, g, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      v128_t rg1 = wasm_i8x16_shuffle(r, g, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      v128_t ba0 = wasm_i8x16_shuffle(b, a, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      v128_t ba1 = wasm_i8x16_shuffle(b, a, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      wasm_v128_store(out + 4 * i, LOW16(rg0, ba0));
      wasm_v128_store(out + 4 * i + 16, HIGH16(rg0, ba0));
      wasm_v128_store(out + 4 * i + 32, LOW16(rg1, ba1));
      wasm_v128_store(out + 4 * i + 48, HIGH16(rg1, ba1));
      i += 16;
    }
  }
}
