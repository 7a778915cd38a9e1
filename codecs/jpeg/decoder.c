/*
 * What Convlens asks of libjpeg: a JPEG in memory to rows of RGBA, as Pillow's convert("RGB") gives them.
 * One picture at a time. Errors leave through the imported fail(), which throws; the instance is then done for;
 * warnings (damaged data that libjpeg mends) are passed over in silence, as Pillow does.
 */
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include "jpeglib.h"
#include "jerror.h"

#define EXPORT(name) __attribute__((export_name(#name)))

__attribute__((import_module("convlens"), import_name("fail"), noreturn)) void fail(int no_memory);

#define STRIP 16

static struct jpeg_decompress_struct decoder;
static struct jpeg_error_mgr errors;
static struct jpeg_source_mgr source;
static unsigned char *input;
static unsigned char *strip;

static void error_exit(j_common_ptr info) { fail(info->err->msg_code == JERR_OUT_OF_MEMORY); }
static void emit_message(j_common_ptr info, int level) {
  if (level < 0) info->err->num_warnings++;
}
static void no_message(j_common_ptr info) { (void)info; }
static void reset_errors(j_common_ptr info) { info->err->num_warnings = 0; }

static void nothing(j_decompress_ptr info) { (void)info; }
/* The data ended: an end-of-image marker stands in for the rest, as in libjpeg's own source. */
static boolean fill_input(j_decompress_ptr info) {
  static const JOCTET end[2] = {0xFF, JPEG_EOI};
  info->src->next_input_byte = end;
  info->src->bytes_in_buffer = 2;
  return TRUE;
}
static void skip_input(j_decompress_ptr info, long count) {
  if (count <= 0) return;
  if ((size_t)count > info->src->bytes_in_buffer) {
    fill_input(info);
    return;
  }
  info->src->next_input_byte += count;
  info->src->bytes_in_buffer -= (size_t)count;
}

/* Memory: libjpeg takes some and gives all back at the picture's end, so each picture begins anew behind the data. */
extern unsigned char __heap_base;
static size_t used;

void *malloc(size_t size) {
  const size_t page = 65536;
  size_t at = (used + 15) & ~(size_t)15;
  size_t have = __builtin_wasm_memory_size(0) * page;
  if (size > SIZE_MAX - at - page) return NULL;
  if (at + size > have && __builtin_wasm_memory_grow(0, (at + size - have + page - 1) / page) == SIZE_MAX) return NULL;
  used = at + size;
  return (void *)at;
}
void free(void *memory) { (void)memory; }

/* Room for a file of `size` bytes, which the caller fills: the beginning of each picture. */
EXPORT(room) unsigned char *room(size_t size) {
  used = (size_t)&__heap_base;
  input = malloc(size);
  if (!input) fail(1);
  return input;
}

/* Begins to decode the file of `size` bytes; the strip that next() fills. */
EXPORT(begin) unsigned char *begin(size_t size) {
  errors.error_exit = error_exit;
  errors.emit_message = emit_message;
  errors.output_message = no_message;
  errors.reset_error_mgr = reset_errors;
  decoder.err = &errors;
  jpeg_create_decompress(&decoder);
  source.init_source = nothing;
  source.fill_input_buffer = fill_input;
  source.skip_input_data = skip_input;
  source.resync_to_restart = jpeg_resync_to_restart;
  source.term_source = nothing;
  source.next_input_byte = input;
  source.bytes_in_buffer = size;
  decoder.src = &source;
  jpeg_read_header(&decoder, TRUE);
  decoder.out_color_space = decoder.num_components == 4 ? JCS_CMYK : JCS_EXT_RGBA;
  jpeg_start_decompress(&decoder);
  strip = malloc((size_t)decoder.output_width * 4 * STRIP);
  if (!strip) fail(1);
  return strip;
}

EXPORT(width) unsigned width(void) { return decoder.output_width; }
EXPORT(height) unsigned height(void) { return decoder.output_height; }

/* a * b / 255, rounded: MULDIV255 of Pillow's ImagingUtils.h. */
static inline unsigned scaled(unsigned a, unsigned b) {
  unsigned product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/*
 * Inks as files hold them (Adobe's way: 255 is none) to light: cmyk2rgb of Pillow's Convert.c, which clips what
 * rounding took below zero.
 */
static void inks_to_light(unsigned char *pixel, size_t count) {
  for (; count > 0; count--, pixel += 4) {
    int white = pixel[3];
    for (int c = 0; c < 3; c++) {
      int light = white - (int)scaled(255u - pixel[c], (unsigned)white);
      pixel[c] = (unsigned char)(light < 0 ? 0 : light);
    }
    pixel[3] = 255;
  }
}

/* Decodes the next rows, at most STRIP, into the strip; how many there are. */
EXPORT(next) unsigned next(void) {
  size_t stride = (size_t)decoder.output_width * 4;
  unsigned rows = 0;
  while (rows < STRIP && decoder.output_scanline < decoder.output_height) {
    JSAMPROW wanted[STRIP];
    for (unsigned i = rows; i < STRIP; i++) wanted[i - rows] = strip + i * stride;
    rows += jpeg_read_scanlines(&decoder, wanted, STRIP - rows);
  }
  if (decoder.num_components == 4) inks_to_light(strip, (size_t)rows * decoder.output_width);
  return rows;
}
