/*
 * A faster decode_mcu_fast() for jdhuff.c, which includes this file (see jdhuff.patch).
 * Most coefficients take one look into a table that knows a code together with the bits that follow it; the bits
 * wait in a 64-bit word, left-aligned, and come four bytes at a time. Whatever is out of the ordinary (a marker, a
 * code that does not exist) is left to decode_mcu_slow(), which begins the MCU anew: damaged files decode as ever.
 */

/* An entry: bits to consume (0-5), kind (6-7), coefficients to move on by (8-15), value or its size in bits (16-31). */
#define FAST_VALUE 0          /* a coefficient with all its bits */
#define FAST_SIZE (1 << 6)    /* a coefficient whose bits are still to be read */
#define FAST_ZEROS (2 << 6)   /* zeros only: a run of 16, or the end of the block */
#define FAST_LONG (3 << 6)    /* a code of more than FAST_BITS bits */
#define FAST_KIND (3 << 6)

LOCAL(void)
make_fast_table(d_derived_tbl *dtbl)
{
  int i, l;

  for (i = 0; i < 1 << FAST_BITS; i++) {
    dtbl->fast[i] = FAST_LONG;
    for (l = 1; l <= FAST_BITS; l++) {
      int code = i >> (FAST_BITS - l);
      if (code <= dtbl->maxcode[l]) {
        int symbol = dtbl->pub->huffval[(code + dtbl->valoffset[l]) & 255];
        int r = symbol >> 4, s = symbol & 15;
        if (s == 0)
          dtbl->fast[i] = l | FAST_ZEROS | (r == 15 ? 16 : DCTSIZE2) << 8;
        else if (l + s > FAST_BITS)
          dtbl->fast[i] = l | FAST_SIZE | r << 8 | s << 16;
        else {
          int bits = (i >> (FAST_BITS - l - s)) & ((1 << s) - 1);
          dtbl->fast[i] = (l + s) | FAST_VALUE | r << 8 | (int)((unsigned int)HUFF_EXTEND(bits, s) << 16);
        }
        break;
      }
    }
  }
}

#define REFILL \
  if (count < 32) { \
    unsigned int word; \
    memcpy(&word, next, 4); \
    if (((~word - 0x01010101U) & word & 0x80808080U) == 0) { \
      bits |= (bit_buf_type)__builtin_bswap32(word) << (32 - count); \
      count += 32; \
      next += 4; \
    } else { \
      do {  /* a byte FF is followed by a stuffed 0, or begins a marker */ \
        bit_buf_type byte = *next++; \
        if (byte == 0xFF && *next++ != 0) goto unusual; \
        bits |= byte << (56 - count); \
        count += 8; \
      } while (count <= 56); \
    } \
  }

#define TAKE(n) { bits <<= (n); count -= (n); }
#define PEEK(n) ((int)(bits >> (64 - (n))))

LOCAL(boolean)
decode_mcu_fast(j_decompress_ptr cinfo, JBLOCKROW *MCU_data)
{
  huff_entropy_ptr entropy = (huff_entropy_ptr)cinfo->entropy;
  const JOCTET *next = cinfo->src->next_input_byte;
  savable_state state = entropy->saved;
  int count = entropy->bitstate.bits_left, blkn;
  bit_buf_type bits = count ? entropy->bitstate.get_buffer << (64 - count) : 0;

  for (blkn = 0; blkn < cinfo->blocks_in_MCU; blkn++) {
    JCOEF *block = *MCU_data[blkn];
    d_derived_tbl *dctbl = entropy->dc_cur_tbls[blkn];
    d_derived_tbl *actbl = entropy->ac_cur_tbls[blkn];
    int ci = cinfo->MCU_membership[blkn];
    int entry, l, s, k = 0;

    REFILL
    entry = dctbl->lookup[PEEK(HUFF_LOOKAHEAD)];
    l = entry >> HUFF_LOOKAHEAD;
    s = entry & 255;
    if (l > HUFF_LOOKAHEAD) {
      while (l <= 16 && PEEK(l) > dctbl->maxcode[l]) l++;
      if (l > 16) goto unusual;
      s = dctbl->pub->huffval[(PEEK(l) + dctbl->valoffset[l]) & 255];
    }
    TAKE(l)
    if (s) {
      int value = PEEK(s);
      TAKE(s)
      state.last_dc_val[ci] += HUFF_EXTEND(value, s);
    }
    block[0] = (JCOEF)state.last_dc_val[ci];

    for (k = 1; k < DCTSIZE2; k++) {
      int value;
      REFILL
      entry = actbl->fast[PEEK(FAST_BITS)];
      if ((entry & FAST_KIND) == FAST_VALUE) {
        k += (entry >> 8) & 255;
        value = entry >> 16;
        TAKE(entry & 63)
      } else {
        if ((entry & FAST_KIND) == FAST_LONG) {
          int symbol;
          l = FAST_BITS + 1;
          while (l <= 16 && PEEK(l) > actbl->maxcode[l]) l++;
          if (l > 16) goto unusual;
          symbol = actbl->pub->huffval[(PEEK(l) + actbl->valoffset[l]) & 255];
          TAKE(l)
          s = symbol & 15;
          k += symbol >> 4;
          if (s == 0) {
            if (symbol != 0xF0) break;
            continue;
          }
        } else {
          TAKE(entry & 63)
          k += (entry >> 8) & 255;
          if ((entry & FAST_KIND) == FAST_ZEROS) {
            k--;
            continue;
          }
          s = entry >> 16;
        }
        value = PEEK(s);
        TAKE(s)
        value = HUFF_EXTEND(value, s);
      }
      block[jpeg_natural_order[k]] = (JCOEF)value;
    }
  }

  cinfo->src->bytes_in_buffer -= (size_t)(next - cinfo->src->next_input_byte);
  cinfo->src->next_input_byte = next;
  entropy->bitstate.get_buffer = count ? bits >> (64 - count) : 0;
  entropy->bitstate.bits_left = count;
  entropy->saved = state;
  return TRUE;

unusual:
  for (blkn = 0; blkn < cinfo->blocks_in_MCU; blkn++)
    memset(MCU_data[blkn], 0, sizeof(JBLOCK));
  return FALSE;
}

#undef REFILL
#undef TAKE
#undef PEEK
