/*
 * Pillow's resampling of 8-bit pictures (src/libImaging/Resample.c) in WebAssembly's 128-bit instructions: the two
 * passes over RGBA pixels with fixed-point weights of 22 fractional bits, clipped to 8 bit after each. Sums of
 * products are kept modulo 2^32, in which Pillow's own sums fit.
 *
 * The instruction that multiplies and adds takes 16 bits, so a weight comes in two parts: the lower 15 bits, and the
 * rest. Weights lie as pairs for two neighbouring samples: low, low, rest, rest.
 */
#include <stddef.h>
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))

extern unsigned char __heap_base;

/* Room for `size` bytes; 0 when there is none. */
EXPORT(room) uint8_t *room(size_t size) {
  const size_t page = 65536;
  size_t end = (size_t)&__heap_base + size, have = __builtin_wasm_memory_size(0) * page;
  if (end > have && __builtin_wasm_memory_grow(0, (end - have + page - 1) / page) == SIZE_MAX) return NULL;
  return &__heap_base;
}

/* Sums of the parts to the value, rounded, without the fraction. */
static inline v128_t joined(v128_t low, v128_t rest) {
  v128_t sum = wasm_i32x4_add(wasm_i32x4_add(low, wasm_i32x4_shl(rest, 15)), wasm_i32x4_const_splat(1 << 21));
  return wasm_i32x4_shr(sum, 22);
}

/*
 * Along rows: `count` outputs for each of `rows` rows of `width` pixels. Output i weighs pairs[i] pairs of pixels
 * from starts[i] on; its weights begin at i * most pairs.
 */
EXPORT(across)
void across(const uint32_t *from, size_t width, size_t rows, const uint32_t *starts, const uint32_t *pairs,
            const int16_t *weights, size_t most, uint32_t *to, size_t count) {
  for (; rows > 0; rows--, from += width) {
    for (size_t i = 0; i < count; i++) {
      const uint32_t *at = from + starts[i];
      const int16_t *weight = weights + i * most * 4;
      v128_t low = wasm_i32x4_const_splat(0), rest = low;
      for (size_t k = pairs[i]; k > 0; k--, at += 2, weight += 4) {
        v128_t two = wasm_v128_load64_zero(at);
        two = wasm_i8x16_shuffle(two, wasm_i8x16_const_splat(0), 0, 16, 4, 16, 1, 16, 5, 16, 2, 16, 6, 16, 3, 16, 7, 16);
        low = wasm_i32x4_add(low, wasm_i32x4_dot_i16x8(two, wasm_v128_load32_splat(weight)));
        rest = wasm_i32x4_add(rest, wasm_i32x4_dot_i16x8(two, wasm_v128_load32_splat(weight + 2)));
      }
      v128_t sum = joined(low, rest);
      sum = wasm_i16x8_narrow_i32x4(sum, sum);
      *to++ = (uint32_t)wasm_i32x4_extract_lane(wasm_u8x16_narrow_i16x8(sum, sum), 0) | 0xFF000000u;
    }
  }
}

/*
 * Along columns: one row of outputs, from `pairs` pairs of rows of `width` pixels. Rows are written and read in whole
 * fours of pixels: up to three pixels behind them too.
 */
EXPORT(down)
void down(const uint32_t *from, size_t width, size_t pairs, const int16_t *weights, uint32_t *to) {
  for (size_t x = 0; x < width; x += 4) {
    const uint32_t *at = from + x;
    const int16_t *weight = weights;
    v128_t low[4], rest[4];
    for (int i = 0; i < 4; i++) low[i] = rest[i] = wasm_i32x4_const_splat(0);
    for (size_t k = pairs; k > 0; k--, at += 2 * width, weight += 4) {
      v128_t a = wasm_v128_load(at), b = wasm_v128_load(at + width);
      v128_t ab0 = wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      v128_t ab1 = wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      v128_t both[4] = {wasm_u16x8_extend_low_u8x16(ab0), wasm_u16x8_extend_high_u8x16(ab0),
                        wasm_u16x8_extend_low_u8x16(ab1), wasm_u16x8_extend_high_u8x16(ab1)};
      v128_t lows = wasm_v128_load32_splat(weight), rests = wasm_v128_load32_splat(weight + 2);
      for (int i = 0; i < 4; i++) {
        low[i] = wasm_i32x4_add(low[i], wasm_i32x4_dot_i16x8(both[i], lows));
        rest[i] = wasm_i32x4_add(rest[i], wasm_i32x4_dot_i16x8(both[i], rests));
      }
    }
    v128_t sums = wasm_u8x16_narrow_i16x8(
        wasm_i16x8_narrow_i32x4(joined(low[0], rest[0]), joined(low[1], rest[1])),
        wasm_i16x8_narrow_i32x4(joined(low[2], rest[2]), joined(low[3], rest[3])));
    wasm_v128_store(to + x, wasm_v128_or(sums, wasm_u32x4_const_splat(0xFF000000u)));
  }
}
