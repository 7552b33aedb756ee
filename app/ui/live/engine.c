/* The kernels of the generator in the browser: a few loops over floats, in WebAssembly with SIMD.
 *
 * engine-1.json lists the calls of one image (models/browser/program.py). Addresses count floats from the end of this
 * module's own data. Images are channels-last. A plane has a border of one zero pixel, so that no loop tests for edges.
 * `make engine` builds engine.wasm. No call allocates memory.
 */
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))
#define INLINE static inline __attribute__((always_inline))

typedef unsigned int count;

extern unsigned char __heap_base;

INLINE float *at(count address) { return (float *)&__heap_base + address; }

EXPORT(base) void *base(void) { return &__heap_base; }

/* Turns 16-bit weights into floats: each times the scale of its channel. Both are in the tiles of `convolve`.
 *
 * `source` may lie behind `target` in the same memory, if no float reaches a weight that is not read yet.
 */
EXPORT(widen) void widen(count source, count rows, count outputs, count scales, count target) {
  const short *words = (const short *)at(source);
  float *wide = at(target);
  for (count channel = 0; channel < outputs; channel += 12)
    for (count row = 0; row < rows; row++)
      for (count c = channel; c < channel + 12 && c < outputs; c += 4, words += 4, wide += 4) {
        v128_t values = wasm_f32x4_convert_i32x4(wasm_i32x4_load16x4(words));
        wasm_v128_store(wide, wasm_f32x4_mul(values, wasm_v128_load(at(scales) + c)));
      }
}

/* Computes some neighbouring pixels of a convolution, for one tile of channels. Both sizes are constants. */
INLINE void compute_tile(const float *source, count source_row, count inputs, count kernel_rows, count kernel_columns,
                         const float *weights, const float *bias, float *target, count target_column, v128_t slope,
                         const int pixels, const int quads) {
  v128_t sums[4][3];
  for (int p = 0; p < pixels; p++)
    for (int q = 0; q < quads; q++) sums[p][q] = wasm_v128_load(bias + 4 * q);
  for (count row = 0; row < kernel_rows; row++, source += source_row) {
    /* The pixels below a row of the kernel are neighbours in memory. */
    for (count i = 0; i < kernel_columns * inputs; i++, weights += 4 * quads) {
      for (int p = 0; p < pixels; p++) {
        v128_t x = wasm_v128_load32_splat(source + i + p * inputs);
        for (int q = 0; q < quads; q++)
          sums[p][q] = wasm_f32x4_add(sums[p][q], wasm_f32x4_mul(x, wasm_v128_load(weights + 4 * q)));
      }
    }
  }
  for (int p = 0; p < pixels; p++)
    for (int q = 0; q < quads; q++)
      wasm_v128_store(target + p * target_column + 4 * q, wasm_f32x4_pmax(wasm_f32x4_mul(sums[p][q], slope), sums[p][q]));
}

#define COMPUTE_ROW(pixels, quads)                                                                                   \
  for (count x = 0; x < columns; x += pixels) {                                                                      \
    /* The last pixels overlap those before, which get the same values again. */                                     \
    count first = x + pixels > columns ? columns - pixels : x;                                                       \
    compute_tile(line + first * inputs, source_row, inputs, kernel_rows, kernel_columns, tile, at(bias) + channel,   \
                 out + first * target_column, target_column, slopes, pixels, quads);                                 \
  }

/* Convolves, then applies a leaky ReLU: a slope of 0 is a ReLU, and 1 is none.
 *
 * `source` is the address of the first pixel under the kernel. Weights come in tiles of 12 channels, the last one of
 * 4 or 8, each (kernel row, kernel column, input, channel). `outputs` is a multiple of 4.
 */
EXPORT(convolve)
void convolve(count source, count source_row, count rows, count columns, count inputs, count kernel_rows,
              count kernel_columns, count weights, count bias, count outputs, count target, count target_row,
              count target_column, float slope) {
  const v128_t slopes = wasm_f32x4_splat(slope);
  const float *tile = at(weights);
  for (count channel = 0; channel < outputs; channel += 12) {
    const count quads = outputs - channel >= 12 ? 3 : (outputs - channel) / 4;
    for (count y = 0; y < rows; y++) {
      const float *line = at(source) + y * source_row;
      float *out = at(target) + y * target_row + channel;
      if (columns < 4) {
        if (quads == 3) COMPUTE_ROW(1, 3) else if (quads == 2) COMPUTE_ROW(1, 2) else COMPUTE_ROW(1, 1)
      } else {
        if (quads == 3) COMPUTE_ROW(4, 3) else if (quads == 2) COMPUTE_ROW(4, 2) else COMPUTE_ROW(4, 1)
      }
    }
    tile += kernel_rows * kernel_columns * inputs * 4 * quads;
  }
}

/* Multiplies each channel of some pixels by a factor of its own. */
EXPORT(scale) void scale(count source, count pixels, count channels, count factors, count target) {
  for (count p = 0; p < pixels; p++)
    for (count c = 0; c < channels; c += 4) {
      const count i = p * channels + c;
      wasm_v128_store(at(target) + i, wasm_f32x4_mul(wasm_v128_load(at(source) + i), wasm_v128_load(at(factors) + c)));
    }
}

INLINE v128_t mix(const float *near, const float *far) {
  return wasm_f32x4_add(wasm_f32x4_mul(wasm_v128_load(near), wasm_f32x4_splat(0.75f)),
                        wasm_f32x4_mul(wasm_v128_load(far), wasm_f32x4_splat(0.25f)));
}

/* Doubles the side of a plane by bilinear interpolation, times a factor for each channel.
 *
 * `is_added` adds the values to those of the target. Pixels beyond the edge repeat it, as in PyTorch's `interpolate`.
 */
EXPORT(upsample) void upsample(count source, count side, count channels, count factors, count target, count is_added) {
  const count source_row = (side + 2) * channels, target_row = (2 * side + 2) * channels;
  for (count y = 0; y < 2 * side; y++) {
    const count near_y = y / 2, far_y = y & 1 ? (near_y + 1 < side ? near_y + 1 : near_y) : (near_y ? near_y - 1 : 0);
    const float *near_line = at(source) + (near_y + 1) * source_row, *far_line = at(source) + (far_y + 1) * source_row;
    for (count x = 0; x < 2 * side; x++) {
      const count near_x = x / 2, far_x = x & 1 ? (near_x + 1 < side ? near_x + 1 : near_x) : (near_x ? near_x - 1 : 0);
      const count near = (near_x + 1) * channels, far = (far_x + 1) * channels;
      float *out = at(target) + (y + 1) * target_row + (x + 1) * channels;
      for (count c = 0; c < channels; c += 4) {
        v128_t value = wasm_f32x4_add(
            wasm_f32x4_mul(mix(near_line + near + c, near_line + far + c), wasm_f32x4_splat(0.75f)),
            wasm_f32x4_mul(mix(far_line + near + c, far_line + far + c), wasm_f32x4_splat(0.25f)));
        value = wasm_f32x4_mul(value, wasm_v128_load(at(factors) + c));
        wasm_v128_store(out + c, is_added ? wasm_f32x4_add(value, wasm_v128_load(out + c)) : value);
      }
    }
  }
}

/* exp(x) for x in -80..0, with a relative error below 1e-6: 2^n times a polynomial (Cody and Waite 1980, chapter 6). */
INLINE v128_t exponential(v128_t x) {
  const v128_t n = wasm_f32x4_nearest(wasm_f32x4_mul(x, wasm_f32x4_splat(1.44269504f)));
  v128_t r = wasm_f32x4_sub(x, wasm_f32x4_mul(n, wasm_f32x4_splat(0.693359375f)));
  r = wasm_f32x4_sub(r, wasm_f32x4_mul(n, wasm_f32x4_splat(-2.12194440e-4f)));
  v128_t sum = wasm_f32x4_splat(1.0f / 720);
  const float factors[] = {1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1};
  for (int k = 0; k < 6; k++) sum = wasm_f32x4_add(wasm_f32x4_mul(sum, r), wasm_f32x4_splat(factors[k]));
  const v128_t power = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), wasm_i32x4_splat(127)), 23);
  return wasm_f32x4_mul(sum, power);
}

INLINE v128_t hyperbolic_tangent(v128_t x) {
  const v128_t one = wasm_f32x4_splat(1);
  const v128_t size = wasm_f32x4_pmin(wasm_f32x4_splat(10), wasm_f32x4_abs(x));
  const v128_t decay = exponential(wasm_f32x4_mul(size, wasm_f32x4_splat(-2)));
  const v128_t tangent = wasm_f32x4_div(wasm_f32x4_sub(one, decay), wasm_f32x4_add(one, decay));
  return wasm_v128_or(tangent, wasm_v128_and(x, wasm_i32x4_splat((int)0x80000000)));
}

/* Maps -1..1 to 0..255, rounded to the nearest level and clipped, like models/pixels.py. */
INLINE v128_t to_levels(v128_t x) {
  v128_t level = wasm_f32x4_mul(wasm_f32x4_add(x, wasm_f32x4_splat(1)), wasm_f32x4_splat(127.5f));
  level = wasm_f32x4_pmin(wasm_f32x4_splat(255), wasm_f32x4_pmax(wasm_f32x4_splat(0), wasm_f32x4_nearest(level)));
  return wasm_i32x4_trunc_sat_f32x4(level);
}

/* Writes an image as RGBA from 12 channels for each 2 x 2 pixels (colour, row, column), by a hyperbolic tangent. */
EXPORT(paint_quads) void paint_quads(count source, count side, count target) {
  for (count y = 0; y < side; y++)
    for (count x = 0; x < side; x++) {
      const float *quad = at(source) + (y * side + x) * 12;
      v128_t colours = wasm_i32x4_splat((int)0xff000000);
      for (int c = 0; c < 3; c++) {
        v128_t level = to_levels(hyperbolic_tangent(wasm_v128_load(quad + 4 * c)));
        colours = wasm_v128_or(colours, wasm_i32x4_shl(level, 8 * c));
      }
      float *out = at(target) + 4 * y * side + 2 * x;
      wasm_v128_store64_lane(out, colours, 0);
      wasm_v128_store64_lane(out + 2 * side, colours, 1);
    }
}

/* Writes an image as RGBA from four channels for each pixel, of which the last is unused. */
EXPORT(paint_pixels) void paint_pixels(count source, count pixels, count target) {
  int *out = (int *)at(target);
  for (count p = 0; p < pixels; p++) {
    v128_t words = to_levels(wasm_v128_load(at(source) + 4 * p));
    words = wasm_i16x8_narrow_i32x4(words, words);
    out[p] = wasm_i32x4_extract_lane(wasm_u8x16_narrow_i16x8(words, words), 0) | (int)0xff000000;
  }
}
