/** A picture: 8-bit RGBA, rows from the top, not premultiplied. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** `width * height * 4` bytes: red, green, blue, alpha. */
  readonly data: Uint8ClampedArray | Uint8Array;
}
